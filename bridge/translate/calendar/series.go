package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
)

// A series is how an event recurs.
type series struct {
	recurs bool // at all

	// shown: ActiveSync has words for it.
	shown bool

	// locked: it has none, so that phones are shown an expansion or the next
	// occurrence, and cannot edit the event.
	locked bool

	// orphans: there is no series, only several of its occurrences.
	orphans bool

	rule    recur.Rule
	pattern recur.Pattern
	last    time.Time // wall-clock bound of UNTIL, included; zero without it
	dates   []time.Time
	lengths map[time.Time]time.Duration // of the dates that have one of their own
	all     []time.Time                 // every occurrence of the rule, once somebody asked
}

var recurrenceTags = recur.Tags{
	Recurrence: tag.CalendarRecurrence, Type: tag.CalendarType, Interval: tag.CalendarInterval,
	DayOfWeek: tag.CalendarDayOfWeek, DayOfMonth: tag.CalendarDayOfMonth, WeekOfMonth: tag.CalendarWeekOfMonth,
	MonthOfYear: tag.CalendarMonthOfYear, Until: tag.CalendarUntil, Occurrences: tag.CalendarOccurrences,
	CalendarType: tag.CalendarCalendarType, IsLeapMonth: tag.CalendarIsLeapMonth, FirstDayOfWeek: tag.CalendarFirstDayOfWeek,
}

// readSeries reads RRULE, RDATE and EXRULE.
func (e *event) readSeries() series {
	var s series
	rules := e.c.All("RRULE")
	s.dates = e.moments("RDATE")
	s.dates = slices.DeleteFunc(s.dates, func(t time.Time) bool { return t.Equal(e.start.Wall) })
	s.recurs = len(rules)+len(s.dates) > 0
	s.lengths = e.lengths()
	if len(rules) == 1 && len(s.dates) == 0 && e.c.Get("EXRULE") == nil && !e.movesTheRest() {
		rule, err := recur.Parse(rules[0].Value())
		ok := false
		if err == nil {
			s.rule = rule
			s.last, ok = e.until(rule.Until)
			s.pattern, s.shown = rule.Pattern(e.start.Wall)
			s.shown = s.shown && ok
		}
	}
	s.locked = s.recurs && !s.shown
	return s
}

// movesTheRest tells whether an override applies to all later occurrences,
// too, for which ActiveSync has no words.
func (e *event) movesTheRest() bool {
	uid := e.c.Get("UID").Text()
	for _, c := range e.cal.Components("VEVENT") {
		if l := c.Get("RECURRENCE-ID"); l != nil && l.HasParam("RANGE") && c.Get("UID").Text() == uid {
			return true
		}
	}
	return false
}

// maxDates bounds the EXDATEs and RDATEs that are looked at.
const maxDates = 2000

// moments lists the wall-clock times in the event's zone of a list such as
// EXDATE, over all of its lines.
func (e *event) moments(name string) []time.Time {
	var list []time.Time
	for _, l := range e.c.All(name) {
		for value := range strings.SplitSeq(l.Value(), ",") {
			if len(list) == maxDates {
				return list
			}
			value, _, _ = strings.Cut(value, "/") // a PERIOD's start
			if m, ok := e.zones.Parse(value, l); ok {
				list = append(list, e.ownWall(m))
			}
		}
	}
	return list
}

// lengths lists the occurrences that an RDATE gives a length of their own, by when
// they begin. See RFC 5545, section 3.8.5.2.
func (e *event) lengths() map[time.Time]time.Duration {
	var m map[time.Time]time.Duration
	for _, l := range e.c.All("RDATE") {
		for value := range strings.SplitSeq(l.Value(), ",") {
			first, _, _ := strings.Cut(value, "/")
			start, ok := e.zones.Parse(first, l)
			p, okPeriod := readPeriod(e.zones, l, value)
			if !ok || !okPeriod || e.allDay || len(m) == maxDates {
				continue
			}
			if m == nil {
				m = map[time.Time]time.Duration{}
			}
			m[e.ownWall(start)] = p.End.Sub(p.Start)
		}
	}
	return m
}

// lengthAt is how long the occurrence at a wall-clock time lasts.
func (e *event) lengthAt(wall time.Time) time.Duration {
	if length, ok := e.rule.lengths[wall]; ok {
		return length
	}
	return e.end.Instant(time.UTC).Sub(e.start.Instant(time.UTC))
}

// ownWall is what the clock of the series shows at a moment that may be
// written in another form. Dates stay dates.
func (e *event) ownWall(m moment) time.Time {
	switch {
	case e.allDay:
		return m.Wall.Truncate(24 * time.Hour)
	case m.Form == ical.Date:
		// A date for a timed event: the occurrence of that day.
		return m.Wall.Add(e.clock())
	case m.Form == ical.Floating && e.start.Form == ical.Zoned:
		return m.Wall // somebody forgot the TZID
	}
	return ical.Reading(m.Instant(time.UTC), e.start.Loc)
}

// until turns UNTIL into a bound on the series' wall clock.
func (e *event) until(value string) (time.Time, bool) {
	if value == "" {
		return time.Time{}, true
	}
	m, ok := e.zones.Parse(value, nil)
	switch {
	case !ok:
		return time.Time{}, false
	case m.Form == ical.Date, e.allDay:
		return m.Wall.Truncate(24 * time.Hour).Add(24*time.Hour - time.Second), true
	case m.Form == ical.UTC:
		return ical.Reading(m.Instant(time.UTC), e.start.Loc), true
	}
	return m.Wall, true
}

// walls lists the wall-clock times of the occurrences until at most the first
// one for which stop is true, with what UNTIL, COUNT and RDATE say. done is
// false if the rule was not followed to that point.
func (s series) walls(start time.Time, stop func(time.Time) bool) (list []time.Time, done bool) {
	n := 0
	for t := range s.rule.All(start) {
		if !s.last.IsZero() && t.After(s.last) {
			return list, true
		}
		list = append(list, t)
		if n++; stop(t) {
			return list, true
		}
	}
	return list, s.rule.Expandable() && s.rule.Count > 0 && n == s.rule.Count
}

// maxRules bounds the rules of one event that are followed. RFC 5545, section
// 3.8.5.3 advises against a second one.
const maxRules = 4

// seriesEnd is when the last occurrence is over, in Unix seconds.
func (e *event) seriesEnd() int64 {
	end := e.endInstant().Unix()
	length := end - e.start.Instant(e.o.Location()).Unix()
	over := func(wall time.Time) int64 { return e.start.At(wall).Instant(e.o.Location()).Unix() + length }
	for _, t := range e.rule.dates {
		end = max(end, over(t))
		if !e.allDay {
			end = max(end, over(t)-length+int64(e.lengthAt(t)/time.Second))
		}
	}
	rules := e.c.All("RRULE")
	if len(rules) > maxRules {
		return translate.Forever
	}
	for _, l := range rules {
		rule, err := recur.Parse(l.Value())
		if err != nil {
			continue
		}
		s := series{rule: rule}
		s.last, _ = e.until(rule.Until)
		switch {
		case !s.last.IsZero():
			end = max(end, over(s.last))
		case rule.Count == 0:
			return translate.Forever
		default:
			list, done := s.walls(e.start.Wall, func(time.Time) bool { return false })
			if !done {
				return translate.Forever
			}
			end = max(end, over(list[len(list)-1]))
		}
	}
	return end
}

// nextOccurrence is the wall-clock time of the first occurrence that is not
// over, or of the last one.
func (e *event) nextOccurrence() time.Time {
	if e.next == nil {
		t := e.findNext()
		e.next = &t
	}
	return *e.next
}

// findNext finds out, too, whether another one comes after it, and how soon.
func (e *event) findNext() time.Time {
	now := ical.Reading(e.o.Now, e.start.Loc)
	if e.allDay {
		now = ical.Reading(e.o.Now, e.o.Location())
	}
	if e.rule.orphans {
		e.goesOn, e.dense = e.laterOrphan()
		return e.start.Wall
	}
	length := e.end.Wall.Sub(e.start.Wall)
	if walls, more, ok := e.wallsAhead(); ok && len(walls) > 0 {
		i := slices.IndexFunc(walls, func(t time.Time) bool { return t.Add(max(length, e.rule.lengths[t])).After(now) })
		if i < 0 {
			i = len(walls) - 1
		}
		last := i == len(walls)-1
		e.goesOn, e.dense = more || !last, !last && walls[i+1].Sub(walls[i]) < leastShown
		return walls[i]
	}
	// A rule for every hour, or one that nobody can follow.
	best := e.start.Wall
	for _, l := range e.c.All("RRULE") {
		rule, err := recur.Parse(l.Value())
		last, ok := e.until(rule.Until)
		if err != nil || !ok {
			continue
		}
		if t, ok := rule.Next(e.start.Wall, e.lastOf(now.Add(-length))); ok && (last.IsZero() || !t.After(last)) && !t.Before(best) {
			then, ok := rule.Next(e.start.Wall, e.lastOf(t))
			best, e.goesOn, e.dense = e.dayOf(t), true, ok && then.Sub(t) < leastShown
		}
	}
	return best
}

// dayOf is the day of an occurrence if the event takes whole days, also where its rule
// says hours, and else the time that it is.
func (e *event) dayOf(wall time.Time) time.Time {
	if e.allDay {
		return wall.Truncate(24 * time.Hour)
	}
	return wall
}

// lastOf is the last moment at which a rule that says hours can mean the same
// occurrence as at a wall-clock time: the end of its day, or the time itself.
func (e *event) lastOf(wall time.Time) time.Time {
	if e.allDay {
		return e.dayOf(wall).Add(24*time.Hour - 1)
	}
	return wall
}

// occurrence is the start and end of the occurrence at a wall-clock time.
func (e *event) occurrence(wall time.Time) (start, end moment) {
	start = e.start.At(wall)
	if e.allDay {
		return start, e.end.At(e.end.Wall.Add(wall.Sub(e.start.Wall)))
	}
	return start, e.end.When(start.Instant(time.UTC).Add(e.lengthAt(wall)))
}

// meansOccurrence tells whether a span is an occurrence of the series: the
// one that a phone was shown before time went on.
func (e *event) meansOccurrence(s span) bool {
	if s.allDay != e.allDay || e.rule.shown {
		return false
	}
	wall := s.start
	if !s.allDay {
		wall = ical.Reading(s.start, e.start.Loc)
	}
	list, _, _ := e.wallsUntil(wall.Add(time.Minute))
	if !slices.ContainsFunc(list, func(t time.Time) bool { return same(t, wall) }) {
		return false
	}
	_, end := e.occurrence(wall)
	if s.allDay {
		return end.Wall.Equal(s.end)
	}
	return same(end.Instant(time.UTC), s.end)
}

// recurrence is the element that tells the series, if it can be told.
func (e *event) recurrence() (eas.Element, bool) {
	if x := e.expansion(); x != nil {
		p := x.pattern
		last := x.last().key
		until := e.stamp(last, true)
		if !e.allDay {
			until = translate.CompactDateTime(e.start.At(last).Instant(time.UTC))
		}
		return p.Element(recurrenceTags, e.o.ProtocolVersion(), until), true
	}
	if !e.rule.shown || e.series != nil {
		return eas.Element{}, false
	}
	until := ""
	if !e.rule.last.IsZero() {
		until = e.untilStamp()
	}
	return e.rule.pattern.Element(recurrenceTags, e.o.ProtocolVersion(), until), true
}

// clock is the time of day of the series.
func (e *event) clock() time.Duration { return e.start.Wall.Sub(e.start.Wall.Truncate(24 * time.Hour)) }

// lastDay is the last day on which UNTIL lets the series occur.
func (e *event) lastDay() time.Time {
	day := e.rule.last.Truncate(24 * time.Hour)
	if day.Add(e.clock()).After(e.rule.last) {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

// untilStamp tells UNTIL as the start of the last day's occurrence, which
// every client takes for included.
func (e *event) untilStamp() string {
	if e.allDay {
		return e.stamp(e.lastDay(), true)
	}
	return translate.CompactDateTime(e.start.At(e.lastDay().Add(e.clock())).Instant(time.UTC))
}

// untilDay is the last day that a phone's Until includes. Some phones send
// the day's midnight in UTC, some in their own zone, some the last occurrence.
func (e *event) untilDay(t time.Time) time.Time {
	if e.allDay {
		return e.day(t, false)
	}
	if t.Equal(t.Truncate(24*time.Hour)) && !e.occursAt(t) {
		return t.UTC()
	}
	return ical.Reading(t, e.start.Loc).Truncate(24 * time.Hour)
}

// occursAt tells whether the series' clock time is that of an instant.
func (e *event) occursAt(t time.Time) bool {
	wall := ical.Reading(t, e.start.Loc)
	return wall.Sub(wall.Truncate(24*time.Hour)) == e.clock()
}

// untilValue writes UNTIL for the last day: in the form of DTSTART, in UTC
// unless that is a date or floating. See RFC 5545, section 3.3.10.
func (e *event) untilValue(day time.Time) string {
	if e.start.Form == ical.Date {
		return e.start.At(day).Value()
	}
	m := e.start.At(day.Add(e.clock()))
	if m.Form == ical.Zoned {
		m = moment{Form: ical.UTC, Loc: time.UTC}.When(m.Instant(time.UTC))
	}
	return m.Value()
}
