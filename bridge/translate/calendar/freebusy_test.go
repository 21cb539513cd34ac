package calendar_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
)

// vcal is an object of the components that the lines are in.
func vcal(components ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(components, "") + "END:VCALENDAR\r\n")
}

func vevent(lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:1\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

// MS-ASCMD "MergedFreeBusy": a digit for each half hour, the higher one where
// several apply. The span is 1 December 2026, from 8 to 12 in UTC.
func TestBusyTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	to := from.Add(4 * time.Hour)
	at := func(lines ...string) []byte {
		return vcal(vevent(append([]string{"DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"}, lines...)...))
	}
	for _, tt := range []struct {
		name string
		give []byte
		want string
	}{
		{"an hour", at(), "00220000"},
		{"transparent", at("TRANSP:TRANSPARENT"), "00000000"},
		{"tentative", at("STATUS:TENTATIVE"), "00110000"},
		{"cancelled", at("STATUS:CANCELLED"), "00000000"},
		{"out of office", at("X-MICROSOFT-CDO-BUSYSTATUS:OOF"), "00330000"},
		{"declined", at("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"), "00000000"},
		{"not answered", at("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.org"), "00110000"},
		{"accepted", at("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"), "00220000"},
		{"a part of half an hour counts as all of it", vcal(vevent("DTSTART:20261201T091500Z", "DURATION:PT20M")), "00220000"},
		{"nothing at the edges", vcal(vevent("DTSTART:20261201T070000Z", "DTEND:20261201T080000Z")), "00000000"},
		{"over the beginning", vcal(vevent("DTSTART:20261130T070000Z", "DTEND:20261201T083000Z")), "20000000"},
		{"over the end", vcal(vevent("DTSTART:20261201T113000Z", "DTEND:20261205T083000Z")), "00000002"},
		{"without a length", vcal(vevent("DTSTART:20261201T093000Z")), "00000000"},
		{"all day", vcal(vevent("DTSTART;VALUE=DATE:20261201")), "22222222"},
		{"the day before, in the person's zone", vcal(vevent("DTSTART;VALUE=DATE:20261130")), "00000000"},
		{"a zone", vcal(vevent("DTSTART;TZID=Europe/Berlin:20261201T100000", "DURATION:PT1H")), "00220000"},
		{"floating in the person's zone", vcal(vevent("DTSTART:20261201T100000", "DURATION:PT1H")), "00220000"},
		{"every day since summer", vcal(vevent("DTSTART;TZID=Europe/Berlin:20260701T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY")), "00220000"},
		{"a series that is over", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10")), "00000000"},
		{"until the day before", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261130T235959Z")), "00000000"},
		{"taken out", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXDATE:20261201T090000Z")), "00000000"},
		{"taken out by a rule", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY;BYDAY=TU")), "00000000"},
		{"put in", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RDATE:20261201T110000Z")), "00000022"},
		{"put in, with a length of its own", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;VALUE=PERIOD:20261127T090000Z/20261201T083000Z,20261201T100000Z/PT90M")), "20002220"},
		{"moved", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
			vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T110000Z", "DURATION:PT30M")), "00000020"},
		{"moved here from another week", vcal(vevent("DTSTART:20260702T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"),
			vevent("RECURRENCE-ID:20261210T090000Z", "DTSTART:20261201T110000Z", "DURATION:PT30M")), "00000020"},
		{"one occurrence is cancelled", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
			vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T090000Z", "DURATION:PT1H", "STATUS:CANCELLED")), "00000000"},
		{"later from some day on", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20260801T090000Z", "DTSTART:20260801T100000Z", "DURATION:PT1H")), "00002200"},
		{"later from some day on, and earlier from another", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20260801T090000Z", "DTSTART:20260801T100000Z", "DURATION:PT1H"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20260901T090000Z", "DTSTART:20260901T083000Z", "DURATION:PT1H")), "02200000"},
		{"only occurrences", vcal(vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T090000Z", "DURATION:PT30M"),
			vevent("RECURRENCE-ID:20261201T110000Z", "DTSTART:20261201T110000Z", "DURATION:PT30M")), "00200020"},
		{"a rule that nobody can follow", vcal(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=SECONDLY")), "44444444"},
		{"a rule that is made to cost a lot", vcal(vevent("DTSTART:16010101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYHOUR="+all(24)+";BYMINUTE="+all(60)+";BYSECOND="+all(60))), "44444444"},
		{"such a rule of something that takes no time", vcal(vevent("DTSTART:20260701T090000Z", "TRANSP:TRANSPARENT", "RRULE:FREQ=SECONDLY")), "00000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := calendar.Periods(tt.give, from, to, translate.Options{Now: from, Zone: berlin, Self: []string{"ann@example.org"}})
			if got := calendar.MergeBusy(list, from, to); got != tt.want || err != nil {
				t.Errorf("merged: %s, %v\nwant    %s\nperiods %v", got, err, tt.want, list)
			}
		})
	}
	if _, err := calendar.Periods([]byte("no object"), from, to, translate.Options{}); !errors.Is(err, translate.ErrUnreadable) {
		t.Errorf("what is no object: error = %v, want ErrUnreadable", err)
	}
}

// all are the numbers from 0 up.
func all(n int) string {
	var list []string
	for i := range n {
		list = append(list, strconv.Itoa(i))
	}
	return strings.Join(list, ",")
}

// MS-ASCMD "MergedFreeBusy": at most 32 KB.
func TestMergedFreeBusyIsBounded(t *testing.T) {
	from := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	if got := calendar.MergeBusy(nil, from, from.AddDate(10, 0, 0)); len(got) != 32<<10 {
		t.Errorf("ten years are %d digits, want the limit", len(got))
	}
	if got := calendar.MergeBusy(nil, from, from.Add(31*time.Minute)); got != "00" {
		t.Errorf("31 minutes are %q, want two digits", got)
	}
	if got := calendar.MergeBusy(nil, from, from); got != "" {
		t.Errorf("no time is %q", got)
	}
}

// RFC 5545, section 3.6.4: what a server tells of others.
func TestFreeBusyOfAServer(t *testing.T) {
	from := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	list, err := calendar.FreeBusy(vcal("BEGIN:VFREEBUSY\r\n" + strings.Join([]string{
		"FREEBUSY:20261201T080000Z/20261201T083000Z,20261201T110000Z/PT30M",
		"FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261201T090000Z/PT1H",
		"FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261201T093000Z/PT30M",
		"FREEBUSY;FBTYPE=FREE:20261201T080000Z/PT4H",
		"FREEBUSY:nonsense/PT1H,20261201T080000Z/-PT1H,20261201T080000Z",
	}, "\r\n") + "\r\nEND:VFREEBUSY\r\n"))
	if got := calendar.MergeBusy(list, from, from.Add(4*time.Hour)); got != "20130020" || err != nil {
		t.Errorf("merged: %s, %v, want 20130020", got, err)
	}
	if _, err := calendar.FreeBusy(vcal()); !errors.Is(err, translate.ErrUnreadable) {
		t.Errorf("without VFREEBUSY: error = %v, want ErrUnreadable: nobody shall seem free", err)
	}
}

// Whatever stands in a calendar, the digits are as many as the half hours, and
// nothing but 0 to 4.
func FuzzPeriods(f *testing.F) {
	f.Add(vcal(vevent("DTSTART:20261201T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=2", "EXDATE:20261203T090000Z")))
	f.Add(vcal(vevent("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=YEARLY;BYDAY=-1SU"), vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T110000Z")))
	f.Add(vcal("BEGIN:VFREEBUSY\r\nFREEBUSY:20261201T080000Z/P1D\r\nEND:VFREEBUSY\r\n"))
	from := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 42)
	f.Fuzz(func(t *testing.T, ics []byte) {
		list, err := calendar.Periods(ics, from, to, translate.Options{Now: from, Self: []string{"ann@example.org"}})
		if err != nil && !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
			t.Errorf("Periods: error = %v", err)
		}
		told, err := calendar.FreeBusy(ics)
		if err != nil && !errors.Is(err, translate.ErrUnreadable) {
			t.Errorf("FreeBusy: error = %v", err)
		}
		merged := calendar.MergeBusy(append(list, told...), from, to)
		if len(merged) != 42*48 || strings.Trim(merged, "01234") != "" {
			t.Errorf("merged to %d digits %q", len(merged), merged)
		}
	})
}
