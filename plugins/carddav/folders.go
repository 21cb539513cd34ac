package carddav

import (
	"context"

	"github.com/pushbridge/pushbridge/carddav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// described is how an address book is listed.
func described(b carddav.AddressBook) backend.Collection {
	return backend.Collection{
		ID: backend.CollectionID(b.Path), Kind: backend.Contacts, Name: b.Name,
		Default: b.Default, ReadOnly: b.ReadOnly, Colour: b.Colour, Owner: b.Owner,
	}
}

// CreateCollection makes an address book.
func (s *session) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	if c.Kind != backend.Contacts {
		return backend.Collection{}, backend.Errorf(backend.Unsupported, "carddav: MKCOL", "no collections of kind %.40q", c.Kind)
	}
	if err := webdav.CheckNew(c); err != nil {
		return backend.Collection{}, err
	}
	book, err := s.cards.Make(ctx, s.home, string(c.ID), c.Name, c.Colour)
	if book.Path == "" {
		return backend.Collection{}, s.client.Error(err)
	}
	return described(book), s.client.Error(err)
}

// UpdateCollection renames an address book.
func (s *session) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	path, err := s.path(c.ID)
	if err == nil {
		err = webdav.CheckName(c.Name)
	}
	if err != nil {
		return backend.Collection{}, err
	}
	if err := s.client.Rename(ctx, path, c.Name, c.Colour); err != nil {
		return backend.Collection{}, s.client.Error(err)
	}
	book, err := s.cards.Describe(ctx, s.home, path)
	return described(book), s.client.Error(err)
}

// DeleteCollection removes an address book.
func (s *session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	path, err := s.path(id)
	if err != nil {
		return err
	}
	if _, err := s.cards.Describe(ctx, s.home, path); err != nil {
		return s.client.Error(err) // what is no address book is not ours to remove
	}
	return s.client.Error(s.client.DeleteCollection(ctx, path))
}
