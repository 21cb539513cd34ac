// Package ical reads and writes the times of iCalendar objects, in all of their forms and zones.
package ical

import (
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

type (
	component = contentline.Component
	line      = contentline.Line
)

// A Form is one of the ways in which iCalendar writes times. See RFC 5545,
// sections 3.3.4 and 3.3.5.
type Form int

// The forms.
const (
	Date     Form = iota // 20261123
	UTC                  // 20261123T052500Z
	Floating             // 20261123T052500
	Zoned                // TZID=Europe/Berlin:20261123T052500
)

// A Moment is a time as an object tells it: a reading of the wall clock in
// some zone.
type Moment struct {
	Wall time.Time // as if it were UTC; midnight for a date
	Form Form
	Loc  *time.Location // the zone for all but dates, never nil
	TZID string         // as written, if zoned
}

// Moment reads DTSTART, DTEND, RECURRENCE-ID and the like.
func (z *Zones) Moment(l *line) (Moment, bool) {
	if l == nil {
		return Moment{}, false
	}
	return z.Parse(l.Value(), l)
}

// Parse reads one value of a line, whose parameters tell the zone. A
// TZID that nothing explains is the person's own zone.
func (z *Zones) Parse(value string, l *line) (Moment, bool) {
	value = strings.TrimSpace(value)
	m := Moment{Loc: z.Own}
	if t, err := time.Parse("20060102", value); err == nil {
		m.Wall = t
		return m, Sensible(t)
	}
	var ok bool
	if m.Wall, ok = ParseWall(value); !ok || !Sensible(m.Wall) {
		return m, false
	}
	tzid := l.Param("TZID")
	switch {
	case strings.HasSuffix(value, "Z"):
		m.Form, m.Loc = UTC, time.UTC
	case tzid != "":
		m.Form, m.TZID = Zoned, tzid
		if loc := z.Zone(tzid); loc != nil {
			m.Loc = loc
		}
	default:
		m.Form = Floating
	}
	return m, true
}

// Sensible tells whether a phone can be told of a time: Windows counts from
// 1601, and no arithmetic with durations leaves the years of four digits.
func Sensible(t time.Time) bool { return t.Year() > 1600 && t.Year() < 9000 }

// ParseWall reads the clock's reading of any form.
func ParseWall(value string) (time.Time, bool) {
	value = strings.TrimSuffix(strings.TrimSpace(value), "Z")
	for _, layout := range []string{"20060102T150405", "20060102T1504", "20060102"} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Instant is the point in time; a date is midnight in zone.
func (m Moment) Instant(zone *time.Location) time.Time {
	if m.Form != Date {
		zone = m.Loc
	}
	return OnClock(m.Wall, zone)
}

// OnClock is when the clock of a zone shows a reading.
func OnClock(wall time.Time, zone *time.Location) time.Time {
	y, mo, d := wall.Date()
	return time.Date(y, mo, d, wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
}

// Reading is what the clock of a zone shows at an instant, as if it were UTC.
func Reading(t time.Time, zone *time.Location) time.Time { return OnClock(t.In(zone), time.UTC) }

// At is the same form with another reading of the clock.
func (m Moment) At(wall time.Time) Moment {
	m.Wall = wall
	return m
}

// When is the same form at another instant.
func (m Moment) When(t time.Time) Moment { return m.At(Reading(t, m.Loc)) }

// Value writes the moment without its parameters.
func (m Moment) Value() string {
	switch m.Form {
	case Date:
		return m.Wall.Format("20060102")
	case UTC:
		return m.Wall.Format("20060102T150405Z")
	}
	return m.Wall.Format("20060102T150405")
}

// Params are the parameters that the form needs.
func (m Moment) Params() []contentline.Param {
	switch m.Form {
	case Date:
		return []contentline.Param{contentline.P("VALUE", "DATE")}
	case Zoned:
		return []contentline.Param{contentline.P("TZID", m.TZID)}
	}
	return nil
}

// Put writes the moment into the line of that name, or adds one.
func (m Moment) Put(c *component, name string) {
	l := c.Get(name)
	if l == nil {
		c.Add(name, m.Value(), m.Params()...)
		return
	}
	if m.Form == Date {
		l.SetParam("VALUE", "DATE")
	} else if l.HasParam("VALUE") && !strings.EqualFold(l.Param("VALUE"), "DATE-TIME") {
		l.SetParam("VALUE")
	}
	if m.Form == Zoned {
		l.SetParam("TZID", m.TZID)
	} else if l.HasParam("TZID") {
		l.SetParam("TZID")
	}
	l.SetValue(m.Value())
}

// maxDuration bounds durations, so that no arithmetic overflows.
const maxDuration = 100 * 365 * 24 * time.Hour

// ParseDuration reads -P1DT2H3M and the like: the days, which are days of the
// calendar, and the rest. See RFC 5545, section 3.3.6.
func ParseDuration(s string) (days int, rest time.Duration, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	sign := 1
	if s, ok = strings.CutPrefix(s, "-"); ok {
		sign = -1
	}
	if s, ok = strings.CutPrefix(strings.TrimPrefix(s, "+"), "P"); !ok || s == "" {
		return 0, 0, false
	}
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	for s != "" {
		if s[0] == 'T' {
			s = s[1:]
			continue
		}
		i := strings.IndexAny(s, "WDHMS")
		if i < 1 || i > 9 {
			return 0, 0, false
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil || n < 0 {
			return 0, 0, false
		}
		switch s[i] {
		case 'W':
			days += 7 * n
		case 'D':
			days += n
		default:
			if time.Duration(n) > maxDuration/units[s[i]] {
				return 0, 0, false
			}
			rest += time.Duration(n) * units[s[i]]
		}
		s = s[i+1:]
	}
	if days > int(maxDuration/(24*time.Hour)) {
		return 0, 0, false
	}
	return sign * days, time.Duration(sign) * rest, true
}

// FormatDuration writes a duration that is not negative.
func FormatDuration(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return "P" + strconv.Itoa(int(d/(24*time.Hour))) + "D"
	}
	s := "PT"
	if h := d / time.Hour; h > 0 {
		s += strconv.Itoa(int(h)) + "H"
	}
	if m := d / time.Minute % 60; m > 0 {
		s += strconv.Itoa(int(m)) + "M"
	}
	if sec := d / time.Second % 60; sec > 0 || s == "PT" {
		s += strconv.Itoa(int(sec)) + "S"
	}
	return s
}
