package directory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// seed makes sums of revisions differ from run to run.
var seed = maphash.MakeSeed()

// maxListed bounds the cards of one book that a listing is heeded of: twice what
// fits into the index of one owner, so that a listing costs no more memory than
// the index does.
const maxListed = 400_000

// A book is the index of one address book.
type book struct {
	place Place
	turn  chan struct{} // capacity 1: held by the one who refreshes

	// Guarded by Directory.mu.
	used time.Time

	// Of the one who has the turn.
	cursor  backend.Cursor
	todo    []backend.Change // listed, and not read yet
	checked time.Time

	mu       sync.RWMutex
	entries  []entry
	at       map[backend.ItemID]int32
	bytes    int
	complete bool // everything that was listed was read
	cut      bool // it is too large
	told     bool // of cut
}

func newBook(p Place) *book {
	return &book{place: p, turn: make(chan struct{}, 1), at: make(map[backend.ItemID]int32)}
}

func (b *book) size() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.bytes
}

func (b *book) count() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.entries)
}

// reportCut tells once that the book is too large.
func (b *book) reportCut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	tell := b.cut && !b.told
	b.told = b.told || tell
	return tell
}

// refresh lists what changed, if that was not done a moment ago, and reads it.
// full tells when no more can be kept.
func (b *book) refresh(ctx context.Context, s Source, fresh time.Duration, full func() bool) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-b.turn }()
	if len(b.todo) == 0 {
		if !b.checked.IsZero() && time.Since(b.checked) < fresh {
			return nil
		}
		err := b.list(ctx, s, b.cursor)
		if b.cursor != "" && backend.KindOf(err) == backend.Expired {
			err = b.list(ctx, s, "")
		}
		if err != nil {
			return err
		}
	}
	if err := b.read(ctx, s, full); err != nil {
		return err
	}
	b.checked = time.Now()
	return nil
}

// list notes what is to be read, and drops what is gone. A listing that fails
// changes nothing.
func (b *book) list(ctx context.Context, s Source, since backend.Cursor) error {
	changes := make(map[backend.ItemID]backend.Change)
	var order []backend.ItemID
	over := false
	cursor, err := s.Changes(ctx, b.place.Collection, since, func(batch []backend.Change) error {
		for _, c := range batch {
			_, twice := changes[c.ID]
			if !twice && len(order) >= maxListed {
				if _, known := b.at[c.ID]; !known { // nobody else writes while we have the turn
					over = true
					continue
				}
			}
			if !twice {
				order = append(order, c.ID)
			}
			changes[c.ID] = c
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cursor, b.todo, b.cut = cursor, nil, over || b.cut && since != ""
	if since == "" {
		for id := range b.at {
			if _, there := changes[id]; !there {
				b.remove(id)
			}
		}
	}
	for _, id := range order {
		c := changes[id]
		i, known := b.at[id]
		switch {
		case c.Removed:
			b.remove(id)
		case !known || b.entries[i].revision != sum(c.Revision):
			b.todo = append(b.todo, c)
		}
	}
	b.complete = len(b.todo) == 0
	return nil
}

func sum(r backend.Revision) uint64 { return maphash.String(seed, string(r)) }

// read reads what was noted, a batch at a time.
func (b *book) read(ctx context.Context, s Source, full func() bool) error {
	for len(b.todo) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		batch := b.todo[:min(len(b.todo), backend.MaxBatch)]
		ids := make([]backend.ItemID, len(batch))
		for i, c := range batch {
			ids[i] = c.ID
		}
		var found []entry
		err := s.Get(ctx, b.place.Collection, ids, func(f backend.Fetched) error {
			if f.Err != nil {
				return nil // it cannot be read, which its folder's Sync tells
			}
			if p, err := contact.ReadPerson(f.Body); err == nil { // no group, and nothing else that is no person
				found = append(found, pack(f.ID, sum(f.Revision), p))
			}
			return nil
		})
		if err != nil {
			return err
		}
		b.put(ids, found, full())
		b.todo = b.todo[len(batch):]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.todo, b.complete = nil, true
	return nil
}

// put replaces the entries of some items by what was found of them.
func (b *book) put(ids []backend.ItemID, found []entry, full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		b.remove(id)
	}
	for _, e := range found {
		b.remove(e.id) // it may come twice
		if full {
			b.cut = true
			continue
		}
		b.at[e.id] = int32(len(b.entries))
		b.entries = append(b.entries, e)
		b.bytes += e.size()
	}
}

// remove forgets an item; the last entry takes its place. b.mu is held.
func (b *book) remove(id backend.ItemID) {
	i, ok := b.at[id]
	if !ok {
		return
	}
	last := len(b.entries) - 1
	b.bytes -= b.entries[i].size()
	if int(i) != last {
		b.entries[i] = b.entries[last]
		b.at[b.entries[i].id] = i
	}
	b.entries[last] = entry{}
	b.entries = b.entries[:last]
	delete(b.at, id)
}
