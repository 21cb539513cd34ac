package watch_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const calendar backend.CollectionID = "calendar"

// A world is a backend with one collection, seen by one Watcher.
type world struct {
	state atomic.Int32  // of the backend
	seen  int32         // refresh brings it to state
	err   error         // of every question
	slow  time.Duration // each question takes so long

	refreshed []time.Duration // when, since the start
	published []time.Duration
	reports   int
	probes    int
	start     time.Time

	events     chan struct{} // given to session's Watch
	broken     chan error    // ends Watch
	watches    int
	neverReady bool
}

func newWorld() *world {
	return &world{start: time.Now(), events: make(chan struct{}), broken: make(chan error)}
}

func (w *world) refresh(context.Context) (bool, error) {
	time.Sleep(w.slow)
	w.refreshed = append(w.refreshed, time.Since(w.start))
	if w.err != nil {
		return false, w.err
	}
	state := w.state.Load()
	changed := state != w.seen
	w.seen = state
	return changed, nil
}

func (w *world) watcher(s backend.Session) watch.Watcher {
	return watch.Watcher{
		Session: s, Collection: calendar, Refresh: w.refresh,
		Publish: func() { w.published = append(w.published, time.Since(w.start)) },
		Report:  func(error) { w.reports++ },
	}
}

// run lets the Watcher run for a while.
func (w *world) run(t *testing.T, s backend.Session, d time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return w.watcher(s).Run(ctx)
}

// at does something at a time after the start.
func (w *world) at(d time.Duration, do func()) { time.AfterFunc(time.Until(w.start.Add(d)), do) }

// prober is a session with a tag.
type prober struct {
	backend.Session
	w *world
}

func (p prober) Probe(context.Context, []backend.CollectionID) (map[backend.CollectionID]string, error) {
	time.Sleep(p.w.slow)
	p.w.probes++
	if p.w.err != nil {
		return nil, p.w.err
	}
	if p.w.state.Load() < 0 {
		return nil, nil // gone
	}
	return map[backend.CollectionID]string{calendar: string(p.w.state.Load() + 97)}, nil
}

// watcher is a session with events.
type watcher struct {
	backend.Session
	w *world
}

func (s watcher) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	s.w.watches++
	if s.w.neverReady {
		return backend.E(backend.Unsupported, "test", nil)
	}
	time.Sleep(time.Second) // it takes a while to begin
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.w.broken:
			return err
		case <-s.w.events:
			changed(calendar)
		}
	}
}

func TestPollingSlowsDownAndSpeedsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.at(3*time.Hour, func() { w.state.Add(1) })
		if err := w.run(t, nil, 4*time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run ended with %v", err)
		}
		for i, at := range w.refreshed[1:] {
			gap := at - w.refreshed[i]
			if gap < watch.DefaultMin || gap > watch.DefaultMax {
				t.Errorf("%v between two questions, want %v to %v", gap, watch.DefaultMin, watch.DefaultMax)
			}
			if at > time.Hour && at < 3*time.Hour && gap < 4*time.Minute {
				t.Errorf("%v between two questions of an idle collection", gap)
			}
		}
		if len(w.published) != 1 {
			t.Fatalf("published %d times, want once", len(w.published))
		}
		soon := 0
		for _, at := range w.refreshed {
			if at > w.published[0] && at < w.published[0]+2*time.Minute {
				soon++
			}
		}
		if soon < 4 {
			t.Errorf("asked %d times in the two minutes after a change, want more often", soon)
		}
	})
}

func TestProbeComesBeforeRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.at(10*time.Minute, func() { w.state.Add(1) })
		w.run(t, prober{w: w}, 20*time.Minute)
		if len(w.refreshed) != 2 || len(w.published) != 1 || w.probes < 10 {
			t.Errorf("%d probes, %d refreshes, %d published, want a refresh at the start and one for the change", w.probes, len(w.refreshed), len(w.published))
		}
	})
}

// TestRefreshThatFailsIsRepeated fails the refresh that a new tag led to:
// the next question must try again.
func TestRefreshThatFailsIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		p := prober{w: w}
		failed := false
		o := w.watcher(p)
		o.Refresh = func(ctx context.Context) (bool, error) {
			if w.state.Load() == 1 && !failed {
				failed = true
				return false, backend.E(backend.Transient, "test", nil)
			}
			return w.refresh(ctx)
		}
		w.at(time.Minute, func() { w.state.Add(1) })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		o.Run(ctx)
		if !failed || len(w.published) != 1 || w.reports != 1 {
			t.Errorf("published %d times with %d reports, want once with one", len(w.published), w.reports)
		}
	})
}

func TestCostlyQuestionsAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.slow = time.Minute
		w.run(t, nil, 3*time.Hour)
		for i, at := range w.refreshed[1:] {
			if gap := at - w.refreshed[i] - w.slow; gap < 20*time.Minute {
				t.Errorf("%v between two questions that take a minute, want 20 minutes or more", gap)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	denied := backend.E(backend.Denied, "test", nil)
	for _, tc := range []struct {
		name      string
		err       error
		session   func(*world) backend.Session
		questions [2]int // in ten minutes, from and to
		published int
		ends      backend.Kind
	}{
		{name: "denied ends at once", err: denied, questions: [2]int{1, 1}, ends: backend.Denied},
		{name: "gone is published and ends", err: backend.E(backend.NotFound, "test", nil), questions: [2]int{1, 1}, published: 1, ends: backend.NotFound},
		{name: "down: asked again, less and less often", err: backend.E(backend.Transient, "test", nil), questions: [2]int{7, 9}},
		{name: "the backend's own word counts", err: &backend.Error{Kind: backend.Transient, RetryAfter: 4 * time.Minute}, questions: [2]int{2, 3}},
		{name: "anything else is lived with", err: errors.New("boom"), questions: [2]int{7, 9}},
		{name: "a gone tag", session: func(w *world) backend.Session { w.state.Store(-1); return prober{w: w} }, published: 1, ends: backend.NotFound},
		{name: "denied with events", err: denied, session: func(w *world) backend.Session { return watcher{w: w} }, questions: [2]int{1, 1}, ends: backend.Denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.err = tc.err
				var s backend.Session
				if tc.session != nil {
					s = tc.session(w)
				}
				err := w.run(t, s, 10*time.Minute)
				if tc.ends != backend.Other && backend.KindOf(err) != tc.ends || tc.ends == backend.Other && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Run ended with %v", err)
				}
				if n := len(w.refreshed); n < tc.questions[0] || n > tc.questions[1] || len(w.published) != tc.published {
					t.Errorf("asked %d times and published %d, want %v and %d", n, len(w.published), tc.questions, tc.published)
				}
			})
		})
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.at(500*time.Millisecond, func() { w.state.Add(1) }) // before the events have begun
		for i := range 50 {
			w.at(time.Hour+time.Duration(i)*time.Millisecond, func() {
				w.state.Add(1)
				w.events <- struct{}{}
			})
		}
		w.at(2*time.Hour, func() { w.state.Add(1) }) // an event that is lost
		w.run(t, watcher{w: w}, 3*time.Hour)
		// Of the fifty the first is told at once, and the others in bunches.
		if len(w.published) != 6 {
			t.Fatalf("published at %v, want six times", w.published)
		}
		for i, limit := range []time.Duration{
			time.Second, time.Hour + 10*time.Millisecond, time.Hour + 20*time.Millisecond, time.Hour + 40*time.Millisecond, time.Hour + 80*time.Millisecond,
			2*time.Hour + 12*time.Minute,
		} {
			if w.published[i] > limit {
				t.Errorf("change %d was published after %v, want at most %v", i+1, w.published[i], limit)
			}
		}
		if n := len(w.refreshed); n > 22 {
			t.Errorf("asked %d times in three hours, though the backend has events", n)
		}
	})
}

func TestEventsThatBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := watcher{w: w}
		w.at(time.Hour, func() {
			w.broken <- backend.E(backend.Transient, "test", nil)
			w.state.Add(1)
		})
		w.at(2*time.Hour, func() { w.state.Add(1); w.events <- struct{}{} })
		w.run(t, s, 3*time.Hour)
		if len(w.published) != 2 || w.published[0] > time.Hour+5*time.Second || w.published[1] > 2*time.Hour+time.Second {
			t.Errorf("published at %v, want soon after one and two hours", w.published)
		}
		if w.watches != 2 || w.reports != 1 {
			t.Errorf("%d watches and %d reports, want 2 and 1", w.watches, w.reports)
		}
	})
}

func TestEventsThatAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.neverReady = true
		w.at(time.Minute, func() { w.state.Add(1) })
		w.run(t, watcher{w: w}, 5*time.Minute)
		if w.watches != 1 || len(w.published) != 1 {
			t.Errorf("%d watches, published %d times, want one and one by polling", w.watches, len(w.published))
		}
	})
}

// TestHierarchyIsPolledToo has a backend that says nothing about the list of
// its collections.
func TestHierarchyIsPolledToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.at(time.Minute, func() { w.state.Add(1) })
		o := w.watcher(watcher{w: w})
		o.Collection = ""
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		o.Run(ctx)
		if len(w.published) != 1 {
			t.Errorf("published at %v, want once", w.published)
		}
	})
}
