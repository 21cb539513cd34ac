// Package watch notices changes in a collection while somebody waits for them: by the backend's own events where it has them, else by asking.
//
// # Asking
//
// The time between two questions begins at Watcher.Min, grows to Watcher.Max while
// nothing happens, and is Min again after a change. There is one watcher for all
// phones of a person, a server that answers slowly is asked less often, and so is
// everybody where a backend would be asked for more than its share of a core.
//
// That share is what spares a server, so DefaultMax does not have to: it is minutes
// and not the half hour that would do for a folder at rest, as it is the longest
// that a person waits for what somebody else changed and of which nobody tells.
//
// # Word from outside
//
// Whoever hears of changes elsewhere - from a storage hook, a webhook, a push
// message - tells the [Desk]: Desk.Hint finds the collections that are watched
// and may be concerned, and has them looked at once. A hint is not believed in
// any other way.
//
// Polling is the safety net, and slows down to once an hour where events can
// be relied on. A source that names itself in its hints is relied on, for its
// whole backend, once an event of it led to a change; so are the events of the
// backend itself, for those people of whom they come; one that knows that it
// works says so with Desk.Vouch, for a backend, a person or a collection. When a
// question finds a change and no event comes for it within half a minute,
// nobody who should have told is relied on any more: one who names himself has
// to prove himself again, twice as often as the time before; others vouch again.
//
// The list of collections is asked for seldom where that is so at all backends
// that it is of. A backend's own events count if they tell of lists, too; see
// [backend.ListWatcher]. If a change of the list is found that nobody told of,
// one has to be told before the list is left alone again.
package watch

import (
	"context"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Watcher looks after one collection, or after the list of collections.
// Refresh and Publish are required, or an Owner.
type Watcher struct {
	// Session offers the extras that make watching cheap. Nil means that only
	// Refresh is asked.
	Session backend.Session

	// Collection is what to watch; empty means the list of collections: that of
	// one backend, or, if Backend is empty, of those of List.
	Collection backend.CollectionID

	// List says what is in the list of collections. Nil means that nobody knows.
	List *List

	// Desk is where Run works; nil means at one of its own. Word from outside
	// reaches it under the name of its Backend in the configuration, and of the
	// User there. Until Open the User is the one of the list of collections.
	Desk          *Desk
	Backend, User string

	// Owner is whose it is, for Desk.Each, and is asked and told in place of Open,
	// Refresh, Due, Publish, Report and what Desk.Start is given: for thousands of
	// people so many functions of each are much memory.
	Owner Owner

	// Open fills in what takes time to find out, before the first look; an
	// error is treated as one of Refresh. Nil means that all is said.
	Open func(ctx context.Context, w *Watcher) error

	// Refresh takes over what is new in the backend and tells whether there
	// was anything. It is called by one goroutine at a time.
	Refresh func(ctx context.Context) (changed bool, err error)

	// Due tells how long it is until Refresh has to be called whatever the
	// backend's tag says, which it is then; false if there is no such moment.
	// Nil means that there never is.
	Due func(ctx context.Context) (time.Duration, bool)

	// Publish wakes those who wait. It must not block.
	Publish func()

	// Min and Max bound the time between two questions; 0 means DefaultMin and
	// DefaultMax. A backend that takes long to answer is asked less often than
	// Max says, see costShare.
	Min, Max time.Duration

	// Report is told of every error that Run lives on after. Nil means that
	// nobody is told.
	Report func(error)
}

// An Owner is what the functions of a [Watcher] are, in one: see there. Open and
// NameAt may be called until Ended or Stop.
type Owner interface {
	Open(ctx context.Context, w *Watcher) error
	Refresh(ctx context.Context) (changed bool, err error)
	Due(ctx context.Context) (time.Duration, bool)
	Publish()
	Report(err error)

	// Ended is told why the watching is over, unless it was stopped; see Run. It is
	// not called before Start has returned.
	Ended(err error)

	// NameAt is the User at a backend of the List.
	NameAt(backend string) string
}

// functions are the Owner of a Watcher that names none.
type functions struct {
	w     Watcher
	ended func(error)
}

func (f *functions) Open(ctx context.Context, w *Watcher) error {
	if f.w.Open == nil {
		return nil
	}
	w.Refresh, w.Due = f.w.Refresh, f.w.Due
	if err := f.w.Open(ctx, w); err != nil {
		return err
	}
	f.w.Refresh, f.w.Due = w.Refresh, w.Due
	return nil
}

func (f *functions) Refresh(ctx context.Context) (bool, error) { return f.w.Refresh(ctx) }

func (f *functions) Due(ctx context.Context) (time.Duration, bool) {
	if f.w.Due == nil {
		return 0, false
	}
	return f.w.Due(ctx)
}

func (f *functions) Publish() { f.w.Publish() }

func (f *functions) Report(err error) {
	if f.w.Report != nil {
		f.w.Report(err)
	}
}

func (f *functions) Ended(err error) {
	if f.ended != nil {
		f.ended(err)
	}
}

func (f *functions) NameAt(string) string { return f.w.User }

// A List says what is in a list of collections. Many lists may share it.
type List struct {
	Backends []string // whose collections they are; see Owner.NameAt
}

// in tells whether a backend's collections are in the list.
func (l *List) in(backend string) bool { return l != nil && slices.Contains(l.Backends, backend) }

const (
	// DefaultMin is the time between two questions after something happened.
	DefaultMin = 15 * time.Second

	// DefaultMax is the time between two questions when nothing happens.
	DefaultMax = 5 * time.Minute

	// growth is the factor by which the time between two questions grows as
	// long as nothing happens: from 15 s to 5 min in half an hour.
	growth = 1.2

	// spread is the share by which each time is lengthened at random, so that
	// collections that began together are not asked together for ever.
	spread = 0.2

	// costShare bounds the backend's time that one collection may take: the
	// time between two questions is at least so many times that of the
	// answer. Some servers look at every item to say that nothing changed.
	costShare = 20

	// safety is the time between two questions to a backend that has events,
	// in case that one was lost.
	safety = 10 * time.Minute

	// safetyTrusted is that time where a source of events is trusted, and
	// safetyList that for the list of collections, which changes once a year.
	safetyTrusted = time.Hour
	safetyList    = 6 * time.Hour

	// settle is how long after a backend's own event one looks, so that a file
	// is not found half written.
	settle = 5 * time.Millisecond

	// The time between two looks after events is leastGather, and doubles up
	// to mostGather while there is no calm in between: the phone hears at once
	// of a single change, but an import or a Git checkout has thousands of
	// events.
	leastGather = 10 * time.Millisecond
	mostGather  = 320 * time.Millisecond
	calm        = time.Second

	// A backend that failed is asked again after firstRetry, later after up to
	// lastRetry, and never before the time that it named itself (at most
	// longestRetryAfter, as that may be a slip).
	firstRetry        = 2 * time.Second
	lastRetry         = 5 * time.Minute
	longestRetryAfter = time.Hour
)

// Run watches until the context ends (and answers its cause), or until the
// backend answers kind Denied or, after a last Publish, NotFound (and answers
// that error): a password that is no longer right must not be tried again and
// again. Every other error is lived with.
//
// Every change that is made after Run began, and that nobody else found,
// leads to a Publish.
//
// It holds a goroutine; Desk.Start does the same without.
func (w Watcher) Run(ctx context.Context) error {
	d := w.Desk
	if d == nil {
		d = new(Desk)
		defer d.Close()
	}
	ended := make(chan error, 1)
	e := d.Start(w, func(err error) { ended <- err })
	select {
	case <-ctx.Done():
		e.Stop()
		return context.Cause(ctx)
	case err := <-ended:
		return err
	}
}

// fill sets what is not said.
func (w *Watcher) fill() {
	if w.Min == 0 {
		w.Min = DefaultMin
	}
	if w.Max == 0 {
		w.Max = DefaultMax
	}
	w.Max = max(w.Min, w.Max)
}
