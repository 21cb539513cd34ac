package syncengine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// MaxAnswer bounds an answer that is kept for a repetition, in bytes. A
	// larger one is not kept; the repetition is then answered from the earlier
	// state. Writing more than this costs more than reading the items again.
	MaxAnswer = 256 << 10

	// MaxAnswers bounds how many answers are kept for one phone: one for each
	// folder is what a phone needs that asks for each on its own.
	MaxAnswers = 32
)

// A lead is one partnership that an answer left in a state.
type lead struct {
	Folder FolderID `json:"f"`
	Key    Key      `json:"k"`
}

// Commit makes the rounds of one request come true together, and keeps the
// answer for a repetition of the request; ErrKeyMoved, and nothing is changed,
// if another request came first. request names the request: all that matters
// of it, keys included. Nil keeps no answer. Commit is to be called with all
// rounds of a request, the ones that are not Dirty too: they may have found
// out that there is no news. It goes on when the context ends.
func (e *Engine) Commit(ctx context.Context, p Phone, request, answer []byte, rounds ...*Round) error {
	ctx = context.WithoutCancel(ctx)
	dirty, moved := false, false
	leads := make([]lead, len(rounds))
	for i, r := range rounds {
		dirty, moved = dirty || r.dirty, moved || r.moved
		leads[i] = lead{r.Folder.ID, r.Key()}
	}
	var err error
	if dirty || moved {
		err = e.store.Update(ctx, p.User, func(w Writer) error {
			for _, r := range rounds {
				if err := r.save(ctx, w); err != nil {
					return err
				}
			}
			if !dirty {
				return nil
			}
			return keep(ctx, w, p, request, answer, leads)
		})
	}
	for _, r := range rounds {
		if r.wrote && e.changed != nil {
			e.changed(r.Folder.User, r.Folder.ID)
		}
	}
	if err != nil {
		return fmt.Errorf("syncengine: committing: %w", err)
	}
	return nil
}

// save stores one round.
func (r *Round) save(ctx context.Context, w Writer) error {
	if !r.dirty && !r.moved {
		return nil
	}
	dirty := r.dirty || r.fresh
	stored, err := w.PresentState(ctx, r.phone, r.Folder.ID)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	if stored.Key != r.base { // both are empty if there was no partnership
		if !dirty {
			return nil // what there is to remember is old already
		}
		return ErrKeyMoved
	}
	if err := r.saveMissed(ctx, w); err != nil {
		return err
	}
	state, err := r.state.encode()
	if err != nil {
		return err
	}
	present := Present{r.Key(), r.state.position, r.state.unfinished(), state}
	if !dirty {
		return w.SavePresent(ctx, r.phone, r.Folder.ID, present)
	}
	var results []byte
	if len(r.results) > 0 {
		if results, err = json.Marshal(r.results); err != nil {
			return err
		}
	}
	if err := r.saveShown(ctx, w); err != nil {
		return err
	}
	return w.SavePartnership(ctx, r.phone, Partnership{
		Folder: r.Folder.ID, Present: present, Before: r.before, Results: results,
	})
}

// missed is the Item.Touched of what a phone looked for in vain.
const missed = -1

// saveMissed marks what the phone did not get because it was not there, for the
// case that it comes back as it was: see greet.
func (r *Round) saveMissed(ctx context.Context, w Writer) error {
	for _, n := range r.missed {
		it, err := w.Item(ctx, r.Folder.ID, n)
		if errors.Is(err, ErrNoItem) || err == nil && it.Removed {
			continue
		}
		if err != nil {
			return err
		}
		it.Touched = missed
		if err := w.SaveItems(ctx, r.Folder.ID, []Item{it}); err != nil {
			return err
		}
	}
	return nil
}

// keep stores the answer and drops those that lead to states which are no more.
func keep(ctx context.Context, w Writer, p Phone, request, answer []byte, leads []lead) error {
	now := map[FolderID]Key{}
	for _, l := range leads {
		now[l.Folder] = l.Key
	}
	answers, err := w.Answers(ctx, p)
	if err != nil {
		return err
	}
	left := len(answers)
	for _, a := range answers {
		if left < MaxAnswers && !stale(a, now) {
			continue
		}
		if err := w.DeleteAnswer(ctx, p, a.Request); err != nil {
			return err
		}
		left--
	}
	if request == nil || len(answer) > MaxAnswer {
		return nil
	}
	led, err := json.Marshal(leads)
	if err != nil {
		return err
	}
	return w.SaveAnswer(ctx, p, Answer{Request: nameOf(request), Led: led, Body: answer})
}

// stale tells whether one of the partnerships that the answer led to is at
// another key now.
func stale(a Answer, now map[FolderID]Key) bool {
	var leads []lead
	if json.Unmarshal(a.Led, &leads) != nil {
		return true
	}
	for _, l := range leads {
		if k, ok := now[l.Folder]; ok && k != l.Key {
			return true
		}
	}
	return false
}

// nameOf makes every request's name equally short.
func nameOf(request []byte) []byte {
	sum := sha256.Sum256(request)
	return sum[:]
}

// Replay finds the answer that a request got before, as long as every
// partnership in it is still in the state that the answer led to. See [MS-ASCMD]
// "Handling Status Errors": a client whose answer got lost repeats its request,
// and the server has to know it again.
func (e *Engine) Replay(ctx context.Context, p Phone, request []byte) (answer []byte, ok bool, err error) {
	a, err := e.store.Answer(ctx, p, nameOf(request))
	if err != nil {
		return nil, false, fmt.Errorf("syncengine: replaying: %w", err)
	}
	var leads []lead
	if a.Request == nil || json.Unmarshal(a.Led, &leads) != nil {
		return nil, false, nil
	}
	for _, l := range leads {
		stored, err := e.store.PresentState(ctx, p, l.Folder)
		if errors.Is(err, ErrUnknown) || err == nil && stored.Key != l.Key {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("syncengine: replaying: %w", err)
		}
	}
	return a.Body, true, nil
}

// Forget ends the partnership of a phone and a folder, if there is one.
func (e *Engine) Forget(ctx context.Context, p Phone, id FolderID) error {
	ctx = context.WithoutCancel(ctx)
	err := e.store.Update(ctx, p.User, func(w Writer) error { return w.DeletePartnership(ctx, p, id) })
	if err != nil {
		return fmt.Errorf("syncengine: forgetting: %w", err)
	}
	return nil
}

// ForgetPhone ends all that is remembered of a phone.
func (e *Engine) ForgetPhone(ctx context.Context, p Phone) error {
	ctx = context.WithoutCancel(ctx)
	err := e.store.Update(ctx, p.User, func(w Writer) error { return w.DeletePartnerships(ctx, p) })
	if err != nil {
		return fmt.Errorf("syncengine: forgetting: %w", err)
	}
	return nil
}
