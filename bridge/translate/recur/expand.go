package recur

import (
	"iter"
	"slices"
	"time"
)

// Limits of an expansion: what somebody's rule may cost.
const (
	// MaxPeriods is how many days, weeks, months or years are looked at: 27
	// years of days.
	MaxPeriods = 10_000

	// lastYear ends all expansions.
	lastYear = 2200
)

// Expandable tells whether [Rule.All] understands every part of the rule.
func (r Rule) Expandable() bool { return !r.more && r.Freq != Shorter }

// All lists the wall-clock times at which a rule of an event occurs, ascending,
// beginning with start itself. It obeys COUNT; the caller obeys UNTIL by no
// longer asking. It ends after [MaxPeriods] periods, and lists only start for a
// rule that is not [Rule.Expandable].
//
// See RFC 5545, section 3.3.10, whose table of BY parts it follows.
func (r Rule) All(start time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		if !yield(start) || !r.Expandable() {
			return
		}
		left := r.Count - 1
		for n := range MaxPeriods {
			days, ok := r.period(start, n)
			if !ok {
				return
			}
			for _, at := range days {
				if !at.After(start) {
					continue
				}
				if r.Count > 0 && left <= 0 {
					return
				}
				left--
				if !yield(at) {
					return
				}
			}
		}
	}
}

// period lists the occurrences in the n-th period; false after the last year.
func (r Rule) period(start time.Time, n int) ([]time.Time, bool) {
	n *= r.Interval
	y, m, d := start.Date()
	at := func(y int, m time.Month, d int) time.Time {
		return time.Date(y, m, d, start.Hour(), start.Minute(), start.Second(), 0, time.UTC)
	}
	var first, end time.Time
	switch r.Freq {
	case Daily:
		first = at(y, m, d+n)
		end = first.AddDate(0, 0, 1)
	case Weekly:
		back := (int(start.Weekday()-r.WeekStart) + 7) % 7
		first = at(y, m, d-back+7*n)
		end = first.AddDate(0, 0, 7)
	case Monthly:
		first = at(y, m+time.Month(n), 1)
		end = first.AddDate(0, 1, 0)
	default:
		first = at(y+n, 1, 1)
		end = at(y+n+1, 1, 1)
	}
	if first.Year() > lastYear {
		return nil, false
	}
	if r.Freq >= Monthly && len(r.ByMonth) == 1 && r.Freq == Yearly {
		// The one month of the year is all there is to look at.
		first = at(first.Year(), time.Month(r.ByMonth[0]), 1)
		end = first.AddDate(0, 1, 0)
	}
	var list []time.Time
	for t := first; t.Before(end); t = t.AddDate(0, 0, 1) {
		if r.on(t, start) {
			list = append(list, t)
		}
	}
	return r.positions(list), true
}

// on tells whether a day is in the rule's set for its period.
func (r Rule) on(t, start time.Time) bool {
	if len(r.ByMonth) > 0 && !slices.Contains(r.ByMonth, int(t.Month())) {
		return false
	}
	if len(r.ByMonth) == 0 && r.Freq == Yearly && len(r.ByDay) == 0 && len(r.ByMonthDay) == 0 && t.Month() != start.Month() {
		return false
	}
	last := t.AddDate(0, 1, -t.Day()).Day()
	if len(r.ByMonthDay) > 0 && !slices.Contains(r.ByMonthDay, t.Day()) && !slices.Contains(r.ByMonthDay, t.Day()-last-1) {
		return false
	}
	if len(r.ByDay) > 0 {
		return r.onWeekday(t, last)
	}
	if len(r.ByMonthDay) > 0 {
		return true
	}
	switch r.Freq {
	case Daily:
		return true
	case Weekly:
		return t.Weekday() == start.Weekday()
	default:
		return t.Day() == start.Day()
	}
}

func (r Rule) onWeekday(t time.Time, last int) bool {
	fromStart, fromEnd := (t.Day()-1)/7+1, -((last-t.Day())/7 + 1)
	if r.Freq == Yearly && len(r.ByMonth) == 0 {
		days := time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
		fromStart, fromEnd = (t.YearDay()-1)/7+1, -((days-t.YearDay())/7 + 1)
	}
	for _, d := range r.ByDay {
		if d.Weekday == t.Weekday() && (d.N == 0 || r.Freq < Monthly || d.N == fromStart || d.N == fromEnd) {
			return true
		}
	}
	return false
}

// positions applies BYSETPOS.
func (r Rule) positions(list []time.Time) []time.Time {
	if len(r.BySetPos) == 0 {
		return list
	}
	var chosen []time.Time
	for i, t := range list {
		if slices.Contains(r.BySetPos, i+1) || slices.Contains(r.BySetPos, i-len(list)) {
			chosen = append(chosen, t)
		}
	}
	return chosen
}
