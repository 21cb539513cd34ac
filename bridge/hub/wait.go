package hub

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Wait is what a phone waits for.
type Wait struct {
	User   string // the account's name
	Device string // a later Wait of the same user and device replaces this one

	Topics []Topic

	// Heartbeat is how long to wait. Without one, Wait only checks.
	Heartbeat time.Duration

	// Check decides what of the topics is news to this phone; required. It is
	// called after subscribing and after every event, on the caller's
	// goroutine, and answers nothing for what does not concern this phone (such
	// as its own changes). An error means "do not know" and does not end the
	// wait, unless it comes from [End]; Check is then asked again a little
	// later.
	Check func(context.Context) ([]Topic, error)

	// Watch looks after a topic until its context ends, calling Publish when
	// something may have changed. At most one runs per topic, whichever phone
	// brought it; the context is not that of the wait, and ends a while after
	// the last phone left. One that returns earlier is replaced at the next
	// Wait. Nil means that this phone brings none.
	Watch func(context.Context, Topic)
}

// An ending is an error of Check that ends the wait.
type ending struct{ err error }

func (e ending) Error() string { return e.err.Error() }
func (e ending) Unwrap() error { return e.err }

// End wraps an error of Check that is to end the wait, such as a password that
// is no longer right. Wait answers err itself.
func End(err error) error { return ending{err} }

// Wait holds a phone until something changes.
//
// It answers the topics that Check named; nothing and no error when the
// heartbeat is over; ErrReplaced, ErrShutdown or the error of an Order; the
// cause of ctx if that ended; or the error that Check gave to End. Exactly one
// of them wins, and after it the phone is no longer counted as waiting.
func (h *Hub) Wait(ctx context.Context, w Wait) ([]Topic, error) {
	if w.Heartbeat <= 0 {
		topics, err := w.Check(ctx)
		if e, ok := errors.AsType[ending](err); ok {
			return nil, e.err
		}
		return topics, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.Heartbeat, errHeartbeat)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	me := &waiter{wake: make(chan struct{}, 1), end: end, watch: w.Watch}
	if !h.join(w, me) {
		return nil, ErrShutdown
	}
	defer h.leave(w, me)
	return me.wait(ctx, w.Check, h.report)
}

// wait checks after every event until there is something to tell.
func (w *waiter) wait(ctx context.Context, check func(context.Context) ([]Topic, error), report func(error)) ([]Topic, error) {
	delay := firstRetry
	for {
		topics, err := check(ctx)
		if ctx.Err() != nil {
			return nil, cause(ctx)
		}
		var retry <-chan time.Time
		switch e, ends := errors.AsType[ending](err); {
		case ends:
			return nil, e.err
		case err != nil:
			if delay == firstRetry { // once is enough
				report(fmt.Errorf("hub: checking for news: %w", err))
			}
			retry = time.After(delay)
			delay = min(2*delay, lastRetry)
		case len(topics) > 0:
			return topics, nil
		default:
			delay = firstRetry
		}
		select {
		case <-ctx.Done():
			return nil, cause(ctx)
		case <-w.wake:
		case <-retry:
		}
	}
}

// cause is why the wait's context ended; nil is the heartbeat.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, errHeartbeat) {
		return err
	}
	return nil
}

// join subscribes a phone to its topics and has them watched. It answers
// false if the hub is shutting down.
func (h *Hub) join(w Wait, me *waiter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return false
	}
	key := phone{w.User, w.Device}
	if old := h.phones[key]; old != nil {
		old.end(ErrReplaced)
	}
	h.phones[key] = me
	for _, name := range w.Topics {
		t := h.topics[name]
		if t == nil {
			t = &topic{waiters: make(map[*waiter]struct{})}
			h.topics[name] = t
		}
		t.waiters[me] = struct{}{}
		if t.linger != nil {
			t.linger.Stop()
			t.linger = nil
		}
		if t.cancel == nil {
			h.start(name, t, me.watch)
		}
	}
	return true
}

// leave undoes join. A topic that nobody waits for any more is watched a
// little longer, because its phone is likely to come back at once.
func (h *Hub) leave(w Wait, me *waiter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if key := (phone{w.User, w.Device}); h.phones[key] == me {
		delete(h.phones, key)
	}
	for _, name := range w.Topics {
		t := h.topics[name]
		if t == nil {
			continue // the same topic was named twice
		}
		delete(t.waiters, me)
		switch {
		case len(t.waiters) > 0:
		case t.cancel == nil:
			h.forget(name, t)
		case h.options.Linger < 0:
			h.release(t)
		case t.linger == nil && !h.down:
			t.linger = time.AfterFunc(h.options.Linger, func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.release(t)
			})
		}
	}
}

// release cancels the watch function of a topic that nobody waits for. h.mu is
// held.
func (h *Hub) release(t *topic) {
	if len(t.waiters) == 0 && t.cancel != nil && !t.stopping {
		t.stopping = true
		t.cancel()
	}
}
