package tz

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// An Observance is a STANDARD or DAYLIGHT part of a VTIMEZONE. See RFC 5545,
// section 3.6.5.
type Observance struct {
	Daylight   bool
	Start      time.Time // DTSTART: local time before the change, as if it were UTC
	OffsetFrom int       // TZOFFSETFROM, seconds east of UTC
	OffsetTo   int       // TZOFFSETTO, seconds east of UTC
	Rule       string    // RRULE's value, or empty
	Dates      []time.Time
}

// Limits on a VTIMEZONE that somebody made.
const (
	// MaxObservances is generous: a zone's complete history has some 60.
	MaxObservances = 80

	// maxOnsets bounds how often one observance begins: once a year in all
	// zones that there are.
	maxOnsets = 500

	// maxDays bounds how many days all rules together are asked about. A zone
	// with two open-ended rules needs some 10,000.
	maxDays = 200_000
)

// FromObservances builds the zone that a VTIMEZONE describes. Rules are
// followed from 1950 to 2100, which keeps the cost small whatever they say.
func FromObservances(tzid string, list []Observance) (*time.Location, error) {
	if len(list) == 0 || len(list) > MaxObservances {
		return nil, fmt.Errorf("tz: a VTIMEZONE with %d observances", len(list))
	}
	type onset struct {
		period
		from int
	}
	var onsets []onset
	budget := maxDays
	for _, o := range list {
		if !sane(o.OffsetFrom) || !sane(o.OffsetTo) {
			return nil, fmt.Errorf("tz: a VTIMEZONE with an offset of %d seconds", o.OffsetTo)
		}
		for _, at := range o.onsets(&budget) {
			p := period{at.Unix() - int64(o.OffsetFrom), o.OffsetTo, o.Daylight}
			onsets = append(onsets, onset{p, o.OffsetFrom})
		}
	}
	slices.SortStableFunc(onsets, func(a, b onset) int { return int(min(max(a.start-b.start, -1), 1)) })
	if len(onsets) == 0 {
		return nil, fmt.Errorf("tz: a VTIMEZONE whose observances never begin")
	}
	periods := []period{{offset: onsets[0].from}}
	for _, o := range onsets {
		periods = append(periods, o.period)
	}
	return location(tzid, periods, "")
}

func sane(offset int) bool { return offset >= -maxBias*60 && offset <= maxBias*60 }

// The years in which the rules of a VTIMEZONE are followed.
const (
	ruleFirst = 1950
	ruleLast  = 2100
)

// onsets lists the local times at which the observance begins. It takes the
// days that it looks at from budget.
func (o Observance) onsets(budget *int) []time.Time {
	list := append([]time.Time{o.Start}, o.Dates[:min(len(o.Dates), maxOnsets)]...)
	r, ok := parseYearly(o.Rule, o.Start)
	if !ok {
		return list
	}
	left := r.count - 1
	for year := o.Start.Year(); year <= ruleLast && len(list) < maxOnsets && *budget > 0; year += r.interval {
		if year < ruleFirst && r.count == 0 {
			skip := (ruleFirst - year) / r.interval
			year += skip * r.interval
		}
		*budget -= 31 * len(r.months)
		for _, at := range r.in(year, o.Start) {
			utc := at.Add(-time.Duration(o.OffsetFrom) * time.Second)
			if !at.After(o.Start) {
				continue
			}
			if !r.until.IsZero() && utc.After(r.until) {
				return list
			}
			if r.count > 0 {
				if left == 0 {
					return list
				}
				left--
			}
			list = append(list, at)
		}
	}
	return list
}

// yearly is the part of RRULE that time zones use: certain days of certain
// months, every year.
type yearly struct {
	interval  int
	count     int       // 0 means endless
	until     time.Time // zero means endless
	months    []int
	days      []nthDay
	monthDays []int
}

type nthDay struct {
	n   int // 0 is every one
	day time.Weekday
}

// parseYearly reads a rule; false if there is none or if it is of a kind that
// no time zone needs.
func parseYearly(rule string, start time.Time) (yearly, bool) {
	r := yearly{interval: 1}
	ok := false
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "FREQ":
			ok = value == "YEARLY"
		case "INTERVAL":
			r.interval = max(1, numbers(value, 1, 1000)[0])
		case "COUNT":
			r.count = max(1, numbers(value, 1, 100000)[0])
		case "UNTIL":
			r.until = until(value)
		case "BYMONTH":
			r.months = numbers(value, 1, 12)
		case "BYMONTHDAY":
			r.monthDays = numbers(value, -31, 31)
		case "BYDAY":
			r.days = nthDays(value)
		case "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND":
			return r, false
		}
	}
	if len(r.months) == 0 || r.months[0] == 0 {
		r.months = []int{int(start.Month())}
	}
	slices.Sort(r.months)
	r.months = slices.Compact(r.months)
	return r, ok
}

// numbers reads a list; a value out of its bounds counts as 0.
func numbers(s string, lo, hi int) []int {
	var list []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimPrefix(part, "+"))
		if err != nil || n < lo || n > hi {
			n = 0
		}
		if len(list) < 64 {
			list = append(list, n)
		}
	}
	return list
}

var weekdays = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

func nthDays(s string) []nthDay {
	var list []nthDay
	for part := range strings.SplitSeq(s, ",") {
		if len(part) < 2 || len(list) == 64 {
			continue
		}
		day, ok := weekdays[part[len(part)-2:]]
		if !ok {
			continue
		}
		n := 0
		if number := part[:len(part)-2]; number != "" {
			n = numbers(number, -5, 5)[0]
		}
		list = append(list, nthDay{n, day})
	}
	return list
}

func until(s string) time.Time {
	for _, layout := range []string{"20060102T150405Z", "20060102T150405"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	if t, err := time.Parse("20060102", s); err == nil {
		return t.Add(24*time.Hour - time.Second)
	}
	return time.Time{}
}

// in lists the days of a year on which the rule applies, ascending, at the
// clock time of start.
func (r yearly) in(year int, start time.Time) []time.Time {
	var list []time.Time
	for _, month := range r.months {
		if month == 0 {
			continue
		}
		first := time.Date(year, time.Month(month), 1, start.Hour(), start.Minute(), start.Second(), 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		for day := 1; day <= last; day++ {
			if at := first.AddDate(0, 0, day-1); r.on(at, day, last, start) {
				list = append(list, at)
			}
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// on tells whether the rule applies on a day of a month with last days.
func (r yearly) on(at time.Time, day, last int, start time.Time) bool {
	if len(r.monthDays) > 0 && !slices.Contains(r.monthDays, day) && !slices.Contains(r.monthDays, day-last-1) {
		return false
	}
	for _, d := range r.days {
		if at.Weekday() == d.day && (d.n == 0 || d.n == (day-1)/7+1 || d.n == -((last-day)/7+1)) {
			return true
		}
	}
	return len(r.days) == 0 && (len(r.monthDays) > 0 || day == start.Day())
}

// lookAhead is for how many years the changes of a zone without a lasting rule
// are written out.
const lookAhead = 10

// VTimezone writes a VTIMEZONE component, in CRLF lines, that is right for a
// zone from a year on: with open-ended rules where the zone has them, else with
// every change of the next years.
func VTimezone(loc *time.Location, tzid string, year int) []byte {
	own, ok := locations.Load(loc.String())
	if !ok || own != loc || tzid != loc.String() {
		return vtimezone(loc, tzid, year)
	}
	key := zoneYear{loc, year}
	if text, ok := written.Get(key); ok {
		return bytes.Clone(text)
	}
	text := vtimezone(loc, tzid, year)
	written.Add(key, text)
	return bytes.Clone(text)
}

// written keeps the components of the zones that have a name, since looking for
// lasting rules takes longer than all the rest of a new event. 256 are more than
// the zones of any community, in 150 KB.
var written = func() *lru.Cache[zoneYear, []byte] {
	c, _ := lru.New[zoneYear, []byte](256) // fails only for sizes below 1
	return c
}()

type zoneYear struct {
	loc  *time.Location
	year int
}

func vtimezone(loc *time.Location, tzid string, year int) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("BEGIN:VTIMEZONE")
	line("TZID:%s", tzid)
	observance := func(c change, d *Date) {
		kind := "STANDARD"
		if c.after > c.before {
			kind = "DAYLIGHT"
		}
		line("BEGIN:%s", kind)
		line("DTSTART:%s", c.local().Format("20060102T150405"))
		line("TZOFFSETFROM:%s", offsetText(c.before))
		line("TZOFFSETTO:%s", offsetText(c.after))
		if d != nil {
			n := d.Week
			if n == 5 {
				n = -1
			}
			line("RRULE:FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", d.Month, n, weekdayNames[d.Weekday])
		}
		line("END:%s", kind)
	}
	cs := changes(loc, year)
	switch {
	case steady(loc, year) && len(cs) == 0:
		_, offset := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Zone()
		line("BEGIN:STANDARD")
		line("DTSTART:19700101T000000")
		line("TZOFFSETFROM:%s", offsetText(offset))
		line("TZOFFSETTO:%s", offsetText(offset))
		line("END:STANDARD")
	case steady(loc, year):
		first := year
		for first > 1970 && sameRule(loc, year, first-1) {
			first--
		}
		for i, c := range changes(loc, first) {
			d := dateOf(loc, year, cs[i])
			observance(c, &d)
		}
	default:
		history(loc, year, observance)
	}
	line("END:VTIMEZONE")
	return []byte(b.String())
}

// history tells every change from the last one before a year on.
func history(loc *time.Location, year int, tell func(change, *Date)) {
	from, _ := time.Date(year, 1, 1, 0, 0, 0, 0, loc).ZoneBounds()
	if from.IsZero() {
		from = time.Date(year, 1, 1, 0, 0, 0, 0, loc)
	}
	_, after := from.Zone()
	_, before := from.Add(-time.Second).Zone()
	tell(change{from.Unix(), before, after}, nil)
	for y := year; y <= year+lookAhead; y++ {
		for _, c := range changes(loc, y) {
			if c.at > from.Unix() {
				tell(c, nil)
			}
		}
	}
}

// steady tells whether the rule of a year lasts: two changes a year on the
// n-th weekdays of their months before midnight, or none.
func steady(loc *time.Location, year int) bool {
	if n := len(changes(loc, year)); n != 0 && n != 2 {
		return false
	}
	for y := year + 1; y <= year+2*lookAhead; y++ {
		if !sameRule(loc, year, y) {
			return false
		}
	}
	return true
}

// sameRule tells whether another year follows the rule of year.
func sameRule(loc *time.Location, year, other int) bool {
	a, b := changes(loc, year), changes(loc, other)
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 {
		_, x := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Zone()
		_, y := time.Date(other, 1, 1, 0, 0, 0, 0, loc).Zone()
		return x == y
	}
	for i := range a {
		d := dateOf(loc, year, a[i])
		if d.Hour == 24 || a[i].before != b[i].before || a[i].after != b[i].after || !d.in(other).Equal(b[i].local()) {
			return false
		}
	}
	return true
}

var weekdayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// offsetText writes an offset as RFC 5545, section 3.3.14, has it.
func offsetText(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		s += fmt.Sprintf("%02d", seconds%60)
	}
	return s
}
