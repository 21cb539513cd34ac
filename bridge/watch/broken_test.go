package watch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

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
