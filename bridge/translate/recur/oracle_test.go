package recur

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// years is how far the expansions are compared.
const years = 10

// expand.py lists occurrences with python-dateutil: a line "RULE START" each,
// answered by a line of times. The first one is where the series really begins.
const expandPy = `
import datetime as real, sys, types
from datetime import datetime
import dateutil.rrule
from dateutil.rrule import rrulestr
# It looks for occurrences until the year 9999.
short = types.ModuleType("datetime")
short.__dict__.update(real.__dict__)
short.MAXYEAR = 2050
dateutil.rrule.datetime = short
for line in sys.stdin:
    rule, start = line.split()
    start = datetime.strptime(start, "%%Y%%m%%dT%%H%%M%%S")
    endless = ";".join(p for p in rule.split(";") if not p.startswith("COUNT="))
    first = rrulestr(endless, dtstart=start).after(start, inc=True)
    if first is None or first.year > start.year + 3:
        print("")
        continue
    end = first.replace(year=first.year + %d, day=min(first.day, 28))
    times = []
    for t in rrulestr(rule, dtstart=first):
        if t > end:
            break
        times.append(t.strftime("%%Y%%m%%dT%%H%%M%%S"))
    print(" ".join(times))
`

// dateutil asks python-dateutil. The test is skipped where it is absent.
func dateutil(t *testing.T, questions []string) [][]time.Time {
	t.Helper()
	if err := exec.Command("python3", "-c", "import dateutil").Run(); err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("python3 with dateutil is absent (Debian: python3-dateutil)")
		}
		t.Skip("python3 with dateutil is absent (Debian: python3-dateutil)")
	}
	cmd := exec.Command("python3", "-c", fmt.Sprintf(expandPy, years))
	cmd.Stdin = strings.NewReader(strings.Join(questions, "\n") + "\n")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dateutil: %v\n%s", err, &complaints)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(questions) {
		t.Fatalf("dateutil gave %d answers to %d questions", len(answers), len(questions))
	}
	lists := make([][]time.Time, len(answers))
	for i, line := range answers {
		for text := range strings.FieldsSeq(line) {
			at, err := time.Parse("20060102T150405", text)
			if err != nil {
				t.Fatal(err)
			}
			lists[i] = append(lists[i], at)
		}
	}
	return lists
}

var someStart = rapid.Custom(func(t *rapid.T) time.Time {
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 12000).Draw(t, "day"))
	return day.Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
})

func list(t *rapid.T, name string, most int, values []string) string {
	n := rapid.IntRange(1, most).Draw(t, name+" length")
	picked := rapid.SliceOfNDistinct(rapid.SampledFrom(values), n, n, rapid.ID).Draw(t, name)
	slices.Sort(picked)
	return strings.Join(picked, ",")
}

func span(lo, hi int) []string {
	var s []string
	for n := lo; n <= hi; n++ {
		if n != 0 {
			s = append(s, strconv.Itoa(n))
		}
	}
	return s
}

// someRule are rules of all kinds, those that ActiveSync has words for and
// others. What is left out has no occurrence, or is read in two ways: BYWEEKNO
// without BYDAY, and BYSETPOS in a week of which the series begins in the middle.
var someRule = rapid.Custom(func(t *rapid.T) string {
	chance := func(name string, percent int) bool { return rapid.IntRange(1, 100).Draw(t, name) <= percent }
	freq := rapid.SampledFrom([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}).Draw(t, "freq")
	parts := []string{"FREQ=" + freq}
	if chance("interval?", 50) {
		parts = append(parts, "INTERVAL="+strconv.Itoa(rapid.IntRange(1, 6).Draw(t, "interval")))
	}
	if chance("count?", 30) {
		parts = append(parts, "COUNT="+strconv.Itoa(rapid.IntRange(1, 120).Draw(t, "count")))
	}
	if chance("wkst?", 40) {
		parts = append(parts, "WKST="+rapid.SampledFrom(weekdayNames[:]).Draw(t, "wkst"))
	}
	months, byDay, weekNo := false, false, false
	if (freq == "YEARLY" && chance("month?", 60)) || chance("months?", 10) {
		months = true
		parts = append(parts, "BYMONTH="+list(t, "months", 1+2*rapid.IntRange(0, 1).Draw(t, "more months"), span(1, 12)))
	}
	if freq == "YEARLY" && !months && chance("week?", 15) {
		weekNo = true
		parts = append(parts, "BYWEEKNO="+list(t, "weeks", 2, span(-53, 53)))
	}
	if weekNo || chance("day?", 50) {
		byDay = true
		numbered := (freq == "MONTHLY" || freq == "YEARLY" && months) && !weekNo && chance("nth?", 50)
		var days []string
		for _, d := range weekdayNames {
			if numbered {
				d = strconv.Itoa(rapid.SampledFrom([]int{1, 2, 3, 4, 5, -1, -2}).Draw(t, "n")) + d
			}
			days = append(days, d)
		}
		most := 7
		if numbered {
			most = rapid.SampledFrom([]int{1, 1, 3}).Draw(t, "days at most")
		}
		parts = append(parts, "BYDAY="+list(t, "days", most, days))
	}
	monthDays := freq != "WEEKLY" && !weekNo && chance("month day?", 30)
	if monthDays {
		days := span(-31, 31)
		if months || byDay {
			days = span(-28, 28)
		}
		parts = append(parts, "BYMONTHDAY="+list(t, "month days", rapid.SampledFrom([]int{1, 1, 3}).Draw(t, "month days at most"), days))
	}
	if freq == "YEARLY" && !months && !byDay && !monthDays && chance("year day?", 40) {
		parts = append(parts, "BYYEARDAY="+list(t, "year days", 3, span(-366, 366)))
	}
	if chance("hour?", 10) {
		parts = append(parts, "BYHOUR="+list(t, "hours", 3, span(1, 23)))
	}
	if (byDay || monthDays) && (freq == "MONTHLY" || freq == "YEARLY") && chance("position?", 25) {
		parts = append(parts, "BYSETPOS="+list(t, "positions", rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "positions at most"), span(-2, 4)))
	}
	return strings.Join(parts, ";")
})

// someTold are rules as programs write what ActiveSync has words for.
var someTold = rapid.Custom(func(t *rapid.T) string {
	parts := strings.Split(somePattern.Draw(t, "pattern").RRule(""), ";")
	switch weekday := rapid.SampledFrom(weekdayNames[:]).Draw(t, "weekday"); rapid.IntRange(0, 7).Draw(t, "as") {
	case 0:
		parts = []string{"FREQ=MONTHLY", "BYDAY=" + weekday, "BYSETPOS=" + list(t, "position", 1, []string{"1", "2", "3", "4", "-1"})}
	case 1:
		parts = []string{"FREQ=" + rapid.SampledFrom([]string{"WEEKLY", "MONTHLY", "YEARLY", "DAILY"}).Draw(t, "bare")}
	case 2:
		parts = []string{"FREQ=DAILY", "BYDAY=" + list(t, "days", 5, weekdayNames[:])}
	case 3:
		parts = []string{"FREQ=MONTHLY", "BYMONTHDAY=-1"}
	case 4:
		parts = []string{"FREQ=YEARLY", "BYMONTH=2", "BYMONTHDAY=-1"}
	}
	return strings.Join(parts, ";")
})

// within cuts an expansion at the horizon of the oracle's.
func within(all func(func(time.Time) bool), from time.Time) []time.Time {
	end := time.Date(from.Year()+years, from.Month(), min(from.Day(), 28), from.Hour(), from.Minute(), from.Second(), 0, time.UTC)
	var list []time.Time
	for t := range all {
		if t.After(end) {
			break
		}
		list = append(list, t)
	}
	return list
}

// onPhone lists the occurrences that a phone computes from a Recurrence: day by
// day from what [MS-ASCAL] says of each type, and by no code of ours.
func onPhone(el eas.Element, start time.Time) func(func(time.Time) bool) {
	has := func(t wbxml.Tag, otherwise int) int {
		if text, ok := eas.Properties(el.Children).Text(t); ok {
			otherwise, _ = strconv.Atoi(text)
		}
		return otherwise
	}
	kind, interval := has(tags.Type, -1), has(tags.Interval, 1)
	days, monthDay, week, month := has(tags.DayOfWeek, 0), has(tags.DayOfMonth, 0), has(tags.WeekOfMonth, 0), has(tags.MonthOfYear, 0)
	firstDay, left := has(tags.FirstDayOfWeek, 0), has(tags.Occurrences, 1<<30)
	midnight := func(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }
	weekOf := func(t time.Time) time.Time {
		return midnight(t).AddDate(0, 0, -((int(t.Weekday()) - firstDay + 7) % 7))
	}
	apart := func(t time.Time) int { return int(midnight(t).Sub(midnight(start)).Hours()) / 24 }
	months := func(t time.Time) int { return (t.Year()-start.Year())*12 + int(t.Month()) - int(start.Month()) }
	listed := func(t time.Time) bool { return days>>int(t.Weekday())&1 == 1 }
	nth := func(t time.Time) bool { // the week-th of the listed days of its month, or the last
		before, after := 0, 0
		last := time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		for day := 1; day <= last; day++ {
			weekday := ((int(t.Weekday())+day-t.Day())%7 + 7) % 7
			switch {
			case days>>weekday&1 == 0:
			case day < t.Day():
				before++
			case day > t.Day():
				after++
			}
		}
		return listed(t) && (week == 5 && after == 0 || week < 5 && before == week-1)
	}
	on := func(t time.Time) bool {
		switch kind {
		case 0:
			return apart(t)%interval == 0
		case 1:
			return listed(t) && int(weekOf(t).Sub(weekOf(start)).Hours())/24/7%interval == 0
		case 2:
			return t.Day() == monthDay && months(t)%interval == 0
		case 3:
			return months(t)%interval == 0 && nth(t)
		case 5:
			return t.Day() == monthDay && int(t.Month()) == month && (t.Year()-start.Year())%interval == 0
		case 6:
			return int(t.Month()) == month && (t.Year()-start.Year())%interval == 0 && nth(t)
		}
		return false
	}
	return func(yield func(time.Time) bool) {
		for t := start; t.Year() <= start.Year()+years+1 && left > 0; t = t.AddDate(0, 0, 1) {
			if on(t) {
				left--
				if !yield(t) {
					return
				}
			}
		}
	}
}

func differ(t *testing.T, who, rule string, got, want []time.Time) {
	t.Helper()
	if slices.EqualFunc(got, want, time.Time.Equal) {
		return
	}
	for i := 0; i < max(len(got), len(want)); i++ {
		if i >= len(got) || i >= len(want) || !got[i].Equal(want[i]) {
			t.Errorf("%s of %s from %v: %d occurrences, want %d; the first difference is number %d:\ngot  %v\nwant %v",
				who, rule, want[0], len(got), len(want), i, got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
			return
		}
	}
}

// TestExpansionsAgree expands 500 rules over ten years by five roads: dateutil,
// rrule-go, [Rule.All], the Recurrence as a phone computes it, and the rule into
// which that Recurrence is translated back.
func TestExpansionsAgree(t *testing.T) {
	var rules, questions []string
	for seed := range 500 {
		rule := someRule.Example(seed)
		if seed%2 == 0 {
			rule = someTold.Example(seed)
		}
		rules = append(rules, rule)
		questions = append(questions, rule+" "+someStart.Example(seed).Format("20060102T150405"))
	}
	told, occurrences := 0, 0
	for i, want := range dateutil(t, questions) {
		if len(want) == 0 {
			continue
		}
		rule, start := rules[i], want[0]
		occurrences += len(want)
		r, err := Parse(rule)
		if err != nil || !r.Expandable() {
			t.Errorf("%s cannot be expanded: %v", rule, err)
			continue
		}
		differ(t, "our expansion", rule, within(r.All(start), start), want)
		if o, err := rrule.StrToROption(rule); err == nil {
			o.Dtstart = start
			if other, err := rrule.NewRRule(*o); err == nil {
				differ(t, "rrule-go's expansion", rule, within(iterator(other.Iterator()), start), want)
			}
		}
		p, ok := r.Pattern(start)
		if !ok {
			continue
		}
		told++
		el := p.Element(tags, eas.V161, "")
		differ(t, "a phone's expansion", rule, within(onPhone(el, start), start), want)
		q, err := ParseElement(el, tags, start)
		if err != nil {
			t.Errorf("%s: the phone's element is refused: %v", rule, err)
			continue
		}
		back, err := Parse(q.RRule(""))
		if err != nil {
			t.Errorf("%s comes back as %s: %v", rule, q.RRule(""), err)
			continue
		}
		differ(t, "what came back as "+q.RRule(""), rule, within(back.All(start), start), want)
	}
	t.Logf("%d occurrences compared; ActiveSync has words for %d rules of %d", occurrences, told, len(rules))
}

// somePattern are the recurrences that a phone can send.
var somePattern = rapid.Custom(func(t *rapid.T) Pattern {
	p := Pattern{Type: rapid.SampledFrom([]Type{EveryDay, EveryWeek, EveryMonth, MonthlyNth, EveryYear, YearlyNth}).Draw(t, "type"), FirstDayOfWeek: -1}
	p.Interval = rapid.SampledFrom([]int{1, 1, 2, 3, 5}).Draw(t, "interval")
	if rapid.Bool().Draw(t, "counted") {
		p.Occurrences = rapid.IntRange(1, 200).Draw(t, "occurrences")
	}
	switch p.Type {
	case EveryWeek:
		p.DayOfWeek = rapid.IntRange(1, allDays).Draw(t, "days")
		p.FirstDayOfWeek = rapid.IntRange(0, 6).Draw(t, "first day")
	case EveryMonth, EveryYear:
		p.DayOfMonth = rapid.IntRange(1, 31).Draw(t, "day")
	case MonthlyNth, YearlyNth:
		p.DayOfWeek = rapid.SampledFrom([]int{1, 2, 4, 8, 16, 32, 64, workdays, weekend, allDays}).Draw(t, "days")
		p.WeekOfMonth = rapid.IntRange(1, 5).Draw(t, "week")
	}
	if p.Type >= EveryYear {
		p.MonthOfYear = rapid.IntRange(1, 12).Draw(t, "month")
		if p.DayOfMonth > 28 {
			p.DayOfMonth = 28 // the 30th of February would never come
		}
	}
	return p
})

// TestPhonesSeriesAgree takes 500 recurrences from phones: the rule that is
// stored has the occurrences that the phone computes.
func TestPhonesSeriesAgree(t *testing.T) {
	var patterns []Pattern
	var questions []string
	for seed := range 500 {
		p := somePattern.Example(seed)
		patterns = append(patterns, p)
		questions = append(questions, p.RRule("")+" "+someStart.Example(seed+1000).Format("20060102T150405"))
	}
	for i, want := range dateutil(t, questions) {
		if len(want) == 0 {
			continue
		}
		el := patterns[i].Element(tags, eas.V161, "")
		differ(t, fmt.Sprintf("the phone's expansion of %+v", patterns[i]), patterns[i].RRule(""), within(onPhone(el, want[0]), want[0]), want)
		r, err := Parse(patterns[i].RRule(""))
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := r.Pattern(want[0]); !ok || !p.Same(patterns[i]) {
			t.Errorf("%+v is stored as %s and comes back as %+v, %v", patterns[i], patterns[i].RRule(""), p, ok)
		}
	}
}

func iterator(next rrule.Next) func(func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for t, ok := next(); ok && yield(t); t, ok = next() {
		}
	}
}
