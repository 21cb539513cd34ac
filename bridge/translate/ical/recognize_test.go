package ical

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

func TestRecognize(t *testing.T) {
	explained := func(zone string) string {
		l, ok := tz.Location(zone)
		if !ok {
			t.Fatalf("there is no %s", zone)
		}
		return strings.TrimSpace(string(tz.VTimezone(l, "Ours", 2026)))
	}
	for _, c := range []struct{ name, text, prefer, want string }{
		{"a name", "Europe/Vienna", "", "Europe/Vienna"},
		{"a name behind a path", "/freeassociation.sourceforge.net/Europe/Vienna", "", "Europe/Vienna"},
		{"a name of Windows", "W. Europe Standard Time", "", "Europe/Berlin"},
		{"UTC", "Etc/UTC", "Europe/Vienna", "UTC"},
		{"a TZID", "BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nEND:VTIMEZONE", "", "Asia/Tokyo"},
		{"a name beside the TZID", "BEGIN:VTIMEZONE\nTZID:x\nX-LIC-LOCATION:Asia/Tokyo\nEND:VTIMEZONE\n", "", "Asia/Tokyo"},
		{"rules, the commonest zone", explained("Europe/Vienna"), "", "Europe/Berlin"},
		{"rules, the person's zone", explained("Europe/Berlin"), "Europe/Vienna", "Europe/Vienna"},
		{"rules, which are not the person's", explained("America/New_York"), "Europe/Vienna", "America/New_York"},
		{"rules without summer time", explained("Asia/Tokyo"), "Europe/Vienna", "Asia/Tokyo"},
		{"rules that no zone has", strings.Join(vtimezones[:8], "\r\n"), "", ""},
		{"an unknown name", "Middle-earth/Shire", "", ""},
		{"nothing", "", "", ""},
		{"no rules", "BEGIN:VTIMEZONE\r\nTZID:x\r\nEND:VTIMEZONE", "", ""},
		{"no VTIMEZONE", "BEGIN:VEVENT\r\nTZID:Asia/Tokyo\r\nEND:VEVENT", "", ""},
		{"no end", "BEGIN:VTIMEZONE\r\nTZID:x", "", ""},
	} {
		prefer, _ := tz.Location(c.prefer)
		got := ""
		zone, ok := Recognize(c.text, 2026, prefer)
		if ok {
			got = zone.String()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
