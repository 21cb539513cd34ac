package syncengine_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
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

func TestNextName(t *testing.T) {
	w := newWorld(t)
	p, q := w.phone("P", w.folder("notes")), w.phone("Q", w.folder("notes"))
	p.all()
	q.all()
	names := map[string]string{}
	take := func(what string, r *syncengine.Round, clientID string) string {
		name := r.NextName(clientID)
		if len(name) < 1 || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s: %q cannot name an item", what, name)
		}
		if names[name] != "" {
			t.Errorf("%s has the name of %s", what, names[name])
		}
		names[name] = what
		return name
	}
	name := take("P 1", p.begin(), "1")
	take("P 2", p.begin(), "2")
	take("Q 1", q.begin(), "1")
	w.restart()
	if again := p.begin().NextName("1"); again != name {
		t.Errorf("a repeated Add would be called %q, not %q", again, name)
	}
	r := p.begin()
	r.SetSettings([]byte("x"))
	p.commit(r)
	take("P 1 a round later", p.begin(), "1")
}

func TestOwnCommandsAreNoNews(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p, q := w.phone("P", f), w.phone("Q", f)
	p.all()
	q.all()
	w.woken = nil
	p.todo = []command{{op: syncengine.Add, clientID: "1", body: "9 false mine"}, {op: syncengine.Change, number: 1, body: "9 false a2"}, {op: syncengine.Delete, number: 2}}
	p.items[1] = "9 false a2"
	delete(p.items, 2)
	key := p.key
	p.all()
	p.check()
	p.quiet()
	if p.key == key {
		t.Error("commands were answered without a new key")
	}
	if !slices.Contains(w.woken, f.ID) {
		t.Error("nobody else was woken")
	}
	if pending, err := w.engine.Pending(t.Context(), q.id, f.ID); err != nil || !pending {
		t.Errorf("the other phone has something pending: %v, %v", pending, err)
	}
	log := len(p.log)
	w.refresh(f)
	p.all()
	for _, line := range p.log[log:] {
		if strings.Contains(line, "add ") || strings.Contains(line, "change ") {
			t.Errorf("the phone was told of its own doing: %s", line)
		}
	}
	q.all()
	q.check()
	if q.items[1] != "9 false a2" {
		t.Errorf("the other phone has %q", q.items[1])
	}
	w.put("notes", "a", "somebody else's") // and that is news to both
	p.all()
	p.check()
}

func TestConflict(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	p := w.phone("P", f)
	p.all()
	look := func(want error, conflict bool, told string) {
		t.Helper()
		row, got, err := p.begin().Lookup(t.Context(), 1)
		if !errors.Is(err, want) || got != conflict || string(row.Told) != told {
			t.Errorf("row %+v, conflict %v, %v; want %v, %v, told %q", row, got, err, conflict, want, told)
		}
	}
	row, conflict, err := p.begin().Lookup(t.Context(), 1)
	if err != nil || conflict || row.ID != "a" || row.Revision == "" || row.Told != row.Revision {
		t.Errorf("row %+v, conflict %v, %v", row, conflict, err)
	}
	if _, _, err := p.begin().Lookup(t.Context(), 99); !errors.Is(err, syncengine.ErrNoItem) {
		t.Errorf("an item that never was: %v", err)
	}
	w.put("notes", "a", "a2")
	w.refresh(f)
	look(nil, true, "")
	w.backend.Remove(user, "notes", "a")
	w.refresh(f)
	if row, _, err := p.begin().Lookup(t.Context(), 1); !errors.Is(err, syncengine.ErrNoItem) || !row.Removed {
		t.Errorf("a removed item: %+v, %v", row, err)
	}
	q := w.phone("Q", f)
	w.put("notes", "b", "b")
	if _, err := q.sync(10, good); err != nil { // it has a key, and no items
		t.Fatal(err)
	}
	if _, _, err := q.begin().Lookup(t.Context(), 2); !errors.Is(err, syncengine.ErrNoItem) {
		t.Errorf("an item that the phone was not told of: %v", err)
	}
}

func TestLostAnswerToCommands(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p := w.phone("P", f)
	p.all()
	p.todo = []command{{op: syncengine.Add, clientID: "1", body: "9 false mine"}, {op: syncengine.Change, number: 1, body: "9 false a2"}, {op: syncengine.Delete, number: 2}}
	p.items[1] = "9 false a2"
	delete(p.items, 2)
	for _, how := range []fate{crashBefore, answerLost, answerLost, crashBefore, answerLost} {
		if _, err := p.sync(10, how); err != nil && !errors.Is(err, errFate) {
			t.Fatal(err)
		}
	}
	r := p.begin()
	if !r.Repeated {
		t.Error("the round is not known to be repeated")
	}
	if _, conflict, err := r.Lookup(t.Context(), 1); err != nil || conflict {
		t.Errorf("the phone's own change is a conflict: %v, %v", conflict, err)
	}
	if _, ok := r.Earlier("2"); ok {
		t.Error("another ClientId is known")
	}
	p.all()
	p.check()
	if n := len(w.backend.Items(user, "notes")); n != 2 {
		t.Errorf("there are %d items, 2 were made", n)
	}
	if r := p.begin(); r.Repeated {
		t.Error("the next round is said to be repeated")
	} else if _, ok := r.Earlier("1"); ok {
		t.Error("the ClientId of an earlier round is known")
	}
}

func TestAddThatWasEditedBeforeTheRetry(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	p := w.phone("P", f)
	p.all()
	p.todo = []command{{op: syncengine.Add, clientID: "1", body: "9 false mine"}}
	for _, how := range []fate{crashBefore, answerLost, good} {
		for id := range w.backend.Items(user, "notes") {
			w.put("notes", string(id), "edited")
		}
		if _, err := p.sync(10, how); err != nil && !errors.Is(err, errFate) {
			t.Fatal(err)
		}
	}
	p.all()
	p.check()
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
