package syncengine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A FolderEdit is one phone's command that makes, changes or deletes a folder,
// from the hierarchy's key to the next. It belongs to one goroutine.
type FolderEdit struct {
	engine *Engine
	phone  Phone
	key    Key
	told   []sight // at that key
	now    []sight // as the phone will believe it to be
}

// BeginFolderEdit begins a command with the key that the phone sent: the present
// one, or the one before, whose answer was lost. Any other, NoKey too, is
// ErrInvalidKey. Nothing is written before Commit.
func (e *Engine) BeginFolderEdit(ctx context.Context, p Phone, key Key) (*FolderEdit, error) {
	stored, err := e.store.Partnership(ctx, p, hierarchy)
	if errors.Is(err, ErrUnknown) {
		return nil, ErrInvalidKey
	}
	if err != nil {
		return nil, fmt.Errorf("syncengine: beginning a folder's edit: %w", err)
	}
	state, _, ok := stored.at(key)
	if !ok {
		return nil, ErrInvalidKey
	}
	x := &FolderEdit{engine: e, phone: p, key: key}
	if x.told, err = decodeSights(state); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidKey, err)
	}
	x.now = slices.Clone(x.told)
	return x, nil
}

// at is the state that belongs to a key of the hierarchy, and whether it is the
// one before the present one.
func (s *Partnership) at(key Key) (state []byte, before, ok bool) {
	switch {
	case key == "" || key == NoKey:
		return nil, false, false
	case key == s.Key:
		return s.State, false, true
	case key == s.Before.Key:
		return s.Before.State, true, true
	}
	return nil, false, false
}

// NextName is the name for a folder that the phone makes: the same whenever the
// phone sends the same with the same key again, and no other's.
func (x *FolderEdit) NextName(parts ...string) backend.CollectionID {
	return backend.CollectionID(derivedName(append([]string{x.phone.User, x.phone.Device, string(x.key)}, parts...)...))
}

// Try notes, before anything is written, that a folder of this name is made, for
// the case that the worker dies over it.
func (x *FolderEdit) Try(ctx context.Context, name backend.CollectionID) error {
	ctx = context.WithoutCancel(ctx)
	err := x.engine.store.Update(ctx, x.phone.User, func(w Writer) error {
		return w.SaveTries(ctx, x.phone, hierarchy, x.key.round(), map[string][]byte{string(name): {}})
	})
	if err != nil {
		return fmt.Errorf("syncengine: noting what is tried: %w", err)
	}
	return nil
}

// Tried tells whether Try noted the name.
func (x *FolderEdit) Tried(ctx context.Context, name backend.CollectionID) (bool, error) {
	tries, err := x.engine.store.Tries(ctx, x.phone, hierarchy, x.key.round())
	if err != nil {
		return false, fmt.Errorf("syncengine: what was tried: %w", err)
	}
	_, ok := tries[string(name)]
	return ok, nil
}

// Knows tells whether the phone was told of a folder.
func (x *FolderEdit) Knows(id FolderID) bool {
	return slices.ContainsFunc(x.told, func(s sight) bool { return s.ID == id })
}

// Has says that the phone has a folder from now on, as f says and not as it may
// really be: what is different is told at the next Hierarchy.
func (x *FolderEdit) Has(f Folder) {
	x.Lacks(f.ID)
	x.now = append(x.now, seen(f))
}

// Lacks says that the phone has a folder no more.
func (x *FolderEdit) Lacks(id FolderID) {
	x.now = slices.DeleteFunc(x.now, func(s sight) bool { return s.ID == id })
}

// Commit makes the edit come true and keeps its answer, which is written for the
// key that it leads to. Where the same request was committed before, and the
// phone did nothing since, it answers what that got. ErrInvalidKey, and nothing is
// changed, if another command of the phone came first.
func (x *FolderEdit) Commit(ctx context.Context, request []byte, write func(Key) ([]byte, error)) (answer []byte, err error) {
	ctx = context.WithoutCancel(ctx)
	err = x.engine.store.Update(ctx, x.phone.User, func(w Writer) error {
		stored, err := w.Partnership(ctx, x.phone, hierarchy)
		if errors.Is(err, ErrUnknown) {
			return ErrInvalidKey
		}
		if err != nil {
			return err
		}
		state, repeated, ok := stored.at(x.key)
		if !ok {
			return ErrInvalidKey
		}
		if repeated {
			if answer, err = answered(ctx, w, x.phone, request, stored.Key); err != nil || answer != nil {
				return err
			}
		}
		next := stored.Key.next()
		if answer, err = write(next); err != nil {
			return err
		}
		now, err := encodeSights(x.now)
		if err != nil {
			return err
		}
		err = w.SavePartnership(ctx, x.phone, Partnership{
			Folder: hierarchy, Present: Present{Key: next, State: now}, Before: Before{Key: x.key, State: state},
		})
		if err != nil {
			return err
		}
		return keep(ctx, w, x.phone, request, answer, []lead{{hierarchy, next}})
	})
	if err != nil {
		return nil, fmt.Errorf("syncengine: committing a folder's edit: %w", err)
	}
	return answer, nil
}

// answered is what a request got that led to the present key; nil if it is not
// known.
func answered(ctx context.Context, r Reader, p Phone, request []byte, now Key) ([]byte, error) {
	a, err := r.Answer(ctx, p, nameOf(request))
	if err != nil || a.Request == nil {
		return nil, err
	}
	var leads []lead
	if json.Unmarshal(a.Led, &leads) != nil || len(leads) != 1 || leads[0] != (lead{hierarchy, now}) {
		return nil, nil
	}
	return a.Body, nil
}
