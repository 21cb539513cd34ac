package watch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A server counts what people's collections cost it.
type server struct {
	backend.Session
	mu     sync.Mutex
	probes int // calls
	lists  int
	order  []string // of who was looked at
	slow   time.Duration
}

func (s *server) Probe(_ context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes++
	tags := make(map[backend.CollectionID]string)
	for _, c := range cs {
		tags[c] = "same"
	}
	return tags, nil
}

// refresh lists one collection of a person.
func (s *server) refresh(who string, changed bool) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		time.Sleep(s.slow)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lists++
		s.order = append(s.order, who)
		return changed, nil
	}
}

// watch has n collections of a person watched, and their list.
func (s *server) watch(d *watch.Desk, user string, n int) {
	start := func(w watch.Watcher) {
		w.User, w.Publish = user, func() {}
		d.Start(w, nil)
	}
	for i := range n {
		id := backend.CollectionID(fmt.Sprintf("/%s/%d/", user, i))
		start(watch.Watcher{Backend: "dav", Collection: id, Session: s, Refresh: s.refresh(user, false)})
	}
	start(watch.Watcher{Refresh: s.refresh(user, false)})
}

// TestIdleAccounts counts what a person with five collections costs the server
// in an hour in which nothing happens.
func TestIdleAccounts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		trusted bool
		most    float64 // requests an hour
	}{
		{"polled", false, 40},
		{"with events that can be relied on", true, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d watch.Desk
				defer d.Close()
				var s server
				if tc.trusted {
					d.Vouch(watch.Hint{Backend: "dav"}, 48*time.Hour)
				}
				s.watch(&d, "ann", 5)
				time.Sleep(2 * time.Hour) // what it costs to begin
				s.mu.Lock()
				s.probes, s.lists = 0, 0
				s.mu.Unlock()
				time.Sleep(24 * time.Hour)
				s.mu.Lock()
				defer s.mu.Unlock()
				perHour := float64(s.probes+s.lists) / 24
				t.Logf("%.1f requests an hour: %d questions and %d listings in a day", perHour, s.probes, s.lists)
				if perHour > tc.most || s.probes == 0 {
					t.Errorf("%.1f requests an hour, want some, and at most %v", perHour, tc.most)
				}
			})
		})
	}
}

// TestShare lets polling take no more of a backend than it may, with more
// people than that is enough for.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := watch.Desk{Share: 0.1}
		defer d.Close()
		s := server{slow: 200 * time.Millisecond}
		for i := range 500 {
			s.watch(&d, fmt.Sprint("person", i), 1)
		}
		time.Sleep(time.Hour)
		s.mu.Lock()
		before := s.probes
		s.mu.Unlock()
		time.Sleep(time.Hour)
		s.mu.Lock()
		defer s.mu.Unlock()
		took := time.Duration(s.probes-before) * s.slow
		if limit := 6 * time.Minute; took > limit+time.Minute || took < limit/2 {
			t.Errorf("polling took %v of an hour, want about %v", took, limit)
		}
	})
}

// TestFirstLooks has thousands come at once, and a change of one of those who
// came before: that one waits neither for the others nor for its own last look.
func TestFirstLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d watch.Desk
		defer d.Close()
		s := server{slow: 10 * time.Millisecond}
		s.watch(&d, "ann", 1)
		time.Sleep(50 * time.Millisecond)
		for i := range 2000 {
			s.watch(&d, fmt.Sprint("person", i), 1)
		}
		time.Sleep(5 * time.Millisecond)
		s.mu.Lock()
		s.order = nil
		s.mu.Unlock()
		d.Hint(watch.Hint{Backend: "dav", User: "ann", Path: "/ann/0/"})
		time.Sleep(40 * time.Millisecond)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !slices.Contains(s.order, "ann") {
			t.Error("the single change waits behind the first looks of others")
		}
	})
}

// TestBroadHints has a change that concerns thousands, and then one that
// concerns one: that one does not wait for the others.
func TestBroadHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d watch.Desk
		defer d.Close()
		s := server{slow: 10 * time.Millisecond}
		for i := range 2000 {
			s.watch(&d, fmt.Sprint("person", i), 1)
		}
		time.Sleep(5 * time.Minute)
		s.mu.Lock()
		s.order = nil
		s.mu.Unlock()
		d.Hint(watch.Hint{Backend: "dav"})
		time.Sleep(50 * time.Millisecond)
		d.Hint(watch.Hint{Backend: "dav", User: "person1999", Path: "/person1999/0/"})
		time.Sleep(50 * time.Millisecond)
		s.mu.Lock()
		if n := len(s.order); n > 300 {
			t.Errorf("%d were looked at within a tenth of a second, want them paced", n)
		}
		found := false
		for _, who := range s.order {
			found = found || who == "person1999"
		}
		s.mu.Unlock()
		if !found {
			t.Error("the single change waits behind those that concern everybody")
		}
		time.Sleep(time.Minute)
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := len(s.order); n < 2000 {
			t.Errorf("%d were looked at in the end, want all of them", n)
		}
	})
}
