package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// shownOf names the rows of one phone and folder.
const shownOf = ` folder = $1 AND device = $2 AND account = $3`

var (
	selectShown = query(`SELECT round, held, held_before FROM shown WHERE` + shownOf + ` AND number = $4`)
	dropShown   = query(`UPDATE shown SET held_before = held, held = NULL, round = $5 WHERE` + shownOf + ` AND number = $4`)
	revertNew   = query(`DELETE FROM shown WHERE` + shownOf + ` AND round > $4 AND held_before IS NULL`)
	revertShown = query(`UPDATE shown SET held = held_before, held_before = NULL, round = $4 WHERE` + shownOf + ` AND round > $4`)
	deleteShown = query(`DELETE FROM shown WHERE` + shownOf)

	// The plus keeps the primary key out of it, by which all that the phone
	// holds would be looked through.
	purgeShown = query(`DELETE FROM shown WHERE device = $2 AND account = $3 AND held IS NULL AND +folder = $1 AND round < $4`)

	selectTries = query(`SELECT name, tried FROM tries WHERE` + shownOf + ` AND round = $4`)
	saveTry     = query(`INSERT INTO tries (folder, device, account, name, round, tried) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (folder, device, account, name) DO UPDATE SET round = excluded.round, tried = excluded.tried`)
	purgeTries  = query(`DELETE FROM tries WHERE` + shownOf + ` AND round < $4`)
	deleteTries = query(`DELETE FROM tries WHERE` + shownOf)

	deleteShownOfPhone = query(`DELETE FROM shown WHERE account = $1 AND device = $2
		AND folder IN (SELECT folder FROM partnerships WHERE account = $1 AND device = $2)`)
	deleteTriesOfPhone = query(`DELETE FROM tries WHERE account = $1 AND device = $2
		AND folder IN (SELECT folder FROM partnerships WHERE account = $1 AND device = $2)`)
)

// shownSizes are how many rows are written at a time: a first synchronization
// writes a row for each item.
var shownSizes = []int{32, 1}

var saveShown = func() map[int]string {
	m := map[int]string{}
	for _, n := range shownSizes {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ", ($1, $2, $3, $4, $%d, $%d)", 2*i+5, 2*i+6)
		}
		m[n] = query(`INSERT INTO shown (folder, device, account, round, number, held) VALUES ` + b.String()[2:] + `
			ON CONFLICT (folder, device, account, number) DO UPDATE SET
			held_before = shown.held, held = excluded.held, round = excluded.round`)
	}
	return m
}()

func (r reader) Shown(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, n syncengine.Number) (syncengine.Shown, error) {
	var s syncengine.Shown
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		return scan(&s.Round, &s.Held, &s.Before)
	}, selectShown, f, p.Device, p.User, n)
	return s, err
}

func (w writer) SaveShown(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, round int64, items []syncengine.Holding) error {
	if err := w.in.exec(ctx, purgeShown, f, p.Device, p.User, round); err != nil {
		return err
	}
	held := make([]any, 0, 2*len(items)) // numbers and what is held, in turn
	for _, it := range items {
		if it.Held != nil {
			held = append(held, it.Number, it.Held)
		} else if err := w.in.exec(ctx, dropShown, f, p.Device, p.User, it.Number, round); err != nil {
			return err
		}
	}
	ctx, err := quick(ctx)
	if err != nil {
		return err
	}
	for _, n := range shownSizes {
		save := w.in(ctx, saveShown[n])
		for len(held) >= 2*n {
			args := append([]any{f, p.Device, p.User, round}, held[:2*n]...)
			if _, err := save.ExecContext(ctx, args...); err != nil {
				return fmt.Errorf("sqlstore: saving what a phone holds: %w", err)
			}
			held = held[2*n:]
		}
	}
	return nil
}

func (w writer) RevertShown(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, round int64) error {
	if err := w.in.exec(ctx, revertNew, f, p.Device, p.User, round); err != nil {
		return err
	}
	return w.in.exec(ctx, revertShown, f, p.Device, p.User, round)
}

func (w writer) ForgetShown(ctx context.Context, p syncengine.Phone, f syncengine.FolderID) error {
	for _, q := range []string{deleteShown, deleteTries} {
		if err := w.in.exec(ctx, q, f, p.Device, p.User); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) Tries(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, round int64) (map[string][]byte, error) {
	var tries map[string][]byte
	err := r.in.rows(ctx, func(scan func(...any) error) error {
		var name string
		var tried []byte
		if err := scan(&name, &tried); err != nil {
			return err
		}
		if tries == nil {
			tries = make(map[string][]byte)
		}
		tries[name] = tried
		return nil
	}, selectTries, f, p.Device, p.User, round)
	return tries, err
}

func (w writer) SaveTries(ctx context.Context, p syncengine.Phone, f syncengine.FolderID, round int64, tries map[string][]byte) error {
	if err := w.in.exec(ctx, purgeTries, f, p.Device, p.User, round); err != nil {
		return err
	}
	for name, tried := range tries {
		if err := w.in.exec(ctx, saveTry, f, p.Device, p.User, name, round, tried); err != nil {
			return err
		}
	}
	return nil
}
