package syncengine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

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

func TestRefusedEditIsToldAgain(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	w.put("notes", "b", "b")
	p, q := w.phone("P", f), w.phone("Q", f)
	p.all()
	q.all()
	r := p.begin()
	p.items[1] = "9 false what the server does not want"
	delete(p.items, 2) // the same
	for n, held := range map[syncengine.Number]bool{1: true, 2: false} {
		if err := r.Again(t.Context(), n, held); err != nil {
			t.Fatal(err)
		}
	}
	if !r.Dirty() {
		t.Error("the round is not dirty")
	}
	p.commit(r)
	p.all()
	p.check()
	p.quiet()
	q.all()
	q.check()
	w.backend.Remove(user, "notes", "a")
	w.refresh(f)
	if row, err := w.engine.Item(t.Context(), f, 2); err != nil || row.ID != "b" || row.Revision == "" {
		t.Errorf("row %+v, %v", row, err)
	}
	for _, n := range []syncengine.Number{1, 99} {
		if row, err := w.engine.Item(t.Context(), f, n); !errors.Is(err, syncengine.ErrNoItem) {
			t.Errorf("row %+v, %v", row, err)
		}
	}
}

func TestNewsOfARefreshDuringTheRound(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	p := w.phone("P", f)
	p.all()
	r := p.begin()
	peek := func(want int) {
		t.Helper()
		if news, err := r.Peek(t.Context(), 10); err != nil || len(news) != want {
			t.Errorf("news %v, %v, want %d", news, err, want)
		}
	}
	peek(0)
	w.put("notes", "b", "b")
	w.refresh(f)
	peek(0) // this round's horizon
	if w.refresh(f) {
		t.Error("the second refresh, which is another phone's, finds something")
	}
	if err := r.LookAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
	peek(1)
}

// A phone that hangs up may hear of a refusal all the same, in a later answer.
func TestAgainWhileThePhoneHangsUp(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	w.put("notes", "a", "a")
	p := w.phone("P", f)
	p.all()
	r := p.begin()
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	if err := r.Again(ctx, 1, true); err != nil {
		t.Fatal(err)
	}
	if news, err := r.Peek(t.Context(), 10); err != nil || len(news) != 1 {
		t.Errorf("news %v, %v, want the item", news, err)
	}
}

func TestServerIDs(t *testing.T) {
	for _, tc := range []struct {
		text   string
		folder syncengine.FolderID
		number syncengine.Number
		ok     bool
	}{
		{"5:123", 5, 123, true},
		{"9223372036854775807:4294967295", 1<<63 - 1, 1<<32 - 1, true},
		{"5", 0, 0, false},
		{"5:", 0, 0, false},
		{":5", 0, 0, false},
		{"5:0", 0, 0, false},
		{"0:5", 0, 0, false},
		{"-5:5", 0, 0, false},
		{"5:4294967296", 0, 0, false},
		{"5:1:2", 0, 0, false},
		{"", 0, 0, false},
	} {
		f, n, err := syncengine.ParseServerID(tc.text)
		if f != tc.folder || n != tc.number || (err == nil) != tc.ok || !tc.ok && !errors.Is(err, syncengine.ErrNoItem) {
			t.Errorf("%q is %v and %v, %v", tc.text, f, n, err)
		}
		if tc.ok && syncengine.ServerID(f, n) != tc.text {
			t.Errorf("%q is written %q", tc.text, syncengine.ServerID(f, n))
		}
	}
}

// Two phones write to one item within the time that the first needs to note what
// it wrote. Its late word does not stand for what the second one did.
func TestLateWordOfAnOlderRevision(t *testing.T) {
	for name, second := range map[string]command{
		"a change":   {op: syncengine.Change, body: string(body(syncengine.Forever, false, "second"))},
		"a deletion": {op: syncengine.Delete},
	} {
		for _, first := range []syncengine.Op{syncengine.Add, syncengine.Change} {
			t.Run(fmt.Sprintf("%s after operation %d", name, first), func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("tasks")
				w.backend.Store(user, "tasks", "there", body(syncengine.Forever, false, "zero"))
				p, q := w.phone("P", f), w.phone("Q", f)
				p.all()
				q.all()
				r, err := w.engine.Begin(t.Context(), p.id, f, p.key, w.session)
				if err != nil {
					t.Fatal(err)
				}
				it := backend.Item{ID: "there", Body: body(syncengine.Forever, false, "first")}
				if first == syncengine.Add {
					it.ID = backend.ItemID(r.NextName("c"))
				} else {
					n := slices.Collect(maps.Keys(p.items))[0]
					row, _, err := r.Lookup(t.Context(), n)
					if err != nil {
						t.Fatal(err)
					}
					it.Revision = row.Revision
				}
				stored, err := w.session.Put(t.Context(), "tasks", it)
				if err != nil {
					t.Fatal(err)
				}
				q.all()
				for n, text := range q.items {
					if text == string(it.Body) {
						second.number = n
					}
				}
				q.todo = append(q.todo, second)
				if second.op == syncengine.Change {
					q.items[second.number] = second.body
				} else {
					delete(q.items, second.number)
				}
				q.all()
				w.refresh(f) // the backend has told everything

				n := second.number
				if first == syncengine.Add {
					n, err = r.Added(t.Context(), "c", stored)
				} else {
					err = r.Changed(t.Context(), n, stored.Revision)
				}
				if err == nil {
					err = w.engine.Commit(t.Context(), p.id, []byte("first"), nil, r)
				}
				if err != nil {
					t.Fatal(err)
				}
				p.key, p.items[n] = r.Key(), string(it.Body)
				for _, p := range []*phone{p, q} {
					p.all()
					p.check()
					p.quiet()
				}
			})
		}
	}
}
