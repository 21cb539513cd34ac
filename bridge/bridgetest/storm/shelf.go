package storm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A Shelf is a store with two doors: the bridge comes through its Backend, the
// desktop through the rest. It belongs to [bridgetest.User] and has a
// collection for contacts, events, tasks and notes each.
type Shelf interface {
	Backend() backend.Backend // nil if there is a Worker that knows
	Collection(backend.CollectionKind) backend.CollectionID
	Items(backend.CollectionID) (map[backend.ItemID][]byte, error)
	Store(c backend.CollectionID, id backend.ItemID, body []byte) error
	Remove(backend.CollectionID, backend.ItemID) error
	Forget(backend.CollectionID) // every cursor, if it can
	Stumble() (what string)      // as bad as it gets; empty if it cannot
	Recover() error              // waits until it works again
}

// A Stormy shelf has weather of its own, which it turns off and on.
type Stormy interface {
	Shelf
	Still(calm bool)
}

// A Sufferer is a Stormy shelf for a Worker that can be as bad for a while as the
// weather is where there is no Worker. When it is to be still, nothing of that is
// left.
type Sufferer interface {
	Stormy

	// Suffer has requests answered with an HTTP status; 507 only those that write.
	// 0 ends it.
	Suffer(status int)

	// Empty has the next complete listing of a collection show nothing, and has the
	// next listing be one. told is called when that happens.
	Empty(c backend.CollectionID, told func())
}

// A Rewriter is a shelf that stores things in a form of its own: other order,
// the same lines.
type Rewriter interface {
	Shelf
	Rewrites()
}

// collections are those of a person who made none.
var collections = map[backend.CollectionKind]backend.CollectionID{
	backend.Contacts: "contacts", backend.Events: "calendar", backend.Tasks: "tasks", backend.Notes: "notes",
}

// memoryShelf is a shelf without a disk.
type memoryShelf struct{ backend *memory.Backend }

func newMemoryShelf() memoryShelf {
	b := memory.New()
	b.AddUser(bridgetest.User, bridgetest.Password)
	return memoryShelf{b}
}

func (s memoryShelf) Backend() backend.Backend { return s.backend }

func (s memoryShelf) Collection(k backend.CollectionKind) backend.CollectionID { return collections[k] }

func (s memoryShelf) SetCollection(c backend.Collection) error {
	s.backend.SetCollection(bridgetest.User, c)
	return nil
}

func (s memoryShelf) Collections() ([]backend.Collection, error) {
	session, err := s.backend.Open(context.Background(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	return session.Collections(context.Background())
}

func (s memoryShelf) RemoveCollection(id backend.CollectionID) error {
	s.backend.RemoveCollection(bridgetest.User, id)
	return nil
}

func (s memoryShelf) Items(c backend.CollectionID) (map[backend.ItemID][]byte, error) {
	return s.backend.Items(bridgetest.User, c), nil
}

func (s memoryShelf) Store(c backend.CollectionID, id backend.ItemID, body []byte) error {
	s.backend.Store(bridgetest.User, c, id, body)
	return nil
}

func (s memoryShelf) Remove(c backend.CollectionID, id backend.ItemID) error {
	s.backend.Remove(bridgetest.User, c, id)
	return nil
}

func (s memoryShelf) Forget(c backend.CollectionID) { s.backend.Expire(bridgetest.User, c) }

func (s memoryShelf) Stumble() string { return "" }

func (s memoryShelf) Recover() error { return nil }

// Directory is the desktop's side of a shelf whose items are files in
// directories, as vdirsyncer keeps them.
type Directory string

// Collection is a directory.
func (d Directory) Collection(k backend.CollectionKind) backend.CollectionID { return collections[k] }

// Items reads all files of a collection.
func (d Directory) Items(c backend.CollectionID) (map[backend.ItemID][]byte, error) {
	root := filepath.Join(string(d), string(c))
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	bodies := make(map[backend.ItemID][]byte)
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		body, err := os.ReadFile(filepath.Join(root, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		bodies[backend.ItemID(e.Name())] = body
	}
	return bodies, nil
}

// Store writes a file in one go, as careful programs do.
func (d Directory) Store(c backend.CollectionID, id backend.ItemID, body []byte) error {
	root := filepath.Join(string(d), string(c))
	draft := filepath.Join(root, ".draft")
	if err := os.WriteFile(draft, body, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, filepath.Join(root, string(id)))
}

// Remove deletes a file.
func (d Directory) Remove(c backend.CollectionID, id backend.ItemID) error {
	err := os.Remove(filepath.Join(string(d), string(c), string(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
