package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

// TestRealEvents watches a directory while another program writes to it.
func TestRealEvents(t *testing.T) {
	dir := t.TempDir()
	contacts := filepath.Join(dir, "ann", "contacts")
	if err := os.MkdirAll(contacts, 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, err := b.Open(t.Context(), backend.Credentials{User: "ann", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var cursor backend.Cursor
	there := false // the item, as the last Refresh found it
	looked, published := make(chan struct{}, 1000), make(chan bool, 1000)
	w := watch.Watcher{
		Session: s, Collection: "contacts",
		Refresh: func(ctx context.Context) (changed bool, err error) {
			defer func() { looked <- struct{}{} }()
			cursor, err = s.Changes(ctx, "contacts", cursor, func(batch []backend.Change) error {
				changed, there = true, !batch[len(batch)-1].Removed
				return nil
			})
			return changed, err
		},
		Publish: func() { published <- there },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-looked
	hear := func(want bool) {
		for got := range published { // a file may be seen half written, too
			if got == want {
				return
			}
		}
	}
	for range 3 {
		if err := os.WriteFile(filepath.Join(contacts, "a.vcf"), []byte("BEGIN:VCARD\r\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		hear(true)
		if err := os.Remove(filepath.Join(contacts, "a.vcf")); err != nil {
			t.Fatal(err)
		}
		hear(false)
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("Run ended with %v, want %v", err, context.Canceled)
	}
}
