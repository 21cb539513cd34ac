package syncengine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A shelf is a source of count items that costs next to nothing, so that what
// is measured is the engine.
type shelf struct {
	count   int
	changed []backend.Change // since any cursor
}

func (s *shelf) Changes(_ context.Context, _ backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if since != "" {
		if len(s.changed) == 0 {
			return since, nil
		}
		return since + "x", yield(s.changed)
	}
	batch := make([]backend.Change, 0, backend.MaxBatch)
	for n := range s.count {
		batch = append(batch, backend.Change{ID: shelfID(n), Revision: `"1"`})
		if len(batch) == cap(batch) || n == s.count-1 {
			if err := yield(batch); err != nil {
				return "", err
			}
			batch = batch[:0]
		}
	}
	return "c", nil
}

func (s *shelf) Get(context.Context, backend.CollectionID, []backend.ItemID, func(backend.Fetched) error) error {
	return nil
}

func shelfID(n int) backend.ItemID {
	return backend.ItemID(fmt.Sprintf("/dav/addressbooks/ann/contacts/%08d-0000-4000-8000-%012d.vcf", n*7919%100_000_007, n))
}

// A reader is a phone that reads a shelf of which everything is told already.
type reader struct {
	b      *testing.B
	engine *syncengine.Engine
	shelf  *shelf
	folder syncengine.Folder
	phone  syncengine.Phone
	key    syncengine.Key
}

func newReader(b *testing.B, count int) *reader {
	b.Helper()
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	r := &reader{
		b: b, engine: syncengine.New(syncengine.Options{Store: db.Sync()}), shelf: &shelf{count: count},
		phone: syncengine.Phone{User: user, Device: "P"}, key: syncengine.NoKey,
	}
	_, err = r.engine.SetFolders(b.Context(), user, []syncengine.Listing{{Backend: "dav", Collections: []backend.Collection{{ID: "c", Kind: backend.Contacts}}}})
	if err != nil {
		b.Fatal(err)
	}
	list, err := r.engine.Folders(b.Context(), user)
	if err != nil {
		b.Fatal(err)
	}
	r.folder = list[0]
	r.sync(1) // the key
	return r
}

// sync is one Sync without the items' content. It answers how many there were.
func (r *reader) sync(window int) int {
	ctx := r.b.Context()
	if _, err := r.engine.Refresh(ctx, r.folder, r.shelf); err != nil {
		r.b.Fatal(err)
	}
	round, err := r.engine.Begin(ctx, r.phone, r.folder, r.key, r.shelf)
	if err != nil {
		r.b.Fatal(err)
	}
	news, err := round.Peek(ctx, window)
	if err != nil {
		r.b.Fatal(err)
	}
	for _, n := range news {
		round.Told(n, n.Revision)
		round.Hold(n.Number, held)
	}
	if _, err := round.More(ctx); err != nil {
		r.b.Fatal(err)
	}
	answer := make([]byte, 200*len(news))
	if err := r.engine.Commit(ctx, r.phone, []byte(r.key), answer, round); err != nil {
		r.b.Fatal(err)
	}
	r.key = round.Key()
	return len(news)
}

// held is what is remembered of an item that a phone holds: the digest of a
// contact with a dozen properties.
var held = make([]byte, 100)

// measure runs do b.N times and reports the processor's time beside the clock's,
// which has the disk's in it.
func measure(b *testing.B, do func()) {
	before := cpu(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpu is the processor's time that the process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var sizes = []int{100, 10_000, 100_000}

// BenchmarkSync measures a Sync of a folder that the phone has.
func BenchmarkSync(b *testing.B) {
	for _, count := range sizes {
		b.Run(fmt.Sprintf("items=%d", count), func(b *testing.B) {
			r := newReader(b, count)
			for r.sync(512) > 0 {
			}
			b.Run("nothing", func(b *testing.B) {
				measure(b, func() { r.sync(100) })
			})
			b.Run("pending", func(b *testing.B) {
				measure(b, func() {
					if yes, err := r.engine.Pending(b.Context(), r.phone, r.folder.ID); err != nil || yes {
						b.Fatal(yes, err)
					}
				})
			})
			revision := 1
			b.Run("change", func(b *testing.B) {
				measure(b, func() {
					revision++
					r.shelf.changed = []backend.Change{{ID: shelfID(count / 2), Revision: backend.Revision(fmt.Sprint(revision))}}
					if n := r.sync(100); n != 1 {
						b.Fatal(n)
					}
				})
			})
		})
	}
}

// BenchmarkFirstSync measures how fast a phone gets a folder, in windows.
func BenchmarkFirstSync(b *testing.B) {
	for _, count := range sizes[1:] {
		for _, window := range []int{100, 512} {
			b.Run(fmt.Sprintf("items=%d/window=%d", count, window), func(b *testing.B) {
				used := time.Duration(0)
				for b.Loop() {
					b.StopTimer()
					r := newReader(b, count)
					b.StartTimer()
					before := cpu(b)
					for r.sync(window) > 0 {
					}
					used += cpu(b) - before
				}
				b.ReportMetric(float64(used.Microseconds())/float64(count*b.N), "cpu-µs/item")
				b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "items/s")
			})
		}
	}
}

// BenchmarkListing measures a complete listing of what is known already.
func BenchmarkListing(b *testing.B) {
	for _, count := range sizes {
		b.Run(fmt.Sprintf("items=%d", count), func(b *testing.B) {
			r := newReader(b, count)
			r.sync(1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.engine.Refresh(b.Context(), r.folder, forgetful{r.shelf}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}

// A forgetful source knows no cursors.
type forgetful struct{ *shelf }

func (f forgetful) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if since != "" {
		return "", backend.Errorf(backend.Expired, "test", "no cursors here")
	}
	return f.shelf.Changes(ctx, c, since, yield)
}
