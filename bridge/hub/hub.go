// Package hub connects those who notice a change with the phones that wait for one.
//
// A phone takes a [Seat]: it subscribes, then checks, then waits, so that
// nothing falls between. While it waits it is that seat in its user's list, and
// has no goroutine, no timer and no map of its own; phones of one user that wait
// for the same folders share the list of them. Meanwhile somebody watches each
// topic for all phones of the user. See [MS-ASCMD] "Ping".
package hub

import (
	"errors"
	"fmt"
	"iter"
	"slices"
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

// ErrRecalled is ErrReplaced by the phone's next request, which is still to
// come.
var ErrRecalled = fmt.Errorf("hub: asked to come again: %w", ErrReplaced)

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

	// Report is told of a Check that begins to fail. Nil means that nobody is
	// told.
	Report func(error)

	// Published is told of each topic of Publish, before anybody is woken. It
	// must not block and not call the hub. Nil means that nobody is told.
	Published func(Topic)
}

// A Hub joins waiting phones and those who watch for them. Its methods may be
// called from many goroutines at a time.
type Hub struct {
	options Options
	began   time.Time

	mu        sync.Mutex
	down      bool
	waiting   int
	users     map[string]*user
	lingering []lingering // the one that left first is the first
	timer     *time.Timer // of the lingering; nil before there were any
	orders    []order     // that wait for their turn
	pacer     *time.Timer // of the orders; nil before there were any
}

// A user has phones that wait, or topics that are watched, or both. There are
// few of either, so lists do.
type user struct {
	name   string
	seats  []*Seat
	topics []topic
}

// A topic is waited for, or watched, or both.
type topic struct {
	folder int64
	seats  int           // that wait for it
	watch  *Watched      // nil if nobody watches it
	left   time.Duration // when the last seat went, since the hub began; 0 while there are any
}

// A Watched is what one call of Wait.Watch is about. It knows where it belongs,
// since functions that do would be several times as large.
type Watched struct {
	hub    *Hub
	user   *user
	folder int64
	stop   func()
}

// A lingering is a topic that nobody waits for and that is still watched.
type lingering struct {
	user   *user
	folder int64
	left   time.Duration
}

// New builds a Hub.
func New(o Options) *Hub {
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	return &Hub{options: o, began: time.Now(), users: make(map[string]*user)}
}

// Publish wakes everybody who waits for one of the topics. It never blocks.
func (h *Hub) Publish(topics ...Topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range topics {
		if h.options.Published != nil {
			h.options.Published(t)
		}
		for s := range h.waitingFor(t) {
			s.nudge()
		}
	}
}

// waitingFor yields the seats of those who wait for a topic. hub.mu is held.
func (h *Hub) waitingFor(t Topic) iter.Seq[*Seat] {
	return func(yield func(*Seat) bool) {
		u := h.users[t.User]
		if u == nil {
			return
		}
		for _, s := range u.seats {
			if slices.Contains(s.topics, t) && !yield(s) {
				return
			}
		}
	}
}

// seat finds a phone that waits; nil if it does not. hub.mu is held.
func (h *Hub) seat(user, device string) *Seat {
	u := h.users[user]
	if u == nil {
		return nil
	}
	for _, s := range u.seats {
		if s.device == device && !s.old {
			return s
		}
	}
	return nil
}

// topic finds a topic of the user, or makes it.
func (u *user) topic(folder int64) *topic {
	for i := range u.topics {
		if u.topics[i].folder == folder {
			return &u.topics[i]
		}
	}
	u.topics = append(u.topics, topic{folder: folder})
	return &u.topics[len(u.topics)-1]
}

// Order ends the wait of a phone with err, and tells whether it was waiting.
func (h *Hub) Order(user, device string, err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seat(user, device)
	if s == nil {
		return false
	}
	s.end(err)
	return true
}

// Recall makes everybody who waits for a topic come again, as if the heartbeat
// were over: the phone's next request may log in anew, and has the topic watched
// anew.
func (h *Hub) Recall(t Topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.waitingFor(t) {
		s.end(ErrRecalled)
	}
}

// Waiting is the number of phones that wait.
func (h *Hub) Waiting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waiting
}

// Waits tells whether a phone waits.
func (h *Hub) Waits(user, device string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seat(user, device) != nil
}

// Watching is the number of topics that are watched.
func (h *Hub) Watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, u := range h.users {
		for _, t := range u.topics {
			if t.watch != nil {
				n++
			}
		}
	}
	return n
}

// Shutdown ends every wait, present and future, with ErrShutdown, and stops all
// watching.
func (h *Hub) Shutdown() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = true
	h.endAll(ErrShutdown)
	h.orders = nil
	if h.pacer != nil {
		h.pacer.Stop()
	}
	for _, u := range h.users {
		for i := range u.topics {
			u.topics[i].unwatch()
		}
		u.topics = slices.DeleteFunc(u.topics, func(t topic) bool { return t.seats == 0 })
		if len(u.seats) == 0 {
			delete(h.users, u.name)
		}
	}
	if h.timer != nil {
		h.timer.Stop()
	}
	h.lingering = nil
}

// Close is Shutdown.
func (h *Hub) Close() error {
	h.Shutdown()
	return nil
}

// watch has a topic watched, if it is not. hub.mu is held.
func (h *Hub) watch(u *user, t *topic, begin Watch) {
	if begin == nil || h.down || t.watch != nil {
		return
	}
	w := &Watched{hub: h, user: u, folder: t.folder}
	t.watch = w
	w.stop = begin(w)
}

// Topic is the topic that is watched.
func (w *Watched) Topic() Topic { return Topic{w.user.name, w.folder} }

// Ended notes that the watching of a topic ended by itself. It is left alone
// until the next Sit.
func (w *Watched) Ended(recall bool) {
	h, u := w.hub, w.user
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range u.topics {
		if t := &u.topics[i]; t.watch == w {
			t.watch = nil
			h.tidy(u, w.folder)
			break
		}
	}
	if recall {
		for s := range h.waitingFor(w.Topic()) {
			s.end(ErrRecalled)
		}
	}
}

// unwatch stops the watching of a topic. hub.mu is held.
func (t *topic) unwatch() {
	if w := t.watch; w != nil {
		t.watch = nil
		if w.stop != nil {
			w.stop()
		}
	}
}

// linger lets a topic be watched a little longer, because its phone is likely to
// come back at once. hub.mu is held.
func (h *Hub) linger(u *user, t *topic) {
	if t.watch == nil || h.down {
		return
	}
	if h.options.Linger < 0 {
		t.unwatch()
		return
	}
	t.left = max(1, time.Since(h.began))
	h.lingering = append(h.lingering, lingering{u, t.folder, t.left})
	if len(h.lingering) > 1 {
		return // the timer runs for one who left before
	}
	if h.timer == nil {
		h.timer = time.AfterFunc(h.options.Linger, h.release)
	} else {
		h.timer.Reset(h.options.Linger)
	}
}

// release stops the watching of what nobody came back to.
func (h *Hub) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for ; n < len(h.lingering); n++ {
		l := h.lingering[n]
		if rest := h.options.Linger - (time.Since(h.began) - l.left); rest > 0 {
			h.timer.Reset(rest)
			break
		}
		if t := l.user.topic(l.folder); t.left == l.left && t.seats == 0 {
			t.unwatch()
		}
		h.tidy(l.user, l.folder)
	}
	h.lingering = slices.Delete(h.lingering, 0, n)
	if len(h.lingering) == 0 {
		h.lingering = nil
	}
}

// tidy forgets a topic that nobody waits for or watches, and a user without any.
// hub.mu is held.
func (h *Hub) tidy(u *user, folder int64) {
	u.topics = slices.DeleteFunc(u.topics, func(t topic) bool { return t.folder == folder && t.seats == 0 && t.watch == nil })
	if len(u.topics) == 0 && len(u.seats) == 0 && h.users[u.name] == u {
		delete(h.users, u.name)
	}
}

func (h *Hub) report(err error) {
	if h.options.Report != nil {
		h.options.Report(err)
	}
}
