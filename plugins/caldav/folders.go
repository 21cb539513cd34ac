package caldav

import (
	"context"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/caldav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// components are the components of kinds.
var components = map[backend.CollectionKind]caldav.Component{
	backend.Events: caldav.Event, backend.Tasks: caldav.Todo, backend.Notes: caldav.Journal,
}

// described is how a collection is listed that is part of a calendar.
func (s *session) described(cal caldav.Calendar, part caldav.Component) backend.Collection {
	return backend.Collection{
		ID: place{cal.Path, part}.id(), Kind: kinds[part], Name: cal.Name,
		ReadOnly: cal.ReadOnly, Colour: cal.Colour, Owner: cal.Owner, Zone: zone(cal, part),
	}
}

// zone is the time zone of a calendar for its events. Of an explanation that is too
// long the name remains.
func zone(cal caldav.Calendar, part caldav.Component) string {
	switch {
	case part != caldav.Event:
		return ""
	case len(cal.Zone) <= backend.MaxZone:
		return cal.Zone
	}
	for line := range strings.Lines(cal.Zone) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if name, _, _ = strings.Cut(name, ";"); ok && strings.EqualFold(name, "TZID") && len(value) <= backend.MaxZone {
			return value
		}
	}
	return ""
}

// CreateCollection makes a calendar for objects of the kind and no others, where
// the server can keep them apart.
func (s *session) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	part, ok := components[c.Kind]
	if !ok {
		return backend.Collection{}, backend.Errorf(backend.Unsupported, "caldav: MKCALENDAR", "no collections of kind %.40q", c.Kind)
	}
	if err := webdav.CheckNew(c); err != nil {
		return backend.Collection{}, err
	}
	cal, err := s.objects.Make(ctx, s.home, string(c.ID), c.Name, c.Colour, part)
	if cal.Path == "" {
		return backend.Collection{}, s.client.Error(err)
	}
	return s.described(cal, part), s.client.Error(err)
}

// UpdateCollection renames a calendar. Its other components are called the same.
func (s *session) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	p, err := s.place(c.ID)
	if err == nil {
		err = webdav.CheckName(c.Name)
	}
	if err != nil {
		return backend.Collection{}, err
	}
	if err := s.client.Rename(ctx, p.path, c.Name, c.Colour); err != nil {
		return backend.Collection{}, s.client.Error(err)
	}
	cal, err := s.objects.Describe(ctx, s.home, p.path)
	return s.described(cal, p.part), s.client.Error(err)
}

// DeleteCollection removes a calendar that holds nothing but the component. In
// another one there may be what somebody else keeps there, and no way to remove
// only a part of a calendar at once.
func (s *session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	p, err := s.place(id)
	if err != nil {
		return err
	}
	parts, err := s.objects.Holds(ctx, p.path)
	switch {
	case err != nil:
		return s.client.Error(err)
	case !slices.Contains(parts, p.part):
		return backend.Errorf(backend.NotFound, "caldav: DELETE "+p.path, "the calendar holds %v", parts)
	case len(parts) > 1:
		return backend.Errorf(backend.Unsupported, "caldav: DELETE "+p.path, "the calendar holds %v, which would all go", parts)
	}
	return s.client.Error(s.client.DeleteCollection(ctx, p.path))
}
