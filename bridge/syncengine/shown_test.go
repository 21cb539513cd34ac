package syncengine_test

import (
	"maps"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

func holds(t *testing.T, r *syncengine.Round, n syncengine.Number, want string) {
	t.Helper()
	got, err := r.Holds(t.Context(), n)
	if err != nil || string(got) != want {
		t.Errorf("round %v: the phone holds %q of %d, %v, want %q", r.Key(), got, n, err, want)
	}
}

// A phone that never got an answer holds what it held before, whatever the
// answer said; and what the lost answer said is taken back.
func TestWhatAPhoneHoldsOneRoundBack(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p := w.phone("P", f)
	p.all()
	round := func(change func(r *syncengine.Round)) syncengine.Key {
		t.Helper()
		r := p.begin()
		change(r)
		r.Acknowledge()
		p.commit(r)
		return r.Key()
	}
	first := p.key
	p.key = round(func(r *syncengine.Round) { r.Hold(1, []byte("a1")); r.Hold(2, []byte("b1")) })
	before := p.key
	lost := round(func(r *syncengine.Round) {
		holds(t, r, 1, "a1")
		r.Hold(1, []byte("a2"))
		holds(t, r, 1, "a2")
		if err := r.Deleted(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		r.Hold(3, []byte("c2"))
	})
	p.key = lost
	r := p.begin()
	holds(t, r, 1, "a2")
	holds(t, r, 2, "")
	holds(t, r, 3, "c2")
	p.key = before
	p.key = round(func(r *syncengine.Round) {
		holds(t, r, 1, "a1")
		holds(t, r, 2, "b1")
		holds(t, r, 3, "")
	})
	r = p.begin()
	holds(t, r, 1, "a1")
	holds(t, r, 2, "b1")
	holds(t, r, 3, "")
	for _, old := range []syncengine.Key{first, lost} {
		if _, err := w.engine.Begin(t.Context(), p.id, f, old, w.session); err == nil {
			t.Errorf("the key %v is still good", old)
		}
	}
	p.key = syncengine.NoKey
	p.items = map[syncengine.Number]string{}
	p.key = round(func(*syncengine.Round) {})
	holds(t, p.begin(), 1, "")
}

// What was tried is known to whoever sends the same key again, after the
// commit too, and to nobody else.
func TestTried(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	p, q := w.phone("P", f), w.phone("Q", f)
	p.all()
	q.all()
	check := func(r *syncengine.Round, want map[string]string) {
		t.Helper()
		got, err := r.Tried(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]string{}
		for name, what := range got {
			have[name] = string(what)
		}
		if !maps.Equal(have, want) {
			t.Errorf("round %v: tried %v, want %v", r.Key(), have, want)
		}
	}
	try := func(r *syncengine.Round, name, what string) {
		t.Helper()
		if err := r.Try(t.Context(), map[string][]byte{name: []byte(what)}); err != nil {
			t.Fatal(err)
		}
	}
	r := p.begin()
	check(r, nil)
	try(r, "1", "a")
	w.restart() // the worker dies
	r = p.begin()
	check(r, map[string]string{"1": "a"})
	try(r, "+x", "b")
	r.Acknowledge()
	before := p.key
	p.commit(r)
	check(q.begin(), nil)
	p.key = before
	check(p.begin(), map[string]string{"1": "a", "+x": "b"}) // the answer is lost
	p.key = r.Key()
	r = p.begin()
	check(r, nil)
	try(r, "2", "c")
	p.key = before
	check(p.begin(), nil) // nobody can need it any more
}
