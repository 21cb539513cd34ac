package localdir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

var ann = backend.Credentials{User: "ann", Password: "secret"}

// build makes a directory with collections of ann's, named by their files, and
// opens it.
func build(t testing.TB, files ...string) (backend.Backend, string) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, "ann", f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if filepath.Base(f) != "-" {
			write(t, path, "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:"+f+"\r\nEND:VCARD\r\n")
		}
	}
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret", "bob": "other"}, "mail": true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b, dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, b backend.Backend) backend.Session {
	t.Helper()
	s, err := b.Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestConformance runs the suite against the backend itself and across the
// wire between processes.
func TestConformance(t *testing.T) {
	for _, tc := range []struct {
		name string
		wrap func(testing.TB, backend.Backend) backend.Backend
	}{
		{"bare", func(_ testing.TB, b backend.Backend) backend.Backend { return b }},
		{"over the wire", wiretest.OverWire},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, dir := build(t, "contacts/-", "friends/-", "calendar/-", "tasks/-", "notes/-", "shared/-", "Maildir/cur/-", "Maildir/.Sent/cur/-")
			write(t, filepath.Join(dir, "ann/friends/.collection.toml"), "kind = \"contacts\"\n")
			write(t, filepath.Join(dir, "ann/shared/.collection.toml"), "kind = \"contacts\"\nread_only = true\n")
			backendtest.Run(t, backendtest.Suite{
				Backend: tc.wrap(t, b), Credentials: ann,
				Outside: func(t *testing.T, c backend.CollectionID, name string, body []byte) {
					place := string(c)
					if place == "Maildir" {
						place = "Maildir/new"
					}
					write(t, filepath.Join(dir, "ann", place, name), string(body))
				},
				Expire: func(_ *testing.T, c backend.CollectionID) { localdir.Forget(b, "ann", string(c)) },
				Unreadable: func(t *testing.T, c backend.CollectionID, id backend.ItemID) {
					path := filepath.Join(dir, "ann", string(c), string(id))
					if c == "Maildir" {
						found, err := filepath.Glob(filepath.Join(dir, "ann/Maildir/*", string(id)+"*"))
						if err != nil || len(found) != 1 {
							t.Fatal(found, err)
						}
						path = found[0]
					}
					if err := os.Truncate(path, backend.MaxItemSize+1); err != nil {
						t.Fatal(err)
					}
				},
			})
		})
	}
}

func BenchmarkFirstListing(b *testing.B) {
	const items = 10_000
	be, dir := build(b, "contacts/-")
	for i := range items {
		write(b, filepath.Join(dir, "ann/contacts", fmt.Sprintf("%d.vcf", i)), fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%d\r\nFN:Person %d\r\nNOTE:%0500d\r\nEND:VCARD\r\n", i, i, i))
	}
	s := open(b, be)
	for _, again := range []bool{false, true} {
		b.Run(fmt.Sprintf("again=%v", again), func(b *testing.B) {
			for b.Loop() {
				if !again {
					localdir.Forget(be, "ann", "contacts")
				}
				n := 0
				_, err := s.Changes(b.Context(), "contacts", "", func(cs []backend.Change) error { n += len(cs); return nil })
				if err != nil || n != items {
					b.Fatalf("%d items, %v", n, err)
				}
			}
			b.ReportMetric(items*float64(b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}
