package task

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

func weeklyOn(day string) eas.Element {
	return eas.C(tag.TasksRecurrence, eas.T(tag.TasksType, "1"), eas.T(tag.TasksInterval, "1"), eas.T(tag.TasksDayOfWeek, day), eas.T(tag.TasksStart, "2026-11-23T00:00:00.000Z"))
}

// TestDaysAreThePersons: a task with a time of day recurs on the days that the
// person's calendar shows, where it is another day in UTC, too.
func TestDaysAreThePersons(t *testing.T) {
	auckland, ok := tz.Location("Pacific/Auckland")
	if !ok {
		t.Fatal("there is no Pacific/Auckland")
	}
	o := options(eas.V141)
	o.Zone = auckland
	const monday = "2"
	at := eas.Properties{eas.T(tag.TasksSubject, "Bins"), eas.T(tag.TasksComplete, "0"),
		eas.T(tag.TasksDueDate, "2026-11-23T09:00:00.000Z"), eas.T(tag.TasksUtcDueDate, "2026-11-22T20:00:00.000Z")}
	made, err := New("t1", append(at[:len(at):len(at)], weeklyOn(monday)), o)
	if err != nil {
		t.Fatal(err)
	}
	edited, err := Merge(object("SUMMARY:Bins", "DUE:20261122T200000Z"), append(at[:len(at):len(at)], weeklyOn(monday)), o)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := Merge(object("SUMMARY:Bins", "DUE;TZID=America/New_York:20261122T150000"), append(at[:len(at):len(at)], weeklyOn(monday)), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, ics := range map[string][]byte{"made": made, "edited": edited, "edited, of another zone": foreign} {
		for _, line := range []string{"DTSTART;TZID=Pacific/Auckland:20261123T090000", "DUE;TZID=Pacific/Auckland:20261123T090000", "RRULE:FREQ=WEEKLY;BYDAY=MO", "TZID:Pacific/Auckland"} {
			if !strings.Contains(string(ics), "\r\n"+line+"\r\n") {
				t.Errorf("%s: no %s in\n%s", name, line, ics)
			}
		}
		ps, err := FromICalendar(ics, o)
		due, _ := ps.Text(tag.TasksDueDate)
		el, _ := ps.Find(tag.TasksRecurrence)
		days, _ := eas.Properties(el.Children).Text(tag.TasksDayOfWeek)
		if err != nil || due != "2026-11-23T09:00:00.000Z" || days != monday {
			t.Errorf("%s: shown due %s on days %s, %v", name, due, days, err)
		}
		identity(t, ics, o)
	}
}

// TestDaysOfAnotherZone: what recurs on other days where the person is than its rule
// says is not shown as recurring on those.
func TestDaysOfAnotherZone(t *testing.T) {
	for _, c := range []struct {
		name, start, rule string
		shown             bool
	}{
		{"the same day", "DTSTART;TZID=America/New_York:20261101T120000", "FREQ=WEEKLY;BYDAY=SU", true},
		{"the day after", "DTSTART;TZID=America/New_York:20261101T220000", "FREQ=WEEKLY;BYDAY=SU", false},
		{"the day after in UTC", "DTSTART:20261101T233000Z", "FREQ=MONTHLY;BYMONTHDAY=1", false},
		{"every day", "DTSTART;TZID=America/New_York:20261101T220000", "FREQ=DAILY", true},
		{"a week later", "DTSTART;TZID=America/New_York:20261101T220000", "FREQ=WEEKLY", true},
		{"a date", "DTSTART;VALUE=DATE:20261101", "FREQ=WEEKLY;BYDAY=SU", true},
	} {
		for _, v := range versions {
			ics := object("SUMMARY:Bins", c.start, "RRULE:"+c.rule)
			ps, err := FromICalendar(ics, options(v))
			if _, shown := ps.Find(tag.TasksRecurrence); err != nil || shown != c.shown {
				t.Errorf("%s in %v: shown = %v, %v", c.name, v, shown, err)
			}
			identity(t, ics, options(v))
		}
	}
}

// TestSnoozedTask: an alarm that somebody put off is not the phone's reminder.
func TestSnoozedTask(t *testing.T) {
	ics := object("SUMMARY:Call", "DUE:20261110T100000Z",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20261110T093000Z", "RELATED-TO;RELTYPE=SNOOZE:a1", "END:VALARM",
		"BEGIN:VALARM", "ACTION:DISPLAY", "UID:a1", "TRIGGER:-PT1H", "END:VALARM")
	ps, err := FromICalendar(ics, options(eas.V141))
	if at, _ := ps.Text(tag.TasksReminderTime); err != nil || at != "2026-11-10T09:00:00.000Z" {
		t.Errorf("reminder at %s, %v", at, err)
	}
	got, err := Merge(ics, set(ps, tag.TasksReminderTime, "2026-11-10T08:00:00.000Z"), options(eas.V141))
	gone, added := lines(ics, got)
	if err != nil || strings.Join(gone, "|") != "TRIGGER:-PT1H" || strings.Join(added, "|") != "TRIGGER;VALUE=DATE-TIME:20261110T080000Z" {
		t.Errorf("gone %q, added %q, %v", gone, added, err)
	}
}
