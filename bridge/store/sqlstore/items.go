package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const itemColumns = `number, id, revision, sequence, revised, removed, touched, known, ends, done, COALESCE(due, 0)`

var (
	selectMirror = query(`SELECT cursor_at, sequence, numbers, touches, doubt, zone FROM mirrors WHERE folder = $1`)
	saveMirror   = query(`INSERT INTO mirrors (folder, cursor_at, sequence, numbers, touches, doubt, zone)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (folder) DO UPDATE SET cursor_at = excluded.cursor_at,
		sequence = excluded.sequence, numbers = excluded.numbers, touches = excluded.touches, doubt = excluded.doubt, zone = excluded.zone`)

	selectItem   = query(`SELECT ` + itemColumns + ` FROM items WHERE folder = $1 AND number = $2`)
	selectAfter  = query(`SELECT ` + itemColumns + ` FROM items WHERE folder = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`)
	selectEnding = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND (ends, number) >= ($2, $3) AND (ends, number) < ($4, $5) AND sequence <= $6
		AND removed = 0 AND known = 1 ORDER BY ends, number LIMIT $7`)
	selectEndingBackwards = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND (ends, number) >= ($2, $3) AND (ends, number) < ($4, $5) AND sequence <= $6
		AND removed = 0 AND known = 1 ORDER BY ends DESC, number DESC LIMIT $7`)
	selectDone = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND number > $2 AND sequence <= $3
		AND done = 1 AND removed = 0 AND known = 1 ORDER BY number LIMIT $4`)
	selectDoneBackwards = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND number <= $2 AND sequence <= $3
		AND done = 1 AND removed = 0 AND known = 1 ORDER BY number DESC LIMIT $4`)
	selectUnknown = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND sequence <= $2 AND known = 0 AND removed = 0 ORDER BY sequence LIMIT $3`)
	selectDue = query(`SELECT ` + itemColumns + ` FROM items
		WHERE folder = $1 AND due <= $2 ORDER BY due LIMIT $3`)
	selectNumbers = query(`SELECT number, touched FROM items WHERE folder = $1 AND removed = 0`)

	saveItem = query(`INSERT INTO items (folder, number, id, revision, sequence, revised, removed, touched, known, ends, done, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (folder, number) DO UPDATE SET
		id = excluded.id, revision = excluded.revision, sequence = excluded.sequence, revised = excluded.revised, removed = excluded.removed,
		touched = excluded.touched, known = excluded.known, ends = excluded.ends, done = excluded.done, due = excluded.due`)
	saveFacts = query(`UPDATE items SET known = 1, ends = $4, done = $5, due = $6
		WHERE folder = $1 AND number = $2 AND revision = $3 AND removed = 0 AND known = 0`)
	removeItem = query(`UPDATE items SET removed = 1, sequence = $3, revised = $3, due = NULL WHERE folder = $1 AND number = $2`)
	purgeItems = query(`DELETE FROM items WHERE folder = $1 AND removed = 1 AND sequence <= COALESCE((
		SELECT MIN(CASE WHEN before_key <> '' AND before_position < position THEN before_position ELSE position END)
		FROM partnerships WHERE folder = $1), 9223372036854775807)`)
)

// namedSizes are the lengths of the lists for which there is a query. A
// shorter list is filled up with NULLs, which are nobody's ID.
var namedSizes = []int{1, 16, backend.MaxBatch}

// selectNamed joins the list from the left, so that each ID is looked up in the
// index: with "id IN (...)" SQLite reads the whole folder instead.
var selectNamed = func() map[int]string {
	m := map[int]string{}
	for _, n := range namedSizes {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ", ($%d)", i+1)
		}
		m[n] = query(`WITH named (named_id) AS (VALUES ` + b.String()[2:] + `) SELECT ` + itemColumns + `
			FROM named CROSS JOIN items WHERE folder = $` + strconv.Itoa(n+1) + ` AND id = named_id`)
	}
	return m
}()

func (r reader) Mirror(ctx context.Context, f syncengine.FolderID) (syncengine.Mirror, error) {
	var m syncengine.Mirror
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		return scan(&m.Cursor, &m.Sequence, &m.Numbers, &m.Touches, &m.Doubt, &m.Zone)
	}, selectMirror, f)
	return m, err
}

func (w writer) SaveMirror(ctx context.Context, f syncengine.FolderID, m syncengine.Mirror) error {
	return w.in.exec(ctx, saveMirror, f, m.Cursor, m.Sequence, m.Numbers, m.Touches, m.Doubt, m.Zone)
}

func itemPlaces(it *syncengine.Item) []any {
	return []any{
		&it.Number, &it.ID, &it.Revision, &it.Sequence, &it.Revised, &it.Removed, &it.Touched, &it.Known, &it.Ends, &it.Done, &it.Due,
	}
}

func (r reader) items(ctx context.Context, q string, args ...any) ([]syncengine.Item, error) {
	var list []syncengine.Item
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		var it syncengine.Item
		err := scan(itemPlaces(&it)...)
		list = append(list, it)
		return err
	}, q, args...)
	return list, err
}

func (r reader) Item(ctx context.Context, f syncengine.FolderID, n syncengine.Number) (syncengine.Item, error) {
	var it syncengine.Item
	err := r.in.row(ctx, syncengine.ErrNoItem, itemPlaces(&it), selectItem, f, n)
	return it, err
}

func (r reader) ItemsNamed(ctx context.Context, f syncengine.FolderID, ids []backend.ItemID) ([]syncengine.Item, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for _, n := range namedSizes {
		if n < len(ids) {
			continue
		}
		args := make([]any, n+1)
		for i, id := range ids {
			args[i] = string(id)
		}
		args[n] = f
		return r.items(ctx, selectNamed[n], args...)
	}
	return nil, fmt.Errorf("sqlstore: %d items asked for at a time, %d are the most", len(ids), backend.MaxBatch)
}

func (r reader) ItemsAfter(ctx context.Context, f syncengine.FolderID, after int64, limit int) ([]syncengine.Item, error) {
	return r.items(ctx, selectAfter, f, after, limit)
}

func (r reader) ItemsEnding(ctx context.Context, f syncengine.FolderID, from, to syncengine.End, backwards bool, upTo int64, limit int) ([]syncengine.Item, error) {
	q := selectEnding
	if backwards {
		q = selectEndingBackwards
	}
	return r.items(ctx, q, f, from.Ends, from.Number, to.Ends, to.Number, upTo, limit)
}

func (r reader) ItemsDone(ctx context.Context, f syncengine.FolderID, after syncengine.Number, backwards bool, upTo int64, limit int) ([]syncengine.Item, error) {
	q := selectDone
	if backwards {
		q = selectDoneBackwards
	}
	return r.items(ctx, q, f, after, upTo, limit)
}

func (r reader) ItemsUnknown(ctx context.Context, f syncengine.FolderID, upTo int64, limit int) ([]syncengine.Item, error) {
	return r.items(ctx, selectUnknown, f, upTo, limit)
}

func (r reader) ItemsDue(ctx context.Context, f syncengine.FolderID, by int64, limit int) ([]syncengine.Item, error) {
	return r.items(ctx, selectDue, f, by, limit)
}

// due is how the schema writes a Due: NULL where there is none, and for what is
// gone.
func due(removed bool, at int64) any {
	if removed || at == 0 {
		return nil
	}
	return at
}

func (r reader) Numbers(ctx context.Context, f syncengine.FolderID, yield func(syncengine.Number, int64)) error {
	return r.in.rows(ctx, func(scan func(...any) error) error {
		var n syncengine.Number
		var touched int64
		if err := scan(&n, &touched); err != nil {
			return err
		}
		yield(n, touched)
		return nil
	}, selectNumbers, f)
}

func (w writer) SaveItems(ctx context.Context, f syncengine.FolderID, items []syncengine.Item) error {
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	save := w.in(ctx, saveItem)
	for _, it := range items {
		_, err := save.ExecContext(ctx, f, it.Number, string(it.ID), string(it.Revision), it.Sequence, it.Revised,
			number(it.Removed), it.Touched, number(it.Known), it.Ends, number(it.Done), due(it.Removed, it.Due))
		if err != nil {
			return fmt.Errorf("sqlstore: saving an item: %w", err)
		}
	}
	return nil
}

func (w writer) SaveFacts(ctx context.Context, f syncengine.FolderID, n syncengine.Number, rev backend.Revision, facts syncengine.Facts) error {
	return w.in.exec(ctx, saveFacts, f, n, string(rev), facts.Ends, number(facts.Done), due(false, facts.Due))
}

func (w writer) RemoveItems(ctx context.Context, f syncengine.FolderID, numbers []syncengine.Number, first int64) error {
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	remove := w.in(ctx, removeItem)
	for i, n := range numbers {
		if _, err := remove.ExecContext(ctx, f, n, first+int64(i)); err != nil {
			return fmt.Errorf("sqlstore: removing an item: %w", err)
		}
	}
	return nil
}

func (w writer) PurgeItems(ctx context.Context, f syncengine.FolderID) error {
	return w.in.exec(ctx, purgeItems, f)
}
