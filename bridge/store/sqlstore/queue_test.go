package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// memoryQueue is a queue on a small database with one table.
func memoryQueue(t *testing.T) *queue {
	t.Helper()
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := &queue{conn: conn, stmts: map[string]*sql.Stmt{}}
	for _, text := range []string{`CREATE TABLE kept (name TEXT)`, `PRAGMA max_page_count = 40`} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range append([]string{insertKept, selectKept}, controls...) {
		if q.stmts[text], err = conn.PrepareContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { q.close() })
	return q
}

const (
	insertKept = `INSERT INTO kept (name) VALUES ($1)`
	selectKept = `SELECT name FROM kept ORDER BY name`
)

// TestGivenUpTogether fills the database up in the midst of a transaction, or
// ends it, as SQLite itself does where it cannot go on. Whatever an Update
// answers is true then, too.
func TestGivenUpTogether(t *testing.T) {
	for _, tc := range []struct {
		name   string
		breaks func(q *queue) error
	}{
		{"full", func(q *queue) error {
			_, err := q.stmts[insertKept].Exec(strings.Repeat("x", 1<<20))
			return err
		}},
		{"given up", func(q *queue) error {
			_, err := q.stmts[rollback].Exec()
			return errors.Join(err, errors.New("given up"))
		}},
		{"given up, and silent about it", func(q *queue) error {
			_, err := q.stmts[rollback].Exec()
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := memoryQueue(t)
			said := map[string]error{}
			var all sync.WaitGroup
			var mu sync.Mutex
			update := func(name string, work func() error) {
				err := q.update(t.Context(), func(session) error { return work() })
				mu.Lock()
				defer mu.Unlock()
				said[name] = err
			}
			insert := func(name string) func() error {
				return func() error { _, err := q.stmts[insertKept].Exec(name); return err }
			}
			wait := func(n int) {
				for waits := false; !waits; runtime.Gosched() {
					q.mu.Lock()
					waits = len(q.waiting) == n
					q.mu.Unlock()
				}
			}
			update("first", func() error {
				all.Go(func() { update("broken", func() error { return tc.breaks(q) }) })
				wait(1)
				all.Go(func() { update("last", insert("last")) })
				wait(2)
				return insert("first")()
			})
			all.Wait()
			update("later", insert("later"))
			rows, err := q.stmts[selectKept].Query()
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			kept := map[string]bool{}
			for rows.Next() {
				var name string
				if err := rows.Scan(&name); err != nil {
					t.Fatal(err)
				}
				kept[name] = true
			}
			for _, name := range []string{"first", "last", "later"} {
				if kept[name] != (said[name] == nil) {
					t.Errorf("%s: kept %v, and it was said %v", name, kept[name], said[name])
				}
			}
			if said["broken"] == nil || said["last"] != nil || said["later"] != nil {
				t.Errorf("it was said %v", said)
			}
		})
	}
}

// TestNobodyIsLeftInAnOpenTransaction lets the only one who waits give up just
// as the turn comes: then whoever passes it on has to commit, since nobody else
// would before somebody comes to write something.
func TestNobodyIsLeftInAnOpenTransaction(t *testing.T) {
	q := memoryQueue(t)
	for range 5 {
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		err := q.update(t.Context(), func(session) error {
			all.Go(func() {
				err := q.update(ctx, func(session) error { return nil })
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("who gives up: %v", err)
				}
			})
			for waits := false; !waits; runtime.Gosched() {
				q.mu.Lock()
				waits = len(q.waiting) > 0
				q.mu.Unlock()
			}
			// Both want the lock, this update to pass the turn on and then the one
			// that gives up. A lock that is taken from under one who waited for it
			// for a millisecond goes from hand to hand, in that order. In any other
			// order the test says less, and is as green.
			q.mu.Lock()
			all.Go(func() {
				spin()
				leave()
				spin()
				q.mu.Unlock()
				q.mu.Lock()
				spin()
				q.mu.Unlock()
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if q.busy || q.open != nil || len(q.waiting) > 0 {
			t.Fatalf("after all are gone the queue is %+v", q)
		}
	}
}

// spin passes more than a millisecond.
func spin() {
	for start := time.Now(); time.Since(start) < 2*time.Millisecond; {
		runtime.Gosched()
	}
}
