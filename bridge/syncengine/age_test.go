package syncengine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// aging runs a test on a folder with three items, of which one is another every
// ten minutes and one every hour.
func aging(t *testing.T, name string, test func(t *testing.T, w *world, f syncengine.Folder)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for id, text := range map[backend.ItemID]string{"plain": "plain", "ten": "every 600", "sixty": "every 3600"} {
				w.backend.Store(user, "tasks", id, body(syncengine.Forever, false, text))
			}
			test(t, w, w.folder("tasks"))
		})
	})
}

// pending tells whether something waits for a phone.
func (p *phone) pending() bool {
	p.w.t.Helper()
	yes, err := p.w.engine.Pending(p.w.t.Context(), p.id, p.folder.ID)
	if err != nil {
		p.fail("%v", err)
	}
	return yes
}

// once syncs once and answers what is told.
func (p *phone) once() []told {
	p.w.t.Helper()
	a, err := p.serve(p.w.t.Context(), 100, good)
	if err != nil {
		p.fail("%v", err)
	}
	p.key, p.todo = a.key, nil
	for _, n := range a.told {
		p.take(n)
	}
	return a.told
}

// wantDue compares what DueAt answers: in so many minutes, or never.
func (w *world) wantDue(f syncengine.Folder, when string, minutes int) {
	w.t.Helper()
	at, ok, err := w.engine.DueAt(w.t.Context(), f.ID)
	if got := int(time.Until(at) / time.Minute); err != nil || ok != (minutes >= 0) || ok && got != minutes {
		w.t.Errorf("%s: due is %v in %d minutes, %v, want in %d", when, ok, got, err, minutes)
	}
}

// Time makes a Change of what is due, for each phone once, and of nothing else.
func TestItemsAge(t *testing.T) {
	for name, filter := range map[string]syncengine.Filter{"all": {}, "open ones": {Open: true}, "late ones": {Since: hour(0)}} {
		aging(t, name, func(t *testing.T, w *world, f syncengine.Folder) {
			p, q, away := w.phone("P", f), w.phone("Q", f), w.phone("R", f)
			phones := []*phone{p, q, away}
			w.wantDue(f, "before anybody looks", -1)
			for _, p := range phones {
				p.filter = filter
				p.all()
			}
			w.wantDue(f, "at first", 10)
			for n := 1; n <= 12; n++ {
				time.Sleep(10*time.Minute - time.Second)
				if w.refresh(f) || p.pending() {
					t.Errorf("something is new before its time")
				}
				time.Sleep(time.Second)
				if p.pending() {
					t.Errorf("somebody refreshed")
				}
				if !w.refresh(f) || !p.pending() || !q.pending() {
					t.Errorf("nothing is new after %d times ten minutes", n)
				}
				if w.refresh(f) {
					t.Errorf("it is new once more")
				}
				for _, p := range phones[:2] {
					want := 1
					if n%6 == 0 {
						want = 2
					}
					if got := p.once(); len(got) != want || got[0].Op != syncengine.Change {
						t.Errorf("after %d times ten minutes told %v, want %d changes", n, got, want)
					}
					p.check()
					p.quiet()
				}
				w.wantDue(f, fmt.Sprintf("after %d times", n), 10)
			}
			away.all() // two hours later
			away.check()
			away.quiet()
			w.backend.Remove(user, "tasks", "ten")
			w.gone.Store(backend.ItemID("ten"), true)
			w.refresh(f)
			w.wantDue(f, "without one of them", 60)
			w.backend.Store(user, "tasks", "sixty", body(syncengine.Forever, false, "plain, too"))
			w.refresh(f)
			w.wantDue(f, "with none", -1)
		})
	}
}

// An answer that is lost, and a worker that dies on both sides of the moment,
// leave nobody with what is over.
func TestItemsAgeWhileAnswersAreLost(t *testing.T) {
	for _, how := range []fate{answerLost, crashBefore} {
		for _, late := range []bool{false, true} {
			aging(t, fmt.Sprintf("fate %d, late %v", how, late), func(t *testing.T, w *world, f syncengine.Folder) {
				p, q := w.phone("P", f), w.phone("Q", f)
				p.sync(100, good)
				p.sync(100, how) // the first items never arrive
				if late {
					q.all()
				}
				time.Sleep(10 * time.Minute)
				w.restart()
				w.refresh(f)
				w.restart()
				p.sync(100, how)
				time.Sleep(10 * time.Minute)
				for _, p := range []*phone{p, q} {
					p.all()
					p.check()
					p.quiet()
				}
				time.Sleep(10 * time.Minute)
				w.refresh(f)
				if !p.pending() || !q.pending() {
					t.Errorf("fate %d, late %v: nothing is new to one of the phones", how, late)
				}
			})
		}
	}
}

// That an item is another now is no edit of somebody else's: the phone's own is
// not refused because of it, and what the phone made is told when it ages.
func TestAgeIsNoConflict(t *testing.T) {
	aging(t, "one folder", func(t *testing.T, w *world, f syncengine.Folder) {
		p, q := w.phone("P", f), w.phone("Q", f)
		p.all()
		q.all()
		number := func(id backend.ItemID) syncengine.Number {
			items, err := w.store.ItemsNamed(t.Context(), f.ID, []backend.ItemID{id})
			if err != nil || len(items) != 1 {
				t.Fatal(items, err)
			}
			return items[0].Number
		}
		time.Sleep(10 * time.Minute)
		w.refresh(f)
		n := number("ten")
		p.items[n] = string(body(syncengine.Forever, false, "mine"))
		p.todo = append(p.todo, command{op: syncengine.Change, number: n, body: p.items[n]})
		a, err := p.serve(t.Context(), 100, good)
		if err != nil || len(a.refused) > 0 {
			t.Fatalf("the edit of an item that was due is answered with %+v, %v", a, err)
		}
		if got := string(w.backend.Items(user, "tasks")["ten"]); got != p.items[n] {
			t.Errorf("stored is %q", got)
		}
		p.key, p.todo = a.key, nil
		for _, n := range a.told {
			p.take(n)
		}
		p.once()
		p.check()
		p.quiet()

		// Its own item ages before it asks for changes again.
		r, err := w.engine.Begin(t.Context(), p.id, f, p.key, w.session)
		if err != nil {
			t.Fatal(err)
		}
		own := command{op: syncengine.Add, clientID: "c", body: string(body(syncengine.Forever, false, "every 600"))}
		if err := p.execute(t.Context(), r, own, &a); err != nil {
			t.Fatal(err)
		}
		if err := w.engine.Commit(t.Context(), p.id, []byte("add"), nil, r); err != nil {
			t.Fatal(err)
		}
		p.key, p.items[a.added["c"]] = r.Key(), own.body
		time.Sleep(10 * time.Minute)
		w.refresh(f)
		if !p.pending() {
			t.Error("the phone's own item is another now, and it is not told")
		}
		p.all()
		p.check()
		p.quiet()
	})
}

// Phones that were told by a program which knew of no age hear of it, each once.
// What cannot be read just now keeps nobody from the rest.
func TestItemsThatNobodyKnewToAge(t *testing.T) {
	aging(t, "one folder", func(t *testing.T, w *world, f syncengine.Folder) {
		w.ageless = true
		w.restart()
		p, never := w.phone("P", f), w.phone("Q", f)
		p.all()
		never.sync(100, good)
		time.Sleep(25 * time.Hour)
		w.ageless = false
		w.restart()
		w.backend.Fail(memory.Failure{Op: memory.OpGet, Err: backend.Errorf(backend.Transient, "test", "not now"), Item: "sixty", Times: 1})
		if !w.refresh(f) {
			t.Error("nothing is new")
		}
		p.all()
		w.refresh(f)
		p.all()
		p.check()
		p.quiet()
		if w.refresh(f) {
			t.Error("it is new once more")
		}
		w.wantDue(f, "in the end", 10)
		never.all()
		never.check()
	})
}
