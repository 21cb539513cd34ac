package syncengine_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// begin opens a round with the phone's present key.
func (p *phone) begin() *syncengine.Round {
	p.w.t.Helper()
	r, err := p.w.engine.Begin(p.w.t.Context(), p.id, p.folder, p.key, p.w.session)
	if err != nil {
		p.fail("%v", err)
	}
	return r
}

// commit ends rounds of this phone; the key of the first is the phone's next.
func (p *phone) commit(rounds ...*syncengine.Round) {
	p.w.t.Helper()
	if err := p.w.engine.Commit(p.w.t.Context(), p.id, nil, nil, rounds...); err != nil {
		p.fail("%v", err)
	}
	p.key = rounds[0].Key()
}

// put puts an item that never ends into the backend.
func (w *world) put(c backend.CollectionID, id, text string) {
	w.backend.Store(user, c, backend.ItemID(id), body(syncengine.Forever, false, text))
}

func (p *phone) refused(key syncengine.Key, want error) {
	p.w.t.Helper()
	if _, err := p.w.engine.Begin(p.w.t.Context(), p.id, p.folder, key, nil); !errors.Is(err, want) {
		p.fail("key %q: %v, want %v", key, err, want)
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	p := w.phone("P", f)
	p.refused("x-1", syncengine.ErrInvalidKey)
	if _, err := w.engine.Pending(t.Context(), p.id, f.ID); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("pending for a phone that never synchronized: %v", err)
	}
	p.all()
	var keys []syncengine.Key
	for _, id := range []string{"a", "b", "c"} {
		keys = append(keys, p.key)
		w.put("notes", id, id)
		if pending, err := w.engine.Pending(t.Context(), p.id, f.ID); err != nil || pending {
			t.Errorf("pending before the mirror knows: %v, %v", pending, err)
		}
		w.refresh(f)
		if pending, err := w.engine.Pending(t.Context(), p.id, f.ID); err != nil || !pending {
			t.Errorf("pending: %v, %v", pending, err)
		}
		p.all()
		if len(p.key) > 64 || slices.Contains(keys, p.key) {
			t.Errorf("the key %q after %q", p.key, keys)
		}
	}
	p.check()
	p.quiet()
	for _, key := range append(keys[:2:2], "", "x", p.key+"0") {
		p.refused(key, syncengine.ErrInvalidKey)
	}
	other := w.phone("Q", f)
	other.refused(p.key, syncengine.ErrInvalidKey)
	p.refused(keys[2], nil)
	p.refused(p.key, nil)
	if err := w.engine.Forget(t.Context(), p.id, f.ID); err != nil {
		t.Fatal(err)
	}
	p.refused(p.key, syncengine.ErrInvalidKey)
}

func TestInitialRound(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.refresh(f)
	p := w.phone("P", f)
	r := p.begin()
	if !r.Initial || r.Repeated || !r.Dirty() || r.Key() == syncengine.NoKey {
		t.Errorf("the first round is %+v with key %v", r, r.Key())
	}
	if news, err := r.Peek(t.Context(), 10); err != nil || len(news) > 0 {
		t.Errorf("the first round has news %v, %v", news, err)
	}
	if more, err := r.More(t.Context()); err != nil || more {
		t.Errorf("the first round has more: %v, %v", more, err)
	}
	p.commit(r)
	p.all()
	p.check()
}

func TestNothingNewKeepsTheKey(t *testing.T) {
	w := newWorld(t)
	p := w.phone("P", w.folder("tasks"))
	w.put("tasks", "a", "a")
	p.filter = syncengine.Filter{Since: hour(1), Open: true}
	p.all()
	key := p.key
	for n := range int64(3) {
		p.filter.Since = hour(1 + n) // time goes on
		if r := p.begin(); r.Dirty() || r.Key() != key {
			t.Errorf("a round without anything is dirty, key %v", r.Key())
		}
		p.all()
	}
	if p.key != key {
		t.Errorf("the key moved from %v to %v", key, p.key)
	}
}

func TestSettingsRollBack(t *testing.T) {
	w := newWorld(t)
	p := w.phone("P", w.folder("notes"))
	set := func(want, to string, lost bool) {
		t.Helper()
		key := p.key
		r := p.begin()
		if string(r.Settings()) != want {
			t.Errorf("settings are %q, want %q", r.Settings(), want)
		}
		r.SetSettings([]byte(to))
		p.commit(r)
		if lost {
			p.key = key
		}
	}
	set("", "one", false)
	set("one", "two", true)
	set("one", "three", false)
	r := p.begin()
	r.SetSettings([]byte("three"))
	if r.Dirty() {
		t.Error("the same settings make the round dirty")
	}
	p.key = syncengine.NoKey
	set("", "four", false)
}

func TestSecondRequestLoses(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	p := w.phone("P", f)
	fast, slow := p.begin(), p.begin()
	p.commit(fast)
	if err := w.engine.Commit(t.Context(), p.id, nil, nil, slow); !errors.Is(err, syncengine.ErrKeyMoved) {
		t.Errorf("two first rounds: %v", err)
	}
	other := w.phone("P", w.folder("tasks"))
	first := other.begin()
	fast, slow = p.begin(), p.begin()
	fast.SetSettings([]byte("fast"))
	slow.SetSettings([]byte("slow"))
	quiet := p.begin()
	quiet.SetFilter(syncengine.Filter{Open: true})
	p.commit(fast)
	if err := w.engine.Commit(t.Context(), p.id, []byte("r"), []byte("a"), first, slow); !errors.Is(err, syncengine.ErrKeyMoved) {
		t.Errorf("the slower of two: %v", err)
	}
	other.refused(first.Key(), syncengine.ErrInvalidKey) // one transaction for all rounds
	if _, ok, err := w.engine.Replay(t.Context(), p.id, []byte("r")); ok || err != nil {
		t.Errorf("the answer that was not given is replayed: %v", err)
	}
	if err := w.engine.Commit(t.Context(), p.id, nil, nil, quiet); err != nil {
		t.Errorf("a round without news need not be first: %v", err)
	}
	if r := p.begin(); string(r.Settings()) != "fast" || r.Filter().Open {
		t.Errorf("settings %q, filter %+v", r.Settings(), r.Filter())
	}
}

func TestReplay(t *testing.T) {
	w := newWorld(t)
	p, q := w.phone("P", w.folder("notes")), w.phone("P", w.folder("tasks"))
	other := syncengine.Phone{User: user, Device: "Q"}
	replayed := func(id syncengine.Phone, request, want string) {
		t.Helper()
		got, ok, err := w.engine.Replay(t.Context(), id, []byte(request))
		if err != nil || ok != (want != "") || string(got) != want {
			t.Errorf("request %q is answered %q, %v, %v, want %q", request, got, ok, err, want)
		}
	}
	commit := func(request, answer string, rounds ...*syncengine.Round) {
		t.Helper()
		for _, r := range rounds {
			r.Acknowledge()
		}
		if err := w.engine.Commit(t.Context(), p.id, []byte(request), []byte(answer), rounds...); err != nil {
			t.Fatal(err)
		}
	}
	r, s := p.begin(), q.begin()
	commit("both", "answer to both", r, s)
	p.key, q.key = r.Key(), s.Key()
	w.restart()
	replayed(p.id, "both", "answer to both")
	replayed(p.id, "another", "")
	replayed(other, "both", "")
	r = p.begin()
	commit("one", "answer to one", r)
	p.key = r.Key()
	replayed(p.id, "one", "answer to one")
	replayed(p.id, "both", "") // one of its keys is not the present one
	r = p.begin()
	commit("large", strings.Repeat("x", syncengine.MaxAnswer+1), r)
	p.key = r.Key()
	replayed(p.id, "large", "")
	replayed(p.id, "one", "")
	r = p.begin()
	commit("last", "answer", r)
	if err := w.engine.Forget(t.Context(), p.id, p.folder.ID); err != nil {
		t.Fatal(err)
	}
	replayed(p.id, "last", "")
	commit("two", "answer", q.begin())
	replayed(p.id, "two", "answer")
	if err := w.engine.ForgetPhone(t.Context(), p.id); err != nil {
		t.Fatal(err)
	}
	replayed(p.id, "two", "")
	q.refused(q.key, syncengine.ErrInvalidKey)
}

func TestCommitGoesOnWhenThePhoneHangsUp(t *testing.T) {
	w := newWorld(t)
	p := w.phone("P", w.folder("notes"))
	r := p.begin()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.engine.Commit(ctx, p.id, nil, nil, r); err != nil {
		t.Fatal(err)
	}
	p.refused(r.Key(), nil)
}

func TestDamagedState(t *testing.T) {
	w := newWorld(t)
	p := w.phone("P", w.folder("notes"))
	w.put("notes", "a", "a")
	p.all()
	for _, state := range [][]byte{{}, {0}, {2, 1}, {1, 0xff}, {1, 5, '{'}, bytes.Repeat([]byte{1}, 100), append([]byte{1, 2, '{', '}'}, 0x3b, 0x30, 0xff, 0xff)} {
		err := w.store.Update(t.Context(), user, func(wr syncengine.Writer) error {
			return wr.SavePresent(t.Context(), p.id, p.folder.ID, syncengine.Present{Key: p.key, Unfinished: true, State: state})
		})
		if err != nil {
			t.Fatal(err)
		}
		p.refused(p.key, syncengine.ErrInvalidKey)
		if pending, err := w.engine.Pending(t.Context(), p.id, p.folder.ID); err != nil || !pending {
			t.Errorf("the phone is not sent to a Sync: %v, %v", pending, err)
		}
	}
	if _, err := p.sync(10, good); err != nil { // the phone is sent back to NoKey
		t.Fatal(err)
	}
	p.all()
	p.check()
}
