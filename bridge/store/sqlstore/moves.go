package sqlstore

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

var (
	selectMove = query(`SELECT source, number, target, item, taken, scattered, name, sum, copy, result FROM moves
		WHERE account = $1 AND device = $2 AND source = $3 AND number = $4 AND target = $5`)
	saveMove = query(`INSERT INTO moves (account, device, source, number, target, item, taken, scattered, name, sum, copy, result)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (account, device, source, number, target) DO UPDATE SET item = excluded.item,
		taken = excluded.taken, scattered = excluded.scattered, name = excluded.name, sum = excluded.sum, copy = excluded.copy, result = excluded.result`)
	trimMoves = query(`DELETE FROM moves WHERE account = $1 AND device = $2 AND id <= (
		SELECT id FROM moves WHERE account = $1 AND device = $2 ORDER BY id DESC LIMIT 1 OFFSET $3)`)
	deleteMoves = query(`DELETE FROM moves WHERE account = $1 AND device = $2`)
)

func (r reader) Move(ctx context.Context, p syncengine.Phone, from syncengine.FolderID, n syncengine.Number, to syncengine.FolderID) (syncengine.MoveRecord, error) {
	var m syncengine.MoveRecord
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		return scan(&m.From, &m.Number, &m.To, &m.ID, &m.Taken, &m.Scattered, &m.Name, &m.Sum, &m.Copy, &m.Result)
	}, selectMove, p.User, p.Device, from, n, to)
	return m, err
}

func (w writer) SaveMove(ctx context.Context, p syncengine.Phone, m syncengine.MoveRecord) error {
	err := w.in.exec(ctx, saveMove, p.User, p.Device, m.From, m.Number, m.To, m.ID, number(m.Taken), number(m.Scattered), m.Name, m.Sum, m.Copy, m.Result)
	if err != nil {
		return err
	}
	return w.in.exec(ctx, trimMoves, p.User, p.Device, syncengine.MaxMoves)
}
