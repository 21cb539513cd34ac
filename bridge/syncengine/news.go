package syncengine

import (
	"context"
	"fmt"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// again forgets what Peek has found, because it may be different now.
func (r *Round) again() { r.scan, r.horizon, r.queue = nil, 0, nil }

// Peek answers the next news in order, at most limit, without taking it. Under
// a filter it reads items of which the mirror does not know enough. It looks
// no further than the mirror reached when it was called first.
func (r *Round) Peek(ctx context.Context, limit int) ([]News, error) {
	if r.Initial || limit <= 0 {
		return nil, nil
	}
	if r.leaves {
		return r.leftovers(limit), nil
	}
	if r.scan == nil {
		var err error
		r.scan, err = r.engine.newScan(ctx, r.Folder, r.state, r.source, r.horizon)
		if err != nil {
			return nil, fmt.Errorf("syncengine: looking for news: %w", err)
		}
		r.horizon = r.scan.horizon
	}
	for len(r.queue) < limit && !r.scan.done() {
		news, err := r.scan.more(ctx, limit-len(r.queue))
		if err != nil {
			return nil, fmt.Errorf("syncengine: looking for news: %w", err)
		}
		r.queue = append(r.queue, news...)
	}
	r.settle()
	return append([]News(nil), r.queue[:min(limit, len(r.queue))]...), nil
}

// settle moves the state over all that was looked at, once no news of it is
// left.
func (r *Round) settle() {
	if len(r.queue) > 0 || r.scan == nil || r.state.progress() == r.scan.at {
		return
	}
	r.state.advance(r.scan.at)
	r.drop(r.scan.passed)
	r.scan.passed = nil
	r.moved = true
}

func (r *Round) drop(own []Number) {
	for _, n := range own {
		delete(r.state.own, n)
	}
}

// Told says that a piece of news is in the answer, in a revision that may be
// newer than the news said (the later refresh is then no news), and never older: what
// was read before Peek answered will do in the revision of the news alone. News is told
// or skipped in Peek's order; anything else panics.
func (r *Round) Told(n News, rev backend.Revision) {
	r.take(n)
	delete(r.state.own, n.Number)
	switch n.Op {
	case Add, Change:
		r.state.held.Add(uint32(n.Number))
		if rev != n.Revision && rev != "" {
			r.state.own[n.Number] = rev
		}
	case Delete, SoftDelete:
		r.state.held.Remove(uint32(n.Number))
		r.Hold(n.Number, nil)
	}
	r.dirty = true
	r.settle()
}

// Withdrawn says that the answer tells a Change as a deletion: the item turned
// into something that the phone cannot be shown. Should it turn back, it is an
// Add.
func (r *Round) Withdrawn(n News) {
	r.take(n)
	delete(r.state.own, n.Number)
	r.state.held.Remove(uint32(n.Number))
	r.Hold(n.Number, nil)
	r.dirty = true
	r.settle()
}

// Skip says that a piece of news could not be sent; the round goes on behind
// it. The phone holds what it held before. An item that it holds as it was is not
// taken for told from then on, and is tried again in each round to come, after
// what is new: see [scan.tryAgain].
func (r *Round) Skip(n News) {
	r.take(n)
	if n.Op == Change && !n.again {
		r.state.own[n.Number] = untold
	}
	r.moved = r.moved || !n.again
	r.settle()
}

// Missed is Skip for an item that the backend does not have any more, whatever
// its last listing said. Most often the next one says that it is gone. Should
// that be held, and not be so, then the item is news again.
func (r *Round) Missed(n News) {
	r.Skip(n)
	r.missed = append(r.missed, n.Number)
}

// take removes the first piece of news from the queue.
func (r *Round) take(n News) {
	if len(r.queue) == 0 || r.queue[0].Number != n.Number || r.queue[0].Op != n.Op {
		panic(fmt.Sprintf("syncengine: news of %v is told out of order", ServerID(r.Folder.ID, n.Number)))
	}
	first := r.queue[0]
	r.queue = r.queue[1:]
	r.drop(first.passed)
	r.moved = r.moved || r.state.progress() != first.after
	r.state.advance(first.after)
}

// More tells whether there is news that is neither told nor skipped.
func (r *Round) More(ctx context.Context) (bool, error) {
	news, err := r.Peek(ctx, 1)
	return len(news) > 0, err
}

// EstimateLimit is the highest estimate: counting further would cost more than
// any phone makes of it.
const EstimateLimit = 10_000

// Estimate counts the news, up to EstimateLimit. Items of which a filter does
// not know enough count, since nothing is read for it.
func (r *Round) Estimate(ctx context.Context) (int, error) {
	if r.Initial {
		return 0, nil
	}
	if r.leaves {
		return min(int(r.state.held.GetCardinality()), EstimateLimit), nil
	}
	s, err := r.engine.newScan(ctx, r.Folder, r.state, nil, 0)
	count := 0
	for err == nil && count < EstimateLimit && !s.done() {
		var news []News
		news, err = s.more(ctx, backend.MaxBatch)
		count += len(news)
	}
	if err != nil {
		return 0, fmt.Errorf("syncengine: estimating: %w", err)
	}
	return min(count, EstimateLimit), nil
}

// Pending tells whether a Sync of the folder would have news for the phone, by
// a compare of two numbers where nothing happened. ErrUnknown if the phone
// never synchronized the folder. News of which only the passing of time is the
// cause does not count.
func (e *Engine) Pending(ctx context.Context, p Phone, id FolderID) (bool, error) {
	st, err := e.store.Standing(ctx, p, id)
	if err != nil {
		return false, fmt.Errorf("syncengine: pending news: %w", err)
	}
	return e.pendingFrom(ctx, p, id, st)
}

// pendingFrom is Pending for a phone that stands there.
func (e *Engine) pendingFrom(ctx context.Context, p Phone, id FolderID, st Standing) (bool, error) {
	if st.Sequence <= st.Position && !st.Unfinished {
		return false, nil
	}
	stored, err := e.store.PresentState(ctx, p, id)
	if err != nil {
		return false, fmt.Errorf("syncengine: pending news: %w", err)
	}
	s, err := decodeState(stored.State)
	if err != nil {
		return true, nil // the Sync will send the phone back to NoKey
	}
	f, err := e.Folder(ctx, p.User, id)
	if err != nil {
		return false, err
	}
	scan, err := e.newScan(ctx, f, s, nil, 0)
	if err != nil {
		return false, fmt.Errorf("syncengine: pending news: %w", err)
	}
	news, err := scan.more(ctx, 1)
	if err != nil {
		return false, fmt.Errorf("syncengine: pending news: %w", err)
	}
	return len(news) > 0, nil
}
