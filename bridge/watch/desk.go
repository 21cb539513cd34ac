package watch

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// A Desk looks after everything that is watched, and is where word from outside
// arrives. A collection that nothing happens to costs it a place in a queue: no
// goroutine and no timer. Its zero value is ready for use, and its methods may
// be called from many goroutines; none but Close waits for anything.
type Desk struct {
	// Share is the part of a processor core that all polling of one backend may
	// take of it, as the time that it needs to answer tells; 0 means
	// DefaultShare. Events do not wait for it, but count.
	Share float64

	// Counts is told of questions and events. Nil means that nobody is.
	Counts Counts

	running sync.WaitGroup // looks, and events that are followed

	mu     sync.Mutex
	began  time.Time
	closed bool
	ctx    context.Context // of all looks; nil before the first
	stop   context.CancelFunc
	queue  queue // what is watched, the next first
	timer  *time.Timer
	lanes  map[string]*lane
	groups map[groupKey]*group
	terms  *terms // of the last that began, which those of the next are likely to be, too
	trust  trust
	own    map[string]time.Time // by backend, see OwnEvent
}

// Counts are told what a Desk does; they must not block.
type Counts interface {
	// Polled is told of each question about a collection: at which backend, empty
	// if it is the list of collections of all; whether an event led to it; how
	// long the backend took; and whether it failed.
	Polled(backend string, told bool, cost time.Duration, err error)

	// Happened is told of each event of a backend itself.
	Happened(backend string)
}

// A groupKey names what one session can be asked about at once.
type groupKey struct{ backend, user string }

// A group are the collections of one person at one backend.
type group struct {
	desk     *Desk
	key      groupKey
	account  string // the person's name in the key of the group of lists
	members  []*Watching
	unprobed bool       // the backend has no cheap question after all
	events   *following // nil if the backend has none, or they are not followed now
}

// errClosed ends what is watched when the desk is closed.
var errClosed = errors.New("watch: the desk is closed")

// Start begins to watch. ended is told, unless Stop comes first or there is an
// Owner, why it is over: see Run. It is not called before Start has returned.
func (d *Desk) Start(w Watcher, ended func(error)) *Watching {
	w.fill()
	opened := w.Owner == nil && w.Open == nil
	if w.Owner == nil {
		w.Owner = &functions{w: w, ended: ended}
	}
	e := &Watching{
		owner: w.Owner, session: w.Session, collection: w.Collection, list: w.List,
		interval: w.Min, index: -1, opened: opened, first: true, told: true, broad: true,
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open()
	e.terms = d.termsOf(w.Min, w.Max)
	d.join(e, groupKey{w.Backend, w.User}, w.User)
	d.schedule(e, d.now())
	return e
}

// Terms are what many have in common: the desk, and their Min and Max.
type terms struct {
	desk     *Desk
	min, max time.Duration
}

// termsOf answers such terms. d.mu is held.
func (d *Desk) termsOf(least, most time.Duration) *terms {
	if t := (terms{d, least, most}); d.terms == nil || *d.terms != t {
		d.terms = &t
	}
	return d.terms
}

// open makes what the zero value lacks. d.mu is held.
func (d *Desk) open() {
	if d.groups != nil {
		return
	}
	d.began = time.Now()
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.lanes, d.groups = make(map[string]*lane), make(map[groupKey]*group)
}

// now is the time since the desk was opened.
func (d *Desk) now() time.Duration { return time.Since(d.began) }

// Hint lets everybody look at once whom a hint may concern. Hints that come
// while one of them looks lead to one more look.
func (d *Desk) Hint(h Hint) {
	path := segments(h.Path)
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []*Watching
	if h.Backend != "" && h.User != "" {
		found = d.groups[groupKey{h.Backend, h.User}].concerned(found, h, path)
		found = d.groups[groupKey{"", h.User}].concerned(found, h, path) // the list of collections
	} else {
		for _, g := range d.groups {
			found = g.concerned(found, h, path)
		}
	}
	for _, e := range found {
		e.source, e.unannounced = h.Source, 0
		e.broad = len(found) > narrow && (e.broad || !e.told)
		d.look(e, 0)
	}
}

// narrow is how many a hint may concern and still go before those that concern
// more.
const narrow = 32

// concerned adds those members of a group whom a hint may concern.
func (g *group) concerned(found []*Watching, h Hint, path []string) []*Watching {
	if g == nil || h.User != "" && h.User != g.key.user {
		return found
	}
	for _, e := range g.members {
		if e.place().concerns(h, path) {
			found = append(found, e)
		}
	}
	return found
}

// look has a member looked at soon, because somebody told of a change. d.mu is
// held.
func (d *Desk) look(e *Watching, after time.Duration) {
	e.told = true
	if e.busy {
		return // once more when that is over
	}
	d.schedule(e, max(d.now()+after, e.looked+time.Duration(e.gather)*time.Millisecond))
}

// gathers says how long the events are gathered that come after a look. d.mu is
// held.
func (e *Watching) gathers(told bool, now time.Duration) {
	switch {
	case !told || e.first:
		e.gather = 0 // nothing has happened yet
	case e.gather > 0 && now-e.looked < calm:
		e.gather = min(2*e.gather, int16(mostGather/time.Millisecond))
	default:
		e.gather = int16(leastGather / time.Millisecond)
	}
}

// Vouch says that a source works and tells of every change in a scope, which is
// a hint that nobody looks for. It counts for a while, or until Vouch says
// otherwise for the same scope: 0 ends it. The scope's backend has to be named;
// its path is that of one collection.
//
// A source that is named in its hints need not do so: it is trusted when an
// event of it led to a change that nobody else had found.
func (d *Desk) Vouch(s Hint, span time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.trust.vouch(scopeOf(s), now.Add(span), now)
}

// Trusted tells whether changes in a scope are expected to be told.
func (d *Desk) Trusted(s Hint) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trust.healthy(place{s.Backend, s.User, segments(s.Path)}, time.Now())
}

// Each shows the owners of all that is watched.
func (d *Desk) Each(show func(Owner)) {
	d.mu.Lock()
	var owners []Owner
	for _, g := range d.groups {
		for _, e := range g.members {
			owners = append(owners, e.owner)
		}
	}
	d.mu.Unlock()
	for _, o := range owners {
		show(o)
	}
}

// Watching is the number of collections, and lists of them, that are watched.
func (d *Desk) Watching() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.groups {
		n += len(g.members)
	}
	return n
}

// Close ends all watching and waits for what is under way.
func (d *Desk) Close() error {
	d.mu.Lock()
	d.open()
	d.closed = true
	d.stop()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.mu.Unlock()
	d.running.Wait()
	return nil
}

// A queue is a heap by the time of the next look.
type queue []*Watching

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = int32(i), int32(j)
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	e := x.(*Watching)
	e.index = int32(len(*q))
	*q = append(*q, e)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}

// schedule says when to look at e next. d.mu is held.
func (d *Desk) schedule(e *Watching, due time.Duration) {
	if e.gone || d.closed {
		return
	}
	e.due, e.waiting = due, false // it is in no lane any more
	if e.index >= 0 {
		heap.Fix(&d.queue, int(e.index))
	} else {
		heap.Push(&d.queue, e)
	}
	d.arm()
}

// unschedule takes e out of the queue. d.mu is held.
func (d *Desk) unschedule(e *Watching) {
	e.waiting = false
	if e.index >= 0 {
		heap.Remove(&d.queue, int(e.index))
	}
}
