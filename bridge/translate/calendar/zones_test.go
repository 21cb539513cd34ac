package calendar

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// An appointment is an event somewhere at some time between 1995 and 2035.
type appointment struct {
	zone    string
	wall    time.Time
	allDay  bool
	recurs  bool
	version eas.Version
	home    string
}

var someAppointment = rapid.Custom(func(t *rapid.T) appointment {
	zone := rapid.SampledFrom(tz.Names())
	day := time.Date(1995, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 41*365).Draw(t, "day"))
	return appointment{
		zone: zone.Draw(t, "zone"), home: zone.Draw(t, "home"),
		wall:   day.Add(time.Duration(rapid.IntRange(0, 95).Draw(t, "quarter")) * 15 * time.Minute),
		allDay: rapid.Bool().Draw(t, "all day"), recurs: rapid.Bool().Draw(t, "recurs"),
		version: rapid.SampledFrom(eas.Versions).Draw(t, "version"),
	}
})

// TestAppointmentsAnywhere: an event of any zone, shown to a phone of any
// version and moved there by an hour or a day, keeps its TZID, and is moved by
// exactly that.
func TestAppointmentsAnywhere(t *testing.T) {
	for seed := range 800 {
		a := someAppointment.Example(seed)
		loc, ok := tz.Location(a.zone)
		if !ok {
			t.Fatal(a.zone)
		}
		o := options(a.version)
		o.Zone, _ = tz.Location(a.home)
		form, by, start := "DTSTART;TZID="+a.zone+":", time.Hour, a.wall.Format("20060102T150405")
		if a.allDay {
			form, by, start = "DTSTART;VALUE=DATE:", 24*time.Hour, a.wall.Format("20060102")
		}
		lines := []string{form + start}
		if a.recurs {
			lines = append(lines, "RRULE:FREQ=DAILY;COUNT=5")
		}
		ics := vevent(lines...)
		identity(t, ics, o)
		ps, err := FromICalendar(ics, o)
		if err != nil {
			t.Fatal(err)
		}
		at := func(name string, element string) string {
			moved, err := translate.ParseDateTime(element)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if a.allDay { // midnight to midnight in the zone that the phone was told
				zone := time.UTC
				if blob, ok := ps.Text(tag.CalendarTimezone); ok {
					b, _ := tz.ParseBlob(blob)
					zone = b.Location()
				}
				return translate.CompactDateTime(moved.In(zone).AddDate(0, 0, 1))
			}
			return translate.CompactDateTime(moved.Add(by))
		}
		begin, _ := ps.Text(tag.CalendarStartTime)
		end, _ := ps.Text(tag.CalendarEndTime)
		got, err := Merge(ics, set(tag.CalendarStartTime, at("start", begin), tag.CalendarEndTime, at("end", end))(ps), o)
		if err != nil {
			t.Errorf("%+v: %v", a, err)
			continue
		}
		want := a.wall.Add(by).Format("20060102")
		if !a.allDay {
			was := time.Date(a.wall.Year(), a.wall.Month(), a.wall.Day(), a.wall.Hour(), a.wall.Minute(), 0, 0, loc)
			want = was.Add(by).In(loc).Format("20060102T150405")
			if strings.Contains(string(got), "Z\r\n") && loc == time.UTC {
				continue
			}
		}
		if !strings.Contains(string(got), "\r\n"+form+want+"\r\n") {
			t.Errorf("%+v moved by %v: %s%s is missing in\n%s", a, by, form, want, got)
		}
	}
}
