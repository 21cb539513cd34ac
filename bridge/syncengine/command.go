package syncengine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// NextName is the name for an item that the phone adds: the same whenever the
// phone sends the same ClientId with the same key again, and no other's.
// Phones use ClientIds again in later rounds, so the series of the key would
// not be enough.
func (r *Round) NextName(clientID string) string {
	return derivedName(r.phone.User, r.phone.Device, r.Folder.ID.String(), string(r.sent), clientID)
}

// derivedName is a name for the backend: the same for the same parts, and for no
// others.
func derivedName(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:20]))
}

// Lookup finds an item that the phone names. ErrNoItem if the phone does not
// hold it or it is gone (then row.Removed is set). conflict tells that the
// item's revision is not the one that this phone was told last.
func (r *Round) Lookup(ctx context.Context, n Number) (row Row, conflict bool, err error) {
	it, err := r.engine.store.Item(ctx, r.Folder.ID, n)
	if err != nil {
		return Row{}, false, fmt.Errorf("syncengine: item %v: %w", ServerID(r.Folder.ID, n), err)
	}
	if r.looked == nil {
		r.looked = make(map[Number]int64)
	}
	r.looked[n] = it.Revised
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
	row, err := r.write(ctx, r.engine.adding(ctx, r.Folder, it))
	if err != nil {
		return 0, fmt.Errorf("syncengine: noting an added item: %w", err)
	}
	r.did(Result{clientID, row.Number, it.Revision})
	return row.Number, nil
}

// adding makes or revises the row of an item that was put into a folder.
func (e *Engine) adding(ctx context.Context, f Folder, it backend.Item) func(Writer, *Mirror) (Item, error) {
	return func(w Writer, m *Mirror) (Item, error) {
		known, err := w.ItemsNamed(ctx, f.ID, []backend.ItemID{it.ID})
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
			if len(known) > 0 {
				m.doubt() // somebody may have edited or deleted it since
			}
			row.reviseIn(f, m, it.Revision, time.Time{})
		}
		if f.Kind == backend.Mail && !row.Known {
			row.Known, row.Facts = true, receivedAt(time.Now())
		}
		if len(it.Body) > 0 && !row.Known && e.describe != nil {
			row.Known, row.Facts = true, e.factsOf(f, it)
		}
		return row, nil
	}
}

// doubt has the next listing tell everything: the revision that a command led to
// is written over another one, and which of them is the newer nobody can tell.
// It takes two phones that write to one item within the time that one of them
// needs to note what it wrote.
func (m *Mirror) doubt() { m.Cursor = "" }

// removing marks the row of an item that was removed from a folder.
func removing(ctx context.Context, f FolderID, n Number) func(Writer, *Mirror) (Item, error) {
	return func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, f, n)
		if err == nil && !row.Removed {
			m.Sequence++
			row.Removed, row.Sequence, row.Revised = true, m.Sequence, m.Sequence
		}
		return row, err
	}
}

// Changed says that the phone's change of an item led to a revision.
func (r *Round) Changed(ctx context.Context, n Number, rev backend.Revision) error {
	_, err := r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err == nil && (row.Removed || row.Revision != rev) {
			if at, ok := r.looked[n]; ok && at != row.Revised {
				m.doubt()
			}
			row.reviseIn(r.Folder, m, rev, time.Time{})
		}
		return row, err
	})
	if err != nil {
		return fmt.Errorf("syncengine: noting a changed item: %w", err)
	}
	delete(r.looked, n) // what the next edit of it builds on is this one
	r.did(Result{"", n, rev})
	return nil
}

// Replaced says that what the phone did to an item led to another one in its place,
// which the phone goes on calling by the same number: a draft is a message, and
// messages do not change. If the store told of the other one already, under a number
// of its own, then the item is gone, and the other is news.
func (r *Round) Replaced(ctx context.Context, n Number, it backend.Item) (kept bool, err error) {
	_, err = r.write(ctx, func(w Writer, m *Mirror) (Item, error) {
		row, err := w.Item(ctx, r.Folder.ID, n)
		if err != nil {
			return row, err
		}
		known, err := w.ItemsNamed(ctx, r.Folder.ID, []backend.ItemID{it.ID})
		if err != nil {
			return row, err
		}
		if kept = len(known) == 0 || known[0].Number == n; !kept {
			m.Sequence++
			row.Removed, row.Sequence, row.Revised = true, m.Sequence, m.Sequence
			return row, nil
		}
		row.ID = it.ID
		row.revise(m, it.Revision)
		row.Known, row.Facts = true, receivedAt(time.Now())
		return row, nil
	})
	if err != nil {
		return false, fmt.Errorf("syncengine: noting a replaced item: %w", err)
	}
	if !kept {
		r.wakeSelf()
		return false, nil
	}
	r.did(Result{"", n, it.Revision})
	return true, nil
}

// Went says that the phone's command took an item away which the phone goes on
// holding until it is told: a draft that was sent.
func (r *Round) Went(ctx context.Context, n Number) error {
	_, err := r.write(ctx, removing(ctx, r.Folder.ID, n))
	if err != nil && !errors.Is(err, ErrNoItem) {
		return fmt.Errorf("syncengine: noting an item that went: %w", err)
	}
	r.wakeSelf()
	return nil
}

// wakeSelf makes the round look again for news that its own command made.
func (r *Round) wakeSelf() {
	r.dirty = true
	r.again()
}

// Deleted says that the phone's deletion of an item was carried out, or that
// the item was gone before.
func (r *Round) Deleted(ctx context.Context, n Number) error {
	_, err := r.write(ctx, removing(ctx, r.Folder.ID, n))
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
		row, wrote, err = touch(ctx, w, r.Folder.ID, change)
		return err
	})
	r.wrote = r.wrote || err == nil && wrote
	return row, err
}

// touch lets change alter one row of a folder's mirror. wrote tells whether that
// is news to phones.
func touch(ctx context.Context, w Writer, f FolderID, change func(Writer, *Mirror) (Item, error)) (row Item, wrote bool, err error) {
	m, err := w.Mirror(ctx, f)
	if err != nil {
		return Item{}, false, err
	}
	sequence := m.Sequence
	if row, err = change(w, &m); err != nil {
		return Item{}, false, err
	}
	wrote = m.Sequence != sequence
	m.Touches++
	row.Touched = m.Touches
	if err := w.SaveItems(ctx, f, []Item{row}); err != nil {
		return Item{}, false, err
	}
	return row, wrote, w.SaveMirror(ctx, f, m)
}

// did takes the phone's command into the state and remembers its result.
func (r *Round) did(res Result) {
	r.dirty = true
	r.again()
	if res.Revision == "" {
		r.state.held.Remove(uint32(res.Number))
		delete(r.state.own, res.Number)
		r.Hold(res.Number, nil)
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
