package recur

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A Type is the kind of an ActiveSync recurrence; there is no 4. See [MS-ASCAL]
// "Type".
type Type int

// The types.
const (
	EveryDay    Type = 0
	EveryWeek   Type = 1
	EveryMonth  Type = 2 // on a day of the month
	MonthlyNth  Type = 3 // on the n-th weekday of the month
	EveryYear   Type = 5 // on a date
	YearlyNth   Type = 6 // on the n-th weekday of a month
	lastOfMonth      = 5 // as WeekOfMonth
)

// Sets of days in DayOfWeek, beside the single ones: Sunday is 1, Saturday 64.
const (
	workdays = 62
	weekend  = 65
	allDays  = 127
)

// A Pattern is an ActiveSync Recurrence. See [MS-ASCAL] "Recurrence".
type Pattern struct {
	Type           Type
	Interval       int // at least 1
	DayOfWeek      int // bits, Sunday is 1
	DayOfMonth     int
	WeekOfMonth    int // 5 is the last
	MonthOfYear    int
	FirstDayOfWeek int // 0 is Sunday; -1 means that it was not said
	Occurrences    int // 0 means no such limit
	Until          time.Time
}

// Limits of the elements. See [MS-ASCAL] "Interval" and "Occurrences".
const (
	maxInterval    = 999
	maxOccurrences = 999
)

// Pattern tells a rule in ActiveSync's terms; start is the wall-clock time of
// the event, from which a rule takes what it leaves out. Until is left to the
// caller. false means that ActiveSync has no words for the rule.
func (r Rule) Pattern(start time.Time) (Pattern, bool) {
	p := Pattern{Interval: r.Interval, Occurrences: r.Count, FirstDayOfWeek: -1}
	if !r.Expandable() || !r.atTimeOf(start) || len(r.ByYearDay)+len(r.ByWeekNo) > 0 || r.Interval > maxInterval || r.Count > maxOccurrences {
		return p, false
	}
	ok := false
	switch r.Freq {
	case Daily:
		ok = r.daily(&p)
	case Weekly:
		ok = r.weekly(&p, start)
	case Monthly:
		ok = len(r.ByMonth) == 0 && r.inMonth(&p, start, EveryMonth, MonthlyNth)
	case Yearly:
		p.MonthOfYear = int(start.Month())
		if len(r.ByMonth) > 0 {
			p.MonthOfYear = r.ByMonth[0]
		}
		plain := len(r.ByDay) == 0 || len(r.ByMonth) == 1 // BYDAY alone counts in the year
		ok = len(r.ByMonth) <= 1 && p.MonthOfYear > 0 && plain && r.inMonth(&p, start, EveryYear, YearlyNth)
	}
	return p, ok
}

// atTimeOf tells whether the rule occurs once a day, at the time of start. Some
// programs say so.
func (r Rule) atTimeOf(start time.Time) bool {
	is := func(list []int, n int) bool { return len(list) == 0 || len(list) == 1 && list[0] == n }
	return is(r.ByHour, start.Hour()) && is(r.ByMinute, start.Minute()) && is(r.BySecond, start.Second())
}

func (r Rule) daily(p *Pattern) bool {
	p.Type = EveryDay
	if len(r.ByMonth)+len(r.ByMonthDay)+len(r.BySetPos) > 0 {
		return false
	}
	if len(r.ByDay) == 0 {
		return true
	}
	// Every day, but only on some weekdays, is every week on these weekdays.
	p.Type, p.DayOfWeek, p.FirstDayOfWeek = EveryWeek, bits(r.ByDay), int(r.WeekStart)
	return r.Interval == 1 && p.DayOfWeek != 0
}

func (r Rule) weekly(p *Pattern, start time.Time) bool {
	p.Type, p.FirstDayOfWeek = EveryWeek, int(r.WeekStart)
	p.DayOfWeek = 1 << start.Weekday()
	if len(r.ByDay) > 0 {
		p.DayOfWeek = bits(r.ByDay)
	}
	return len(r.ByMonth)+len(r.ByMonthDay)+len(r.BySetPos) == 0 && p.DayOfWeek != 0
}

// inMonth tells which day of a month a rule means: onDate is the type for a
// day of the month, nth for a weekday.
func (r Rule) inMonth(p *Pattern, start time.Time, onDate, nth Type) bool {
	switch {
	case len(r.ByDay) == 0 && len(r.BySetPos) == 0 && len(r.ByMonthDay) <= 1:
		p.Type, p.DayOfMonth = onDate, start.Day()
		if len(r.ByMonthDay) == 1 {
			p.DayOfMonth = r.ByMonthDay[0]
		}
		if p.DayOfMonth == -1 {
			p.Type, p.DayOfMonth, p.DayOfWeek, p.WeekOfMonth = nth, 0, allDays, lastOfMonth
		}
		return p.DayOfMonth >= 0
	case len(r.ByMonthDay) > 0:
		return false
	case len(r.ByDay) == 1 && len(r.BySetPos) == 0:
		p.Type, p.DayOfWeek = nth, 1<<r.ByDay[0].Weekday
		return p.week(r.ByDay[0].N)
	case len(r.ByDay) > 0 && len(r.BySetPos) == 1:
		p.Type, p.DayOfWeek = nth, bits(r.ByDay)
		if r.BySetPos[0] == -1 {
			// The last of the last Monday, the last Tuesday ... is the last of
			// all Mondays, Tuesdays ...
			p.DayOfWeek = bits(withoutLast(r.ByDay))
		}
		return countable(p.DayOfWeek) && p.week(r.BySetPos[0])
	}
	return false
}

// week sets WeekOfMonth; false for what it cannot say. The fifth one is not
// the last one.
func (p *Pattern) week(n int) bool {
	if n == -1 {
		n = lastOfMonth
	} else if n < 1 || n > 4 {
		return false
	}
	p.WeekOfMonth = n
	return true
}

// countable tells whether DayOfWeek may stand beside WeekOfMonth: a single
// day, or one of the three sets that have a name.
func countable(bits int) bool {
	return bits == workdays || bits == weekend || bits == allDays || bits > 0 && bits&(bits-1) == 0 && bits < 128
}

// bits turns a list of days into DayOfWeek; 0 if one of them has a number.
func bits(days []Day) int {
	b := 0
	for _, d := range days {
		if d.N != 0 {
			return 0
		}
		b |= 1 << d.Weekday
	}
	return b
}

// withoutLast takes the number away from days that are the last of their kind.
func withoutLast(days []Day) []Day {
	var list []Day
	for _, d := range days {
		if d.N == -1 {
			d.N = 0
		}
		list = append(list, d)
	}
	return list
}

// byDay turns DayOfWeek into BYDAY.
func byDay(bits int, prefix string) string {
	var names []string
	for i := range 7 {
		if day := (i + 1) % 7; bits&(1<<day) != 0 {
			names = append(names, prefix+weekdayNames[day])
		}
	}
	return strings.Join(names, ",")
}

// RRule writes the value of an RRULE. until is UNTIL's value, or empty;
// Occurrences beat it.
func (p Pattern) RRule(until string) string {
	var b strings.Builder
	part := func(key, value string) { fmt.Fprintf(&b, ";%s=%s", key, value) }
	number := func(key string, n int) { part(key, strconv.Itoa(n)) }
	switch p.Type {
	case EveryDay:
		b.WriteString("FREQ=DAILY")
	case EveryWeek:
		b.WriteString("FREQ=WEEKLY")
	case EveryMonth, MonthlyNth:
		b.WriteString("FREQ=MONTHLY")
	default:
		b.WriteString("FREQ=YEARLY")
	}
	if p.Interval > 1 {
		number("INTERVAL", p.Interval)
	}
	switch {
	case p.Occurrences > 0:
		number("COUNT", p.Occurrences)
	case until != "":
		part("UNTIL", until)
	}
	if p.MonthOfYear > 0 {
		number("BYMONTH", p.MonthOfYear)
	}
	nth := p.WeekOfMonth
	if nth == lastOfMonth {
		nth = -1
	}
	switch {
	case p.DayOfMonth > 0:
		number("BYMONTHDAY", p.DayOfMonth)
	case p.WeekOfMonth == lastOfMonth && p.DayOfWeek == allDays:
		number("BYMONTHDAY", -1)
	case p.WeekOfMonth > 0 && p.DayOfWeek&(p.DayOfWeek-1) == 0:
		part("BYDAY", byDay(p.DayOfWeek, strconv.Itoa(nth)))
	case p.WeekOfMonth > 0:
		part("BYDAY", byDay(p.DayOfWeek, ""))
		number("BYSETPOS", nth)
	case p.DayOfWeek > 0:
		part("BYDAY", byDay(p.DayOfWeek, ""))
	}
	if p.Type == EveryWeek && p.FirstDayOfWeek >= 0 && p.FirstDayOfWeek != int(time.Monday) {
		part("WKST", weekdayNames[p.FirstDayOfWeek])
	}
	return b.String()
}

// Same tells whether two patterns recur on the same days, whenever they end.
func (p Pattern) Same(q Pattern) bool {
	if p.FirstDayOfWeek < 0 || q.FirstDayOfWeek < 0 || p.Type != EveryWeek || p.Interval == 1 {
		q.FirstDayOfWeek = p.FirstDayOfWeek
	}
	p.Occurrences, p.Until = q.Occurrences, q.Until
	return p == q
}

// Tags are a class's names for the parts of a recurrence. Those that a class
// does not have are 0.
type Tags struct {
	Recurrence, Type, Interval, DayOfWeek, DayOfMonth, WeekOfMonth, MonthOfYear wbxml.Tag
	Until, Occurrences, CalendarType, IsLeapMonth, FirstDayOfWeek               wbxml.Tag
}

// Element writes a pattern as a phone of a version wants it. until is the
// text of Until, or empty; extra elements (a task's Start) come right after
// Type.
func (p Pattern) Element(t Tags, v eas.Version, until string, extra ...eas.Element) eas.Element {
	var list []eas.Element
	add := func(tag wbxml.Tag, n int) { list = append(list, eas.T(tag, strconv.Itoa(n))) }
	add(t.Type, int(p.Type))
	list = append(list, extra...)
	switch {
	case p.Occurrences > 0:
		add(t.Occurrences, p.Occurrences)
	case until != "":
		list = append(list, eas.T(t.Until, until))
	}
	add(t.Interval, p.Interval)
	for _, part := range []struct {
		tag wbxml.Tag
		n   int
	}{{t.WeekOfMonth, p.WeekOfMonth}, {t.DayOfWeek, p.DayOfWeek}, {t.MonthOfYear, p.MonthOfYear}, {t.DayOfMonth, p.DayOfMonth}} {
		if part.n > 0 {
			add(part.tag, part.n)
		}
	}
	// See [MS-ASCAL] "CalendarType" and "FirstDayOfWeek": the calendar belongs
	// to the types that count in months, from 14.0 on, the week's beginning to
	// the weekly one, from 14.1 on.
	if v >= eas.V140 && p.Type >= EveryMonth {
		add(t.CalendarType, 0)
	}
	if v >= eas.V141 && p.Type == EveryWeek {
		add(t.FirstDayOfWeek, max(p.FirstDayOfWeek, 0))
	}
	return eas.C(t.Recurrence, list...)
}

// needs tells, for each type, which elements it must not have; the rest it has
// or takes from the start. See [MS-ASCAL] "Recurrence Patterns".
type parts struct{ dayOfWeek, dayOfMonth, weekOfMonth, monthOfYear bool }

var needs = map[Type]parts{
	EveryDay:   {dayOfWeek: true}, // "every workday" is daily with DayOfWeek 62
	EveryWeek:  {dayOfWeek: true},
	EveryMonth: {dayOfMonth: true},
	MonthlyNth: {dayOfWeek: true, weekOfMonth: true},
	EveryYear:  {dayOfMonth: true, monthOfYear: true},
	YearlyNth:  {dayOfWeek: true, weekOfMonth: true, monthOfYear: true},
}

// gregorian are the CalendarTypes that count as iCalendar does: the default,
// and the Gregorian ones in several languages. See [MS-ASCAL] "CalendarType".
var gregorian = []int{0, 1, 2, 9, 10, 11, 12}

// forever is the first year that stands for no end: programs write 9999 for it.
const forever = 9000

// ParseElement reads what a phone sent; start is the wall-clock time of the
// event. The error is translate.ErrInvalid if the element contradicts itself.
func ParseElement(e eas.Element, t Tags, start time.Time) (Pattern, error) {
	p := Pattern{Interval: 1, FirstDayOfWeek: -1, Type: -1}
	calendar, leap := 0, 0
	children := eas.Properties(e.Children)
	for _, f := range []struct {
		tag    wbxml.Tag
		to     *int
		lo, hi int
	}{
		{t.Type, (*int)(&p.Type), 0, 6},
		{t.Interval, &p.Interval, 0, maxInterval},
		{t.DayOfWeek, &p.DayOfWeek, 1, allDays},
		{t.DayOfMonth, &p.DayOfMonth, 1, 31},
		{t.WeekOfMonth, &p.WeekOfMonth, 1, lastOfMonth},
		{t.MonthOfYear, &p.MonthOfYear, 1, 12},
		{t.FirstDayOfWeek, &p.FirstDayOfWeek, 0, 6},
		{t.Occurrences, &p.Occurrences, 1, maxOccurrences},
		{t.CalendarType, &calendar, 0, 23},
		{t.IsLeapMonth, &leap, 0, 1},
	} {
		text, ok := children.Text(f.tag)
		if text = strings.TrimSpace(text); !ok || text == "" || f.tag == 0 {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < f.lo || n > f.hi {
			return p, fmt.Errorf("%w: %d in a recurrence", translate.ErrInvalid, n)
		}
		*f.to = n
	}
	if text, ok := children.Text(t.Until); ok && strings.TrimSpace(text) != "" {
		until, err := translate.ParseDateTime(text)
		if err != nil {
			return p, err
		}
		if until.Year() < forever {
			p.Until = until
		}
	}
	p.Interval = max(p.Interval, 1)
	if !slices.Contains(gregorian, calendar) || leap != 0 {
		return p, fmt.Errorf("%w: a recurrence in a calendar of type %d", translate.ErrInvalid, calendar)
	}
	return p.complete(start)
}

// complete refuses contradictions and takes what is missing from the start.
func (p Pattern) complete(start time.Time) (Pattern, error) {
	n, ok := needs[p.Type]
	if !ok {
		return p, fmt.Errorf("%w: a recurrence of type %d", translate.ErrInvalid, p.Type)
	}
	if p.DayOfWeek > 0 && !n.dayOfWeek || p.DayOfMonth > 0 && !n.dayOfMonth || p.WeekOfMonth > 0 && !n.weekOfMonth || p.MonthOfYear > 0 && !n.monthOfYear {
		return p, fmt.Errorf("%w: a recurrence of type %d with elements of another", translate.ErrInvalid, p.Type)
	}
	if p.Type == EveryDay && p.DayOfWeek > 0 {
		p.Type = EveryWeek
	}
	if n.dayOfMonth && p.DayOfMonth == 0 {
		p.DayOfMonth = start.Day()
	}
	if n.monthOfYear && p.MonthOfYear == 0 {
		p.MonthOfYear = int(start.Month())
	}
	if n.weekOfMonth && p.WeekOfMonth == 0 {
		p.WeekOfMonth = (start.Day()-1)/7 + 1
	}
	if n.dayOfWeek && p.DayOfWeek == 0 && p.Type != EveryDay {
		p.DayOfWeek = 1 << start.Weekday()
	}
	if n.weekOfMonth && !countable(p.DayOfWeek) {
		return p, fmt.Errorf("%w: the n-th of several weekdays", translate.ErrInvalid)
	}
	return p, nil
}
