package recur

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// start is a Thursday, the second one and the 12th of March.
var start = time.Date(2026, 3, 12, 9, 30, 0, 0, time.UTC)

var tags = Tags{
	Recurrence: tag.CalendarRecurrence, Type: tag.CalendarType, Interval: tag.CalendarInterval,
	DayOfWeek: tag.CalendarDayOfWeek, DayOfMonth: tag.CalendarDayOfMonth, WeekOfMonth: tag.CalendarWeekOfMonth,
	MonthOfYear: tag.CalendarMonthOfYear, Until: tag.CalendarUntil, Occurrences: tag.CalendarOccurrences,
	CalendarType: tag.CalendarCalendarType, IsLeapMonth: tag.CalendarIsLeapMonth, FirstDayOfWeek: tag.CalendarFirstDayOfWeek,
}

var told = []struct {
	name, rule string
	want       Pattern
	back       string // the rule that the pattern is written as; empty if the same
}{
	{"every day", "FREQ=DAILY", Pattern{Type: EveryDay, Interval: 1, FirstDayOfWeek: -1}, ""},
	{"every third day, ten times", "FREQ=DAILY;INTERVAL=3;COUNT=10", Pattern{Type: EveryDay, Interval: 3, Occurrences: 10, FirstDayOfWeek: -1}, ""},
	{"every workday", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", Pattern{Type: EveryWeek, Interval: 1, DayOfWeek: 62, FirstDayOfWeek: 1}, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
	{"blanks in a list", "FREQ=WEEKLY;BYDAY=MO, TU", Pattern{Type: EveryWeek, Interval: 1, DayOfWeek: 6, FirstDayOfWeek: 1}, "FREQ=WEEKLY;BYDAY=MO,TU"},
	{"every week", "FREQ=WEEKLY", Pattern{Type: EveryWeek, Interval: 1, DayOfWeek: 16, FirstDayOfWeek: 1}, "FREQ=WEEKLY;BYDAY=TH"},
	{"every other week from Sunday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", Pattern{Type: EveryWeek, Interval: 2, DayOfWeek: 3, FirstDayOfWeek: 0}, ""},
	{"every month", "FREQ=MONTHLY", Pattern{Type: EveryMonth, Interval: 1, DayOfMonth: 12, FirstDayOfWeek: -1}, "FREQ=MONTHLY;BYMONTHDAY=12"},
	{"on the 31st", "FREQ=MONTHLY;BYMONTHDAY=31", Pattern{Type: EveryMonth, Interval: 1, DayOfMonth: 31, FirstDayOfWeek: -1}, ""},
	{"on the last day", "FREQ=MONTHLY;BYMONTHDAY=-1", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 127, WeekOfMonth: 5, FirstDayOfWeek: -1}, ""},
	{"on the second Thursday", "FREQ=MONTHLY;BYDAY=2TH", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 16, WeekOfMonth: 2, FirstDayOfWeek: -1}, ""},
	{"on the last Friday", "FREQ=MONTHLY;BYDAY=-1FR", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 32, WeekOfMonth: 5, FirstDayOfWeek: -1}, ""},
	{"on the last Friday, by position", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 32, WeekOfMonth: 5, FirstDayOfWeek: -1}, "FREQ=MONTHLY;BYDAY=-1FR"},
	{"on the last workday", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 62, WeekOfMonth: 5, FirstDayOfWeek: -1}, ""},
	{"on pay day", "FREQ=MONTHLY;BYDAY=-1MO,-1TU,-1WE,-1TH,-1FR;BYSETPOS=-1", Pattern{Type: MonthlyNth, Interval: 1, DayOfWeek: 62, WeekOfMonth: 5, FirstDayOfWeek: -1}, "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
	{"every year", "FREQ=YEARLY", Pattern{Type: EveryYear, Interval: 1, DayOfMonth: 12, MonthOfYear: 3, FirstDayOfWeek: -1}, "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=12"},
	{"every year on a date", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", Pattern{Type: EveryYear, Interval: 1, DayOfMonth: 24, MonthOfYear: 12, FirstDayOfWeek: -1}, ""},
	{"on the fourth Thursday of November", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", Pattern{Type: YearlyNth, Interval: 1, DayOfWeek: 16, WeekOfMonth: 4, MonthOfYear: 11, FirstDayOfWeek: -1}, ""},
	{"on the last day of February", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", Pattern{Type: YearlyNth, Interval: 1, DayOfWeek: 127, WeekOfMonth: 5, MonthOfYear: 2, FirstDayOfWeek: -1}, ""},
	{"on the first weekend day of June", "FREQ=YEARLY;BYMONTH=6;BYDAY=SA,SU;BYSETPOS=1", Pattern{Type: YearlyNth, Interval: 1, DayOfWeek: 65, WeekOfMonth: 1, MonthOfYear: 6, FirstDayOfWeek: -1}, ""},
}

func TestPattern(t *testing.T) {
	for _, c := range told {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			p, ok := r.Pattern(start)
			if !ok || p != c.want {
				t.Errorf("Pattern = %+v, %v, want %+v", p, ok, c.want)
			}
			back := c.back
			if back == "" {
				back = c.rule
			}
			if got := p.RRule(""); got != back {
				t.Errorf("RRule = %s, want %s", got, back)
			}
			for _, v := range eas.Versions {
				q, err := ParseElement(p.Element(tags, v, ""), tags, start)
				if err != nil || !q.Same(p) || q.Occurrences != p.Occurrences {
					t.Errorf("version %v: the element comes back as %+v, %v, want %+v", v, q, err, p)
				}
			}
		})
	}
}

func TestNotTold(t *testing.T) {
	for _, rule := range []string{
		"FREQ=HOURLY", "FREQ=SECONDLY", "FREQ=DAILY;BYMONTH=1", "FREQ=DAILY;BYHOUR=9,10", "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
		"FREQ=WEEKLY;BYMONTH=6", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=FR", "FREQ=MONTHLY;BYDAY=1MO,3MO", "FREQ=MONTHLY;BYDAY=5MO",
		"FREQ=MONTHLY;BYDAY=-2MO", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=MONTHLY;BYMONTHDAY=-2", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
		"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=MONTHLY;BYMONTH=3", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYMONTH=1,7", "FREQ=YEARLY;BYWEEKNO=20",
		"FREQ=YEARLY;BYYEARDAY=100", "RSCALE=CHINESE;FREQ=YEARLY", "FREQ=DAILY;INTERVAL=1000", "FREQ=DAILY;COUNT=5000",
	} {
		r, err := Parse(rule)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if p, ok := r.Pattern(start); ok {
			t.Errorf("%s is told as %+v\nA phone would show other days than the calendar does.", rule, p)
		}
	}
}

func TestBadRules(t *testing.T) {
	for _, rule := range []string{"", "FREQ=", "FREQ=NEVER", "INTERVAL=1", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=x", "FREQ=WEEKLY;BYDAY=XX",
		"FREQ=YEARLY;BYMONTH=13", "FREQ=MONTHLY;BYMONTHDAY=0", "D1 #0", strings.Repeat("FREQ=DAILY;", 1000)} {
		if r, err := Parse(rule); !errors.Is(err, ErrRule) {
			t.Errorf("Parse(%.30q) = %+v, %v, want ErrRule", rule, r, err)
		}
	}
}

func TestContradictions(t *testing.T) {
	el := func(pairs ...string) eas.Element {
		e := eas.C(tags.Recurrence)
		for i := 0; i < len(pairs); i += 2 {
			found, _ := tag.Lookup("Calendar:" + pairs[i])
			e.Children = append(e.Children, eas.T(found, pairs[i+1]))
		}
		return e
	}
	for _, c := range []struct {
		name string
		el   eas.Element
	}{
		{"no type", el("Interval", "1")},
		{"type 4", el("Type", "4")},
		{"type 7", el("Type", "7")},
		{"daily on a day of the month", el("Type", "0", "DayOfMonth", "3")},
		{"weekly with a week of the month", el("Type", "1", "DayOfWeek", "2", "WeekOfMonth", "1")},
		{"monthly on a weekday", el("Type", "2", "DayOfWeek", "2")},
		{"monthly in a month", el("Type", "3", "DayOfWeek", "2", "WeekOfMonth", "1", "MonthOfYear", "3")},
		{"the second of Monday and Tuesday", el("Type", "3", "DayOfWeek", "6", "WeekOfMonth", "2")},
		{"day 32", el("Type", "2", "DayOfMonth", "32")},
		{"a lunar month", el("Type", "2", "DayOfMonth", "1", "CalendarType", "15")},
		{"an Until that is none", el("Type", "0", "Until", "never")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, err := ParseElement(c.el, tags, start); !errors.Is(err, translate.ErrInvalid) {
				t.Errorf("%+v, %v, want ErrInvalid", p, err)
			}
		})
	}
}

// TestAllAgreesWithAnotherProgram compares expansions with rrule-go's.
func TestAllAgreesWithAnotherProgram(t *testing.T) {
	rules := []string{
		"FREQ=DAILY;BYMONTH=1,4", "FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2,-2", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
		"FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=5", "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,MO;WKST=SU", "FREQ=MONTHLY;BYDAY=1MO,3MO",
		"FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "FREQ=MONTHLY;INTERVAL=2;BYDAY=FR;BYMONTHDAY=13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
	}
	for _, c := range told {
		rules = append(rules, strings.ReplaceAll(c.rule, " ", ""))
	}
	for _, text := range rules {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		o, err := rrule.StrToROption(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Dtstart = start
		other, err := rrule.NewRRule(*o)
		if err != nil {
			t.Fatal(err)
		}
		want := other.Between(start.Add(time.Second), start.AddDate(20, 0, 0), true)
		if len(want) > 100 {
			want = want[:100]
		}
		var got []time.Time
		for at := range r.All(start) {
			if at.After(start) && (len(got) == len(want) || at.After(start.AddDate(20, 0, 0))) {
				break
			}
			if at.After(start) {
				got = append(got, at)
			}
		}
		if len(got) > 0 && r.Count > 0 && len(want) > len(got) {
			want = want[:len(got)] // start itself counts, even where the rule does not name it
		}
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%s:\ngot  %v\nwant %v", text, got, want)
		}
	}
}

func TestBombsCostNothing(t *testing.T) {
	for _, text := range []string{"FREQ=SECONDLY", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"} {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range r.All(start) {
			n++
		}
		if n != 1 {
			t.Errorf("%s occurs %d times, want once: at its start", text, n)
		}
	}
}

func TestWithEnd(t *testing.T) {
	for _, c := range []struct {
		value string
		count int
		until string
		want  string
	}{
		{"FREQ=DAILY;COUNT=3;WKST=SU", 5, "", "FREQ=DAILY;WKST=SU;COUNT=5"},
		{"UNTIL=20260101;FREQ=DAILY", 0, "20270101", "FREQ=DAILY;UNTIL=20270101"},
		{"FREQ=DAILY;until=20260101", 0, "", "FREQ=DAILY"},
	} {
		if got := WithEnd(c.value, c.count, c.until); got != c.want {
			t.Errorf("WithEnd(%s) = %s, want %s", c.value, got, c.want)
		}
	}
}

// FuzzParse: a rule that can be told comes back from the phone as a rule of the
// same pattern.
func FuzzParse(f *testing.F) {
	for _, c := range told {
		f.Add(c.rule)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		p, ok := r.Pattern(start)
		if !ok {
			return
		}
		again, err := Parse(p.RRule(""))
		if err != nil {
			t.Fatalf("%q is written as %q, which is no rule: %v", text, p.RRule(""), err)
		}
		if q, ok := again.Pattern(start); !ok || !q.Same(p) {
			t.Errorf("%q is told as %+v and comes back as %+v, %v", text, p, q, ok)
		}
	})
}

// FuzzParseElement: a recurrence that a phone sends is refused as invalid, or is
// written as a rule that means the same.
func FuzzParseElement(f *testing.F) {
	f.Add("1", "2", "62", "", "", "", "1", "5", "")
	f.Add("6", "1", "127", "", "5", "2", "", "", "20270101T000000Z")
	f.Add("2", "", "", "31", "", "", "", "", "")
	f.Add("5", "0", "", "29", "", "2", "0", "999", "9999-12-31T00:00:00.000Z")
	numbered := Tags{Recurrence: 1, Type: 2, Interval: 3, DayOfWeek: 4, DayOfMonth: 5, WeekOfMonth: 6, MonthOfYear: 7, FirstDayOfWeek: 8, Occurrences: 9, Until: 10, CalendarType: 11, IsLeapMonth: 12}
	f.Fuzz(func(t *testing.T, kind, interval, dayOfWeek, dayOfMonth, weekOfMonth, monthOfYear, firstDay, occurrences, until string) {
		e := eas.C(1, eas.T(2, kind), eas.T(3, interval), eas.T(4, dayOfWeek), eas.T(5, dayOfMonth), eas.T(6, weekOfMonth), eas.T(7, monthOfYear), eas.T(8, firstDay), eas.T(9, occurrences), eas.T(10, until))
		p, err := ParseElement(e, numbered, start)
		if err != nil {
			if !errors.Is(err, translate.ErrInvalid) {
				t.Errorf("error is %v", err)
			}
			return
		}
		r, err := Parse(p.RRule(""))
		if err != nil {
			t.Fatalf("%+v is written as %q, which is no rule: %v", p, p.RRule(""), err)
		}
		if q, ok := r.Pattern(start); !ok || !q.Same(p) || q.Occurrences != p.Occurrences {
			t.Errorf("%+v is written as %q, which is told as %+v, %v", p, p.RRule(""), q, ok)
		}
	})
}

func BenchmarkAll(b *testing.B) {
	r, _ := Parse("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=100")
	for b.Loop() {
		for range r.All(start) {
		}
	}
}

// TestNextIsLater: an occurrence at the very moment is not after it.
func TestNextIsLater(t *testing.T) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	rule, err := Parse("FREQ=HOURLY;INTERVAL=12")
	if err != nil {
		t.Fatal(err)
	}
	for at := start.AddDate(0, 0, -1); at.Before(start.AddDate(0, 0, 3)); at = at.Add(time.Hour) {
		want := start
		for !want.After(at) {
			want = want.Add(12 * time.Hour)
		}
		if got, ok := rule.Next(start, at); !ok || !got.Equal(want) {
			t.Errorf("after %v comes %v, %v, want %v", at, got, ok, want)
		}
	}
}
