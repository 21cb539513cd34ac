package localdir_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

// TestListIsWatched does to a person's directories what other programs do, and
// wants to hear that the list of collections may be another.
func TestListIsWatched(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, "ann", name) }
	for _, name := range []string{"contacts", "club", "unknown"} {
		if err := os.MkdirAll(path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path("club/.collection.toml"), "kind = \"contacts\"\n")
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.Open(t.Context(), backend.Credentials{User: "ann", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	l, ok := backend.As[backend.ListWatcher](s)
	if !ok || !l.WatchesList() {
		t.Fatal("the list is not watched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, told, ended := make(chan struct{}), make(chan backend.CollectionID, 100), make(chan error, 1)
	go func() {
		ended <- l.Watch(ctx, []backend.CollectionID{"", "contacts"}, func() { close(ready) }, func(c backend.CollectionID) { told <- c })
	}()
	defer func() { cancel(); <-ended }()
	<-ready
	write(t, path("contacts/one.vcf"), "BEGIN:VCARD\r\n")
	if c := <-told; c != "contacts" {
		t.Errorf("after a new card %q is told", c)
	}
	for _, tc := range []struct {
		name string
		do   func() error
	}{
		{"a collection is described otherwise", func() error {
			return os.WriteFile(path("club/.collection.toml"), []byte("kind = \"contacts\"\nname = \"The club\"\n"), 0o600)
		}},
		{"a first file tells the kind", func() error { return os.WriteFile(path("unknown/a.ics"), []byte("BEGIN:VCALENDAR\r\n"), 0o600) }},
		{"a new collection", func() error { return os.Mkdir(path("tasks"), 0o700) }},
		{"a first file tells the kind of a new one", func() error { return os.WriteFile(path("tasks/a.ics"), []byte("BEGIN:VCALENDAR\r\n"), 0o600) }},
		{"a collection gets another name", func() error { return os.Rename(path("tasks"), path("todo")) }},
		{"it is described", func() error { return os.WriteFile(path("todo/.collection.toml"), []byte("name = \"To do\"\n"), 0o600) }},
		{"a collection goes", func() error { return os.RemoveAll(path("todo")) }},
		{"one of its name comes again", func() error { return os.Mkdir(path("todo"), 0o700) }},
	} {
		for len(told) > 0 {
			<-told
		}
		if err := tc.do(); err != nil {
			t.Fatal(err)
		}
		for c := range told {
			if c == "" {
				break
			}
		}
	}
}
