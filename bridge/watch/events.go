package watch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A following is one call of Watch for all collections of a group. Where one is
// added a new call takes over, and the old one ends when that works.
type following struct {
	group   *group
	session backend.Watcher
	ids     []backend.CollectionID
	stop    func()     // nil until it has begun
	before  *following // until ready
	lists   bool       // of the list of collections, too
	ready   bool       // they come
	over    bool       // stopped
	none    bool       // the backend has no events after all
	retry   time.Duration
}

var _ backend.Followed = (*following)(nil)

func (f *following) good() bool { return f != nil && f.ready }

// unfollow ends the events of a group. Desk.mu is held.
func (g *group) unfollow() {
	for f := g.events; f != nil; f = f.before {
		f.end()
	}
	g.events = nil
}

// end stops them. Desk.mu is held.
func (f *following) end() {
	f.over = true
	if f.stop != nil {
		f.stop()
	}
}

// followEvents lets the backend tell of e, if it can.
func (d *Desk) followEvents(e *Watching) {
	if e.session == nil {
		return
	}
	session, ok := backend.As[backend.Watcher](e.session)
	if !ok {
		return
	}
	d.mu.Lock()
	f := d.follow(e.group, session)
	d.mu.Unlock()
	f.begin()
}

// follow has a group's collections watched, all of them, by what it answers; nil
// if there is nothing to do. d.mu is held.
func (d *Desk) follow(g *group, session backend.Watcher) *following {
	before := g.events
	if d.closed || len(g.members) == 0 || before != nil && before.none {
		return nil
	}
	ids := make([]backend.CollectionID, 0, len(g.members)+1)
	l, lists := backend.As[backend.ListWatcher](session)
	if lists = lists && l.WatchesList(); lists {
		ids = append(ids, "")
	}
	for _, e := range g.members {
		if e.opened && e.session != nil {
			ids = append(ids, e.collection)
		}
	}
	slices.Sort(ids)
	if before != nil && slices.Equal(ids, before.ids) {
		return nil
	}
	f := &following{group: g, session: session, ids: ids, lists: lists, before: before}
	if before != nil {
		f.retry = before.retry
	}
	g.events = f
	return f
}

// begin begins to follow: without a goroutine, if the session can do that.
func (f *following) begin() {
	if f == nil {
		return
	}
	var stop func()
	if s, ok := f.session.(backend.Follower); ok {
		stop, _ = s.Follow(f.ids, f)
	}
	d := f.group.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed || f.over:
		if stop != nil {
			stop()
		}
	case stop != nil:
		f.stop = stop
	default:
		ctx, cancel := context.WithCancel(d.ctx)
		f.stop = cancel
		d.running.Go(func() {
			defer cancel()
			f.Ended(f.session.Watch(ctx, f.ids, f.Ready, f.Changed))
		})
	}
}

// Ready notes that events come, and has what happened before they did looked for.
func (f *following) Ready() {
	d, g := f.group.desk, f.group
	d.mu.Lock()
	defer d.mu.Unlock()
	again := f.retry > 0
	f.ready, f.retry = true, 0
	list := f.lists
	for old := f.before; old != nil; old = old.before {
		list = list && !(old.ready && old.lists) // or nothing of it was missed
		old.end()
	}
	f.before = nil
	if g.events != f {
		return
	}
	for _, e := range g.members {
		if _, there := slices.BinarySearch(f.ids, e.collection); there {
			e.broad = e.broad || again && !e.told // those of all others come back, too
			d.look(e, 0)
		}
	}
	if list {
		for e := range d.listsOf(g) {
			e.broad = e.broad || !e.told
			d.look(e, 0)
		}
	}
}

// listsOf are those who watch a list in which a group's collections are. d.mu is
// held.
func (d *Desk) listsOf(g *group) iter.Seq[*Watching] {
	return func(yield func(*Watching) bool) {
		lists := d.groups[groupKey{"", g.account}]
		if lists == nil {
			return
		}
		for _, e := range lists.members {
			if e.list.in(g.key.backend) && !yield(e) {
				return
			}
		}
	}
}

// Changed is an event.
func (f *following) Changed(c backend.CollectionID) {
	d, g := f.group.desk, f.group
	d.ownEvent(g.key.backend)
	if d.Counts != nil {
		d.Counts.Happened(g.key.backend)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	heard := func(e *Watching) {
		if e.unannounced = 0; !e.told {
			e.source = ownEvents
			d.look(e, settle)
		}
	}
	for _, e := range g.members {
		if e.collection == c {
			heard(e)
		}
	}
	if c == "" {
		for e := range d.listsOf(g) {
			heard(e)
		}
	}
}

// Ended notes the end of events, and tries again a little later.
func (f *following) Ended(err error) {
	d, g := f.group.desk, f.group
	d.mu.Lock()
	if d.closed || f.over {
		d.mu.Unlock()
		return
	}
	current, worked := g.events == f, f.ready // else another was to take over
	f.ready, f.none = false, backend.KindOf(err) == backend.Unsupported
	members := slices.Clone(g.members)
	if worked || current && !f.none {
		for _, e := range members {
			e.broad = e.broad || !e.told
			d.look(e, settle) // what happened meanwhile
		}
	}
	if worked && f.lists {
		for e := range d.listsOf(g) {
			d.askAgain(e)
		}
	}
	if !current || f.none {
		d.mu.Unlock()
		return
	}
	f.retry = longer(f.retry)
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
	members[0].owner.Report(fmt.Errorf("watch: events broke off: %w", err))
	time.AfterFunc(spreadOut(f.retry), f.again)
}

// askAgain has e asked as often as without events, if nobody tells of it any more:
// it may have been left alone for hours. d.mu is held.
func (d *Desk) askAgain(e *Watching) {
	due := d.now() + spreadOut(e.interval)
	if e.index < 0 || e.due <= due || d.trusts(e) {
		return // it is being looked at, or is soon, or others tell
	}
	d.schedule(e, due)
}

// again begins anew what has broken off. What it was to take over from goes on
// until that works.
func (f *following) again() {
	d, g := f.group.desk, f.group
	d.mu.Lock()
	if d.closed || f.over || g.events != f {
		d.mu.Unlock()
		return
	}
	f.end() // to free what it holds
	f.ids = nil
	next := d.follow(g, f.session)
	if next != nil {
		next.before = f.before
	}
	d.mu.Unlock()
	next.begin()
}
