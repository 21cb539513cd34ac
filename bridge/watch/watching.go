package watch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Watching is a Watcher at work, and kept small: each person has some. All of it
// is guarded by the desk's mu, but what Open says and the tag belong to the look
// that is under way.
type Watching struct {
	group      *group // with the Backend and the User
	owner      Owner
	session    backend.Session
	collection backend.CollectionID
	list       *List
	terms      *terms

	due    time.Duration // of the next look, since the desk was opened
	looked time.Duration // when the last one began
	index  int32         // in the desk's queue; -1 if it is not there
	gather int16         // milliseconds until the next one after that, at least
	retry  int16         // seconds that were waited after the last failure; 0 if there was none

	opened  bool // Open was called with success, or there is none
	first   bool // nobody has looked yet
	waiting bool // in a lane
	busy    bool // somebody looks
	told    bool // the next look is because of an event
	broad   bool // which concerns many others, too, or it is the first look
	gone    bool // stopped, or ended
	tagged  bool // there is a tag

	source      string        // who told
	unannounced time.Duration // when a question found a change that no event has told of yet; 0 if none

	tag      string        // of the collection when it was last refreshed
	interval time.Duration // until the next question, without spread
	pace     time.Duration // until the next question, as it was in the end
}

func (e *Watching) place() place { return placeOf(e.group.key.backend, e.group.key.user, e.collection) }

// Stop ends the watching. A look that is under way may still come to its end.
func (e *Watching) Stop() {
	e.terms.desk.mu.Lock()
	defer e.terms.desk.mu.Unlock()
	e.terms.desk.leave(e)
}

// End ends the watching as if the backend had answered err.
func (e *Watching) End(err error) { e.terms.desk.end(e, err) }

// leave takes e out everywhere, and answers whether it was there. d.mu is held.
func (d *Desk) leave(e *Watching) bool {
	if e.gone {
		return false
	}
	e.gone = true
	d.unschedule(e)
	d.part(e)
	return true
}

// part takes e out of its group. d.mu is held.
func (d *Desk) part(e *Watching) {
	g := e.group
	g.members = slices.DeleteFunc(g.members, func(o *Watching) bool { return o == e })
	if len(g.members) == 0 {
		g.unfollow()
		if d.groups[g.key] == g {
			delete(d.groups, g.key)
		}
	}
}

// join puts e into the group of its person and backend. account is the User of the
// list of that person's collections. d.mu is held.
func (d *Desk) join(e *Watching, key groupKey, account string) {
	g := d.groups[key]
	if g == nil {
		g = &group{desk: d, key: key, account: account}
		d.groups[key] = g
	}
	e.group = g
	g.members = append(g.members, e)
}

func (d *Desk) end(e *Watching, err error) {
	d.mu.Lock()
	there := d.leave(e)
	d.mu.Unlock()
	if there {
		e.owner.Ended(err)
	}
}

// prober is the session's cheap question; nil if there is none.
func (e *Watching) prober() backend.Prober {
	if !e.opened || e.collection == "" || e.session == nil || e.group.unprobed {
		return nil
	}
	p, _ := backend.As[backend.Prober](e.session)
	return p
}

// lookAt asks the backend about some of a person's collections, and answers
// how long that took it.
func (d *Desk) lookAt(batch []*Watching) time.Duration {
	start := time.Now()
	d.mu.Lock()
	told, source := batch[0].told, batch[0].source
	for _, e := range batch {
		now := d.now()
		e.gathers(told, now)
		e.told, e.broad, e.source, e.looked = false, false, "", now
	}
	d.mu.Unlock()
	if e := batch[0]; !e.opened {
		if err := d.guarded(e, func() error { return e.open(d.ctx) }); err != nil {
			d.done(e, false, told, source, err, time.Since(start))
		}
		return 0 // if it went well, it is its backend's turn
	}
	if batch[0].first {
		d.followEvents(batch[0])
	}
	var tags map[backend.CollectionID]string
	var err error
	// After an event there is no doubt that it has to be looked at; the tag
	// would only cost the backend another answer.
	if p := batch[0].prober(); p != nil && (!told || batch[0].first) {
		err = d.guarded(batch[0], func() (err error) { tags, err = p.Probe(d.ctx, collections(batch)); return err })
		switch {
		case err == nil && tags == nil:
			tags = map[backend.CollectionID]string{}
		case backend.KindOf(err) == backend.Unsupported:
			d.mu.Lock()
			batch[0].group.unprobed = true
			d.mu.Unlock()
			tags, err = nil, nil
		}
	}
	probing := time.Since(start) / time.Duration(len(batch))
	for _, e := range batch {
		began, changed, failed := time.Now(), false, err
		if err == nil {
			failed = d.guarded(e, func() (err error) { changed, err = e.question(d.ctx, tags, told); return err })
		}
		d.done(e, changed, told, source, failed, probing+time.Since(began))
	}
	return time.Since(start)
}

func collections(batch []*Watching) []backend.CollectionID {
	ids := make([]backend.CollectionID, len(batch))
	for i, e := range batch {
		ids[i] = e.collection
	}
	return ids
}

// guarded keeps a panic from the other looks.
func (d *Desk) guarded(e *Watching, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("watch: looking panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// open finds out what is to be watched, and waits for the backend's time.
func (e *Watching) open(ctx context.Context) error {
	key := e.group.key
	w := Watcher{Session: e.session, Collection: e.collection, List: e.list, Backend: key.backend, User: key.user}
	if err := e.owner.Open(ctx, &w); err != nil {
		return err
	}
	d := e.terms.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	account := e.group.account
	e.session, e.collection, e.list = w.Session, w.Collection, w.List
	e.opened, e.busy, e.broad = true, false, !e.told
	e.told = true
	if !e.gone {
		d.part(e)
		d.join(e, groupKey{w.Backend, w.User}, account)
		d.schedule(e, d.now())
	}
	return nil
}

// question compares the backend's tag, if it has one, and else refreshes.
func (e *Watching) question(ctx context.Context, tags map[backend.CollectionID]string, told bool) (bool, error) {
	var tag string
	if tags != nil {
		var there bool
		if tag, there = tags[e.collection]; !there {
			return false, backend.Errorf(backend.NotFound, "watch: probe", "the collection is gone")
		}
		if wait, ok := e.dueIn(ctx); !told && e.tagged && tag == e.tag && !(ok && wait <= 0) {
			return false, nil
		}
	}
	// The tag is older than the refresh, so that what happens between them
	// is found at the next question.
	changed, err := e.owner.Refresh(ctx)
	if err == nil {
		e.tag, e.tagged = tag, tags != nil
	}
	return changed, err
}

func (e *Watching) dueIn(ctx context.Context) (time.Duration, bool) {
	if !e.opened {
		return 0, false // nobody knows yet
	}
	return e.owner.Due(ctx)
}

// done tells what came of a look, and says when the next one is.
func (d *Desk) done(e *Watching, changed, told bool, source string, err error, cost time.Duration) {
	if err != nil && d.ctx.Err() != nil {
		err = errClosed
	}
	kind := backend.KindOf(err)
	d.counts(e, told, err, cost)
	switch {
	case err == errClosed, kind == backend.Denied:
		d.end(e, err)
		return
	case kind == backend.NotFound:
		e.owner.Publish() // those who wait find out that it is gone
		d.end(e, err)
		return
	case err != nil:
		e.owner.Report(err)
	}
	if changed {
		e.owner.Publish()
	}
	due, soon := e.dueIn(d.ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	e.busy = false
	var wait time.Duration
	if err != nil {
		again := longer(time.Duration(e.retry) * time.Second)
		e.retry = int16(again / time.Second)
		wait = spreadOut(max(again, min(backend.RetryAfter(err), longestRetryAfter), costShare*cost))
	} else {
		wait = d.wait(e, changed, told && !e.first, source, cost)
		e.first, e.retry = false, 0
		if soon {
			wait = min(wait, max(due, e.terms.min))
		}
	}
	e.pace = wait
	switch {
	case e.gone:
	case e.told:
		d.look(e, 0)
	default:
		d.schedule(e, d.now()+wait)
	}
}

// counts counts a question. That something is gone is an answer.
func (d *Desk) counts(e *Watching, told bool, err error, cost time.Duration) {
	switch {
	case d.Counts == nil, err == errClosed:
		return
	case backend.KindOf(err) == backend.NotFound:
		err = nil
	}
	d.Counts.Polled(e.group.key.backend, told, cost, err)
}

// wait is how long until the next question after one that was answered. d.mu is
// held.
func (d *Desk) wait(e *Watching, changed, told bool, source string, cost time.Duration) time.Duration {
	now := d.now()
	if e.unannounced > 0 && now-e.unannounced >= grace {
		d.doubt(e)
		e.unannounced = 0
	}
	trusted := d.trusts(e)
	switch {
	case changed && told:
		d.prove(e, source)
		trusted = d.trusts(e)
	case changed && trusted && !e.first && !e.told: // else the event came meanwhile
		e.unannounced = now
	}
	if changed {
		e.interval = e.terms.min
	} else {
		e.interval = min(time.Duration(growth*float64(e.interval)), e.terms.max)
	}
	upper := time.Duration(float64(e.terms.max) / (1 + spread))
	wait := spreadOut(max(min(e.interval, max(upper, e.terms.min)), costShare*cost))
	switch {
	case e.unannounced > 0:
		return grace // then it is clear what is to be thought of the events
	case changed && e.collection == "":
		return wait // what describes a new collection may come after it
	case trusted && e.collection == "":
		return max(wait, spreadOut(safetyList))
	case trusted:
		return max(wait, spreadOut(safetyTrusted))
	case e.group.events.good() && e.collection != "":
		return max(wait, spreadOut(safety))
	}
	return wait
}

// trusts tells whether changes of e are expected to be told. d.mu is held.
func (d *Desk) trusts(e *Watching) bool {
	now := time.Now()
	if e.group.key.backend != "" || e.collection != "" {
		return d.trust.healthy(e.place(), now) || e.group.events.good() && d.trust.proven(e.group.key.backend, ownEvents)
	}
	if e.list == nil {
		return false
	}
	for _, name := range e.list.Backends {
		user := e.owner.NameAt(name)
		g := d.groups[groupKey{name, user}]
		own := g != nil && g.events.good() && g.events.lists && d.trust.proven(name, ownEvents)
		if !d.trust.tells(name) || !own && !d.trust.healthy(place{backend: name, user: user}, now) {
			return false
		}
	}
	return len(e.list.Backends) > 0
}

// prove notes that an event of a source led to a change of e. d.mu is held.
func (d *Desk) prove(e *Watching, source string) {
	if e.group.key.backend != "" {
		d.trust.prove(e.group.key.backend, source)
	}
	if e.list != nil && source != "" {
		for _, name := range e.list.Backends {
			d.trust.told(name)
		}
	}
}

// doubt notes that nobody told of a change of e. d.mu is held.
func (d *Desk) doubt(e *Watching) {
	d.trust.doubt(e.place())
	if e.list != nil {
		for _, name := range e.list.Backends {
			d.trust.untold(name)
		}
	}
}

// longer is the wait after the next failure.
func longer(d time.Duration) time.Duration {
	return max(firstRetry, min(2*d, lastRetry))
}

func spreadOut(d time.Duration) time.Duration {
	return d + time.Duration(spread*rand.Float64()*float64(d))
}
