// Package sqlite opens the embedded database: one file, or none but memory.
package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// applicationID marks the file as ours ("pbrg"). See the SQLite
	// documentation, "PRAGMA application_id".
	applicationID = 0x70627267

	// busyTimeout is how long a transaction waits for another process, in
	// milliseconds: longer than any transaction of ours, shorter than a phone
	// waits for an answer.
	busyTimeout = 10_000

	// maxChecked is the size, in bytes, above which a database is not looked
	// through when it is opened: that would keep phones waiting for seconds.
	// Damage is then noticed when it is met.
	maxChecked = 256 << 20

	// minReaders is how many connections read at a time beside the one that
	// writes, at least. Questions take microseconds; more connections than processors
	// gain nothing.
	minReaders = 4
)

// Memory is the name of a database that is gone when it is closed.
const Memory = ":memory:"

// Errors that callers tell apart. Their texts say what to do; no file is ever
// overwritten.
var (
	ErrNotOurs = errors.New("the file is not a database of pushbridge; name another file, or move this one away")
	ErrDamaged = errors.New("the database is damaged; stop pushbridge, then restore a copy, or move the file away: " +
		"phones then load everything anew, and nothing on the servers is lost")
	ErrNewer = errors.New("the database was written by a newer version of pushbridge; install that version again, " +
		"or restore a copy from before the update, or move the file away: phones then load everything anew")
)

// Open opens the database in a file, or Memory. A missing file is created,
// readable for its owner only; one of an older version is brought up to date.
func Open(ctx context.Context, path string) (*sqlstore.DB, error) {
	db, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", path, err)
	}
	return db, nil
}

func open(ctx context.Context, path string) (db *sqlstore.DB, err error) {
	if path != Memory {
		if err := prepareFile(path); err != nil {
			return nil, err
		}
	}
	o := sqlstore.Options{Explain: explain}
	if o.Write, err = connect(path, false); err != nil {
		return nil, err
	}
	// One writer: whoever wants to write waits here and not in the database,
	// which knows no fairness.
	o.Write.SetMaxOpenConns(1)
	defer func() {
		if err == nil {
			return
		}
		o.Write.Close()
		if o.Read != nil {
			o.Read.Close()
		}
	}()
	bring := migrate
	if path == Memory {
		bring = copyFresh
	}
	if err := bring(ctx, o.Write); err != nil {
		return nil, err
	}
	if path != Memory { // whose one connection is all there is of it
		if o.Read, err = connect(path, true); err != nil {
			return nil, err
		}
		n := max(minReaders, runtime.GOMAXPROCS(0))
		o.Read.SetMaxOpenConns(n)
		o.Read.SetMaxIdleConns(n)
		o.Together = true
	}
	return sqlstore.New(ctx, o)
}

// connect opens a pool. See the SQLite documentation, "PRAGMA synchronous":
// FULL loses no commit to a loss of power, and a lost one would make a phone
// load everything again.
func connect(path string, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout))
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "synchronous(FULL)")
	}
	name := "file:" + (&url.URL{Path: path}).EscapedPath()
	if path == Memory {
		name = "file::memory:"
	}
	db, err := sql.Open("sqlite", name+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetConnMaxLifetime(0)
	return db, nil
}

// header is how every SQLite file begins. See "Database File Format".
var header = []byte("SQLite format 3\x00")

// prepareFile creates the file, or looks whether it can be ours before SQLite
// opens it.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// SQLite gives its side files the permissions of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, len(header))
	switch n, err := io.ReadFull(f, head); {
	case n == 0 && errors.Is(err, io.EOF):
		return nil // new
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case !bytes.Equal(head, header):
		return ErrNotOurs
	}
	return nil
}

// migrate checks whose database it is and brings it up to date.
func migrate(ctx context.Context, db *sql.DB) error {
	var id, tables int
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return damaged(err)
	}
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return damaged(err)
	}
	switch {
	case id == applicationID:
	case tables > 0:
		return ErrNotOurs
	default:
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
			return err
		}
	}
	if err := check(ctx, db); err != nil {
		return err
	}
	// Not before we know that the file is ours: this writes to it, and lasts.
	if _, err := db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return damaged(err)
	}
	if current > target {
		return fmt.Errorf("%w (its schema is %d, this version knows %d)", ErrNewer, current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the database up to date: %w", err)
	}
	return nil
}

// check looks for damage in a database of ordinary size.
func check(ctx context.Context, db *sql.DB) error {
	var pages, size int64
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		return damaged(err)
	}
	if err := db.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size); err != nil {
		return damaged(err)
	}
	if pages*size > maxChecked {
		return nil
	}
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return damaged(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("%w (%s)", ErrDamaged, verdict)
	}
	return nil
}

// explain makes an error that passes one of kind Transient, so that phones are
// told to come back, and says what an administrator can do about the others.
// Nothing of the transaction came true.
func explain(err error) error {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	remedy := ""
	switch e.Code() & 0xff { // the primary result code
	case lib.SQLITE_FULL:
		remedy = "make room on the disk with the state"
	case lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		remedy = "look whether the disk with the state is in order and has room"
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		remedy = "another process keeps the state busy"
	case lib.SQLITE_NOMEM:
		remedy = "the memory is used up"
	default:
		return damaged(err)
	}
	return backend.E(backend.Transient, "sqlite: "+remedy, err)
}

// damaged tells a file that SQLite cannot make sense of from other troubles.
func damaged(err error) error {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		switch e.Code() & 0xff { // the primary result code
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
			return fmt.Errorf("%w (%w)", ErrDamaged, err)
		}
	}
	return err
}
