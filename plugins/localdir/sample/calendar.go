package sample

import (
	"fmt"
	"time"
)

// zones are the definitions of the time zones that the events use. See RFC
// 5545, section 3.6.5.
var zones = map[string][]string{
	"Europe/Berlin": {
		"BEGIN:DAYLIGHT", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "TZNAME:CEST", "DTSTART:19810329T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
		"BEGIN:STANDARD", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET", "DTSTART:19961027T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD",
	},
	"America/New_York": {
		"BEGIN:DAYLIGHT", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0400", "TZNAME:EDT", "DTSTART:20070311T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "END:DAYLIGHT",
		"BEGIN:STANDARD", "TZOFFSETFROM:-0400", "TZOFFSETTO:-0500", "TZNAME:EST", "DTSTART:20071104T020000", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU", "END:STANDARD",
	},
}

// An event is one appointment. Days count from the Monday of this week.
type event struct {
	calendar, summary string
	day               int
	from, to          string   // "09:30"; empty means the whole day
	days              int      // of a whole-day event; 0 means 1
	zone              string   // empty means Europe/Berlin; "UTC"
	lines             []string // {nth} is which of its weekday in the month the first day is
	gone              []int    // days on which it does not happen
	moved             *move
}

// A move is one occurrence that differs from its series.
type move struct {
	day, to     int // the day it was on, and is on
	from, until string
	summary     string
}

const (
	reminder = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Reminder\nTRIGGER:-PT%dM\nEND:VALARM"
	demoMail = "mailto:demo@example.org"
)

var events = []event{
	{calendar: "calendar", summary: "Weekly planning", day: -14, from: "09:00", to: "09:45", gone: []int{7},
		lines: []string{"RRULE:FREQ=WEEKLY;BYDAY=MO", "LOCATION:Room Elbe", "CATEGORIES:Work", alarm(10)},
		moved: &move{day: 0, to: 1, from: "10:30", until: "11:00", summary: "Weekly planning (short, on Tuesday)"}},
	{calendar: "calendar", summary: "Stand-up", day: -6, from: "09:50", to: "10:00", lines: []string{"RRULE:FREQ=WEEKLY;BYDAY=TU,WE,TH,FR;COUNT=40", "TRANSP:TRANSPARENT"}},
	{calendar: "calendar", summary: "Review with Northgate", day: 2, from: "10:00", to: "11:30", zone: "America/New_York",
		lines: []string{"LOCATION:Video call", "DESCRIPTION:" + text("Agenda:\n1. Figures of the quarter\n2. Next delivery; dates, owners\n3. Any other business"), alarm(15),
			"ORGANIZER;CN=Demo User:" + demoMail, "ATTENDEE;CN=Priya Raghunathan;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:priya@example.com", "ATTENDEE;CN=Marcus Whitfield;ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:marcus@example.com"}},
	{calendar: "calendar", summary: "Site visit: Lang & Söhne, Frankfurt", day: 3, from: "13:00", to: "16:30", lines: []string{"LOCATION:" + text("Am Güterbahnhof 3, Frankfurt am Main"), "CATEGORIES:Work,Travel", alarm(60)}},
	{calendar: "calendar", summary: "Train to Frankfurt", day: 3, from: "07:32", to: "11:48", lines: []string{"LOCATION:Berlin Hbf, platform 12", "DESCRIPTION:" + text("Coach 7, seat 41; table"), alarm(45)}},
	{calendar: "calendar", summary: "One to one with Zoë", day: 4, from: "14:00", to: "14:30", lines: []string{"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;COUNT=10", "CLASS:PRIVATE"}},
	{calendar: "calendar", summary: "Release window", day: 8, from: "20:00", to: "22:00", zone: "UTC", lines: []string{"DESCRIPTION:" + text("Björn is on call. Roll back before 21:30 if in doubt."), "STATUS:TENTATIVE"}},
	{calendar: "calendar", summary: "Trade fair", day: 15, days: 3, lines: []string{"LOCATION:Messe, hall 4", "TRANSP:OPAQUE", "CATEGORIES:Travel"}},
	{calendar: "calendar", summary: "Pay day", day: -21, lines: []string{"RRULE:FREQ=MONTHLY", "TRANSP:TRANSPARENT"}},
	{calendar: "calendar", summary: "Training: first aid", day: 10, from: "08:30", to: "16:00", lines: []string{"LOCATION:Red building, 2nd floor"}},
	{calendar: "calendar", summary: "Lunch with Siobhán", day: -3, from: "12:15", to: "13:15", lines: []string{"LOCATION:" + text("Café am Ufer")}},
	{calendar: "family", summary: "Grandmother's birthday", day: 5, lines: []string{"RRULE:FREQ=YEARLY", "TRANSP:TRANSPARENT", "CATEGORIES:Birthday", alarm(24 * 60)}},
	{calendar: "family", summary: "Swimming lesson", day: -11, from: "16:30", to: "17:15", gone: []int{3}, lines: []string{"RRULE:FREQ=WEEKLY;BYDAY=TH", "LOCATION:Stadtbad", "DESCRIPTION:" + text("Goggles, towel, 2 € for the locker."), alarm(30)}},
	{calendar: "family", summary: "Choir", day: -8, from: "19:30", to: "21:30", lines: []string{"RRULE:FREQ=WEEKLY;BYDAY=SU", "LOCATION:Parish hall"},
		moved: &move{day: 6, to: 5, from: "18:00", until: "20:00", summary: "Choir: concert!"}},
	{calendar: "family", summary: "Holidays by the sea", day: 33, days: 10, lines: []string{"LOCATION:Rügen", "DESCRIPTION:" + text("Ferry is booked; keys are with the neighbour.")}},
	{calendar: "family", summary: "Dentist", day: 9, from: "11:10", to: "11:40", lines: []string{"CLASS:CONFIDENTIAL", alarm(120)}},
	{calendar: "family", summary: "Paper bin", day: -12, lines: []string{"RRULE:FREQ=WEEKLY;INTERVAL=2", "TRANSP:TRANSPARENT", alarm(5 * 60)}},
	{calendar: "family", summary: "Call great-uncle Willi", day: 6, from: "17:00", to: "17:30", lines: []string{"RRULE:FREQ=MONTHLY;BYDAY={nth}SU"}},
	{calendar: "family", summary: "Climbing with Emre and Ελένη", day: 1, from: "18:30", to: "21:00", lines: []string{"LOCATION:Boulder hall", "CATEGORIES:Climbing"}},
	{calendar: "family", summary: "Parents' evening", day: 16, from: "19:00", to: "20:30", lines: []string{"LOCATION:Kita Regenbogen"}},
	{calendar: "family", summary: "Night flight to New York", day: 47, from: "22:15", to: "06:05", lines: []string{"LOCATION:BER, terminal 1"}},
}

func alarm(minutes int) string { return fmt.Sprintf(reminder, minutes) }

// monday is the first moment of the week's Monday, in a zone.
func monday(now time.Time, zone *time.Location) time.Time {
	now = now.In(zone)
	back := (int(now.Weekday()) + 6) % 7
	return time.Date(now.Year(), now.Month(), now.Day()-back, 0, 0, 0, 0, zone)
}
