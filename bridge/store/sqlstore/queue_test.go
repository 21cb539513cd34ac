package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// TestNobodyIsLeftInAnOpenTransaction lets the only one who waits give up just
// as the turn comes: then whoever passes it on has to commit, since nobody else
// would before somebody comes to write something.
func TestNobodyIsLeftInAnOpenTransaction(t *testing.T) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := &queue{conn: conn, stmts: map[string]*sql.Stmt{}}
	for _, text := range controls {
		if q.stmts[text], err = conn.PrepareContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	defer q.close()
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
