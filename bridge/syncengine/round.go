package syncengine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Round is one phone's Sync of one folder, from its key to the next. It
// belongs to one goroutine.
type Round struct {
	Folder   Folder
	Initial  bool // the phone begins anew; the answer has a key and no items
	Repeated bool // the key before came again: the state is what it was then

	engine *Engine
	phone  Phone
	source Source

	sent   Key    // by the phone
	base   Key    // the present key when the round began; empty if there was no partnership
	next   Key    // if the round is Dirty
	before Before // the state that the round began with
	state  *state

	results []Result          // of the phone's commands, in the round that this one repeats too
	shown   map[Number][]byte // what the phone holds of items from this round on; see Hold
	looked  map[Number]int64  // Item.Revised of what Lookup found
	dirty   bool
	fresh   bool     // see BeginPart
	missed  []Number // items that were looked for in vain
	moved   bool     // something is to be remembered though nothing is Dirty
	wrote   bool     // the mirror has something new for others
	leaves  bool     // see Leave

	scan    *scan  // nil before Peek, and after a command
	horizon int64  // of the first scan; 0 before it
	queue   []News // found and neither told nor skipped
}

// Begin opens a round for the key that the phone sent. NoKey is an Initial
// round; a key that is neither the present one nor the one before is
// ErrInvalidKey. Nothing is written before Commit, except to the mirror. s may
// be nil if Peek will not be called.
func (e *Engine) Begin(ctx context.Context, p Phone, f Folder, key Key, s Source) (*Round, error) {
	stored, err := e.store.Partnership(ctx, p, f.ID)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, fmt.Errorf("syncengine: beginning a round: %w", err)
	}
	r := &Round{
		Folder: f, engine: e, phone: p, source: s,
		sent: key, base: stored.Key, next: stored.Key.next(),
	}
	switch {
	case key == NoKey:
		r.Initial, r.dirty = true, true
		r.next, r.state = newSeries(), newState()
		return r, nil
	case err != nil || key == "":
		return nil, ErrInvalidKey
	case key == stored.Key:
		r.before = Before{stored.Key, stored.Position, stored.State}
	case key == stored.Before.Key:
		// The answer to this key was lost. The new answer leads to a new key
		// even if it says the same.
		r.Repeated, r.dirty = true, true
		r.before = stored.Before
	default:
		return nil, ErrInvalidKey
	}
	if r.state, err = decodeState(r.before.State); err != nil {
		// Nothing that the phone could say helps but to begin anew.
		return nil, fmt.Errorf("%w: %w", ErrInvalidKey, err)
	}
	if r.Repeated {
		if err := r.remember(stored.Results); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidKey, err)
		}
	}
	return r, nil
}

// BeginPart opens the first round of a folder of which the phone never learns
// the key, because it is a part of another one: its news can be told at once, and
// what there was of the partnership before ends with the Commit, not sooner. So
// a request that comes late, or fails, takes nothing away.
func (e *Engine) BeginPart(ctx context.Context, p Phone, f Folder, s Source) (*Round, error) {
	r, err := e.Begin(ctx, p, f, NoKey, s)
	if err != nil {
		return nil, err
	}
	r.Initial, r.dirty, r.fresh, r.moved = false, false, true, true
	return r, nil
}

// remember takes over what the lost round did for the phone: what it wrote then
// is nothing that somebody else changed since.
func (r *Round) remember(results []byte) error {
	if len(results) == 0 {
		return nil
	}
	if err := json.Unmarshal(results, &r.results); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	for _, res := range r.results {
		if res.ClientID == "" && res.Revision != "" {
			r.state.own[res.Number] = res.Revision
		}
	}
	return nil
}

// Settings are what the server wanted to remember, in its own encoding; they
// roll back with the partnership. Nil if nothing was set.
func (r *Round) Settings() []byte { return r.state.settings }

// SetSettings replaces the Settings.
func (r *Round) SetSettings(b []byte) {
	if !bytes.Equal(b, r.state.settings) {
		r.state.settings = bytes.Clone(b)
		r.dirty = true
	}
}

// Filter is what the phone wanted to see last.
func (r *Round) Filter() Filter { return r.state.filter }

// WindowStep is what Filter.Since is cut to: a window that moved with every
// request would have to be stored with every request.
const WindowStep = time.Hour

// SetFilter says what the phone wants to see from now on. It does not make the
// round Dirty, since a window moves with the time; the news that comes of it
// does.
func (r *Round) SetFilter(f Filter) {
	f.Since = f.Since.Truncate(WindowStep)
	if old := r.state.filter; old.Open == f.Open && old.Since.Equal(f.Since) {
		return
	}
	r.state.filter = f
	r.again()
	r.moved = true
}

// Key is the key that the answer carries: a new one if the round is Dirty or the
// first one, else the one that the phone sent.
func (r *Round) Key() Key {
	if r.dirty || r.fresh {
		return r.next
	}
	return r.sent
}

// Dirty tells whether the answer needs a new key: the round is Initial or
// Repeated, commands were applied, news was taken or the settings changed.
func (r *Round) Dirty() bool { return r.dirty }

// Acknowledge makes the round Dirty though nothing came of it: the phone sent
// commands, and a new key is how it learns that they arrived.
func (r *Round) Acknowledge() { r.dirty = true }
