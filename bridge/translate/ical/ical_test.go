package ical

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// calendar parses the lines of a VCALENDAR.
func calendar(t *testing.T, lines ...string) *contentline.Component {
	t.Helper()
	doc, err := contentline.Parse([]byte("BEGIN:VCALENDAR\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Component("VCALENDAR")
}

var vtimezones = []string{
	"BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:-0130", "TZOFFSETTO:-0130", "END:STANDARD", "END:VTIMEZONE",
	"BEGIN:VTIMEZONE", "TZID:Named", "X-LIC-LOCATION:Asia/Tokyo", "END:VTIMEZONE",
	"BEGIN:VTIMEZONE", "TZID:Broken", "BEGIN:STANDARD", "DTSTART:x", "END:STANDARD", "END:VTIMEZONE",
}

func TestMoment(t *testing.T) {
	auckland, _ := tz.Location("Pacific/Auckland")
	for _, c := range []struct {
		name, line string
		form       Form
		instant    string // empty if it is no moment
	}{
		{"a date", "DTSTART;VALUE=DATE:20261123", Date, "2026-11-22T11:00:00Z"},
		{"a date without its parameter", "DTSTART:20261123", Date, "2026-11-22T11:00:00Z"},
		{"UTC", "DTSTART:20261123T120000Z", UTC, "2026-11-23T12:00:00Z"},
		{"UTC with a zone beside", "DTSTART;TZID=Europe/Berlin:20261123T120000Z", UTC, "2026-11-23T12:00:00Z"},
		{"floating", "DTSTART:20261123T120000", Floating, "2026-11-22T23:00:00Z"},
		{"a zone", "DTSTART;TZID=Europe/Berlin:20261123T120000", Zoned, "2026-11-23T11:00:00Z"},
		{"a Windows zone", "DTSTART;TZID=Eastern Standard Time:20260623T120000", Zoned, "2026-06-23T16:00:00Z"},
		{"a zone of its own", "DTSTART;TZID=Ours:20261123T120000", Zoned, "2026-11-23T13:30:00Z"},
		{"a zone that says where it is", "DTSTART;TZID=Named:20261123T120000", Zoned, "2026-11-23T03:00:00Z"},
		{"a zone that is broken", "DTSTART;TZID=Broken:20261123T120000", Zoned, "2026-11-22T23:00:00Z"},
		{"a zone that nothing explains", "DTSTART;TZID=Nowhere:20261123T120000", Zoned, "2026-11-22T23:00:00Z"},
		{"without seconds", "DTSTART:20261123T1200Z", UTC, "2026-11-23T12:00:00Z"},
		{"a 13th month", "DTSTART:20261323T120000Z", 0, ""},
		{"the year 0", "DTSTART:00000101T000000Z", 0, ""},
		{"words", "DTSTART:tomorrow", 0, ""},
		{"nothing", "SUMMARY:x", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cal := calendar(t, append(vtimezones, c.line)...)
			zones := ZonesOf(cal, auckland)
			m, ok := zones.Moment(cal.Get("DTSTART"))
			if ok != (c.instant != "") {
				t.Fatalf("ok = %v", ok)
			}
			if !ok {
				return
			}
			if got := m.Instant(auckland).UTC().Format(time.RFC3339); got != c.instant || m.Form != c.form {
				t.Errorf("%s in form %d, want %s in %d", got, m.Form, c.instant, c.form)
			}
			// What is written is what was read.
			m.Put(cal, "DTEND")
			if again, ok := zones.Moment(cal.Get("DTEND")); !ok || again != m {
				t.Errorf("written as %+v, want %+v", again, m)
			}
		})
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		text string
		days int
		rest time.Duration
		ok   bool
	}{
		{"PT15M", 0, 15 * time.Minute, true},
		{"-PT15M", 0, -15 * time.Minute, true},
		{"-P1DT2H3M4S", -1, -(2*time.Hour + 3*time.Minute + 4*time.Second), true},
		{"+P2W", 14, 0, true},
		{"PT0S", 0, 0, true},
		{"pt5m", 0, 5 * time.Minute, true},
		{"P", 0, 0, false},
		{"", 0, 0, false},
		{"15M", 0, 0, false},
		{"PT99999999999H", 0, 0, false},
		{"P999999999D", 0, 0, false},
		{"PTM", 0, 0, false},
	} {
		days, rest, ok := ParseDuration(c.text)
		if ok != c.ok || ok && (days != c.days || rest != c.rest) {
			t.Errorf("ParseDuration(%q) = %d, %v, %v, want %d, %v, %v", c.text, days, rest, ok, c.days, c.rest, c.ok)
		}
	}
	for d, want := range map[time.Duration]string{0: "PT0S", 90 * time.Minute: "PT1H30M", 48 * time.Hour: "P2D", 25*time.Hour + time.Second: "PT25H1S"} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	cal := calendar(t, vtimezones...)
	zones := ZonesOf(cal, time.UTC)
	berlin, _ := tz.Location("Europe/Berlin")
	zones.Explain(berlin, "Europe/Berlin", 2026)
	zones.Explain(berlin, "Europe/Berlin", 2026)
	if n := len(cal.Components("VTIMEZONE")); n != 4 {
		t.Errorf("%d VTIMEZONEs, want one more than 3", n)
	}
}
