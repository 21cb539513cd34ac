package caldav_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/caldav"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// open is the backend for a server that a test started.
func open(t *testing.T, s *davtest.Server) backend.Backend {
	t.Helper()
	b, err := caldav.Open(t.Context(), backend.Settings{"url": s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// login is a session of Ann's.
func login(t *testing.T, b backend.Backend) backend.Session {
	t.Helper()
	s, err := b.Open(t.Context(), backend.Credentials{User: davtest.Ann.Name, Password: davtest.Ann.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func suite(b backend.Backend, s *davtest.Server) backendtest.Suite {
	const anew = "the server writes objects anew, in an order of its own"
	return backendtest.Suite{
		Backend:     b,
		Credentials: backend.Credentials{User: s.User, Password: s.Password},
		Kinds:       []backend.CollectionKind{backend.Events, backend.Tasks, backend.Notes},
		Items:       20,
		Outside: func(t *testing.T, c backend.CollectionID, name string, body []byte) {
			path, _, _ := strings.Cut(string(c), "#")
			s.Put(path+url.PathEscape(name), string(body))
		},
		Excuses: []backendtest.Excuse{
			{Promise: "Probe/the tag changes with every change", Reason: "the ctag is a hash of the content: the same tag, the same content"},
			{Promise: "Body/a plain body comes back byte for byte", Reason: anew},
			{Promise: "Body/an odd body comes back byte for byte", Reason: anew},
		},
	}
}

// in makes the suite work in a calendar that holds every component, rather
// than in those that hold one each.
func in(calendar string, s backendtest.Suite) backendtest.Suite {
	part := map[backend.CollectionKind]string{backend.Events: "VEVENT", backend.Tasks: "VTODO", backend.Notes: "VJOURNAL"}
	s.Collection = func(_ *testing.T, _ backend.Session, k backend.CollectionKind) backend.CollectionID {
		return backend.CollectionID(calendar + "#" + part[k])
	}
	return s
}

func TestConformanceRadicale(t *testing.T) {
	t.Parallel()
	s := davtest.Radicale(t)
	conformance := in(s.Calendar, suite(open(t, s), s))
	conformance.Items = 60
	conformance.Expire = func(_ *testing.T, c backend.CollectionID) {
		path, part, _ := strings.Cut(string(c), "#")
		s.Put(path+part+".ics", object(part, part, "forgotten"))
		s.Forget(path)
	}
	backendtest.Run(t, conformance)
}

func TestConformanceRadicaleApart(t *testing.T) {
	t.Parallel()
	s := davtest.Radicale(t)
	conformance := suite(open(t, s), s)
	conformance.Kinds = []backend.CollectionKind{backend.Tasks} // one of them: alone means the same for all
	conformance.Collection = func(*testing.T, backend.Session, backend.CollectionKind) backend.CollectionID {
		return backend.CollectionID(s.Tasks + "#VTODO")
	}
	backendtest.Run(t, conformance)
}

func TestConformanceXandikos(t *testing.T) {
	t.Parallel()
	s := davtest.Xandikos(t)
	conformance := suite(open(t, s), s)
	conformance.Excuses = append(conformance.Excuses, davtest.PercentInNames)
	backendtest.Run(t, conformance)
}

func TestConformanceOverTheWire(t *testing.T) {
	t.Parallel()
	s := davtest.Radicale(t)
	b, err := caldav.Open(t.Context(), backend.Settings{"url": s.URL})
	if err != nil {
		t.Fatal(err)
	}
	conformance := suite(wiretest.OverWire(t, b), s)
	conformance.Kinds = []backend.CollectionKind{backend.Events}
	backendtest.Run(t, conformance)
}

// object is a calendar object with one component.
func object(component, uid, text string) string {
	return strings.ReplaceAll(fmt.Sprintf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//pushbridge//test//EN\n"+
		"BEGIN:%[1]s\nUID:%[2]s\nDTSTAMP:20260105T080000Z\nDTSTART:20260112T090000Z\nSUMMARY:%[3]s\nEND:%[1]s\nEND:VCALENDAR\n",
		component, uid, text), "\n", "\r\n")
}

// look tells what Changes says, as "id" and "-id".
func look(t *testing.T, s backend.Session, c backend.CollectionID, since backend.Cursor) ([]string, backend.Cursor) {
	t.Helper()
	var told []string
	next, err := s.Changes(t.Context(), c, since, func(batch []backend.Change) error {
		for _, ch := range batch {
			if ch.Removed {
				told = append(told, "-"+string(ch.ID))
			} else {
				told = append(told, string(ch.ID))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Changes of %s: %v", c, err)
	}
	slices.Sort(told)
	return told, next
}

// TestOneCalendarThreeCollections keeps apart what lies in one calendar.
func TestOneCalendarThreeCollections(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...davtest.Option) *davtest.Server{
		"radicale": davtest.Radicale, "xandikos": davtest.Xandikos,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			s := login(t, open(t, server))
			cursors := make(map[string]backend.Cursor)
			id := func(part string) backend.CollectionID { return backend.CollectionID(server.Calendar + "#" + part) }
			for _, part := range []string{"VEVENT", "VTODO", "VJOURNAL"} {
				server.Put(server.Calendar+part+".ics", object(part, part, "first"))
			}
			for _, part := range []string{"VEVENT", "VTODO", "VJOURNAL"} {
				told, next := look(t, s, id(part), "")
				if !slices.Equal(told, []string{part + ".ics"}) {
					t.Errorf("the listing of %s tells %q", part, told)
				}
				cursors[part] = next
			}
			server.Put(server.Calendar+"VTODO.ics", object("VTODO", "VTODO", "second"))
			server.Delete(server.Calendar + "VJOURNAL.ics")
			for part, want := range map[string][]string{
				"VEVENT":   {"-VJOURNAL.ics", "-VTODO.ics"},
				"VTODO":    {"-VJOURNAL.ics", "VTODO.ics"},
				"VJOURNAL": {"-VJOURNAL.ics", "-VTODO.ics"},
			} {
				if told, _ := look(t, s, id(part), cursors[part]); !slices.Equal(told, want) {
					t.Errorf("the changes of %s tell %q, want %q", part, told, want)
				}
			}
			got := 0
			err := s.Get(t.Context(), id("VEVENT"), []backend.ItemID{"VTODO.ics", "VEVENT.ics"}, func(f backend.Fetched) error {
				if got++; f.ID != "VEVENT.ics" {
					t.Errorf("the events have %s", f.ID)
				}
				return f.Err
			})
			if err != nil || got != 1 {
				t.Errorf("Get answers %d items, %v", got, err)
			}
			_, err = s.Put(t.Context(), id("VEVENT"), backend.Item{ID: "task", Body: []byte(object("VTODO", "task", "x"))})
			if backend.KindOf(err) != backend.Invalid {
				t.Errorf("a task among the events: %v, want kind Invalid", err)
			}
			tags, err := s.(backend.Prober).Probe(t.Context(), []backend.CollectionID{id("VEVENT"), id("VTODO"), "/ann/none/#VEVENT", "nonsense"})
			if err != nil || len(tags) != 2 || tags[id("VEVENT")] == "" {
				t.Errorf("Probe = %v, %v", tags, err)
			}
		})
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	server := davtest.Radicale(t)
	list, err := login(t, open(t, server)).Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		line := fmt.Sprintf("%s %s %q %s", c.ID, c.Kind, c.Name, c.Colour)
		if c.Default {
			line += " default"
		}
		got = append(got, line)
	}
	want := []string{
		`/ann/events/#VEVENT events "Events" #11aa33 default`,
		`/ann/everything/#VEVENT events "Everything" #11aa33`,
		`/ann/tasks/#VTODO tasks "Tasks" #11aa33 default`,
		`/ann/everything/#VTODO tasks "Everything" #11aa33`,
		`/ann/notes/#VJOURNAL notes "Notes" #11aa33 default`,
		`/ann/everything/#VJOURNAL notes "Everything" #11aa33`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("Collections are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestUIDConflict meets the object that has the UID under another name.
func TestUIDConflict(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...davtest.Option) *davtest.Server{
		"radicale": davtest.Radicale, "xandikos": davtest.Xandikos,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			s := login(t, open(t, server))
			server.Put(server.Calendar+"near.ics", object("VTODO", "uid-1-and-more", "x"))
			etag := server.Put(server.Calendar+"there.ics", object("VTODO", "uid-1", "x"))
			it, err := s.Put(t.Context(), backend.CollectionID(server.Calendar+"#VTODO"), backend.Item{ID: "here", Body: []byte(object("VTODO", "uid-1", "y"))})
			if backend.KindOf(err) != backend.Conflict || it.ID != "there.ics" || string(it.Revision) != etag {
				t.Errorf("Put = %q %q, %v; want kind Conflict and there.ics", it.ID, it.Revision, err)
			}
		})
	}
}
