// Package watch notices changes in a collection while somebody waits for them: by the backend's own events where it has them, else by asking.
package watch

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Watcher looks after one collection, or after the list of collections.
// Refresh and Publish are required.
type Watcher struct {
	// Session offers the extras that make watching cheap. Nil means that only
	// Refresh is asked.
	Session backend.Session

	// Collection is what to watch; empty means the list of collections, for
	// which only Refresh is asked.
	Collection backend.CollectionID

	// Refresh takes over what is new in the backend and tells whether there
	// was anything.
	Refresh func(ctx context.Context) (changed bool, err error)

	// Publish wakes those who wait. It must not block.
	Publish func()

	// Min and Max bound the time between two questions; 0 means DefaultMin and
	// DefaultMax.
	Min, Max time.Duration

	// Report is told of every error that Run lives on after, before it waits.
	// Nil means that nobody is told.
	Report func(error)
}

// Bounds of the time between two questions.
const (
	DefaultMin = 15 * time.Second
	DefaultMax = 5 * time.Minute
)

// Run watches until the context ends (and answers its cause), or until the
// backend answers kind Denied or, after a last Publish, NotFound (and answers
// that error): a password that is no longer right must not be tried again and
// again.
func (w Watcher) Run(ctx context.Context) error {
	r := newRun(w)
	return r.loop(ctx)
}
