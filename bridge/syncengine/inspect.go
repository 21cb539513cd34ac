package syncengine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Count is how many items of a folder are there, as far as the mirror knows.
func (e *Engine) Count(ctx context.Context, f FolderID) (int, error) {
	n := 0
	if err := e.store.Numbers(ctx, f, func(Number, int64) { n++ }); err != nil {
		return 0, fmt.Errorf("syncengine: counting items: %w", err)
	}
	return n, nil
}

// An Inventory is what a phone has of a folder.
type Inventory struct {
	Items  int
	Behind bool // the mirror has changes that the phone did not ask for yet
}

// Inventory looks up what a phone has of a folder; ErrUnknown if it never
// synchronized it, or is to begin anew.
func (e *Engine) Inventory(ctx context.Context, p Phone, f FolderID) (Inventory, error) {
	standing, err := e.store.Standing(ctx, p, f)
	if err != nil {
		return Inventory{}, fmt.Errorf("syncengine: a phone's inventory: %w", err)
	}
	stored, err := e.store.PresentState(ctx, p, f)
	if err != nil {
		return Inventory{}, fmt.Errorf("syncengine: a phone's inventory: %w", err)
	}
	s, err := decodeState(stored.State)
	if err != nil { // the phone will have to begin anew
		return Inventory{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return Inventory{
		Items:  int(s.held.GetCardinality()),
		Behind: standing.Unfinished || standing.Sequence > standing.Position,
	}, nil
}

// There answers which of the items (any number) are in a folder of the user,
// as far as the mirror knows; none if the folder is gone.
func (e *Engine) There(ctx context.Context, user string, f FolderID, ids []backend.ItemID) ([]backend.ItemID, error) {
	if _, err := e.Folder(ctx, user, f); errors.Is(err, ErrNoFolder) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var there []backend.ItemID
	for part := range slices.Chunk(ids, backend.MaxBatch) {
		items, err := e.store.ItemsNamed(ctx, f, part)
		if err != nil {
			return nil, fmt.Errorf("syncengine: looking for items: %w", err)
		}
		for _, it := range items {
			if !it.Removed {
				there = append(there, it.ID)
			}
		}
	}
	return there, nil
}

// NotOver lists the items of a folder of which something happens after a moment,
// and those of which that is not known, as far as the mirror knows; more tells
// whether there are others than the limit lets through.
func (e *Engine) NotOver(ctx context.Context, f Folder, after time.Time, limit int) (ids []backend.ItemID, more bool, err error) {
	m, err := e.store.Mirror(ctx, f.ID)
	if err != nil {
		return nil, false, fmt.Errorf("syncengine: what is not over: %w", err)
	}
	from, to := End{Ends: after.Unix()}, End{Ends: Forever, Number: math.MaxUint32}
	known, err := e.store.ItemsEnding(ctx, f.ID, from, to, false, m.Sequence, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("syncengine: what is not over: %w", err)
	}
	unknown, err := e.store.ItemsUnknown(ctx, f.ID, m.Sequence, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("syncengine: what is not over: %w", err)
	}
	for _, it := range append(known, unknown...) {
		if len(ids) == limit {
			return ids, true, nil
		}
		ids = append(ids, it.ID)
	}
	return ids, false, nil
}

// Items calls yield with every item of a folder that was there when it was last
// looked at. yield may use the engine.
func (e *Engine) Items(ctx context.Context, f Folder, yield func(Row) error) error {
	m, err := e.store.Mirror(ctx, f.ID)
	if err != nil {
		return fmt.Errorf("syncengine: listing items: %w", err)
	}
	for after := int64(0); ; {
		items, err := e.store.ItemsAfter(ctx, f.ID, after, backend.MaxBatch)
		if err != nil {
			return fmt.Errorf("syncengine: listing items: %w", err)
		}
		for _, it := range items {
			if it.Sequence > m.Sequence {
				return nil // of later than the question
			}
			after = it.Sequence
			if it.Removed {
				continue
			}
			if err := yield(Row{Number: it.Number, ID: it.ID, Revision: it.Revision}); err != nil {
				return err
			}
		}
		if len(items) == 0 {
			return nil
		}
	}
}
