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

	session backend.Session               // nil means the server itself
	news    map[backend.CollectionID]bool // what the next refresh finds; empty is the list
	told    chan backend.CollectionID     // the server's own events
}

// eventful is a session of a server that tells of changes itself, and of the list
// of collections if it is listing.
type eventful struct {
	*server
	listing bool
}

func (e eventful) WatchesList() bool { return e.listing }

func (e eventful) Watch(ctx context.Context, _ []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c := <-e.told:
			changed(c)
		}
	}
}

// change has the next refresh of a collection find something new.
func (s *server) change(c backend.CollectionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news == nil {
		s.news = make(map[backend.CollectionID]bool)
	}
	s.news[c] = true
}

// asked is how many requests came since it was called last.
func (s *server) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.probes + s.lists
	s.probes, s.lists = 0, 0
	return n
}

func (s *server) Probe(_ context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes++
	tags := make(map[backend.CollectionID]string)
	for _, c := range cs {
		if tags[c] = "same"; s.news[c] {
			tags[c] = "another"
		}
	}
	return tags, nil
}

// refresh lists one collection of a person.
func (s *server) refresh(who string, c backend.CollectionID) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		time.Sleep(s.slow)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lists++
		s.order = append(s.order, who)
		changed := s.news[c]
		delete(s.news, c)
		return changed, nil
	}
}

// watch has n collections of a person watched, and their list.
func (s *server) watch(d *watch.Desk, user string, n int) {
	session := s.session
	if session == nil {
		session = s
	}
	start := func(w watch.Watcher) {
		w.User, w.Publish = user, func() {}
		d.Start(w, nil)
	}
	for i := range n {
		id := backend.CollectionID(fmt.Sprintf("/%s/%d/", user, i))
		start(watch.Watcher{Backend: "dav", Collection: id, Session: session, Refresh: s.refresh(user, id)})
	}
	start(watch.Watcher{List: &watch.List{Backends: []string{"dav"}}, Refresh: s.refresh(user, "")})
}

// TestIdleAccounts counts what a person with five collections costs the server
// in an hour in which nothing happens.
func TestIdleAccounts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		trusted bool
		session func(*server) backend.Session // nil means one without events
		proof   bool                          // an event led to a change
		most    float64                       // requests an hour
	}{
		{name: "polled", most: 40},
		{name: "with events that can be relied on", trusted: true, most: 2},
		{name: "with the backend's own events, of the list, too", session: func(s *server) backend.Session { return eventful{s, true} }, proof: true, most: 2},
		{name: "with the backend's own events, not of the list", session: func(s *server) backend.Session { return eventful{s, false} }, proof: true, most: 16},
		{name: "with the backend's own events, of which none came yet", session: func(s *server) backend.Session { return eventful{s, true} }, most: 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d watch.Desk
				defer d.Close()
				s := server{told: make(chan backend.CollectionID)}
				if tc.session != nil {
					s.session = tc.session(&s)
				}
				if tc.trusted {
					d.Vouch(watch.Hint{Backend: "dav"}, 48*time.Hour)
				}
				s.watch(&d, "ann", 5)
				time.Sleep(time.Hour) // what it costs to begin
				if tc.proof {
					s.change("/ann/1/")
					s.told <- "/ann/1/"
				}
				time.Sleep(time.Hour)
				s.asked()
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

// TestListTrust is about a backend that tells of the list of its collections, and
// leaves a change out: the list is asked for often again until the next one is
// told. The collections are not concerned.
func TestListTrust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d watch.Desk
		defer d.Close()
		s := server{told: make(chan backend.CollectionID)}
		s.session = eventful{&s, true}
		s.watch(&d, "ann", 1)
		hourly := func(when string, least, most int) {
			t.Helper()
			time.Sleep(10 * time.Hour)
			synctest.Wait()
			s.asked()
			time.Sleep(10 * time.Hour)
			synctest.Wait()
			if n := s.asked(); n < 10*least || n > 10*most {
				t.Errorf("%s: %d requests in ten hours, want %d to %d an hour", when, n, least, most)
			}
		}
		tell := func(c backend.CollectionID, told bool) {
			s.change(c)
			if told {
				s.told <- c
			}
			time.Sleep(time.Second)
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			if told && len(s.news) > 0 {
				t.Errorf("an event of %q led to no look", c)
			}
		}
		hourly("at the start", 10, 20)
		tell("/ann/0/", true)
		hourly("after a proof", 0, 2)
		tell("", true)
		hourly("after a change of the list", 0, 2)
		tell("", false)
		hourly("after one that was left out", 9, 16)
		tell("", true)
		hourly("after one that was told", 9, 16) // the first after the doubt is not enough
		tell("", true)
		hourly("after another one", 0, 2)
	})
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
