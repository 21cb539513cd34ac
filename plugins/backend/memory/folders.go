package memory

import (
	"context"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// CreateCollection makes a collection. The lasting ID is the name with the kind
// before it.
func (s *Session) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	if err := s.b.begin(ctx, OpCreate, "", s.credentials); err != nil {
		return backend.Collection{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	const op = "memory: CreateCollection"
	p := s.b.people[s.credentials.User]
	switch {
	case c.Kind.MediaType() == "":
		return backend.Collection{}, backend.Errorf(backend.Unsupported, op, "no collections of kind %.40q", c.Kind)
	case !createName.MatchString(string(c.ID)):
		return backend.Collection{}, backend.Errorf(backend.Invalid, op, "%.70q cannot name a new collection", c.ID)
	case c.Name == "" || backend.CollectionName(c.Name) != c.Name:
		return backend.Collection{}, backend.Errorf(backend.Invalid, op, "a collection cannot be called %.70q", c.Name)
	case c.Parent != "" && p.collections[c.Parent] == nil:
		return backend.Collection{}, backend.Errorf(backend.NotFound, op, "no collection %.70q", c.Parent)
	}
	made := backend.Collection{
		ID: backend.CollectionID(c.Kind) + "-" + c.ID, Kind: c.Kind, Name: c.Name, Parent: c.Parent, Colour: c.Colour,
	}
	if there := p.collections[made.ID]; there != nil {
		return there.Collection, backend.Errorf(backend.Conflict, op, "%q exists", made.ID)
	}
	p.collections[made.ID] = &collection{Collection: made, epoch: s.b.nextEpoch(), items: make(map[backend.ItemID]*item)}
	p.order = append(p.order, made.ID)
	return made, nil
}

// UpdateCollection renames, colours and moves a collection.
func (s *Session) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	if err := s.b.begin(ctx, OpUpdate, c.ID, s.credentials); err != nil {
		return backend.Collection{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	const op = "memory: UpdateCollection"
	there, err := s.writable(OpUpdate, c.ID)
	if err != nil {
		return backend.Collection{}, err
	}
	if c.Name == "" || backend.CollectionName(c.Name) != c.Name {
		return backend.Collection{}, backend.Errorf(backend.Invalid, op, "a collection cannot be called %.70q", c.Name)
	}
	p := s.b.people[s.credentials.User]
	for up := c.Parent; up != ""; up = p.collections[up].Parent {
		switch {
		case p.collections[up] == nil:
			return backend.Collection{}, backend.Errorf(backend.NotFound, op, "no collection %.70q", up)
		case up == c.ID:
			return backend.Collection{}, backend.Errorf(backend.Invalid, op, "%q would be inside of itself", c.ID)
		}
	}
	there.Name, there.Parent = c.Name, c.Parent
	if c.Colour != "" {
		there.Colour = c.Colour
	}
	s.b.changed(s.credentials.User, c.ID)
	return there.Collection, nil
}

// DeleteCollection removes a collection and those inside of it.
func (s *Session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	if err := s.b.begin(ctx, OpRemove, id, s.credentials); err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if _, err := s.writable(OpRemove, id); err != nil {
		return err
	}
	p := s.b.people[s.credentials.User]
	for _, c := range p.collections {
		if c.Parent == id {
			return backend.Errorf(backend.Unsupported, "memory: DeleteCollection", "%q has collections inside of it", id)
		}
	}
	delete(p.collections, id)
	p.order = slices.DeleteFunc(p.order, func(o backend.CollectionID) bool { return o == id })
	s.b.changed(s.credentials.User, id)
	return nil
}
