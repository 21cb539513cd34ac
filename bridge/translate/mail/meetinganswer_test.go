package mail

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// An organizer sees which other time is proposed beside the one that stands, from 16.1
// on; what is no proposal of a time is an answer like any other.
func TestProposedTimeIsShown(t *testing.T) {
	const original = "X-MS-OLK-ORIGINALSTART;TZID=Europe/Berlin:20261207T100000\r\nX-MS-OLK-ORIGINALEND;TZID=Europe/Berlin:20261207T110000\r\n"
	const old, oldEnd, proposed, proposedEnd = "2026-12-07T09:00:00.000Z", "2026-12-07T10:00:00.000Z", "20261207T133000Z", "20261207T150000Z"
	for _, tt := range []struct {
		name       string
		change     []string
		class      string
		start, end string // "" means that there is no MeetingRequest
		proposed   [2]string
	}{
		{"beside the old one", nil, "Resp.Tent", old, oldEnd, [2]string{proposed, proposedEnd}},
		{"who would not come at the old one", []string{"PARTSTAT=TENTATIVE", "PARTSTAT=DECLINED"}, "Resp.Neg", old, oldEnd, [2]string{proposed, proposedEnd}},
		{"who does not say whether", []string{";PARTSTAT=TENTATIVE", ""}, "Resp.Tent", old, oldEnd, [2]string{proposed, proposedEnd}},
		{"the old one is not told", []string{original, ""}, "Resp.Tent", "2026-12-07T13:30:00.000Z", "2026-12-07T15:00:00.000Z", [2]string{proposed, proposedEnd}},
		{"only the old start is told", []string{"X-MS-OLK-ORIGINALEND;TZID=Europe/Berlin:20261207T110000\r\n", ""}, "Resp.Tent", "2026-12-07T13:30:00.000Z", "2026-12-07T15:00:00.000Z", [2]string{proposed, proposedEnd}},
		{"the old one cannot be read", []string{"Berlin:20261207T100000", "Berlin:soon"}, "Resp.Tent", "2026-12-07T13:30:00.000Z", "2026-12-07T15:00:00.000Z", [2]string{proposed, proposedEnd}},
		{"a whole day became an hour", []string{original, "X-MS-OLK-ORIGINALSTART;VALUE=DATE:20261207\r\nX-MS-OLK-ORIGINALEND;VALUE=DATE:20261208\r\n"}, "Resp.Tent",
			"2026-12-07T00:00:00.000Z", "2026-12-08T00:00:00.000Z", [2]string{proposed, proposedEnd}},
		{"how long instead of until when", []string{"DTEND;TZID=Europe/Berlin:20261207T160000", "DURATION:PT90M"}, "Resp.Tent", old, oldEnd, [2]string{proposed, proposedEnd}},
		{"another place at the same time", []string{"T143000", "T100000", "T160000", "T110000"}, "Resp.Tent", "", "", [2]string{}},
		{"no time at all", []string{"DTSTART;TZID=Europe/Berlin:20261207T143000\r\n", "", "DTEND;TZID=Europe/Berlin:20261207T160000\r\n", ""}, "Resp.Tent", "", "", [2]string{}},
		{"an answer", []string{"METHOD:COUNTER", "METHOD:REPLY"}, "Resp.Tent", "", "", [2]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(strings.NewReplacer(tt.change...).Replace(string(sample(t, "counter"))))
			for _, v := range eas.Versions {
				ps := show(t, message(body), options(v))
				if got, want := get(ps, tag.EmailMessageClass), "IPM.Schedule.Meeting."+tt.class; got != want {
					t.Errorf("%s: the class is %s, want %s", v, got, want)
				}
				if _, ok := ps.Find(tag.EmailMeetingRequest); ok != (tt.start != "" && v >= eas.V161) {
					t.Fatalf("%s: there is a MeetingRequest: %t", v, ok)
				}
				if v < eas.V161 || tt.start == "" {
					continue
				}
				in := func(of wbxml.Tag) string { return get(ps, tag.EmailMeetingRequest, of) }
				if got := [2]string{in(tag.EmailStartTime), in(tag.EmailEndTime)}; got != [2]string{tt.start, tt.end} {
					t.Errorf("the meeting is at %s, want %s", got, [2]string{tt.start, tt.end})
				}
				if got := [2]string{in(tag.MeetingResponseProposedStartTime), in(tag.MeetingResponseProposedEndTime)}; got != tt.proposed {
					t.Errorf("%s is proposed, want %s", got, tt.proposed)
				}
				if got := in(tag.EmailResponseRequested); got != "0" {
					t.Errorf("an answer is wanted of the organizer: %s", got)
				}
			}
		})
	}
}

// What one phone proposes another one is shown.
func TestOwnProposalIsShown(t *testing.T) {
	ics, _, err := Invitation(message(sample(t, "meeting")))
	if err != nil {
		t.Fatal(err)
	}
	ics = []byte(strings.ReplaceAll(string(ics), "X-MICROSOFT-DISALLOW-COUNTER:TRUE\r\n", ""))
	other := Proposal{Start: time.Date(2026, 12, 15, 9, 30, 0, 0, time.UTC), End: time.Date(2026, 12, 15, 11, 0, 0, 0, time.UTC)}
	o, err := MeetingCounter(ics, calendar.Answer{Response: calendar.Tentative, Instance: "20261214T090000Z"}, other, "", ann)
	ps := show(t, message([]byte(written(t, o, err))), options(eas.V161))
	for of, want := range map[wbxml.Tag]string{
		tag.EmailStartTime: "2026-12-14T09:00:00.000Z", tag.EmailEndTime: "2026-12-14T10:00:00.000Z", tag.EmailRecurrenceId: "2026-12-14T09:00:00.000Z",
		tag.MeetingResponseProposedStartTime: "20261215T093000Z", tag.MeetingResponseProposedEndTime: "20261215T110000Z",
	} {
		if got := get(ps, tag.EmailMeetingRequest, of); got != want {
			t.Errorf("%s is %q, want %q", tag.Name(of), got, want)
		}
	}
}

// An organizer sees whom a guest sends instead, from 16.1 on.
func TestForwardeesAreShown(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`"mailto:x@example.com",`, MaxPeople+1), ",")
	for _, tt := range []struct {
		name   string
		change []string
		want   []string
	}{
		{"two, one with a name", nil, []string{"Größe, Eve <eve@example.com>", " <dan@example.com>"}},
		{"one, escaped as URLs may be", []string{`"mailto:eve@example.com","mailto:dan@example.com"`, `"MAILTO:eve%40example.com"`}, []string{"Größe, Eve <eve@example.com>"}},
		{"nobody who has an address", []string{`"mailto:eve@example.com","mailto:dan@example.com"`, `"urn:uuid:1"`}, nil},
		{"nobody", []string{";DELEGATED-TO=\"mailto:eve@example.com\",\"mailto:dan@example.com\"", ""}, nil},
		{"a line in an address", []string{"mailto:dan@", "mailto:dan%0D%0A%00@"}, []string{"Größe, Eve <eve@example.com>", " <dan@example.com>"}},
		{"too many", []string{`"mailto:eve@example.com","mailto:dan@example.com"`, many}, slices.Repeat([]string{" <x@example.com>"}, MaxPeople)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(strings.NewReplacer(tt.change...).Replace(string(sample(t, "delegated"))))
			for _, v := range eas.Versions {
				ps, class := show(t, message(body), options(v)), "IPM.Note"
				var got []string
				meeting, _ := ps.Find(tag.EmailMeetingRequest)
				list, _ := eas.Properties(meeting.Children).Find(tag.ComposeMailForwardees)
				for _, one := range list.Children {
					got = append(got, get(one.Children, tag.ComposeMailForwardeeName)+" <"+get(one.Children, tag.ComposeMailForwardeeEmail)+">")
				}
				want := tt.want
				if v < eas.V161 {
					want = nil
				}
				if want != nil {
					class = passedOnClass
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: shown are %q, want %q", v, got, want)
				}
				if got := get(ps, tag.EmailMessageClass); got != class {
					t.Errorf("%s: the class is %s, want %s", v, got, class)
				}
			}
		})
	}
}
