// Package sqlstore keeps in a SQL database what the sync engine and the register of phones want kept.
//
// The queries are written once, in PostgreSQL's dialect as far as SQLite
// accepts it: placeholders are $1, $2 ..., truth is 0 or 1. What differs (how to
// connect, the migrations, how to keep others out) is the business of the
// package that names the database.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// Options tell New what to build with. Write is required.
type Options struct {
	Write *sql.DB // for transactions that write; they begin exclusively, or Lock makes them so
	Read  *sql.DB // for single questions; nil means Write

	// Together lets Updates that wait for each other share a commit, on one
	// connection of Write that is kept for them. It needs Read, and has no use
	// for Lock.
	Together bool

	// Explain gives an error of an Update the kind that tells callers what to
	// do, such as backend.Transient for a full disk, and says what a person can
	// do. It leaves alone what is not the database's. Nil does nothing.
	Explain func(error) error

	// Lock keeps others from updating what belongs to the user, or anything if
	// user is empty, until the transaction ends. Nil means that beginning it does
	// so.
	Lock func(ctx context.Context, tx *sql.Tx, user string) error
}

// A DB is a database with its schema in place. Its methods may be called from
// many goroutines at a time.
type DB struct {
	options       Options
	reads, writes map[string]*sql.Stmt
	queue         *queue // nil unless Together
}

// New prepares all queries.
func New(ctx context.Context, o Options) (*DB, error) {
	if o.Write == nil {
		panic("sqlstore: Options.Write is required")
	}
	d := &DB{options: o}
	var err error
	if o.Read != nil {
		if d.reads, err = prepare(ctx, o.Read); err != nil {
			return nil, err
		}
	}
	if o.Together {
		if d.queue, err = newQueue(ctx, o.Write); err != nil {
			return nil, fmt.Errorf("sqlstore: %w", err)
		}
		return d, nil
	}
	if d.writes, err = prepare(ctx, o.Write); err != nil {
		return nil, err
	}
	if o.Read == nil {
		d.reads = d.writes
	}
	return d, nil
}

func prepare(ctx context.Context, db *sql.DB) (map[string]*sql.Stmt, error) {
	stmts := map[string]*sql.Stmt{}
	for _, q := range queries {
		s, err := db.PrepareContext(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("sqlstore: preparing %q: %w", q, err)
		}
		stmts[q] = s
	}
	return stmts, nil
}

// queries has the text of every query of the package.
var queries []string

// query enters a query into the list, so that New prepares it.
func query(text string) string {
	queries = append(queries, text)
	return text
}

// Queries lists the text of every query, for tests of how a database plans to
// answer them.
func Queries() []string { return slices.Clone(queries) }

// Close closes the database.
func (d *DB) Close() error {
	var err error
	if d.queue != nil {
		err = d.queue.close()
	}
	err = errors.Join(err, d.options.Write.Close())
	if d.options.Read != nil {
		err = errors.Join(d.options.Read.Close(), err)
	}
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// A session asks: a transaction, or the database with every question on its own.
type session func(ctx context.Context, q string) *sql.Stmt

func (d *DB) session() session {
	return func(ctx context.Context, q string) *sql.Stmt {
		if t := d.transaction(ctx); t != nil {
			return t.in(ctx, q)
		}
		return d.reads[q]
	}
}

// update runs work in a transaction that keeps others from updating what
// belongs to the user.
func (d *DB) update(ctx context.Context, user string, work func(session) error) error {
	if t := d.transaction(ctx); t != nil {
		return work(t.in) // whatever comes of it, the whole ends the same way
	}
	var err error
	if d.queue != nil {
		err = d.queue.update(ctx, work)
	} else {
		err = d.alone(ctx, user, work)
	}
	if err != nil && d.options.Explain != nil {
		err = d.options.Explain(err)
	}
	return err
}

// alone runs work in a transaction of its own.
func (d *DB) alone(ctx context.Context, user string, work func(session) error) error {
	tx, err := d.options.Write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqlstore: beginning: %w", err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if d.options.Lock != nil {
		if err := d.options.Lock(ctx, tx, user); err != nil {
			return fmt.Errorf("sqlstore: beginning: %w", err)
		}
	}
	err = work(func(ctx context.Context, q string) *sql.Stmt { return tx.StmtContext(ctx, d.writes[q]) })
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqlstore: committing: %w", err)
	}
	return nil
}

// exec runs a query without rows.
func (s session) exec(ctx context.Context, q string, args ...any) error {
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	if _, err := s(ctx, q).ExecContext(ctx, args...); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// row reads the one row of a query into to, or answers none.
func (s session) row(ctx context.Context, none error, to []any, q string, args ...any) error {
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	switch err := s(ctx, q).QueryRowContext(ctx, args...).Scan(to...); err {
	case nil:
		return nil
	case sql.ErrNoRows:
		return none
	default:
		return fmt.Errorf("sqlstore: %w", err)
	}
}

// countedKey is under which a context has the count of its questions.
type countedKey struct{}

// Counted adds to n how many questions a database is asked with the context, for
// tests of what things cost.
func Counted(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, countedKey{}, n)
}

// quick is the context of a question that is answered in microseconds: whoever
// has given up is told so at once, and nobody watches for it meanwhile, which
// would cost the driver two goroutines and more than the question itself. Nor is
// it broken off, for which SQLite would give up the whole transaction.
func quick(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	if n, ok := ctx.Value(countedKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	return context.WithoutCancel(ctx), nil
}

// rows calls each for every row of a query.
func (s session) rows(ctx context.Context, each func(scan func(...any) error) error, q string, args ...any) error {
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	rows, err := s(ctx, q).QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// number is how the schema writes a truth.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
