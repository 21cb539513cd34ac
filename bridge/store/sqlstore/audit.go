package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

// Audit keeps what administrators did.
type Audit struct {
	db *DB
	in session
}

// Audit answers the database's audit.Store.
func (d *DB) Audit() *Audit { return &Audit{d, d.session()} }

var _ audit.Store = (*Audit)(nil)

var (
	selectLastEntry = query(`SELECT number, hash FROM audit WHERE number = (SELECT MAX(number) FROM audit)`)
	insertEntry     = query(`INSERT INTO audit (number, entry, hash) VALUES ($1, $2, $3)`)
	selectEntries   = query(`SELECT entry, hash FROM audit WHERE number > $1 ORDER BY number LIMIT $2`)
	selectNewest    = query(`SELECT entry, hash FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2`)
)

// Append implements audit.Store.
func (s *Audit) Append(ctx context.Context, seal func(audit.Link) (audit.Record, error)) (audit.Record, error) {
	var r audit.Record
	err := s.db.update(ctx, "", func(in session) error {
		var last audit.Link
		err := in.rows(ctx, func(scan func(...any) error) error { return scan(&last.Number, &last.Hash) }, selectLastEntry)
		if err != nil {
			return err
		}
		if r, err = seal(last); err != nil {
			return err
		}
		entry, err := json.Marshal(r.Entry)
		if err != nil {
			return fmt.Errorf("sqlstore: an entry of the audit: %w", err)
		}
		return in.exec(ctx, insertEntry, r.Number, string(entry), r.Hash)
	})
	return r, err
}

// After implements audit.Store.
func (s *Audit) After(ctx context.Context, number int64, most int) ([]audit.Record, error) {
	return s.read(ctx, selectEntries, number, most)
}

// Before implements audit.Store.
func (s *Audit) Before(ctx context.Context, number int64, most int) ([]audit.Record, error) {
	return s.read(ctx, selectNewest, number, most)
}

func (s *Audit) read(ctx context.Context, q string, number int64, most int) ([]audit.Record, error) {
	var list []audit.Record
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var entry []byte
		var r audit.Record
		if err := scan(&entry, &r.Hash); err != nil {
			return err
		}
		// A row that somebody spoilt is for whoever verifies the chain to find.
		if err := json.Unmarshal(entry, &r.Entry); err != nil {
			r.Entry = audit.Entry{Outcome: audit.Unreadable}
		}
		list = append(list, r)
		return nil
	}, q, number, most)
	return list, err
}
