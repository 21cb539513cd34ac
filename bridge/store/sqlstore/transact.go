package sqlstore

import "context"

// A joined is a transaction that several updates share.
type joined struct {
	db *DB
	in session
}

// joinedKey is under which a context has the transaction that it belongs to.
type joinedKey struct{}

// transaction is the one of this database that a context belongs to, or nil.
func (d *DB) transaction(ctx context.Context) *joined {
	if j, ok := ctx.Value(joinedKey{}).(*joined); ok && j.db == d {
		return j
	}
	return nil
}

// Transact makes everything that work writes to this database come true
// together, or nothing of it if work answers an error. What is written and read
// belongs to the transaction if it is given the context that work is given; work
// has to use that one, and passes on the errors of what it calls.
//
// Nobody else writes meanwhile: work does nothing slow, and waits for nobody who
// may write.
func (d *DB) Transact(ctx context.Context, work func(context.Context) error) error {
	if d.transaction(ctx) != nil {
		return work(ctx)
	}
	// No user keeps all others out: work may concern anybody.
	return d.update(ctx, "", func(in session) error {
		return work(context.WithValue(ctx, joinedKey{}, &joined{db: d, in: in}))
	})
}
