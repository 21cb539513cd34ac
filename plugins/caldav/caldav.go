// Package caldav is the built-in backend for events, tasks and notes on a CalDAV server.
//
// A calendar appears once for each component that it holds, so that Radicale's
// calendars, which hold all three, are a calendar, a task list and a notebook.
package caldav

import (
	"context"
	"strings"

	"github.com/pushbridge/pushbridge/caldav"
	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

// kinds are the kinds of collections that the components make.
var kinds = map[caldav.Component]backend.CollectionKind{
	caldav.Event:   backend.Events,
	caldav.Todo:    backend.Tasks,
	caldav.Journal: backend.Notes,
}

const mediaType = "text/calendar"

// Open checks the settings, which are [webdav.Settings], and answers the
// backend. It sends nothing.
func Open(_ context.Context, settings backend.Settings) (backend.Backend, error) {
	server, err := webdav.NewServer(caldav.Dialect, settings)
	if err != nil {
		return nil, err
	}
	return &store{server, newScheduling()}, nil
}

type store struct {
	server     *webdav.Server
	scheduling *scheduling
}

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
	return s.session(client, home), nil
}

// Resume implements backend.Resumer.
func (s *store) Resume(_ context.Context, c backend.Credentials) (backend.Session, error) {
	client := s.server.Client(c)
	home, ok := client.Resume()
	if !ok {
		return nil, nil
	}
	return s.session(client, home), nil
}

func (s *store) session(client *webdav.Client, home dav.Home) *session {
	return &session{client: client, objects: caldav.Client{Client: client.Client}, home: home, scheduling: s.scheduling, extras: s.Extras()}
}

// WantsAddress implements backend.Addressee.
func (s *store) WantsAddress() bool { return s.server.WantsAddress() }

// Extras tells what every session is, and what the settings make of it.
func (s *store) Extras() []backend.Extra {
	extras := []backend.Extra{backend.ExtraProbe, backend.ExtraSchedule, backend.ExtraIdentity, backend.ExtraFreeBusy, backend.ExtraFolderEditor}
	return append(extras, s.server.Extras()...)
}

func (s *store) Close() error { return s.server.Close() }

// A place is what a collection's ID says: path#component.
type place struct {
	path string
	part caldav.Component
}

func (p place) id() backend.CollectionID {
	return backend.CollectionID(p.path + "#" + string(p.part))
}

// place takes a collection's ID apart. There is no '#' in a clean path.
func (s *session) place(id backend.CollectionID) (place, error) {
	path, part, _ := strings.Cut(string(id), "#")
	if _, ok := kinds[caldav.Component(part)]; !ok {
		return place{}, backend.Errorf(backend.NotFound, "caldav", "%q is no collection's ID", id)
	}
	path, err := s.client.CollectionPath(path)
	return place{path, caldav.Component(part)}, s.client.Error(err)
}
