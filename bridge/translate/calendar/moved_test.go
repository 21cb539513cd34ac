package calendar

import (
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// TestReminderOfAMovedEvent: the reminder stays as long before the start as the phone
// shows, and stays one alarm, however the alarm says when it goes off.
func TestReminderOfAMovedEvent(t *testing.T) {
	alarm := func(trigger string) []string {
		return []string{"BEGIN:VALARM", "ACTION:DISPLAY", trigger, "X-KEPT:1", "END:VALARM"}
	}
	const atTime, beforeEnd = "TRIGGER;VALUE=DATE-TIME:20261123T104500Z", "TRIGGER;RELATED=END:-PT105M"
	earlier := set(tag.CalendarStartTime, "20261122T110000Z", tag.CalendarEndTime, "20261122T123000Z")
	later := set(tag.CalendarStartTime, "20261130T110000Z", tag.CalendarEndTime, "20261130T123000Z")
	longer := set(tag.CalendarEndTime, "20261123T170000Z")
	alone := func(e edit) edit { return func(eas.Properties) eas.Properties { return e(nil) } }
	for _, c := range []struct {
		name, trigger string
		version       eas.Version
		edit          edit
		want          string // of TRIGGER
	}{
		{"at a time, a day earlier", atTime, eas.V141, earlier, "TRIGGER:-PT15M"},
		{"at a time, a day earlier, in 2.5", atTime, eas.V25, earlier, "TRIGGER:-PT15M"},
		{"at a time, a week later", atTime, eas.V141, later, "TRIGGER:-PT15M"},
		{"at a time, a week later, by a phone that sends the times alone", atTime, eas.V161, alone(later), "TRIGGER:-PT15M"},
		{"at a time, a day earlier, by a phone that sends the times alone", atTime, eas.V161, alone(earlier), "TRIGGER:-PT15M"},
		{"at a time, with another reminder", atTime, eas.V141, all(earlier, set(tag.CalendarReminder, "30")), "TRIGGER:-PT30M"},
		{"at a time, without a reminder", atTime, eas.V141, all(earlier, drop(tag.CalendarReminder)), ""},
		{"at a time, only longer", atTime, eas.V141, longer, atTime},
		{"before the end, longer", beforeEnd, eas.V141, longer, "TRIGGER:-PT15M"},
		{"before the end, longer, by a phone that sends the end alone", beforeEnd, eas.V161, alone(longer), "TRIGGER:-PT15M"},
		{"before the end, longer, without a reminder", beforeEnd, eas.V141, all(longer, drop(tag.CalendarReminder)), ""},
		{"before the end, later", beforeEnd, eas.V141, later, beforeEnd},
	} {
		t.Run(c.name, func(t *testing.T) {
			ics := vevent(append([]string{"SUMMARY:Tea", "DTSTART:20261123T110000Z", "DTEND:20261123T123000Z"}, alarm(c.trigger)...)...)
			o := options(c.version)
			ps, err := FromICalendar(ics, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Merge(ics, c.edit(ps), o)
			if err != nil {
				t.Fatal(err)
			}
			var triggers []string
			for l := range strings.SplitSeq(string(got), "\r\n") {
				if strings.HasPrefix(l, "TRIGGER") {
					triggers = append(triggers, l)
				}
			}
			if strings.Join(triggers, "|") != c.want {
				t.Errorf("alarms %q, want %q", triggers, c.want)
			}
			if kept := strings.Contains(string(got), "X-KEPT:1"); kept != (c.want != "") {
				t.Errorf("the alarm is another one:\n%s", got)
			}
			identity(t, got, o)
		})
	}
}

// TestAlarmOfASeriesAtOneTime: it is none of an occurrence that a phone changes.
func TestAlarmOfASeriesAtOneTime(t *testing.T) {
	ics := vevent("SUMMARY:Tea", "DTSTART:20261123T110000Z", "DTEND:20261123T123000Z", "RRULE:FREQ=DAILY",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20261101T104500Z", "END:VALARM")
	o := options(eas.V161)
	got, err := MergeInstance(ics, "20261125T110000Z", eas.Properties{eas.T(tag.CalendarSubject, "Cake")}, o)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := FromICalendar(got, o)
	if reminder := get(ps, tag.CalendarExceptions, tag.CalendarException, tag.CalendarReminder); err != nil || reminder != "-" {
		t.Errorf("the changed occurrence has a reminder %s minutes before, %v", reminder, err)
	}
	if n := strings.Count(string(got), "BEGIN:VALARM"); n != 1 {
		t.Errorf("%d alarms, want the series' own:\n%s", n, got)
	}
}

// TestOneTimeAlone: from 16.0 on a time that a phone does not send is as it was.
func TestOneTimeAlone(t *testing.T) {
	timed := vevent("DTSTART;TZID=Europe/Berlin:20261123T120000", "DTEND;TZID=Europe/Berlin:20261123T140000")
	days := vevent("DTSTART;VALUE=DATE:20261223", "DTEND;VALUE=DATE:20261226")
	weekly := vevent("DTSTART;TZID=Europe/Berlin:20261123T120000", "DTEND;TZID=Europe/Berlin:20261123T140000", "RRULE:FREQ=WEEKLY")
	for _, c := range []struct {
		name    string
		ics     []byte
		version eas.Version
		at      string // InstanceId, or ""
		sent    eas.Element
		want    string // start and end as the phone is told them afterwards
	}{
		{"an earlier start", timed, eas.V161, "", eas.T(tag.CalendarStartTime, "20261123T100000Z"), "20261123T100000Z 20261123T130000Z"},
		{"a later start", timed, eas.V160, "", eas.T(tag.CalendarStartTime, "20261123T120000Z"), "20261123T120000Z 20261123T130000Z"},
		{"a start when it was over", timed, eas.V161, "", eas.T(tag.CalendarStartTime, "20261123T130000Z"), "20261123T130000Z 20261123T150000Z"},
		{"another end", timed, eas.V161, "", eas.T(tag.CalendarEndTime, "20261123T140000Z"), "20261123T110000Z 20261123T140000Z"},
		{"before 16.0 the length stays", timed, eas.V141, "", eas.T(tag.CalendarStartTime, "20261123T100000Z"), "20261123T100000Z 20261123T120000Z"},
		{"a day earlier", days, eas.V161, "", eas.T(tag.CalendarStartTime, "20261222T000000Z"), "20261222T000000Z 20261226T000000Z"},
		{"a day later", days, eas.V161, "", eas.T(tag.CalendarStartTime, "20261224T000000Z"), "20261224T000000Z 20261226T000000Z"},
		{"a day when it was over", days, eas.V161, "", eas.T(tag.CalendarStartTime, "20261226T000000Z"), "20261226T000000Z 20261229T000000Z"},
		{"an earlier start of one occurrence", weekly, eas.V161, "20261130T110000Z", eas.T(tag.CalendarStartTime, "20261130T100000Z"), "20261130T100000Z 20261130T130000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(c.version)
			got, err := Merge(c.ics, eas.Properties{c.sent}, o)
			if c.at != "" {
				got, err = MergeInstance(c.ics, c.at, eas.Properties{c.sent}, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			ps, err := FromICalendar(got, o)
			if err != nil {
				t.Fatal(err)
			}
			var path []wbxml.Tag
			if c.at != "" {
				path = []wbxml.Tag{tag.CalendarExceptions, tag.CalendarException}
			}
			times := get(ps, append(path, tag.CalendarStartTime)...) + " " + get(ps, append(path, tag.CalendarEndTime)...)
			if times != c.want {
				t.Errorf("times %s, want %s", times, c.want)
			}
			identity(t, got, o)
		})
	}
}

// TestOccurrenceAnHourOff: a phone works out the occurrences of a long series by the
// one rule that it is told, where the zone had others since.
func TestOccurrenceAnHourOff(t *testing.T) {
	// Until 2011 Moscow had summer time, and no longer has.
	day := vevent("SUMMARY:Tea", "DTSTART;TZID=Europe/Moscow:20100701T110000", "DTEND;TZID=Europe/Moscow:20100701T120000", "RRULE:FREQ=DAILY")
	night := vevent("SUMMARY:Tea", "DTSTART;TZID=Europe/Moscow:20100701T003000", "DTEND;TZID=Europe/Moscow:20100701T010000", "RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Moscow:20260630T003000")
	for _, c := range []struct {
		name string
		ics  []byte
		at   string
		want string // EXDATE that is added
	}{
		{"in winter", day, "20261201T080000Z", "EXDATE;TZID=Europe/Moscow:20261201T110000"},
		{"in summer by today's rule", day, "20260701T080000Z", "EXDATE;TZID=Europe/Moscow:20260701T110000"},
		{"in summer by the rule of then", day, "20260701T070000Z", "EXDATE;TZID=Europe/Moscow:20260701T110000"},
		{"at midnight by the rule of then", night, "20260630T203000Z", "EXDATE;TZID=Europe/Moscow:20260701T003000"},
		{"at some other time", day, "20260701T040000Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DeleteInstance(c.ics, c.at, options(eas.V161))
			if c.want == "" {
				if !errors.Is(err, translate.ErrInvalid) {
					t.Errorf("error = %v, want ErrInvalid", err)
				}
				return
			}
			if _, added := lines(c.ics, got); err != nil || added != c.want {
				t.Errorf("16.1: added %q, %v, want %q", added, err, c.want)
			}
			invited := []byte(strings.Replace(string(c.ics), "SUMMARY:Tea", "SUMMARY:Tea\r\nORGANIZER:mailto:bob@example.org\r\nATTENDEE:mailto:ann@example.org", 1))
			got, err = Respond(invited, Answer{Response: Accepted, Instance: c.at}, options(eas.V161))
			if named := strings.Replace(c.want, "EXDATE", "RECURRENCE-ID", 1); err != nil || !strings.Contains(string(got), "\r\n"+named+"\r\n") {
				t.Errorf("an answer: no %s, %v, in\n%s", named, err, got)
			}
			sent := within(tag.CalendarExceptions, only(eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), eas.T(tag.CalendarExceptionStartTime, c.at))))
			ps, err := FromICalendar(c.ics, options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := ps.Find(tag.CalendarExceptions); !ok {
				ps = append(ps, eas.C(tag.CalendarExceptions))
			}
			got, err = Merge(c.ics, sent(ps), options(eas.V141))
			if _, added := lines(c.ics, got); err != nil || added != c.want {
				t.Errorf("14.1: added %q, %v, want %q", added, err, c.want)
			}
		})
	}
}

// TestOccurrenceThatNoClockShows: an occurrence in the hour that summer time skips
// has the name that phones are told.
func TestOccurrenceThatNoClockShows(t *testing.T) {
	ics := vevent("SUMMARY:Tea", "DTSTART;TZID=Europe/Berlin:20260328T023000", "DTEND;TZID=Europe/Berlin:20260328T033000", "RRULE:FREQ=DAILY;COUNT=3")
	got, err := DeleteInstance(ics, "20260329T013000Z", options(eas.V161))
	if _, added := lines(ics, got); err != nil || added != "EXDATE;TZID=Europe/Berlin:20260329T023000" {
		t.Fatalf("added %q, %v", added, err)
	}
	ps, err := FromICalendar(got, options(eas.V161))
	if at := get(ps, tag.CalendarExceptions, tag.CalendarException, tag.AirSyncBaseInstanceId); err != nil || at != "20260329T013000Z" {
		t.Errorf("the phone is told of %s, %v", at, err)
	}
}

// TestTwoOverridesOfOneOccurrence: the later one is shown and edited, and with it goes
// what a program left behind.
func TestTwoOverridesOfOneOccurrence(t *testing.T) {
	override := func(sequence, subject string) []string {
		return []string{"END:VEVENT", "BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID:20261130T100000Z", "SEQUENCE:" + sequence, "SUMMARY:" + subject, "DTSTART:20261130T110000Z"}
	}
	ics := vevent(append(append([]string{"SUMMARY:Tea", "DTSTART:20261123T100000Z", "RRULE:FREQ=WEEKLY"}, override("1", "old")...), override("2", "new")...)...)
	for _, v := range eas.Versions {
		ps, err := FromICalendar(ics, options(v))
		if subject := get(ps, tag.CalendarExceptions, tag.CalendarException, tag.CalendarSubject); err != nil || subject != "new" {
			t.Errorf("%v: shown %q, %v", v, subject, err)
		}
		identity(t, ics, options(v))
	}
	o := options(eas.V161)
	got, err := MergeInstance(ics, "20261130T100000Z", eas.Properties{eas.T(tag.CalendarSubject, "Cake")}, o)
	if gone, added := lines(ics, got); err != nil || gone != "SUMMARY:new" || added != "SUMMARY:Cake" {
		t.Errorf("gone %q, added %q, %v", gone, added, err)
	}
	got, err = DeleteInstance(ics, "20261130T100000Z", o)
	if err != nil || strings.Contains(string(got), "RECURRENCE-ID") || !strings.Contains(string(got), "\r\nEXDATE:20261130T100000Z\r\n") {
		t.Errorf("%v: it is not gone:\n%s", err, got)
	}
}

// TestNextSeriesIsNew: of a series that a phone made a single event of nothing comes
// back when it recurs again.
func TestNextSeriesIsNew(t *testing.T) {
	o := options(eas.V141)
	ps, err := FromICalendar(samples["weekly"], o)
	if err != nil {
		t.Fatal(err)
	}
	single, err := Merge(samples["weekly"], drop(tag.CalendarRecurrence, tag.CalendarExceptions)(ps), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Merge(single, drop(tag.CalendarExceptions)(ps), o)
	if err != nil {
		t.Fatal(err)
	}
	ps, err = FromICalendar(again, o)
	if _, ok := ps.Find(tag.CalendarRecurrence); err != nil || !ok {
		t.Fatalf("it does not recur again, %v", err)
	}
	if list, ok := ps.Find(tag.CalendarExceptions); ok {
		t.Errorf("it has exceptions that the phone did not send: %v", list)
	}
}

// TestDaysByTheHour: an event that takes whole days, of a length in hours, ends with
// the last of its days, wherever the person is.
func TestDaysByTheHour(t *testing.T) {
	for duration, want := range map[string]string{"PT24H": "20261224T000000Z", "PT36H": "20261225T000000Z", "P1DT1H": "20261225T000000Z", "PT1440M": "20261224T000000Z", "P2D": "20261225T000000Z"} {
		ics := vevent("DTSTART;VALUE=DATE:20261223", "DURATION:"+duration)
		for _, zone := range []string{"Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"} {
			o := options(eas.V161)
			o.Zone, _ = tz.Location(zone)
			ps, err := FromICalendar(ics, o)
			if end := get(ps, tag.CalendarEndTime); err != nil || end != want {
				t.Errorf("%s in %s: ends %s, %v, want %s", duration, zone, end, err, want)
			}
			identity(t, ics, o)
		}
	}
}

// TestCalledOffIsFree: what does not take place keeps nobody busy.
func TestCalledOffIsFree(t *testing.T) {
	ics := vevent("DTSTART;TZID=Europe/Berlin:20261005T100000", "RRULE:FREQ=WEEKLY", "END:VEVENT",
		"BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID;TZID=Europe/Berlin:20261102T100000", "DTSTART;TZID=Europe/Berlin:20261102T100000", "STATUS:CANCELLED")
	for _, v := range eas.Versions {
		ps, err := FromICalendar(ics, options(v))
		if err != nil {
			t.Fatal(err)
		}
		if all, one := get(ps, tag.CalendarBusyStatus), get(ps, tag.CalendarExceptions, tag.CalendarException, tag.CalendarBusyStatus); all != "2" || one != "0" {
			t.Errorf("%v: BusyStatus %s, of the occurrence %s, want 2 and 0", v, all, one)
		}
		identity(t, ics, options(v))
	}
}

// TestFloatingNamesOfOccurrences: an EXDATE or RECURRENCE-ID without the TZID of its
// series is on the series' clock, wherever the person is.
func TestFloatingNamesOfOccurrences(t *testing.T) {
	ics := vevent("SUMMARY:Tea", "DTSTART;TZID=America/New_York:20261123T110000", "DTEND;TZID=America/New_York:20261123T120000", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20261124T110000",
		"END:VEVENT", "BEGIN:VEVENT", "UID:e1", "RECURRENCE-ID:20261125T110000", "DTSTART;TZID=America/New_York:20261125T130000", "DTEND;TZID=America/New_York:20261125T140000")
	for _, v := range eas.Versions {
		ps, err := FromICalendar(ics, options(v))
		if err != nil {
			t.Fatal(err)
		}
		const want = "2026-11-23 11:00,2026-11-25 13:00,2026-11-26 11:00"
		if got := strings.Join(onPhone(t, ps, v), ","); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
		identity(t, ics, options(v))
	}
}

// TestSamePlaceInOtherDigits: a phone that writes the numbers of a place in its own
// way has not moved it.
func TestSamePlaceInOtherDigits(t *testing.T) {
	place := func(lat, long string) edit {
		return only(eas.C(tag.AirSyncBaseLocation, eas.T(tag.AirSyncBaseDisplayName, "Canteen"), eas.T(tag.AirSyncBaseLatitude, lat), eas.T(tag.AirSyncBaseLongitude, long)))
	}
	ics := vevent("DTSTART:20261123T110000Z", "LOCATION:Canteen", `X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Canteen":geo:52.5,13.4`)
	for _, c := range []struct{ lat, long, gone string }{
		{"52.500000", "13.40", ""},
		{"5.25e1", " 13.4 ", ""},
		{"52.500001", "13.4", `X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="Canteen":geo:52.5,13.4`},
	} {
		got, err := Merge(ics, place(c.lat, c.long)(nil), options(eas.V161))
		if gone, _ := lines(ics, got); err != nil || gone != c.gone {
			t.Errorf("%s, %s: gone %q, %v, want %q", c.lat, c.long, gone, err, c.gone)
		}
	}
}
