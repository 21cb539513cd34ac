package syncengine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An attic is a server whose items are there or not, always in one revision, as
// on a disk that is mounted again.
type attic struct {
	there  map[backend.ItemID]bool
	log    []backend.Change // what a listing since a cursor says; nil: all that is there
	asked  func()           // called while a listing is under way
	cursor int
}

func newAttic(count int) *attic {
	s := &attic{there: map[backend.ItemID]bool{}}
	s.set(count, true)
	return s
}

func (s *attic) set(count int, there bool) {
	for n := range count {
		s.there[backend.ItemID(fmt.Sprint(n))] = there
	}
}

func (s *attic) Changes(_ context.Context, _ backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	s.cursor++
	cursor := backend.Cursor(fmt.Sprint(s.cursor))
	log := s.log
	if since == "" || log == nil {
		if since != "" {
			return "", backend.Errorf(backend.Expired, "attic", "no")
		}
		log = nil
		for id, there := range s.there {
			if there {
				log = append(log, backend.Change{ID: id, Revision: "r"})
			}
		}
	}
	if s.asked != nil {
		s.asked()
	}
	for _, c := range log {
		if err := yield([]backend.Change{c}); err != nil {
			return "", err
		}
	}
	return cursor, nil
}

func (s *attic) Get(_ context.Context, _ backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	for _, id := range ids {
		if s.there[id] {
			if err := yield(backend.Fetched{Item: backend.Item{ID: id, Revision: "r", Body: []byte("text")}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// visit is a whole synchronization of a phone; it answers the phone's key and
// what it was told.
func (w *world) visit(p syncengine.Phone, f syncengine.Folder, key syncengine.Key, s *attic) (syncengine.Key, map[syncengine.Op]int) {
	w.t.Helper()
	told := map[syncengine.Op]int{}
	for {
		r, err := w.engine.Begin(w.t.Context(), p, f, key, s)
		if err != nil {
			w.t.Fatal(err)
		}
		news, err := r.Peek(w.t.Context(), 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, n := range news {
			if (n.Op == syncengine.Add || n.Op == syncengine.Change) && !s.there[n.ID] {
				r.Missed(n)
				continue
			}
			r.Told(n, n.Revision)
			told[n.Op]++
		}
		if err := w.engine.Commit(w.t.Context(), p, nil, nil, r); err != nil {
			w.t.Fatal(err)
		}
		if key = r.Key(); len(news) == 0 && !r.Initial {
			return key, told
		}
	}
}

// TestPhonesThatComeWhileItemsAreHeld get what comes back, as it was.
func TestPhonesThatComeWhileItemsAreHeld(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("held late %v", late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("notes")
				s := newAttic(40)
				refresh := func() bool {
					t.Helper()
					changed, err := w.engine.Refresh(t.Context(), f, s)
					if err != nil {
						t.Fatal(err)
					}
					return changed
				}
				refresh()
				old, fresh := syncengine.Phone{User: user, Device: "old"}, syncengine.Phone{User: user, Device: "new"}
				oldKey, told := w.visit(old, f, syncengine.NoKey, s)
				if told[syncengine.Add] != 40 {
					t.Fatalf("the old phone was told %v", told)
				}
				s.set(30, false)
				var key syncengine.Key
				if !late {
					refresh()
				}
				if key, told = w.visit(fresh, f, syncengine.NoKey, s); told[syncengine.Add] != 10 {
					t.Fatalf("the new phone was told %v while items are held", told)
				}
				refresh()
				w.wantHeld("meanwhile", 30, 40)
				s.set(30, true)
				if !refresh() {
					t.Error("nobody is woken for what is back")
				}
				w.wantHeld("when all are back", 0, 0)
				if _, told = w.visit(fresh, f, key, s); told[syncengine.Add] != 30 || len(told) != 1 {
					t.Errorf("the new phone was told %v of what is back, want 30 to add", told)
				}
				if _, told = w.visit(old, f, oldKey, s); told[syncengine.Add]+told[syncengine.Delete] != 0 {
					t.Errorf("the old phone was told %v", told)
				}
				for range 3 {
					if refresh() {
						t.Error("what is back is back once")
					}
				}
			})
		})
	}
}

// TestNothingIsHeldForEver ends holds with what servers and phones may do at
// the last moment.
func TestNothingIsHeldForEver(t *testing.T) {
	for _, tc := range []struct {
		name string
		last func(w *world, f syncengine.Folder, s *attic)
		left int
	}{
		{"all come and go", func(_ *world, _ syncengine.Folder, s *attic) {
			for n := range 30 {
				id := backend.ItemID(fmt.Sprint(n))
				rev := backend.Revision("r")
				if n%2 == 0 {
					rev = "other"
				}
				s.log = append(s.log, backend.Change{ID: id, Revision: rev}, backend.Change{ID: id, Removed: true})
			}
		}, 10},
		{"a phone meets one", func(w *world, f syncengine.Folder, s *attic) {
			s.log = []backend.Change{}
			time.Sleep(syncengine.DefaultPause)
			s.asked = func() {
				s.asked = nil
				p := syncengine.Phone{User: user, Device: "P"}
				r, err := w.engine.Begin(w.t.Context(), p, f, syncengine.NoKey, s)
				if err == nil {
					err = r.Again(w.t.Context(), 7, true)
				}
				if err != nil {
					w.t.Error(err)
				}
			}
		}, 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.folder("notes")
				s := newAttic(40)
				refresh := func() {
					t.Helper()
					if _, err := w.engine.Refresh(t.Context(), f, s); err != nil {
						t.Fatal(err)
					}
				}
				refresh()
				s.set(30, false)
				refresh()
				w.wantHeld("at first", 30, 40)
				tc.last(w, f, s)
				refresh()
				s.log = []backend.Change{}
				for range 3 {
					time.Sleep(syncengine.DefaultPause)
					refresh()
				}
				w.wantLive(f, "long after", tc.left)
				w.wantHeld("long after", 0, 0)
			})
		})
	}
}
