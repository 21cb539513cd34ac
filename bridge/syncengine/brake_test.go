package syncengine_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// wantLive checks how many items the mirror has.
func (w *world) wantLive(f syncengine.Folder, when string, want int) {
	w.t.Helper()
	if n := w.live(f); n != want {
		w.t.Errorf("%s: the mirror has %d items, want %d", when, n, want)
	}
}

// wantHeld checks what is held; 0 of 0 is nothing.
func (w *world) wantHeld(when string, items, of int) {
	w.t.Helper()
	held, err := w.engine.Held(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var got syncengine.Hold
	if len(held) > 0 {
		got = held[0]
	}
	if len(held) > 1 || got.Items != items || got.Of != of {
		w.t.Errorf("%s: held is %+v, want %d of %d", when, held, items, of)
	}
}

// wantEvents checks what was said of holds since the last time.
func (w *world) wantEvents(when string, want ...syncengine.HoldEvent) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if fmt.Sprint(w.braked) != fmt.Sprint(want) {
		w.t.Errorf("%s: it was said that holds %v, want %v", when, w.braked, want)
	}
	w.braked = nil
}

func TestBrake(t *testing.T) {
	for _, tc := range []struct {
		name      string
		expire    bool // so that the listing is a complete one
		had, lost int
		held      bool
	}{
		{"all of a few", false, 10, 10, false},
		{"all of a few, in a complete listing", true, 10, 10, false},
		{"one more than a few", false, 11, 11, true},
		{"many of very many", false, 100, 20, false},
		{"many of very many, in a complete listing", true, 100, 20, false},
		{"a share", false, 100, 21, true},
		{"a share, in a complete listing", true, 100, 21, true},
		{"fifteen contacts of twenty", false, 20, 15, true},
		{"all, in a complete listing", true, 60, 60, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("notes")
				w.fill("notes", tc.had)
				w.refresh(f)
				w.empty("notes", tc.lost)
				if tc.expire {
					w.backend.Expire(user, "notes")
				}
				w.refresh(f)
				if !tc.held {
					w.wantLive(f, "at once", tc.had-tc.lost)
					w.wantHeld("at once", 0, 0)
					w.wantEvents("at once")
					return
				}
				w.wantLive(f, "at once", tc.had)
				w.wantHeld("at once", tc.lost, tc.had)
				w.wantEvents("at once", syncengine.HoldBegan)

				w.put("notes", "new", "new")
				time.Sleep(syncengine.DefaultPause - time.Second)
				w.refresh(f)
				w.wantLive(f, "with something new", tc.had+1)
				w.wantEvents("with something new")

				time.Sleep(time.Second)
				if !w.refresh(f) {
					t.Error("a confirmed removal is no change")
				}
				w.wantLive(f, "after the pause", tc.had-tc.lost+1)
				w.wantHeld("after the pause", 0, 0)
				w.wantEvents("after the pause", syncengine.HoldConfirmed)

				w.put("notes", "newer", "newer")
				w.refresh(f)
				w.wantLive(f, "afterwards", tc.had-tc.lost+2)
			})
		})
	}
}

// TestBrakeSettings has another share, count and pause than usual.
func TestBrakeSettings(t *testing.T) {
	for _, tc := range []struct {
		name      string
		brake     syncengine.Brake
		had, lost int
		held      bool
	}{
		{"a lower count", syncengine.Brake{Count: 2}, 10, 3, true},
		{"a higher share", syncengine.Brake{Share: 90}, 100, 80, false},
		{"no brake at all", syncengine.Brake{Share: 100}, 100, 100, false},
		{"a longer pause", syncengine.Brake{Pause: time.Hour}, 100, 100, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.brake = tc.brake
				w.restart()
				f := w.folder("notes")
				w.fill("notes", tc.had)
				w.refresh(f)
				w.empty("notes", tc.lost)
				w.refresh(f)
				if !tc.held {
					w.wantLive(f, "at once", tc.had-tc.lost)
					return
				}
				w.wantLive(f, "at once", tc.had)
				pause := tc.brake.Pause
				if pause == 0 {
					pause = syncengine.DefaultPause
				}
				held, err := w.engine.Held(t.Context())
				if err != nil || len(held) != 1 || held[0].Until.Sub(held[0].Since) != pause {
					t.Errorf("held is %+v, %v, want it to last %v", held, err, pause)
				}
				time.Sleep(pause - time.Second)
				w.refresh(f)
				w.wantLive(f, "in the pause", tc.had)
				time.Sleep(time.Second)
				w.refresh(f)
				w.wantLive(f, "after the pause", tc.had-tc.lost)
			})
		})
	}
}

// TestHoldAndTheRest goes on with everything else while items are held.
func TestHoldAndTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		p := w.phone("P", f)
		w.fill("notes", 40)
		p.all()
		w.empty("notes", 20)
		p.all()
		if len(p.items) != 40 {
			t.Fatalf("the phone has %d items left", len(p.items))
		}
		for i := 20; i < 32; i++ { // a person goes on deleting, one by one
			w.gone.Store(backend.ItemID(fmt.Sprint(i)), true)
			w.backend.Remove(user, "notes", backend.ItemID(fmt.Sprint(i)))
			p.all()
			if want := 40 - (i - 19); len(p.items) != want {
				t.Fatalf("after single deletions the phone has %d items, want %d", len(p.items), want)
			}
		}
		w.put("notes", "39", "changed")
		w.put("notes", "new", "new")
		p.todo = append(p.todo, command{op: syncengine.Add, clientID: "1", body: string(body(syncengine.Forever, false, "mine"))})
		p.all()
		w.wantHeld("meanwhile", 20, 40)
		if len(p.items) != 30 {
			t.Errorf("the phone has %d items, want 30", len(p.items))
		}
		p.quiet()
		time.Sleep(syncengine.DefaultPause)
		p.all()
		p.check()
		p.quiet()
	})
}

// TestHoldIsRightAboutWhatComesBack lets a backend lose items and find them.
func TestHoldIsRightAboutWhatComesBack(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full %v", full), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("notes")
				w.fill("notes", 40)
				w.refresh(f)
				w.empty("notes", 30)
				w.refresh(f)
				w.wantHeld("at first", 30, 40)

				time.Sleep(syncengine.DefaultPause / 2)
				w.fill("notes", 5)
				if full {
					w.backend.Expire(user, "notes")
				}
				w.refresh(f)
				w.wantHeld("when five are back", 25, 40)

				time.Sleep(syncengine.DefaultPause / 2)
				w.refresh(f)
				w.wantLive(f, "less than a pause after that", 40)

				w.fill("notes", 30)
				if full {
					w.backend.Expire(user, "notes")
				}
				if w.refresh(f); w.live(f) != 40 {
					t.Error("something was lost")
				}
				w.wantHeld("when all are back", 0, 0)
				w.wantEvents("when all are back", syncengine.HoldBegan, syncengine.HoldDissolved)
			})
		})
	}
}

// TestHoldGrows loses more when some is held already.
func TestHoldGrows(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full %v", full), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("notes")
				w.fill("notes", 100)
				w.refresh(f)
				w.empty("notes", 40)
				w.refresh(f)
				w.wantHeld("at first", 40, 100)

				time.Sleep(syncengine.DefaultPause - time.Second)
				w.empty("notes", 80)
				if full {
					w.backend.Expire(user, "notes")
				}
				w.refresh(f)
				w.wantHeld("when twice as many are missing", 80, 100)
				time.Sleep(time.Second)
				w.refresh(f)
				w.wantLive(f, "a pause after the first", 100)
				time.Sleep(syncengine.DefaultPause)
				w.refresh(f)
				w.wantLive(f, "a pause after the second", 20)
				w.wantEvents("in the end", syncengine.HoldBegan, syncengine.HoldBegan, syncengine.HoldConfirmed)
			})
		})
	}
}

// TestConfirmationMissesMore ends one hold and begins another.
func TestConfirmationMissesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		w.fill("notes", 100)
		w.refresh(f)
		w.empty("notes", 40)
		w.refresh(f)
		time.Sleep(syncengine.DefaultPause)
		w.empty("notes", 80)
		w.refresh(f)
		w.wantLive(f, "after the first pause", 60)
		w.wantHeld("after the first pause", 40, 100)
		w.wantEvents("after the first pause", syncengine.HoldBegan, syncengine.HoldConfirmed, syncengine.HoldBegan)
		time.Sleep(syncengine.DefaultPause)
		w.refresh(f)
		w.wantLive(f, "after the second pause", 20)
	})
}

// TestPhonesDeletionsAreNeverHeld deletes nearly everything from a phone.
func TestPhonesDeletionsAreNeverHeld(t *testing.T) {
	w := newWorld(t)
	f := w.folder("notes")
	p := w.phone("P", f)
	w.fill("notes", 40)
	p.all()
	for n := range p.items {
		if len(p.todo) < 30 {
			p.todo = append(p.todo, command{op: syncengine.Delete, number: n})
			delete(p.items, n)
		}
	}
	p.all()
	w.wantLive(f, "after the phone's deletions", 10)
	w.wantHeld("after the phone's deletions", 0, 0)
	p.check()
}

func TestRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		p := w.phone("P", f)
		w.fill("notes", 40)
		p.all()
		if err := w.engine.Release(t.Context(), user, f.ID); !errors.Is(err, syncengine.ErrNoHold) {
			t.Errorf("releasing what is not held: %v", err)
		}
		if err := w.engine.Release(t.Context(), "bob", f.ID); !errors.Is(err, syncengine.ErrNoFolder) {
			t.Errorf("releasing what is another's: %v", err)
		}
		w.empty("notes", 30)
		p.all()
		w.woken = nil
		if err := w.engine.Release(t.Context(), user, f.ID); err != nil {
			t.Fatal(err)
		}
		if len(w.woken) != 1 || w.woken[0] != f.ID {
			t.Errorf("woken are those who wait for %v", w.woken)
		}
		w.wantLive(f, "at once", 10)
		w.wantHeld("at once", 0, 0)
		w.wantEvents("at once", syncengine.HoldBegan, syncengine.HoldReleased)
		p.all()
		p.check()
		time.Sleep(syncengine.DefaultPause)
		p.all()
		p.check()
	})
}

// TestHeldUntil says when to look again.
func TestHeldUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		w.fill("notes", 40)
		w.refresh(f)
		if _, held, err := w.engine.HeldUntil(t.Context(), f.ID); held || err != nil {
			t.Errorf("something is held before anything happened: %v", err)
		}
		w.empty("notes", 30)
		w.refresh(f)
		until, held, err := w.engine.HeldUntil(t.Context(), f.ID)
		if err != nil || !held || time.Until(until) != syncengine.DefaultPause {
			t.Errorf("held is %v for %v, %v", held, time.Until(until), err)
		}
		time.Sleep(syncengine.DefaultPause)
		w.refresh(f)
		if _, held, err := w.engine.HeldUntil(t.Context(), f.ID); held || err != nil {
			t.Errorf("something is held in the end: %v", err)
		}
	})
}

// TestHoldWhileTheClockIsPutBack begins a hold when the clock is a year ahead.
func TestHoldWhileTheClockIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.folder("notes")
		w.fill("notes", 40)
		w.refresh(f)
		w.empty("notes", 30)
		w.refresh(f)
		err := w.store.Update(t.Context(), user, func(wr syncengine.Writer) error {
			m, err := wr.Mirror(t.Context(), f.ID)
			if err != nil {
				return err
			}
			m.Doubt += 365 * 24 * 3600
			return wr.SaveMirror(t.Context(), f.ID, m)
		})
		if err != nil {
			t.Fatal(err)
		}
		if until, held, err := w.engine.HeldUntil(t.Context(), f.ID); err != nil || !held || time.Until(until) > syncengine.DefaultPause {
			t.Errorf("held is %v for %v, %v", held, time.Until(until), err)
		}
		w.refresh(f)
		w.wantLive(f, "at once", 40)
		time.Sleep(syncengine.DefaultPause)
		w.refresh(f)
		w.wantLive(f, "after the pause", 10)
	})
}

func TestResync(t *testing.T) {
	w := newWorld(t)
	f, other := w.folder("notes"), w.folder("tasks")
	p, q, second := w.phone("P", f), w.phone("Q", f), w.phone("P", other)
	w.fill("notes", 20)
	w.fill("tasks", 3)
	for _, p := range []*phone{p, q, second} {
		p.all()
	}
	hierarchy, err := w.engine.Hierarchy(t.Context(), p.id, syncengine.NoKey)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(p.items)

	w.woken = nil
	if err := w.engine.Resync(t.Context(), p.id, f.ID); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(w.woken) != fmt.Sprint([]syncengine.FolderID{f.ID}) {
		t.Errorf("woken are those who wait for %v", w.woken)
	}
	if _, err := w.engine.Begin(t.Context(), p.id, f, p.key, w.session); !errors.Is(err, syncengine.ErrInvalidKey) {
		t.Errorf("the phone's key is still taken: %v", err)
	}
	if _, err := w.engine.Pending(t.Context(), p.id, f.ID); !errors.Is(err, syncengine.ErrUnknown) {
		t.Errorf("a waiting phone is not sent to synchronize: %v", err)
	}
	p.all()
	if after := fmt.Sprint(p.items); after != before {
		t.Errorf("the phone has %s, before it had %s", after, before)
	}
	for _, p := range []*phone{q, second} {
		if _, err := w.engine.Begin(t.Context(), p.id, p.folder, p.key, w.session); err != nil {
			t.Errorf("phone %s has to load folder %v again: %v", p.id.Device, p.folder.ID, err)
		}
	}

	w.woken = nil
	if err := w.engine.Resync(t.Context(), p.id, 0); err != nil {
		t.Fatal(err)
	}
	if len(w.woken) < 3 || w.woken[0] != 0 {
		t.Errorf("woken are those who wait for %v", w.woken)
	}
	if _, err := w.engine.Hierarchy(t.Context(), p.id, hierarchy.Key); !errors.Is(err, syncengine.ErrInvalidKey) {
		t.Errorf("the phone's key for folders is still taken: %v", err)
	}
	if _, err := w.engine.Begin(t.Context(), p.id, other, second.key, w.session); !errors.Is(err, syncengine.ErrInvalidKey) {
		t.Errorf("the phone's key for another folder is still taken: %v", err)
	}
	if _, err := w.engine.Begin(t.Context(), q.id, f, q.key, w.session); err != nil {
		t.Errorf("another phone has to load everything again: %v", err)
	}
	if err := w.engine.Resync(t.Context(), syncengine.Phone{User: "bob", Device: "B"}, f.ID); !errors.Is(err, syncengine.ErrNoFolder) {
		t.Errorf("resync of somebody else's folder: %v", err)
	}
}
