package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

type edit func(eas.Properties) eas.Properties

// set replaces elements: tag, text, tag, text ...
func set(pairs ...any) edit {
	return func(ps eas.Properties) eas.Properties {
		for i := 0; i < len(pairs); i += 2 {
			ps = put(ps, eas.T(pairs[i].(wbxml.Tag), pairs[i+1].(string)))
		}
		return ps
	}
}

func put(ps eas.Properties, el eas.Element) eas.Properties {
	ps = append(eas.Properties{}, ps...)
	for i := range ps {
		if ps[i].Tag == el.Tag {
			ps[i] = el
			return ps
		}
	}
	return append(ps, el)
}

func drop(tags ...wbxml.Tag) edit {
	return func(ps eas.Properties) eas.Properties {
		var rest eas.Properties
		for _, el := range ps {
			keep := true
			for _, t := range tags {
				keep = keep && el.Tag != t
			}
			if keep {
				rest = append(rest, el)
			}
		}
		return rest
	}
}

// within edits the children of an element.
func within(t wbxml.Tag, f edit) edit {
	return func(ps eas.Properties) eas.Properties {
		el, _ := ps.Find(t)
		el.Tag = t
		el.Children = f(el.Children)
		return put(ps, el)
	}
}

func add(els ...eas.Element) edit {
	return func(ps eas.Properties) eas.Properties { return append(append(eas.Properties{}, ps...), els...) }
}

func only(els ...eas.Element) edit { return func(eas.Properties) eas.Properties { return els } }

func all(edits ...edit) edit {
	return func(ps eas.Properties) eas.Properties {
		for _, e := range edits {
			ps = e(ps)
		}
		return ps
	}
}

func blobOf(zone string) string {
	loc, _ := tz.Location(zone)
	b, _ := tz.BlobFor(loc, 2026)
	b.StandardName, b.DaylightName = "", ""
	return b.String()
}

// lines lists the lines that two objects do not have in common, the stamps of
// the change apart.
func lines(before, after []byte) (gone, added string) {
	stamp := func(l string) bool {
		return strings.HasPrefix(l, "DTSTAMP") || strings.HasPrefix(l, "LAST-MODIFIED") || strings.HasPrefix(l, "SEQUENCE")
	}
	unfold := func(b []byte) string { return strings.ReplaceAll(string(b), "\r\n ", "") }
	count := map[string]int{}
	for l := range strings.SplitSeq(unfold(before), "\r\n") {
		count[l]++
	}
	var g, a []string
	for l := range strings.SplitSeq(unfold(after), "\r\n") {
		if count[l]--; count[l] < 0 && !stamp(l) {
			a = append(a, l)
		}
	}
	for l := range strings.SplitSeq(unfold(before), "\r\n") {
		if count[l] > 0 && !stamp(l) {
			g = append(g, l)
			count[l]--
		}
	}
	return strings.Join(g, "|"), strings.Join(a, "|")
}

// berlin is the VTIMEZONE that is added with a first TZID.
const berlin = "BEGIN:VTIMEZONE|TZID:Europe/Berlin|BEGIN:DAYLIGHT|DTSTART:19960331T020000|TZOFFSETFROM:+0100|TZOFFSETTO:+0200|RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU|END:DAYLIGHT|" +
	"BEGIN:STANDARD|DTSTART:19961027T030000|TZOFFSETFROM:+0200|TZOFFSETTO:+0100|RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU|END:STANDARD|END:VTIMEZONE"

var edits = []struct {
	name, sample string
	version      eas.Version
	edit         edit
	gone, added  string // lines, separated by |
}{
	// One property alone.
	{"another subject", "zoned", eas.V141, set(tag.CalendarSubject, "Lunch, late"), "SUMMARY:Lunch", `SUMMARY:Lunch\, late`},
	{"another subject and nothing else", "zoned", eas.V141, only(eas.T(tag.CalendarSubject, "Tea")), "SUMMARY:Lunch", "SUMMARY:Tea"},
	{"another place", "zoned", eas.V141, set(tag.CalendarLocation, "Roof"), "LOCATION:Canteen|GEO:52.5;13.4", "LOCATION:Roof"},
	{"no place", "zoned", eas.V141, drop(tag.CalendarLocation), "LOCATION:Canteen|GEO:52.5;13.4", ""},
	{"an empty place", "zoned", eas.V141, set(tag.CalendarLocation, ""), "LOCATION:Canteen|GEO:52.5;13.4", ""},
	{"another place in 16.1", "zoned", eas.V161, only(eas.C(tag.AirSyncBaseLocation, eas.T(tag.AirSyncBaseDisplayName, "Roof"), eas.T(tag.AirSyncBaseLatitude, "1"), eas.T(tag.AirSyncBaseLongitude, "2"))),
		"LOCATION:Canteen|GEO:52.5;13.4", "LOCATION:Roof|GEO:1;2"},
	{"public", "zoned", eas.V141, set(tag.CalendarSensitivity, "0"), "CLASS:PRIVATE", "CLASS:PUBLIC"},
	{"personal is private", "zoned", eas.V141, set(tag.CalendarSensitivity, "1"), "", ""},
	{"sensitivity left out", "zoned", eas.V141, drop(tag.CalendarSensitivity), "", ""},
	{"free", "zoned", eas.V141, set(tag.CalendarBusyStatus, "0"), "", "TRANSP:TRANSPARENT"},
	{"busy", "utc", eas.V141, set(tag.CalendarBusyStatus, "2"), "TRANSP:TRANSPARENT", "TRANSP:OPAQUE"},
	{"tentative", "zoned", eas.V141, set(tag.CalendarBusyStatus, "1"), "", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"},
	{"no longer tentative", "duration", eas.V141, set(tag.CalendarBusyStatus, "2"), "", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"},
	{"no longer away", "overnight", eas.V141, set(tag.CalendarBusyStatus, "2"), "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"},
	{"earlier reminder", "zoned", eas.V141, set(tag.CalendarReminder, "60"), "TRIGGER:-PT15M", "TRIGGER:-PT1H"},
	{"no reminder", "zoned", eas.V141, drop(tag.CalendarReminder), "BEGIN:VALARM|END:VALARM|ACTION:DISPLAY|TRIGGER:-PT15M|X-WR-ALARMUID:1", ""},
	{"no reminder in 16.1", "zoned", eas.V161, set(tag.CalendarReminder, ""), "BEGIN:VALARM|END:VALARM|ACTION:DISPLAY|TRIGGER:-PT15M|X-WR-ALARMUID:1", ""},
	{"reminder left out in 16.1", "zoned", eas.V161, drop(tag.CalendarReminder), "", ""},
	{"a reminder", "utc", eas.V141, set(tag.CalendarReminder, "1440"), "", "BEGIN:VALARM|ACTION:DISPLAY|DESCRIPTION:Call|TRIGGER:-P1D|END:VALARM"},
	{"a reminder at the start", "utc", eas.V141, set(tag.CalendarReminder, "0"), "", "BEGIN:VALARM|ACTION:DISPLAY|DESCRIPTION:Call|TRIGGER:PT0S|END:VALARM"},
	{"one category less", "zoned", eas.V141, within(tag.CalendarCategories, only(eas.T(tag.CalendarCategory, "Food"))), "CATEGORIES:Work,Food", "CATEGORIES:Food"},
	{"no categories", "zoned", eas.V141, drop(tag.CalendarCategories), "CATEGORIES:Work,Food", ""},
	{"another text", "zoned", eas.V141, within(tag.AirSyncBaseBody, set(tag.AirSyncBaseData, "Stew\r\nonly")), `DESCRIPTION:Soup\, then cake\nand coffee`, `DESCRIPTION:Stew\nonly`},
	{"another text in 2.5", "zoned", eas.V25, set(tag.CalendarBody, "Stew"), `DESCRIPTION:Soup\, then cake\nand coffee`, "DESCRIPTION:Stew"},
	{"text left out", "zoned", eas.V141, drop(tag.AirSyncBaseBody), "", ""},
	{"another UID is not taken", "zoned", eas.V141, set(tag.CalendarUID, "x", tag.CalendarDtStamp, "20200101T000000Z"), "", ""},

	// Times keep their form.
	{"an hour later", "zoned", eas.V141, set(tag.CalendarStartTime, "20261123T120000Z", tag.CalendarEndTime, "20261123T130000Z"),
		"DTSTART;TZID=Europe/Berlin:20261123T120000|DTEND;TZID=Europe/Berlin:20261123T130000", "DTSTART;TZID=Europe/Berlin:20261123T130000|DTEND;TZID=Europe/Berlin:20261123T140000"},
	{"longer", "zoned", eas.V141, set(tag.CalendarEndTime, "20261123T130000Z"), "DTEND;TZID=Europe/Berlin:20261123T130000", "DTEND;TZID=Europe/Berlin:20261123T140000"},
	{"longer, from a phone elsewhere", "zoned", eas.V141, set(tag.CalendarEndTime, "20261123T130000Z", tag.CalendarTimezone, blobOf("Asia/Tokyo")), "DTEND;TZID=Europe/Berlin:20261123T130000", "DTEND;TZID=Europe/Berlin:20261123T140000"},
	{"the zone of the phone alone", "zoned", eas.V141, set(tag.CalendarTimezone, blobOf("Asia/Tokyo")), "", ""},
	{"a zone that is none", "zoned", eas.V141, set(tag.CalendarTimezone, "?"), "", ""},
	{"UTC stays UTC", "utc", eas.V141, set(tag.CalendarStartTime, "20261123T100000Z"), "DTSTART:20261123T110000Z", "DTSTART:20261123T100000Z"},
	{"floating stays floating", "floating", eas.V141, set(tag.CalendarStartTime, "20261123T063000Z"), "DTSTART:20261123T070000", "DTSTART:20261123T073000"},
	{"a duration stays", "duration", eas.V141, set(tag.CalendarStartTime, "20261123T130000Z", tag.CalendarEndTime, "20261123T143000Z"),
		"DTSTART;TZID=America/New_York:20261123T070000", "DTSTART;TZID=America/New_York:20261123T080000"},
	{"a longer duration", "duration", eas.V141, set(tag.CalendarEndTime, "20261123T140000Z"), "DURATION:PT90M", "DURATION:PT2H"},
	{"a length", "no length", eas.V141, set(tag.CalendarEndTime, "20261123T113000Z"), "", "DTEND;TZID=Europe/Berlin:20261123T123000"},
	{"an end in another zone stays there", "two zones", eas.V141, set(tag.CalendarEndTime, "20261123T210000Z"), "DTEND;TZID=America/New_York:20261123T150000", "DTEND;TZID=America/New_York:20261123T160000"},
	{"a start alone takes the end along", "zoned", eas.V161, only(eas.T(tag.CalendarStartTime, "20261123T120000Z")),
		"DTSTART;TZID=Europe/Berlin:20261123T120000|DTEND;TZID=Europe/Berlin:20261123T130000", "DTSTART;TZID=Europe/Berlin:20261123T130000|DTEND;TZID=Europe/Berlin:20261123T140000"},

	// All day.
	{"a day later", "all day", eas.V141, set(tag.CalendarStartTime, "20261225T230000Z", tag.CalendarEndTime, "20261228T230000Z"),
		"DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261228", "DTSTART;VALUE=DATE:20261226|DTEND;VALUE=DATE:20261229"},
	{"the same day from Tokyo", "all day", eas.V141, set(tag.CalendarTimezone, blobOf("Asia/Tokyo"), tag.CalendarStartTime, "20261224T150000Z", tag.CalendarEndTime, "20261227T150000Z"), "", ""},
	{"the same day from Honolulu", "all day", eas.V141, set(tag.CalendarTimezone, blobOf("Pacific/Honolulu"), tag.CalendarStartTime, "20261225T100000Z", tag.CalendarEndTime, "20261228T100000Z"), "", ""},
	{"the same day in UTC", "all day", eas.V141, set(tag.CalendarTimezone, "", tag.CalendarStartTime, "20261225T000000Z", tag.CalendarEndTime, "20261228T000000Z"), "", ""},
	{"the same day by an old rule", "all day", eas.V141, set(tag.CalendarStartTime, "20261225T000000Z", tag.CalendarEndTime, "20261228T000000Z"), "", ""},
	{"a day later in 16.1", "all day", eas.V161, set(tag.CalendarStartTime, "20261226T000000Z", tag.CalendarEndTime, "20261229T000000Z"),
		"DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261228", "DTSTART;VALUE=DATE:20261226|DTEND;VALUE=DATE:20261229"},
	{"two days instead of one", "one day", eas.V141, set(tag.CalendarEndTime, "20261226T230000Z"), "", "DTEND;VALUE=DATE:20261227"},
	{"no longer all day", "one day", eas.V141, set(tag.CalendarAllDayEvent, "0", tag.CalendarStartTime, "20261225T080000Z", tag.CalendarEndTime, "20261225T090000Z"),
		"DTSTART;VALUE=DATE:20261225", "DTSTART;TZID=Europe/Berlin:20261225T090000|DTEND;TZID=Europe/Berlin:20261225T100000|" +
			berlin},
	{"all day from now on", "zoned", eas.V141, set(tag.CalendarAllDayEvent, "1", tag.CalendarStartTime, "20261122T230000Z", tag.CalendarEndTime, "20261123T230000Z"),
		"DTSTART;TZID=Europe/Berlin:20261123T120000|DTEND;TZID=Europe/Berlin:20261123T130000", "DTSTART;VALUE=DATE:20261123|DTEND;VALUE=DATE:20261124"},
	{"Outlook's all day, a day later", "Outlook's all day", eas.V141, set(tag.CalendarStartTime, "20261225T230000Z", tag.CalendarEndTime, "20261226T230000Z"),
		"DTSTART;TZID=W. Europe Standard Time:20261225T000000|DTEND;TZID=W. Europe Standard Time:20261226T000000", "DTSTART;TZID=W. Europe Standard Time:20261226T000000|DTEND;TZID=W. Europe Standard Time:20261227T000000"},

	// Guests.
	{"attendees left out", "meeting", eas.V141, drop(tag.CalendarAttendees), "", ""},
	{"an empty list of attendees", "meeting", eas.V141, put2(eas.C(tag.CalendarAttendees)), "", ""},
	{"one guest less", "meeting", eas.V141, put2(eas.C(tag.CalendarAttendees, attendee("room@example.org", "Room"))), "ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;ROLE=OPT-PARTICIPANT;X-A=1:MAILTO:bob@example.org", ""},
	{"one guest more", "meeting", eas.V161, within(tag.CalendarAttendees, add(attendee("\"Cy\" <cy@example.org>", "Cy"))), "",
		"ATTENDEE;CN=Cy;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:cy@example.org"},
	{"the first guest", "utc", eas.V161, put2(eas.C(tag.CalendarAttendees, attendee("cy@example.org", "cy@example.org"))), "",
		"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:cy@example.org|ORGANIZER:mailto:ann@example.org"},
	{"a guest invites nobody", "invitation", eas.V141, within(tag.CalendarAttendees, add(attendee("cy@example.org", "Cy"))), "", ""},
	{"cancelled", "meeting", eas.V141, set(tag.CalendarMeetingStatus, "5"), "", "STATUS:CANCELLED"},

	// Series.
	{"another subject of a series", "weekly", eas.V141, set(tag.CalendarSubject, "Crew"), "SUMMARY:Team", "SUMMARY:Crew"},
	{"another end of a series", "weekly", eas.V141, within(tag.CalendarRecurrence, set(tag.CalendarUntil, "20270329T080000Z")),
		"RRULE:FREQ=WEEKLY;WKST=SU;UNTIL=20270301T090000Z;BYDAY=MO", "RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=MO;UNTIL=20270329T080000Z"},
	{"the same end as midnight", "weekly", eas.V141, within(tag.CalendarRecurrence, set(tag.CalendarUntil, "20270301T000000Z")), "", ""},
	{"the same end as the phone's midnight", "weekly", eas.V141, within(tag.CalendarRecurrence, set(tag.CalendarUntil, "20270228T230000Z")), "", ""},
	{"a number instead of an end", "weekly", eas.V141, within(tag.CalendarRecurrence, all(drop(tag.CalendarUntil), add(eas.T(tag.CalendarOccurrences, "7")))),
		"RRULE:FREQ=WEEKLY;WKST=SU;UNTIL=20270301T090000Z;BYDAY=MO", "RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=MO;COUNT=7"},
	{"without first day of the week", "weekly", eas.V141, within(tag.CalendarRecurrence, drop(tag.CalendarFirstDayOfWeek)), "", ""},
	{"a series from now on", "utc", eas.V141, add(eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "3"), eas.T(tag.CalendarInterval, "2"), eas.T(tag.CalendarWeekOfMonth, "5"), eas.T(tag.CalendarDayOfWeek, "2"))),
		"DTSTART:20261123T110000Z|DTEND:20261123T113000Z", "DTSTART;TZID=Europe/Berlin:20261123T120000|DTEND;TZID=Europe/Berlin:20261123T123000|RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=-1MO|" + berlin},
	{"exceptions left out", "weekly", eas.V141, drop(tag.CalendarExceptions), "", ""},
	{"one exception left out", "weekly", eas.V141, within(tag.CalendarExceptions, func(ps eas.Properties) eas.Properties { return ps[1:] }), "", ""},
	{"one occurrence less", "weekly", eas.V141, within(tag.CalendarExceptions, add(eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, "20261109T090000Z")))),
		"", "EXDATE;TZID=Europe/Berlin:20261109T100000"},
	{"one occurrence less, of dates", "daily dates", eas.V141, within(tag.CalendarExceptions, add(eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, "20261104T230000Z")))),
		"", "EXDATE;VALUE=DATE:20261105"},
	{"a changed occurrence goes", "weekly", eas.V141, within(tag.CalendarExceptions, only(eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, "20261102T090000Z")))),
		"BEGIN:VEVENT|UID:e1|END:VEVENT|RECURRENCE-ID;TZID=Europe/Berlin:20261102T100000|SUMMARY:Team\\, later|DTSTART;TZID=Europe/Berlin:20261102T150000|DTEND;TZID=Europe/Berlin:20261102T160000|x-Odd:too",
		"EXDATE;TZID=Europe/Berlin:20261102T100000"},
	{"a changed occurrence is renamed", "weekly", eas.V141, within(tag.CalendarExceptions, only(eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, "20261102T090000Z"), eas.T(tag.CalendarSubject, "Late")))),
		"SUMMARY:Team\\, later", "SUMMARY:Late"},
	{"no series any more", "daily dates", eas.V141, drop(tag.CalendarRecurrence, tag.CalendarExceptions), "RRULE:FREQ=DAILY;COUNT=10|EXDATE;VALUE=DATE:20261103", ""},

	// What is shown under the description is none of it.
	{"another text above a link", "online", eas.V141, within(tag.AirSyncBaseBody, set(tag.AirSyncBaseData, "Speak\r\n\r\nhttps://example.org/agenda")), "DESCRIPTION:Talk", "DESCRIPTION:Speak"},
	{"another text without the link", "online", eas.V141, within(tag.AirSyncBaseBody, set(tag.AirSyncBaseData, "Speak")), "DESCRIPTION:Talk", "DESCRIPTION:Speak"},
	{"the text without the link", "online", eas.V141, within(tag.AirSyncBaseBody, set(tag.AirSyncBaseData, "Talk")), "", ""},

	// Files.
	{"a file goes", "files", eas.V161, only(eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseDelete, eas.T(tag.AirSyncBaseFileReference, "5:1/"+fileID("SGVsbG8="))))),
		"ATTACH;FMTTYPE=text/plain;FILENAME=notes.txt;ENCODING=BASE64;VALUE=BINARY:SGVsbG8=", ""},
	{"a file comes", "utc", eas.V161, only(eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseClientId, "1"), eas.T(tag.AirSyncBaseMethod, "1"),
		eas.T(tag.AirSyncBaseContentType, "text/plain"), eas.T(tag.AirSyncBaseDisplayName, "a;b.txt"), eas.Element{Tag: tag.AirSyncBaseContent, Opaque: []byte("Hello")}))),
		"", `ATTACH;FMTTYPE=text/plain;FILENAME="a;b.txt";ENCODING=BASE64;VALUE=BINARY:SGVsbG8=`},
	{"a file is only announced", "utc", eas.V161, only(eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseClientId, "1"), eas.T(tag.AirSyncBaseDisplayName, "a.txt")))), "", ""},
}

func put2(el eas.Element) edit { return func(ps eas.Properties) eas.Properties { return put(ps, el) } }

func attendee(mail, name string) eas.Element {
	return eas.C(tag.CalendarAttendee, eas.T(tag.CalendarEmail, mail), eas.T(tag.CalendarName, name))
}

func TestEditsTouchTheirLinesOnly(t *testing.T) {
	for _, c := range edits {
		t.Run(c.name, func(t *testing.T) {
			o := options(c.version)
			ps, err := FromICalendar(samples[c.sample], o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Merge(samples[c.sample], c.edit(ps), o)
			if err != nil {
				t.Fatal(err)
			}
			gone, added := lines(samples[c.sample], got)
			if gone != c.gone || added != c.added {
				t.Errorf("gone  %q\nwant  %q\nadded %q\nwant  %q", gone, c.gone, added, c.added)
			}
			identity(t, got, o)
		})
	}
}

func TestStamps(t *testing.T) {
	o := options(eas.V141)
	got, err := Merge(samples["zoned"], eas.Properties{eas.T(tag.CalendarSubject, "Tea")}, o)
	if err != nil || !strings.Contains(string(got), "DTSTAMP:20261122T080000Z\r\n") || !strings.Contains(string(got), "SEQUENCE:3\r\n") {
		t.Errorf("%v: stamps of an edit are missing:\n%s", err, got)
	}
	got, err = Merge(samples["zoned"], eas.Properties{eas.T(tag.CalendarStartTime, "20261123T100000Z")}, o)
	if err != nil || !strings.Contains(string(got), "SEQUENCE:4\r\n") {
		t.Errorf("%v: SEQUENCE must count a new time:\n%s", err, got)
	}
	got, err = Merge(samples["invitation"], eas.Properties{eas.T(tag.CalendarReminder, "5")}, o)
	if err != nil || !strings.Contains(string(got), "SEQUENCE:1\r\n") {
		t.Errorf("%v: a guest's edit must keep the organizer's SEQUENCE:\n%s", err, got)
	}
}

func TestRefusedEdits(t *testing.T) {
	recurrence := func(els ...eas.Element) edit { return only(eas.C(tag.CalendarRecurrence, els...)) }
	for _, c := range []struct {
		name, sample string
		edit         edit
	}{
		{"ends before it starts", "zoned", set(tag.CalendarEndTime, "20261101T000000Z")},
		{"a time in the year 1", "zoned", set(tag.CalendarStartTime, "00010101T000000Z")},
		{"a time that is none", "zoned", set(tag.CalendarStartTime, "soon")},
		{"AllDayEvent 2", "zoned", set(tag.CalendarAllDayEvent, "2")},
		{"BusyStatus 7", "zoned", set(tag.CalendarBusyStatus, "7")},
		{"Sensitivity 4", "zoned", set(tag.CalendarSensitivity, "4")},
		{"Reminder -1", "zoned", set(tag.CalendarReminder, "-1")},
		{"type 4", "zoned", recurrence(eas.T(tag.CalendarType, "4"))},
		{"daily with a day of the month", "zoned", recurrence(eas.T(tag.CalendarType, "0"), eas.T(tag.CalendarDayOfMonth, "1"))},
		{"a series that ends before it starts", "zoned", recurrence(eas.T(tag.CalendarType, "0"), eas.T(tag.CalendarUntil, "20200101T000000Z"))},
		{"other times of what recurs in its own way", "on two days", set(tag.CalendarStartTime, "20261207T070000Z", tag.CalendarEndTime, "20261207T080000Z")},
		{"another rule for what recurs in its own way", "on two days", recurrence(eas.T(tag.CalendarType, "0"))},
		{"another subject of what recurs in its own way", "on two days", set(tag.CalendarSubject, "Bin")},
		{"another subject of what recurs every few hours", "every six hours", set(tag.CalendarSubject, "Bin")},
		{"another text of what recurs in its own way", "on two days", within(tag.AirSyncBaseBody, set(tag.AirSyncBaseData, "Bin"))},
		{"no place of a series with extra dates", "extra dates", drop(tag.CalendarRecurrence)},
		{"one occurrence less of what recurs in its own way", "on two days", within(tag.CalendarExceptions, add(eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, "20261207T060000Z"))))},
		{"other times of a series with extra dates", "extra dates", set(tag.CalendarStartTime, "20261005T180000Z", tag.CalendarEndTime, "20261005T190000Z")},
		{"an exception without a time", "weekly", within(tag.CalendarExceptions, add(eas.C(tag.CalendarException)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(eas.V141)
			ps, err := FromICalendar(samples[c.sample], o)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Merge(samples[c.sample], c.edit(ps), o); !errors.Is(err, translate.ErrInvalid) {
				t.Errorf("error = %v, want ErrInvalid\nThe phone must be told that this is not stored:\n%s", err, got)
			}
		})
	}
}

func TestGhosted(t *testing.T) {
	o := options(eas.V141)
	o.Ghosted = func(t wbxml.Tag) bool { return t == tag.CalendarLocation || t == tag.CalendarReminder }
	ps, _ := FromICalendar(samples["zoned"], o)
	got, err := Merge(samples["zoned"], drop(tag.CalendarLocation, tag.CalendarReminder, tag.CalendarCategories)(ps), o)
	if gone, added := lines(samples["zoned"], got); err != nil || gone != "CATEGORIES:Work,Food" || added != "" {
		t.Errorf("gone %q, added %q, %v: what is ghosted must stay", gone, added, err)
	}
}

// TestMovedSeries: a whole series is moved from Monday 10:00 to 11:00, by
// phones that name the exceptions by the new times, the old ones, or not at all.
func TestMovedSeries(t *testing.T) {
	want := "DTSTART;TZID=Europe/Berlin:20261005T110000|DTEND;TZID=Europe/Berlin:20261005T120000|" +
		"RRULE:FREQ=WEEKLY;WKST=SU;BYDAY=MO;UNTIL=20270301T100000Z|EXDATE;TZID=Europe/Berlin:20261019T110000,20261026T110000|" +
		"RECURRENCE-ID;TZID=Europe/Berlin:20261102T110000"
	moved := set(tag.CalendarStartTime, "20261005T090000Z", tag.CalendarEndTime, "20261005T100000Z")
	rename := func(from, to string) edit {
		return within(tag.CalendarExceptions, func(ps eas.Properties) eas.Properties {
			var list eas.Properties
			for _, x := range ps {
				at, _ := eas.Properties(x.Children).Text(tag.CalendarExceptionStartTime)
				x.Children = put(x.Children, eas.T(tag.CalendarExceptionStartTime, strings.Replace(at, from, to, 1)))
				list = append(list, x)
			}
			return list
		})
	}
	for name, e := range map[string]edit{
		"old times":     moved,
		"new times":     all(moved, rename("T080000Z", "T090000Z"), rename("T090000Z", "T100000Z")),
		"no exceptions": all(moved, drop(tag.CalendarExceptions)),
	} {
		t.Run(name, func(t *testing.T) {
			o := options(eas.V141)
			ps, _ := FromICalendar(samples["weekly"], o)
			got, err := Merge(samples["weekly"], e(ps), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, added := lines(samples["weekly"], got); added != want {
				t.Errorf("added %q\nwant  %q", added, want)
			}
			identity(t, got, o)
		})
	}
	t.Run("16.1 drops exceptions", func(t *testing.T) {
		o := options(eas.V161)
		got, err := Merge(samples["weekly"], moved(nil), o)
		if err != nil || strings.Contains(string(got), "EXDATE") || strings.Contains(string(got), "RECURRENCE-ID") {
			t.Errorf("%v:\n%s", err, got)
		}
	})
}

// TestOtherZoneOfASeries: a series that is moved by a phone in another zone
// recurs in that zone from then on.
func TestOtherZoneOfASeries(t *testing.T) {
	o := options(eas.V141)
	ps, _ := FromICalendar(samples["weekly"], o)
	got, err := Merge(samples["weekly"], set(tag.CalendarTimezone, blobOf("America/New_York"), tag.CalendarStartTime, "20261005T140000Z", tag.CalendarEndTime, "20261005T150000Z")(ps), o)
	if err != nil || !strings.Contains(string(got), "DTSTART;TZID=America/New_York:20261005T100000\r\n") || !strings.Contains(string(got), "BEGIN:VTIMEZONE\r\nTZID:America/New_York\r\n") {
		t.Errorf("%v:\n%s", err, got)
	}
	identity(t, got, o)
}

func TestNewException(t *testing.T) {
	o := options(eas.V141)
	ps, _ := FromICalendar(samples["weekly"], o)
	got, err := Merge(samples["weekly"], within(tag.CalendarExceptions, add(eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, "20261109T090000Z"),
		eas.T(tag.CalendarStartTime, "20261109T130000Z"), eas.T(tag.CalendarEndTime, "20261109T140000Z"), eas.T(tag.CalendarReminder, "5"))))(ps), o)
	if err != nil {
		t.Fatal(err)
	}
	gone, added := lines(samples["weekly"], got)
	want := "BEGIN:VEVENT|UID:e1|x-Odd;A=b:  kept |SUMMARY:Team|DTSTART;TZID=Europe/Berlin:20261109T140000|RECURRENCE-ID;TZID=Europe/Berlin:20261109T100000|" +
		"DTEND;TZID=Europe/Berlin:20261109T150000|BEGIN:VALARM|ACTION:DISPLAY|DESCRIPTION:Team|TRIGGER:-PT5M|END:VALARM|END:VEVENT"
	if gone != "" || added != want {
		t.Errorf("gone %q\nadded %q\nwant  %q", gone, added, want)
	}
	identity(t, got, o)
}

func TestInstances(t *testing.T) {
	o := options(eas.V161)
	weekly := samples["weekly"]
	for _, c := range []struct {
		name        string
		got         func() ([]byte, error)
		gone, added string
		invalid     bool
	}{
		{"a changed one changes", func() ([]byte, error) {
			return MergeInstance(weekly, "20261102T090000Z", eas.Properties{eas.T(tag.CalendarSubject, "Late")}, o)
		}, "SUMMARY:Team\\, later", "SUMMARY:Late", false},
		{"another one changes", func() ([]byte, error) {
			return MergeInstance(weekly, "20261109T090000Z", eas.Properties{eas.T(tag.CalendarSubject, "Late")}, o)
		}, "", "BEGIN:VEVENT|UID:e1|x-Odd;A=b:  kept |SUMMARY:Late|DTSTART;TZID=Europe/Berlin:20261109T100000|RECURRENCE-ID;TZID=Europe/Berlin:20261109T100000|DTEND;TZID=Europe/Berlin:20261109T110000|END:VEVENT", false},
		{"one goes", func() ([]byte, error) { return DeleteInstance(weekly, "20261109T090000Z", o) }, "", "EXDATE;TZID=Europe/Berlin:20261109T100000", false},
		{"one goes again", func() ([]byte, error) { return DeleteInstance(weekly, "20261019T080000Z", o) }, "", "", false},
		{"one of dates goes", func() ([]byte, error) { return DeleteInstance(samples["daily dates"], "20261104T000000Z", o) }, "", "EXDATE;VALUE=DATE:20261104", false},
		{"there is none on a Tuesday", func() ([]byte, error) { return DeleteInstance(weekly, "20261110T090000Z", o) }, "", "", true},
		{"there is none after the end", func() ([]byte, error) { return DeleteInstance(weekly, "20270308T090000Z", o) }, "", "", true},
		{"a single event has none", func() ([]byte, error) { return DeleteInstance(samples["utc"], "20261123T110000Z", o) }, "", "", true},
		{"an occurrence without its series", func() ([]byte, error) {
			return MergeInstance(samples["an orphan"], "20261123T100000Z", eas.Properties{eas.T(tag.CalendarSubject, "Late")}, o)
		}, "SUMMARY:Guest", "SUMMARY:Late", false},
		{"another occurrence without its series", func() ([]byte, error) {
			return MergeInstance(samples["an orphan"], "20261124T100000Z", eas.Properties{eas.T(tag.CalendarSubject, "Late")}, o)
		}, "", "", true},
		{"no time at all", func() ([]byte, error) { return DeleteInstance(weekly, "x", o) }, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.got()
			if errors.Is(err, translate.ErrInvalid) != c.invalid || err != nil && !c.invalid {
				t.Fatalf("error = %v", err)
			}
			if c.invalid {
				return
			}
			before := weekly
			for _, sample := range []string{"daily dates", "an orphan"} {
				if strings.Contains(string(got), string(firstLine(samples[sample], "DTSTART"))) {
					before = samples[sample]
				}
			}
			gone, added := lines(before, got)
			if gone != c.gone || added != c.added {
				t.Errorf("gone  %q\nwant  %q\nadded %q\nwant  %q", gone, c.gone, added, c.added)
			}
			identity(t, got, o)
		})
	}
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		name    string
		version eas.Version
		sent    eas.Properties
		want    []string // lines that must be there
		not     string   // what must not
	}{
		{"a plain event", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Europe/Vienna")), eas.T(tag.CalendarSubject, "Tea"), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z"), eas.T(tag.CalendarUID, "theirs"), eas.T(tag.CalendarReminder, "15")},
			[]string{"UID:theirs", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "DTSTART;TZID=Europe/Berlin:20261123T120000", "DTEND;TZID=Europe/Berlin:20261123T130000", "SUMMARY:Tea", "TRIGGER:-PT15M"}, "ours"},
		{"in the zone of the phone", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Asia/Tokyo")), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z")},
			[]string{"TZID:Asia/Tokyo", "DTSTART;TZID=Asia/Tokyo:20261123T200000"}, "Berlin"},
		{"in a zone that nobody knows", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, tz.Blob{Bias: -77}.String()), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z")},
			[]string{"TZOFFSETTO:+0117", "BEGIN:VEVENT"}, "Berlin"},
		{"in UTC", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, tz.Blob{}.String()), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z")},
			[]string{"DTSTART:20261123T110000Z", "DTEND:20261123T120000Z"}, "TZID"},
		{"all day, from Honolulu", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Pacific/Honolulu")), eas.T(tag.CalendarAllDayEvent, "1"), eas.T(tag.CalendarStartTime, "20261225T100000Z"), eas.T(tag.CalendarEndTime, "20261228T100000Z")},
			[]string{"DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261228"}, "TZID"},
		{"all day, from Auckland", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Pacific/Auckland")), eas.T(tag.CalendarAllDayEvent, "1"), eas.T(tag.CalendarStartTime, "20261224T110000Z"), eas.T(tag.CalendarEndTime, "20261227T110000Z")},
			[]string{"DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261228"}, "TZID"},
		{"all day in 16.1", eas.V161, eas.Properties{eas.T(tag.CalendarAllDayEvent, "1"), eas.T(tag.CalendarStartTime, "20261225T000000Z"), eas.T(tag.CalendarEndTime, "20261226T000000Z")},
			[]string{"DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261226"}, "TZID"},
		{"all day in 16.1 at local midnight", eas.V161, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Europe/Berlin")), eas.T(tag.CalendarAllDayEvent, "1"), eas.T(tag.CalendarStartTime, "20261224T230000Z"), eas.T(tag.CalendarEndTime, "20261226T230000Z")},
			[]string{"DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227"}, "TZID"},
		{"no times", eas.V161, eas.Properties{eas.T(tag.CalendarSubject, "Now")},
			[]string{"DTSTART;TZID=Europe/Berlin:20261122T090000", "DTEND;TZID=Europe/Berlin:20261122T093000"}, "x-"},
		{"a meeting in 14.1", eas.V141, eas.Properties{eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z"), eas.C(tag.CalendarAttendees, attendee("b@example.org", "Bob"))},
			[]string{"ATTENDEE;CN=Bob;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=CLIENT:mailto:b@example.org", "ORGANIZER:mailto:ann@example.org"}, "x-"},
		{"a series with exceptions", eas.V141, eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Europe/Berlin")), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z"), eas.T(tag.CalendarSubject, "Tea"),
			eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "1"), eas.T(tag.CalendarDayOfWeek, "2"), eas.T(tag.CalendarUntil, "20270401T000000Z"), eas.T(tag.CalendarFirstDayOfWeek, "0")),
			eas.C(tag.CalendarExceptions, eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, "20261130T110000Z")),
				eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, "20261207T110000Z"), eas.T(tag.CalendarSubject, "Coffee")))},
			[]string{"RRULE:FREQ=WEEKLY;UNTIL=20270401T100000Z;BYDAY=MO;WKST=SU", "EXDATE;TZID=Europe/Berlin:20261130T120000", "RECURRENCE-ID;TZID=Europe/Berlin:20261207T120000", "SUMMARY:Coffee", "SUMMARY:Tea"}, "x-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(c.version)
			o.Now = time.Date(2026, 11, 22, 7, 41, 0, 0, time.UTC)
			got, err := New("ours", c.sent, o)
			if err != nil {
				t.Fatal(err)
			}
			unfolded := strings.ReplaceAll(string(got), "\r\n ", "")
			for _, l := range c.want {
				if !strings.Contains(unfolded, "\r\n"+l+"\r\n") {
					t.Errorf("%q is missing in\n%s", l, got)
				}
			}
			if c.not != "" && strings.Contains(unfolded, c.not) {
				t.Errorf("%q is in\n%s", c.not, got)
			}
			want, _ := c.sent.Text(tag.CalendarUID)
			if want == "" {
				want = "ours"
			}
			if UID(got) != want {
				t.Errorf("UID = %q, want %q", UID(got), want)
			}
			identity(t, got, o)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, sent := range map[string]eas.Properties{
		"an end before the start":   {eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261122T120000Z")},
		"an end in the past alone":  {eas.T(tag.CalendarEndTime, "20201122T120000Z")},
		"a contradictory series":    {eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "1"), eas.T(tag.CalendarDayOfMonth, "1"))},
		"a reminder that is a word": {eas.T(tag.CalendarReminder, "soon")},
	} {
		if got, err := New("u", sent, options(eas.V141)); !errors.Is(err, translate.ErrInvalid) {
			t.Errorf("%s: error = %v, want ErrInvalid:\n%s", name, err, got)
		}
	}
}

// locked tells whether an event recurs in a way that phones cannot edit.
func locked(t *testing.T, ics []byte) bool {
	obj, err := read(ics, options(eas.V161))
	if err != nil {
		t.Fatal(err)
	}
	return obj.event.rule.locked
}

func firstLine(ics []byte, name string) []byte {
	i := strings.Index(string(ics), "\n"+name)
	return ics[i+1 : i+1+strings.IndexByte(string(ics[i+1:]), '\n')]
}

// TestAllDayFromAnywhere: the day of an all-day event is the one that begins at
// its time in the phone's zone, wherever the person's calendar is at home, and
// also where the clocks skip midnight on that day.
func TestAllDayFromAnywhere(t *testing.T) {
	zones := []string{"Pacific/Kiritimati", "Pacific/Auckland", "Asia/Tokyo", "Asia/Kathmandu", "Africa/Cairo", "Europe/Berlin", "UTC",
		"America/St_Johns", "America/Sao_Paulo", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Pago_Pago", "Asia/Beirut"}
	days := []time.Time{time.Date(2026, 4, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC)}
	for _, phone := range zones {
		for _, home := range zones {
			for _, day := range days {
				loc, _ := tz.Location(phone)
				o := options(eas.V141)
				o.Zone, _ = tz.Location(home)
				begins := func(d time.Time) string {
					return translate.CompactDateTime(time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, loc))
				}
				got, err := New("u", eas.Properties{eas.T(tag.CalendarTimezone, blobOf(phone)), eas.T(tag.CalendarAllDayEvent, "1"),
					eas.T(tag.CalendarStartTime, begins(day)), eas.T(tag.CalendarEndTime, begins(day.AddDate(0, 0, 1)))}, o)
				if want := "DTSTART;VALUE=DATE:" + day.Format("20060102") + "\r\nDTEND;VALUE=DATE:" + day.AddDate(0, 0, 1).Format("20060102"); err != nil || !strings.Contains(string(got), want) {
					t.Errorf("%s from %s at home in %s: %v\n%s", day.Format("2 January"), phone, home, err, got)
					continue
				}
				identity(t, got, o)
				o.Version = eas.V161
				identity(t, got, o)
			}
		}
	}
}

// TestCorpusEdits: a new subject changes the SUMMARY of other people's objects
// and nothing else.
func TestCorpusEdits(t *testing.T) {
	for name, ics := range corpus(t) {
		for _, v := range versions {
			o := options(v)
			ps, err := FromICalendar(ics, o)
			if err != nil {
				continue
			}
			got, err := Merge(ics, set(tag.CalendarSubject, "Short and new")(ps), o)
			if errors.Is(err, translate.ErrInvalid) && locked(t, ics) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			gone, added := lines([]byte(crlf(ics)), []byte(crlf(got)))
			if added != "SUMMARY:Short and new" && !strings.HasPrefix(added, "SUMMARY;") || strings.Contains(gone, "|") && !strings.Contains(gone, "SUMMARY") {
				t.Errorf("%s in %v: gone %q, added %q", name, v, gone, added)
			}
		}
	}
}

// crlf gives other people's lines the endings that lines expects.
func crlf(ics []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(ics), "\r\n", "\n"), "\n", "\r\n")
}

// FuzzNew: whatever a phone sends is refused as invalid, or stored as an object
// that the phone is shown and sends back without changing anything.
func FuzzNew(f *testing.F) {
	f.Add("20261123T110000Z", "20261123T120000Z", "0", "15", "1", "2", "", "20270401T000000Z", "20261130T110000Z", "Tea\r\nand cake", int16(-60), true)
	f.Add("20261225T230000Z", "20261226T230000Z", "1", "", "2", "", "25", "", "20270124T230000Z", "", int16(300), false)
	f.Fuzz(func(t *testing.T, start, end, allDay, reminder, kind, days, day, until, exception, subject string, bias int16, deleted bool) {
		gone := "0"
		if deleted {
			gone = "1"
		}
		sent := eas.Properties{
			eas.T(tag.CalendarTimezone, tz.Blob{Bias: int(bias)}.String()), eas.T(tag.CalendarStartTime, start), eas.T(tag.CalendarEndTime, end),
			eas.T(tag.CalendarAllDayEvent, allDay), eas.T(tag.CalendarReminder, reminder), eas.T(tag.CalendarSubject, subject), eas.T(tag.CalendarLocation, subject),
			eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, kind), eas.T(tag.CalendarDayOfWeek, days), eas.T(tag.CalendarDayOfMonth, day), eas.T(tag.CalendarUntil, until)),
			eas.C(tag.CalendarExceptions, eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, gone), eas.T(tag.CalendarExceptionStartTime, exception), eas.T(tag.CalendarStartTime, exception), eas.T(tag.CalendarSubject, subject))),
			eas.C(tag.CalendarAttendees, attendee(subject, subject)),
		}
		for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
			ics, err := New("u", sent, options(v))
			if err != nil {
				if !errors.Is(err, translate.ErrInvalid) {
					t.Errorf("error %v is not ErrInvalid", err)
				}
				continue
			}
			if _, err := FromICalendar(ics, options(v)); err != nil {
				t.Errorf("a new object cannot be shown: %v\n%s", err, ics)
			}
			identity(t, ics, options(v))
		}
	})
}
