package calendar

import (
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

const (
	// leastShown is how long the occurrence that stands for a series is shown at
	// least, where the next one follows sooner: each change wakes phones, and
	// there are series for every minute.
	leastShown = time.Hour

	// dueStep is what the end of an occurrence is rounded up to, so that several
	// events that change in a quarter of an hour wake phones once.
	dueStep = 15 * time.Minute

	// zoneYears is how many years ahead the rules of a zone are looked at.
	zoneYears = 5
)

// due is from when on phones are shown something else of the same event, in Unix
// seconds; 0 if there is no such moment until it ends.
func (e *event) due(ends int64) int64 {
	if !e.rule.recurs {
		return 0
	}
	var first time.Time
	for _, t := range []time.Time{e.listDue(), e.zoneDue()} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if first.IsZero() || first.Unix() > ends {
		return 0
	}
	return first.Unix()
}

// listDue is when phones are shown other occurrences of a series that
// ActiveSync has no words for; zero if never.
func (e *event) listDue() time.Time {
	if !e.rule.locked {
		return time.Time{}
	}
	next := monthOf(e.o.Now).AddDate(0, 1, 0)
	if x := e.expansion(); x != nil {
		if x.whole && !x.more {
			return time.Time{}
		}
		return next
	}
	_, end := e.occurrence(e.nextOccurrence())
	if !e.goesOn {
		return time.Time{}
	}
	over := end.Instant(e.o.Location())
	if !over.After(e.o.Now) {
		return next // nothing of it is near
	}
	if least := e.o.Now.Add(leastShown); e.dense && over.Before(least) {
		over = least
	}
	if t := over.Truncate(dueStep); t.Before(over) {
		over = t.Add(dueStep)
	}
	if over.Before(next) {
		return over
	}
	return next
}

// zoneDue is when the phone is told another rule of the series' zone; zero if
// that is not known to come. Of zones that only this object names no more than
// one year is looked at, for they are not remembered.
func (e *event) zoneDue() time.Time {
	zone, now := e.zone(), e.o.Now.UTC().Year()
	years := zoneYears
	if !tz.Named(zone) {
		years = 1
	}
	told := e.blobIn(now)
	for year := now + 1; year <= now+years; year++ {
		if e.blobIn(year) != told {
			return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
	return time.Time{}
}
