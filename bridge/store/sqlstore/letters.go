package sqlstore

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/bridge/outbox"
)

// Letters keeps what is known of mails that phones send.
type Letters struct{ db *DB }

// Letters answers the database's outbox.Store.
func (d *DB) Letters() *Letters { return &Letters{d} }

var _ outbox.Store = (*Letters)(nil)

var (
	selectLetter = query(`SELECT state, holder, began FROM letters WHERE account = $1 AND device = $2 AND name = $3`)
	saveLetter   = query(`INSERT INTO letters (account, device, name, state, holder, began) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, device, name) DO UPDATE SET state = excluded.state, holder = excluded.holder, began = excluded.began`)
	deleteLetter = query(`DELETE FROM letters WHERE account = $1 AND device = $2 AND name = $3`)
	trimLetters  = query(`DELETE FROM letters WHERE account = $1 AND device = $2 AND id <= (
		SELECT id FROM letters WHERE account = $1 AND device = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)`)
	deleteLetters = query(`DELETE FROM letters WHERE account = $1 AND device = $2`)
)

// ChangeLetter implements outbox.Store.
func (s *Letters) ChangeLetter(ctx context.Context, l outbox.Letter, change func(*outbox.Record) error) error {
	return s.db.update(ctx, l.User, func(in session) error {
		r := outbox.Record{Name: l.Name}
		err := in.rows(ctx, func(scan func(...any) error) error {
			var began int64
			err := scan(&r.State, &r.Holder, &began)
			r.At = time.Unix(began, 0)
			return err
		}, selectLetter, l.User, l.Device, l.Name)
		if err != nil {
			return err
		}
		isNew := r.State == 0
		if err := change(&r); err != nil {
			return err
		}
		if r.State == 0 {
			return in.exec(ctx, deleteLetter, l.User, l.Device, l.Name)
		}
		if err := in.exec(ctx, saveLetter, l.User, l.Device, l.Name, int(r.State), r.Holder, r.At.Unix()); err != nil || !isNew {
			return err
		}
		return in.exec(ctx, trimLetters, l.User, l.Device, outbox.MaxLetters)
	})
}
