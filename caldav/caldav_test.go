package caldav

import (
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/carddav/dav"
)

func TestComponentOf(t *testing.T) {
	for _, tc := range []struct {
		name, object string
		want         Component
	}{
		{"an event behind its time zone", "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\n", Event},
		{"lines ending in LF, small letters, blanks", "begin:vcalendar\nbegin: vtodo \n", Todo},
		{"a journal that speaks of an event", "BEGIN:VCALENDAR\r\nBEGIN:VJOURNAL\r\nSUMMARY:BEGIN:VEVENT\r\n", Journal},
		{"a line that goes on", "BEGIN:VCALENDAR\r\nX-A:b\r\n BEGIN:VEVENT\r\nBEGIN:VTODO\r\n", Todo},
		{"free and busy", "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\n", ""},
		{"nothing", "", ""},
	} {
		if got := ComponentOf([]byte(tc.object)); got != tc.want {
			t.Errorf("%s: ComponentOf = %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestPrefer(t *testing.T) {
	calendar := func(path string, parts ...Component) Calendar {
		return Calendar{Collection: dav.Collection{Path: path}, Components: parts}
	}
	list := []Calendar{
		calendar("/a/", Event, Todo), calendar("/tasks-only/", Todo), calendar("/x/personal/", Event, Todo), calendar("/b/", Event),
	}
	for part, want := range map[Component]string{
		Event:   "/x/personal/ /a/ /b/",
		Todo:    "/tasks-only/ /x/personal/ /a/",
		Journal: "",
	} {
		var got []string
		for _, c := range Prefer(list, part) {
			got = append(got, c.Path)
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("Prefer for %s = %q, want %s", part, got, want)
		}
	}
}
