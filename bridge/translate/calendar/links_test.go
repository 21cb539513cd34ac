package calendar

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// TestOnlineMeetings: whatever program wrote the address of an online meeting,
// phones from 14.1 on are told it in the places that are meant for it, others
// under the description, and none stores it as part of that.
func TestOnlineMeetings(t *testing.T) {
	for _, tc := range []struct{ line, external, call string }{
		{"X-GOOGLE-CONFERENCE:https://meet.example.org/a", "https://meet.example.org/a", ""},
		{"X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.example.org/l/meetup-join/1?x=%7b%22", "https://teams.example.org/l/meetup-join/1?x=%7b%22", ""},
		{"X-MICROSOFT-ONLINEMEETINGEXTERNALLINK:https://meet.example.org/ext", "https://meet.example.org/ext", ""},
		{"CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL=Join:https://video.example.org/b", "https://video.example.org/b", ""},
		{"CONFERENCE;VALUE=URI:sip:room@example.org", "", "sip:room@example.org"},
		{"CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1-412-555-0123", "", ""},
		{"X-GOOGLE-CONFERENCE:javascript:alert(1)", "", ""},
		{"CONFERENCE;VALUE=URI:file:///etc/passwd", "", ""},
	} {
		ics := vevent("DTSTART:20261123T110000Z", "SUMMARY:Talk", "DESCRIPTION:Bring slides", tc.line)
		for _, v := range eas.Versions {
			o := options(v)
			ps, err := FromICalendar(ics, o)
			if err != nil {
				t.Fatal(err)
			}
			external, _ := ps.Text(tag.CalendarOnlineMeetingExternalLink)
			call, _ := ps.Text(tag.CalendarOnlineMeetingConfLink)
			body := describe(ps)
			if v >= eas.V141 && (external != tc.external || call != tc.call) || v < eas.V141 && external+call != "" {
				t.Errorf("%s in %v: told as %q and %q, want %q and %q", tc.line, v, external, call, tc.external, tc.call)
			}
			if v < eas.V141 && tc.external != "" && !strings.Contains(body, tc.external) {
				t.Errorf("%s in %v: it is nowhere:\n%s", tc.line, v, body)
			}
			identity(t, ics, o)
			edited, err := Merge(ics, set(tag.CalendarSubject, "Another talk")(ps), o)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(edited), tc.line) || !strings.Contains(string(edited), "DESCRIPTION:Bring slides\r\n") {
				t.Errorf("%s in %v: an edit of the subject led to\n%s", tc.line, v, edited)
			}
		}
	}
}
