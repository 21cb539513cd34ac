package calendar

import (
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
)

// mergeSeries applies what a phone says about recurrence and exceptions; old is
// the event before the phone's times were applied.
func (e *event) mergeSeries(sent eas.Properties, old event) error {
	moved := e.rule.recurs && !e.rule.locked && (e.start != old.start || e.end != old.end)
	if moved {
		if !e.rule.last.IsZero() {
			// UNTIL holds the time of day, which is another one now.
			l := e.c.Get("RRULE")
			l.SetValue(recur.WithEnd(l.Value(), 0, e.untilValue(old.lastDay())))
		}
		e.rule = e.readSeries()
	}
	was := e.rule
	if err := e.mergeRecurrence(sent); err != nil {
		return err
	}
	repatterned := was.shown && !(e.rule.shown && e.rule.pattern.Same(was.pattern))
	if e.plainDates() {
		// See [MS-ASCAL] "Exceptions": in 16.x a change of times or pattern
		// deletes them.
		if was.shown && (moved || repatterned) {
			e.dropExceptions()
		}
		return nil
	}
	if moved {
		e.shiftExceptions(old)
	}
	return e.mergeExceptions(sent, old, repatterned)
}

// mergeRecurrence applies the Recurrence element.
func (e *event) mergeRecurrence(sent eas.Properties) error {
	shown, has := e.recurrence()
	el, ok := sent.Find(tag.CalendarRecurrence)
	switch {
	case !ok && (!has || e.plainDates() || !whole(sent) || e.o.Absent(tag.CalendarRecurrence)):
		return nil
	case !ok || len(el.Children) == 0:
		if has && e.rule.locked {
			return invalid("the recurrence of this event cannot be changed from a phone")
		}
		if has {
			e.c.RemoveAll("RRULE")
			e.c.RemoveAll("EXDATE") // they would come back with the next series
			e.rule = series{}
		}
		return nil
	}
	if !has && !e.rule.locked {
		e.settle()
	}
	p, err := recur.ParseElement(el, recurrenceTags, e.start.Wall)
	if err != nil {
		return err
	}
	if has && e.sameSeries(p, shown) {
		return nil
	}
	if e.rule.locked {
		return invalid("the recurrence of this event cannot be changed from a phone")
	}
	return e.setRecurrence(p, has)
}

// settle takes an event in UTC to the zone in which a phone was shown it, before
// it recurs: at the same hour of the clock in summer and winter.
func (e *event) settle() {
	if e.start.Form != ical.UTC {
		return
	}
	start, end := e.start.Instant(time.UTC), e.end.Instant(time.UTC)
	form := e.inZone(e.phonesZone(start))
	if form.Form == ical.UTC {
		return
	}
	e.start, e.end = form.When(start), form.When(end)
	e.start.Put(e.c, "DTSTART")
	if e.c.Get("DTEND") != nil {
		e.end.Put(e.c, "DTEND")
	}
}

// sameSeries tells whether a phone's pattern is what it was shown.
func (e *event) sameSeries(p recur.Pattern, shown eas.Element) bool {
	q, err := recur.ParseElement(shown, recurrenceTags, e.start.Wall)
	if err != nil || !p.Same(q) {
		return false
	}
	if p.Occurrences > 0 || q.Occurrences > 0 {
		return p.Occurrences == q.Occurrences
	}
	if p.Until.IsZero() || q.Until.IsZero() {
		return p.Until.IsZero() && q.Until.IsZero()
	}
	return p.Until.Equal(q.Until) || e.untilDay(p.Until).Equal(e.untilDay(q.Until))
}

// setRecurrence writes a pattern as RRULE. A rule whose days stay keeps its
// words, and only its end is replaced.
func (e *event) setRecurrence(p recur.Pattern, has bool) error {
	until := ""
	if !p.Until.IsZero() && p.Occurrences == 0 {
		day := e.untilDay(p.Until)
		if day.Before(e.start.Wall.Truncate(24 * time.Hour)) {
			return invalid("the series ends before it starts")
		}
		until = e.untilValue(day)
	}
	if p.FirstDayOfWeek < 0 && has {
		p.FirstDayOfWeek = e.rule.pattern.FirstDayOfWeek
	}
	value := p.RRule(until)
	if has && p.Same(e.rule.pattern) {
		value = recur.WithEnd(e.c.Get("RRULE").Value(), p.Occurrences, until)
	}
	e.c.Set("RRULE", value)
	e.rule = e.readSeries()
	return nil
}
