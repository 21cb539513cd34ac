package caldav_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// TestZoneOfACalendar: the list of calendars has the time zones that people gave
// them, those of events only, and stays whole whatever somebody wrote there.
func TestZoneOfACalendar(t *testing.T) {
	t.Parallel()
	server := davtest.Radicale(t)
	b := open(t, server)
	// set gives the calendar for everything a property; empty takes it away.
	set := func(name, text string) {
		t.Helper()
		what := `<D:set><D:prop><C:` + name + `>` + text + `</C:` + name + `></D:prop></D:set>`
		if text == "" {
			what = `<D:remove><D:prop><C:` + name + `/></D:prop></D:remove>`
		}
		body := `<D:propertyupdate xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">` + what + `</D:propertyupdate>`
		r, err := server.Do("PROPPATCH", server.Calendar, []byte(body), "Content-Type", "application/xml")
		if err != nil || r.Status != http.StatusMultiStatus {
			t.Fatalf("PROPPATCH: status %d, %v\n%s", r.Status, err, r.Body)
		}
	}
	const rules = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\n"
	zone := func(tzid, more string) string {
		return "BEGIN:VTIMEZONE\r\nTZID:" + tzid + "\r\n" + more + rules + "END:VTIMEZONE"
	}
	object := func(zone string) string {
		return "BEGIN:VCALENDAR\r\nPRODID:x\r\nVERSION:2.0\r\n" + zone + "\r\nEND:VCALENDAR\r\n"
	}
	for _, c := range []struct{ name, property, text, want string }{
		{"none was given", "", "", ""},
		{"an object", "calendar-timezone", object(zone("Ours", "")), zone("Ours", "")},
		{"small letters", "calendar-timezone", strings.ToLower(object(zone("Ours", ""))), strings.ToLower(zone("Ours", ""))},
		{"a name", "calendar-timezone-id", "Asia/Tokyo", "Asia/Tokyo"},
		{"an object without a zone", "calendar-timezone", object("X-A:b"), ""},
		{"garbage", "calendar-timezone", "BEGIN:VTIMEZONE &lt;&#x202e;", ""},
		{"a megabyte that explains", "calendar-timezone", object(zone("Asia/Tokyo", strings.Repeat("X-A:bcdefghijklmno\r\n", 50_000))), "Asia/Tokyo"},
		{"a megabyte of a name", "calendar-timezone-id", strings.Repeat("x", 1<<20), ""},
		{"none is left", "", "", ""},
	} {
		if c.property != "" {
			set(c.property, c.text)
		}
		list, err := login(t, b).Collections(t.Context())
		if err != nil || len(list) != 6 {
			t.Fatalf("%s: %d collections, %v; want the 6 that there are", c.name, len(list), err)
		}
		for _, found := range list {
			want := ""
			if found.ID == backend.CollectionID(server.Calendar+"#VEVENT") {
				want = c.want
			}
			// XML has its own ends of lines.
			if got := strings.ReplaceAll(strings.ReplaceAll(found.Zone, "\r", ""), "\n", "\r\n"); got != want {
				t.Errorf("%s: the zone of %s is %.300q, want %.300q", c.name, found.ID, got, want)
			}
		}
		if c.property != "" {
			set(c.property, "")
		}
	}
}
