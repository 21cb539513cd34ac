package syncengine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxRemovals bounds the removals that one listing since a cursor keeps in
// memory until it is complete. A listing with more is given up for a complete
// one, which needs a bit for each item only.
const MaxRemovals = 10_000

var (
	// errTooManyRemovals ends a listing since a cursor.
	errTooManyRemovals = errors.New("syncengine: too many removals for one listing")

	// errOvertaken ends a listing because another process finished one.
	errOvertaken = errors.New("syncengine: another process refreshed the folder meanwhile")
)

// maxOvertaken is how often a refresh begins again because of errOvertaken.
const maxOvertaken = 3

// Refresh asks s what changed in f since the last time and tells whether the
// mirror got something new. Only one refresh of a folder runs at a time: a
// caller that arrives meanwhile shares the next one with all who wait, since
// the one under way may have begun before what the caller wants to see.
//
// A listing that fails removes nothing, and its error comes back; what it said
// of items that are there is kept, since that is true. What is missing in large
// numbers is held, see [Brake]: that is no error, and all else is taken over.
func (e *Engine) Refresh(ctx context.Context, f Folder, s Source) (changed bool, err error) {
	changed, err = e.flights.do(ctx, f.ID, func() (bool, error) {
		l := listing{engine: e, folder: f, source: s}
		err := l.run(ctx)
		return l.changed, err
	})
	if err != nil {
		err = fmt.Errorf("syncengine: refreshing folder %v: %w", f.ID, err)
	}
	return changed, err
}

// A listing is one refresh under way.
type listing struct {
	engine *Engine
	folder Folder
	source Source

	begun    Mirror                      // at the beginning
	full     bool                        // since no cursor
	seen     *roaring.Bitmap             // full: numbers of the items mentioned
	todo     []backend.Change            // of items that are there; not written yet
	removals map[backend.ItemID]struct{} // not full: what is to be removed in the end
	ignored  bool                        // something was not believed: the cursor must not move
	changed  bool
	told     []braked // what became of holds
}

// A braked is what Options.Braked has to hear.
type braked struct {
	hold HoldRecord
	what HoldEvent
}

func (l *listing) run(ctx context.Context) error {
	var err error
	for range maxOvertaken {
		if l.begun, err = l.engine.store.Mirror(ctx, l.folder.ID); err != nil {
			return err
		}
		since := l.begun.Cursor
		if l.overdue() {
			since = ""
		}
		err = l.list(ctx, since)
		if since != "" && (backend.KindOf(err) == backend.Expired || errors.Is(err, errTooManyRemovals)) {
			err = l.list(ctx, "")
		}
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	if err == nil {
		err = l.rezone(ctx)
	}
	if err == nil {
		err = l.age(ctx)
	}
	// Others are woken even if the listing failed: what it said until then is true.
	if l.changed && l.engine.changed != nil {
		l.engine.changed(l.folder.User, l.folder.ID)
	}
	for _, t := range l.told {
		l.engine.tell(t.hold, t.what)
	}
	return err
}

// list asks once and applies the answer.
func (l *listing) list(ctx context.Context, since backend.Cursor) error {
	l.full, l.ignored = since == "", false
	l.seen, l.todo, l.removals = roaring.New(), nil, map[backend.ItemID]struct{}{}
	cursor, err := l.source.Changes(ctx, l.folder.Collection, since, func(batch []backend.Change) error {
		for part := range slices.Chunk(batch, backend.MaxBatch) {
			if err := l.take(ctx, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.finish(ctx, cursor)
}

// take compares a batch with the mirror. What it says of items that are there
// is written when enough of it has come together, so that the few changes of
// an ordinary day need no transaction but the last; removals are put by.
func (l *listing) take(ctx context.Context, batch []backend.Change) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	batch = newest(batch)
	known := func(c backend.Change) bool {
		return slices.ContainsFunc(batch, func(o backend.Change) bool { return o.ID == c.ID })
	}
	if len(l.todo)+len(batch) > backend.MaxBatch || slices.ContainsFunc(l.todo, known) {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	items, err := named(ctx, l.engine.store, l.folder.ID, batch)
	if err != nil {
		return err
	}
	for _, c := range batch {
		it, ok := items[c.ID]
		switch {
		case c.Removed && !ok:
		case c.Removed:
			l.seen.Remove(uint32(it.Number)) // it came and went
			if !l.full {
				l.removals[c.ID] = struct{}{}
			}
		case ok && !it.Removed && it.Revision == c.Revision:
			l.seen.Add(uint32(it.Number))
			delete(l.removals, c.ID)
		default:
			l.todo = append(l.todo, c)
			delete(l.removals, c.ID)
		}
	}
	if len(l.removals) > MaxRemovals {
		return errTooManyRemovals
	}
	return nil
}

// flush writes what came together.
func (l *listing) flush(ctx context.Context) error {
	if len(l.todo) == 0 {
		return nil
	}
	changed := false
	err := l.engine.store.Update(ctx, l.folder.User, func(w Writer) error {
		m, err := l.mirror(ctx, w)
		if err != nil {
			return err
		}
		if changed, err = l.apply(ctx, w, &m); err != nil || !changed {
			return err
		}
		return w.SaveMirror(ctx, l.folder.ID, m)
	})
	l.changed, l.todo = l.changed || err == nil && changed, nil
	return err
}

// newest keeps the last mention of each item in a batch.
func newest(batch []backend.Change) []backend.Change {
	last := make(map[backend.ItemID]int, len(batch))
	for i, c := range batch {
		last[c.ID] = i
	}
	if len(last) == len(batch) {
		return batch
	}
	var list []backend.Change
	for i, c := range batch {
		if last[c.ID] == i {
			list = append(list, c)
		}
	}
	return list
}

// named reads the items that a batch mentions.
func named(ctx context.Context, r Reader, f FolderID, batch []backend.Change) (map[backend.ItemID]Item, error) {
	ids := make([]backend.ItemID, len(batch))
	for i, c := range batch {
		ids[i] = c.ID
	}
	list, err := r.ItemsNamed(ctx, f, ids)
	if err != nil {
		return nil, err
	}
	items := make(map[backend.ItemID]Item, len(list))
	for _, it := range list {
		items[it.ID] = it
	}
	return items, nil
}

// apply writes what is to do into the mirror.
func (l *listing) apply(ctx context.Context, w Writer, m *Mirror) (changed bool, err error) {
	items, err := named(ctx, w, l.folder.ID, l.todo)
	if err != nil {
		return false, err
	}
	save := make([]Item, 0, len(l.todo))
	for _, c := range l.todo {
		it, ok := items[c.ID]
		if !ok {
			m.Numbers++
			it = Item{Number: m.Numbers, ID: c.ID}
		}
		l.seen.Add(uint32(it.Number))
		if ok && !it.Removed && it.Revision == c.Revision {
			continue
		}
		if it.Touched > l.begun.Touches {
			// A phone's command wrote to it after the listing began, so the
			// listing may be the older one. The next will tell.
			l.ignored = true
			continue
		}
		it.reviseIn(l.folder, m, c.Revision, c.Received)
		save = append(save, it)
	}
	return len(save) > 0, w.SaveItems(ctx, l.folder.ID, save)
}

// mirror reads the mirror's head again, and refuses to go on if another
// process finished a listing in the meantime: its word is newer than ours.
func (l *listing) mirror(ctx context.Context, r Reader) (Mirror, error) {
	m, err := r.Mirror(ctx, l.folder.ID)
	if err == nil && m.Cursor != l.begun.Cursor {
		err = errOvertaken
	}
	return m, err
}

// revise gives an item a revision, and the next place in the sequence.
func (it *Item) revise(m *Mirror, rev backend.Revision) {
	m.Sequence++
	it.Revision, it.Sequence, it.Revised, it.Removed = rev, m.Sequence, m.Sequence, false
	it.Known, it.Facts = false, Facts{Ends: Forever}
}

// reviseIn is revise for an item of a folder, and keeps what is known of a message:
// its flags change, and not when it was received. received is zero if it is not
// known.
func (it *Item) reviseIn(f Folder, m *Mirror, rev backend.Revision, received time.Time) {
	known, facts := it.Known, it.Facts
	it.revise(m, rev)
	switch {
	case f.Kind != backend.Mail:
	case !received.IsZero():
		it.Known, it.Facts = true, receivedAt(received)
	case known:
		it.Known, it.Facts = true, facts
	}
}

// receivedAt are the facts of a message: it ends when it is received.
func receivedAt(t time.Time) Facts { return Facts{Ends: t.Unix()} }

// finish writes the rest, removes what a complete answer says is gone, unless
// that is to be held, and moves the cursor.
func (l *listing) finish(ctx context.Context, cursor backend.Cursor) error {
	if idle, err := l.idle(ctx, cursor); idle || err != nil {
		return err
	}
	changed := false
	var told []braked
	err := l.engine.store.Update(ctx, l.folder.User, func(w Writer) error {
		m, err := l.mirror(ctx, w)
		if err != nil {
			return err
		}
		sequence := m.Sequence
		if _, err = l.apply(ctx, w, &m); err != nil {
			return err
		}
		gone, err := l.gone(ctx, w)
		if err != nil {
			return err
		}
		if !l.ignored {
			m.Cursor = cursor
		}
		if gone, told, err = l.believe(ctx, w, &m, gone); err != nil {
			return err
		}
		if err := remove(ctx, w, l.folder.ID, &m, gone); err != nil {
			return err
		}
		changed = m.Sequence != sequence
		if err := w.SaveMirror(ctx, l.folder.ID, m); err != nil {
			return err
		}
		return w.PurgeItems(ctx, l.folder.ID)
	})
	if err != nil {
		return err
	}
	l.changed, l.told = l.changed || changed, append(l.told, told...)
	return nil
}

// idle tells whether there is nothing to write, which is so nearly always.
func (l *listing) idle(ctx context.Context, cursor backend.Cursor) (bool, error) {
	if len(l.todo) > 0 || !l.ignored && cursor != l.begun.Cursor {
		return false, nil
	}
	if l.begun.Doubt != 0 {
		return !l.full && len(l.removals) == 0 && l.seen.IsEmpty() && !l.ahead(), nil
	}
	// Only a complete listing can still have missed something.
	gone, err := l.gone(ctx, l.engine.store)
	return err == nil && gone.IsEmpty(), err
}

// gone finds the items that the answer says are gone.
func (l *listing) gone(ctx context.Context, r Reader) (*roaring.Bitmap, error) {
	if !l.full {
		return l.removed(ctx, r)
	}
	gone := roaring.New()
	err := r.Numbers(ctx, l.folder.ID, func(n Number, touched int64) {
		switch {
		case l.seen.Contains(uint32(n)):
		case touched > l.begun.Touches:
			l.ignored = true // a phone made it meanwhile; or it is gone again
		default:
			gone.Add(uint32(n))
		}
	})
	return gone, err
}

// removed finds the numbers of what a listing since a cursor removed.
func (l *listing) removed(ctx context.Context, r Reader) (*roaring.Bitmap, error) {
	gone := roaring.New()
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(l.removals)), backend.MaxBatch) {
		items, err := r.ItemsNamed(ctx, l.folder.ID, ids)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			switch {
			case it.Removed:
			case it.Touched > l.begun.Touches:
				l.ignored = true
			default:
				gone.Add(uint32(it.Number))
			}
		}
	}
	return gone, nil
}
