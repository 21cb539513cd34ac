package syncengine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
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

	results []Result // of the phone's commands, in the round that this one repeats too
	dirty   bool
	moved   bool // something is to be remembered though nothing is Dirty
	wrote   bool // the mirror has something new for others

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

// again forgets what Peek has found, because it may be different now.
func (r *Round) again() { r.scan, r.horizon, r.queue = nil, 0, nil }

// Key is the key that the answer carries: a new one if the round is Dirty,
// else the one that the phone sent.
func (r *Round) Key() Key {
	if r.dirty {
		return r.next
	}
	return r.sent
}

// Dirty tells whether the answer needs a new key: the round is Initial or
// Repeated, commands were applied, news was taken or the settings changed.
func (r *Round) Dirty() bool { return r.dirty }

// NextName is the name for an item that the phone adds: the same whenever the
// phone sends the same ClientId with the same key again, and no other's.
// Phones use ClientIds again in later rounds, so the series of the key would
// not be enough.
func (r *Round) NextName(clientID string) string {
	h := sha256.New()
	for _, part := range []string{r.phone.User, r.phone.Device, r.Folder.ID.String(), string(r.sent), clientID} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	name := base32.StdEncoding.EncodeToString(h.Sum(nil)[:20])
	return strings.ToLower(name)
}

// Acknowledge makes the round Dirty though nothing came of it: the phone sent
// commands, and a new key is how it learns that they arrived.
func (r *Round) Acknowledge() { r.dirty = true }

// Lookup finds an item that the phone names. ErrNoItem if the phone does not
// hold it or it is gone (then row.Removed is set). conflict tells that the
// item's revision is not the one that this phone was told last.
func (r *Round) Lookup(ctx context.Context, n Number) (row Row, conflict bool, err error) {
	it, err := r.engine.store.Item(ctx, r.Folder.ID, n)
	if err != nil {
		return Row{}, false, fmt.Errorf("syncengine: item %v: %w", ServerID(r.Folder.ID, n), err)
	}
	row = Row{Number: n, ID: it.ID, Revision: it.Revision, Removed: it.Removed, Told: r.state.told(&it)}
	switch {
	case it.Removed:
		return row, false, fmt.Errorf("%w: %v is gone", ErrNoItem, ServerID(r.Folder.ID, n))
	case !r.state.held.Contains(uint32(n)):
		return row, false, fmt.Errorf("%w: the phone was not told of %v", ErrNoItem, ServerID(r.Folder.ID, n))
	}
	return row, row.Told != row.Revision, nil
}

// Earlier tells what became of an Add in the round that this one repeats. The
// phone repeats the Add, too: so the item counts as held from here on.
func (r *Round) Earlier(clientID string) (Result, bool) {
	if !r.Repeated || clientID == "" {
		return Result{}, false
	}
	for _, res := range r.results {
		if res.ClientID == clientID {
			r.state.held.Add(uint32(res.Number))
			r.state.own[res.Number] = res.Revision
			r.again()
			return res, true
		}
	}
	return Result{}, false
}

// Added says that the phone's item was created, or that its create met its own
// first try. The body of it, where given, spares reading the item's facts. The
// phone holds the item and it is no news to it in this revision.
func (r *Round) Added(ctx context.Context, clientID string, it backend.Item) (Number, error) {
	row, err := r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		known, err := w.ItemsNamed(ctx, r.Folder.ID, []backend.ItemID{it.ID})
		if err != nil {
			return Item{}, err
		}
		var row Item
		if len(known) > 0 {
			row = known[0]
		} else {
			m.Numbers++
			row = Item{Number: m.Numbers, ID: it.ID}
		}
		if row.Removed || row.Revision != it.Revision {
			row.revise(m, it.Revision)
		}
		if len(it.Body) > 0 && !row.Known && r.engine.describe != nil {
			row.Known, row.Facts = true, r.engine.factsOf(r.Folder.Kind, it)
		}
		return row, nil
	})
	if err != nil {
		return 0, fmt.Errorf("syncengine: noting an added item: %w", err)
	}
	r.did(Result{clientID, row.Number, it.Revision})
	return row.Number, nil
}

// Changed says that the phone's change of an item led to a revision.
func (r *Round) Changed(ctx context.Context, n Number, rev backend.Revision) error {
	_, err := r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err == nil && (row.Removed || row.Revision != rev) {
			row.revise(m, rev)
		}
		return row, err
	})
	if err != nil {
		return fmt.Errorf("syncengine: noting a changed item: %w", err)
	}
	r.did(Result{"", n, rev})
	return nil
}

// Deleted says that the phone's deletion of an item was carried out, or that
// the item was gone before.
func (r *Round) Deleted(ctx context.Context, n Number) error {
	_, err := r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err == nil && !row.Removed {
			m.Sequence++
			row.Removed, row.Sequence = true, m.Sequence
		}
		return row, err
	})
	// A row that nobody needs any more is purged: then it is gone for sure.
	if err != nil && !errors.Is(err, ErrNoItem) {
		return fmt.Errorf("syncengine: noting a deleted item: %w", err)
	}
	r.did(Result{"", n, ""})
	return nil
}

// write lets change alter one row of the mirror. The backend has done what the
// phone asked for already, so the end of the context is no reason to stop.
func (r *Round) write(ctx context.Context, change func(Writer, *Mirror) (Item, error)) (row Item, err error) {
	ctx = context.WithoutCancel(ctx)
	wrote := false
	err = r.engine.store.Update(ctx, r.Folder.User, func(w Writer) error {
		m, err := w.Mirror(ctx, r.Folder.ID)
		if err != nil {
			return err
		}
		sequence := m.Sequence
		if row, err = change(w, &m); err != nil {
			return err
		}
		wrote = m.Sequence != sequence
		m.Touches++
		row.Touched = m.Touches
		if err := w.SaveItems(ctx, r.Folder.ID, []Item{row}); err != nil {
			return err
		}
		return w.SaveMirror(ctx, r.Folder.ID, m)
	})
	r.wrote = r.wrote || err == nil && wrote
	return row, err
}

// did takes the phone's command into the state and remembers its result.
func (r *Round) did(res Result) {
	r.dirty = true
	r.again()
	if res.Revision == "" {
		r.state.held.Remove(uint32(res.Number))
		delete(r.state.own, res.Number)
	} else {
		r.state.held.Add(uint32(res.Number))
		r.state.own[res.Number] = res.Revision
	}
	for i, old := range r.results {
		if old.ClientID == res.ClientID && (res.ClientID != "" || old.Number == res.Number) {
			r.results[i] = res
			return
		}
	}
	r.results = append(r.results, res)
}

// Peek answers the next news in order, at most limit, without taking it. Under
// a filter it reads items of which the mirror does not know enough. It looks
// no further than the mirror reached when it was called first.
func (r *Round) Peek(ctx context.Context, limit int) ([]News, error) {
	if r.Initial || limit <= 0 {
		return nil, nil
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
// newer than the news said (the later refresh is then no news). News is told
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
	}
	r.dirty = true
	r.settle()
}

// Skip says that a piece of news could not be sent; the round goes on behind
// it. The phone holds the item if it held it before.
func (r *Round) Skip(n News) {
	r.take(n)
	r.moved = true
	r.settle()
}

// take removes the first piece of news from the queue.
func (r *Round) take(n News) {
	if len(r.queue) == 0 || r.queue[0].Number != n.Number || r.queue[0].Op != n.Op {
		panic(fmt.Sprintf("syncengine: news of %v is told out of order", ServerID(r.Folder.ID, n.Number)))
	}
	first := r.queue[0]
	r.queue = r.queue[1:]
	r.drop(first.passed)
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
