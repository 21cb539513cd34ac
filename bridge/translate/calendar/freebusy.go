package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
)

// Busy is how busy somebody is: the digits of MergedFreeBusy. See [MS-ASCMD]
// "MergedFreeBusy".
type Busy byte

// The digits.
const (
	BusyFree      Busy = '0'
	BusyTentative Busy = '1'
	BusyYes       Busy = '2'
	BusyAway      Busy = '3'
	BusyUnknown   Busy = '4'
)

// A Period is a span of time in which somebody is busy.
type Period struct {
	Start, End time.Time
	Busy       Busy
}

// maxPeriods bounds what one object says of somebody's time: every minute of
// two days.
const maxPeriods = 3000

// Periods tells when an event keeps the person busy between two moments. The
// event may recur; occurrences that cannot be told (a rule that nobody can
// follow, or that is made to cost a lot) are BusyUnknown for the whole span, for
// free they are not. The errors are those of FromICalendar.
func Periods(ics []byte, from, to time.Time, o translate.Options) ([]Period, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	e := obj.event
	b := &busyTimes{from: from, to: to}
	switch {
	case e.rule.orphans, !e.rule.recurs:
		b.add(e, e.start, e.end)
		for _, x := range e.overrides {
			b.add(x, x.start, x.end)
		}
	case !b.series(e):
		if e.busyness() != BusyFree {
			return []Period{{from, to, BusyUnknown}}, nil
		}
	}
	return b.list, nil
}

// busyTimes gathers periods within a span.
type busyTimes struct {
	from, to time.Time
	list     []Period
}

func (b *busyTimes) add(e *event, start, end moment) {
	busy := e.busyness()
	zone := e.o.Location()
	p := Period{start.Instant(zone), end.Instant(zone), busy}
	if busy == BusyFree || !p.Start.Before(b.to) || !p.End.After(b.from) || len(b.list) == maxPeriods {
		return
	}
	b.list = append(b.list, p)
}

// series adds the occurrences of a series; false if they cannot be told.
func (b *busyTimes) series(e *event) bool {
	zone := e.start.Loc
	if e.allDay {
		zone = e.o.Location()
	}
	walls, ok := e.wallsBetween(ical.Reading(b.from, zone), ical.Reading(b.to, zone))
	if !ok {
		return false
	}
	ranges := e.ranges()
	replaced := make(map[time.Time]bool, len(e.overrides))
	for _, x := range e.overrides {
		if at, ok := x.recurrenceID(); ok {
			replaced[at] = true
		}
		b.add(x, x.start, x.end)
	}
	for _, wall := range walls {
		if replaced[wall] {
			continue
		}
		as := e
		start, end := e.occurrence(wall)
		if i, _ := slices.BinarySearchFunc(ranges, wall, func(r rest, t time.Time) int {
			if r.from.After(t) {
				return 1
			}
			return -1
		}); i > 0 {
			as = ranges[i-1].event.shifted(wall.Sub(ranges[i-1].from))
			start, end = as.start, as.end
		}
		if len(b.list) == maxPeriods {
			return false
		}
		b.add(as, start, end)
	}
	return true
}

// margin is by how much an occurrence may begin before a span and still reach
// into it, beside its own length: a clock that was put back, a day's rounding.
const margin = 48 * time.Hour

// maxLooked bounds the occurrences in a span, of all rules together.
const maxLooked = 10_000

// wallsBetween lists the occurrences by RRULE, RDATE, EXRULE and EXDATE that
// may reach into a span of the series' clock. A rule that began long ago is
// followed from its start, within the bounds of package recur.
func (e *event) wallsBetween(from, to time.Time) ([]time.Time, bool) {
	length := e.end.Wall.Sub(e.start.Wall)
	for _, own := range e.rule.lengths {
		length = max(length, own)
	}
	from, to = from.Add(-max(length, 0)-margin), to.Add(margin)
	walls := []time.Time{e.start.Wall}
	walls = append(walls, e.rule.dates...)
	for _, l := range e.c.All("RRULE") {
		found, ok := e.follow(l, from, to)
		if !ok || len(e.c.All("RRULE")) > maxRules {
			return nil, false
		}
		walls = append(walls, found...)
	}
	gone := e.moments("EXDATE")
	for _, l := range e.c.All("EXRULE") {
		found, ok := e.follow(l, from, to)
		if !ok || len(e.c.All("EXRULE")) > maxRules {
			return nil, false
		}
		gone = append(gone, found...)
	}
	slices.SortFunc(walls, time.Time.Compare)
	walls = slices.CompactFunc(walls, time.Time.Equal)
	slices.SortFunc(gone, time.Time.Compare)
	walls = slices.DeleteFunc(walls, func(t time.Time) bool {
		_, found := slices.BinarySearchFunc(gone, t, time.Time.Compare)
		return found || t.Before(from) || t.After(to)
	})
	return walls, true
}

// follow lists what one rule says of a span.
func (e *event) follow(l *line, from, to time.Time) (found []time.Time, ok bool) {
	rule, err := recur.Parse(l.Value())
	last, okUntil := e.until(rule.Until)
	if err != nil || !okUntil || !rule.Expandable() {
		return nil, false
	}
	done, n := false, 0
	for t := range rule.All(e.start.Wall) {
		n++
		if t.After(to) || !last.IsZero() && t.After(last) {
			done = true
			break
		}
		if t.Before(from) {
			continue
		}
		if len(found) == maxLooked {
			return nil, false
		}
		found = append(found, t)
	}
	// The rule ended by itself, or the bounds of its expansion did it.
	return found, done || rule.Count > 0 && n >= rule.Count
}

// busyness is how busy an event makes the person whose calendar it is in.
func (e *event) busyness() Busy {
	if strings.EqualFold(strings.TrimSpace(e.c.Get("STATUS").Value()), "CANCELLED") {
		return BusyFree
	}
	if own := e.own(); own != nil && strings.EqualFold(own.Param("PARTSTAT"), "DECLINED") {
		return BusyFree
	}
	shown, _ := showBusy(e)
	switch shown.Text {
	case "0":
		return BusyFree
	case "1":
		return BusyTentative
	case "3":
		return BusyAway
	}
	return BusyYes
}

// fbTypes are the values of FBTYPE; a value that is not known is BUSY. See RFC
// 5545, section 3.2.9.
var fbTypes = map[string]Busy{"FREE": BusyFree, "BUSY-TENTATIVE": BusyTentative, "BUSY-UNAVAILABLE": BusyAway}

// FreeBusy reads the periods of a VFREEBUSY, such as a calendar server tells of
// other people. The error is translate.ErrUnreadable for what has none. See RFC
// 5545, section 3.6.4.
func FreeBusy(ics []byte) ([]Period, error) {
	doc, err := contentline.Parse(ics)
	if err != nil {
		return nil, unreadable("%v", err)
	}
	var list []Period
	known := false
	for _, cal := range doc.Components("VCALENDAR") {
		zones := ical.ZonesOf(cal, time.UTC)
		for _, c := range cal.Components("VFREEBUSY") {
			known = true
			for _, l := range c.All("FREEBUSY") {
				busy, ok := fbTypes[strings.ToUpper(l.Param("FBTYPE"))]
				if !ok {
					busy = BusyYes
				}
				for value := range strings.SplitSeq(l.Value(), ",") {
					if p, ok := readPeriod(zones, l, value); ok && busy != BusyFree && len(list) < maxPeriods {
						p.Busy = busy
						list = append(list, p)
					}
				}
			}
		}
	}
	if !known {
		return nil, unreadable("there is no VFREEBUSY")
	}
	return list, nil
}

// readPeriod reads start/end or start/duration. See RFC 5545, section 3.3.9.
func readPeriod(zones *ical.Zones, l *line, value string) (p Period, ok bool) {
	first, second, _ := strings.Cut(value, "/")
	start, ok := zones.Parse(first, l)
	if !ok {
		return p, false
	}
	p.Start = start.Instant(time.UTC)
	if end, ok := zones.Parse(second, l); ok {
		p.End = end.Instant(time.UTC)
	} else if days, rest, ok := ical.ParseDuration(second); ok {
		p.End = p.Start.AddDate(0, 0, days).Add(rest)
	}
	return p, p.End.After(p.Start)
}

// Slot is the time that one digit of MergedFreeBusy stands for.
const Slot = 30 * time.Minute

// MaxMerged bounds a MergedFreeBusy, in digits. See [MS-ASCMD]
// "MergedFreeBusy": 32 KB.
const MaxMerged = 32 << 10

// MergeBusy lays periods over each other: a digit for each half hour from one moment
// to another, at most MaxMerged; where several apply the higher one counts. See
// [MS-ASCMD] "MergedFreeBusy".
func MergeBusy(list []Period, from, to time.Time) string {
	if !to.After(from) {
		return ""
	}
	n := min(int((to.Sub(from)+Slot-1)/Slot), MaxMerged)
	merged := []byte(strings.Repeat(string(BusyFree), n))
	for _, p := range list {
		if !p.End.After(from) || !p.Start.Before(to) {
			continue
		}
		first, last := 0, n
		if p.Start.After(from) {
			first = int(p.Start.Sub(from) / Slot)
		}
		if p.End.Before(to) {
			last = min(n, int((p.End.Sub(from)+Slot-1)/Slot))
		}
		for i := first; i < last; i++ {
			merged[i] = max(merged[i], byte(p.Busy))
		}
	}
	return string(merged)
}
