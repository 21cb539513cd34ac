package syncengine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// fill stores items called 0, 1, 2 ...
func (w *world) fill(c backend.CollectionID, count int) {
	for n := range count {
		w.put(c, fmt.Sprint(n), "text")
	}
}

func (w *world) empty(c backend.CollectionID, count int) {
	for n := range count {
		w.gone.Store(backend.ItemID(fmt.Sprint(n)), true)
		w.backend.Remove(user, c, backend.ItemID(fmt.Sprint(n)))
	}
}

// live counts the items that the mirror takes for present.
func (w *world) live(f syncengine.Folder) (count int) {
	w.t.Helper()
	err := w.store.Numbers(w.t.Context(), f.ID, func(syncengine.Number, int64) { count++ })
	if err != nil {
		w.t.Fatal(err)
	}
	return count
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	for _, tc := range []struct {
		name    string
		do      func()
		changed bool
		live    int
	}{
		{"nothing", func() {}, false, 0},
		{"600 items", func() { w.fill("notes", 600) }, true, 600},
		{"nothing again", func() {}, false, 600},
		{"one changed", func() { w.put("notes", "5", "other") }, true, 600},
		{"one removed", func() { w.backend.Remove(user, "notes", "5") }, true, 599},
		{"it comes back", func() { w.put("notes", "5", "back") }, true, 600},
		{"made and removed unseen", func() { w.put("notes", "x", "x"); w.backend.Remove(user, "notes", "x") }, false, 600},
		{"the cursor expired", func() { w.backend.Expire(user, "notes") }, false, 600},
		{"expired, and much changed", func() { w.backend.Expire(user, "notes"); w.empty("notes", 99); w.put("notes", "new", "new") }, true, 502},
	} {
		w.woken = nil
		tc.do()
		if changed := w.refresh(f); changed != tc.changed || (len(w.woken) > 0) != tc.changed {
			t.Errorf("%s: changed is %v, and wakes %v", tc.name, changed, w.woken)
		}
		if n := w.live(f); n != tc.live {
			t.Errorf("%s: the mirror has %d items, want %d", tc.name, n, tc.live)
		}
	}
}

func TestFailedListing(t *testing.T) {
	broken := backend.Errorf(backend.Transient, "test", "broken")
	w := newWorld(t)
	f := w.folder("notes")
	w.fill("notes", 300)
	w.refresh(f)
	w.empty("notes", 10)
	w.put("notes", "new", "new")
	for _, tc := range []struct {
		name    string
		expired bool
		failure memory.Failure
	}{
		{"at once", false, memory.Failure{Op: memory.OpChanges, Err: broken}},
		{"in the end", false, memory.Failure{Op: memory.OpChanges, Midway: true, After: 1000, Err: broken}},
		{"complete listing, half of it", true, memory.Failure{Op: memory.OpChanges, Midway: true, After: 100, Err: broken}},
		{"the folder is missing", false, memory.Failure{Op: memory.OpChanges, Err: backend.Errorf(backend.NotFound, "test", "gone")}},
	} {
		if tc.expired {
			w.backend.Expire(user, "notes")
		}
		w.backend.Fail(tc.failure)
		if _, err := w.engine.Refresh(t.Context(), f, w.session); backend.KindOf(err) != backend.KindOf(tc.failure.Err) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if n := w.live(f); n < 300 {
			t.Errorf("%s: only %d items are left", tc.name, n)
		}
	}
	w.refresh(f)
	if n := w.live(f); n != 291 {
		t.Errorf("the mirror has %d items", n)
	}
}

func TestRefreshEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	w.fill("notes", 300)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("hung up"))
	if _, err := w.engine.Refresh(ctx, w.folder("notes"), w.session); err == nil {
		t.Error("a refresh works although its context has ended")
	}
}

func TestManyRemovals(t *testing.T) {
	if testing.Short() {
		t.Skip("12,000 items")
	}
	const count = syncengine.MaxRemovals + 2_000
	w := newWorld(t)
	w.brake.Share = 100
	w.restart()
	f := w.folder("notes")
	w.fill("notes", 2*count)
	w.refresh(f)
	w.empty("notes", count)
	w.refresh(f)
	if n := w.live(f); n != count {
		t.Errorf("the mirror has %d items, want %d", n, count)
	}
}

// TestCommandDuringListing lets a phone write after the backend took its list
// and before the engine has it: the list is the older one.
func TestCommandDuringListing(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full %v", full), func(t *testing.T) {
			w := newWorld(t)
			f := w.folder("notes")
			p := w.phone("P", f)
			w.fill("notes", 3)
			p.all()
			number := map[backend.ItemID]syncengine.Number{}
			items, err := w.store.ItemsAfter(t.Context(), f.ID, 0, 9)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range items {
				number[it.ID] = it.Number
			}
			if full {
				w.backend.Expire(user, "notes")
			}
			w.put("notes", "0", "somebody else's") // the list says so
			w.gone.Store(backend.ItemID("1"), true)
			w.backend.Remove(user, "notes", "1") // and this

			held := heldBack{Source: w.session}
			held.then = func() {
				r := p.begin()
				it, err := w.session.Put(t.Context(), "notes", backend.Item{ID: backend.ItemID(r.NextName("1")), Body: []byte("9 false mine")})
				if err != nil {
					t.Fatal(err)
				}
				n, err := r.Added(t.Context(), "1", it)
				if err != nil {
					t.Fatal(err)
				}
				rev := w.backend.Store(user, "notes", "0", []byte("9 false mine, too"))
				if err := r.Changed(t.Context(), number["0"], rev); err != nil {
					t.Fatal(err)
				}
				rev = w.backend.Store(user, "notes", "1", []byte("9 false revived"))
				if err := r.Changed(t.Context(), number["1"], rev); err != nil {
					t.Fatal(err)
				}
				if err := w.session.Delete(t.Context(), "notes", "2", ""); err != nil {
					t.Fatal(err)
				}
				if err := r.Deleted(t.Context(), number["2"]); err != nil {
					t.Fatal(err)
				}
				p.commit(r)
				p.items[n], p.items[number["0"]], p.items[number["1"]] = "9 false mine", "9 false mine, too", "9 false revived"
				delete(p.items, number["2"])
			}
			if _, err := w.engine.Refresh(t.Context(), f, held); err != nil {
				t.Fatal(err)
			}
			log := len(p.log)
			p.all()
			p.check()
			p.quiet()
			if len(p.log) > log+1 || p.key != p.begin().Key() {
				t.Error("the phone's own doing came back to it")
			}
		})
	}
}

// heldBack gives what a listing said only after something else was done.
type heldBack struct {
	syncengine.Source
	then func()
}

func (h heldBack) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	var said [][]backend.Change
	next, err := h.Source.Changes(ctx, c, since, func(batch []backend.Change) error {
		said = append(said, batch)
		return nil
	})
	if backend.KindOf(err) == backend.Expired {
		return next, err
	}
	h.then()
	for _, batch := range said {
		if err := yield(batch); err != nil {
			return "", err
		}
	}
	return next, err
}

// A stutterer says everything twice, in little batches: first what it takes for
// true, and then how it is.
type stutterer struct{ syncengine.Source }

func (s stutterer) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	return s.Source.Changes(ctx, c, since, func(batch []backend.Change) error {
		for few := range slices.Chunk(batch, 3) {
			var first []backend.Change
			for _, c := range few {
				first = append(first, backend.Change{ID: c.ID, Revision: "what it was"})
			}
			for _, b := range [][]backend.Change{first, append(first[:1:1], few...)} {
				if err := yield(b); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func TestListingThatSaysThingsTwice(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.fill("notes", 300)
	if changed, err := w.engine.Refresh(t.Context(), f, stutterer{w.session}); err != nil || !changed {
		t.Errorf("changed: %v, %v", changed, err)
	}
	w.empty("notes", 20)
	if _, err := w.engine.Refresh(t.Context(), f, stutterer{w.session}); err != nil {
		t.Error(err)
	}
	if n := w.live(f); n != 280 {
		t.Errorf("the mirror has %d items", n)
	}
	if it, err := w.store.Item(t.Context(), f.ID, 300); err != nil || it.Revision == "what it was" {
		t.Errorf("item %+v, %v", it, err)
	}
	p := w.phone("P", f)
	p.all()
	p.check()
}

// A gate lets what listings said through one by one.
type gate struct {
	syncengine.Source
	entered chan struct{}
	open    chan struct{}
}

func (g gate) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (next backend.Cursor, err error) {
	held := heldBack{g.Source, func() {
		g.entered <- struct{}{}
		select {
		case <-g.open:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}}
	next, e := held.Changes(ctx, c, since, yield)
	if err == nil {
		err = e
	}
	return next, err
}

func TestRefreshesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		g := gate{w.session, make(chan struct{}), make(chan struct{})}
		results := make(chan bool, 10)
		refresh := func(ctx context.Context) {
			go func() {
				changed, err := w.engine.Refresh(ctx, f, g)
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				results <- changed
			}()
			synctest.Wait()
		}
		hasty, hangUp := context.WithCancel(t.Context())
		refresh(t.Context())
		<-g.entered // the first is under way, and does not know of this:
		w.put("notes", "a", "a")
		refresh(hasty) // would lead the next one
		refresh(t.Context())
		refresh(t.Context())
		hangUp()
		synctest.Wait()
		if changed := <-results; changed {
			t.Error("who hung up learned something")
		}
		refresh(t.Context())
		before := w.backend.Calls(memory.OpChanges)
		g.open <- struct{}{}
		<-results
		<-g.entered
		g.open <- struct{}{}
		for range 3 {
			if !<-results {
				t.Error("who waited did not learn of the change")
			}
		}
		if calls := w.backend.Calls(memory.OpChanges) - before; calls != 1 {
			t.Errorf("the backend was asked %d times by those who waited, want once", calls)
		}
	})
}

func TestRefreshIsTakenOverFromALeaderWhoHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		w.put("notes", "a", "a")
		g := gate{w.session, make(chan struct{}, 9), make(chan struct{})}
		ctx, hangUp := context.WithCancel(t.Context())
		done := make(chan error, 9)
		refresh := func(ctx context.Context) {
			go func() {
				_, err := w.engine.Refresh(ctx, f, g)
				done <- err
			}()
			synctest.Wait()
		}
		refresh(ctx)
		refresh(ctx)
		refresh(t.Context())
		hangUp()
		for range 2 {
			if err := <-done; err == nil {
				t.Error("who hung up was served")
			}
		}
		g.open <- struct{}{}
		if err := <-done; err != nil {
			t.Errorf("who did not hang up: %v", err)
		}
	})
}
