package caldav

import (
	"context"
	"sync"

	"github.com/pushbridge/pushbridge/caldav"
	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

type session struct {
	client  *webdav.Client
	objects caldav.Client
	home    dav.Home

	scheduling *scheduling
	extras     []backend.Extra

	// alone remembers, by path, which calendars hold one component only.
	alone sync.Map
}

var (
	_ backend.Prober     = (*session)(nil)
	_ backend.Scheduler  = (*session)(nil)
	_ backend.Identifier = (*session)(nil)
	_ backend.FreeBusier = (*session)(nil)
	_ backend.Follower   = (*session)(nil)

	_ backend.FolderEditor = (*session)(nil)
	_ backend.Subscriber   = (*session)(nil)
)

func (s *session) Collections(ctx context.Context) ([]backend.Collection, error) {
	calendars, err := s.objects.Calendars(ctx, s.home)
	if err != nil {
		return nil, s.client.Error(err)
	}
	var list []backend.Collection
	for _, part := range caldav.Components {
		for i, cal := range caldav.Prefer(calendars, part) {
			s.alone.Store(cal.Path, len(cal.Components) == 1)
			list = append(list, backend.Collection{
				ID: place{cal.Path, part}.id(), Kind: kinds[part], Name: cal.Name,
				Default: i == 0 && !cal.ReadOnly, ReadOnly: cal.ReadOnly, Colour: cal.Colour, Owner: cal.Owner,
				Zone: zone(cal, part),
			})
		}
	}
	return list, nil
}

// lister is how Changes sees a calendar: all of it if it holds one component
// only, for then nothing needs to be looked at.
func (s *session) lister(ctx context.Context, p place) (*webdav.Lister, error) {
	alone, known := s.alone.Load(p.path)
	if !known {
		parts, err := s.objects.Holds(ctx, p.path)
		if err != nil {
			return nil, s.client.Error(err)
		}
		alone = len(parts) == 1 && parts[0] == p.part
		s.alone.Store(p.path, alone)
	}
	if alone.(bool) {
		return nil, nil
	}
	return &webdav.Lister{
		All: func(ctx context.Context, yield func(dav.Member) error) error {
			return s.objects.Query(ctx, p.path, p.part, yield)
		},
		Sift: func(ctx context.Context, changed []dav.Member, yield func(dav.Member) error) error {
			return s.objects.Sift(ctx, p.path, p.part, changed, yield)
		},
	}, nil
}

func (s *session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	p, err := s.place(c)
	if err != nil {
		return "", err
	}
	part, err := s.lister(ctx, p)
	if err != nil {
		return "", err
	}
	return s.client.Changes(ctx, p.path, since, part, yield)
}

func (s *session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	p, err := s.place(c)
	if err != nil {
		return err
	}
	belongs := func(body []byte) bool { return caldav.ComponentOf(body) == p.part }
	return s.client.Get(ctx, p.path, ids, mediaType, belongs, yield)
}

func (s *session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	p, err := s.place(c)
	if err != nil {
		return backend.Item{}, err
	}
	if part := caldav.ComponentOf(it.Body); part != p.part {
		return backend.Item{}, backend.Errorf(backend.Invalid, "caldav: PUT "+p.path, "the object has %q, want %s", part, p.part)
	}
	it.MediaType = mediaType
	return s.client.Put(ctx, p.path, it, s.objects.Create)
}

func (s *session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	p, err := s.place(c)
	if err != nil {
		return err
	}
	return s.client.Error(s.client.Delete(ctx, p.path, string(id), string(rev)))
}

func (s *session) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	source, err := s.place(from)
	if err != nil {
		return backend.Item{}, err
	}
	target, err := s.place(to)
	if err != nil {
		return backend.Item{}, err
	}
	if source.part != target.part {
		return backend.Item{}, backend.Errorf(backend.Invalid, "caldav: MOVE "+source.path, "a %s cannot become a %s", source.part, target.part)
	}
	m, err := s.client.Move(ctx, source.path, string(id), target.path)
	return webdav.Item(m, mediaType), s.client.Error(err)
}

// Probe asks each calendar once, however many components are asked about.
func (s *session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	ids := make(map[string][]backend.CollectionID)
	var paths []string
	for _, c := range cs {
		p, err := s.place(c)
		if err != nil {
			continue // gone, if it ever was
		}
		if ids[p.path] == nil {
			paths = append(paths, p.path)
		}
		ids[p.path] = append(ids[p.path], c)
	}
	byPath, err := s.client.Tags(ctx, s.home, paths)
	if err != nil {
		return nil, err
	}
	tags := make(map[backend.CollectionID]string, len(cs))
	for path, tag := range byPath {
		for _, c := range ids[path] {
			tags[c] = tag
		}
	}
	return tags, nil
}

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
		p, err := s.place(c)
		if err != nil {
			return nil, err
		}
		list[i].Path = p.path
	}
	return list, nil
}

// Subscribe implements backend.Subscriber.
func (s *session) Subscribe(ctx context.Context, c backend.CollectionID, sub backend.PushSubscription) (backend.PushRegistration, error) {
	p, err := s.place(c)
	if err != nil {
		return backend.PushRegistration{}, err
	}
	return s.client.Subscribe(ctx, p.path, sub)
}

func (s *session) Close() error { return nil }
