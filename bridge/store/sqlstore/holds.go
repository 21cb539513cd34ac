package sqlstore

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

var (
	selectHold  = query(`SELECT since, items, total, numbers FROM holds WHERE folder = $1`)
	selectHolds = query(`SELECT folders.account, folders.id, folders.name, holds.since, holds.items, holds.total
		FROM holds CROSS JOIN folders WHERE folders.id = holds.folder AND folders.gone = 0
		ORDER BY holds.since, folders.id`)
	saveHold = query(`INSERT INTO holds (folder, since, items, total, numbers) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (folder) DO UPDATE SET since = excluded.since, items = excluded.items,
		total = excluded.total, numbers = excluded.numbers`)
	deleteHold = query(`DELETE FROM holds WHERE folder = $1`)
)

func (r reader) Hold(ctx context.Context, f syncengine.FolderID) (syncengine.HoldRecord, error) {
	var h syncengine.HoldRecord
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		h.Folder = f
		return scan(&h.Since, &h.Items, &h.Of, &h.Numbers)
	}, selectHold, f)
	return h, err
}

func (r reader) Holds(ctx context.Context) ([]syncengine.HoldRecord, error) {
	var list []syncengine.HoldRecord
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		var h syncengine.HoldRecord
		err := scan(&h.User, &h.Folder, &h.Name, &h.Since, &h.Items, &h.Of)
		list = append(list, h)
		return err
	}, selectHolds)
	return list, err
}

func (w writer) SaveHold(ctx context.Context, h syncengine.HoldRecord) error {
	return w.in.exec(ctx, saveHold, h.Folder, h.Since, h.Items, h.Of, h.Numbers)
}

func (w writer) DeleteHold(ctx context.Context, f syncengine.FolderID) error {
	return w.in.exec(ctx, deleteHold, f)
}
