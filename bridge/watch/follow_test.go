package watch_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A plant is a backend that tells many people of changes without a goroutine
// for any of them.
type plant struct {
	mu    sync.Mutex
	live  map[*line]bool
	calls int
	none  bool // it follows nobody now
	down  bool // whoever is followed hears of the end at once
	why   backend.Kind
}

// A line is somebody who is followed.
type line struct {
	user string
	ids  []backend.CollectionID
	f    backend.Followed
}

type plantSession struct {
	backend.Session
	p    *plant
	user string
}

func (s plantSession) Watch(ctx context.Context, _ []backend.CollectionID, ready func(), _ func(backend.CollectionID)) error {
	s.p.mu.Lock()
	s.p.calls++
	s.p.mu.Unlock()
	ready()
	<-ctx.Done()
	return ctx.Err()
}

func (s plantSession) Follow(ids []backend.CollectionID, f backend.Followed) (func(), bool) {
	if s.p.none {
		return nil, false
	}
	l := &line{s.user, ids, f}
	s.p.mu.Lock()
	s.p.calls++
	s.p.live[l] = true
	down, why := s.p.down, s.p.why
	s.p.mu.Unlock()
	if down {
		f.Ended(backend.E(why, "test", nil))
	} else {
		f.Ready()
	}
	return func() {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		delete(s.p.live, l)
	}, true
}

// followed lists those who are followed, and counts the calls for it.
func (p *plant) followed() ([]*line, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.live)), p.calls
}

// changed tells everybody.
func (p *plant) changed() {
	lines, _ := p.followed()
	for _, l := range lines {
		for _, c := range l.ids {
			l.f.Changed(c)
		}
	}
}

// breaks ends all that is followed, and what comes until it is mended.
func (p *plant) breaks(yes bool) {
	p.mu.Lock()
	p.down, p.why = yes, backend.Transient
	p.mu.Unlock()
	if lines, _ := p.followed(); yes {
		for _, l := range lines {
			l.f.Ended(backend.E(backend.Transient, "test", nil))
		}
	}
}

// TestFollowed has a backend that tells of changes without a goroutine for each
// person. It breaks off for a while: what happens meanwhile is found, and what
// happens later is told as before. Nothing is left behind.
func TestFollowed(t *testing.T) {
	const people = 30
	synctest.Test(t, func(t *testing.T) {
		p := &plant{live: make(map[*line]bool)}
		var d watch.Desk
		defer d.Close()
		var reports, state atomic.Int64
		var seen [people]atomic.Int64
		var watchings []*watch.Watching
		for n := range people {
			user := fmt.Sprint("person", n)
			watchings = append(watchings, d.Start(watch.Watcher{
				Desk: &d, Backend: "b", User: user, Collection: calendar, Session: plantSession{p: p, user: user},
				Refresh: func(context.Context) (bool, error) { now := state.Load(); return seen[n].Swap(now) != now, nil },
				Publish: func() {}, Report: func(error) { reports.Add(1) },
			}, nil))
		}
		knows := func(when string) {
			t.Helper()
			synctest.Wait()
			for n := range seen {
				if seen[n].Load() != state.Load() {
					t.Fatalf("%s: person %d has not seen the change", when, n)
				}
			}
		}
		time.Sleep(time.Minute)
		if lines, calls := p.followed(); len(lines) != people || calls != people {
			t.Fatalf("%d people are followed after %d calls, want %d", len(lines), calls, people)
		}
		state.Add(1)
		p.changed()
		time.Sleep(time.Second)
		knows("an event")
		p.breaks(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		state.Add(1) // of which nobody hears
		p.breaks(false)
		time.Sleep(time.Minute)
		knows("a change while it was broken")
		if lines, _ := p.followed(); len(lines) != people || reports.Load() < people {
			t.Errorf("%d people are followed after a break, %d breaks reported; want %d and as many", len(lines), reports.Load(), people)
		}
		state.Add(1)
		p.changed()
		time.Sleep(time.Second)
		knows("an event after the break")
		for _, w := range watchings {
			w.Stop()
		}
		if lines, _ := p.followed(); len(lines) != 0 {
			t.Errorf("%d people are still followed", len(lines))
		}
	})
}

// TestFollowedNotNow has a backend whose Follower follows nobody at the moment:
// it is watched in the other way.
func TestFollowedNotNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plant{none: true}
		w := newWorld()
		w.run(t, plantSession{p: p}, time.Hour)
		if _, calls := p.followed(); calls != 1 || len(w.refreshed) > 8 {
			t.Errorf("%d calls of Watch and %d questions in an hour, want one and a few", calls, len(w.refreshed))
		}
	})
}

// TestFollowedTooLate ends the watching while Follow is under way.
func TestFollowedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plant{live: make(map[*line]bool)}
		var d watch.Desk
		started := make(chan *watch.Watching, 1)
		s := slowSession{plantSession{p: p}, func() { (<-started).Stop() }}
		started <- d.Start(watch.Watcher{Desk: &d, Collection: calendar, Session: s, Publish: func() {},
			Refresh: func(context.Context) (bool, error) { return false, nil }}, nil)
		time.Sleep(time.Second)
		if lines, calls := p.followed(); calls != 1 || len(lines) != 0 {
			t.Errorf("%d calls of Follow, of which %d go on; want one and none", calls, len(lines))
		}
		d.Close()
	})
}

// A slowSession does something before Follow returns.
type slowSession struct {
	plantSession
	meanwhile func()
}

func (s slowSession) Follow(ids []backend.CollectionID, f backend.Followed) (func(), bool) {
	stop, ok := s.plantSession.Follow(ids, f)
	s.meanwhile()
	return stop, ok
}
