package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// TestExplain meets errors of the database and looks at what callers are told
// to do.
func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		name string
		meet func(a, b *sql.DB) error // on one connection each, with a table t
		kind backend.Kind
		says string
	}{
		{"a full disk", func(a, _ *sql.DB) error {
			a.Exec(`PRAGMA max_page_count = 3`)
			_, err := a.Exec(`INSERT INTO t VALUES (zeroblob(100000))`)
			return err
		}, backend.Transient, "make room"},
		{"a disk that takes no writes", func(a, _ *sql.DB) error {
			a.Exec(`PRAGMA query_only = 1`)
			_, err := a.Exec(`INSERT INTO t VALUES (1)`)
			return err
		}, backend.Transient, "in order"},
		{"another process", func(a, b *sql.DB) error {
			b.Exec(`BEGIN IMMEDIATE`)
			_, err := a.Exec(`INSERT INTO t VALUES (1)`)
			return err
		}, backend.Transient, "another process"},
		{"a mistake of ours", func(a, _ *sql.DB) error {
			_, err := a.Exec(`INSERT INTO songs VALUES (1)`)
			return err
		}, backend.Other, "songs"},
		{"not the database's", func(_, _ *sql.DB) error { return backend.Errorf(backend.Denied, "", "no") }, backend.Denied, "no"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			var dbs [2]*sql.DB
			for i := range dbs {
				db, err := sql.Open("sqlite", path)
				if err != nil {
					t.Fatal(err)
				}
				db.SetMaxOpenConns(1)
				defer db.Close()
				dbs[i] = db
			}
			if _, err := dbs[0].Exec(`CREATE TABLE t (x)`); err != nil {
				t.Fatal(err)
			}
			met := tc.meet(dbs[0], dbs[1])
			if met == nil {
				t.Fatal("nothing went wrong")
			}
			err := sqlite.Explain(fmt.Errorf("sqlstore: %w", met))
			if backend.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) || !errors.Is(err, met) {
				t.Errorf("it is explained as %v: %v; want %v, and something about %q", backend.KindOf(err), err, tc.kind, tc.says)
			}
		})
	}
}
