package syncengine

import (
	"context"
	"sync"
)

// flights runs one thing per folder at a time. Who comes while it runs waits
// for the next run, together with all others who do. The zero value is ready.
type flights struct {
	mu sync.Mutex
	by map[FolderID]*flight
}

// A flight is the run under way and the one that waits for its end.
type flight struct {
	running, next *run
}

// A run is led by one caller; the others share what comes of it.
type run struct {
	done    chan struct{}
	changed bool
	err     error
	left    bool // the leader's context ended: whoever shared it tries again
}

// do runs work, or shares a run that begins after this call. Context errors
// are the caller's own.
func (f *flights) do(ctx context.Context, id FolderID, work func() (bool, error)) (bool, error) {
	for {
		r, before, leads := f.join(id)
		if !leads {
			select {
			case <-r.done:
			case <-ctx.Done():
				return false, context.Cause(ctx)
			}
			if r.left && ctx.Err() == nil {
				continue
			}
			return r.changed, r.err
		}
		if before != nil {
			select {
			case <-before.done:
			case <-ctx.Done():
				f.leave(id, r, context.Cause(ctx))
				return false, context.Cause(ctx)
			}
			f.start(id, r)
		}
		return f.lead(ctx, id, r, work)
	}
}

// join finds the run to share or to lead. before is the one to wait for.
func (f *flights) join(id FolderID) (r, before *run, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[FolderID]*flight{}
	}
	fl := f.by[id]
	switch {
	case fl == nil:
		r = &run{done: make(chan struct{})}
		f.by[id] = &flight{running: r}
		return r, nil, true
	case fl.next == nil:
		fl.next = &run{done: make(chan struct{})}
		return fl.next, fl.running, true
	}
	return fl.next, nil, false
}

// start makes the waiting run the one under way.
func (f *flights) start(id FolderID, r *run) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.by[id]
	fl.running, fl.next = r, nil
}

// leave gives up a run that did not begin.
func (f *flights) leave(id FolderID, r *run, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.by[id]
	fl.next = nil
	if fl.running.ended() {
		delete(f.by, id)
	}
	r.err, r.left = err, true
	close(r.done)
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// lead runs the work and tells everybody, even if it panics.
func (f *flights) lead(ctx context.Context, id FolderID, r *run, work func() (bool, error)) (bool, error) {
	r.left = true // unless work comes back
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.by[id].next == nil {
			delete(f.by, id)
		}
		close(r.done)
	}()
	r.changed, r.err = work()
	r.left = ctx.Err() != nil && r.err != nil
	return r.changed, r.err
}
