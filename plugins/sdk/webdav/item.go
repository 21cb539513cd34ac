package webdav

import (
	"context"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Get keeps the promises of [backend.Session] for a collection, leaving out
// the bodies for which belongs is false.
func (c *Client) Get(ctx context.Context, collection string, ids []backend.ItemID, mediaType string, belongs func(body []byte) bool, yield func(backend.Fetched) error) error {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	var stop error
	err := c.MultiGet(ctx, collection, names, func(raw dav.Raw) error {
		switch {
		case raw.Removed:
			return nil
		case raw.Err != nil:
			stop = yield(backend.Fetched{Item: backend.Item{ID: backend.ItemID(raw.ID)}, Err: c.Error(raw.Err)})
		case belongs(raw.Body):
			it := Item(raw.Member, mediaType)
			it.Body = raw.Body
			stop = yield(backend.Fetched{Item: it})
		}
		return stop
	})
	if stop != nil {
		return stop // as it was
	}
	return c.Error(err)
}

// Put keeps the promises of [backend.Session] for a collection in which
// create stores what is new.
func (c *Client) Put(ctx context.Context, collection string, it backend.Item, create func(ctx context.Context, collection, name string, body []byte) (dav.Member, error)) (backend.Item, error) {
	var m dav.Member
	var err error
	if it.Revision == "" {
		m, err = create(ctx, collection, string(it.ID), it.Body)
	} else {
		m, err = c.Replace(ctx, collection, string(it.ID), string(it.Revision), it.Body)
	}
	return Item(m, it.MediaType), c.Error(err)
}

// Item is what a backend answers of a member that was written.
func Item(m dav.Member, mediaType string) backend.Item {
	if m.ID == "" {
		return backend.Item{}
	}
	return backend.Item{ID: backend.ItemID(m.ID), Revision: backend.Revision(m.Revision), MediaType: mediaType}
}
