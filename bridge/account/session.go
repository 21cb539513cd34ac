package account

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A watched session tells the account when the backend no longer accepts the
// password.
type watched struct {
	backend.Session
	account *Account
}

// Unwrap lets backend.As find the extras inside.
func (w watched) Unwrap() backend.Session { return w.Session }

func (w watched) Collections(ctx context.Context) ([]backend.Collection, error) {
	cs, err := w.Session.Collections(ctx)
	w.account.Denied(err)
	return cs, err
}

func (w watched) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	next, err := w.Session.Changes(ctx, c, since, yield)
	w.account.Denied(err)
	return next, err
}

func (w watched) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	err := w.Session.Get(ctx, c, ids, yield)
	w.account.Denied(err)
	return err
}

func (w watched) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	it, err := w.Session.Put(ctx, c, it)
	w.account.Denied(err)
	return it, err
}

func (w watched) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	err := w.Session.Delete(ctx, c, id, rev)
	w.account.Denied(err)
	return err
}

func (w watched) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	it, err := w.Session.Move(ctx, from, id, to)
	w.account.Denied(err)
	return it, err
}
