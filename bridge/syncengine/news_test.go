package syncengine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

func TestNewerRevisionIsToldOnce(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	p := w.phone("P", f)
	if _, err := p.sync(10, good); err != nil {
		t.Fatal(err)
	}
	r := p.begin()
	news, err := r.Peek(t.Context(), 10)
	if err != nil || len(news) != 1 {
		t.Fatalf("news %v, %v", news, err)
	}
	rev := w.backend.Store(user, "notes", "a", body(1, false, "a2")) // between Peek and Get
	r.Told(news[0], rev)
	p.commit(r)
	row, _, err := p.begin().Lookup(t.Context(), 1)
	if err != nil || row.Told != rev {
		t.Errorf("row %+v, %v, the phone was told %q", row, err, rev)
	}
	w.refresh(f)
	key := p.key
	p.all()
	if p.key != key {
		t.Errorf("the revision is told once more: %v", p.log)
	}
	p.quiet()
}

func TestVanishedBetweenPeekAndGet(t *testing.T) {
	w := newWorld(t)
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p := w.phone("P", w.folder("notes"))
	if _, err := p.sync(10, good); err != nil {
		t.Fatal(err)
	}
	r := p.begin()
	news, err := r.Peek(t.Context(), 10)
	if err != nil || len(news) != 2 {
		t.Fatalf("news %v, %v", news, err)
	}
	w.backend.Remove(user, "notes", "a")
	r.Skip(news[0])
	r.Told(news[1], news[1].Revision)
	p.items[news[1].Number] = string(body(syncengine.Forever, false, "b"))
	p.commit(r)
	p.all()
	p.check()
}

// A change that could not be sent is tried again in each round, once in each and
// after what is new, until it is told or something else happened to the item.
func TestWhatCouldNotBeToldIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p := w.phone("P", f)
	p.all()
	w.put("notes", "a", "a2")
	w.refresh(f)
	round := func(more int, tell bool) {
		t.Helper()
		r := p.begin()
		news, err := r.Peek(t.Context(), 10)
		if err != nil || len(news) != more+1 {
			t.Fatalf("news %v, %v, want %d", news, err, more+1)
		}
		for _, n := range news[:more] {
			r.Told(n, n.Revision)
			p.items[n.Number] = string(body(syncengine.Forever, false, "b2"))
		}
		last := news[more]
		row, conflict, err := r.Lookup(t.Context(), last.Number)
		if last.Op != syncengine.Change || err != nil || !conflict {
			t.Errorf("news %v of %+v, %v: the phone was told", last, row, err)
		}
		if tell {
			r.Told(last, last.Revision)
			p.items[last.Number] = string(body(syncengine.Forever, false, "a2"))
		} else {
			r.Skip(last)
		}
		if again, err := r.More(t.Context()); again || err != nil {
			t.Errorf("there is more in this round, %v", err)
		}
		p.commit(r)
	}
	round(0, false)
	round(0, false)
	if yes, err := w.engine.Pending(t.Context(), p.id, f.ID); yes || err != nil {
		t.Errorf("a Ping would be answered at once, %v", err)
	}
	w.put("notes", "b", "b2")
	w.refresh(f)
	round(1, false)
	round(0, true)
	p.quiet()
	p.check()
}

func TestNewsOutOfOrder(t *testing.T) {
	w := newWorld(t)
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	f := w.folder("notes")
	p := w.phone("P", f)
	if _, err := p.sync(10, good); err != nil {
		t.Fatal(err)
	}
	r := p.begin()
	news, err := r.Peek(t.Context(), 10)
	if err != nil || len(news) != 2 {
		t.Fatalf("news %v, %v", news, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the second news could be told before the first")
		}
	}()
	r.Told(news[1], news[1].Revision)
}

func TestEstimate(t *testing.T) {
	w := newWorld(t)
	f := w.folder("tasks")
	for _, id := range []string{"a", "b", "c"} {
		w.put("tasks", id, id)
	}
	w.refresh(f)
	p := w.phone("P", f)
	estimate := func(want int) {
		t.Helper()
		r := p.begin()
		if n, err := r.Estimate(t.Context()); err != nil || n != want {
			t.Errorf("the estimate is %d, %v, want %d", n, err, want)
		}
	}
	estimate(0)
	p.commit(p.begin())
	estimate(3)
	if _, err := p.sync(2, good); err != nil {
		t.Fatal(err)
	}
	estimate(1)
	p.all()
	estimate(0)
}

func TestFilterReadsEachItemOnce(t *testing.T) {
	w := newWorld(t)
	w.ageless = true
	w.restart()
	f := w.folder("calendar")
	w.backend.Store(user, "calendar", "old", body(hour(1).Unix(), false, "old"))
	w.backend.Store(user, "calendar", "new", body(hour(5).Unix(), false, "new"))
	w.put("calendar", "always", "always")
	p, q := w.phone("P", f), w.phone("Q", f)
	p.all() // without a filter: nobody needs facts
	if row, err := w.store.ItemsUnknown(t.Context(), f.ID, 99, 99); err != nil || len(row) != 3 {
		t.Errorf("facts were read for nobody: %v, %v", row, err)
	}
	p.filter.Since = hour(3)
	p.all()
	p.check()
	gets := w.backend.Calls(memory.OpGet)
	q.filter.Since = hour(3)
	r := q.begin()
	q.commit(r)
	r = q.begin()
	r.SetFilter(q.filter)
	if news, err := r.Peek(t.Context(), 10); err != nil || len(news) != 2 {
		t.Errorf("news %v, %v", news, err)
	}
	if got := w.backend.Calls(memory.OpGet); got != gets {
		t.Errorf("another phone's filter reads %d times again", got-gets)
	}
	p.filter.Since = hour(8)
	p.all()
	p.check()
	p.filter.Since = hour(0)
	p.all()
	p.check()
	p.filter = syncengine.Filter{}
	p.all()
	p.check()
}

func TestUnreadableItemIsShown(t *testing.T) {
	w := newWorld(t)
	f := w.folder("calendar")
	w.backend.Store(user, "calendar", "x", []byte("no facts"))
	w.backend.Store(user, "calendar", "y", body(hour(1).Unix(), false, "unreadable"))
	w.backend.Fail(memory.Failure{Op: memory.OpGet, Item: "y", Err: backend.Errorf(backend.Invalid, "test", "unreadable")})
	p := w.phone("P", f)
	p.filter.Since = hour(5)
	p.all()
	if diff := cmp.Diff(2, len(p.items)); diff != "" {
		t.Errorf("items %v", p.items)
	}
}

// What cannot be read just now is not taken for something that never ends.
// Found by package storm with seed 1022.
func TestItemThatCannotBeReadJustNow(t *testing.T) {
	w := newWorld(t)
	f := w.folder("calendar")
	w.backend.Store(user, "calendar", "x", body(hour(1).Unix(), false, "long ago"))
	w.backend.Fail(memory.Failure{Op: memory.OpGet, Item: "x", Err: backend.Errorf(backend.Transient, "test", "not now")})
	p := w.phone("P", f)
	p.filter.Since = hour(5)
	w.refresh(f)
	if _, err := p.sync(10, good); err != nil {
		t.Fatal(err)
	}
	r := p.begin()
	r.SetFilter(p.filter)
	if news, err := r.Peek(t.Context(), 10); backend.KindOf(err) != backend.Transient {
		t.Errorf("news %v, error %v; want the backend's error", news, err)
	}
	p.all()
	if len(p.items) != 0 {
		t.Errorf("the phone holds %v, which the filter hides", p.items)
	}
}
