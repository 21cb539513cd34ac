// Package hub connects those who notice a change with the phones that wait for one.
//
// A phone takes a [Seat]: it subscribes, then checks, then waits, so that
// nothing falls between, and holds no goroutine while it waits. Meanwhile one
// watch function looks after each topic for all phones of the user. See
// [MS-ASCMD] "Ping".
package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Topic is what can change: a folder of a user, or with Folder 0 the
// hierarchy of the user's folders.
type Topic struct {
	User   string
	Folder int64
}

// The reasons for which a wait ends without a change and before its heartbeat.
var (
	ErrReplaced = errors.New("hub: a newer request of the same phone took over") // the older one is answered as if its heartbeat were over
	ErrShutdown = errors.New("hub: shutting down")
)

// errRecalled is ErrReplaced by the phone's next request, which is still to
// come.
var errRecalled = fmt.Errorf("hub: asked to come again: %w", ErrReplaced)

const (
	// DefaultLinger is how long a topic is watched after the last phone left:
	// a phone comes back for its next Ping within a second or two, and slow
	// radio takes longer.
	DefaultLinger = 30 * time.Second

	// A failed Check is asked again after firstRetry, later after up to
	// lastRetry, since the event that it was to look into may be the only one.
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// Options tell New what to build with. The zero value is fine.
type Options struct {
	// Linger is how long a topic is watched after its last phone left; 0 means
	// DefaultLinger, a negative value means not at all.
	Linger time.Duration

	// Report is told of a watch function that panicked, with the stack, and of
	// a Check that begins to fail. Nil means that nobody is told.
	Report func(error)
}

// A Hub joins waiting phones and watch functions. Its methods may be called
// from many goroutines at a time.
type Hub struct {
	options Options
	ctx     context.Context // of all watch functions
	stop    context.CancelFunc
	running sync.WaitGroup // watch functions

	mu     sync.Mutex
	down   bool
	phones map[phone]*Seat
	topics map[Topic]*topic
}

type phone struct{ user, device string }

// A topic has seats, or a watch function, or both.
type topic struct {
	seats    []*Seat
	linger   *time.Timer        // runs while nobody waits
	cancel   context.CancelFunc // of the running watch function, else nil
	stopping bool               // cancel was called
	recall   bool               // those who wait are to come again when the watch function returns
}

// New builds a Hub.
func New(o Options) *Hub {
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Hub{
		options: o, ctx: ctx, stop: stop,
		phones: make(map[phone]*Seat), topics: make(map[Topic]*topic),
	}
}

// Publish wakes everybody who waits for one of the topics. It never blocks.
func (h *Hub) Publish(topics ...Topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range topics {
		if on := h.topics[t]; on != nil {
			for _, s := range on.seats {
				s.nudge()
			}
		}
	}
}

// Order ends the wait of a phone with err, and tells whether it was waiting.
func (h *Hub) Order(user, device string, err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.phones[phone{user, device}]
	if w == nil {
		return false
	}
	w.end(err)
	return true
}

// OrderAll ends every wait with err, and tells how many there were.
func (h *Hub) OrderAll(err error) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.phones {
		w.end(err)
	}
	return len(h.phones)
}

// Recall makes everybody who waits for a topic come again, as if the heartbeat
// were over: the phone's next request may log in anew, and brings a watch
// function of its own. Called by the topic's watch function, it takes effect
// when that has returned, lest a phone comes back sooner and finds the topic
// watched.
func (h *Hub) Recall(name Topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[name]
	if t == nil {
		return
	}
	t.recall = true
	if t.cancel == nil {
		t.recallAll()
	}
}

// recallAll ends the waits for a topic. hub.mu is held.
func (t *topic) recallAll() {
	t.recall = false
	for _, s := range t.seats {
		s.end(errRecalled)
	}
}

// Waiting is the number of phones that wait.
func (h *Hub) Waiting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.phones)
}

// Waits tells whether a phone waits.
func (h *Hub) Waits(user, device string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.phones[phone{user, device}] != nil
}

// Watching is the number of watch functions that run.
func (h *Hub) Watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, t := range h.topics {
		if t.cancel != nil {
			n++
		}
	}
	return n
}

// Shutdown ends every wait, present and future, with ErrShutdown, and cancels
// all watch functions. It does not wait for them.
func (h *Hub) Shutdown() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = true
	for _, w := range h.phones {
		w.end(ErrShutdown)
	}
	for _, t := range h.topics {
		if t.linger != nil {
			t.linger.Stop()
		}
	}
	h.stop()
}

// Close is Shutdown, and waits until the watch functions have returned.
func (h *Hub) Close() error {
	h.Shutdown()
	h.running.Wait()
	return nil
}

// start runs a watch function for a topic. h.mu is held.
func (h *Hub) start(name Topic, t *topic, watch func(context.Context, Topic)) {
	if watch == nil || h.down {
		return
	}
	ctx, cancel := context.WithCancel(h.ctx)
	t.cancel, t.stopping, t.recall = cancel, false, false
	h.running.Go(func() {
		defer h.stopped(name, t)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				h.report(fmt.Errorf("hub: watching panicked: %v\n%s", p, debug.Stack()))
			}
		}()
		watch(ctx, name)
	})
}

func (h *Hub) report(err error) {
	if h.options.Report != nil {
		h.options.Report(err)
	}
}

// stopped notes that the watch function of a topic returned. If that was the
// end of a linger, somebody may have come meanwhile and needs a new one; if it
// returned by itself, it is left alone until the next Wait.
func (h *Hub) stopped(name Topic, t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	again := t.stopping
	t.cancel, t.stopping = nil, false
	if len(t.seats) == 0 {
		h.forget(name, t)
		return
	}
	if t.recall {
		t.recallAll()
		return
	}
	if again {
		for _, s := range t.seats {
			if s.wait.Watch != nil {
				h.start(name, t, s.wait.Watch)
				return
			}
		}
	}
}

// forget removes a topic that has neither waiters nor a watch function.
func (h *Hub) forget(name Topic, t *topic) {
	if t.linger != nil {
		t.linger.Stop()
	}
	if h.topics[name] == t {
		delete(h.topics, name)
	}
}
