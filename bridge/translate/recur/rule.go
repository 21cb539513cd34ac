// Package recur translates recurrences between iCalendar's RRULE and ActiveSync's Recurrence element, and lists their occurrences.
//
// It works on wall-clock times: a caller takes the local time of an event's
// start as if it were UTC, and puts what it gets back into the event's zone.
package recur

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Freq is the period of a Rule.
type Freq int

// The periods of a day and more. Shorter ones exist in RFC 5545; ActiveSync
// cannot tell them, and a rule for every second is a bomb, so only [Rule.Next]
// follows them.
const (
	Shorter Freq = iota
	Daily
	Weekly
	Monthly
	Yearly
)

var freqs = map[string]Freq{
	"DAILY": Daily, "WEEKLY": Weekly, "MONTHLY": Monthly, "YEARLY": Yearly,
	"HOURLY": Shorter, "MINUTELY": Shorter, "SECONDLY": Shorter,
}

var shortUnits = map[string]time.Duration{"HOURLY": time.Hour, "MINUTELY": time.Minute, "SECONDLY": time.Second}

// A Day is one element of BYDAY: the N-th Weekday, counted from the end if N is
// negative, every one if it is 0.
type Day struct {
	N       int
	Weekday time.Weekday
}

// A Rule is a parsed RRULE. See RFC 5545, section 3.3.10.
type Rule struct {
	Freq       Freq
	Interval   int // at least 1
	Count      int // 0 means that COUNT is absent
	Until      string
	ByDay      []Day
	ByMonthDay []int
	ByMonth    []int
	BySetPos   []int
	ByYearDay  []int
	ByWeekNo   []int
	ByHour     []int
	ByMinute   []int
	BySecond   []int
	WeekStart  time.Weekday

	unit time.Duration // of a Shorter rule: an hour, a minute or a second
	more bool          // there are parts beyond these: RSCALE, SKIP
}

// ErrRule means that a text is not an RRULE.
var ErrRule = errors.New("recur: not a recurrence rule")

// Limits on what one rule may hold; every real one is far below.
const (
	maxLength = 1000 // bytes
	maxList   = 400  // values of a BY part: BYYEARDAY has 366
)

// Parse reads the value of an RRULE.
func Parse(value string) (Rule, error) {
	r := Rule{Interval: 1, WeekStart: time.Monday}
	if len(value) > maxLength {
		return r, fmt.Errorf("%w: %d bytes", ErrRule, len(value))
	}
	hasFreq := false
	// Some programs write a blank after each comma.
	for part := range strings.SplitSeq(strings.ToUpper(strings.ReplaceAll(value, " ", "")), ";") {
		key, v, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "":
		case "FREQ":
			r.Freq, hasFreq = freqs[v]
			r.unit = shortUnits[v]
		case "INTERVAL":
			r.Interval, err = number(v, 1, 1<<20)
		case "COUNT":
			r.Count, err = number(v, 1, 1<<30)
		case "UNTIL":
			r.Until = v
		case "WKST":
			day, ok := weekdays[v]
			if r.WeekStart = day; !ok {
				err = ErrRule
			}
		case "BYDAY":
			r.ByDay, err = days(v)
		case "BYMONTHDAY":
			r.ByMonthDay, err = numbers(v, 31)
		case "BYMONTH":
			r.ByMonth, err = counts(v, 1, 12)
		case "BYSETPOS":
			r.BySetPos, err = numbers(v, 366)
		case "BYYEARDAY":
			r.ByYearDay, err = numbers(v, 366)
		case "BYWEEKNO":
			r.ByWeekNo, err = numbers(v, 53)
		case "BYHOUR":
			r.ByHour, err = counts(v, 0, 23)
		case "BYMINUTE":
			r.ByMinute, err = counts(v, 0, 59)
		case "BYSECOND":
			r.BySecond, err = counts(v, 0, 59)
		default:
			r.more = true
		}
		if err != nil {
			return r, fmt.Errorf("%w: %s", ErrRule, key)
		}
	}
	if !hasFreq {
		return r, fmt.Errorf("%w: no FREQ", ErrRule)
	}
	return r, nil
}

func number(s string, lo, hi int) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "+"))
	if err != nil || n < lo || n > hi {
		return lo, ErrRule
	}
	return n, nil
}

func numbers(s string, hi int) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := number(part, -hi, hi)
		if err != nil || n == 0 || len(list) == maxList {
			return nil, ErrRule
		}
		list = append(list, n)
	}
	return list, nil
}

// counts reads a list without negative numbers, sorted.
func counts(s string, lo, hi int) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := number(part, lo, hi)
		if err != nil || len(list) == maxList {
			return nil, ErrRule
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

var (
	weekdays     = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}
	weekdayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
)

func days(s string) ([]Day, error) {
	var list []Day
	for part := range strings.SplitSeq(s, ",") {
		if len(part) < 2 || len(list) == maxList {
			return nil, ErrRule
		}
		day, ok := weekdays[part[len(part)-2:]]
		n := 0
		var err error
		if digits := part[:len(part)-2]; digits != "" {
			n, err = number(digits, -53, 53)
		}
		if !ok || err != nil {
			return nil, ErrRule
		}
		list = append(list, Day{n, day})
	}
	return list, nil
}

// WithEnd replaces COUNT and UNTIL in the value of an RRULE and keeps its other
// parts as they are written. Both empty means that the rule has no end.
func WithEnd(value string, count int, until string) string {
	var parts []string
	for part := range strings.SplitSeq(value, ";") {
		key, _, _ := strings.Cut(part, "=")
		if key = strings.ToUpper(key); key != "COUNT" && key != "UNTIL" {
			parts = append(parts, part)
		}
	}
	switch {
	case count > 0:
		parts = append(parts, "COUNT="+strconv.Itoa(count))
	case until != "":
		parts = append(parts, "UNTIL="+until)
	}
	return strings.Join(parts, ";")
}
