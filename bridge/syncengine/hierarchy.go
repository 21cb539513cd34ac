package syncengine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// hierarchy is the folder number under which a phone's knowledge of the
// folders themselves is stored.
const hierarchy FolderID = 0

// A sight is what a phone is told of a folder. Letters are short because
// they are stored for every phone.
type sight struct {
	ID      FolderID               `json:"i"`
	Parent  FolderID               `json:"p,omitempty"`
	Kind    backend.CollectionKind `json:"k"`
	Name    string                 `json:"n"`
	Default bool                   `json:"d,omitempty"`
	Role    backend.Role           `json:"r,omitempty"`
}

func seen(f Folder) sight {
	return sight{ID: f.ID, Parent: f.Parent, Kind: f.Kind, Name: f.Name, Default: f.Default, Role: f.Role}
}

// difference tells a phone that was told old what is different in now.
func difference(old []sight, now []Folder) HierarchyRound {
	var round HierarchyRound
	was := map[FolderID]sight{}
	for _, s := range old {
		was[s.ID] = s
	}
	for _, f := range now {
		s, ok := was[f.ID]
		switch {
		case !ok:
			round.Added = append(round.Added, f)
		case s != seen(f):
			round.Updated = append(round.Updated, f)
		}
		delete(was, f.ID)
	}
	// Children before their parents, so that a phone which deletes a folder
	// with all that is in it still finds what is named after.
	for i := len(old) - 1; i >= 0; i-- {
		if _, ok := was[old[i].ID]; ok {
			round.Deleted = append(round.Deleted, old[i].ID)
		}
	}
	return round
}

func (r *HierarchyRound) empty() bool {
	return len(r.Added) == 0 && len(r.Updated) == 0 && len(r.Deleted) == 0
}

// Hierarchy answers a FolderSync and remembers the answer before it returns.
// NoKey tells every folder as Added; the present key tells what is different
// and, if nothing is, answers the same key; the key before (its answer was
// lost) tells the difference from that earlier state. Every other key is
// ErrInvalidKey. What the phone knows of items is never touched. show may hide
// folders from this phone; it is asked for merged folders, too, which are hidden
// without it.
func (e *Engine) Hierarchy(ctx context.Context, p Phone, key Key, show ...func(Folder) bool) (HierarchyRound, error) {
	ctx = context.WithoutCancel(ctx)
	var round HierarchyRound
	err := e.store.Update(ctx, p.User, func(w Writer) error {
		stored, err := w.Partnership(ctx, p, hierarchy)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		before := Before{Key: key}
		next := NoKey
		switch {
		case key == NoKey:
			before, next = Before{}, newSeries()
		case err != nil:
			return ErrInvalidKey
		case key == stored.Key:
			before.State = stored.State
		case key == stored.Before.Key && key != "":
			before.State = stored.Before.State
		default:
			return ErrInvalidKey
		}
		old, err := decodeSights(before.State)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalidKey, err)
		}
		now, err := shown(ctx, w, p.User, show)
		if err != nil {
			return err
		}
		round = difference(old, now)
		if key == stored.Key && round.empty() {
			round.Key = key
			return nil
		}
		if next == NoKey {
			next = stored.Key.next()
		}
		round.Key = next
		state, err := encodeSights(sights(now))
		if err != nil {
			return err
		}
		if key == NoKey { // with which a new series begins, whose rounds count from 1
			if err := w.ForgetShown(ctx, p, hierarchy); err != nil {
				return err
			}
		}
		return w.SavePartnership(ctx, p, Partnership{
			Folder: hierarchy, Present: Present{Key: next, State: state}, Before: before,
		})
	})
	if err != nil {
		return HierarchyRound{}, fmt.Errorf("syncengine: hierarchy: %w", err)
	}
	return round, nil
}

// HierarchyPending tells whether Hierarchy would have something to tell under
// the present key; true if the phone never asked.
func (e *Engine) HierarchyPending(ctx context.Context, p Phone, show ...func(Folder) bool) (bool, error) {
	stored, err := e.store.PresentState(ctx, p, hierarchy)
	if errors.Is(err, ErrUnknown) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("syncengine: hierarchy: %w", err)
	}
	records, err := e.store.Folders(ctx, p.User)
	if err != nil {
		return false, fmt.Errorf("syncengine: hierarchy: %w", err)
	}
	return hierarchyDiffers(stored.State, records, show), nil
}

// hierarchyDiffers tells whether a phone that was told of some folders is to see
// others now.
func hierarchyDiffers(told []byte, records []FolderRecord, show []func(Folder) bool) bool {
	old, err := decodeSights(told)
	if err != nil {
		return true // Hierarchy will send the phone back to NoKey
	}
	round := difference(old, shownOf(records, show))
	return !round.empty()
}

// shown lists the folders that the phone is to see. A child of one that it is
// not to see stands at the top.
func shown(ctx context.Context, r Reader, user string, show []func(Folder) bool) ([]Folder, error) {
	records, err := r.Folders(ctx, user)
	if err != nil {
		return nil, err
	}
	return shownOf(records, show), nil
}

// shownOf is shown among a person's folders, whose order it changes.
func shownOf(records []FolderRecord, show []func(Folder) bool) []Folder {
	var list []Folder
	there := map[FolderID]bool{}
	all := parentsFirst(records)
next:
	for _, f := range append(merge(all), all...) {
		asked := false
		for _, s := range show {
			if s != nil && !s(f) {
				continue next
			}
			asked = asked || s != nil
		}
		if f.ID.Merged() && !asked { // nobody sees an item twice
			continue
		}
		if !there[f.Parent] {
			f.Parent = 0
		}
		there[f.ID] = true
		list = append(list, f)
	}
	promote(list)
	return list
}

// promote makes the first folder of each kind the Default for a phone that is
// not to see the one which is, rather one that can be written to.
func promote(list []Folder) {
	best := map[backend.CollectionKind]int{}
	for i, f := range list {
		b, ok := best[f.Kind]
		if !ok || !list[b].Default && (f.Default || list[b].ReadOnly && !f.ReadOnly) {
			best[f.Kind] = i
		}
	}
	for _, i := range best {
		list[i].Default = true
	}
}

// Visible lists the folders that a phone is to see as Hierarchy tells of them.
func (e *Engine) Visible(ctx context.Context, user string, show ...func(Folder) bool) ([]Folder, error) {
	list, err := shown(ctx, e.store, user, show)
	if err != nil {
		return nil, fmt.Errorf("syncengine: folders: %w", err)
	}
	return list, nil
}

func sights(now []Folder) []sight {
	list := make([]sight, len(now))
	for i, f := range now {
		list[i] = seen(f)
	}
	return list
}

func encodeSights(list []sight) ([]byte, error) {
	b, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("syncengine: encoding folders: %w", err)
	}
	return append([]byte{stateVersion}, b...), nil
}

func decodeSights(b []byte) ([]sight, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var list []sight
	if b[0] != stateVersion {
		return nil, fmt.Errorf("%w: not of version %d", errState, stateVersion)
	}
	if err := json.Unmarshal(b[1:], &list); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	return list, nil
}
