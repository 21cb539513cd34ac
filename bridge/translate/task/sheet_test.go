package task

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// everything has each property that a phone can be shown, but for those that
// exclude each other.
func everything(rule string) []byte {
	return object("SUMMARY:Taxes", "DTSTART;VALUE=DATE:20261102", "DUE;VALUE=DATE:20261130", "PRIORITY:1", "CLASS:PRIVATE", "CATEGORIES:Home,Money",
		"STATUS:COMPLETED", "COMPLETED:20261102T101112Z", "PERCENT-COMPLETE:100", "RRULE:"+rule, "X-PUSHBRIDGE-REGENERATE:1",
		"X-PUSHBRIDGE-ORDINAL-DATE:20261101T000000Z", "X-PUSHBRIDGE-SUBORDINAL-DATE:5", "DESCRIPTION:"+strings.Repeat("All of it\\n", 12),
		"RELATED-TO:parent", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20261101T080000Z", "END:VALARM")
}

// TestSheet takes a rule for each element of the recurrence together.
func TestSheet(t *testing.T) {
	c := Sheet()
	parts := map[string]string{
		"FREQ=WEEKLY;BYDAY=MO;WKST=SU;COUNT=5":  "TasksDayOfWeek TasksFirstDayOfWeek TasksOccurrences",
		"FREQ=MONTHLY;BYDAY=1MO;UNTIL=20271231": "TasksDayOfWeek TasksWeekOfMonth TasksUntil TasksCalendarType",
		"FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=2":   "TasksDayOfMonth TasksMonthOfYear TasksCalendarType",
	}
	for rule := range parts {
		t.Run(rule, func(t *testing.T) {
			only := c
			only.Rows = nil
			for _, r := range c.Rows {
				if !ofPattern[r.Tag] || strings.Contains(parts[rule], "Tasks"+tag.Local(r.Tag)) {
					only.Rows = append(only.Rows, r)
				}
			}
			translatetest.CheckSheet(t, only, translatetest.Translation{Show: FromICalendar, New: New}, everything(rule), options(eas.V141))
		})
	}
}

// ofPattern are the elements of a recurrence that not every type has.
var ofPattern = map[wbxml.Tag]bool{
	tag.TasksDayOfWeek: true, tag.TasksFirstDayOfWeek: true, tag.TasksOccurrences: true, tag.TasksWeekOfMonth: true,
	tag.TasksUntil: true, tag.TasksCalendarType: true, tag.TasksDayOfMonth: true, tag.TasksMonthOfYear: true,
}
