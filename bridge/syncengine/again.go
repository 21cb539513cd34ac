package syncengine

import (
	"context"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// LookAgain makes the next Peek see what a Refresh brought meanwhile, whoever
// asked for it: that of another phone may have come first, so that this
// phone's found nothing new.
func (r *Round) LookAgain(ctx context.Context) error {
	m, err := r.engine.store.Mirror(ctx, r.Folder.ID)
	if err != nil {
		return fmt.Errorf("syncengine: looking for news: %w", err)
	}
	if m.Sequence != r.horizon {
		r.again()
	}
	return nil
}

// Again makes an item news to this phone in this round, though it did not
// change: the phone's own edit of it was refused, or its create met its own
// first try and somebody changed that since; and the phone shall see what
// really is there. held tells whether the phone still has the item: then the
// news is a Change, else an Add. Other phones of the person are told once more,
// too, which does no harm. It goes on when the context ends: the phone may hear
// of the refusal all the same.
func (r *Round) Again(ctx context.Context, n Number, held bool) error {
	ctx = context.WithoutCancel(ctx)
	_, err := r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err == nil && !row.Removed {
			m.Sequence++
			row.Sequence, row.Revised = m.Sequence, m.Sequence
		}
		return row, err
	})
	if err != nil {
		return fmt.Errorf("syncengine: telling an item again: %w", err)
	}
	delete(r.state.own, n)
	for i := range r.results {
		if r.results[i].Number == n {
			r.results[i].Revision = "" // nothing that a repetition could take for what the phone knows
		}
	}
	if !held {
		r.state.held.Remove(uint32(n))
		r.Hold(n, nil)
	}
	r.dirty = true
	r.again()
	return nil
}

// Numbered answers the numbers of the items that are named and there. What the
// mirror does not know yet, it is asked for first. Those that it does not find are
// absent.
func (e *Engine) Numbered(ctx context.Context, f Folder, s Source, ids []backend.ItemID) (map[backend.ItemID]Number, error) {
	found, err := e.numbered(ctx, f, ids)
	if err != nil || len(found) == len(ids) {
		return found, err
	}
	if _, err := e.Refresh(ctx, f, s); err != nil {
		return nil, err
	}
	return e.numbered(ctx, f, ids)
}

// Lists tells whether the mirror has an item of a name as it was refreshed last.
func (e *Engine) Lists(ctx context.Context, f Folder, id backend.ItemID) (bool, error) {
	found, err := e.numbered(ctx, f, []backend.ItemID{id})
	return len(found) > 0, err
}

func (e *Engine) numbered(ctx context.Context, f Folder, ids []backend.ItemID) (map[backend.ItemID]Number, error) {
	found := make(map[backend.ItemID]Number, len(ids))
	for some := range slices.Chunk(ids, backend.MaxBatch) {
		items, err := e.store.ItemsNamed(ctx, f.ID, some)
		if err != nil {
			return nil, fmt.Errorf("syncengine: the numbers of items: %w", err)
		}
		for _, it := range items {
			if !it.Removed {
				found[it.ID] = it.Number
			}
		}
	}
	return found, nil
}

// Item finds an item by its number, whichever phone asks; ErrNoItem if it is
// gone.
func (e *Engine) Item(ctx context.Context, f Folder, n Number) (Row, error) {
	it, err := e.store.Item(ctx, f.ID, n)
	if err == nil && it.Removed {
		err = ErrNoItem
	}
	if err != nil {
		return Row{}, fmt.Errorf("syncengine: item %v: %w", ServerID(f.ID, n), err)
	}
	return Row{Number: n, ID: it.ID, Revision: it.Revision}, nil
}
