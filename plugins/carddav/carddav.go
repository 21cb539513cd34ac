// Package carddav is the built-in backend for contacts on a CardDAV server.
package carddav

import (
	"context"

	"github.com/pushbridge/pushbridge/carddav"
	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

const mediaType = "text/vcard"

// Open checks the settings, which are [webdav.Settings], and answers the
// backend. It sends nothing.
func Open(_ context.Context, settings backend.Settings) (backend.Backend, error) {
	server, err := webdav.NewServer(carddav.Dialect, settings)
	if err != nil {
		return nil, err
	}
	return &store{server}, nil
}

type store struct{ server *webdav.Server }

var (
	_ backend.Declarer  = (*store)(nil)
	_ backend.Addressee = (*store)(nil)
	_ backend.Resumer   = (*store)(nil)
)

func (s *store) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	client := s.server.Client(c)
	home, err := client.Login(ctx)
	if err != nil {
		return nil, err
	}
	return newSession(client, home, s.Extras()), nil
}

// Resume implements backend.Resumer.
func (s *store) Resume(_ context.Context, c backend.Credentials) (backend.Session, error) {
	client := s.server.Client(c)
	home, ok := client.Resume()
	if !ok {
		return nil, nil
	}
	return newSession(client, home, s.Extras()), nil
}

func newSession(client *webdav.Client, home dav.Home, extras []backend.Extra) *session {
	return &session{client: client, cards: carddav.Client{Client: client.Client}, home: home, extras: extras}
}

// WantsAddress implements backend.Addressee.
func (s *store) WantsAddress() bool { return s.server.WantsAddress() }

// Extras tells that every session is a Prober and a FolderEditor, and what the settings make of it.
func (s *store) Extras() []backend.Extra {
	return append([]backend.Extra{backend.ExtraProbe, backend.ExtraFolderEditor}, s.server.Extras()...)
}

func (s *store) Close() error { return s.server.Close() }

type session struct {
	client *webdav.Client
	cards  carddav.Client
	home   dav.Home
	extras []backend.Extra
}

var (
	_ backend.Prober   = (*session)(nil)
	_ backend.Follower = (*session)(nil)

	_ backend.FolderEditor = (*session)(nil)
	_ backend.Subscriber   = (*session)(nil)
)

// Extras are those of the session: not all that it has methods for.
func (s *session) Extras() []backend.Extra { return s.extras }

// Watch implements backend.Watcher.
func (s *session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	list, err := s.watched(cs)
	if err != nil {
		return err
	}
	return s.client.Watch(ctx, list, ready, changed)
}

// WatchesList implements backend.ListWatcher. A session without the extra is not
// asked.
func (s *session) WatchesList() bool { return true }

// Follow implements backend.Follower.
func (s *session) Follow(cs []backend.CollectionID, f backend.Followed) (func(), bool) {
	list, err := s.watched(cs)
	if err != nil {
		return nil, false // which Watch tells
	}
	return s.client.Follow(list, f)
}

func (s *session) watched(cs []backend.CollectionID) ([]webdav.Watched, error) {
	list := make([]webdav.Watched, len(cs))
	for i, c := range cs {
		list[i].ID = c
		if c == "" {
			continue
		}
		path, err := s.path(c)
		if err != nil {
			return nil, err
		}
		list[i].Path = path
	}
	return list, nil
}

func (s *session) Collections(ctx context.Context) ([]backend.Collection, error) {
	books, err := s.cards.AddressBooks(ctx, s.home)
	if err != nil {
		return nil, s.client.Error(err)
	}
	list := make([]backend.Collection, len(books))
	for i, b := range books {
		list[i] = described(b)
	}
	return list, nil
}

// path checks a collection's ID, which is its path.
func (s *session) path(id backend.CollectionID) (string, error) {
	path, err := s.client.CollectionPath(string(id))
	return path, s.client.Error(err)
}

func (s *session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	path, err := s.path(c)
	if err != nil {
		return "", err
	}
	return s.client.Changes(ctx, path, since, nil, yield)
}

func (s *session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	path, err := s.path(c)
	if err != nil {
		return err
	}
	return s.client.Get(ctx, path, ids, mediaType, func([]byte) bool { return true }, yield)
}

func (s *session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	path, err := s.path(c)
	if err != nil {
		return backend.Item{}, err
	}
	it.MediaType = mediaType
	return s.client.Put(ctx, path, it, s.cards.Create)
}

func (s *session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	path, err := s.path(c)
	if err != nil {
		return err
	}
	return s.client.Error(s.client.Delete(ctx, path, string(id), string(rev)))
}

func (s *session) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	source, err := s.path(from)
	if err != nil {
		return backend.Item{}, err
	}
	target, err := s.path(to)
	if err != nil {
		return backend.Item{}, err
	}
	m, err := s.client.Move(ctx, source, string(id), target)
	return webdav.Item(m, mediaType), s.client.Error(err)
}

func (s *session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	ids := make(map[string]backend.CollectionID, len(cs))
	var paths []string
	for _, c := range cs {
		path, err := s.path(c)
		if backend.KindOf(err) == backend.NotFound {
			continue
		} else if err != nil {
			return nil, err
		}
		ids[path], paths = c, append(paths, path)
	}
	byPath, err := s.client.Tags(ctx, s.home, paths)
	if err != nil {
		return nil, err
	}
	tags := make(map[backend.CollectionID]string, len(cs))
	for path, tag := range byPath {
		tags[ids[path]] = tag
	}
	return tags, nil
}

// Subscribe implements backend.Subscriber.
func (s *session) Subscribe(ctx context.Context, c backend.CollectionID, sub backend.PushSubscription) (backend.PushRegistration, error) {
	path, err := s.path(c)
	if err != nil {
		return backend.PushRegistration{}, err
	}
	return s.client.Subscribe(ctx, path, sub)
}

func (s *session) Close() error { return nil }
