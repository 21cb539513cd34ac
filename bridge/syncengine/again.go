package syncengine

import (
	"context"
	"errors"
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
	r.renew(n, held)
	r.again()
	return nil
}

// Lost takes an item from what the phone holds, because the phone is told in this
// round that it is not there: some phones drop it then, others wait to be told of its
// deletion, which is what the answer has to say. Should the item be there all the
// same, or come back, then it is an Add, of the next round at the earliest: this one
// looks no further than the mirror reached before. held is false if the phone does not
// hold the item.
func (r *Round) Lost(ctx context.Context, n Number) (held bool, err error) {
	if !r.state.held.Contains(uint32(n)) {
		return false, nil
	}
	var reached int64
	_, err = r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		reached = m.Sequence
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err == nil && !row.Removed {
			m.Sequence++
			row.Sequence, row.Revised = m.Sequence, m.Sequence
		}
		return row, err
	})
	if err != nil && !errors.Is(err, ErrNoItem) { // nobody else needs the row: see Deleted
		return false, fmt.Errorf("syncengine: noting that a phone has an item no more: %w", err)
	}
	if r.horizon == 0 || reached < r.horizon {
		r.horizon = reached
	}
	r.renew(n, false)
	horizon := r.horizon
	r.again()
	r.horizon = horizon
	return true, nil
}

// renew forgets in which revision the phone knows an item, and that it holds it
// unless it does.
func (r *Round) renew(n Number, held bool) {
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
