package backendtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var listing = []promise{
	{"an empty collection lists nothing", listEmpty},
	{"everything is listed once", listComplete},
	{"long listings come in batches", listBatches},
	{"an error of yield comes back unchanged", listYieldError},
	{"a missing collection is NotFound", listMissing},
}

func listEmpty(t *testing.T, w *world) {
	news, next := w.list(t, "")
	if len(news) > 0 {
		t.Skip("the collection has items already")
	}
	if next == "" {
		t.Fatal("the listing of an empty collection answers no cursor")
	}
	if again, _ := w.list(t, next); len(again) > 0 {
		t.Errorf("the empty collection's cursor finds %v", again)
	}
}

func listComplete(t *testing.T, w *world) {
	before, _ := w.list(t, "")
	created := make(map[backend.ItemID]stored)
	for n := range 5 {
		it := w.create(t, fmt.Sprintf("list-%d", n))
		created[it.id] = it
	}
	seen := make(map[backend.ItemID]int)
	next, err := w.s.Changes(t.Context(), w.c, "", func(batch []backend.Change) error {
		for _, ch := range batch {
			seen[ch.ID]++
			if ch.Removed {
				t.Errorf("a listing without cursor calls %q removed", ch.ID)
			}
			if it, ok := created[ch.ID]; ok && ch.Revision != it.rev {
				t.Errorf("%q is listed in revision %q, want %q as Put answered", ch.ID, ch.Revision, it.rev)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	if next == "" {
		t.Error("Changes answers no cursor; every sync would cost a whole listing")
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%q is listed %d times, want once", id, times)
		}
	}
	for id := range created {
		if seen[id] == 0 {
			t.Errorf("%q is not listed\nA shorter list looks like deletions, and phones would obey.", id)
		}
	}
	if want := len(before) + len(created); len(seen) != want {
		t.Errorf("%d items are listed, want %d", len(seen), want)
	}
}

func listBatches(t *testing.T, w *world) {
	if !w.first {
		t.Skip("tried for the first kind only")
	}
	ids := w.createMany(t, w.Items)
	_, cursor := w.list(t, "")
	for _, since := range []backend.Cursor{"", cursor} {
		seen := make(map[backend.ItemID]bool)
		_, err := w.s.Changes(t.Context(), w.c, since, func(batch []backend.Change) error {
			if len(batch) > backend.MaxBatch {
				t.Errorf("a batch has %d changes, want at most %d", len(batch), backend.MaxBatch)
			}
			for _, ch := range batch {
				seen[ch.ID] = true
			}
			return nil
		})
		if err != nil {
			t.Fatalf("Changes since %q: %v", since, err)
		}
		if since != "" {
			continue // it was enough to ask
		}
		for _, id := range ids {
			if !seen[id] {
				t.Fatalf("%q is not among the %d items listed", id, len(seen))
			}
		}
	}
	got := w.get(t, ids...)
	if len(got) != len(ids) {
		t.Errorf("Get of %d items answers %d", len(ids), len(got))
	}
}

// createMany creates items on several goroutines, for stores that take their
// time over each.
func (w *world) createMany(t *testing.T, n int) []backend.ItemID {
	t.Helper()
	ids := make([]backend.ItemID, n)
	errs := parallel(8, n, func(k int) error {
		name := unique("many")
		it, err := w.s.Put(t.Context(), w.c, backend.Item{
			ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
		})
		ids[k] = it.ID
		return err
	})
	for _, id := range ids {
		if id != "" {
			w.removeLater(t, w.c, id)
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("creating %d items: %v", n, err)
	}
	return ids
}

func listYieldError(t *testing.T, w *world) {
	w.create(t, "yield")
	stop := errors.New("enough")
	calls := 0
	_, err := w.s.Changes(t.Context(), w.c, "", func([]backend.Change) error { calls++; return stop })
	if err != stop {
		t.Errorf("Changes whose yield fails: error = %v, want that very error", err)
	}
	if calls != 1 {
		t.Errorf("yield was called %d times, want no call after the one that failed", calls)
	}
}

func listMissing(t *testing.T, w *world) {
	for _, c := range []backend.CollectionID{missing(w.c), "no such collection"} {
		_, _, err := w.tryList(t.Context(), c, "")
		wantKind(t, fmt.Sprintf("Changes of collection %q", c), err, backend.NotFound,
			"An empty listing instead would empty the phone.")
	}
}
