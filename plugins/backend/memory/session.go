package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Session is one person's view of a Backend.
type Session struct {
	b           *Backend
	credentials backend.Credentials
}

// locate answers a collection of the person. b.mu is held.
func (s *Session) locate(op Op, id backend.CollectionID) (*collection, error) {
	if p := s.b.people[s.credentials.User]; p != nil {
		if c := p.collections[id]; c != nil {
			return c, nil
		}
	}
	return nil, backend.Errorf(backend.NotFound, "memory: "+string(op), "no collection %q", id)
}

// present answers an item that is there. b.mu is held.
func (c *collection) present(id backend.ItemID) *item {
	if it := c.items[id]; it != nil && !it.removed {
		return it
	}
	return nil
}

// Collections lists the person's collections in the order in which they were added.
func (s *Session) Collections(ctx context.Context) ([]backend.Collection, error) {
	if err := s.b.begin(ctx, OpCollections, "", s.credentials); err != nil {
		return nil, err
	}
	list := s.collections()
	if err := s.b.onItsWay(ctx); err != nil {
		return nil, err
	}
	return list, nil
}

func (s *Session) collections() []backend.Collection {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	p := s.b.people[s.credentials.User]
	list := make([]backend.Collection, 0, len(p.order))
	for _, id := range p.order {
		list = append(list, p.collections[id].Collection)
	}
	return list
}

// Changes lists what is new since the cursor.
func (s *Session) Changes(ctx context.Context, id backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if err := s.b.begin(ctx, OpChanges, id, s.credentials); err != nil {
		return "", err
	}
	changes, next, err := s.news(id, since)
	if err != nil {
		return "", err
	}
	broken := s.b.breaking(OpChanges, id)
	if broken != nil {
		changes = changes[:min(broken.After, len(changes))]
	}
	for batch := range slices.Chunk(changes, backend.MaxBatch) {
		if err := ctx.Err(); err != nil {
			return "", backend.E(backend.Transient, "memory: Changes", err)
		}
		if err := yield(batch); err != nil {
			return "", err
		}
	}
	if broken != nil {
		return "", broken.Err
	}
	return next, nil
}

// news takes the changes since a cursor at one moment.
func (s *Session) news(id backend.CollectionID, since backend.Cursor) ([]backend.Change, backend.Cursor, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.locate(OpChanges, id)
	if err != nil {
		return nil, "", err
	}
	var from int64
	if since != "" {
		var epoch int64
		_, err := fmt.Sscanf(string(since), "%d.%d", &epoch, &from)
		if err != nil || epoch != c.epoch || from > c.sequence || c.cursor(from) != since {
			return nil, "", backend.Errorf(backend.Expired, "memory: Changes", "cursor %.40q is not known", since)
		}
	}
	first, _ := slices.BinarySearchFunc(c.log, from+1, func(e entry, n int64) int {
		return cmp.Compare(e.sequence, n)
	})
	changes := make([]backend.Change, 0, len(c.log)-first)
	for _, e := range c.log[first:] {
		it := c.items[e.id]
		if !c.current(e) || it.removed && since == "" {
			continue
		}
		changes = append(changes, backend.Change{ID: e.id, Revision: it.revision, Removed: it.removed, Received: it.received})
	}
	return changes, c.cursor(c.sequence), nil
}

func (c *collection) cursor(sequence int64) backend.Cursor {
	return backend.Cursor(fmt.Sprintf("%d.%d", c.epoch, sequence))
}

// Get answers the named items in the order of their names.
func (s *Session) Get(ctx context.Context, id backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	if err := s.b.begin(ctx, OpGet, id, s.credentials); err != nil {
		return err
	}
	broken := s.b.breaking(OpGet, id)
	seen := make(map[backend.ItemID]bool, len(ids))
	for n, name := range ids {
		if broken != nil && n >= broken.After {
			return broken.Err
		}
		if err := ctx.Err(); err != nil {
			return backend.E(backend.Transient, "memory: Get", err)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		f, err := s.fetch(id, name)
		if err != nil {
			return err
		}
		if f.ID == "" {
			continue
		}
		if err := yield(f); err != nil {
			return err
		}
	}
	if broken != nil {
		return broken.Err
	}
	return nil
}

// fetch reads one item; the empty Fetched means that it is not there.
func (s *Session) fetch(id backend.CollectionID, name backend.ItemID) (backend.Fetched, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.locate(OpGet, id)
	if err != nil {
		return backend.Fetched{}, err
	}
	it := c.present(name)
	if it == nil {
		return backend.Fetched{}, nil
	}
	if err := s.b.unreadable(OpGet, id, name); err != nil {
		return backend.Fetched{Item: backend.Item{ID: name}, Err: err}, nil
	}
	return backend.Fetched{Item: backend.Item{
		ID: name, Revision: it.revision, MediaType: c.Kind.MediaType(), Body: bytes.Clone(it.body),
		Flags: slices.Clone(it.flags),
	}}, nil
}

// createName is what the contract allows as the name of a new item.
var createName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var extensions = map[string]string{"text/vcard": ".vcf", "text/calendar": ".ics", "message/rfc822": ".eml"}

// Put creates or replaces an item. The lasting ID of a new one is its name
// with the usual extension of its media type.
func (s *Session) Put(ctx context.Context, id backend.CollectionID, in backend.Item) (backend.Item, error) {
	if err := s.b.begin(ctx, OpPut, id, s.credentials); err != nil {
		return backend.Item{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.writable(OpPut, id)
	if err != nil {
		return backend.Item{}, err
	}
	const op = "memory: Put"
	mediaType := c.Kind.MediaType()
	switch {
	case in.MediaType != "" && in.MediaType != mediaType:
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "%s in a collection of %s", in.MediaType, mediaType)
	case len(in.Body) == 0:
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "the body is empty")
	case len(in.Body) > backend.MaxItemSize:
		return backend.Item{}, backend.Errorf(backend.TooLarge, op, "%d bytes, the limit is %d", len(in.Body), backend.MaxItemSize)
	}
	if in.Revision == "" {
		if !createName.MatchString(string(in.ID)) {
			return backend.Item{}, backend.Errorf(backend.Invalid, op, "%.70q cannot name a new item", in.ID)
		}
		name := in.ID + backend.ItemID(extensions[mediaType])
		if it := c.present(name); it != nil {
			return backend.Item{ID: name, Revision: it.revision}, backend.Errorf(backend.Conflict, op, "%q exists", name)
		}
		rev := s.b.put(s.credentials.User, c, name, in.Body)
		if c.Kind == backend.Mail {
			c.items[name].flags = backend.Flags(in.Flags)
		}
		return s.done(OpPut, id, backend.Item{ID: name, Revision: rev})
	}
	if c.Kind == backend.Mail {
		return backend.Item{}, backend.Errorf(backend.Unsupported, op, "messages do not change")
	}
	if err := c.check(op, in.ID, in.Revision); err != nil {
		return backend.Item{}, err
	}
	return s.done(OpPut, id, backend.Item{ID: in.ID, Revision: s.b.put(s.credentials.User, c, in.ID, in.Body)})
}

// done answers what a call made, unless that is to fail though it is made. b.mu is held.
func (s *Session) done(op Op, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	if err := s.b.done(op, c); err != nil {
		return backend.Item{}, err
	}
	return it, nil
}

// check tells whether an item is there in a revision. b.mu is held.
func (c *collection) check(op string, id backend.ItemID, rev backend.Revision) error {
	it := c.present(id)
	if it == nil {
		return backend.Errorf(backend.NotFound, op, "no item %.70q", id)
	}
	if it.revision != rev {
		return backend.Errorf(backend.Conflict, op, "%.70q is at revision %s, not %.40s", id, it.revision, rev)
	}
	return nil
}

// writable answers a collection that may be written to. b.mu is held.
func (s *Session) writable(op Op, id backend.CollectionID) (*collection, error) {
	c, err := s.locate(op, id)
	if err == nil && c.ReadOnly {
		return nil, backend.Errorf(backend.ReadOnly, "memory: "+string(op), "collection %q", id)
	}
	return c, err
}

// Delete removes an item.
func (s *Session) Delete(ctx context.Context, id backend.CollectionID, name backend.ItemID, rev backend.Revision) error {
	if err := s.b.begin(ctx, OpDelete, id, s.credentials); err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.writable(OpDelete, id)
	if err != nil {
		return err
	}
	if rev == "" {
		if it := c.present(name); it != nil {
			rev = it.revision
		}
	}
	if err := c.check("memory: Delete", name, rev); err != nil {
		return err
	}
	s.b.remove(s.credentials.User, c, name)
	return nil
}

// Move takes an item to another collection. It keeps its ID unless another
// item has it there.
func (s *Session) Move(ctx context.Context, from backend.CollectionID, name backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	if err := s.b.begin(ctx, OpMove, from, s.credentials); err != nil {
		return backend.Item{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	const op = "memory: Move"
	source, err := s.writable(OpMove, from)
	if err != nil {
		return backend.Item{}, err
	}
	target, err := s.writable(OpMove, to)
	if err != nil {
		return backend.Item{}, err
	}
	it := source.present(name)
	switch {
	case it == nil:
		return backend.Item{}, backend.Errorf(backend.NotFound, op, "no item %.70q", name)
	case source == target:
		return backend.Item{ID: name, Revision: it.revision}, nil
	case source.Kind != target.Kind:
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "from %s to %s", source.Kind, target.Kind)
	}
	free := name
	for n := 2; target.present(free) != nil; n++ {
		ext := extensions[source.Kind.MediaType()]
		stem := strings.TrimSuffix(string(name), ext)
		free = backend.ItemID(fmt.Sprintf("%s-%d%s", stem, n, ext))
	}
	rev := s.b.set(s.credentials.User, target, free, &item{body: it.body, flags: it.flags, received: it.received})
	s.b.remove(s.credentials.User, source, name)
	return s.done(OpMove, from, backend.Item{ID: free, Revision: rev})
}

// Close does nothing; a session holds nothing.
func (s *Session) Close() error { return nil }
