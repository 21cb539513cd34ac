package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
)

// TestItemsOfATimeWithoutDue opens a database that was written before anybody
// asked when items are due: events are to be looked at again, and nothing else
// is; and no item has changed because of that.
func TestItemsOfATimeWithoutDue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, statement := range []string{
		`DROP INDEX items_due`,
		`ALTER TABLE items DROP COLUMN due`,
		`ALTER TABLE items DROP COLUMN revised`,
		`ALTER TABLE moves DROP COLUMN scattered`,
		`ALTER TABLE folders DROP COLUMN zone`,
		`ALTER TABLE mirrors DROP COLUMN zone`,
		`DELETE FROM goose_db_version WHERE version_id >= 9`,
	} {
		if _, err := raw.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for i, kind := range []string{"events", "tasks"} {
		_, err := raw.Exec(`INSERT INTO folders (account, backend, collection, kind, name, parent, main, read_only, colour, owner, place, gone)
			VALUES ('ann', 'dav', $1, $1, $1, 0, 0, 0, '', '', 0, 0)`, kind)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			_, err := raw.Exec(`INSERT INTO items (folder, number, id, revision, sequence, removed, touched, known, ends, done)
				VALUES ($1, $2, $3, 'r', $4, $5, 0, 1, 7, 0)`, i+1, n, fmt.Sprint("item ", n), 10*n, n-1)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if db, err = sqlite.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := raw.Query(`SELECT kind, number, known, sequence, revised, removed, ends, due IS NULL FROM items JOIN folders ON folder = folders.id ORDER BY kind, number`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got string
	for rows.Next() {
		var kind string
		var n [6]int64
		var never bool
		if err := rows.Scan(&kind, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &never); err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintln(kind, n, never)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	// number, known, sequence, revised, removed, ends
	const want = "events [1 0 10 10 0 7] true\nevents [2 1 20 20 1 7] true\ntasks [1 1 10 10 0 7] true\ntasks [2 1 20 20 1 7] true\n"
	if got != want {
		t.Errorf("the items are\n%swant\n%s", got, want)
	}
}
