package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A following is one call of Watch for all collections of a group. Where one is
// added a new call takes over, and the old one ends when that works.
type following struct {
	session backend.Watcher
	ids     []backend.CollectionID
	stop    context.CancelFunc
	before  *following // until ready
	ready   bool       // they come
	retry   time.Duration
	none    bool // the backend has no events after all
}

func (f *following) good() bool { return f != nil && f.ready }

// unfollow ends the events of a group. Desk.mu is held.
func (g *group) unfollow() {
	for f := g.events; f != nil; f = f.before {
		f.stop()
	}
	g.events = nil
}

// followEvents lets the backend tell of e, if it can.
func (d *Desk) followEvents(e *Watching) {
	if e.w.Session == nil {
		return
	}
	session, ok := backend.As[backend.Watcher](e.w.Session)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.follow(e.group, session)
}

// follow has a group's collections watched, all of them. d.mu is held.
func (d *Desk) follow(g *group, session backend.Watcher) {
	before := g.events
	if d.closed || len(g.members) == 0 || before != nil && before.none {
		return
	}
	var ids []backend.CollectionID
	for _, e := range g.members {
		if e.opened && e.w.Session != nil {
			ids = append(ids, e.w.Collection)
		}
	}
	slices.Sort(ids)
	if before != nil && slices.Equal(ids, before.ids) {
		return
	}
	ctx, stop := context.WithCancel(d.ctx)
	f := &following{session: session, ids: ids, stop: stop, before: before}
	if before != nil {
		f.retry = before.retry
	}
	g.events = f
	d.running.Go(func() {
		defer stop()
		err := session.Watch(ctx, ids, func() { d.follows(g, f) }, func(c backend.CollectionID) { d.happened(g, c) })
		d.broke(ctx, g, f, err)
	})
}

// follows notes that events come, and looks for what happened before they did.
func (d *Desk) follows(g *group, f *following) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.ready, f.retry = true, 0
	for old := f.before; old != nil; old = old.before {
		old.stop()
	}
	f.before = nil
	if g.events != f {
		return
	}
	for _, e := range g.members {
		if _, there := slices.BinarySearch(f.ids, e.w.Collection); there {
			d.look(e, 0)
		}
	}
}

// happened is an event.
func (d *Desk) happened(g *group, c backend.CollectionID) {
	d.ownEvent(g.key.backend)
	if d.Counts != nil {
		d.Counts.Happened(g.key.backend)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range g.members {
		if e.w.Collection == c && !e.told {
			d.look(e, settle)
		}
	}
}

// broke notes the end of events, and tries again a little later.
func (d *Desk) broke(ctx context.Context, g *group, f *following, err error) {
	d.mu.Lock()
	if ctx.Err() != nil || g.events != f {
		d.mu.Unlock()
		return
	}
	f.ready = false
	if backend.KindOf(err) == backend.Unsupported {
		f.none = true
		d.mu.Unlock()
		return
	}
	f.retry = longer(f.retry)
	wait := spreadOut(f.retry)
	members := slices.Clone(g.members)
	for _, e := range members {
		d.look(e, settle) // what happened meanwhile
	}
	d.mu.Unlock()
	if backend.KindOf(err) == backend.Denied {
		for _, e := range members {
			d.end(e, err)
		}
		return
	}
	if err == nil {
		err = errors.New("the backend ended them")
	}
	if report := members[0].w.Report; report != nil {
		report(fmt.Errorf("watch: events broke off: %w", err))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.events == f {
		f.ids, f.before = nil, nil
		d.follow(g, f.session)
	}
}
