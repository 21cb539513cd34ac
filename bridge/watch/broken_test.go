package watch_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A listingSession tells of the list of collections, too.
type listingSession struct{ plantSession }

func (listingSession) WatchesList() bool { return true }

// TestTakeOverFails adds a collection to what is followed, which does not work for
// a while: what is followed already goes on until it does, and is over then.
func TestTakeOverFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plant{live: make(map[*line]bool)}
		var d watch.Desk
		defer d.Close()
		start := func(c backend.CollectionID) *watch.Watching {
			return d.Start(watch.Watcher{Backend: "b", User: "ann", Collection: c, Session: plantSession{p: p}, Publish: func() {},
				Refresh: func(context.Context) (bool, error) { return false, nil }}, nil)
		}
		followed := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			var got []int
			lines, _ := p.followed()
			for _, l := range lines {
				got = append(got, len(l.ids))
			}
			if len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
				t.Errorf("%s: there are calls for %v collections, want %v", when, got, want)
			}
		}
		one := start(calendar)
		time.Sleep(time.Minute)
		followed("one collection", 1)
		p.mu.Lock()
		p.down, p.why = true, backend.Transient
		p.mu.Unlock()
		two := start("tasks")
		time.Sleep(20 * time.Minute)
		followed("while the second cannot be added", 1, 2)
		p.breaks(false)
		time.Sleep(20 * time.Minute)
		followed("when it could", 2)
		one.Stop()
		two.Stop()
		followed("when nobody waits any more")
	})
}

// TestListAfterEventsEnd leaves the list of collections alone because its backend
// tells of it, until that ends for good: then it is asked for as before.
func TestListAfterEventsEnd(t *testing.T) {
	for _, tc := range []struct {
		name  string
		adds  bool // another collection was to be added meanwhile, which cannot be
		kind  backend.Kind
		least int64 // questions in two hours
	}{
		{name: "there are none any more", kind: backend.Unsupported, least: 10},
		{name: "there are none any more, nor with another collection", adds: true, kind: backend.Unsupported, least: 10},
		{name: "they break off and cannot begin again", kind: backend.Transient, least: 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &plant{live: make(map[*line]bool)}
				var d watch.Desk
				defer d.Close()
				session := listingSession{plantSession{p: p}}
				var lists, news atomic.Int64
				start := func(c backend.CollectionID) {
					d.Start(watch.Watcher{Backend: "b", User: "ann", Collection: c, Session: session, Publish: func() {},
						Refresh: func(context.Context) (bool, error) { return news.Swap(0) > 0, nil }}, nil)
				}
				start(calendar)
				d.Start(watch.Watcher{User: "ann", List: &watch.List{Backends: []string{"b"}}, Publish: func() {},
					Refresh: func(context.Context) (bool, error) { lists.Add(1); return false, nil }}, nil)
				time.Sleep(time.Minute)
				news.Store(1)
				p.changed() // which proves that they are told of
				time.Sleep(time.Hour)
				before := lists.Load()
				time.Sleep(2 * time.Hour)
				if n := lists.Load() - before; n != 0 {
					t.Fatalf("the list is asked for %d times though it is told of", n)
				}
				lines, _ := p.followed()
				p.mu.Lock()
				p.down, p.why = true, tc.kind
				p.mu.Unlock()
				if tc.adds {
					start("tasks")
					time.Sleep(time.Minute)
				}
				before = lists.Load()
				for _, l := range lines {
					l.f.Ended(backend.E(tc.kind, "test", nil))
				}
				time.Sleep(2 * time.Hour)
				if n := lists.Load() - before; n < tc.least {
					t.Errorf("the list of which nobody tells is asked for %d times in two hours, want %d at least", n, tc.least)
				}
			})
		})
	}
}
