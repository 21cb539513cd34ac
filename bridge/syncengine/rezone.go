package syncengine

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// rezone makes news of the items that are in the folder's time zone, where that is
// another one than when phones were told of them: nothing of such an item changed,
// and it begins at another moment.
func (l *listing) rezone(ctx context.Context) error {
	zone := l.engine.zone(l.folder)
	if zone == "" {
		return nil // items of its kind are nowhere
	}
	store := l.engine.store
	m, err := store.Mirror(ctx, l.folder.ID)
	if err != nil || m.Zone == zone {
		return err // nearly always
	}
	before := m.Zone
	if before == "" { // a new folder, or one that a program showed that knew of no others
		plain := l.folder
		plain.Zone = ""
		before = l.engine.zone(plain)
	}
	if before != zone {
		if err := l.moveZone(ctx); err != nil {
			return err
		}
	}
	return store.Update(ctx, l.folder.User, func(w Writer) error {
		m, err := w.Mirror(ctx, l.folder.ID)
		if err != nil {
			return err
		}
		m.Zone = zone
		return w.SaveMirror(ctx, l.folder.ID, m)
	})
}

// moveZone looks at all items that any phone was told of. If it does not come to
// its end the next Refresh begins it again, which tells phones nothing wrong.
func (l *listing) moveZone(ctx context.Context) error {
	store := l.engine.store
	told, err := store.Foremost(ctx, l.folder.ID)
	if err != nil {
		return err
	}
	for after := int64(0); after < told; {
		items, err := store.ItemsAfter(ctx, l.folder.ID, after, backend.MaxBatch)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].Sequence
		ids, err := l.floating(ctx, items, told)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			continue
		}
		err = store.Update(ctx, l.folder.User, func(w Writer) error { return tellAgain(ctx, w, l.folder.ID, ids, told) })
		if err != nil {
			return err
		}
		l.changed = true
	}
	return nil
}

// floating names the items that are in the folder's zone, of those that phones may
// have been told of. One that cannot be read just now may be.
func (l *listing) floating(ctx context.Context, items []Item, told int64) ([]backend.ItemID, error) {
	var ids, found []backend.ItemID
	for i := range items {
		if !items[i].Removed && items[i].Sequence <= told {
			ids = append(ids, items[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	err := l.source.Get(ctx, l.folder.Collection, ids, func(f backend.Fetched) error {
		if backend.KindOf(f.Err) == backend.Transient || f.Err == nil && l.engine.floats(f.Item) {
			found = append(found, f.ID)
		}
		return nil
	})
	return found, err
}

// tellAgain gives items the next places in the sequence, and has their facts read
// anew, unless they changed meanwhile.
func tellAgain(ctx context.Context, w Writer, f FolderID, ids []backend.ItemID, told int64) error {
	items, err := w.ItemsNamed(ctx, f, ids)
	if err != nil {
		return err
	}
	m, err := w.Mirror(ctx, f)
	if err != nil {
		return err
	}
	var save []Item
	for _, it := range items {
		if it.Removed || it.Sequence > told {
			continue
		}
		m.Sequence++
		it.Sequence, it.Known, it.Facts = m.Sequence, false, Facts{Ends: Forever}
		save = append(save, it)
	}
	if err := w.SaveItems(ctx, f, save); err != nil {
		return err
	}
	return w.SaveMirror(ctx, f, m)
}
