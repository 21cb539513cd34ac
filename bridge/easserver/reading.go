package easserver

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxReading bounds the items of one folder that are kept while an answer is put
// together, in bytes: several batches of events of the usual size.
const maxReading = 4 << 20

// A reading is a session that keeps what the engine read to work out what of it is
// news, so that the phone is shown it without its being read once more: of a folder
// that begins, that is all of it.
type reading struct {
	backend.Session
	kept map[backend.ItemID]backend.Fetched
	size int
}

func newReading(s backend.Session) *reading {
	return &reading{Session: s, kept: make(map[backend.ItemID]backend.Fetched)}
}

// Unwrap is for backend.As.
func (r *reading) Unwrap() backend.Session { return r.Session }

// Get keeps what it yields, as far as there is room.
func (r *reading) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return r.Session.Get(ctx, c, ids, func(it backend.Fetched) error {
		if it.Err == nil && r.size+len(it.Body) <= maxReading {
			if old, ok := r.kept[it.ID]; ok {
				r.size -= len(old.Body)
			}
			r.kept[it.ID] = it
			r.size += len(it.Body)
		}
		return yield(it)
	})
}

// take answers an item that was kept, and keeps it no longer. One of another revision
// than the news is about may be older than that, and is of no use.
func (r *reading) take(id backend.ItemID, rev backend.Revision) (backend.Fetched, bool) {
	if r == nil {
		return backend.Fetched{}, false
	}
	it, ok := r.kept[id]
	if ok {
		delete(r.kept, id)
		r.size -= len(it.Body)
	}
	return it, ok && it.Revision == rev
}
