package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// maxTogether bounds how many Updates share one commit: enough that waiting for
// the disk is nearly free for each of them, and few enough that the first does
// not wait long for the last.
const maxTogether = 128

// A queue lets those who want to write do so one after the other in one
// transaction, as long as others wait, and commits for all of them at once. A
// commit waits for the disk; the more phones write at a time, the less each of
// them waits for it.
//
// Each Update runs on its caller's goroutine behind a savepoint of its own, so
// that one which fails undoes its own work and no other's, and returns after
// the commit: what it wrote is durable then, and what it read is true. If the
// commit fails, it fails for all.
type queue struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // on conn

	mu      sync.Mutex
	busy    bool            // somebody has the turn
	waiting []chan struct{} // closed when it is their turn
	open    *together       // nil if there is no transaction; whoever has the turn may look
}

// A together is one transaction of several Updates.
type together struct {
	updates int
	done    chan struct{} // closed when it ended
	err     error         // why nothing of it came true
}

// The statements that begin and end what a queue does.
var (
	begin     = control(`BEGIN IMMEDIATE`)
	commit    = control(`COMMIT`)
	rollback  = control(`ROLLBACK`)
	savepoint = control(`SAVEPOINT one`)
	release   = control(`RELEASE one`)
	undo      = control(`ROLLBACK TO one`)
)

// controls are statements that are no questions.
var controls []string

func control(text string) string {
	controls = append(controls, text)
	return text
}

func newQueue(ctx context.Context, db *sql.DB) (*queue, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	q := &queue{conn: conn, stmts: map[string]*sql.Stmt{}}
	for _, text := range slices.Concat(queries, controls) {
		s, err := conn.PrepareContext(ctx, text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("preparing %q: %w", text, err), q.close())
		}
		q.stmts[text] = s
	}
	return q, nil
}

// close gives the connection back. SQLite tidies the file up only if no
// statement is left open.
func (q *queue) close() error {
	var errs []error
	for _, s := range q.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, q.conn.Close())...)
}

// update runs work in a transaction, perhaps with others'.
func (q *queue) update(ctx context.Context, work func(session) error) error {
	if err := q.wait(ctx); err != nil {
		return fmt.Errorf("sqlstore: waiting to write: %w", err)
	}
	t, err := q.turn(ctx, work)
	if t != nil {
		<-t.done
		if err == nil {
			err = t.err
		}
	}
	return err
}

// wait waits for the turn. Whoever has it must pass it on.
func (q *queue) wait(ctx context.Context) error {
	q.mu.Lock()
	if !q.busy {
		q.busy = true
		q.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	q.waiting = append(q.waiting, mine)
	q.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, mine); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		return context.Cause(ctx)
	}
	return nil // it came at the same moment
}

// turn does one Update's work in the open transaction, or in a new one, and
// passes the turn on. It answers the transaction that the work went into, if it
// came to that.
func (q *queue) turn(ctx context.Context, work func(session) error) (t *together, err error) {
	defer q.pass()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("sqlstore: waiting to write: %w", context.Cause(ctx))
	}
	if q.open == nil {
		if err := q.do(begin); err != nil {
			return nil, fmt.Errorf("sqlstore: beginning: %w", err)
		}
		q.open = &together{done: make(chan struct{})}
	}
	t = q.open
	t.updates++
	if err := q.do(savepoint); err != nil {
		t.err = fmt.Errorf("sqlstore: beginning: %w", err)
		return t, nil
	}
	good := false
	defer func() { q.settle(t, good, err) }() // even if the work panics
	err = work(func(_ context.Context, text string) *sql.Stmt { return q.stmts[text] })
	good = err == nil
	return t, err
}

// settle keeps or undoes one Update's work. Where that cannot be done, SQLite
// has given up the whole transaction, for which there is a reason in err. See
// its documentation, "Response To Errors Within A Transaction".
func (q *queue) settle(t *together, good bool, err error) {
	if !good {
		if undone := q.do(undo); undone != nil {
			t.err = fmt.Errorf("sqlstore: given up together with another: %w", cmp.Or(err, undone))
			return
		}
	}
	if err := q.do(release); err != nil {
		t.err = fmt.Errorf("sqlstore: committing: %w", err)
	}
}

// pass gives the turn to who waits longest. If nobody waits, or enough has come
// together, the transaction ends first. Whether somebody waits is asked under
// the lock under which the turn is given: who gives up in between would leave
// the others in a transaction that nobody ends.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.open; t != nil && (len(q.waiting) == 0 || t.err != nil || t.updates >= maxTogether) {
		q.open = nil
		q.mu.Unlock()
		q.end(t)
		q.mu.Lock()
	}
	if len(q.waiting) == 0 {
		q.busy = false
		return
	}
	close(q.waiting[0])
	q.waiting = slices.Delete(q.waiting, 0, 1)
}

// end makes a transaction come true, or none of it.
func (q *queue) end(t *together) {
	defer close(t.done)
	if t.err == nil {
		if err := q.do(commit); err != nil {
			t.err = fmt.Errorf("sqlstore: committing: %w", err)
		}
	}
	if t.err != nil {
		_ = q.do(rollback) // which is an error if SQLite did so already
	}
}

func (q *queue) do(text string) error {
	_, err := q.stmts[text].ExecContext(context.Background())
	return err
}
