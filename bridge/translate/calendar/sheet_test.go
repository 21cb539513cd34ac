package calendar

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// everything has each property that a phone can be shown and sends back.
func everything(rule string) []byte {
	lines := []string{"SUMMARY:Plan", "DTSTART;TZID=Europe/Berlin:20261102T100000", "DTEND;TZID=Europe/Berlin:20261102T110000", "LOCATION:Roof", "CLASS:CONFIDENTIAL",
		"TRANSP:TRANSPARENT", "CATEGORIES:Work,Food", "DESCRIPTION:" + strings.Repeat("All of it\\n", 12), "ORGANIZER;CN=Ann:mailto:ann@example.org",
		"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;ROLE=OPT-PARTICIPANT;RSVP=TRUE:mailto:bob@example.org", disallow + ":TRUE", replyTime + ":20261101T080000Z",
		"X-GOOGLE-CONFERENCE:https://meet.example.org/a", "CONFERENCE;VALUE=URI:sip:a@example.org", "RRULE:" + rule}
	place := ownLocation
	for _, p := range placeParts {
		place += ";" + p.param + "=7.5"
	}
	lines = append(lines, place+":Roof", "GEO:7.5;7.5", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM")
	return vevent(lines...)
}

// TestSheet takes a rule for each element of the recurrence together;
// exceptions and files are held against the sheet by TestSheetOfTheRest.
func TestSheet(t *testing.T) {
	parts := map[string]string{
		"FREQ=WEEKLY;COUNT=5;BYDAY=MO;WKST=SU":          "CalendarDayOfWeek CalendarFirstDayOfWeek CalendarOccurrences",
		"FREQ=MONTHLY;UNTIL=20271101T090000Z;BYDAY=1MO": "CalendarDayOfWeek CalendarWeekOfMonth CalendarUntil CalendarCalendarType",
		"FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=2":           "CalendarDayOfMonth CalendarMonthOfYear CalendarCalendarType",
	}
	for rule := range parts {
		t.Run(rule, func(t *testing.T) {
			only := Sheet()
			var rows []fidelity.Row
			for _, r := range only.Rows {
				if elsewhere[r.Tag] || ofPattern[r.Tag] && !strings.Contains(parts[rule], "Calendar"+tag.Local(r.Tag)) {
					continue
				}
				rows = append(rows, r)
			}
			only.Rows = rows
			translatetest.CheckSheet(t, only, translatetest.Translation{Show: FromICalendar, New: New}, everything(rule), options(eas.V141))
		})
	}
}

// ofPattern are the elements of a recurrence that not every type has.
var ofPattern = map[wbxml.Tag]bool{
	tag.CalendarDayOfWeek: true, tag.CalendarFirstDayOfWeek: true, tag.CalendarOccurrences: true, tag.CalendarWeekOfMonth: true,
	tag.CalendarUntil: true, tag.CalendarCalendarType: true, tag.CalendarDayOfMonth: true, tag.CalendarMonthOfYear: true,
}

var elsewhere = map[wbxml.Tag]bool{
	tag.CalendarExceptions: true, tag.CalendarException: true, tag.CalendarDeleted: true, tag.CalendarExceptionStartTime: true, tag.AirSyncBaseInstanceId: true,
	tag.AirSyncBaseAttachments: true, tag.AirSyncBaseAttachment: true, tag.AirSyncBaseFileReference: true, tag.AirSyncBaseMethod: true, tag.AirSyncBaseIsInline: true,
}

// TestSheetOfTheRest: exceptions and files are shown where the sheet says so.
func TestSheetOfTheRest(t *testing.T) {
	ics := []byte(strings.Replace(string(samples["weekly"]), "SUMMARY:Team\r\n", "SUMMARY:Team\r\nATTACH:https://example.org/a\r\n", 1))
	for _, v := range eas.Versions {
		ps, err := FromICalendar(ics, options(v))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[wbxml.Tag]bool{}
		gather(ps, seen)
		for _, r := range Sheet().Rows {
			should := r.In(v) && (r.Way == fidelity.Both || r.Way == fidelity.Shown)
			if elsewhere[r.Tag] && r.In(v) && should != seen[r.Tag] {
				t.Errorf("%s in %v: shown %v, the sheet says %v", tag.Name(r.Tag), v, seen[r.Tag], should)
			}
		}
	}
}

func gather(ps []eas.Element, seen map[wbxml.Tag]bool) {
	for _, el := range ps {
		seen[el.Tag] = true
		gather(el.Children, seen)
	}
}
