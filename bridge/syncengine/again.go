package syncengine

import (
	"context"
	"fmt"
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
// too, which does no harm.
func (r *Round) Again(ctx context.Context, n Number, held bool) error {
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
