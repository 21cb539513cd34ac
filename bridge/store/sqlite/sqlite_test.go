package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
	"github.com/pushbridge/pushbridge/bridge/store/storetest"
)

func open(t *testing.T, path string) *sqlstore.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestStore(t *testing.T) {
	for _, tc := range []struct {
		name string
		path func(*testing.T) string
	}{
		{"Memory", func(*testing.T) string { return sqlite.Memory }},
		{"File", func(t *testing.T) string { return filepath.Join(t.TempDir(), "state.db") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Stores {
				db := open(t, tc.path(t))
				return storetest.Stores{Sync: db.Sync(), Phones: db.Phones(), Problems: db.Problems(), Pushes: db.Pushes(), Letters: db.Letters(),
					Audit: db.Audit(), Documents: db.Documents(), Transact: db.Transact}
			})
		})
	}
}

// What was written into the audit stays, whatever is asked of the database.
func TestAuditIsAppendOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := audit.New(open(t, path).Audit()).Append(t.Context(), audit.Entry{Actor: "jane", Outcome: audit.Done}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{`UPDATE audit SET entry = '{}'`, `DELETE FROM audit`} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "the audit is not") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestFileIsPrivateAndLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "a ? b%20.db")
	for range 2 {
		db := open(t, path)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the file's mode is %v", info.Mode())
		}
	}
}

// TestTwoProcesses is two workers on one file.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	a, b := open(t, path).Phones(), open(t, path).Phones()
	id := device.ID{User: "ann", Device: "P"}
	const rounds = 50
	var all sync.WaitGroup
	for _, phones := range []device.Store{a, b} {
		all.Go(func() {
			for range rounds {
				_, err := phones.Update(t.Context(), id, func(p *device.Phone, _ bool) error { p.Policy.Key++; return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if p, err := a.Phone(t.Context(), id); err != nil || p.Policy.Key != 2*rounds {
		t.Errorf("%d updates led to %d, %v", 2*rounds, p.Policy.Key, err)
	}
}

func TestRefused(t *testing.T) {
	execute := func(t *testing.T, path, statement string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	ours := func(t *testing.T, path string) {
		t.Helper()
		if err := open(t, path).Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
	}{
		{"a text file", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("my notes of many years\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrNotOurs},
		{"another program's database", func(t *testing.T, path string) {
			execute(t, path, `CREATE TABLE songs (title TEXT)`)
		}, sqlite.ErrNotOurs},
		{"a newer version's database", func(t *testing.T, path string) {
			ours(t, path)
			execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		}, sqlite.ErrNewer},
		{"a damaged database", func(t *testing.T, path string) {
			ours(t, path)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := 4096; i < len(b); i++ {
				b[i] = 0xa5
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrDamaged},
		{"a database that was cut off", func(t *testing.T, path string) {
			ours(t, path)
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrDamaged},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			tc.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db, err := sqlite.Open(t.Context(), path)
			if !errors.Is(err, tc.want) {
				t.Errorf("Open answers %v, want %v", err, tc.want)
			}
			if err == nil {
				db.Close()
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was altered: %d bytes, then %d, %v", len(before), len(after), err)
			}
		})
	}
}

// TestNoQueryReadsWhatItDoesNotNeed looks for whole tables and whole folders
// in the plans. "SCAN" is a table from end to end; "(folder=?)" alone is a whole
// folder.
func TestNoQueryReadsWhatItDoesNotNeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	whole := map[string]string{
		"SELECT number, touched FROM items":                                       "a complete listing looks at each item",
		"FROM phones WHERE $1 IN":                                                 "the administrator's list of all phones",
		"SELECT COUNT(*) FROM phones":                                             "how many there are, which an administrator sees; it reads no record",
		"first_seen, last_seen, times FROM":                                       "the register of what cannot be shown, read when the program starts",
		"FROM shown WHERE folder = $1 AND device = $2 AND account = $3 AND round": "what came of a lost answer is taken back",
		"UPDATE shown SET held = held_before":                                     "what came of a lost answer is taken back",
		"FROM push_keys":                                                          "read once, when the worker starts",
		"FROM push_subscriptions":                                                 "read once, when the worker starts",
		"FROM holds CROSS JOIN":                                                   "the administrator's list of what is held, of which there is hardly ever any",
	}
	used := map[string]bool{}
	for _, q := range sqlstore.Queries() {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+q, make([]any, strings.Count(q, "$"))...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		excused := false
		for text := range whole {
			if strings.Contains(q, text) {
				excused, used[text] = true, true
			}
		}
		for _, step := range plan {
			bad := strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "CONSTANT ROW") && !strings.Contains(step, "VALUES CLAUSE") && !strings.Contains(step, "named") ||
				strings.Contains(step, "items") && strings.HasSuffix(step, "(folder=?)") ||
				strings.Contains(step, "shown") && strings.HasSuffix(step, "(folder=? AND device=? AND account=?)") && strings.Contains(q, "round") ||
				strings.Contains(step, "TEMP B-TREE") && strings.Contains(q, "items")
			if bad && !excused {
				t.Errorf("%s\nis answered by %s", q, plan)
			}
		}
	}
	for text, why := range whole {
		if !used[text] {
			t.Errorf("there is no query %q any more (%s)", text, why)
		}
	}
}

// TestStateOfAnEarlierVersion is a database from before there were administrators'
// documents, with a phone that accepted a policy, and its recovery password.
func TestStateOfAnEarlierVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(sqlite.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	old, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.UpTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		fmt.Sprintf(`PRAGMA application_id = %d`, sqlite.ApplicationID),
		`INSERT INTO phones (account, device, last_seen, record) VALUES ('ann', 'P', 1790000000000000000, '{"User":"ann","Device":"P","Type":"iPhone","UserAgent":"x","Version":"16.1",
			"Model":"iPhone 15","IMEI":"","FriendlyName":"","OS":"iOS 18","OSLanguage":"","PhoneNumber":"","Operator":"","FirstSeen":"2026-01-02T03:04:05Z","LastSeen":"2026-09-21T14:13:20Z",
			"Policy":{"Temporary":1,"Key":2,"Revision":"r","Accepted":"r","Status":1,"When":"2026-01-02T03:04:05Z"},"Blocked":true,"BlockedWhy":"lost",
			"Wipe":{"Order":1,"State":"sent","By":"uid 0","Ordered":"2026-01-02T03:04:05Z","Sent":"2026-01-02T03:04:06Z","Ended":"0001-01-01T00:00:00Z","Tries":0}}')`,
		`INSERT INTO phone_values (account, device, name, value) VALUES ('ann', 'P', 'recovery-password', 'sealed')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	now := open(t, path)
	id := device.ID{User: "ann", Device: "P"}
	p, err := now.Phones().Phone(t.Context(), id)
	if err != nil || !p.Blocked || p.Policy.Accepted != "r" || !p.Wipe.InForce() || p.Approved() || p.Model != "iPhone 15" {
		t.Errorf("the phone is %+v, %v", p, err)
	}
	if v, err := now.Phones().Recall(t.Context(), id, "recovery-password"); err != nil || string(v) != "sealed" {
		t.Errorf("its recovery password is %q, %v", v, err)
	}
	if _, err := audit.New(now.Audit()).Append(t.Context(), audit.Entry{Actor: "jane", Outcome: audit.Done}); err != nil {
		t.Error(err)
	}
	if all, err := now.Documents().Documents(t.Context(), "policy"); err != nil || len(all) != 0 {
		t.Errorf("there are %v, %v", all, err)
	}
}
