package task

import (
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

var recurrenceTags = recur.Tags{
	Recurrence: tag.TasksRecurrence, Type: tag.TasksType, Interval: tag.TasksInterval,
	DayOfWeek: tag.TasksDayOfWeek, DayOfMonth: tag.TasksDayOfMonth, WeekOfMonth: tag.TasksWeekOfMonth,
	MonthOfYear: tag.TasksMonthOfYear, Until: tag.TasksUntil, Occurrences: tag.TasksOccurrences,
	CalendarType: tag.TasksCalendarType, IsLeapMonth: tag.TasksIsLeapMonth, FirstDayOfWeek: tag.TasksFirstDayOfWeek,
}

// maxOccurrences is the most that phones are told of: an unsigned byte. See
// [MS-ASTASK] "Occurrences".
const maxOccurrences = 255

// base is from when the task recurs: its start, or its due date.
func (t *todo) base() (moment, bool) {
	if m, ok := t.start(); ok {
		return m, true
	}
	return t.due()
}

// pattern tells the task's recurrence in ActiveSync's terms, if it can be told.
func (t *todo) pattern() (p recur.Pattern, ok bool) {
	rules := t.c.All("RRULE")
	base, has := t.base()
	if len(rules) != 1 || !has || t.c.Get("RDATE") != nil || t.c.Get("EXRULE") != nil || t.c.Get("EXDATE") != nil {
		return p, false
	}
	rule, err := recur.Parse(rules[0].Value())
	if err != nil {
		return p, false
	}
	wall := t.wall(base)
	if p, ok = rule.Pattern(wall); !ok || p.Occurrences > maxOccurrences {
		return p, false
	}
	if len(rule.ByDay)+len(rule.ByMonthDay)+len(rule.ByMonth) > 0 && !sameDay(wall, base.Wall) {
		return p, false // its days are others where the person is
	}
	if rule.Until != "" {
		until, ok := t.zones.Parse(rule.Until, nil)
		if !ok {
			return p, false
		}
		p.Until = t.wall(until).Truncate(day)
	}
	return p, true
}

// locked tells whether the task recurs in a way that phones are not shown.
func (t *todo) locked() bool {
	_, ok := t.pattern()
	return t.c.Get("RRULE") != nil && !ok
}

// recurrence is the element that tells the recurrence. It has a start of its
// own. See [MS-ASTASK] "Start".
func (t *todo) recurrence() (eas.Element, bool) {
	p, ok := t.pattern()
	if !ok {
		return eas.Element{}, false
	}
	base, _ := t.base()
	until := ""
	if !p.Until.IsZero() {
		until = translate.DateTime(p.Until)
	}
	extra := []eas.Element{eas.T(tag.TasksStart, translate.DateTime(t.wall(base)))}
	if t.regenerates() {
		extra = append(extra, eas.T(tag.TasksRegenerate, "1"))
	}
	return p.Element(recurrenceTags, t.o.ProtocolVersion(), until, extra...), true
}

// regenerate says that a task comes back some time after it was done, which is
// more than RRULE can say: other programs let it come back on its days. See
// [MS-ASTASK] "Regenerate".
const regenerate = "X-PUSHBRIDGE-REGENERATE"

func (t *todo) regenerates() bool { return strings.TrimSpace(t.c.Get(regenerate).Value()) == "1" }

// mergeRegenerate applies Regenerate.
func (t *todo) mergeRegenerate(children eas.Properties) error {
	switch text, _ := children.Text(tag.TasksRegenerate); strings.TrimSpace(text) {
	case "1":
		t.c.Set(regenerate, "1")
	case "", "0":
		t.c.RemoveAll(regenerate)
	default:
		return invalid("Regenerate is %.10q", text)
	}
	return nil
}

// mergeRecurrence applies the Recurrence element.
func (t *todo) mergeRecurrence(sent eas.Properties) error {
	shown, has := t.pattern()
	el, ok := sent.Find(tag.TasksRecurrence)
	children := eas.Properties(el.Children)
	if dead, _ := children.Text(tag.TasksDeadOccur); ok && !has && strings.TrimSpace(dead) == "1" {
		// One occurrence that is done with, split off its series.
		return nil
	}
	switch {
	case !ok && (!has || !whole(sent) || t.o.Absent(tag.TasksRecurrence)):
		return nil
	case !ok || len(children) == 0:
		if has {
			t.c.RemoveAll("RRULE")
			t.c.RemoveAll(regenerate)
		}
		return nil
	}
	base, hasBase := t.base()
	if !hasBase {
		start, ok, err := sentTime(children, tag.TasksStart)
		if err != nil {
			return err
		}
		if !ok {
			return invalid("a recurrence without a start")
		}
		base = t.newForm(start.Truncate(day)).At(start.Truncate(day))
	}
	p, err := recur.ParseElement(el, recurrenceTags, t.wall(base))
	if err != nil {
		return err
	}
	p.Until = p.Until.Truncate(day)
	if err := t.mergeRegenerate(children); err != nil {
		return err
	}
	if has && p.Same(shown) && p.Occurrences == shown.Occurrences && (p.Occurrences > 0 || p.Until.Equal(shown.Until)) {
		return nil
	}
	if t.locked() {
		return invalid("the recurrence of this task cannot be changed from a phone")
	}
	return t.setRecurrence(p, shown, has, base)
}

func sameDay(a, b time.Time) bool { return a.Truncate(day).Equal(b.Truncate(day)) }

// settle takes the dates of a task in UTC to the person's zone before it recurs, and
// so those in a zone where it is another day: a phone says on which of the person's
// days it recurs, at the same hour of the clock in summer and winter.
func (t *todo) settle(base moment) moment {
	zone := t.o.Location()
	tzid := zone.String()
	known, named := tz.Location(tzid)
	switch {
	case !named || known == time.UTC || tzid == "UTC":
		return base
	case base.Form == ical.UTC, base.Form == ical.Zoned && !sameDay(t.wall(base), base.Wall):
	default:
		return base
	}
	year := min(base.Wall.Year(), t.o.Now.Year())
	form := moment{Form: ical.Zoned, Loc: zone, TZID: tzid}
	for _, f := range dateFields {
		if m, ok := t.zones.Moment(t.c.Get(f.name)); ok && m.Form != ical.Date {
			form.When(m.Instant(zone)).Put(t.c, f.name)
		}
	}
	t.zones.Explain(zone, tzid, year)
	return form.When(base.Instant(zone))
}

// setRecurrence writes a pattern as RRULE, and the start that it counts from.
func (t *todo) setRecurrence(p, shown recur.Pattern, has bool, base moment) error {
	if !has || !p.Same(shown) {
		base = t.settle(base)
	}
	until := ""
	if !p.Until.IsZero() && p.Occurrences == 0 {
		if p.Until.Before(t.wall(base).Truncate(day)) {
			return invalid("the task stops recurring before it starts")
		}
		m := base.At(p.Until)
		if base.Form != ical.Date {
			m = moment{Form: ical.UTC, Loc: time.UTC}.When(ical.OnClock(p.Until.Add(day-time.Second), t.o.Location()))
		}
		until = m.Value()
	}
	if t.c.Get("DTSTART") == nil {
		base.Put(t.c, "DTSTART")
	}
	if p.FirstDayOfWeek < 0 && has {
		p.FirstDayOfWeek = shown.FirstDayOfWeek
	}
	value := p.RRule(until)
	if has && p.Same(shown) {
		value = recur.WithEnd(t.c.Get("RRULE").Value(), p.Occurrences, until)
	}
	t.c.Set("RRULE", value)
	return nil
}
