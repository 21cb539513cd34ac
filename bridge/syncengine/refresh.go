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

const (
	// MaxRemovals bounds the removals that one listing since a cursor keeps in
	// memory until it is complete. A listing with more is given up for a
	// complete one, which needs a bit for each item only.
	MaxRemovals = 10_000

	// DoubtCount and DoubtShare say when a listing is not believed at once: it
	// misses at least so many items, and more than one in DoubtShare of what
	// was there. An unmounted disk or a server that is being restored looks
	// just like that.
	DoubtCount = 100
	DoubtShare = 2

	// DoubtPause is how long after such a listing a second, complete one has
	// to say the same.
	DoubtPause = time.Minute
)

// ErrDoubt means that a listing missed so many items that it is not believed
// until a second, complete one says the same; nothing was removed. It comes
// inside a *backend.Error of kind Transient.
var ErrDoubt = errors.New("syncengine: most of the folder's items are suddenly missing")

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
// of items that are there is kept, since that is true. A listing that misses
// most of the items is [ErrDoubt]: report it, and go on with what the mirror
// has or ask again later.
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
	removals map[backend.ItemID]struct{} // not full: what is to be removed in the end
	ignored  bool                        // something was not believed: the cursor must not move
	changed  bool
}

func (l *listing) run(ctx context.Context) error {
	var err error
	for range maxOvertaken {
		if l.begun, err = l.engine.store.Mirror(ctx, l.folder.ID); err != nil {
			return err
		}
		since := l.begun.Cursor
		if l.begun.Doubt != 0 {
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
	// Others are woken even if the listing failed: what it said until then is true.
	if l.changed && l.engine.changed != nil {
		l.engine.changed(l.folder.User, l.folder.ID)
	}
	return err
}

// list asks once and applies the answer.
func (l *listing) list(ctx context.Context, since backend.Cursor) error {
	l.full, l.ignored = since == "", false
	l.seen, l.removals = roaring.New(), map[backend.ItemID]struct{}{}
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

// take applies what a batch says of items that are there, and puts the
// removals by.
func (l *listing) take(ctx context.Context, batch []backend.Change) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	todo, err := l.compare(ctx, batch)
	if err != nil || len(todo) == 0 {
		return err // nearly always, where a complete listing tells what is known
	}
	changed := false
	err = l.engine.store.Update(ctx, l.folder.User, func(w Writer) error {
		changed, err = l.apply(ctx, w, todo)
		return err
	})
	l.changed = l.changed || err == nil && changed
	return err
}

// compare answers the changes of a batch that the mirror does not have yet.
func (l *listing) compare(ctx context.Context, batch []backend.Change) ([]backend.Change, error) {
	items, err := named(ctx, l.engine.store, l.folder.ID, batch)
	if err != nil {
		return nil, err
	}
	var todo []backend.Change
	for _, c := range newest(batch) {
		it, ok := items[c.ID]
		switch {
		case c.Removed && !ok:
		case c.Removed && l.full:
			l.seen.Remove(uint32(it.Number))
		case c.Removed:
			l.removals[c.ID] = struct{}{}
		case ok && !it.Removed && it.Revision == c.Revision:
			l.seen.Add(uint32(it.Number))
			delete(l.removals, c.ID)
		default:
			todo = append(todo, c)
			delete(l.removals, c.ID)
		}
	}
	if len(l.removals) > MaxRemovals {
		return nil, errTooManyRemovals
	}
	return todo, nil
}

// newest keeps the last mention of each item.
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

// apply writes changes of items that are there into the mirror.
func (l *listing) apply(ctx context.Context, w Writer, todo []backend.Change) (changed bool, err error) {
	m, err := l.mirror(ctx, w)
	if err != nil {
		return false, err
	}
	items, err := named(ctx, w, l.folder.ID, todo)
	if err != nil {
		return false, err
	}
	save := make([]Item, 0, len(todo))
	for _, c := range todo {
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
		it.revise(&m, c.Revision)
		save = append(save, it)
	}
	if len(save) == 0 {
		return false, nil
	}
	if err := w.SaveItems(ctx, l.folder.ID, save); err != nil {
		return false, err
	}
	return true, w.SaveMirror(ctx, l.folder.ID, m)
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
	it.Revision, it.Sequence, it.Removed = rev, m.Sequence, false
	it.Known, it.Facts = false, Facts{Ends: Forever}
}

// finish removes what a complete answer says is gone, and moves the cursor.
func (l *listing) finish(ctx context.Context, cursor backend.Cursor) error {
	gone, live, err := l.gone(ctx, l.engine.store)
	if err != nil {
		return err
	}
	if len(gone) == 0 && l.begun.Doubt == 0 && (l.ignored || cursor == l.begun.Cursor) {
		return nil
	}
	var doubt error
	err = l.engine.store.Update(ctx, l.folder.User, func(w Writer) error {
		m, err := l.mirror(ctx, w)
		if err != nil {
			return err
		}
		if gone, live, err = l.gone(ctx, w); err != nil {
			return err
		}
		if doubt = l.doubt(&m, len(gone), live); doubt != nil {
			return w.SaveMirror(ctx, l.folder.ID, m)
		}
		if !l.ignored {
			m.Cursor = cursor
		}
		first := m.Sequence + 1
		m.Sequence += int64(len(gone))
		if err := w.RemoveItems(ctx, l.folder.ID, gone, first); err != nil {
			return err
		}
		if err := w.SaveMirror(ctx, l.folder.ID, m); err != nil {
			return err
		}
		return w.PurgeItems(ctx, l.folder.ID)
	})
	if err != nil {
		return err
	}
	l.changed = l.changed || doubt == nil && len(gone) > 0
	return doubt
}

// doubt decides whether so many removals are believed. See ErrDoubt.
func (l *listing) doubt(m *Mirror, gone, live int) error {
	now := time.Now().Unix()
	switch {
	case gone < DoubtCount || gone*DoubtShare <= live:
		m.Doubt = 0
		return nil
	case m.Doubt == 0:
		m.Doubt = now
	case l.full && now-m.Doubt >= int64(DoubtPause/time.Second):
		m.Doubt = 0
		return nil
	}
	return &backend.Error{
		Kind: backend.Transient, Op: "syncengine: listing folder " + l.folder.ID.String(),
		Err: fmt.Errorf("%w: %d of %d", ErrDoubt, gone, live), RetryAfter: DoubtPause,
	}
}

// gone lists the items that the answer says are gone, and, if there are many,
// counts those that were there.
func (l *listing) gone(ctx context.Context, r Reader) (gone []Number, live int, err error) {
	if !l.full {
		if gone, err = l.removed(ctx, r); err != nil || len(gone) < DoubtCount {
			return gone, 0, err
		}
	}
	missing := roaring.New()
	err = r.Numbers(ctx, l.folder.ID, func(n Number, touched int64) {
		live++
		switch {
		case !l.full || l.seen.Contains(uint32(n)):
		case touched > l.begun.Touches:
			l.ignored = true // a phone made it meanwhile; or it is gone again
		default:
			missing.Add(uint32(n))
		}
	})
	if err != nil || !l.full {
		return gone, live, err
	}
	gone = make([]Number, 0, missing.GetCardinality())
	for it := missing.Iterator(); it.HasNext(); {
		gone = append(gone, Number(it.Next()))
	}
	return gone, live, nil
}

// removed finds the numbers of what a listing since a cursor removed.
func (l *listing) removed(ctx context.Context, r Reader) ([]Number, error) {
	var gone []Number
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
				gone = append(gone, it.Number)
			}
		}
	}
	return gone, nil
}
