package calendar

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A span is from when to when an event lasts: instants, or for an all-day
// event dates (midnight UTC), the last one excluded.
type span struct {
	allDay     bool
	start, end time.Time
}

// when is the span of the event, or of the occurrence that stands for a
// series that phones cannot be told of.
func (e *event) when() span {
	start, end := e.start, e.end
	if x := e.expansion(); x != nil {
		start, end = e.occurrence(x.list[0].key)
	} else if e.rule.locked {
		start, end = e.occurrence(e.nextOccurrence())
	}
	if e.allDay {
		return span{true, start.Wall, end.Wall}
	}
	return span{false, start.Instant(time.UTC), end.Instant(time.UTC)}
}

// endInstant is when the event is over for the person.
func (e *event) endInstant() time.Time { return e.end.Instant(e.o.Location()) }

// readEnd finds the end in DTEND, DURATION or what RFC 5545, section 3.6.1,
// says where neither is. An end before the start counts as none.
func (e *event) readEnd() moment {
	fallback := e.start
	if e.start.Form == ical.Date {
		fallback.Wall = e.start.Wall.AddDate(0, 0, 1)
	}
	end := fallback
	if m, ok := e.zones.Moment(e.c.Get("DTEND")); ok {
		end = e.likeStart(m)
	} else if days, rest, ok := ical.ParseDuration(e.c.Get("DURATION").Value()); ok {
		if e.start.Form == ical.Date && rest > 0 {
			const day = 24 * time.Hour
			days, rest = days+int((rest+day-1)/day), 0 // the day on which it ends, too
		}
		if end = e.start.At(e.start.Wall.AddDate(0, 0, days)); rest != 0 {
			end = end.When(end.Instant(time.UTC).Add(rest))
		}
	}
	if !end.Instant(time.UTC).After(e.start.Instant(time.UTC)) {
		return fallback
	}
	return end
}

// likeStart makes an end a date if the start is one, and the other way round.
func (e *event) likeStart(end moment) moment {
	switch {
	case e.start.Form == ical.Date && end.Form != ical.Date:
		days := end.Wall.Truncate(24 * time.Hour)
		if days.Before(end.Wall) {
			days = days.AddDate(0, 0, 1)
		}
		return e.start.At(days)
	case e.start.Form != ical.Date && end.Form == ical.Date:
		return e.start.At(end.Wall)
	}
	return end
}

// markedAllDay tells Outlook's way of writing an all-day event: from midnight
// to midnight with a mark. See [MS-OXCICAL] "X-MICROSOFT-CDO-ALLDAYEVENT".
func (e *event) markedAllDay() bool {
	midnight := func(m moment) bool { return m.Wall.Equal(m.Wall.Truncate(24 * time.Hour)) }
	return strings.EqualFold(e.c.Get("X-MICROSOFT-CDO-ALLDAYEVENT").Text(), "TRUE") &&
		midnight(e.start) && midnight(e.end) && e.end.Wall.After(e.start.Wall)
}

// zone is the one in whose TimeZone a phone is told of the event.
func (e *event) zone() *time.Location {
	switch {
	case e.series != nil:
		return e.series.zone()
	case e.start.Form == ical.Zoned, e.start.Form == ical.UTC && e.rule.recurs:
		return e.start.Loc
	}
	return e.o.Location()
}

// blob is the zone as a phone is told. A series is told by this year's rule
// if that agrees with the true time of its first occurrence, so that the
// phone is right today, too; anything else by the rule of its own year.
func (e *event) blob() tz.Blob { return e.blobIn(e.o.Now.UTC().Year()) }

// blobIn is the zone as a phone is told in a year.
func (e *event) blobIn(now int) tz.Blob {
	zone := e.zone()
	start := e.start.Instant(zone)
	year := start.In(zone).Year()
	if !e.rule.recurs {
		return tz.BlobAt(zone, start)
	}
	own, _ := tz.BlobFor(zone, year)
	if now > year && now < year+100 {
		today, _ := tz.BlobFor(zone, now)
		_, want := start.In(zone).Zone()
		if _, got := start.In(today.Location()).Zone(); got == want {
			return today
		}
	}
	return own
}

// plainDates tells whether the phone's version writes all-day events without a
// zone. See [MS-ASCAL] "StartTime".
func (obj *object) plainDates() bool { return obj.o.ProtocolVersion() >= eas.V160 }

// stamp writes a time of a span for the phone.
func (e *event) stamp(t time.Time, allDay bool) string {
	if allDay && !e.plainDates() {
		t = ical.OnClock(t, e.zone())
	}
	return translate.CompactDateTime(t)
}

// sentSpan reads what a phone says about the times; what it leaves out is as
// it was shown. zone is the zone of the phone's TimeZone, or nil.
func (e *event) sentSpan(sent eas.Properties, shown span) (s span, err error) {
	s = shown
	if text, ok := sent.Text(tag.CalendarAllDayEvent); ok && strings.TrimSpace(text) != "" {
		switch strings.TrimSpace(text) {
		case "0", "1":
			s.allDay = strings.TrimSpace(text) == "1"
		default:
			return s, invalid("AllDayEvent is %.10q", text)
		}
	}
	start, hasStart, err := sentTime(sent, tag.CalendarStartTime)
	if err != nil {
		return s, err
	}
	end, hasEnd, err := sentTime(sent, tag.CalendarEndTime)
	if err != nil {
		return s, err
	}
	if s.allDay != shown.allDay && !hasStart {
		return shown, nil // nothing can be made of the mark alone
	}
	length := shown.end.Sub(shown.start)
	// From 16.0 on a time that is absent is as it was, wherever it can be. See
	// [MS-ASCAL] "Sync Command Request".
	stays := func(start time.Time) bool {
		return e.plainDates() && s.allDay == shown.allDay && start.Before(shown.end)
	}
	switch {
	case s.allDay:
		if hasStart {
			if s.start = e.day(start, false); !stays(s.start) {
				s.end = s.start.Add(max(length, 24*time.Hour).Truncate(24 * time.Hour))
			}
		}
		if hasEnd {
			s.end = e.day(end, true)
		}
		if s.end.Equal(s.start) {
			s.end = s.start.AddDate(0, 0, 1)
		}
	case hasStart:
		if s.start = start; !stays(start) {
			s.end = start.Add(length)
		}
		if hasEnd {
			s.end = end
		}
	case hasEnd:
		s.end = end
	}
	if s.end.Before(s.start) {
		return s, invalid("the event ends before it starts")
	}
	return s, nil
}

// sentTime reads one time of what a phone sent. An empty element is absent.
func sentTime(sent eas.Properties, t wbxml.Tag) (at time.Time, ok bool, err error) {
	text, ok := sent.Text(t)
	if !ok || strings.TrimSpace(text) == "" {
		return at, false, nil
	}
	at, err = translate.ParseDateTime(text)
	if err == nil && !ical.Sensible(at) {
		err = invalid("%s in the year %d", tag.Name(t), at.Year())
	}
	return at, err == nil, err
}

// nearMidnight is by how much an all-day event may miss midnight in the
// phone's own zone, because of a rule of summer time that is out of date.
const nearMidnight = 2 * time.Hour

// day is the date that a phone means by a time of an all-day event: the day
// that begins then in the zone of its TimeZone. Where none begins then, some
// other zone's midnight is looked for before anything is rounded.
func (e *event) day(t time.Time, up bool) time.Time {
	if e.plainDates() && t.Equal(t.Truncate(24*time.Hour)) {
		return t.UTC()
	}
	own := e.phoneZone
	if own == nil {
		own = e.zone()
	}
	for _, zone := range []*time.Location{own, e.o.Location(), e.o.Person(), time.UTC} {
		if wall := ical.Reading(t, zone); wall.Equal(wall.Truncate(24 * time.Hour)) {
			return wall
		}
	}
	wall := ical.Reading(t, own)
	nearest := wall.Add(12 * time.Hour).Truncate(24 * time.Hour)
	if off := wall.Sub(nearest); max(off, -off) <= nearMidnight {
		return nearest
	}
	if up {
		return wall.Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	return wall.Truncate(24 * time.Hour)
}

// mergeTimes applies what a phone says about start, end, all-day and zone. The
// zone alone changes nothing: phones put their own into what they edit.
func (e *event) mergeTimes(sent eas.Properties) error {
	if text, _ := sent.Text(tag.CalendarTimezone); e.series == nil && strings.TrimSpace(text) != "" {
		if b, err := tz.ParseBlob(text); err == nil {
			e.phoneBlob, e.phoneZone = &b, b.Location()
		}
	}
	shown := e.when()
	s, err := e.sentSpan(sent, shown)
	if err != nil {
		return err
	}
	startMoved, endMoved := !same(s.start, shown.start), !same(s.end, shown.end)
	if s.allDay == shown.allDay && !startMoved && !endMoved {
		return nil
	}
	e.setTimes(s, shown)
	return nil
}

// same compares to the minute, which is all that phones show people.
func same(a, b time.Time) bool { return a.Truncate(time.Minute).Equal(b.Truncate(time.Minute)) }

// setTimes writes a span. Each time keeps its form as far as that can say the
// new one.
func (e *event) setTimes(s, shown span) {
	e.keepReminder(func() { e.writeTimes(s, shown) })
}

func (e *event) writeTimes(s, shown span) {
	old := e.start
	e.start = e.newStart(s, shown)
	e.start.Put(e.c, "DTSTART")
	if l := e.c.Get("X-MICROSOFT-CDO-ALLDAYEVENT"); l != nil && s.allDay != shown.allDay {
		e.c.Remove(l)
	}
	e.allDay = s.allDay
	e.setEnd(s, shown, old)
}

// newStart is the start of a span in the form that suits it.
func (e *event) newStart(s, shown span) moment {
	switch {
	case s.allDay && shown.allDay:
		return e.start.At(s.start) // a date, or marked midnights
	case s.allDay:
		return moment{Wall: s.start, Form: ical.Date, Loc: e.o.Location()}
	case shown.allDay:
		if e.start.Form != ical.Date && e.series == nil {
			return e.start.When(s.start)
		}
		return e.inZone(e.phonesZone(s.start)).When(s.start)
	case same(s.start, shown.start):
		return e.start
	case e.elsewhere(s.start):
		return e.inZone(e.phonesZone(s.start)).When(s.start)
	}
	return e.start.When(s.start)
}

// elsewhere tells whether the phone says that a series recurs in another zone
// from now on. For a single event the zone makes no difference.
func (e *event) elsewhere(start time.Time) bool {
	return e.series == nil && e.rule.recurs && e.phoneBlob != nil && e.start.Form != ical.Floating && !e.fitsPhone(e.start.Loc, start)
}

// fitsPhone tells whether a zone still is what the phone says: by the rule of
// the event's year or of today's, for either may have been shown.
func (e *event) fitsPhone(zone *time.Location, start time.Time) bool {
	return e.phoneBlob.Tells(zone, start.In(zone).Year()) || e.phoneBlob.Tells(zone, e.o.Now.Year())
}

// phonesZone is the zone that the phone's TimeZone stands for.
func (e *event) phonesZone(start time.Time) *time.Location {
	if e.series != nil {
		return e.series.start.Loc
	}
	if e.phoneBlob == nil {
		return e.zone()
	}
	for _, year := range []int{start.Year(), e.o.Now.Year()} {
		if zone, ok := e.phoneBlob.Match(year, e.start.Loc, e.o.Location(), e.o.Person()); ok {
			return zone
		}
	}
	return e.phoneZone
}

// inZone is a form for times in a zone, with the VTIMEZONE that explains it.
func (e *event) inZone(zone *time.Location) moment {
	if e.start.Form == ical.Zoned && e.start.Loc == zone {
		return e.start
	}
	if zone == time.UTC || zone.String() == "UTC" {
		return moment{Form: ical.UTC, Loc: time.UTC}
	}
	if e.series != nil && e.series.start.Form == ical.Zoned && e.series.start.Loc == zone {
		return moment{Form: ical.Zoned, Loc: zone, TZID: e.series.start.TZID}
	}
	tzid := zone.String()
	if _, known := tz.Location(tzid); !known {
		// A rule that no zone has: name it by its content.
		h := fnv.New32a()
		h.Write([]byte(e.phoneBlob.String()))
		tzid = "Phone-" + strconv.FormatUint(uint64(h.Sum32()), 16)
	}
	year := e.o.Now.Year()
	if !e.start.Wall.IsZero() {
		year = min(year, e.start.Wall.Year())
	}
	e.zones.Explain(zone, tzid, year)
	return moment{Form: ical.Zoned, Loc: zone, TZID: tzid}
}

// setEnd writes the end of a span as DTEND or DURATION, whichever is there. A
// DTEND in a zone of its own keeps that.
func (e *event) setEnd(s, shown span, oldStart moment) {
	dtend, duration := e.c.Get("DTEND"), e.c.Get("DURATION")
	like := e.start
	if own, ok := e.zones.Moment(dtend); ok && !s.allDay && own.Form != ical.Date && (own.Form != oldStart.Form || own.TZID != oldStart.TZID) {
		like = own
	}
	switch {
	case s.allDay:
		e.end = e.start.At(s.end)
	case s.allDay == shown.allDay && same(s.end, shown.end):
		e.end = like.When(shown.end)
	default:
		e.end = like.When(s.end)
	}
	switch {
	case dtend != nil:
		e.end.Put(e.c, "DTEND")
	case duration != nil:
		if s.allDay != shown.allDay || s.end.Sub(s.start) != shown.end.Sub(shown.start) {
			duration.SetValue(ical.FormatDuration(s.end.Sub(s.start)))
		}
	case e.readEnd().Instant(time.UTC).Equal(e.end.Instant(time.UTC)):
		// What the standard says where nothing is said.
	default:
		e.end.Put(e.c, "DTEND")
	}
}
