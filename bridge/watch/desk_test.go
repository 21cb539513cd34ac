package watch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
)

// TestHints has changes told from outside, and a source that one day leaves
// something out.
func TestHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var d watch.Desk
		o := w.watcher(prober{w: w})
		o.Desk, o.Backend, o.User = &d, "dav", "ann"
		hint := watch.Hint{Source: "hook", Backend: "dav", User: "ann", Path: string(calendar) + "/1.ics"}
		other := hint
		other.User = "bob"
		scope := watch.Hint{Backend: "dav", User: "ann", Path: string(calendar)}
		check := func(at time.Duration, want bool) {
			w.at(at, func() {
				if got := d.Trusted(scope); got != want {
					t.Errorf("trusted after %v: %v, want %v", at, got, want)
				}
			})
		}
		change := func(at time.Duration) { w.at(at, func() { w.state.Add(1) }) }
		tell := func(at time.Duration, h watch.Hint) { w.at(at, func() { d.Hint(h) }) }

		check(time.Minute, false)
		change(time.Hour)
		tell(time.Hour+time.Millisecond, hint)
		check(time.Hour+time.Second, true) // proved
		tell(2*time.Hour, other)           // concerns nobody
		change(3 * time.Hour)              // found within an hour and a bit, and told by nobody
		check(5*time.Hour, false)
		change(6 * time.Hour)
		tell(6*time.Hour+time.Millisecond, hint) // once is not enough any more
		check(6*time.Hour+time.Minute, false)
		change(7 * time.Hour)
		tell(7*time.Hour+time.Millisecond, hint)
		check(7*time.Hour+time.Minute, true)
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Hour)
		defer cancel()
		o.Run(ctx)

		if len(w.published) != 4 {
			t.Fatalf("published at %v, want four times", w.published)
		}
		for i, latest := range []time.Duration{time.Hour, 3*time.Hour + 80*time.Minute, 6 * time.Hour, 7 * time.Hour} {
			if w.published[i] > latest+5*time.Millisecond {
				t.Errorf("change %d was published after %v, want at most %v", i+1, w.published[i], latest)
			}
		}
	})
}

// TestVouch has a source that knows by itself whether it works.
func TestVouch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d watch.Desk
		one := watch.Hint{Backend: "dav", User: "ann", Path: "/ann/team/"}
		ids := watch.Hint{Backend: "dav", User: "ann", Path: "/ann/team/#VEVENT"}
		home := watch.Hint{Backend: "dav", User: "ann", Path: "/ann/home/"}
		want := func(when string, s watch.Hint, want bool) {
			t.Helper()
			if got := d.Trusted(s); got != want {
				t.Errorf("%s: %v is trusted: %v, want %v", when, s, got, want)
			}
		}
		want("at first", one, false)
		d.Vouch(one, time.Hour)
		want("vouched for", one, true)
		want("vouched for, by its ID", ids, true)
		want("not vouched for", home, false)
		time.Sleep(2 * time.Hour)
		want("run out", one, false)
		d.Vouch(watch.Hint{Backend: "dav"}, time.Hour)
		want("the backend", home, true)
		d.Vouch(watch.Hint{Backend: "dav"}, 0)
		want("taken back", home, false)
	})
}
