package account

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A watched session tells the account when the backend no longer accepts the
// password, and does not ask it once that is known.
type watched struct {
	backend.Session
	account *Account
	backend string
}

var (
	_ backend.Watcher  = watched{}
	_ backend.Follower = (*watched)(nil)

	_ backend.ListWatcher = watched{}

	_ backend.Prober = watched{}

	_ backend.Scheduler  = watched{}
	_ backend.Identifier = watched{}
	_ backend.FreeBusier = watched{}

	_ backend.FolderEditor = watched{}
	_ backend.Subscriber   = watched{}

	_ backend.Mailbox    = watched{}
	_ backend.Sender     = watched{}
	_ backend.Searcher   = watched{}
	_ backend.Vacationer = watched{}
)

// String names the backend and the person; the session inside may have the
// password.
func (w watched) String() string { return w.backend + ": session of " + w.account.name }

// GoString hides the session from %#v, too.
func (w watched) GoString() string { return "account.watched{" + w.String() + "}" }

// Unwrap lets backend.As find the extras inside that are not listed here.
func (w watched) Unwrap() backend.Session { return w.Session }

// Extras are those of the session inside.
func (w watched) Extras() []backend.Extra { return backend.Extras(w.Session) }

// ask makes a call unless the password is known to be refused.
func (w watched) ask(call func() error) error {
	if err := w.account.standing.err(); err != nil {
		return err
	}
	return w.account.denied(w.backend, call())
}

func (w watched) Collections(ctx context.Context) (cs []backend.Collection, err error) {
	err = w.ask(func() (err error) { cs, err = w.Session.Collections(ctx); return err })
	return cs, err
}

func (w watched) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (next backend.Cursor, err error) {
	err = w.ask(func() (err error) { next, err = w.Session.Changes(ctx, c, since, yield); return err })
	return next, err
}

func (w watched) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return w.ask(func() error { return w.Session.Get(ctx, c, ids, yield) })
}

func (w watched) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (stored backend.Item, err error) {
	err = w.ask(func() (err error) { stored, err = w.Session.Put(ctx, c, it); return err })
	return stored, err
}

func (w watched) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	return w.ask(func() error { return w.Session.Delete(ctx, c, id, rev) })
}

func (w watched) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (moved backend.Item, err error) {
	err = w.ask(func() (err error) { moved, err = w.Session.Move(ctx, from, id, to); return err })
	return moved, err
}

func (w watched) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	inside, ok := backend.As[backend.Watcher](w.Session)
	if !ok {
		return backend.E(backend.Unsupported, "account: watch", nil)
	}
	return w.ask(func() error { return inside.Watch(ctx, cs, ready, changed) })
}

func (w watched) WatchesList() bool {
	inside, ok := backend.As[backend.ListWatcher](w.Session)
	return ok && inside.WatchesList()
}

func (w *watched) Follow(cs []backend.CollectionID, f backend.Followed) (func(), bool) {
	inside, _ := backend.As[backend.Watcher](w.Session)
	follower, ok := inside.(backend.Follower)
	if !ok || w.account.standing.err() != nil { // which Watch tells
		return nil, false
	}
	return follower.Follow(cs, followed{f, w})
}

// followed tells the account when the backend no longer accepts the password.
type followed struct {
	backend.Followed
	w *watched
}

func (f followed) Ended(err error) { f.Followed.Ended(f.w.account.denied(f.w.backend, err)) }

func (w watched) Probe(ctx context.Context, cs []backend.CollectionID) (tags map[backend.CollectionID]string, err error) {
	inside, ok := backend.As[backend.Prober](w.Session)
	if !ok {
		return nil, backend.E(backend.Unsupported, "account: probe", nil)
	}
	err = w.ask(func() (err error) { tags, err = inside.Probe(ctx, cs); return err })
	return tags, err
}

func (w watched) Schedules(ctx context.Context, c backend.CollectionID) (yes bool, err error) {
	inside, ok := backend.As[backend.Scheduler](w.Session)
	if !ok {
		return false, backend.E(backend.Unsupported, "account: schedules", nil)
	}
	err = w.ask(func() (err error) { yes, err = inside.Schedules(ctx, c); return err })
	return yes, err
}

func (w watched) Identity(ctx context.Context) (id backend.Identity, err error) {
	inside, ok := backend.As[backend.Identifier](w.Session)
	if !ok {
		return backend.Identity{}, backend.E(backend.Unsupported, "account: identity", nil)
	}
	err = w.ask(func() (err error) { id, err = inside.Identity(ctx); return err })
	return id, err
}

func (w watched) FreeBusy(ctx context.Context, addresses []string, from, to time.Time) (found map[string][]byte, err error) {
	inside, ok := backend.As[backend.FreeBusier](w.Session)
	if !ok {
		return nil, backend.E(backend.Unsupported, "account: free and busy", nil)
	}
	err = w.ask(func() (err error) { found, err = inside.FreeBusy(ctx, addresses, from, to); return err })
	return found, err
}

func (w watched) CreateCollection(ctx context.Context, c backend.Collection) (made backend.Collection, err error) {
	err = w.edit(func(e backend.FolderEditor) (err error) { made, err = e.CreateCollection(ctx, c); return err })
	return made, err
}

func (w watched) UpdateCollection(ctx context.Context, c backend.Collection) (is backend.Collection, err error) {
	err = w.edit(func(e backend.FolderEditor) (err error) { is, err = e.UpdateCollection(ctx, c); return err })
	return is, err
}

func (w watched) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	return w.edit(func(e backend.FolderEditor) error { return e.DeleteCollection(ctx, id) })
}

// edit is ask for a session that edits the list of collections.
func (w watched) edit(call func(backend.FolderEditor) error) error {
	inside, ok := backend.As[backend.FolderEditor](w.Session)
	if !ok {
		return backend.E(backend.Unsupported, "account: edit folders", nil)
	}
	return w.ask(func() error { return call(inside) })
}

func (w watched) Subscribe(ctx context.Context, c backend.CollectionID, sub backend.PushSubscription) (given backend.PushRegistration, err error) {
	inside, ok := backend.As[backend.Subscriber](w.Session)
	if !ok {
		return given, backend.E(backend.Unsupported, "account: subscribe", nil)
	}
	err = w.ask(func() (err error) { given, err = inside.Subscribe(ctx, c, sub); return err })
	return given, err
}
