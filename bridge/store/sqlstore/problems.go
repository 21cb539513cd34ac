package sqlstore

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/bridge/problem"
)

// Problems keeps the register of objects that could not be shown.
type Problems struct {
	db *DB
	in session
}

// Problems answers the database's problem.Store.
func (d *DB) Problems() *Problems { return &Problems{d, d.session()} }

var _ problem.Store = (*Problems)(nil)

var (
	selectProblems = query(`SELECT account, backend, collection, id, folder, kind, reason, first_seen, last_seen, times FROM problems`)
	saveProblem    = query(`INSERT INTO problems (account, backend, collection, id, folder, kind, reason, first_seen, last_seen, times)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (account, backend, collection, id) DO UPDATE SET
		folder = excluded.folder, kind = excluded.kind, reason = excluded.reason, first_seen = excluded.first_seen,
		last_seen = excluded.last_seen, times = excluded.times`)
	deleteProblem = query(`DELETE FROM problems WHERE account = $1 AND backend = $2 AND collection = $3 AND id = $4`)
)

// Problems implements problem.Store.
func (s *Problems) Problems(ctx context.Context) ([]problem.Problem, error) {
	var list []problem.Problem
	err := s.in.rows(ctx, func(scan func(...any) error) error {
		var p problem.Problem
		var first, last int64
		err := scan(&p.User, &p.Backend, &p.Collection, &p.ID, &p.Folder, &p.Kind, &p.Reason, &first, &last, &p.Count)
		p.FirstSeen, p.LastSeen = time.Unix(0, first), time.Unix(0, last)
		list = append(list, p)
		return err
	}, selectProblems)
	return list, err
}

// ChangeProblems implements problem.Store.
func (s *Problems) ChangeProblems(ctx context.Context, save []problem.Problem, forget []problem.Object) error {
	return s.db.update(ctx, "", func(in session) error {
		for _, p := range save {
			err := in.exec(ctx, saveProblem, p.User, p.Backend, string(p.Collection), string(p.ID), p.Folder,
				string(p.Kind), p.Reason, p.FirstSeen.UnixNano(), p.LastSeen.UnixNano(), p.Count)
			if err != nil {
				return err
			}
		}
		for _, o := range forget {
			if err := in.exec(ctx, deleteProblem, o.User, o.Backend, string(o.Collection), string(o.ID)); err != nil {
				return err
			}
		}
		return nil
	})
}
