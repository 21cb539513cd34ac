package calendar

import (
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

var invited = vevent("SUMMARY:Jour fixe", "DTSTART;TZID=Europe/Berlin:20261005T100000", "DTEND;TZID=Europe/Berlin:20261005T110000", "RRULE:FREQ=WEEKLY;COUNT=10",
	"ORGANIZER;CN=Bob:mailto:bob@example.org", "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Ann@Example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:cy@example.org", "SEQUENCE:2",
	"X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "X-MICROSOFT-CDO-INTENDEDSTATUS:OOF", "END:VEVENT",
	"BEGIN:VEVENT", "UID:e1", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20261019T100000", "DTSTART;TZID=Europe/Berlin:20261019T120000", "DTEND;TZID=Europe/Berlin:20261019T130000",
	"ORGANIZER;CN=Bob:mailto:bob@example.org", "ATTENDEE;CN=Ann;PARTSTAT=DECLINED:mailto:ann@example.org", "SUMMARY:Jour fixe")

func TestRespond(t *testing.T) {
	pending := []byte(strings.Replace(string(samples["invitation"]), "STATUS:CANCELLED\r\n", "", 1))
	const master = "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Ann@Example.org"
	for _, c := range []struct {
		name      string
		ics       []byte
		answer    Answer
		version   eas.Version
		schedules bool
		gone      string
		added     string
	}{
		{"yes to all of it keeps the no to one", invited, Answer{Response: Accepted}, eas.V161, false,
			master + "|X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:Ann@Example.org|X-MICROSOFT-CDO-BUSYSTATUS:OOF"},
		{"perhaps", pending, Answer{Response: Tentative}, eas.V161, true,
			master, "ATTENDEE;CN=Ann;PARTSTAT=TENTATIVE;RSVP=TRUE:mailto:Ann@Example.org"},
		{"no, and the phone mails it", pending, Answer{Response: Declined}, eas.V141, true,
			"ORGANIZER;CN=Bob:mailto:bob@example.org|" + master, "ORGANIZER;CN=Bob;SCHEDULE-AGENT=CLIENT:mailto:bob@example.org|ATTENDEE;CN=Ann;PARTSTAT=DECLINED;RSVP=TRUE:mailto:Ann@Example.org"},
		{"no, and the mail of phones does not go out", pending, Answer{Response: Declined, Silent: true}, eas.V140, true,
			master, "ATTENDEE;CN=Ann;PARTSTAT=DECLINED;RSVP=TRUE:mailto:Ann@Example.org"},
		{"no, and nobody is told", pending, Answer{Response: Declined, Silent: true}, eas.V161, true,
			"ORGANIZER;CN=Bob:mailto:bob@example.org|" + master, "ORGANIZER;CN=Bob;SCHEDULE-AGENT=CLIENT:mailto:bob@example.org|ATTENDEE;CN=Ann;PARTSTAT=DECLINED;RSVP=TRUE:mailto:Ann@Example.org"},
		{"no to one of a series", invited, Answer{Response: Declined, Instance: "20261026T090000Z"}, eas.V161, false, "",
			"BEGIN:VEVENT|UID:e1|x-Odd;A=b:  kept |SUMMARY:Jour fixe|DTSTART;TZID=Europe/Berlin:20261026T100000|RECURRENCE-ID;TZID=Europe/Berlin:20261026T100000|DTEND;TZID=Europe/Berlin:20261026T110000|" +
				"ORGANIZER;CN=Bob:mailto:bob@example.org|ATTENDEE;CN=Ann;PARTSTAT=DECLINED;RSVP=TRUE:mailto:Ann@Example.org|ATTENDEE;PARTSTAT=ACCEPTED:mailto:cy@example.org|X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE|X-MICROSOFT-CDO-INTENDEDSTATUS:OOF|END:VEVENT"},
		{"yes to a changed one", invited, Answer{Response: Accepted, Instance: "20261019T080000Z"}, eas.V161, false,
			"ATTENDEE;CN=Ann;PARTSTAT=DECLINED:mailto:ann@example.org", "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.org"},
		{"yes to an extra date", vevent("DTSTART:20261102T170000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "RDATE:20261104T120000Z", "ORGANIZER:mailto:bob@example.org", "ATTENDEE:mailto:ann@example.org"),
			Answer{Response: Accepted, Instance: "20261104T170000Z"}, eas.V161, false, "",
			"BEGIN:VEVENT|UID:e1|x-Odd;A=b:  kept |DTSTART:20261104T120000Z|RECURRENCE-ID:20261104T120000Z|ORGANIZER:mailto:bob@example.org|ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org|END:VEVENT"},
		{"invited with a list of people", vevent("DTSTART:20261123T110000Z", "ORGANIZER:mailto:bob@example.org", "ATTENDEE:mailto:all@example.org"), Answer{Response: Accepted}, eas.V161, false,
			"", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"},
		{"the only one of a series", vevent("DTSTART:20261123T110000Z", "RECURRENCE-ID:20261123T100000Z", "ORGANIZER:mailto:bob@example.org", "ATTENDEE:mailto:ann@example.org"), Answer{Response: Accepted, Instance: "20261123T100000Z"}, eas.V161, false,
			"ATTENDEE:mailto:ann@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(c.version)
			o.Schedules, o.Mailless = c.schedules, c.version == eas.V140
			got, err := Respond(c.ics, c.answer, o)
			if err != nil {
				t.Fatal(err)
			}
			gone, added := lines(c.ics, []byte(strings.Replace(string(got), replyTime+":20261122T080000Z\r\n", "", 1)))
			if gone != c.gone || added != c.added || !strings.Contains(string(got), replyTime) {
				t.Errorf("gone  %q\nwant  %q\nadded %q\nwant  %q", gone, c.gone, added, c.added)
			}
			if strings.Contains(string(c.ics), "SEQUENCE:2\r\n") && !strings.Contains(string(got), "SEQUENCE:2\r\n") {
				t.Error("an answer must keep the organizer's SEQUENCE")
			}
			identity(t, got, o)
			if again, err := Respond(got, c.answer, o); err != nil || string(again) != string(got) {
				t.Errorf("the same answer again changes the object: %v", err)
			}
		})
	}
	for name, c := range map[string]struct {
		ics    []byte
		answer Answer
	}{
		"no such answer":             {invited, Answer{Response: 4}},
		"no such occurrence":         {invited, Answer{Response: Accepted, Instance: "20261027T090000Z"}},
		"the organizer":              {samples["meeting"], Answer{Response: Accepted}},
		"no meeting":                 {samples["utc"], Answer{Response: Accepted}},
		"one of what does not recur": {pending, Answer{Response: Accepted, Instance: "20261123T110000Z"}},
	} {
		if got, err := Respond(c.ics, c.answer, options(eas.V161)); !errors.Is(err, translate.ErrInvalid) {
			t.Errorf("%s: error = %v, want ErrInvalid\n%s", name, err, got)
		}
	}
}

// TestOneSender: where the calendar server mails invitations by itself, it is
// told who else does, and once it mailed to somebody it goes on: RFC 6638, section
// 3.2.1.2, has it mail that the meeting is off when another sender is named.
func TestOneSender(t *testing.T) {
	guests := func(ics []byte) (agents string) {
		for l := range strings.SplitSeq(strings.ReplaceAll(string(ics), "\r\n ", ""), "\r\n") {
			if strings.HasPrefix(l, "ATTENDEE") && !strings.Contains(l, "urn:") {
				agent := "-"
				if _, after, ok := strings.Cut(l, "SCHEDULE-AGENT="); ok {
					agent = after[:strings.IndexAny(after, ";:")]
				}
				agents += agent + " "
			}
		}
		return strings.TrimSpace(agents)
	}
	later := set(tag.CalendarStartTime, "20261123T120000Z", tag.CalendarEndTime, "20261123T123000Z")
	more := within(tag.CalendarAttendees, add(attendee("cy@example.org", "Cy")))
	mixed := []byte(strings.Replace(string(samples["meeting"]), "ROLE=OPT", "SCHEDULE-AGENT=CLIENT;ROLE=OPT", 1))
	client := []byte(strings.Replace(string(mixed), "CUTYPE=ROOM", "SCHEDULE-AGENT=CLIENT;CUTYPE=ROOM", 1))
	const mails, schedules, mailless = 0, 1, 2 // the phone's mail goes out; the server mails; the phone's does not
	for _, c := range []struct {
		name    string
		ics     []byte
		version eas.Version
		server  int
		edit    edit
		want    string
		store   bool // StoreMails afterwards
	}{
		{"a meeting that the server mails is moved by a phone that mails", samples["meeting"], eas.V141, schedules, later, "- - -", true},
		{"... and it changes its reminder", samples["meeting"], eas.V141, schedules, set(tag.CalendarReminder, "5"), "- - -", true},
		{"... where the server mails nothing", samples["meeting"], eas.V141, mails, later, "- - -", false},
		{"one that a phone mailed gets another subject by one that leaves it to the server", client, eas.V161, schedules, set(tag.CalendarSubject, "New"), "- - -", true},
		{"... by one that mails", client, eas.V141, schedules, set(tag.CalendarSubject, "New"), "- CLIENT CLIENT", false},
		{"... another reminder", client, eas.V161, schedules, set(tag.CalendarReminder, "5"), "- CLIENT CLIENT", false},
		{"... and it invites one more", samples["meeting"], eas.V141, schedules, more, "- - - -", true},
		{"... where the server mails nothing, one more", samples["meeting"], eas.V141, mails, more, "- - - CLIENT", false},
		{"one that the phone mails is moved by it", client, eas.V141, schedules, later, "- CLIENT CLIENT", false},
		{"... and it invites one more", client, eas.V141, schedules, more, "- CLIENT CLIENT CLIENT", false},
		{"... and its mail does not go out any more", client, eas.V141, schedules | mailless, later, "- - -", true},
		{"one that both mail is moved by such a phone", mixed, eas.V141, schedules, later, "- - -", true},
		{"a phone whose mail does not go out invites one more", samples["meeting"], eas.V141, schedules | mailless, more, "- - - -", true},
		{"a phone that leaves it to the server", samples["meeting"], eas.V161, schedules, later, "- - -", true},
		{"... after one that did not", client, eas.V161, schedules, later, "- - -", true},
		{"a guest's phone", samples["invitation"], eas.V141, schedules, later, "-", true},
	} {
		o := options(c.version)
		o.Schedules, o.Mailless = c.server&schedules != 0, c.server&mailless != 0
		ps, err := FromICalendar(c.ics, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Merge(c.ics, c.edit(ps), o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if agents := guests(got); agents != c.want {
			t.Errorf("%s: SCHEDULE-AGENT = %s, want %s\n%s", c.name, agents, c.want, got)
		}
		if uid, yes := StoreMails(got, o); yes != c.store || yes && uid != UID(got) {
			t.Errorf("%s: StoreMails = %q, %t, want %t", c.name, uid, yes, c.store)
		}
	}
}

// TestNewInvitation: an invitation that an old phone took out of a mail stays
// the organizer's, under its UID.
func TestNewInvitation(t *testing.T) {
	o := options(eas.V141)
	o.Schedules = true
	sent := eas.Properties{eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z"), eas.T(tag.CalendarUID, "abc@example.org"),
		eas.T(tag.CalendarOrganizerEmail, "bob@example.org"), eas.T(tag.CalendarOrganizerName, "Bob"), eas.T(tag.CalendarMeetingStatus, "3"),
		eas.C(tag.CalendarAttendees, attendee("ann@example.org", "Ann"), attendee("cy@example.org", "Cy"))}
	got, err := New("ours", sent, o)
	if err != nil {
		t.Fatal(err)
	}
	unfolded := strings.ReplaceAll(string(got), "\r\n ", "")
	for _, want := range []string{"UID:abc@example.org", "ORGANIZER;CN=Bob;SCHEDULE-AGENT=CLIENT:mailto:bob@example.org", "ATTENDEE;CN=Cy;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:cy@example.org"} {
		if !strings.Contains(unfolded, "\r\n"+want+"\r\n") {
			t.Errorf("%q is missing in\n%s", want, unfolded)
		}
	}
	ps, err := FromICalendar(got, o)
	if err != nil || get(ps, tag.CalendarMeetingStatus) != "3" || get(ps, tag.CalendarResponseType) != "5" {
		t.Errorf("it is shown as %v, %v", ps, err)
	}
	identity(t, got, o)
	// Their own meeting is their own, under whatever address the phone has.
	sent = set(tag.CalendarMeetingStatus, "1")(sent)
	if got, err := New("ours", sent, o); err != nil || !strings.Contains(string(got), "\r\nORGANIZER:mailto:ann@example.org\r\n") {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestPlaces: every part of a place comes back as the phone sent it.
func TestPlaces(t *testing.T) {
	o := options(eas.V161)
	place := eas.C(tag.AirSyncBaseLocation)
	for _, p := range placeParts {
		place.Children = append(place.Children, eas.T(p.tag, map[bool]string{true: "7.5", false: "A \"B\", c; d"}[p.tag == tag.AirSyncBaseLatitude || p.tag == tag.AirSyncBaseLongitude]))
	}
	got, err := Merge(samples["zoned"], eas.Properties{place}, o)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := FromICalendar(got, o)
	shown, _ := ps.Find(tag.AirSyncBaseLocation)
	if err != nil || !samePlace(shown, place) {
		t.Errorf("sent %v\nshown %v, %v", place, shown, err)
	}
	identity(t, got, o)
	o.Version = eas.V141
	identity(t, got, o)
	if !strings.Contains(string(got), "\r\nGEO:7.5;7.5\r\n") {
		t.Errorf("GEO is missing in\n%s", got)
	}
	// Somebody else's newer location beats the phone's words.
	other := []byte(strings.Replace(string(got), "\r\nLOCATION:", "\r\nLOCATION:New ", 1))
	ps, _ = FromICalendar(other, options(eas.V161))
	if name := get(ps, tag.AirSyncBaseLocation, tag.AirSyncBaseDisplayName); !strings.HasPrefix(name, "New ") {
		t.Errorf("the place is shown as %q", name)
	}
	apple := vevent("DTSTART:20261123T110000Z", "LOCATION:Café", `X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Café":geo:52.5,13.4`)
	ps, _ = FromICalendar(apple, options(eas.V161))
	if lat := get(ps, tag.AirSyncBaseLocation, tag.AirSyncBaseLatitude); lat != "52.5" {
		t.Errorf("Apple's place is at %s", lat)
	}
}

// TestReminders: which alarm is a phone's reminder.
func TestReminders(t *testing.T) {
	alarm := func(lines ...string) []string {
		return append(append([]string{"BEGIN:VALARM"}, lines...), "END:VALARM")
	}
	event := []string{"DTSTART:20261123T110000Z", "DTEND:20261123T123000Z"}
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"before the start", alarm("ACTION:DISPLAY", "TRIGGER:-P1DT1H"), "1500"},
		{"before the end", alarm("ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT2H"), "30"},
		{"after the start", alarm("ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT30M"), "-"},
		{"at a time", alarm("ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20261123T101500Z"), "45"},
		{"the first of two", append(alarm("ACTION:DISPLAY", "TRIGGER:-PT5M"), alarm("ACTION:DISPLAY", "TRIGGER:-PT50M")...), "5"},
		{"not a mail, not a snooze", append(append(alarm("ACTION:EMAIL", "TRIGGER:-PT5M"), alarm("ACTION:DISPLAY", "TRIGGER:-PT6M", "RELATED-TO;RELTYPE=SNOOZE:x")...), alarm("ACTION:DISPLAY", "TRIGGER:-PT7M")...), "7"},
	} {
		ics := vevent(append(event, c.lines...)...)
		ps, err := FromICalendar(ics, options(eas.V141))
		if got := get(ps, tag.CalendarReminder); err != nil || got != c.want {
			t.Errorf("%s: Reminder = %s, %v, want %s", c.name, got, err, c.want)
		}
		identity(t, ics, options(eas.V141))
		got, err := Merge(ics, set(tag.CalendarReminder, "11")(ps), options(eas.V141))
		if err != nil || !strings.Contains(string(got), "\r\nTRIGGER:-PT11M\r\n") {
			t.Errorf("%s: another reminder: %v\n%s", c.name, err, got)
		}
		identity(t, got, options(eas.V141))
	}
}

// TestEnormous: objects that no person writes are bounded and clean.
func TestEnormous(t *testing.T) {
	guests := []string{"DTSTART:20261123T110000Z", "ORGANIZER:mailto:ann@example.org"}
	for i := range 5000 {
		guests = append(guests, "ATTENDEE;CN=Guest:mailto:guest"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/182)+"@example.org")
	}
	for name, ics := range map[string][]byte{
		"5,000 guests":           vevent(guests...),
		"a description of 10 MB": vevent("DTSTART:20261123T110000Z", "DESCRIPTION:"+strings.Repeat("word ", 2<<20)),
		"NUL and other controls": vevent("DTSTART:20261123T110000Z", "SUMMARY:a\x00b\x01c", "LOCATION:\x00", "DESCRIPTION:x\x00y"),
		"broken UTF-8":           vevent("DTSTART:20261123T110000Z", "SUMMARY:a\xffb\xed\xa0\x80", "LOCATION:\xfe", "CATEGORIES:\xfd,\xfc", "ORGANIZER;CN=\xff:mailto:b\xff@example.org", "ATTENDEE;CN=\xff:mailto:c\xfe@example.org", "DESCRIPTION:\xff"),
		"emoji":                  vevent("DTSTART:20261123T110000Z", "SUMMARY:"+strings.Repeat("👩‍👩‍👧‍👦", 500)),
		"2,000 overrides":        vevent(append([]string{"DTSTART:20200101T110000Z", "RRULE:FREQ=DAILY"}, overrides(2000)...)...),
		"20,000 dates":           vevent("DTSTART:20200101T110000Z", "RRULE:FREQ=DAILY", "EXDATE:"+strings.TrimSuffix(strings.Repeat("20200105T110000Z,", 20000), ",")),
		"a hundred rules":        vevent(append([]string{"DTSTART:20200101T110000Z"}, strings.Split(strings.Repeat("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30|", 100)+"RRULE:FREQ=DAILY", "|")...)...),
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []eas.Version{eas.V25, eas.V141, eas.V161} {
				identity(t, ics, options(v))
				ps, err := FromICalendar(ics, options(v))
				if err != nil {
					t.Fatal(err)
				}
				if size := cleanSize(t, ps); size > 4<<20 {
					t.Errorf("a phone is sent %d bytes", size)
				}
			}
			if _, err := Facts(ics, options(eas.V161)); err != nil {
				t.Error(err)
			}
		})
	}
}

func overrides(n int) (lines []string) {
	for i := range n {
		day := "2020" + []string{"01", "03", "05", "07"}[i/28%4] + string(rune('0'+i%28/10)) + string(rune('1'+i%28%9)) + "T110000Z"
		lines = append(lines, "END:VEVENT", "BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID:"+day, "DTSTART:"+day, "SUMMARY:Another")
	}
	return lines
}

// cleanSize counts the bytes of all texts, which have to be UTF-8.
func cleanSize(t *testing.T, ps eas.Properties) (n int) {
	t.Helper()
	for _, el := range ps {
		if strings.ToValidUTF8(el.Content(), "") != el.Content() {
			t.Errorf("%s is no UTF-8", tag.Name(el.Tag))
		}
		n += len(el.Content()) + cleanSize(t, el.Children)
	}
	return n
}

// FuzzOccurrences: whatever the object, an edit, a deletion and an answer of one
// occurrence are refused, or make an object that the phone is shown and sends
// back without changing anything; and what is locked stays as it is.
func FuzzOccurrences(f *testing.F) {
	for _, ics := range samples {
		f.Add(ics, "20261207T090000Z")
	}
	f.Add(invited, "20261026T090000Z")
	f.Fuzz(func(t *testing.T, ics []byte, instance string) {
		for _, v := range []eas.Version{eas.V141, eas.V161} {
			o := options(v)
			o.Schedules = true
			ps, err := FromICalendar(ics, o)
			if err != nil {
				continue
			}
			for _, edit := range []func() ([]byte, error){
				func() ([]byte, error) { return Merge(ics, set(tag.CalendarSubject, "Other")(ps), o) },
				func() ([]byte, error) {
					return MergeInstance(ics, instance, eas.Properties{eas.T(tag.CalendarSubject, "Other")}, o)
				},
				func() ([]byte, error) { return DeleteInstance(ics, instance, o) },
				func() ([]byte, error) { return Respond(ics, Answer{Response: Accepted, Instance: instance}, o) },
				func() ([]byte, error) { return Respond(ics, Answer{Response: Declined}, o) },
			} {
				got, err := edit()
				if err != nil {
					if !errors.Is(err, translate.ErrInvalid) {
						t.Errorf("error %v is not ErrInvalid", err)
					}
					continue
				}
				identity(t, got, o)
			}
		}
	})
}
