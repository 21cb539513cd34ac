package calendar

import (
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
)

// A form is one of the ways in which iCalendar writes times. See RFC 5545,
// sections 3.3.4 and 3.3.5.
type form int

const (
	date     form = iota // 20261123
	utc                  // 20261123T052500Z
	floating             // 20261123T052500
	zoned                // TZID=Europe/Berlin:20261123T052500
)

// A moment is a time as an object tells it: a reading of the wall clock in
// some zone.
type moment struct {
	wall time.Time // as if it were UTC; midnight for a date
	form form
	loc  *time.Location // the zone for all but dates, never nil
	tzid string         // as written, if zoned
}

// moment reads DTSTART, DTEND, RECURRENCE-ID and the like.
func (obj *object) moment(l *line) (moment, bool) {
	if l == nil {
		return moment{}, false
	}
	return obj.parseMoment(l.Value(), l)
}

// parseMoment reads one value of a line, whose parameters tell the zone. A
// TZID that nothing explains is the person's own zone.
func (obj *object) parseMoment(value string, l *line) (moment, bool) {
	value = strings.TrimSpace(value)
	m := moment{loc: obj.o.Location()}
	if t, err := time.Parse("20060102", value); err == nil {
		m.wall = t
		return m, true
	}
	var ok bool
	if m.wall, ok = parseWall(value); !ok {
		return m, false
	}
	tzid := l.Param("TZID")
	switch {
	case strings.HasSuffix(value, "Z"):
		m.form, m.loc = utc, time.UTC
	case tzid != "":
		m.form, m.tzid = zoned, tzid
		if loc := obj.zone(tzid); loc != nil {
			m.loc = loc
		}
	default:
		m.form = floating
	}
	return m, true
}

// parseWall reads the clock's reading of any form.
func parseWall(value string) (time.Time, bool) {
	value = strings.TrimSuffix(strings.TrimSpace(value), "Z")
	for _, layout := range []string{"20060102T150405", "20060102T1504", "20060102"} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// instant is the point in time; a date is midnight in zone.
func (m moment) instant(zone *time.Location) time.Time {
	if m.form != date {
		zone = m.loc
	}
	return onClock(m.wall, zone)
}

// onClock is when the clock of a zone shows a reading.
func onClock(wall time.Time, zone *time.Location) time.Time {
	y, mo, d := wall.Date()
	return time.Date(y, mo, d, wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
}

// reading is what the clock of a zone shows at an instant, as if it were UTC.
func reading(t time.Time, zone *time.Location) time.Time { return onClock(t.In(zone), time.UTC) }

// at is the same form with another reading of the clock.
func (m moment) at(wall time.Time) moment {
	m.wall = wall
	return m
}

// when is the same form at another instant.
func (m moment) when(t time.Time) moment { return m.at(reading(t, m.loc)) }

// value writes the moment without its parameters.
func (m moment) value() string {
	switch m.form {
	case date:
		return m.wall.Format("20060102")
	case utc:
		return m.wall.Format("20060102T150405Z")
	}
	return m.wall.Format("20060102T150405")
}

// params are the parameters that the form needs.
func (m moment) params() []contentline.Param {
	switch m.form {
	case date:
		return []contentline.Param{contentline.P("VALUE", "DATE")}
	case zoned:
		return []contentline.Param{contentline.P("TZID", m.tzid)}
	}
	return nil
}

// put writes the moment into the line of that name, or adds one.
func (m moment) put(c *component, name string) {
	l := c.Get(name)
	if l == nil {
		c.Add(name, m.value(), m.params()...)
		return
	}
	if m.form == date {
		l.SetParam("VALUE", "DATE")
	} else if l.HasParam("VALUE") && !strings.EqualFold(l.Param("VALUE"), "DATE-TIME") {
		l.SetParam("VALUE")
	}
	if m.form == zoned {
		l.SetParam("TZID", m.tzid)
	} else if l.HasParam("TZID") {
		l.SetParam("TZID")
	}
	l.SetValue(m.value())
}

// maxDuration bounds durations, so that no arithmetic overflows.
const maxDuration = 100 * 365 * 24 * time.Hour

// parseDuration reads -P1DT2H3M and the like: the days, which are days of the
// calendar, and the rest. See RFC 5545, section 3.3.6.
func parseDuration(s string) (days int, rest time.Duration, ok bool) {
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

// formatDuration writes a duration that is not negative.
func formatDuration(d time.Duration) string {
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
