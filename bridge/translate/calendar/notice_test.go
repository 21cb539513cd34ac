package calendar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// told says what notices say: to whom, by which method, and of which components.
func told(t *testing.T, list []Notice) string {
	t.Helper()
	var all []string
	for _, n := range list {
		var to, of []string
		for _, g := range n.To {
			to = append(to, strings.TrimSuffix(g.Address, "@example.org"))
		}
		doc, err := contentline.Parse(n.Body)
		if err != nil {
			t.Fatal(err)
		}
		cal := doc.Component("VCALENDAR")
		if got := cal.Get("METHOD").Value(); got != n.Method {
			t.Errorf("METHOD is %q, want %q", got, n.Method)
		}
		for _, c := range cal.Components("VEVENT") {
			name := "all"
			if l := c.Get("RECURRENCE-ID"); l != nil {
				name = l.Value()
			}
			for _, l := range c.All("EXDATE") {
				name += "-" + l.Value()
			}
			if n.Method == "CANCEL" && !strings.EqualFold(c.Get("STATUS").Value(), "CANCELLED") {
				t.Errorf("what is called off has STATUS %q", c.Get("STATUS").Value())
			}
			if c.Get("ORGANIZER") == nil || c.Get("UID").Value() != "m1" || c.Get("DTSTAMP") == nil {
				t.Errorf("ORGANIZER, UID or DTSTAMP is missing in\n%s", n.Body)
			}
			of = append(of, name+fmt.Sprintf("#%s", c.Get("SEQUENCE").Value()))
		}
		for _, secret := range []string{"VALARM", "SCHEDULE-", "CATEGORIES", "X-SECRET"} {
			if strings.Contains(string(n.Body), secret) {
				t.Errorf("guests are told %s in\n%s", secret, n.Body)
			}
		}
		all = append(all, strings.ToLower(n.Method)+" "+strings.Join(to, ",")+": "+strings.Join(of, " "))
	}
	return strings.Join(all, "; ")
}

func TestNotices(t *testing.T) {
	event := func(lines ...string) string {
		return "BEGIN:VEVENT\r\nUID:m1\r\nDTSTAMP:20260101T000000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
	}
	ics := func(events ...string) []byte {
		return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n")
	}
	const (
		ann    = "ORGANIZER;CN=Ann:mailto:ann@example.org"
		self   = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"
		bob    = "ATTENDEE;CN=Bob;SCHEDULE-AGENT=CLIENT:mailto:bob@example.org"
		cy     = "ATTENDEE:mailto:cy@example.org"
		no     = "ATTENDEE;SCHEDULE-AGENT=NONE:mailto:no@example.org"
		start  = "DTSTART:20261123T110000Z"
		end    = "DTEND:20261123T120000Z"
		tea    = "SUMMARY:Tea"
		weekly = "RRULE:FREQ=WEEKLY"
		alarm  = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM"
	)
	one := event(start, end, tea, ann, self, bob, cy, no)
	series := event(start, end, tea, weekly, ann, bob, cy)
	moved := func(who ...string) string {
		return event(append([]string{"RECURRENCE-ID:20261130T110000Z", "DTSTART:20261130T140000Z", "DTEND:20261130T150000Z", tea, ann}, who...)...)
	}
	plain := event("RECURRENCE-ID:20261130T110000Z", "DTSTART:20261130T110000Z", "DTEND:20261130T120000Z", tea, ann, bob, cy)
	for _, tt := range []struct {
		name          string
		before, after []byte
		schedules     bool
		want          string
	}{
		{"a new meeting", nil, ics(one), false, "request bob,cy: all#"},
		{"one without guests", nil, ics(event(start, end, tea)), false, ""},
		{"guests come to what was no meeting", ics(event(start, end, tea)), ics(one), false, "request bob,cy: all#"},
		{"without an organizer", nil, ics(event(start, end, tea, bob)), false, "request bob: all#"},
		{"somebody else's", nil, ics(event(start, end, tea, "ORGANIZER:mailto:eve@example.org", self, bob)), false, ""},
		{"it becomes somebody else's", ics(one), ics(event(start, end, tea, "ORGANIZER:mailto:eve@example.org", self, bob)), false, ""},
		{"it is moved", ics(one), ics(event("DTSTART:20261123T120000Z", "DTEND:20261123T130000Z", tea, ann, self, bob, cy, "SEQUENCE:3")), false, "request bob,cy: all#3"},
		{"its text changes", ics(one), ics(event(start, end, "SUMMARY:Coffee", ann, self, bob, cy)), false, "request bob,cy: all#"},
		{"nothing that concerns guests", ics(one), ics(event(start, end, tea, ann, self, bob, cy, "CATEGORIES:Private", "X-SECRET:1", "TRANSP:TRANSPARENT", "CLASS:PRIVATE", alarm)), false, ""},
		{"a guest answered", ics(one), ics(event(start, end, tea, ann, self, "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:BOB@example.org", cy)), false, ""},
		{"one more guest", ics(event(start, end, tea, ann, bob)), ics(one), false, "request cy: all#"},
		{"one guest less", ics(one), ics(event(start, end, tea, ann, cy, "SEQUENCE:4")), false, "cancel bob: all#5"},
		{"another guest, at another time", ics(event(start, end, tea, ann, bob)), ics(event("DTSTART:20261123T120000Z", "DTEND:20261123T130000Z", tea, ann, cy)), false, "cancel bob: all#1; request cy: all#"},
		{"no guests any more", ics(one), ics(event(start, end, tea)), false, "cancel bob,cy: all#1"},
		{"deleted", ics(one), nil, false, "cancel bob,cy: all#1"},
		{"called off", ics(one), ics(event(start, end, tea, ann, bob, cy, "STATUS:CANCELLED")), false, "cancel bob,cy: all#1"},
		{"deleted after it was called off", ics(event(start, end, tea, ann, bob, cy, "STATUS:CANCELLED")), nil, false, ""},
		{"it takes place after all", ics(event(start, end, tea, ann, bob, "STATUS:CANCELLED")), ics(event(start, end, tea, ann, bob)), false, "request bob: all#"},
		{"deleted when it is over", ics(event("DTSTART:20251123T110000Z", "DTEND:20251123T120000Z", tea, ann, bob)), nil, false, ""},
		{"entered when it is over", nil, ics(event("DTSTART:20251123T110000Z", "DTEND:20251123T120000Z", tea, ann, bob)), false, ""},
		{"moved from the past into the future", ics(event("DTSTART:20251123T110000Z", "DTEND:20251123T120000Z", tea, ann, bob)), ics(event(start, end, tea, ann, bob)), false, "request bob: all#"},

		{"a series", nil, ics(series), false, "request bob,cy: all#"},
		{"an occurrence is moved", ics(series), ics(series, moved(bob, cy)), false, "request bob,cy: 20261130T110000Z#"},
		{"one is edited in nothing that concerns guests", ics(series), ics(series, plain), false, ""},
		{"one is like the others again", ics(series, moved(bob, cy)), ics(series), false, "request bob,cy: all#"},
		{"one is taken out", ics(series), ics(event(start, end, tea, weekly, "EXDATE:20261130T110000Z", ann, bob, cy)), false, "cancel bob,cy: 20261130T110000Z#1"},
		{"a moved one is taken out", ics(series, moved(bob, cy)), ics(event(start, end, tea, weekly, "EXDATE:20261130T110000Z", ann, bob, cy)), false, "cancel bob,cy: 20261130T110000Z#1"},
		{"one that is over is taken out", ics(event("DTSTART:20261102T110000Z", "DTEND:20261102T120000Z", tea, weekly, ann, bob)), ics(event("DTSTART:20261102T110000Z", "DTEND:20261102T120000Z", tea, weekly, "EXDATE:20261109T110000Z", ann, bob)), false, ""},
		{"one is called off", ics(series), ics(series, event("RECURRENCE-ID:20261130T110000Z", "DTSTART:20261130T110000Z", "DTEND:20261130T120000Z", "STATUS:CANCELLED", ann, bob, cy)), false, "cancel bob,cy: 20261130T110000Z#1"},
		{"one comes back", ics(event(start, end, tea, weekly, "EXDATE:20261130T110000Z", ann, bob)), ics(event(start, end, tea, weekly, ann, bob)), false, "request bob: all#"},
		{"a guest of one occurrence alone", ics(event(start, end, tea, weekly, ann, bob)), ics(event(start, end, tea, weekly, ann, bob), moved(bob, cy)), false, "request bob: 20261130T110000Z#; request cy: 20261130T110000Z#"},
		{"a guest not of one occurrence", ics(series), ics(series, event("RECURRENCE-ID:20261130T110000Z", "DTSTART:20261130T110000Z", "DTEND:20261130T120000Z", tea, ann, cy)), false, "cancel bob: 20261130T110000Z#1"},
		{"a series that is moved, with a guest not of one occurrence", ics(series, moved(cy)),
			ics(event("DTSTART:20261123T120000Z", "DTEND:20261123T130000Z", tea, weekly, ann, bob, cy), event("RECURRENCE-ID:20261130T120000Z", "DTSTART:20261130T140000Z", "DTEND:20261130T150000Z", tea, ann, cy)),
			false, "request bob: all-20261130T120000Z#; request cy: all# 20261130T120000Z#"},
		{"a series is deleted, with a guest of one occurrence", ics(event(start, end, tea, weekly, ann, bob), moved(bob, cy)), nil, false, "cancel bob: all#1; cancel cy: 20261130T110000Z#1"},
		{"an occurrence without its series", ics(moved(bob)), ics(event("RECURRENCE-ID:20261130T110000Z", "DTSTART:20261130T150000Z", "DTEND:20261130T160000Z", tea, ann, bob)), false, "request bob: 20261130T110000Z#"},
		{"... which is deleted", ics(moved(bob)), nil, false, "cancel bob: 20261130T110000Z#1"},

		{"a server mails, and a phone mailed to some: moved", ics(one), ics(event("DTSTART:20261123T120000Z", "DTEND:20261123T130000Z", tea, ann, bob, cy)), true, ""},
		{"... deleted", ics(one), nil, true, "cancel bob: all#1"},
	} {
		o := options(eas.V161)
		o.Schedules = tt.schedules
		got, err := Notices(tt.before, tt.after, o)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if s := told(t, got); s != tt.want {
			t.Errorf("%s: told\n%s\nwant\n%s", tt.name, s, tt.want)
		}
		// The same again is the same, at any time.
		o.Now = o.Now.Add(time.Minute)
		again, err := Notices(tt.before, tt.after, o)
		if err != nil || !slices.EqualFunc(got, again, func(a, b Notice) bool { return a.Name == b.Name }) {
			t.Errorf("%s: a minute later it is another notice, or %v", tt.name, err)
		}
		for i, n := range got {
			if i > 0 && n.Name == got[0].Name {
				t.Errorf("%s: two notices have the name %s", tt.name, n.Name)
			}
		}
	}
}

// What people read whose programs know no invitations.
func TestNoticeInWords(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		lines      []string
	}{
		{"in a zone", "Tea\nWhen: Monday, 23 November 2026, 11:00 to 12:30 (Europe/Berlin)\nWhere: Room 5\n\nBring cake.\n",
			[]string{"SUMMARY:Tea", "DTSTART;TZID=Europe/Berlin:20261123T110000", "DURATION:PT90M", "LOCATION:Room 5", "DESCRIPTION:Bring cake."}},
		{"a series over midnight", "When: Monday, 23 November 2026, 23:00 to Tuesday, 24 November 2026, 01:00 (UTC)\nRepeats: every 2 weeks on Monday\n",
			[]string{"DTSTART:20261123T230000Z", "DTEND:20261124T010000Z", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"}},
		{"days", "When: Monday, 23 November 2026 to Wednesday, 25 November 2026\n", []string{"DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261126"}},
		{"a day", "When: Monday, 23 November 2026\n", []string{"DTSTART;VALUE=DATE:20261123"}},
	} {
		ics := vevent(append(tt.lines, "ATTENDEE:mailto:bob@example.org")...)
		got, err := Notices(nil, ics, options(eas.V161))
		if err != nil || len(got) != 1 || strings.ReplaceAll(got[0].Text, "\r\n", "\n") != tt.want {
			t.Errorf("%s: %+v, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// Thousands of guests and occurrences cost no more than they are.
func TestManyGuestsAreTold(t *testing.T) {
	lines := []string{"SUMMARY:All hands", "DTSTART:20261123T110000Z", "DTEND:20261123T120000Z", "RRULE:FREQ=DAILY"}
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf("ATTENDEE:mailto:g%d@example.org", i))
	}
	got, err := Notices(nil, vevent(lines...), translate.Options{Now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Self: []string{"ann@example.org"}})
	if err != nil || len(got) != 1 || len(got[0].To) != 5000 {
		t.Errorf("%d notices, %v", len(got), err)
	}
}
