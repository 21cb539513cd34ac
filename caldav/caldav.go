// Package caldav is a client of CalDAV: it finds a person's calendars, lists their events, tasks and journals apart, and reads and writes objects as they are.
//
// What CalDAV shares with CardDAV is in package carddav/dav; here is
// what only RFC 4791 has.
package caldav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/carddav/dav"
)

// Namespace is that of CalDAV's elements. See RFC 4791, section 4.
const Namespace = "urn:ietf:params:xml:ns:caldav"

// Dialect is how CalDAV calls things.
var Dialect = dav.Dialect{
	Name:        "caldav",
	Namespace:   Namespace,
	HomeSet:     "calendar-home-set",
	Resource:    "calendar",
	MultiGet:    "calendar-multiget",
	Data:        "calendar-data",
	WellKnown:   "/.well-known/caldav",
	Suffix:      ".ics",
	ContentType: "text/calendar; charset=utf-8",
	End:         "END:VCALENDAR",
}

// A Component is what an object of a calendar is about; each is about one.
// See RFC 4791, section 4.1.
type Component string

// The components that are kept for people. VTIMEZONE and VALARM are parts of
// these, VFREEBUSY is no object of its own.
const (
	Event   Component = "VEVENT"
	Todo    Component = "VTODO"
	Journal Component = "VJOURNAL"
)

// Components are all of them.
var Components = []Component{Event, Todo, Journal}

// A Client asks a CalDAV server on behalf of one person.
type Client struct{ *dav.Client }

// A Calendar is a collection of objects.
type Calendar struct {
	dav.Collection
	Components []Component // what may be in it, in the order of Components

	// Zone is its own time zone, in which events without one take place: the TZID,
	// or the VTIMEZONE that explains it, as the server has it; empty if it has none.
	Zone string
}

// Holds tells whether c may be in the calendar.
func (cal Calendar) Holds(c Component) bool { return slices.Contains(cal.Components, c) }

// Calendars lists what is in the home sets, in no certain order; the list is
// complete or it is an error.
func (c Client) Calendars(ctx context.Context, home dav.Home) ([]Calendar, error) {
	var list []Calendar
	err := c.Collections(ctx, home, calendarProps, func(found dav.Collection, r *dav.Response) error {
		if parts := components(r); len(parts) > 0 {
			list = append(list, Calendar{Collection: found, Components: parts, Zone: zone(r)})
		}
		return nil
	})
	return list, err
}

// Holds asks one calendar which components may be in it.
func (c Client) Holds(ctx context.Context, calendar string) ([]Component, error) {
	r, err := c.PropfindOne(ctx, calendar, componentSet)
	if err != nil {
		return nil, err
	}
	return components(r), nil
}

var (
	componentSet = dav.Name(Namespace, "supported-calendar-component-set")
	timezone     = dav.Name(Namespace, "calendar-timezone")
	timezoneID   = dav.Name(Namespace, "calendar-timezone-id")

	// calendarProps are asked of calendars beside what all collections have.
	calendarProps = []xml.Name{componentSet, timezone, timezoneID}
)

// zone reads calendar-timezone-id, which servers have that know the zones by name,
// and calendar-timezone, an iCalendar object with one VTIMEZONE. Where both are,
// they are the same. See RFC 7809, section 5.2, and RFC 4791, section 5.2.2.
func zone(r *dav.Response) string {
	if id := r.Text(Namespace, timezoneID.Local); id != "" {
		return id
	}
	object := r.Text(Namespace, timezone.Local)
	upper := strings.ToUpper(object)
	begin := strings.Index(upper, "BEGIN:VTIMEZONE")
	if len(upper) != len(object) || begin < 0 {
		return "" // nothing that explains a zone
	}
	const last = "END:VTIMEZONE"
	end := strings.Index(upper[begin:], last)
	if end < 0 {
		return ""
	}
	return object[begin : begin+end+len(last)]
}

// components reads supported-calendar-component-set. Without that property
// all are allowed. See RFC 4791, section 5.2.3.
func components(r *dav.Response) []Component {
	set, ok := r.Get(Namespace, componentSet.Local)
	if !ok || !set.Has(Namespace, "comp") {
		return Components
	}
	var list []Component
	for _, c := range Components {
		for _, e := range set.Elements {
			if e.Name.Local == "comp" && e.Attr == string(c) {
				list = append(list, c)
				break
			}
		}
	}
	return list
}

// Prefer sorts the calendars that hold a component, the one for new objects
// first. People who keep a calendar for tasks or journals alone want those in
// there.
func Prefer(list []Calendar, c Component) []Calendar {
	list = slices.DeleteFunc(slices.Clone(list), func(cal Calendar) bool { return !cal.Holds(c) })
	special := func(cal Calendar) bool { return c != Event && len(cal.Components) == 1 }
	slices.SortFunc(list, func(a, b Calendar) int {
		return dav.Prefer(a.Collection, b.Collection, special(a), special(b))
	})
	return list
}

// Query lists the objects of one component by asking for their ETags, which
// the server can answer without looking far into them. See RFC 4791, section 7.8.
func (c Client) Query(ctx context.Context, calendar string, part Component, yield func(dav.Member) error) error {
	body := Dialect.Document("calendar-query", func(w *bytes.Buffer) {
		w.WriteString(`<D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="` +
			string(part) + `"/></C:comp-filter></C:filter>`)
	})
	return c.query(ctx, calendar, body, yield)
}

// FindUID looks up the object that has a UID. It is Removed if there is none.
func (c Client) FindUID(ctx context.Context, calendar, uid string) (dav.Member, error) {
	for _, part := range Components {
		// A filter names one component at a time: RFC 4791, section 9.7.1.
		body := Dialect.Document("calendar-query", func(w *bytes.Buffer) {
			w.WriteString(`<D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="` +
				string(part) + `"><C:prop-filter name="UID"><C:text-match collation="i;octet">`)
			xml.EscapeText(w, []byte(uid)) //nolint:errcheck // a bytes.Buffer takes everything
			w.WriteString(`</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter>`)
		})
		var candidates []string
		err := c.query(ctx, calendar, body, func(m dav.Member) error {
			candidates = append(candidates, m.ID)
			return nil
		})
		if err != nil {
			return dav.Member{}, err
		}
		// The match is one of substrings: RFC 4791, section 9.7.5.
		found, err := c.WithUID(ctx, calendar, uid, candidates)
		if err != nil || !found.Removed {
			return found, err
		}
	}
	return dav.Member{Removed: true}, nil
}

func (c Client) query(ctx context.Context, calendar string, body []byte, yield func(dav.Member) error) error {
	return c.Report(ctx, calendar, dav.Depth1, body, func(r *dav.Response) error {
		return c.Listed(calendar, r, yield)
	})
}

// Create stores a new object under a name. If the name is taken, or another
// object of the calendar has the same UID, the error is dav.ErrTaken
// and the Member is the object that is there.
func (c Client) Create(ctx context.Context, calendar, name string, object []byte) (dav.Member, error) {
	return c.CreateUnique(ctx, calendar, name, object, c.FindUID)
}

// ComponentOf finds out what an object is about: the first VEVENT, VTODO or
// VJOURNAL that begins in it. It is empty if none does.
func ComponentOf(object []byte) Component {
	for line := range bytes.Lines(object) {
		// A line that begins with a blank goes on with the one before.
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !bytes.EqualFold(name, []byte("BEGIN")) {
			continue
		}
		value = bytes.TrimSpace(value)
		for _, c := range Components {
			if bytes.EqualFold(value, []byte(c)) {
				return c
			}
		}
	}
	return ""
}

// Sift reads changed objects, for their names do not say what they are, and
// tells each one: as it is, or as Removed if it is of another component, for it
// may have been of this one before. One that cannot be read is told as it is:
// who asks for it hears why.
func (c Client) Sift(ctx context.Context, calendar string, part Component, changed []dav.Member, yield func(dav.Member) error) error {
	ids := make([]string, len(changed))
	told := make(map[string]string, len(changed))
	for i, m := range changed {
		ids[i], told[m.ID] = m.ID, m.Revision
	}
	return c.MultiGet(ctx, calendar, ids, func(raw dav.Raw) error {
		switch {
		case raw.Err != nil:
			return yield(dav.Member{ID: raw.ID, Revision: told[raw.ID]})
		case raw.Removed || ComponentOf(raw.Body) != part:
			return yield(dav.Member{ID: raw.ID, Removed: true})
		}
		return yield(raw.Member)
	})
}

// Make makes a calendar for the objects of one component. If something is there
// under the name, the error is dav.ErrTaken, and the Calendar is what is there.
// See RFC 4791, sections 5.2.3 and 5.3.1.
func (c Client) Make(ctx context.Context, home dav.Home, segment, name, colour string, part Component) (Calendar, error) {
	path, err := c.Client.Make(ctx, home, segment, dav.NewCollection{
		Method: "MKCALENDAR", Root: dav.Name(Namespace, "mkcalendar"), Name: name, Colour: colour,
		More: func(w *bytes.Buffer) {
			w.WriteString(`<C:supported-calendar-component-set><C:comp name="` + string(part) + `"/></C:supported-calendar-component-set>`)
		},
	})
	if err != nil && !errors.Is(err, dav.ErrTaken) {
		return Calendar{}, err
	}
	found, described := c.Describe(ctx, home, path)
	return found, errors.Join(err, described)
}

// Describe asks what a calendar is.
func (c Client) Describe(ctx context.Context, home dav.Home, path string) (Calendar, error) {
	found, r, err := c.Client.Describe(ctx, home, path, calendarProps...)
	if err != nil {
		return Calendar{}, err
	}
	return Calendar{Collection: found, Components: components(r), Zone: zone(r)}, nil
}
