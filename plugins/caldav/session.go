package caldav

import (
	"context"
	"sync"

	"github.com/pushbridge/pushbridge/caldav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

type session struct {
	client caldav.Client
	home   webdav.Home

	// alone remembers, by path, which calendars hold one component only.
	alone sync.Map
}

var _ backend.Prober = (*session)(nil)

func (s *session) Collections(ctx context.Context) ([]backend.Collection, error) {
	calendars, err := s.client.Calendars(ctx, s.home)
	if err != nil {
		return nil, err
	}
	var list []backend.Collection
	for _, part := range caldav.Components {
		for i, cal := range caldav.Prefer(calendars, part) {
			s.alone.Store(cal.Path, len(cal.Components) == 1)
			list = append(list, backend.Collection{
				ID: place{cal.Path, part}.id(), Kind: kinds[part], Name: cal.Name,
				Default: i == 0 && !cal.ReadOnly, ReadOnly: cal.ReadOnly, Colour: cal.Colour, Owner: cal.Owner,
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
		parts, err := s.client.Holds(ctx, p.path)
		if err != nil {
			return nil, err
		}
		alone = len(parts) == 1 && parts[0] == p.part
		s.alone.Store(p.path, alone)
	}
	if alone.(bool) {
		return nil, nil
	}
	return s.client.Part(p.path, p.part), nil
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
	return s.client.MultiGet(ctx, p.path, ids, func(raw webdav.Raw) error {
		if raw.Removed || raw.Err == nil && caldav.ComponentOf(raw.Body) != p.part {
			return nil // not in this collection
		}
		return yield(raw.Fetched(mediaType))
	})
}

func (s *session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	p, err := s.place(c)
	if err != nil {
		return backend.Item{}, err
	}
	if part := caldav.ComponentOf(it.Body); part != p.part {
		return backend.Item{}, backend.Errorf(backend.Invalid, "caldav: PUT "+p.path, "the object has %q, want %s", part, p.part)
	}
	var m webdav.Member
	if it.Revision == "" {
		m, err = s.client.Create(ctx, p.path, string(it.ID), it.Body)
	} else {
		m, err = s.client.Replace(ctx, p.path, it.ID, it.Revision, it.Body)
	}
	return m.Item(mediaType), err
}

func (s *session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	p, err := s.place(c)
	if err != nil {
		return err
	}
	return s.client.Delete(ctx, p.path, id, rev)
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
	m, err := s.client.Move(ctx, source.path, id, target.path)
	return m.Item(mediaType), err
}

// Probe asks each calendar once, however many components are asked about.
func (s *session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	tags := make(map[backend.CollectionID]string, len(cs))
	byPath := make(map[string]string)
	for _, c := range cs {
		p, err := s.place(c)
		if err != nil {
			continue // gone, if it ever was
		}
		tag, asked := byPath[p.path]
		if !asked {
			tag, err = s.client.Tag(ctx, p.path)
			if err != nil && backend.KindOf(err) != backend.NotFound {
				return nil, err
			}
			byPath[p.path] = tag
		}
		if tag != "" {
			tags[c] = tag
		}
	}
	return tags, nil
}

func (s *session) Close() error { return nil }
