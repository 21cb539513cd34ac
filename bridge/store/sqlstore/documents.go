package sqlstore

import (
	"context"
	"errors"
)

// Documents keeps what administrators wrote down, by kind and name.
type Documents struct {
	db *DB
	in session
}

// Documents answers the database's documents.
func (d *DB) Documents() *Documents { return &Documents{d, d.session()} }

var (
	selectDocuments = query(`SELECT name, record FROM documents WHERE kind = $1 ORDER BY name`)
	selectDocument  = query(`SELECT record FROM documents WHERE kind = $1 AND name = $2`)
	saveDocument    = query(`INSERT INTO documents (kind, name, record) VALUES ($1, $2, $3)
		ON CONFLICT (kind, name) DO UPDATE SET record = excluded.record`)
	deleteDocument = query(`DELETE FROM documents WHERE kind = $1 AND name = $2`)
)

// Documents answers those of a kind by their names.
func (s *Documents) Documents(ctx context.Context, kind string) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var name string
		var record []byte
		if err := scan(&name, &record); err != nil {
			return err
		}
		all[name] = record
		return nil
	}, selectDocuments, kind)
	return all, err
}

// Document answers one, or nil if there is none.
func (s *Documents) Document(ctx context.Context, kind, name string) (record []byte, err error) {
	err = s.in.row(ctx, errNoDocument, []any{&record}, selectDocument, kind, name)
	if errors.Is(err, errNoDocument) {
		return nil, nil
	}
	return record, err
}

// errNoDocument means that there is no such document.
var errNoDocument = errors.New("sqlstore: no such document")

// SaveDocument puts a document in place of an earlier one of that kind and name;
// nil deletes it.
func (s *Documents) SaveDocument(ctx context.Context, kind, name string, record []byte) error {
	return s.db.update(ctx, "", func(in session) error {
		if record == nil {
			return in.exec(ctx, deleteDocument, kind, name)
		}
		return in.exec(ctx, saveDocument, kind, name, string(record))
	})
}
