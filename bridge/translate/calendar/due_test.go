package calendar

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// windows are those of the protocol, in months back; 0 is two weeks.
var windows = []int{0, 1, 3, 6}

// shownAt is what a phone with a window is shown of an event at a time. It is
// compared as text.
func shownAt(t *testing.T, ics []byte, v eas.Version, zone *time.Location, months int, now time.Time) string {
	t.Helper()
	since := now.UTC().Truncate(24 * time.Hour)
	if months == 0 {
		since = since.AddDate(0, 0, -14)
	}
	ps, err := FromICalendar(ics, translate.Options{Version: v, Zone: zone, Since: since.AddDate(0, -months, 0), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return describe(ps)
}

func describe(ps eas.Properties) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(tag.Name(p.Tag) + "=" + p.Text + "(" + describe(p.Children) + ")\n")
	}
	return b.String()
}

// TestDue walks through the years from one moment to the next one at which
// something is due: in between phones are shown the same, whatever they speak and
// however far they look back. The end of an occurrence may be told an hour late.
func TestDue(t *testing.T) {
	t.Parallel()
	berlin, _ := tz.Location("Europe/Berlin")
	start := time.Date(2026, 11, 22, 8, 7, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		lines []string
		dues  []string // the first few; "never" at the end
	}{
		{"an event", []string{"DTSTART:20260101T100000Z"}, []string{"never"}},
		{"a series that can be told", []string{"DTSTART;TZID=Europe/Berlin:20260101T100000", "RRULE:FREQ=WEEKLY"}, []string{"never"}},
		{"more exceptions than a phone can be told of", []string{"DTSTART;TZID=Europe/Berlin:20200115T100000", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,-1"},
			[]string{"2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"}},
		{"all of it is shown, and it goes on", []string{"DTSTART:20260105T090000Z", "RRULE:FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=5"}, []string{"2026-12-01 00:00"}},
		{"all of it is shown", []string{"DTSTART:20261005T090000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=5,20;COUNT=8"}, []string{"never"}},
		{"it ends", []string{"DTSTART:20200115T100000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,-1;UNTIL=20270120T000000Z"},
			[]string{"2026-12-01 00:00", "2027-01-01 00:00", "never"}},
		{"several times a day", []string{"DTSTART:20261120T060000Z", "DURATION:PT20M", "RRULE:FREQ=DAILY;BYHOUR=6,14,22"},
			[]string{"2026-11-22 14:30", "2026-11-22 22:30", "2026-11-23 06:30"}},
		{"the last ones of many a day", []string{"DTSTART:20261120T060000Z", "DURATION:PT20M", "RRULE:FREQ=DAILY;BYHOUR=6,14,22;COUNT=9"},
			[]string{"2026-11-22 14:30", "never"}},
		{"every eight hours", []string{"DTSTART:20261120T060000Z", "DURATION:PT2H", "RRULE:FREQ=HOURLY;INTERVAL=8"},
			[]string{"2026-11-22 16:00", "2026-11-23 00:00"}},
		{"every minute", []string{"DTSTART:20261120T060000Z", "RRULE:FREQ=MINUTELY"}, []string{"2026-11-22 09:15", "2026-11-22 10:15"}},
		{"every minute, from next year on", []string{"DTSTART:20270120T060000Z", "RRULE:FREQ=MINUTELY"}, []string{"2026-12-01 00:00", "2027-01-01 00:00", "2027-01-20 06:00", "2027-01-20 07:00"}},
		{"twice a day, all day long", []string{"DTSTART;VALUE=DATE:20261120", "RRULE:FREQ=HOURLY;INTERVAL=12"}, nil},
		{"nobody can follow it", []string{"DTSTART:20261120T060000Z", "RRULE:FREQ=FORTNIGHTLY"}, []string{"never"}},
		{"every hundred years", []string{"DTSTART:20000101T060000Z", "RRULE:FREQ=YEARLY;INTERVAL=100;BYMONTH=1,2"}, []string{"2026-12-01 00:00"}},
		{"it is over", []string{"DTSTART:20200115T100000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,-1;UNTIL=20210120T000000Z"}, []string{"never"}},
		{"only single days", []string{"DTSTART:20261120T060000Z", "RDATE:20261201T070000Z,20280301T080000Z,20301231T100000Z"}, []string{"2026-12-01 00:00"}},
		{"a zone whose rule changes each year", []string{"DTSTART;TZID=Africa/Casablanca:20260105T100000", "RRULE:FREQ=WEEKLY"}, []string{"2027-01-01 00:00", "2028-01-01 00:00"}},
		{"an event in such a zone", []string{"DTSTART;TZID=Africa/Casablanca:20260105T100000"}, []string{"never"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ics := vevent(tc.lines...)
			random := rand.New(rand.NewPCG(1, 2))
			at := start
			var dues []string
			for range 6 {
				f, err := Facts(ics, translate.Options{Zone: berlin, Now: at})
				if err != nil {
					t.Fatal(err)
				}
				next := time.Unix(f.Due, 0).UTC()
				if f.Due == 0 {
					dues = append(dues, "never")
					next = time.Unix(min(f.Ends, at.AddDate(3, 0, 0).Unix()), 0)
				} else {
					dues = append(dues, next.Format("2006-01-02 15:04"))
					if !next.After(at) {
						t.Fatalf("at %v it is due at %v", at, next)
					}
				}
				for _, v := range []eas.Version{eas.V121, eas.V161} {
					for _, months := range windows {
						before := shownAt(t, ics, v, berlin, months, at)
						for range 3 {
							span := next.Sub(at) - leastShown - dueStep
							if span <= 0 {
								break
							}
							when := at.Add(time.Duration(random.Int64N(int64(span))))
							if got := shownAt(t, ics, v, berlin, months, when); got != before {
								t.Fatalf("version %v, %d months back: due at %v, and at %v something else is shown than at %v:\n%s\n%s", v, months, next, when, at, got, before)
							}
						}
					}
				}
				if at = next; f.Due == 0 {
					break
				}
			}
			if n := min(len(tc.dues), len(dues)); !slices.Equal(dues[:n], tc.dues) {
				t.Errorf("due at %q, want %q", dues, tc.dues)
			}
		})
	}
}

// TestWindowOfAnExpansion: what is over before the phone's window begins is
// shown no longer than until the month ends in which it left, and what is within
// it is shown.
func TestWindowOfAnExpansion(t *testing.T) {
	t.Parallel()
	ics := vevent("DTSTART:20200115T100000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15,-1")
	for n := range 365 {
		day := time.Date(2027, 1, 1+n, 12, 0, 0, 0, time.UTC)
		if d := day.Day(); d > 2 && d < 29 && d != 15 {
			continue
		}
		for i, since := range []time.Time{day.AddDate(0, 0, -14), day.AddDate(0, -1, 0), day.AddDate(0, -3, 0), day.AddDate(0, -6, 0), {}} {
			since := since.Truncate(24 * time.Hour)
			o := translate.Options{Version: eas.V141, Now: day}
			if i < 4 {
				o.Since = since
			}
			ps, err := FromICalendar(ics, o)
			if err != nil {
				t.Fatal(err)
			}
			list := onPhone(t, ps, eas.V141)
			first, last := list[0], list[len(list)-1]
			back := []int{1, 1, 3, 6, 1}[i]
			if want := time.Date(day.Year(), day.Month()-time.Month(back), 15, 10, 0, 0, 0, time.UTC).Format("2006-01-02 15:04"); first != want && i != 3 {
				t.Errorf("on %v, from %v on: the first is on %s, want %s", day, o.Since, first, want)
			}
			if ahead := day.AddDate(0, 1, 0).Format("2006-01-02"); last < ahead {
				t.Errorf("on %v, from %v on: the last is on %s, want what comes until %s at least", day, o.Since, last, ahead)
			}
		}
	}
}
