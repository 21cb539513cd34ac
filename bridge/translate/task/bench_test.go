package task

import (
	"fmt"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// BenchmarkTenThousand translates 10,000 tasks in each direction; an operation
// is all of them. Every tenth recurs.
func BenchmarkTenThousand(b *testing.B) {
	var tasks [][]byte
	var edits []eas.Properties
	for i := range 10_000 {
		lines := []string{fmt.Sprintf("SUMMARY:Task %d", i), "DTSTART;TZID=Europe/Berlin:20261102T090000", "DUE;TZID=Europe/Berlin:20261130T170000", "PRIORITY:3",
			"CATEGORIES:Home,Money", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50", "DESCRIPTION:As we said\\, by the end of the month.",
			"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM"}
		if i%10 == 0 {
			lines = append([]string{"RRULE:FREQ=WEEKLY;BYDAY=MO"}, lines...)
		}
		ics := object(lines...)
		shown, err := FromICalendar(ics, options(eas.V161))
		if err != nil {
			b.Fatal(err)
		}
		tasks, edits = append(tasks, ics), append(edits, set(shown, tag.TasksSubject, "Other"))
	}
	for _, way := range []struct {
		name string
		do   func(i int) error
	}{
		{"show", func(i int) error { _, err := FromICalendar(tasks[i], options(eas.V161)); return err }},
		{"merge", func(i int) error { _, err := Merge(tasks[i], edits[i], options(eas.V161)); return err }},
		{"new", func(i int) error { _, err := New("uid", edits[i], options(eas.V161)); return err }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range tasks {
					if err := way.do(i); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
