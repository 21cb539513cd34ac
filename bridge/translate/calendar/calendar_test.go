package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// vevent wraps the lines of an event; every object here has something in it
// that we do not know.
func vevent(lines ...string) []byte {
	all := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "METHOD:PUBLISH",
		"BEGIN:VEVENT", "UID:e1", "DTSTAMP:20260101T000000Z", "x-Odd;A=b:  kept "}
	all = append(all, lines...)
	all = append(all, "END:VEVENT", "BEGIN:VTODO", "UID:t1", "SUMMARY:Beside", "END:VTODO", "END:VCALENDAR", "")
	return []byte(strings.Join(all, "\r\n"))
}

const ownZone = "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

// samples are events of all forms; the ones that recur do so in Berlin.
var samples = map[string][]byte{
	"zoned": vevent("SUMMARY:Lunch", "DTSTART;TZID=Europe/Berlin:20261123T120000", "DTEND;TZID=Europe/Berlin:20261123T130000", "LOCATION:Canteen",
		"GEO:52.5;13.4", "CATEGORIES:Work,Food", "CLASS:PRIVATE", "SEQUENCE:3", "DESCRIPTION:Soup\\, then cake\\nand coffee",
		"BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT1H", "END:VALARM", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "X-WR-ALARMUID:1", "END:VALARM"),
	"utc":       vevent("SUMMARY:Call", "DTSTART:20261123T110000Z", "DTEND:20261123T113000Z", "TRANSP:TRANSPARENT"),
	"floating":  vevent("SUMMARY:Jog", "DTSTART:20261123T070000", "DTEND:20261123T080000"),
	"duration":  vevent("SUMMARY:Train", "DTSTART;TZID=America/New_York:20261123T070000", "DURATION:PT90M", "STATUS:TENTATIVE"),
	"no length": vevent("SUMMARY:Ping", "DTSTART;TZID=Europe/Berlin:20261123T120000"),
	"overnight": vevent("SUMMARY:Party", "DTSTART;TZID=Europe/Berlin:20261231T200000", "DTEND;TZID=Europe/Berlin:20270101T040000", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
	"two zones": vevent("SUMMARY:Flight", "DTSTART;TZID=Europe/Berlin:20261123T120000", "DTEND;TZID=America/New_York:20261123T150000"),
	"all day":   vevent("SUMMARY:Holiday", "DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261228"),
	"one day":   vevent("SUMMARY:Holiday", "DTSTART;VALUE=DATE:20261225"),
	"Outlook's all day": vevent("SUMMARY:Holiday", "DTSTART;TZID=W. Europe Standard Time:20261225T000000", "DTEND;TZID=W. Europe Standard Time:20261226T000000",
		"X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"),
	"own zone":     []byte(strings.Replace(string(vevent("SUMMARY:Odd", "DTSTART;TZID=Ours:20261123T120000", "DTEND;TZID=Ours:20261123T130000")), "BEGIN:VEVENT", ownZone+"BEGIN:VEVENT", 1)),
	"unknown zone": vevent("SUMMARY:Odd", "DTSTART;TZID=Nowhere:20261123T120000", "DTEND;TZID=Nowhere:20261123T130000"),
	"meeting": vevent("SUMMARY:Plan", "DTSTART:20261123T110000Z", "DTEND:20261123T113000Z", "ORGANIZER;CN=Ann:mailto:ann@example.org",
		"ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.org", "ATTENDEE;CN=Bob;PARTSTAT=TENTATIVE;ROLE=OPT-PARTICIPANT;X-A=1:MAILTO:bob@example.org",
		"ATTENDEE;CUTYPE=ROOM;CN=Room:mailto:room@example.org", "ATTENDEE:urn:uuid:1"),
	"invitation": vevent("SUMMARY:Plan", "DTSTART:20261123T110000Z", "DTEND:20261123T113000Z", "ORGANIZER;CN=Bob:mailto:bob@example.org", "SEQUENCE:1",
		"ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Ann@Example.org", "STATUS:CANCELLED"),
	"weekly": vevent("SUMMARY:Team", "DTSTART;TZID=Europe/Berlin:20261005T100000", "DTEND;TZID=Europe/Berlin:20261005T110000", "RRULE:FREQ=WEEKLY;WKST=SU;UNTIL=20270301T090000Z;BYDAY=MO",
		"EXDATE;TZID=Europe/Berlin:20261019T100000,20261026T100000", "END:VEVENT",
		"BEGIN:VEVENT", "UID:e1", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20261102T100000", "SUMMARY:Team\\, later",
		"DTSTART;TZID=Europe/Berlin:20261102T150000", "DTEND;TZID=Europe/Berlin:20261102T160000", "x-Odd:too"),
	"daily dates":     vevent("SUMMARY:Pill", "DTSTART;VALUE=DATE:20261101", "RRULE:FREQ=DAILY;COUNT=10", "EXDATE;VALUE=DATE:20261103"),
	"without a day":   vevent("SUMMARY:Rent", "DTSTART:20260115T100000Z", "DTEND:20260115T101500Z", "RRULE:FREQ=MONTHLY"),
	"on two days":     vevent("SUMMARY:Bins", "DTSTART;TZID=Europe/Berlin:20260105T070000", "DTEND;TZID=Europe/Berlin:20260105T071500", "RRULE:FREQ=MONTHLY;BYDAY=1MO,3MO"),
	"a bomb":          vevent("SUMMARY:Bomb", "DTSTART:20200101T000000Z", "RRULE:FREQ=SECONDLY"),
	"every six hours": vevent("SUMMARY:Pill", "DTSTART:20261001T003000Z", "DTEND:20261001T004000Z", "RRULE:FREQ=HOURLY;INTERVAL=6", "DESCRIPTION:Take it"),
	"online": vevent("SUMMARY:Call", "DTSTART:20261123T110000Z", "DTEND:20261123T113000Z", "DESCRIPTION:Talk", "URL:https://example.org/agenda",
		"X-GOOGLE-CONFERENCE:https://meet.example.org/a", "CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+1-412-555-0123", "CONFERENCE;VALUE=URI:sip:a@example.org"),
	"files": vevent("SUMMARY:Call", "DTSTART:20261123T110000Z", "DTEND:20261123T113000Z", "ATTACH:https://example.org/doc/agenda.pdf?x=1",
		"ATTACH;FMTTYPE=text/plain;FILENAME=notes.txt;ENCODING=BASE64;VALUE=BINARY:SGVsbG8="),
	"later from now on": vevent("SUMMARY:Course", "DTSTART;TZID=Europe/Berlin:20261102T180000", "DTEND;TZID=Europe/Berlin:20261102T190000", "RRULE:FREQ=WEEKLY;COUNT=5", "END:VEVENT",
		"BEGIN:VEVENT", "UID:e1", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261116T180000", "SUMMARY:Course\\, later",
		"DTSTART;TZID=Europe/Berlin:20261117T190000", "DTEND;TZID=Europe/Berlin:20261117T203000"),
	"not on the 13th": vevent("SUMMARY:Fun", "DTSTART;VALUE=DATE:20261002", "RRULE:FREQ=WEEKLY;UNTIL=20261204", "EXRULE:FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "EXDATE;VALUE=DATE:20261023"),
	"two rules":       vevent("SUMMARY:Gym", "DTSTART:20261102T170000Z", "DTEND:20261102T180000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=4", "RRULE:FREQ=MONTHLY;BYMONTHDAY=11;COUNT=3"),
	"only dates":      vevent("SUMMARY:Trip", "DTSTART:20261102T170000Z", "DTEND:20261102T180000Z", "RDATE:20261104T170000Z,20261201T093000Z"),
	"payday":          vevent("SUMMARY:Pay", "DTSTART;VALUE=DATE:20260115", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,-1"),
	"half a year":     vevent("SUMMARY:Tax", "DTSTART:20200105T090000Z", "RRULE:FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=5"),
	"dates of their own length": vevent("SUMMARY:Shift", "DTSTART;TZID=Europe/Berlin:20261123T110000", "DTEND;TZID=Europe/Berlin:20261123T120000",
		"RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20261125T110000/PT3H,20261127T140000/20261127T150000,20261201T110000/20261202T110000"),
	"extra dates": vevent("SUMMARY:Choir", "DTSTART;TZID=Europe/Berlin:20261005T190000", "DTEND;TZID=Europe/Berlin:20261005T203000", "RRULE:FREQ=WEEKLY", "RDATE;TZID=Europe/Berlin:20261010T190000"),
	"an orphan":   vevent("SUMMARY:Guest", "RECURRENCE-ID:20261123T100000Z", "DTSTART:20261123T110000Z", "DTEND:20261123T120000Z"),
	"two orphans": vevent("SUMMARY:Guest", "RECURRENCE-ID:20261123T100000Z", "DTSTART:20261123T110000Z", "DTEND:20261123T120000Z", "END:VEVENT",
		"BEGIN:VEVENT", "UID:e1", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20261207T100000Z", "SUMMARY:Guest\\, again", "DTSTART:20261207T130000Z", "DTEND:20261207T140000Z"),
	"folded in words": []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:\n e1\nDTST\n ART:2026\n\t1123T110000Z\nSUMMARY:Fol\n ded 😀\n\nEND:VEVENT\nEND:VCALENDAR"),
}

func TestIdentity(t *testing.T) {
	for name, ics := range samples {
		for _, v := range eas.Versions {
			t.Run(name+" "+v.String(), func(t *testing.T) { identity(t, ics, options(v)) })
		}
	}
}

// TestIdentityAnywhere: wherever person and event are.
func TestIdentityAnywhere(t *testing.T) {
	for name, ics := range samples {
		for _, zone := range []string{"UTC", "Pacific/Auckland", "Pacific/Honolulu", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"} {
			o := options(eas.V141)
			o.Zone, _ = tz.Location(zone)
			t.Run(name+" "+zone, func(t *testing.T) { identity(t, ics, o) })
			o.Version = eas.V161
			identity(t, ics, o)
		}
	}
}

// TestAnswersAreValid validates what phones are told against the schemas.
func TestAnswersAreValid(t *testing.T) {
	all := map[string][]byte{}
	for name, ics := range samples {
		all[name] = ics
	}
	t.Run("samples", func(t *testing.T) { validate(t, all) })
	t.Run("corpus", func(t *testing.T) { validate(t, corpus(t)) })
}

func validate(t *testing.T, objects map[string][]byte) {
	for name, ics := range objects {
		for _, v := range versions {
			ps, err := FromICalendar(ics, options(v))
			if err != nil || v < eas.V121 {
				continue // the schemas begin with 12.1
			}
			doc, err := eas.Marshal(eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "1", CollectionID: "1", Status: eas.SyncOK,
				Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "1:1", Data: ps}}}}}, v)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			eastest.Validate(t, doc)
		}
	}
}

// get reads the content at a path of tags.
func get(ps eas.Properties, path ...wbxml.Tag) string {
	el, ok := ps.Find(path[0])
	switch {
	case !ok:
		return "-"
	case len(path) > 1:
		return get(el.Children, path[1:]...)
	}
	return el.Content()
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		sample  string
		version eas.Version
		path    []wbxml.Tag
		want    string
	}{
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261123T110000Z"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261123T120000Z"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarReminder}, "15"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarSensitivity}, "2"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarLocation}, "Canteen"},
		{"zoned", eas.V141, []wbxml.Tag{tag.AirSyncBaseLocation}, "-"},
		{"zoned", eas.V161, []wbxml.Tag{tag.CalendarLocation}, "-"},
		{"zoned", eas.V161, []wbxml.Tag{tag.AirSyncBaseLocation, tag.AirSyncBaseDisplayName}, "Canteen"},
		{"zoned", eas.V161, []wbxml.Tag{tag.AirSyncBaseLocation, tag.AirSyncBaseLatitude}, "52.5"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarCategories, tag.CalendarCategory}, "Work"},
		{"zoned", eas.V141, []wbxml.Tag{tag.AirSyncBaseBody, tag.AirSyncBaseData}, "Soup, then cake\r\nand coffee"},
		{"zoned", eas.V25, []wbxml.Tag{tag.CalendarBody}, "Soup, then cake\r\nand coffee"},
		{"zoned", eas.V25, []wbxml.Tag{tag.AirSyncBaseBody}, "-"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarBusyStatus}, "2"},
		{"utc", eas.V141, []wbxml.Tag{tag.CalendarBusyStatus}, "0"},
		{"duration", eas.V141, []wbxml.Tag{tag.CalendarBusyStatus}, "1"},
		{"overnight", eas.V141, []wbxml.Tag{tag.CalendarBusyStatus}, "3"},
		{"floating", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261123T060000Z"},
		{"duration", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261123T133000Z"},
		{"no length", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261123T110000Z"},
		{"two zones", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261123T200000Z"},
		{"own zone", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261123T103000Z"},
		{"unknown zone", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261123T110000Z"},
		{"all day", eas.V141, []wbxml.Tag{tag.CalendarAllDayEvent}, "1"},
		{"all day", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261224T230000Z"},
		{"all day", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261227T230000Z"},
		{"all day", eas.V161, []wbxml.Tag{tag.CalendarStartTime}, "20261225T000000Z"},
		{"all day", eas.V161, []wbxml.Tag{tag.CalendarEndTime}, "20261228T000000Z"},
		{"all day", eas.V161, []wbxml.Tag{tag.CalendarTimezone}, "-"},
		{"one day", eas.V141, []wbxml.Tag{tag.CalendarEndTime}, "20261225T230000Z"},
		{"Outlook's all day", eas.V141, []wbxml.Tag{tag.CalendarAllDayEvent}, "1"},
		{"Outlook's all day", eas.V161, []wbxml.Tag{tag.CalendarEndTime}, "20261226T000000Z"},
		{"zoned", eas.V141, []wbxml.Tag{tag.CalendarMeetingStatus}, "0"},
		{"meeting", eas.V141, []wbxml.Tag{tag.CalendarMeetingStatus}, "1"},
		{"meeting", eas.V141, []wbxml.Tag{tag.CalendarResponseType}, "1"},
		{"meeting", eas.V121, []wbxml.Tag{tag.CalendarResponseType}, "-"},
		{"meeting", eas.V141, []wbxml.Tag{tag.CalendarOrganizerEmail}, "ann@example.org"},
		{"meeting", eas.V25, []wbxml.Tag{tag.CalendarAttendees, tag.CalendarAttendee, tag.CalendarAttendeeStatus}, "-"},
		{"meeting", eas.V121, []wbxml.Tag{tag.CalendarAttendees, tag.CalendarAttendee, tag.CalendarAttendeeStatus}, "3"},
		{"invitation", eas.V141, []wbxml.Tag{tag.CalendarMeetingStatus}, "7"},
		{"invitation", eas.V141, []wbxml.Tag{tag.CalendarResponseType}, "5"},
		{"invitation", eas.V141, []wbxml.Tag{tag.CalendarResponseRequested}, "1"},
		{"weekly", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarUntil}, "20270301T090000Z"},
		{"weekly", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarFirstDayOfWeek}, "0"},
		{"weekly", eas.V140, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarFirstDayOfWeek}, "-"},
		{"weekly", eas.V141, []wbxml.Tag{tag.CalendarExceptions, tag.CalendarException, tag.CalendarExceptionStartTime}, "20261019T080000Z"},
		{"weekly", eas.V161, []wbxml.Tag{tag.CalendarExceptions, tag.CalendarException, tag.AirSyncBaseInstanceId}, "20261019T080000Z"},
		{"daily dates", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarOccurrences}, "10"},
		{"daily dates", eas.V141, []wbxml.Tag{tag.CalendarExceptions, tag.CalendarException, tag.CalendarExceptionStartTime}, "20261102T230000Z"},
		{"daily dates", eas.V161, []wbxml.Tag{tag.CalendarExceptions, tag.CalendarException, tag.AirSyncBaseInstanceId}, "20261103T000000Z"},
		{"without a day", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarDayOfMonth}, "15"},
		{"on two days", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarType}, "1"},
		{"on two days", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarUntil}, "20281120T060000Z"},
		{"on two days", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20260105T060000Z"},
		{"on two days", eas.V141, []wbxml.Tag{tag.AirSyncBaseBody, tag.AirSyncBaseData}, "It recurs in a way that phones cannot be told: every month on the first Monday and the third Monday. " +
			"Its occurrences are shown until 20 November 2028. It can be changed in the calendar itself, not on the phone."},
		{"a bomb", eas.V141, []wbxml.Tag{tag.CalendarRecurrence}, "-"},
		{"a bomb", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261122T080001Z"},
		{"every six hours", eas.V141, []wbxml.Tag{tag.CalendarStartTime}, "20261122T123000Z"},
		{"every six hours", eas.V141, []wbxml.Tag{tag.AirSyncBaseBody, tag.AirSyncBaseData}, "Take it\r\n\r\nIt recurs in a way that phones cannot be told: every 6 hours. " +
			"Only its next occurrence is shown here. It can be changed in the calendar itself, not on the phone."},
		{"online", eas.V141, []wbxml.Tag{tag.CalendarOnlineMeetingExternalLink}, "https://meet.example.org/a"},
		{"online", eas.V161, []wbxml.Tag{tag.CalendarOnlineMeetingConfLink}, "sip:a@example.org"},
		{"online", eas.V141, []wbxml.Tag{tag.AirSyncBaseBody, tag.AirSyncBaseData}, "Talk\r\n\r\nhttps://example.org/agenda"},
		{"online", eas.V121, []wbxml.Tag{tag.AirSyncBaseBody, tag.AirSyncBaseData}, "Talk\r\n\r\nhttps://example.org/agenda\r\nhttps://meet.example.org/a"},
		{"online", eas.V121, []wbxml.Tag{tag.CalendarOnlineMeetingExternalLink}, "-"},
		{"extra dates", eas.V141, []wbxml.Tag{tag.CalendarRecurrence, tag.CalendarType}, "1"},
		{"an orphan", eas.V161, []wbxml.Tag{tag.AirSyncBaseInstanceId}, "20261123T100000Z"},
		{"folded in words", eas.V141, []wbxml.Tag{tag.CalendarSubject}, "Folded 😀"},
	} {
		ps, err := FromICalendar(samples[c.sample], options(c.version))
		if err != nil {
			t.Errorf("%s: %v", c.sample, err)
			continue
		}
		if got := get(ps, c.path...); got != c.want {
			t.Errorf("%s in %v: %s = %q, want %q", c.sample, c.version, tag.Name(c.path[len(c.path)-1]), got, c.want)
		}
	}
}

func TestZoneOfASeries(t *testing.T) {
	// The rule of 2005 is wrong for today's occurrences, today's rule agrees
	// with the start.
	summer := vevent("DTSTART;TZID=America/New_York:20050701T100000", "RRULE:FREQ=WEEKLY")
	// Here it does not: a phone would take the start for another hour.
	march := vevent("DTSTART;TZID=America/New_York:20050320T100000", "RRULE:FREQ=WEEKLY")
	for name, c := range map[string]struct {
		ics   []byte
		month time.Month
	}{"today's rule": {summer, 3}, "the rule of its year": {march, 4}} {
		ps, err := FromICalendar(c.ics, options(eas.V141))
		if err != nil {
			t.Fatal(err)
		}
		b, err := tz.ParseBlob(get(ps, tag.CalendarTimezone))
		if err != nil || b.DaylightDate.Month != c.month {
			t.Errorf("%s: summer time begins in %v, %v, want %v", name, b.DaylightDate.Month, err, c.month)
		}
	}
}

func TestFacts(t *testing.T) {
	at := func(y int, m time.Month, d, h, min int) int64 {
		return time.Date(y, m, d, h, min, 0, 0, time.UTC).Unix()
	}
	for sample, want := range map[string]int64{
		"zoned":         at(2026, 11, 23, 12, 0),
		"all day":       at(2026, 12, 28, 0, 0),
		"weekly":        at(2027, 3, 1, 10, 0),
		"daily dates":   at(2026, 11, 11, 0, 0),
		"without a day": translate.Forever,
		"only dates":    at(2026, 12, 1, 10, 30),
		"on two days":   translate.Forever,
		"a bomb":        translate.Forever,
	} {
		if got, err := Facts(samples[sample], translate.Options{Now: options(0).Now}); err != nil || got.Ends != want || got.Done {
			t.Errorf("%s: %+v, %v, want an end at %d", sample, got, err, want)
		}
	}
	late := vevent("DTSTART:20200101T100000Z", "RRULE:FREQ=DAILY;COUNT=2", "END:VEVENT", "BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID:20200102T100000Z", "DTSTART:20300101T100000Z")
	if got, _ := Facts(late, options(eas.V161)); got.Ends != at(2030, 1, 1, 10, 0) {
		t.Errorf("an occurrence moved to 2030: %+v\nA filter would hide it.", got)
	}
}

func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		name, ics string
		want      error
	}{
		{"nothing", "", translate.ErrUnreadable},
		{"a card", "BEGIN:VCARD\r\nEND:VCARD\r\n", translate.ErrUnreadable},
		{"an event without a start", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", translate.ErrUnreadable},
		{"a to-do", "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n", translate.ErrNotShown},
	} {
		if _, err := FromICalendar([]byte(c.ics), options(eas.V141)); !errors.Is(err, c.want) {
			t.Errorf("%s: error = %v, want %v", c.name, err, c.want)
		}
	}
}

// FuzzMerge: whatever the object, a phone that changes nothing changes nothing.
func FuzzMerge(f *testing.F) {
	for _, ics := range samples {
		f.Add(ics)
	}
	f.Fuzz(func(t *testing.T, ics []byte) {
		for _, v := range versions {
			identity(t, ics, options(v))
		}
		Facts(ics, options(eas.V161))
	})
}

// The benchmarks are of 10,000 events each: a tenth plain ones in UTC, the rest
// with zones, alarms, guests, series and their exceptions.
const benchEvents = 10_000

var benchSamples = []string{"zoned", "utc", "meeting", "weekly", "all day", "invitation", "daily dates", "duration", "without a day", "overnight"}

func tenThousand(b *testing.B, do func(ics []byte, o translate.Options)) {
	o := options(eas.V161)
	b.ReportAllocs()
	for b.Loop() {
		for i := range benchEvents {
			do(samples[benchSamples[i%len(benchSamples)]], o)
		}
	}
}

func BenchmarkToPhone(b *testing.B) {
	tenThousand(b, func(ics []byte, o translate.Options) { FromICalendar(ics, o) })
}

func BenchmarkFromPhone(b *testing.B) {
	tenThousand(b, func(ics []byte, o translate.Options) {
		Merge(ics, eas.Properties{eas.T(tag.CalendarSubject, "New")}, o)
	})
}

func BenchmarkNew(b *testing.B) {
	sent := eas.Properties{eas.T(tag.CalendarTimezone, blobOf("Europe/Berlin")), eas.T(tag.CalendarSubject, "Tea"), eas.T(tag.CalendarStartTime, "20261123T110000Z"), eas.T(tag.CalendarEndTime, "20261123T120000Z"), eas.T(tag.CalendarReminder, "15")}
	tenThousand(b, func(_ []byte, o translate.Options) { New("u", sent, o) })
}

func BenchmarkFromICalendar(b *testing.B) {
	for _, sample := range benchSamples {
		b.Run(sample, func(b *testing.B) {
			o := options(eas.V161)
			b.ReportAllocs()
			for b.Loop() {
				FromICalendar(samples[sample], o)
			}
		})
	}
	b.Run("on two days", func(b *testing.B) { // an expansion
		for b.Loop() {
			FromICalendar(samples["on two days"], options(eas.V161))
		}
	})
}

func BenchmarkFacts(b *testing.B) {
	for b.Loop() {
		Facts(samples["weekly"], options(eas.V161))
	}
}
