package watch

import (
	"sync"
	"time"
)

// A Desk is where word from outside arrives: [Desk.Hint]. It knows what is
// watched, and how far events can be relied on. The zero value is ready for
// use, and its methods may be called from many goroutines; none of them waits
// for anything.
type Desk struct {
	mu      sync.Mutex
	watched map[*run]struct{}
	trust   trust
	own     map[string]time.Time // by backend, see OwnEvent
}

// Hint lets everybody look at once whom a hint may concern. Hints that come
// while one of them looks lead to one more look.
func (d *Desk) Hint(h Hint) {
	path := segments(h.Path)
	d.mu.Lock()
	defer d.mu.Unlock()
	for r := range d.watched {
		if r.place.concerns(h, path) {
			r.source = h.Source
			r.unannounced = time.Time{}
			nudge(r.hinted)
		}
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

func (d *Desk) add(r *run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watched == nil {
		d.watched = make(map[*run]struct{})
	}
	d.watched[r] = struct{}{}
}

func (d *Desk) remove(r *run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.watched, r)
}

// begin answers who asked for the look that begins.
func (d *Desk) begin(r *run) (source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	source, r.source = r.source, ""
	return source
}

// found judges the sources by what a look found. hinted tells that it was an
// event of that source that led to it.
func (d *Desk) found(r *run, changed, hinted bool, source string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if overdue := r.unannounced; !overdue.IsZero() && now.Sub(overdue) > grace {
		d.trust.doubt(r.place)
		r.unannounced = time.Time{}
	}
	switch {
	case !changed:
	case hinted:
		d.trust.prove(r.place.backend, source)
	case d.trust.healthy(r.place, now):
		r.unannounced = now
	}
}
