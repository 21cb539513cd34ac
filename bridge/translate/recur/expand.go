package recur

import (
	"iter"
	"slices"
	"time"
)

// Limits of an expansion: what somebody's rule may cost.
const (
	// MaxPeriods is how many days, weeks, months or years are looked at: 54
	// years of days.
	MaxPeriods = 20_000

	// MaxDays is how many days are looked at: 110 years, a few milliseconds.
	MaxDays = 40_000

	// MaxTimes is how many times of those days are looked at, of rules that name
	// hours, minutes or seconds: eight years of every quarter of an hour at work.
	// A rule of few bytes can name each second of each day.
	MaxTimes = 100_000

	// lastYear ends all expansions.
	lastYear = 2200
)

// Expandable tells whether [Rule.All] understands every part of the rule.
func (r Rule) Expandable() bool {
	return !r.more && r.Freq != Shorter && !(len(r.ByWeekNo) > 0 && r.Freq != Yearly)
}

// All lists the wall-clock times at which a rule of an event occurs, ascending,
// beginning with start itself. It obeys COUNT; the caller obeys UNTIL by no
// longer asking. It ends after [MaxPeriods] periods, [MaxDays] days or
// [MaxTimes] times, and lists only start for a rule that is not [Rule.Expandable].
//
// See RFC 5545, section 3.3.10, whose table of BY parts it follows.
func (r Rule) All(start time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		if !yield(start) || !r.Expandable() {
			return
		}
		left, budget := r.Count-1, budget{MaxDays, MaxTimes}
		for n := range MaxPeriods {
			days, ok := r.period(start, n, &budget)
			if !ok || budget.spent() {
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

// A budget is how much an expansion may still look at.
type budget struct{ days, times int }

func (b budget) spent() bool { return b.days < 0 || b.times < 0 }

// period lists the occurrences in the n-th period; false after the last year.
// It takes the days and times that it looks at from the budget, and lists
// nothing when that is spent.
func (r Rule) period(start time.Time, n int, budget *budget) ([]time.Time, bool) {
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
	if len(r.ByWeekNo) > 0 {
		// Week 1 begins up to three days before its year, and the last one ends
		// up to three days after it.
		first, end = r.weekOne(first), r.weekOne(end)
	}
	var list []time.Time
	for t := first; t.Before(end); t = t.AddDate(0, 0, 1) {
		if r.Freq == Yearly && t.Day() == 1 && !r.inMonths(t, start) {
			t = at(t.Year(), t.Month()+1, 0)
			continue
		}
		budget.days--
		if r.on(t, start, first, end) {
			before := len(list)
			list = r.times(list, t)
			budget.times -= len(list) - before
		}
		if budget.spent() {
			return nil, true
		}
	}
	return r.positions(list), true
}

// weekOne is the first day of the first week of a day's year: of the week with
// at least four days in it.
func (r Rule) weekOne(newYear time.Time) time.Time {
	back := (int(newYear.Weekday()-r.WeekStart) + 7) % 7
	if back > 3 {
		back -= 7
	}
	return newYear.AddDate(0, 0, -back)
}

// times appends the times of a day: that of start, unless the rule names
// others.
func (r Rule) times(list []time.Time, day time.Time) []time.Time {
	if len(r.ByHour)+len(r.ByMinute)+len(r.BySecond) == 0 {
		return append(list, day)
	}
	or := func(list []int, n int) []int {
		if len(list) == 0 {
			return []int{n}
		}
		return list
	}
	y, m, d := day.Date()
	for _, hour := range or(r.ByHour, day.Hour()) {
		for _, minute := range or(r.ByMinute, day.Minute()) {
			for _, second := range or(r.BySecond, day.Second()) {
				list = append(list, time.Date(y, m, d, hour, minute, second, 0, time.UTC))
			}
		}
	}
	return list
}

// inMonths tells whether the rule applies in a day's month at all.
func (r Rule) inMonths(t, start time.Time) bool {
	if len(r.ByMonth) > 0 {
		return slices.Contains(r.ByMonth, int(t.Month()))
	}
	return r.Freq != Yearly || len(r.ByDay)+len(r.ByMonthDay)+len(r.ByYearDay)+len(r.ByWeekNo) > 0 || t.Month() == start.Month()
}

// on tells whether a day is in the rule's set for its period, which lasts from
// first to end.
func (r Rule) on(t, start, first, end time.Time) bool {
	if !r.inMonths(t, start) {
		return false
	}
	if len(r.ByYearDay) > 0 && !slices.Contains(r.ByYearDay, t.YearDay()) && !slices.Contains(r.ByYearDay, t.YearDay()-daysInYear(t)-1) {
		return false
	}
	if len(r.ByWeekNo) > 0 {
		week, weeks := days24(t.Sub(first))/7+1, days24(end.Sub(first))/7
		if !slices.Contains(r.ByWeekNo, week) && !slices.Contains(r.ByWeekNo, week-weeks-1) {
			return false
		}
	}
	if len(r.ByMonthDay) > 0 && !slices.Contains(r.ByMonthDay, t.Day()) && !slices.Contains(r.ByMonthDay, t.Day()-daysIn(t)-1) {
		return false
	}
	if len(r.ByDay) > 0 {
		return r.onWeekday(t)
	}
	switch {
	case len(r.ByMonthDay)+len(r.ByYearDay) > 0, r.Freq == Daily, r.Freq == Shorter:
		return true
	case r.Freq == Weekly, len(r.ByWeekNo) > 0:
		return t.Weekday() == start.Weekday()
	}
	return t.Day() == start.Day()
}

func days24(d time.Duration) int { return int(d / (24 * time.Hour)) }

func daysInYear(t time.Time) int {
	return time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
}

// daysIn is how many days the month of a day has.
func daysIn(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func (r Rule) onWeekday(t time.Time) bool {
	weekday := t.Weekday()
	for _, d := range r.ByDay {
		if d.Weekday == weekday && (d.N == 0 || r.Freq < Monthly || r.nth(t, d.N)) {
			return true
		}
	}
	return false
}

// nth tells whether a day is the n-th one of its weekday: in the month, or for
// a yearly rule without months in the year.
func (r Rule) nth(t time.Time, n int) bool {
	day, days := t.Day(), daysIn(t)
	if r.Freq == Yearly && len(r.ByMonth) == 0 {
		day, days = t.YearDay(), daysInYear(t)
	}
	return n == (day-1)/7+1 || n == -((days-day)/7+1)
}

// Limits of [Rule.Next]: ten years, and some milliseconds.
const (
	maxNextDays = 3700
	maxSteps    = 200_000
)

// Next is the first time at which a rule with a period of less than a day
// occurs after a moment; false if there is none within ten years, if COUNT
// would have to be counted, or for any other rule. It knows no UNTIL.
func (r Rule) Next(start, after time.Time) (time.Time, bool) {
	if r.Freq != Shorter || r.more || r.Count > 0 || len(r.BySetPos)+len(r.ByWeekNo) > 0 {
		return time.Time{}, false
	}
	if after.Before(start) {
		return start, true
	}
	step := time.Duration(r.Interval) * r.unit
	has := func(list []int, n int) bool { return len(list) == 0 || slices.Contains(list, n) }
	day := after.Truncate(24 * time.Hour)
	budget := maxSteps
	for range maxNextDays {
		tomorrow := day.AddDate(0, 0, 1)
		if r.on(day, start, day, tomorrow) {
			// The first one of this day, then one after the other.
			from := day
			if !from.After(after) {
				from = after.Add(time.Second)
			}
			n := (from.Sub(start) + step - 1) / step
			for t := start.Add(n * step); t.Before(tomorrow); t = t.Add(step) {
				if budget--; budget < 0 {
					return time.Time{}, false
				}
				if has(r.ByHour, t.Hour()) && has(r.ByMinute, t.Minute()) && has(r.BySecond, t.Second()) {
					return t, true
				}
			}
		}
		day = tomorrow
	}
	return time.Time{}, false
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
