package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// onPhone lists when a phone shows an event: its pattern in the zone that the
// phone was told, without the deleted occurrences, with the changed ones at
// their own times. An all-day event is listed by its dates.
func onPhone(t *testing.T, ps eas.Properties, v eas.Version) []string {
	t.Helper()
	zone := time.UTC
	if blob, ok := ps.Text(tag.CalendarTimezone); ok {
		b, err := tz.ParseBlob(blob)
		if err != nil {
			t.Fatal(err)
		}
		zone = b.Location()
	}
	layout := "2006-01-02 15:04"
	if text, _ := ps.Text(tag.CalendarAllDayEvent); text == "1" {
		layout = "2006-01-02"
		if v >= eas.V160 {
			zone = time.UTC
		}
	}
	parse := func(text string) time.Time {
		at, err := translate.ParseDateTime(text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	wall := func(at time.Time) time.Time {
		at = at.In(zone)
		return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	}
	start, _ := ps.Text(tag.CalendarStartTime)
	first := wall(parse(start))
	el, ok := ps.Find(tag.CalendarRecurrence)
	if !ok {
		return []string{first.Format(layout)}
	}
	p, err := recur.ParseElement(el, recurrenceTags, first)
	if err != nil {
		t.Fatal(err)
	}
	rule, err := recur.Parse(p.RRule(""))
	if err != nil {
		t.Fatal(err)
	}
	changed := map[time.Time]string{}
	exceptions, _ := ps.Find(tag.CalendarExceptions)
	for _, x := range exceptions.Children {
		children := eas.Properties(x.Children)
		key, ok := children.Text(tag.CalendarExceptionStartTime)
		if !ok {
			key, _ = children.Text(tag.AirSyncBaseInstanceId)
		}
		changed[wall(parse(key))] = ""
		if deleted, _ := children.Text(tag.CalendarDeleted); deleted != "1" {
			start, _ := children.Text(tag.CalendarStartTime)
			changed[wall(parse(key))] = wall(parse(start)).Format(layout)
		}
	}
	var list []string
	for at := range rule.All(first) {
		if !p.Until.IsZero() && at.After(wall(p.Until)) || len(list) == 1000 {
			break
		}
		moved, ok := changed[at]
		switch {
		case !ok:
			list = append(list, at.Format(layout))
		case moved != "":
			list = append(list, moved)
		}
		delete(changed, at)
	}
	for at := range changed {
		t.Errorf("an exception at %v, where nothing occurs", at)
	}
	slices.Sort(list)
	return list
}

// TestExpansions: what ActiveSync has no words for is shown as it is.
func TestExpansions(t *testing.T) {
	for sample, want := range map[string]string{
		"later from now on": "2026-11-02 18:00,2026-11-09 18:00,2026-11-17 19:00,2026-11-24 19:00,2026-12-01 19:00",
		"not on the 13th":   "2026-10-02,2026-10-09,2026-10-16,2026-10-30,2026-11-06,2026-11-20,2026-11-27,2026-12-04",
		"two orphans":       "2026-11-23 11:00,2026-12-07 13:00",
		"two rules":         "2026-11-02 17:00,2026-11-09 17:00,2026-11-11 17:00,2026-11-16 17:00,2026-11-23 17:00,2026-12-11 17:00",
		"only dates":        "2026-11-02 17:00,2026-11-04 17:00,2026-12-01 09:30",
	} {
		for _, v := range eas.Versions {
			ps, err := FromICalendar(samples[sample], options(v))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(onPhone(t, ps, v), ","); got != want {
				t.Errorf("%s in %v:\ngot  %s\nwant %s", sample, v, got, want)
			}
		}
	}
	// As far as the exceptions reach.
	for sample, want := range map[string]string{"payday": "2026-01-15,2026-01-31,2026-02-15,2026-02-28", "half a year": "2020-01-05 09:00,2020-07-05 09:00,2021-01-05 09:00", "on two days": "2026-01-05 07:00,2026-01-19 07:00,2026-02-02 07:00"} {
		ps, err := FromICalendar(samples[sample], options(eas.V141))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(onPhone(t, ps, eas.V141), ",")
		if sample == "payday" { // of the year before there are too many days without pay
			want = "2026-10-15,2026-10-31,2026-11-15,2026-11-30"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s...", sample, got, want)
		}
	}
}

// TestDatesOfTheirOwnLength: an RDATE with a PERIOD says how long its occurrence is.
func TestDatesOfTheirOwnLength(t *testing.T) {
	for _, v := range eas.Versions {
		ps, err := FromICalendar(samples["dates of their own length"], options(v))
		if err != nil {
			t.Fatal(err)
		}
		exceptions, _ := ps.Find(tag.CalendarExceptions)
		var got []string
		for _, x := range exceptions.Children {
			if get(x.Children, tag.CalendarDeleted) == "0" {
				got = append(got, get(x.Children, tag.CalendarStartTime)+"-"+get(x.Children, tag.CalendarEndTime))
			}
		}
		want := "20261125T100000Z-20261125T130000Z,20261127T130000Z-20261127T140000Z,20261201T100000Z-20261202T100000Z"
		if strings.Join(got, ",") != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	facts, err := Facts(samples["dates of their own length"], options(eas.V141))
	if want := time.Date(2026, 12, 2, 10, 0, 0, 0, time.UTC).Unix(); err != nil || facts.Ends != want {
		t.Errorf("the last one is over at %d, %v, want %d", facts.Ends, err, want)
	}
}

// strangeRule are rules that ActiveSync has no words for, with at most one
// occurrence a day.
var strangeRule = rapid.Custom(func(t *rapid.T) string {
	n := func(name string, lo, hi int) string {
		return strconv.Itoa(rapid.IntRange(lo, hi).Draw(t, name))
	}
	day := rapid.SampledFrom([]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"})
	rule := rapid.SampledFrom([]string{
		"FREQ=MONTHLY;BYMONTHDAY=" + n("a", 1, 14) + "," + n("b", 15, 28),
		"FREQ=MONTHLY;BYDAY=1" + day.Draw(t, "day") + ",3" + day.Draw(t, "day 2"),
		"FREQ=MONTHLY;BYDAY=" + day.Draw(t, "day 3"),
		"FREQ=MONTHLY;BYMONTHDAY=-" + n("c", 2, 5),
		"FREQ=DAILY;INTERVAL=2;BYMONTH=" + n("d", 1, 6) + "," + n("e", 7, 12),
		"FREQ=YEARLY;BYWEEKNO=" + n("f", 1, 26) + "," + n("g", 27, 50) + ";BYDAY=" + day.Draw(t, "day 4"),
		"FREQ=YEARLY;BYMONTH=3,9;BYDAY=-1" + day.Draw(t, "day 5"),
		"FREQ=WEEKLY;BYDAY=MO,TH;BYMONTH=" + n("h", 1, 12),
	}).Draw(t, "rule")
	if rapid.Bool().Draw(t, "counted") {
		rule += ";COUNT=" + n("count", 2, 40)
	}
	return rule
})

// TestStrangeSeriesAreExact expands 100 rules that ActiveSync has no words for:
// from the first to the last occurrence that a phone shows it shows all of them
// and nothing else, and what it sends back is refused or changes nothing.
func TestStrangeSeriesAreExact(t *testing.T) {
	reach := 0
	for seed := range 100 {
		rule := strangeRule.Example(seed)
		start := time.Date(2025+seed%2, time.Month(1+seed%12), 1+seed%28, 9, 30, 0, 0, time.UTC)
		r, err := recur.Parse(rule)
		if err != nil {
			t.Fatal(err)
		}
		for at := range r.All(start) { // the first one that the rule itself names
			if at.After(start) {
				start = at
				break
			}
		}
		ics := vevent("SUMMARY:Odd", "DTSTART;TZID=Europe/Berlin:"+start.Format("20060102T150405"), "DURATION:PT1H", "RRULE:"+rule,
			fmt.Sprintf("EXDATE;TZID=Europe/Berlin:%s", start.AddDate(0, 0, 7).Format("20060102T150405")))
		v := eas.Versions[seed%len(eas.Versions)]
		ps, err := FromICalendar(ics, options(v))
		if err != nil {
			t.Fatal(err)
		}
		got := onPhone(t, ps, v)
		var want []string
		for at := range r.All(start) {
			if text := at.Format("2006-01-02 15:04"); text >= got[0] && !at.Equal(start.AddDate(0, 0, 7)) {
				if text > got[len(got)-1] {
					break
				}
				want = append(want, text)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s from %v:\ngot  %v\nwant %v", rule, start, got, want)
		}
		reach += len(got)
		identity(t, ics, options(v))
		edited, err := Merge(ics, set(tag.CalendarSubject, "Even")(ps), options(v))
		if locked(t, ics) != errors.Is(err, translate.ErrInvalid) || locked(t, ics) && !bytes.Equal(edited, nil) && !bytes.Equal(edited, ics) {
			t.Errorf("%s: an edit of what cannot be edited: %v\n%s", rule, err, edited)
		}
	}
	t.Logf("%d occurrences shown", reach)
}
