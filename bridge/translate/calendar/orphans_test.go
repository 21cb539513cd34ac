package calendar

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// TestOrphansOnOneDay: of invitations to several occurrences of a series, two of them
// on one day, phones are shown the next one, and the one after it when that is over.
func TestOrphansOnOneDay(t *testing.T) {
	one := func(name, day, from, to string) []string {
		return []string{"END:VEVENT", "BEGIN:VEVENT", "UID:e1", "SUMMARY:" + name, "RECURRENCE-ID:" + day + from, "DTSTART:" + day + from, "DTEND:" + day + to}
	}
	lines := []string{"SUMMARY:Noon", "RECURRENCE-ID:20261123T120000Z", "DTSTART:20261123T120000Z", "DTEND:20261123T123000Z"}
	lines = append(lines, one("Evening", "20261123T", "180000Z", "190000Z")...)
	lines = append(lines, one("Morning", "20261123T", "080000Z", "090000Z")...)
	lines = append(lines, one("Later", "20261207T", "080000Z", "090000Z")...)
	ics := vevent(lines...)
	for _, v := range []eas.Version{eas.V25, eas.V141, eas.V161} {
		at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		var shown []string
		for range 6 {
			o := options(v)
			o.Now = at
			ps, err := FromICalendar(ics, o)
			if err != nil {
				t.Fatal(err)
			}
			shown = append(shown, get(ps, tag.CalendarSubject)+" "+get(ps, tag.CalendarStartTime))
			if get(ps, tag.CalendarRecurrence) != "" && get(ps, tag.CalendarRecurrence) != "-" {
				t.Errorf("%s: it is shown as a series", v)
			}
			identity(t, ics, o)
			if got, err := Merge(ics, set(tag.CalendarSubject, "Mine")(ps), o); err == nil {
				t.Errorf("%s: an edit made it\n%s", v, got)
			}
			facts, err := Facts(ics, o)
			if err != nil || facts.Ends != time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC).Unix() {
				t.Errorf("%s: %+v, %v", v, facts, err)
			}
			if facts.Due == 0 {
				break
			}
			if !time.Unix(facts.Due, 0).After(at) {
				t.Fatalf("%s: at %s it is due at %s", v, at, time.Unix(facts.Due, 0))
			}
			at = time.Unix(facts.Due, 0)
		}
		if got, want := strings.Join(shown, "; "), "Morning 20261123T080000Z; Noon 20261123T120000Z; Evening 20261123T180000Z; Later 20261207T080000Z"; got != want {
			t.Errorf("%s: shown is %s\nwant %s", v, got, want)
		}
	}
	// What is over is the last one.
	ps, err := FromICalendar(ics, translate.Options{Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || get(ps, tag.CalendarSubject) != "Later" {
		t.Errorf("after all of them %q is shown, %v", get(ps, tag.CalendarSubject), err)
	}
}
