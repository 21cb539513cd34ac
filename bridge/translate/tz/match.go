package tz

import (
	"sync"
	"time"
)

// A change is one shift of a zone's offset.
type change struct {
	at            int64 // Unix seconds
	before, after int   // seconds east of UTC
}

// changes lists the shifts of a zone in a year of the local time before them.
// Renamings without a shift are left out.
func changes(loc *time.Location, year int) []change {
	var list []change
	t := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Add(-24 * time.Hour) // a shift at New Year is this year's
	for {
		_, next := t.ZoneBounds()
		if !next.IsZero() && !next.After(t) {
			// Beyond its tables package time takes every year for 365 days
			// long and answers a bound in the past on New Year's Eve.
			next = t.Add(24 * time.Hour)
		}
		if next.IsZero() {
			return list
		}
		_, before := t.Zone()
		_, after := next.Zone()
		c := change{next.Unix(), before, after}
		if in := c.local().Year(); in > year {
			return list
		} else if in == year && before != after {
			list = append(list, c)
		}
		t = next
	}
}

// yearOf is what a blob has to tell of a year: the offset with which it begins,
// and the shifts after New Year.
func yearOf(loc *time.Location, year int) (cs []change, offset int) {
	cs = changes(loc, year)
	if len(cs) > 0 && cs[0].local().Equal(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return cs[1:], cs[0].after
	}
	_, offset = time.Date(year, 1, 1, 0, 0, 0, 0, loc).Zone()
	return cs, offset
}

// local is the wall clock's reading just before a change, as if it were UTC.
func (c change) local() time.Time { return time.Unix(c.at+int64(c.before), 0).UTC() }

// BlobFor describes a zone as it is in a year. exact is false if the year has
// more changes than the structure can tell, or offsets that are no full
// minutes; the blob is then the nearest that it can tell: the one that is wrong
// for the shortest time of the year.
func BlobFor(loc *time.Location, year int) (b Blob, exact bool) {
	key := zoneYear{loc, year}
	if d, ok := described.Load(key); ok {
		return d.(description).blob, d.(description).exact
	}
	b, exact = describe(loc, year)
	if Named(loc) && year >= firstYear && year <= lastYear {
		described.Store(key, description{b, exact})
	}
	return b, exact
}

// described keeps what BlobFor found for zones that have a name, of which there
// are few years.
var described sync.Map // zoneYear -> description

type description struct {
	blob  Blob
	exact bool
}

func describe(loc *time.Location, year int) (b Blob, exact bool) {
	cs, offset := yearOf(loc, year)
	switch {
	case len(cs) == 0:
		b = Blob{Bias: -offset / 60}
	case len(cs) == 1:
		b = once(loc, year, cs[0])
	default:
		b = twice(loc, year, cs[0], cs[1])
	}
	if exact = b.check() == nil && matches(b, cs, offset, year, 0); !exact {
		b = nearest(loc, year, cs)
	}
	b.StandardName, b.DaylightName = blobNames(loc, year)
	return b, exact
}

// BlobAt is BlobFor the year of a moment, or where that is wrong at the moment,
// the offset that is right then, for all time.
func BlobAt(loc *time.Location, at time.Time) Blob {
	b, exact := BlobFor(loc, at.In(loc).Year())
	if exact {
		return b
	}
	_, want := at.In(loc).Zone()
	if _, got := at.In(b.Location()).Zone(); got != want {
		return Blob{Bias: -want / 60, StandardName: b.StandardName, DaylightName: b.DaylightName}
	}
	return b
}

// nearest describes a year that cannot be told: by one offset, by one of its
// changes, or by two of them.
func nearest(loc *time.Location, year int, cs []change) Blob {
	_, offset := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Zone()
	candidates := []Blob{{Bias: -offset / 60}}
	for i, c := range cs {
		candidates = append(candidates, Blob{Bias: -c.after / 60}, once(loc, year, c))
		for _, other := range cs[i+1:] {
			candidates = append(candidates, twice(loc, year, c, other))
		}
	}
	best, least := candidates[0], 0
	for i, b := range candidates {
		if b.check() != nil {
			// Islands that moved across the date line skipped or repeated a day.
			continue
		}
		if wrong := wrongDays(b, loc, year); i == 0 || wrong < least {
			best, least = b, wrong
		}
	}
	return best
}

// wrongDays counts the days of a year at whose noon a blob has not the zone's
// offset.
func wrongDays(b Blob, loc *time.Location, year int) int {
	zone, wrong := b.Location(), 0
	for t := time.Date(year, 1, 1, 12, 0, 0, 0, loc); t.Year() == year; t = t.Add(24 * time.Hour) {
		_, want := t.Zone()
		if _, got := t.In(zone).Zone(); got != want {
			wrong++
		}
	}
	return wrong
}

// once describes a year with a single change, in the way Windows does: the
// other change is New Year.
func once(loc *time.Location, year int, c change) Blob {
	b := Blob{Bias: -c.before / 60, DaylightBias: (c.before - c.after) / 60, DaylightDate: dateOf(loc, year, c)}
	b.StandardDate = Date{Month: time.January, Weekday: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Weekday(), Week: 1}
	return b
}

// twice describes a year with summer time; the greater offset is daylight
// time, whatever the zone itself calls it (Ireland calls it standard).
func twice(loc *time.Location, year int, first, second change) Blob {
	up, down := first, second
	if first.after < first.before {
		up, down = second, first
	}
	return Blob{
		Bias:         -down.after / 60,
		StandardDate: dateOf(loc, year, down),
		DaylightDate: dateOf(loc, year, up),
		DaylightBias: (down.after - up.after) / 60,
	}
}

// dateOf writes a change as the n-th weekday of its month. Where the n-th is
// also the last, the years around decide which of the two is meant.
func dateOf(loc *time.Location, year int, c change) Date {
	at := c.local()
	d := Date{Month: at.Month(), Weekday: at.Weekday(), Week: (at.Day()-1)/7 + 1, Hour: at.Hour(), Minute: at.Minute(), Second: at.Second()}
	if d.clock() == 0 && !repeats(loc, year, d, c) {
		// Midnight may be the end of the day before: "last Thursday 24:00".
		eve := at.AddDate(0, 0, -1)
		e := Date{Month: eve.Month(), Weekday: eve.Weekday(), Week: (eve.Day()-1)/7 + 1, Hour: 24}
		if last := lastIfIts(eve, e); repeats(loc, year, last, c) {
			return last
		}
		if repeats(loc, year, e, c) {
			return e
		}
	}
	if last := lastIfIts(at, d); last.Week != d.Week && (repeats(loc, year, last, c) || !repeats(loc, year, d, c)) {
		return last
	}
	return d
}

// lastIfIts turns the n-th weekday into the last one where it is that.
func lastIfIts(at time.Time, d Date) Date {
	if at.AddDate(0, 0, 7).Month() != at.Month() {
		d.Week = 5
	}
	return d
}

// repeats tells whether the zone makes the same change on this date in the
// year before or after, too. One of them is enough: rules end and begin.
func repeats(loc *time.Location, year int, d Date, c change) bool {
	found := func(y int) bool {
		for _, o := range changes(loc, y) {
			if o.before == c.before && o.after == c.after && o.local().Equal(d.in(y)) {
				return true
			}
		}
		return false
	}
	return found(year+1) && (found(year+2) || found(year-1))
}

// blobNames are for people's eyes; Windows shows its own zones under these names.
func blobNames(loc *time.Location, year int) (standard, daylight string) {
	if w := WindowsName(loc.String()); w != "" {
		standard = w
		if base, ok := cutSuffix(w, " Standard Time"); ok {
			return standard, base + " Daylight Time"
		}
		return standard, standard
	}
	name, _ := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Zone()
	return name, name
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && s[len(s)-len(suffix):] == suffix {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

// slack is by how much a phone's changes may be off and still mean a zone.
// Some give the hour of a change in the wrong one of the two times, or in UTC.
const slack = 4 * time.Hour

// Fits tells whether a zone has the blob's rule in a year: the same offsets,
// changing on the same days, give or take some hours.
func (b Blob) Fits(loc *time.Location, year int) bool {
	cs, offset := yearOf(loc, year)
	return matches(b, cs, offset, year, slack)
}

// FitsExactly is Fits to the second.
func (b Blob) FitsExactly(loc *time.Location, year int) bool {
	cs, offset := yearOf(loc, year)
	return matches(b, cs, offset, year, 0)
}

// Tells is Fits, or that the blob is what BlobFor makes of a year that cannot be
// told.
func (b Blob) Tells(loc *time.Location, year int) bool {
	if b.Fits(loc, year) {
		return true
	}
	like, exact := BlobFor(loc, year)
	like.StandardName, like.DaylightName = b.StandardName, b.DaylightName
	return !exact && like == b
}

// matches compares the blob's changes in a year with a zone's.
func matches(b Blob, cs []change, offset, year int, slack time.Duration) bool {
	if !b.Changes() {
		_, own := time.Unix(0, 0).In(b.Location()).Zone()
		return len(cs) == 0 && own == offset
	}
	std, dst := b.standard(), b.daylight()
	up := change{b.DaylightDate.in(year).Unix() - int64(std), std, dst}
	down := change{b.StandardDate.in(year).Unix() - int64(dst), dst, std}
	newYear := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	if len(cs) == 1 {
		// The other change must be the one at New Year that changes nothing
		// in this year.
		return (b.StandardDate.in(year).Equal(newYear) && near(up, cs[0], slack)) ||
			(b.DaylightDate.in(year).Equal(newYear) && near(down, cs[0], slack))
	}
	if len(cs) != 2 {
		return false
	}
	return near(up, cs[0], slack) && near(down, cs[1], slack) || near(down, cs[0], slack) && near(up, cs[1], slack)
}

func near(a, b change, slack time.Duration) bool {
	off := a.at - b.at
	return a.before == b.before && a.after == b.after && max(off, -off) <= int64(slack/time.Second)
}

// Match finds the zone that a phone's blob stands for in a year. Of the many
// with the same rule it takes the first fitting one of prefer (the zone that
// the object has, the person's own; nil ones are passed over), then the one
// that the blob names, then the commonest. Nothing fits: false, and
// [Blob.Location] is what remains.
func (b Blob) Match(year int, prefer ...*time.Location) (*time.Location, bool) {
	year = min(max(year, firstYear), lastYear)
	for _, fits := range []func(*time.Location) bool{
		func(l *time.Location) bool { return b.FitsExactly(l, year) },
		func(l *time.Location) bool { return b.Fits(l, year) },
	} {
		for _, l := range prefer {
			if l != nil && (fits(l) || b.Tells(l, year)) {
				return l, true
			}
		}
		for _, n := range []string{b.StandardName, b.DaylightName} {
			if l, ok := Location(n); ok && fits(l) {
				return l, true
			}
		}
		if l, ok := commonest(fits); ok {
			return l, true
		}
	}
	return nil, false
}

// The span of years whose rules are looked at: before it clocks were local
// mean time, after it nobody knows.
const (
	firstYear = 1900
	lastYear  = 2100
)

// byRank lists all zones, the commonest first.
var byRank = sync.OnceValue(func() []*time.Location {
	var list []*time.Location
	seen := map[string]bool{}
	add := func(name string) {
		if l, ok := load(name); ok && !seen[name] {
			seen[name] = true
			list = append(list, l)
		}
	}
	for _, n := range common {
		add(n)
	}
	for _, n := range zoneNames {
		if _, ok := ianaToWindows[n]; ok && windowsToIANA[ianaToWindows[n]] == n {
			add(n)
		}
	}
	for _, n := range zoneNames {
		if ianaToWindows[n] != "" {
			add(n)
		}
	}
	for _, n := range zoneNames {
		add(n)
	}
	return list
})

func commonest(fits func(*time.Location) bool) (*time.Location, bool) {
	for _, l := range byRank() {
		if fits(l) {
			return l, true
		}
	}
	return nil, false
}

// common lists, for rules that many zones share, the zone with the most
// people first.
var common = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Denver", "America/Phoenix",
	"Europe/London", "Asia/Shanghai", "Asia/Kolkata", "Asia/Tokyo", "America/Sao_Paulo", "Europe/Athens", "Europe/Moscow",
	"Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Pacific/Auckland", "Asia/Bangkok", "Asia/Dubai",
	"Asia/Karachi", "Asia/Dhaka", "Africa/Lagos", "Africa/Johannesburg", "America/Mexico_City", "America/Bogota",
	"America/Halifax", "America/St_Johns", "America/Anchorage", "Pacific/Honolulu", "America/Caracas", "Asia/Jerusalem",
}
