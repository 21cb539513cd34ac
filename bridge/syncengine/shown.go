package syncengine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// A Shown is what is known of what a phone holds of an item, in the encoding of
// whoever shows items to phones.
type Shown struct {
	Round  int64  // the round that led to Held
	Held   []byte // nil if the phone does not hold the item, or nothing is known of it
	Before []byte // what it held before that round; nil as with Held
}

// A Holding is what a phone holds of an item; Held is nil if it does not hold
// it any more.
type Holding struct {
	Number Number
	Held   []byte
}

// A ShownReader reads what phones hold.
type ShownReader interface {
	// Shown is zero if nothing is known.
	Shown(ctx context.Context, p Phone, f FolderID, n Number) (Shown, error)

	// Tries are those of a round, by their names.
	Tries(ctx context.Context, p Phone, f FolderID, round int64) (map[string][]byte, error)
}

// A ShownWriter stores what phones hold. Ending a partnership deletes all of it.
type ShownWriter interface {
	// SaveShown notes what a phone holds after a round. What it held until then
	// stays beside it; what it ceased to hold before that round goes. No item
	// may be there twice, and the round is a later one than any before.
	SaveShown(ctx context.Context, p Phone, f FolderID, round int64, items []Holding) error

	// RevertShown takes back what was noted of rounds after this one.
	RevertShown(ctx context.Context, p Phone, f FolderID, round int64) error

	// ForgetShown deletes what is known of a folder, tries too.
	ForgetShown(ctx context.Context, p Phone, f FolderID) error

	// SaveTries adds tries to those of a round or replaces them, and deletes
	// those of earlier rounds.
	SaveTries(ctx context.Context, p Phone, f FolderID, round int64, tries map[string][]byte) error
}

// round is the number of the round that led to a key; 0 if it is not one of
// ours.
func (k Key) round() int64 {
	_, n, _ := strings.Cut(string(k), "-")
	i, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0
	}
	return i
}

// Hold notes what the phone holds of an item when it has the answer, in the
// caller's encoding; nil means that nothing is known. Deletions are noted by
// themselves.
func (r *Round) Hold(n Number, what []byte) {
	if r.shown == nil {
		r.shown = make(map[Number][]byte)
	}
	r.shown[n] = what
}

// Holds answers what the phone holds of an item: what was noted in this round
// or, before that, what it held when it sent its key. Nil means that nothing is
// known.
func (r *Round) Holds(ctx context.Context, n Number) ([]byte, error) {
	if what, ok := r.shown[n]; ok {
		return what, nil
	}
	s, err := r.engine.store.Shown(ctx, r.phone, r.Folder.ID, n)
	if err != nil {
		return nil, fmt.Errorf("syncengine: what the phone holds of %v: %w", ServerID(r.Folder.ID, n), err)
	}
	if s.Round > r.sent.round() {
		return s.Before, nil
	}
	return s.Held, nil
}

// Try notes what commands of this round are about to write to the backend, by
// names that the caller gives them. It is to be called before anything is
// written: should the worker die before Commit, or the answer be lost, then the
// repetition finds in Tried what the phone itself wrote, and does not take it
// for somebody else's edit.
func (r *Round) Try(ctx context.Context, tries map[string][]byte) error {
	if len(tries) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := r.engine.store.Update(ctx, r.Folder.User, func(w Writer) error {
		return w.SaveTries(ctx, r.phone, r.Folder.ID, r.sent.round(), tries)
	})
	if err != nil {
		return fmt.Errorf("syncengine: noting what is tried: %w", err)
	}
	return nil
}

// Tried answers what was noted by Try when the phone sent this key before.
func (r *Round) Tried(ctx context.Context) (map[string][]byte, error) {
	tries, err := r.engine.store.Tries(ctx, r.phone, r.Folder.ID, r.sent.round())
	if err != nil {
		return nil, fmt.Errorf("syncengine: what was tried: %w", err)
	}
	return tries, nil
}

// saveShown stores what the round notes of the phone's holdings.
func (r *Round) saveShown(ctx context.Context, w Writer) error {
	var err error
	switch {
	case r.Initial, r.fresh:
		err = w.ForgetShown(ctx, r.phone, r.Folder.ID)
	case r.Repeated: // the phone never got what came of the round that this one repeats
		err = w.RevertShown(ctx, r.phone, r.Folder.ID, r.sent.round())
	}
	if err != nil || len(r.shown) == 0 {
		return err
	}
	items := make([]Holding, 0, len(r.shown))
	for n, what := range r.shown {
		items = append(items, Holding{n, what})
	}
	return w.SaveShown(ctx, r.phone, r.Folder.ID, r.next.round(), items)
}
