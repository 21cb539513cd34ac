package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A run is the state of one Run. It belongs to one goroutine.
type run struct {
	Watcher
	events backend.Watcher // nil if there are none
	prober backend.Prober  // nil if there is none

	listenAt time.Time     // when to try the events again, after they broke off
	relisten time.Duration // what the last such wait was; 0 once they work

	place       place
	hinted      chan struct{} // capacity 1: the desk has word
	source      string        // whose word; guarded by Desk.mu
	unannounced time.Time     // when a question found a change that no event has told of yet; guarded by Desk.mu

	tag      string // of the collection when it was last refreshed
	tagged   bool
	interval time.Duration // until the next question, without spread
	cost     time.Duration // of the last question
	retry    time.Duration // after the last failure; 0 if there was none
}

// poll asks once and waits until it is time to ask again. An error ends the
// run.
func (r *run) poll(ctx context.Context) error {
	hinted := taken(r.hinted)
	wait, err := r.ask(ctx, hinted)
	if err != nil {
		return err
	}
	if r.events != nil {
		wait = min(wait, time.Until(r.listenAt))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.hinted:
		nudge(r.hinted)
	case <-timer.C:
	}
	return nil
}

// taken tells whether there was a nudge.
func taken(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// ask finds out whether something changed, cheaply if it may, publishes it, and
// answers how long to wait for the next question. An error ends the run.
//
// told says that an event led to it: then there is no need to find out whether
// there is anything to look at.
func (r *run) ask(ctx context.Context, told bool) (time.Duration, error) {
	source := r.Desk.begin(r)
	start := time.Now()
	changed, err := r.question(ctx, !told)
	r.cost = time.Since(start)
	if err != nil {
		return r.failed(ctx, err)
	}
	r.retry = 0
	r.Desk.found(r, changed, told, source)
	if changed {
		r.interval = r.Min
		r.Publish()
	} else {
		r.interval = min(time.Duration(growth*float64(r.interval)), r.Max)
	}
	wait := r.pause()
	if !changed && r.interval > r.Min && r.Desk.Trusted(Hint{Backend: r.Backend, User: r.User, Path: string(r.Collection)}) {
		wait = max(wait, spreadOut(safetyTrusted))
	}
	return r.sooner(ctx, wait), nil
}

func (r *run) due(ctx context.Context) (time.Duration, bool) {
	if r.Due == nil {
		return 0, false
	}
	return r.Due(ctx)
}

// sooner cuts a wait short if Refresh has to be called earlier.
func (r *run) sooner(ctx context.Context, wait time.Duration) time.Duration {
	if due, ok := r.due(ctx); ok {
		return min(wait, max(due, r.Min))
	}
	return wait
}

// question compares the backend's tag, if it has one, and else refreshes.
func (r *run) question(ctx context.Context, cheaply bool) (bool, error) {
	var tag string
	if r.prober != nil {
		tags, err := r.prober.Probe(ctx, []backend.CollectionID{r.Collection})
		switch {
		case backend.KindOf(err) == backend.Unsupported:
			r.prober, r.tagged = nil, false
		case err != nil:
			return false, err
		default:
			var there bool
			if tag, there = tags[r.Collection]; !there {
				return false, backend.Errorf(backend.NotFound, "watch: probe", "the collection is gone")
			}
			if wait, ok := r.due(ctx); cheaply && r.tagged && tag == r.tag && !(ok && wait <= 0) {
				return false, nil
			}
		}
	}
	// The tag is older than the refresh, so that what happens between them
	// is found at the next question.
	changed, err := r.Refresh(ctx)
	if err == nil && r.prober != nil {
		r.tag, r.tagged = tag, true
	}
	return changed, err
}

// failed decides what an error means: the end of the run, or the time to wait
// before asking again.
func (r *run) failed(ctx context.Context, err error) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	switch backend.KindOf(err) {
	case backend.Denied:
		return 0, err
	case backend.NotFound:
		r.Publish() // those who wait find out that it is gone
		return 0, err
	}
	if r.Report != nil {
		r.Report(err)
	}
	r.retry = longer(r.retry)
	wait := max(r.retry, min(backend.RetryAfter(err), longestRetryAfter))
	return spreadOut(max(wait, costShare*r.cost)), nil
}

// longer is the wait after the next failure.
func longer(d time.Duration) time.Duration {
	return max(firstRetry, min(2*d, lastRetry))
}

// pause is how long to wait after a question that was answered.
func (r *run) pause() time.Duration {
	upper := time.Duration(float64(r.Max) / (1 + spread))
	return spreadOut(max(min(r.interval, max(upper, r.Min)), costShare*r.cost))
}

func spreadOut(d time.Duration) time.Duration {
	return d + time.Duration(spread*rand.Float64()*float64(d))
}

// listen follows the backend's events until they break off, and leaves it to
// poll for a while. An error ends the run.
func (r *run) listen(ctx context.Context) error {
	broken, err := r.follow(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case backend.KindOf(broken) == backend.Denied:
		return broken
	case backend.KindOf(broken) == backend.Unsupported:
		r.events = nil
		return nil
	}
	if broken == nil {
		broken = errors.New("the backend ended them")
	}
	if r.Report != nil {
		r.Report(fmt.Errorf("watch: events broke off: %w", broken))
	}
	r.relisten = longer(r.relisten)
	r.listenAt = time.Now().Add(spreadOut(r.relisten))
	return nil
}

// follow starts the backend's events and asks what each of them is about. It
// answers why the events broke off, or an error that ends the run.
func (r *run) follow(ctx context.Context) (broken, end error) {
	ctx, cancel := context.WithCancel(ctx)
	ready, event := make(chan struct{}, 1), make(chan struct{}, 1)
	broke := make(chan error, 1)
	var watching sync.WaitGroup
	watching.Go(func() {
		broke <- r.events.Watch(ctx, []backend.CollectionID{r.Collection},
			func() { nudge(ready) }, func(backend.CollectionID) { nudge(event) })
	})
	defer watching.Wait()
	defer cancel()
	begun := false
	timer := time.NewTimer(r.Min) // events that do not begin are no reason to miss a change
	defer timer.Stop()
	for {
		told := true
		select {
		case err := <-broke:
			return err, nil
		case <-ready:
			begun, r.relisten = true, 0
		case <-event:
			r.Desk.ownEvent(r.Backend)
			if err := sleep(ctx, gather); err != nil {
				return nil, err
			}
			select {
			case <-event:
			default:
			}
		case <-r.hinted:
		case <-timer.C:
			told = false
		}
		wait, err := r.ask(ctx, told)
		if err != nil {
			return nil, err
		}
		if begun && r.Collection != "" && r.retry == 0 {
			wait = r.sooner(ctx, max(wait, spreadOut(safety)))
		}
		timer.Reset(wait)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is enough
	}
}

// sleep waits, or answers the cause of the context's end.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
