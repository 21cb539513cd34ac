package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
)

// An expansion is how phones are shown a series that ActiveSync has no words
// for: a plain series that meets all of its coming occurrences, with those that
// are too many taken out. It is exact as far as it reaches, and read-only.
type expansion struct {
	pattern recur.Pattern
	list    []occurrence // ascending, the first one begins the series
	gone    []time.Time  // what the pattern has too many, on the series' clock
	more    bool         // the series goes on beyond the last one
	whole   bool         // the list begins with the series' first one
}

// An occurrence is one time at which a series takes place.
type occurrence struct {
	key  time.Time // its day, at the time of day of the series
	wall time.Time // when it takes place by the rules, on the series' clock
	as   *event    // what takes place, if it differs from the series; nil if not
}

// Limits of an expansion.
const (
	maxAhead     = 2   // years after this month
	enoughAhead  = 3   // months from the beginning of this one
	maxBack      = 6   // months, as far as the protocol's widest window
	maxShown     = 400 // occurrences
	maxTakenOut  = 200 // exceptions; a phone is told of at most maxExceptions
	maxOnTheWay  = 40_000
	fewestToShow = 2
)

// expansion answers how the series is expanded; nil for what phones are shown
// as it is, and for what cannot be expanded: then its next occurrence stands
// for it.
func (e *event) expansion() *expansion {
	if !e.rule.locked || e.series != nil {
		return nil
	}
	if !e.expanded {
		e.expanded, e.told = true, e.expand()
	}
	return e.told
}

// expand looks at the whole series first, then only at what is left of it since
// the first of some month, as far as the exceptions reach: since the month in
// which the phone's window begins, the month before this one, or this one,
// whichever is the first to show enough of what comes. So it stays the same for
// the whole of a month.
func (e *event) expand() *expansion {
	month := monthOf(e.o.Now)
	list, more, ok := e.occurrences()
	if !ok || len(list) < fewestToShow {
		return nil
	}
	if len(list) <= maxShown {
		if x := e.cover(list); x != nil {
			x.more, x.whole = more, true
			return x
		}
	}
	for _, back := range []int{e.monthsBack(), 1, 0} {
		from := month.AddDate(0, -back, 0)
		i, _ := slices.BinarySearchFunc(list, from, func(o occurrence, t time.Time) int { return o.key.Compare(t) })
		if x := e.coverMost(list[i:]); x != nil {
			x.more = x.more || more
			if !x.more || x.last().key.After(month.AddDate(0, enoughAhead, 0)) {
				return x
			}
		}
	}
	return nil
}

// coverMost covers as many as the exceptions reach of the first occurrences.
func (e *event) coverMost(list []occurrence) *expansion {
	for n := min(len(list), maxShown); n >= fewestToShow; n = n * 4 / 5 {
		if x := e.cover(list[:n]); x != nil {
			x.more = n < len(list)
			return x
		}
	}
	return nil
}

func (x *expansion) last() occurrence { return x.list[len(x.list)-1] }

// monthOf is the first day of a month.
func monthOf(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
}

// monthsBack is how many months the phone's window reaches back, however long
// these are: the windows of the protocol have the same number on each day.
func (e *event) monthsBack() int {
	if e.o.Since.IsZero() {
		return 1
	}
	const day, longest = 24 * time.Hour, 31
	days := int(e.o.Now.Truncate(day).Sub(e.o.Since) / day)
	return min(max((days+longest-1)/longest, 1), maxBack)
}

// occurrences lists the occurrences of the next years; more tells whether there
// are later ones. false if a rule cannot be followed, or if there are two
// occurrences on one day.
func (e *event) occurrences() (list []occurrence, more, ok bool) {
	if e.rule.orphans {
		list, ok = e.orphans()
		return list, false, ok
	}
	walls, more, ok := e.wallsAhead()
	if !ok {
		return nil, false, false
	}
	ranges := e.ranges()
	clock := e.clock()
	for _, wall := range walls {
		o := occurrence{key: wall.Truncate(24 * time.Hour).Add(clock), wall: wall}
		if n := len(list); n > 0 && list[n-1].key.Equal(o.key) {
			return nil, false, false
		}
		switch x := e.findOverride(wall); {
		case x != nil:
			o.as = x
		case len(ranges) > 0 && !ranges[0].from.After(wall):
			for _, r := range ranges {
				if !r.from.After(wall) {
					o.as = r.event.shifted(wall.Sub(r.from))
				}
			}
		case !wall.Equal(o.key) || e.rule.lengths[wall] != 0:
			o.as = e.shifted(wall.Sub(e.start.Wall))
			o.as.start, o.as.end = e.occurrence(wall)
			o.as.series = e
		}
		list = append(list, o)
	}
	return list, more, true
}

// orphans are the occurrences of an event without its series.
func (e *event) orphans() ([]occurrence, bool) {
	list := []occurrence{{key: e.start.Wall, wall: e.start.Wall}}
	for _, x := range e.overrides {
		wall := e.ownWall(x.start)
		list = append(list, occurrence{key: wall.Truncate(24 * time.Hour).Add(e.clock()), wall: wall, as: x})
	}
	slices.SortStableFunc(list, func(a, b occurrence) int { return a.key.Compare(b.key) })
	n := len(slices.CompactFunc(slices.Clone(list), func(a, b occurrence) bool { return a.key.Equal(b.key) }))
	return list, n == len(list)
}

// ahead is what wallsUntil answers for the next years.
type ahead struct {
	walls    []time.Time
	more, ok bool
}

// wallsAhead is wallsUntil the end of what phones are shown of a series that
// they cannot edit.
func (e *event) wallsAhead() (walls []time.Time, more, ok bool) {
	if e.ahead == nil {
		walls, more, ok := e.wallsUntil(monthOf(e.o.Now).AddDate(maxAhead, 1, 0))
		e.ahead = &ahead{walls, more, ok}
	}
	return e.ahead.walls, e.ahead.more, e.ahead.ok
}

// wallsUntil lists what RRULE and RDATE say, without EXRULE and EXDATE.
func (e *event) wallsUntil(until time.Time) (walls []time.Time, more, ok bool) {
	follow := func(name string) bool {
		for _, l := range e.c.All(name) {
			rule, err := recur.Parse(l.Value())
			last, okUntil := e.until(rule.Until)
			if err != nil || !okUntil || !rule.Expandable() {
				return false
			}
			found, _ := series{rule: rule, last: last}.walls(e.start.Wall, func(t time.Time) bool { return t.After(until) })
			if len(found) > maxOnTheWay {
				return false
			}
			for i := range found {
				found[i] = e.dayOf(found[i])
			}
			if name == "EXRULE" {
				walls = slices.DeleteFunc(walls, func(t time.Time) bool { return !t.Equal(e.start.Wall) && slices.ContainsFunc(found, t.Equal) })
				continue
			}
			walls = append(walls, found...)
		}
		return true
	}
	if len(e.c.All("RRULE")) > maxRules || len(e.c.All("EXRULE")) > maxRules || !follow("RRULE") {
		return nil, false, false
	}
	walls = append(walls, e.start.Wall)
	walls = append(walls, e.rule.dates...)
	slices.SortFunc(walls, time.Time.Compare)
	walls = slices.CompactFunc(walls, time.Time.Equal)
	if !follow("EXRULE") {
		return nil, false, false
	}
	gone := e.moments("EXDATE")
	slices.SortFunc(gone, time.Time.Compare)
	walls = slices.DeleteFunc(walls, func(t time.Time) bool {
		_, found := slices.BinarySearchFunc(gone, t, time.Time.Compare)
		return found
	})
	n := slices.IndexFunc(walls, func(t time.Time) bool { return t.After(until) })
	if n < 0 {
		return walls, false, true
	}
	return walls[:n], true, true
}

// A rest is an override that applies to all later occurrences, too. See RFC
// 5545, section 3.2.13.
type rest struct {
	from  time.Time
	event *event
}

func (e *event) ranges() []rest {
	var list []rest
	for _, x := range e.overrides {
		if at, ok := x.recurrenceID(); ok && strings.EqualFold(x.c.Get("RECURRENCE-ID").Param("RANGE"), "THISANDFUTURE") {
			list = append(list, rest{at, x})
		}
	}
	slices.SortFunc(list, func(a, b rest) int { return a.from.Compare(b.from) })
	return list
}

// shifted is the event at another time, as the override of a series.
func (e *event) shifted(by time.Duration) *event {
	x := *e
	x.rule, x.told, x.expanded, x.next, x.ahead = series{}, nil, false, nil, nil
	length := e.end.Instant(time.UTC).Sub(e.start.Instant(time.UTC))
	x.start = e.start.At(e.start.Wall.Add(by))
	if e.allDay {
		x.end = e.end.At(e.end.Wall.Add(by))
	} else {
		x.end = e.end.When(x.start.Instant(time.UTC).Add(length))
	}
	return &x
}

// cover finds the pattern that meets all occurrences and has the fewest too
// many; nil if all have more than a phone can be told of.
func (e *event) cover(list []occurrence) *expansion {
	var best *expansion
	differ := 0
	for _, o := range list {
		if o.as != nil {
			differ++
		}
	}
	for _, p := range patternsOf(list) {
		x := &expansion{pattern: p, list: list}
		if x.take() && len(x.gone)+differ <= maxTakenOut && (best == nil || len(x.gone) < len(best.gone)) {
			best = x
		}
	}
	return best
}

// take lists what the pattern has too many; false if it does not meet them all,
// or far too many others.
func (x *expansion) take() bool {
	rule, err := recur.Parse(x.pattern.RRule(""))
	if err != nil {
		return false
	}
	i, last := 0, x.last().key
	for t := range rule.All(x.list[0].key) {
		switch {
		case t.After(last) || len(x.gone) > maxTakenOut:
			return false
		case t.Equal(x.list[i].key):
			if i++; i == len(x.list) {
				return true
			}
		case t.After(x.list[i].key):
			return false
		default:
			x.gone = append(x.gone, t)
		}
	}
	return false
}

// patternsOf lists patterns that may meet all of some days: every so many days,
// weeks with these weekdays, months with this day or this n-th weekday.
func patternsOf(list []occurrence) []recur.Pattern {
	first := list[0].key
	days, weeks, months, weekdays := 0, 0, 0, 0
	sameDay, sameWeekday, sameNth, allLast := true, true, true, true
	monday := func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }
	apart := func(a, b time.Time) int { return int(b.Sub(a).Hours() / 24) }
	for _, o := range list {
		t := o.key
		days = gcd(days, apart(first, t))
		weeks = gcd(weeks, apart(monday(first), monday(t))/7)
		months = gcd(months, (t.Year()-first.Year())*12+int(t.Month())-int(first.Month()))
		weekdays |= 1 << t.Weekday()
		sameDay = sameDay && t.Day() == first.Day() && t.Day() <= 28
		sameWeekday = sameWeekday && t.Weekday() == first.Weekday()
		sameNth = sameNth && (t.Day()-1)/7 == (first.Day()-1)/7 && t.Day() <= 28
		allLast = allLast && t.AddDate(0, 0, 7).Month() != t.Month()
	}
	patterns := []recur.Pattern{
		{Type: recur.EveryWeek, Interval: max(weeks, 1), DayOfWeek: weekdays, FirstDayOfWeek: int(time.Monday)},
		{Type: recur.EveryDay, Interval: max(days, 1), FirstDayOfWeek: -1},
	}
	if sameDay && months > 0 {
		patterns = append(patterns, recur.Pattern{Type: recur.EveryMonth, Interval: months, DayOfMonth: first.Day(), FirstDayOfWeek: -1})
	}
	for _, nth := range []struct {
		fits bool
		week int
	}{{sameNth, (first.Day()-1)/7 + 1}, {allLast, 5}} {
		if nth.fits && sameWeekday && months > 0 {
			patterns = append(patterns, recur.Pattern{Type: recur.MonthlyNth, Interval: months, DayOfWeek: 1 << first.Weekday(), WeekOfMonth: nth.week, FirstDayOfWeek: -1})
		}
	}
	return slices.DeleteFunc(patterns, func(p recur.Pattern) bool { return p.Interval > maxStep })
}

// maxStep is the largest Interval. See [MS-ASCAL] "Interval".
const maxStep = 999

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}

// exceptions of an expansion are what the pattern has too many, and what
// differs from the series.
func (x *expansion) exceptions(e *event) eas.Element {
	type exception struct {
		at time.Time
		el eas.Element
	}
	var list []exception
	for _, t := range x.gone {
		list = append(list, exception{t, eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "1"), e.key(t))})
	}
	for _, o := range x.list {
		if o.as != nil {
			list = append(list, exception{o.key, o.as.asException(e.key(o.key))})
		}
	}
	slices.SortStableFunc(list, func(a, b exception) int { return a.at.Compare(b.at) })
	el := eas.C(tag.CalendarExceptions)
	for _, one := range list {
		el.Children = append(el.Children, one.el)
	}
	return el
}

// notice tells people what they do not see, under the description of a series
// that phones cannot be shown as it is.
func (e *event) notice() string {
	if !e.rule.locked || e.series != nil {
		return ""
	}
	var rules []string
	for _, l := range e.c.All("RRULE") {
		if r, err := recur.Parse(l.Value()); err == nil && len(rules) < maxRules {
			rules = append(rules, r.Words())
		}
	}
	if e.rule.orphans {
		rules = append(rules, "these are single occurrences of a series")
	}
	if len(e.rule.dates) > 0 {
		rules = append(rules, "on single days")
	}
	if len(e.ranges()) > 0 {
		rules = append(rules, "changed from some day on")
	}
	words := "It recurs in a way that phones cannot be told"
	if len(rules) > 0 {
		words += ": " + strings.Join(rules, "; ")
	}
	shown := "Only its next occurrence is shown here."
	if x := e.expansion(); x != nil {
		shown = "All of its occurrences are shown here."
		if x.more {
			shown = fmt.Sprintf("Its occurrences are shown until %s.", x.last().key.Format("2 January 2006"))
		}
	}
	return words + ". " + shown + " It can be changed in the calendar itself, not on the phone."
}

// refuseEdit says nothing if a phone sends what it was shown, of a series that
// it cannot edit, and translate.ErrInvalid otherwise.
func (obj *object) refuseEdit(sent eas.Properties) error {
	e := obj.event
	refused := invalid("the event recurs in a way that cannot be edited from a phone")
	shown := e.when()
	s, err := e.sentSpan(sent, shown)
	if err != nil {
		return err
	}
	moved := s.allDay != shown.allDay || !same(s.start, shown.start) || !same(s.end, shown.end)
	if moved && (e.expansion() != nil || !e.meansOccurrence(s)) {
		return refused
	}
	if err := e.mergeRecurrence(sent); err != nil {
		return err
	}
	was, _ := e.exceptions()
	exceptions, _ := sent.Find(tag.CalendarExceptions)
	for _, x := range exceptions.Children {
		if !slices.ContainsFunc(was.Children, func(y eas.Element) bool { return sameException(x, y) }) {
			return refused
		}
	}
	before := fingerprint(e.c)
	if err := e.mergeFields(sent, whole(sent)); err != nil {
		return err
	}
	if fingerprint(e.c) != before {
		return refused
	}
	return nil
}

// sameException compares an Exception with what was shown, in any order.
func sameException(sent, shown eas.Element) bool {
	for _, el := range sent.Children {
		other, ok := eas.Properties(shown.Children).Find(el.Tag)
		if !ok && el.Tag == tag.CalendarDeleted && strings.TrimSpace(el.Content()) == "0" {
			continue
		}
		if !ok || !equal(el, other) {
			return false
		}
	}
	return true
}
