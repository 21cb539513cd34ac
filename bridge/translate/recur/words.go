package recur

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Words tells a rule in English, for people whose phone cannot show it: "every
// 2 months on the first Monday and the third Monday". Its end is left out.
func (r Rule) Words() string {
	var b strings.Builder
	unit := map[Freq]string{Daily: "day", Weekly: "week", Monthly: "month", Yearly: "year"}[r.Freq]
	if r.Freq == Shorter {
		unit = map[time.Duration]string{time.Hour: "hour", time.Minute: "minute", time.Second: "second"}[r.unit]
	}
	if r.Interval > 1 {
		fmt.Fprintf(&b, "every %d %ss", r.Interval, unit)
	} else {
		b.WriteString("every " + unit)
	}
	say := func(before string, values []string) {
		if len(values) > 0 {
			b.WriteString(before + and(values))
		}
	}
	say(" in ", each(r.ByMonth, func(n int) string { return time.Month(n).String() }))
	say(" in week ", each(r.ByWeekNo, strconv.Itoa))
	say(" on day ", each(r.ByYearDay, func(n int) string { return fromEnd(n, "of the year") }))
	say(" on day ", each(r.ByMonthDay, func(n int) string { return fromEnd(n, "of the month") }))
	say(" on ", each(r.ByDay, func(d Day) string {
		if d.N == 0 {
			return d.Weekday.String()
		}
		return "the " + ordinal(d.N) + " " + d.Weekday.String()
	}))
	say(" at hour ", each(r.ByHour, strconv.Itoa))
	say(" at minute ", each(r.ByMinute, strconv.Itoa))
	say(" at second ", each(r.BySecond, strconv.Itoa))
	say(", of these the ", each(r.BySetPos, ordinal))
	return b.String()
}

// maxWords is how many values of one part are told.
const maxWords = 12

func each[T any](list []T, say func(T) string) []string {
	var words []string
	for i, v := range list {
		if i == maxWords {
			return append(words, "more")
		}
		words = append(words, say(v))
	}
	return words
}

func and(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func fromEnd(n int, of string) string {
	if n < 0 {
		return strconv.Itoa(-n) + " from the end " + of
	}
	return strconv.Itoa(n) + " " + of
}

func ordinal(n int) string {
	switch n {
	case -1:
		return "last"
	case 1:
		return "first"
	case 2:
		return "second"
	case 3:
		return "third"
	case 4:
		return "fourth"
	case 5:
		return "fifth"
	}
	if n < 0 {
		return ordinal(-n) + " to last"
	}
	return strconv.Itoa(n) + "th"
}
