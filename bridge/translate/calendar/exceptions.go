package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// maxExceptions is how many a phone is told of, the latest ones. See [MS-ASCAL]
// "Exception".
const maxExceptions = 256

// recurrenceID is which occurrence an override replaces, on the series' clock.
func (x *event) recurrenceID() (time.Time, bool) {
	m, ok := x.zones.Moment(x.c.Get("RECURRENCE-ID"))
	if !ok {
		return time.Time{}, false
	}
	return x.series.ownWall(m), true
}

// exceptions is the element that tells the occurrences that are gone or
// changed.
func (e *event) exceptions() (eas.Element, bool) {
	if x := e.expansion(); x != nil {
		el := x.exceptions(e)
		return el, len(el.Children) > 0
	}
	if !e.rule.shown {
		return eas.Element{}, false
	}
	type exception struct {
		at time.Time
		el eas.Element
	}
	var list []exception
	changed := map[time.Time]bool{}
	for _, x := range e.overrides {
		if at, ok := x.recurrenceID(); ok && !changed[at] {
			changed[at] = true
			list = append(list, exception{at, x.asException(e.key(at))})
		}
	}
	for _, at := range e.moments("EXDATE") {
		if !changed[at] {
			changed[at] = true
			list = append(list, exception{at, eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), e.key(at))})
		}
	}
	if len(list) == 0 {
		return eas.Element{}, false
	}
	slices.SortStableFunc(list, func(a, b exception) int { return a.at.Compare(b.at) })
	list = list[max(0, len(list)-maxExceptions):]
	el := eas.C(tag.CalendarExceptions)
	for _, x := range list {
		el.Children = append(el.Children, x.el)
	}
	return el, true
}

// key names an occurrence to the phone: by ExceptionStartTime, from 16.0 on by
// InstanceId. See [MS-ASCAL] "ExceptionStartTime" and [MS-ASAIRS] "InstanceId".
func (e *event) key(wall time.Time) eas.Element {
	t := wall
	if !e.allDay {
		t = e.start.At(wall).Instant(time.UTC)
	}
	name := tag.CalendarExceptionStartTime
	if e.plainDates() {
		name = tag.AirSyncBaseInstanceId
	}
	return eas.T(name, e.stamp(t, e.allDay))
}

// asException tells an override: its times, and whatever else differs from
// the series.
func (x *event) asException(key eas.Element) eas.Element {
	el := eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "0"), key)
	v := x.o.ProtocolVersion()
	for _, f := range fields {
		if f.exception == 0 || v < f.exception || !f.in(v) {
			continue
		}
		own, has := f.show(x)
		general, had := f.show(x.series)
		switch {
		case has && (!had || f.always || !equal(own, general)):
			el.Children = append(el.Children, own)
		case !has && had && f.canBeEmpty:
			el.Children = append(el.Children, eas.Element{Tag: f.tag})
		}
	}
	if x.description() != x.series.description() || x.c.Get("URL").Value() != x.series.c.Get("URL").Value() {
		el.Children = append(el.Children, x.body()...)
	}
	return el
}

// findOverride finds the override of an occurrence.
func (e *event) findOverride(wall time.Time) *event {
	for _, x := range e.overrides {
		if at, ok := x.recurrenceID(); ok && at.Equal(wall) {
			return x
		}
	}
	return nil
}

// exdate finds the line and the value that take an occurrence out.
func (e *event) exdate(wall time.Time) (*line, int) {
	for _, l := range e.c.All("EXDATE") {
		for i, value := range strings.Split(l.Value(), ",") {
			if m, ok := e.zones.Parse(value, l); ok && e.ownWall(m).Equal(wall) {
				return l, i
			}
		}
	}
	return nil, 0
}

// exclude takes an occurrence out, in the form of DTSTART.
func (e *event) exclude(wall time.Time) {
	for x := e.findOverride(wall); x != nil; x = e.findOverride(wall) {
		e.removeOverride(x) // some programs leave an older one behind
	}
	if l, _ := e.exdate(wall); l == nil {
		m := e.start.At(wall)
		e.c.Add("EXDATE", m.Value(), m.Params()...)
	}
}

// include puts an occurrence back that was taken out.
func (e *event) include(wall time.Time) {
	for l, i := e.exdate(wall); l != nil; l, i = e.exdate(wall) {
		values := slices.Delete(strings.Split(l.Value(), ","), i, i+1)
		if len(values) == 0 {
			e.c.Remove(l)
		} else {
			l.SetValue(strings.Join(values, ","))
		}
	}
}

func (e *event) removeOverride(x *event) {
	e.cal.RemoveComponent(x.c)
	e.object.overrides = slices.DeleteFunc(e.object.overrides, func(o *event) bool { return o == x })
}

// dropExceptions makes all occurrences alike.
func (e *event) dropExceptions() {
	e.c.RemoveAll("EXDATE")
	for _, x := range slices.Clone(e.overrides) {
		e.removeOverride(x)
	}
}

// addOverride makes the override of an occurrence: a copy of the series, at
// its time.
func (e *event) addOverride(wall time.Time) *event {
	e.include(wall)
	c := e.cal.AddCopy(e.c)
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE"} {
		c.RemoveAll(name)
	}
	for _, alarm := range c.Components("VALARM") {
		if _, ok := e.zones.Moment(alarm.Get("TRIGGER")); ok {
			c.RemoveComponent(alarm) // at one time, of which the series reminds
		}
	}
	x := &event{object: e.object, c: c, series: e, allDay: e.allDay}
	x.start, x.end = e.occurrence(wall)
	x.start.Put(c, "DTSTART")
	if c.Get("DTEND") != nil {
		x.end.Put(c, "DTEND")
	}
	m := e.start.At(wall)
	c.AddAfter(c.Get("DTSTART"), "RECURRENCE-ID", m.Value(), m.Params()...)
	e.object.overrides = append(e.object.overrides, x)
	return x
}

// shiftExceptions moves what names occurrences along with a series that was
// moved, and those changed occurrences whose time was the series' own.
func (e *event) shiftExceptions(old event) {
	shift := e.start.Wall.Sub(old.start.Wall)
	rename := func(value string, l *line) (moment, bool) {
		m, ok := old.zones.Parse(value, l)
		return e.start.At(old.ownWall(m).Add(shift)), ok
	}
	for _, l := range e.c.All("EXDATE") {
		var values []string
		for value := range strings.SplitSeq(l.Value(), ",") {
			if m, ok := rename(value, l); ok {
				value = m.Value()
			}
			values = append(values, value)
		}
		l.SetParam("TZID")
		l.SetParam("VALUE")
		for _, p := range e.start.Params() {
			l.SetParam(p.Name, p.Values...)
		}
		l.SetValue(strings.Join(values, ","))
	}
	for _, x := range e.overrides {
		l := x.c.Get("RECURRENCE-ID")
		m, ok := rename(l.Value(), l)
		if !ok {
			continue
		}
		unmoved := x.start.Instant(time.UTC).Equal(old.start.At(m.Wall.Add(-shift)).Instant(time.UTC))
		m.Put(x.c, "RECURRENCE-ID")
		if unmoved {
			now := x.when()
			start, end := e.occurrence(m.Wall)
			s := span{e.allDay, start.Wall, end.Wall}
			if !e.allDay {
				s = span{false, start.Instant(time.UTC), end.Instant(time.UTC)}
			}
			x.setTimes(s, now)
		}
	}
}

// mergeExceptions applies the Exceptions element (up to 14.1). What it does
// not mention is kept, for phones leave out what they do not know; only an
// override that the new pattern has no occurrence for goes with it.
func (e *event) mergeExceptions(sent eas.Properties, old event, repatterned bool) error {
	el, _ := sent.Find(tag.CalendarExceptions)
	if len(el.Children) > 0 && !e.rule.shown {
		return nil // exceptions to what does not recur
	}
	mentioned := map[time.Time]bool{}
	for i, x := range el.Children {
		if x.Tag != tag.CalendarException {
			continue
		}
		if i >= maxOverrides {
			return invalid("more than %d exceptions", maxOverrides)
		}
		wall, err := e.occurrenceOf(x.Children, old)
		if err != nil {
			return err
		}
		mentioned[wall] = true
		if err := e.mergeException(x.Children, wall); err != nil {
			return err
		}
	}
	if repatterned {
		for _, x := range slices.Clone(e.overrides) {
			if at, ok := x.recurrenceID(); ok && !mentioned[at] && !e.occurs(at) {
				e.removeOverride(x)
			}
		}
	}
	return nil
}

// occurrenceOf finds out which occurrence an Exception means. When a series
// was moved some phones go on naming its occurrences by the old times.
func (e *event) occurrenceOf(sent eas.Properties, old event) (time.Time, error) {
	text, ok := sent.Text(tag.CalendarExceptionStartTime)
	if !ok {
		text, ok = sent.Text(tag.AirSyncBaseInstanceId)
	}
	if !ok {
		return time.Time{}, invalid("an exception without ExceptionStartTime")
	}
	t, err := translate.ParseDateTime(text)
	if err != nil {
		return time.Time{}, err
	}
	if !ical.Sensible(t) {
		return time.Time{}, invalid("an exception in the year %d", t.Year())
	}
	wall := e.instanceWall(t)
	shifted := old.instanceWall(t).Add(e.start.Wall.Sub(old.start.Wall))
	near, ok := e.toldWall(t)
	if !ok {
		near = wall.Truncate(24 * time.Hour).Add(e.clock())
	}
	for _, w := range []time.Time{wall, shifted, near} {
		if e.knows(w) {
			return w, nil
		}
	}
	for _, w := range []time.Time{wall, shifted, near} {
		if e.occurs(w) {
			return w, nil
		}
	}
	return wall, nil
}

// knows tells whether an occurrence is taken out or changed.
func (e *event) knows(wall time.Time) bool {
	l, _ := e.exdate(wall)
	return l != nil || e.findOverride(wall) != nil
}

// toldWall is an occurrence's time as a phone names it, on the series' clock by the
// one rule that the phone was told of its zone, which had others while the series
// went on. It answers false where that makes it no time of the series.
func (e *event) toldWall(t time.Time) (time.Time, bool) {
	if e.allDay {
		return time.Time{}, false
	}
	wall := ical.Reading(t, e.start.Loc).Truncate(24 * time.Hour).Add(e.clock())
	if e.start.At(wall).Instant(time.UTC).Equal(t) {
		return wall, true // a clock that was put forward never showed it
	}
	wall = ical.Reading(t, e.blob().Location())
	return wall, wall.Sub(wall.Truncate(24*time.Hour)) == e.clock()
}

// instanceWall is an occurrence's time as a phone names it, on the series' clock.
func (e *event) instanceWall(t time.Time) time.Time {
	if e.allDay {
		return e.day(t, false)
	}
	return ical.Reading(t, e.start.Loc)
}

// occurs tells whether the rule has an occurrence at a wall-clock time.
func (e *event) occurs(wall time.Time) bool {
	if e.rule.all == nil {
		e.rule.all, _ = e.rule.walls(e.start.Wall, func(time.Time) bool { return false })
	}
	_, found := slices.BinarySearchFunc(e.rule.all, wall, time.Time.Compare)
	return found
}

// mergeException applies one Exception.
func (e *event) mergeException(sent eas.Properties, wall time.Time) error {
	if deleted, _ := sent.Text(tag.CalendarDeleted); strings.TrimSpace(deleted) == "1" {
		e.exclude(wall)
		return nil
	}
	x := e.findOverride(wall)
	if x == nil {
		if l, _ := e.exdate(wall); l == nil && !speaks(sent) {
			return nil
		}
		x = e.addOverride(wall)
	}
	if err := x.mergeTimes(sent); err != nil {
		return err
	}
	return x.mergeFields(sent, false)
}

// speaks tells whether an Exception has anything beside its key.
func speaks(sent eas.Properties) bool {
	for _, el := range sent {
		switch el.Tag {
		case tag.CalendarDeleted, tag.CalendarExceptionStartTime, tag.AirSyncBaseInstanceId:
		default:
			return true
		}
	}
	return false
}
