package calendar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

type (
	component = contentline.Component
	line      = contentline.Line
	moment    = ical.Moment
)

// An object is an iCalendar object with an event in it.
type object struct {
	doc       *contentline.Document
	cal       *component
	o         translate.Options
	event     *event   // the series, or the only event, or an orphaned override
	overrides []*event // of occurrences of the series
	zones     *ical.Zones

	// What the phone said in its TimeZone, if anything: its words, and a zone
	// that follows them.
	phoneBlob *tz.Blob
	phoneZone *time.Location
}

// An event is a VEVENT.
type event struct {
	*object
	c      *component
	series *event // of which this is an override, or nil
	start  moment
	end    moment
	allDay bool
	rule   series
	next   *time.Time // what nextOccurrence found
	goesOn bool       // another occurrence comes after next; known with it
	dense  bool       // within leastShown
	new    bool       // the phone just made it

	ahead    *ahead     // see wallsAhead
	told     *expansion // see expansion
	expanded bool
}

// maxOverrides bounds how many overrides are looked at: a daily meeting of
// three years, every one of them changed.
const maxOverrides = 1100

// read finds the event in an object: the components of the first VEVENT's UID.
func read(ics []byte, o translate.Options) (*object, error) {
	doc, err := contentline.Parse(ics)
	if err != nil {
		return nil, unreadable("%v", err)
	}
	obj := &object{doc: doc, o: o}
	for _, cal := range doc.Components("VCALENDAR") {
		if cal.Component("VEVENT") != nil {
			obj.cal = cal
			break
		}
	}
	if obj.cal == nil {
		if doc.Component("VCALENDAR") == nil {
			return nil, unreadable("there is no VCALENDAR")
		}
		return nil, translate.ErrNotShown
	}
	obj.zones = ical.ZonesOf(obj.cal, o.Location())
	return obj, obj.choose(obj.cal.Components("VEVENT"))
}

// choose tells the series from its overrides.
func (obj *object) choose(vevents []*component) error {
	uid := vevents[0].Get("UID").Text()
	for _, c := range vevents {
		if _, ok := obj.zones.Moment(c.Get("DTSTART")); ok {
			uid = c.Get("UID").Text() // of the first one that can be shown
			break
		}
	}
	var master *component
	var others []*component
	for _, c := range vevents {
		switch {
		case c.Get("UID").Text() != uid:
		case c.Get("RECURRENCE-ID") == nil && master == nil:
			master = c
		case c.Get("RECURRENCE-ID") != nil && len(others) < maxOverrides:
			others = append(others, c)
		}
	}
	orphans := master == nil
	if orphans {
		// Overrides without their series: an invitation to one occurrence is an
		// event like any other; several are a series of nothing but them.
		master, others = others[0], others[1:]
	}
	var err error
	if obj.event, err = obj.newEvent(master, nil); err != nil {
		return err
	}
	for _, c := range others {
		if x, err := obj.newEvent(c, obj.event); err == nil {
			obj.overrides = append(obj.overrides, x)
		}
	}
	// Of two overrides of one occurrence the later one counts: RFC 5546, section 2.1.5.
	slices.SortStableFunc(obj.overrides, func(a, b *event) int { return b.sequence() - a.sequence() })
	if orphans && len(obj.overrides) > 0 {
		obj.chooseOrphan()
		obj.event.rule = series{recurs: true, locked: true, orphans: true}
	}
	return nil
}

// chooseOrphan has the next one stand for overrides without their series, where two
// of them are on one day: phones know one occurrence a day. The last one stands for
// those that are over.
func (obj *object) chooseOrphan() {
	if _, ok := obj.event.orphans(); ok {
		return
	}
	all := append([]*event{obj.event}, obj.overrides...)
	slices.SortStableFunc(all, func(a, b *event) int { return a.start.Instant(time.UTC).Compare(b.start.Instant(time.UTC)) })
	i := slices.IndexFunc(all, func(x *event) bool { return x.endInstant().After(obj.o.Now) })
	if i < 0 {
		i = len(all) - 1
	}
	obj.event, obj.overrides = all[i], slices.Delete(slices.Clone(all), i, i+1)
	obj.event.series = nil
	for _, x := range obj.overrides {
		x.series = obj.event
	}
}

// laterOrphan tells whether another orphan comes after the event, and how soon.
func (e *event) laterOrphan() (goesOn, dense bool) {
	for _, x := range e.overrides {
		if x.endInstant().After(e.endInstant()) {
			goesOn = true
			dense = dense || x.endInstant().Sub(e.endInstant()) < leastShown
		}
	}
	return goesOn, dense
}

// newEvent reads the times and the recurrence of a VEVENT.
func (obj *object) newEvent(c *component, of *event) (*event, error) {
	e := &event{object: obj, c: c, series: of}
	var ok bool
	if e.start, ok = obj.zones.Moment(c.Get("DTSTART")); !ok {
		return nil, unreadable("there is an event without a start")
	}
	e.end = e.readEnd()
	e.allDay = e.start.Form == ical.Date || e.markedAllDay()
	if of == nil && c.Get("RECURRENCE-ID") == nil {
		e.rule = e.readSeries()
	}
	return e, nil
}

// components lists the event's components as they are now.
func (obj *object) components() []*component {
	list := []*component{obj.event.c}
	for _, x := range obj.overrides {
		list = append(list, x.c)
	}
	return list
}

func (obj *object) fingerprints() map[*component]prints {
	m := map[*component]prints{}
	for _, c := range obj.components() {
		m[c] = printsOf(c)
	}
	return m
}

// sequence is which revision of the event it is, as far as it says so.
func (e *event) sequence() int {
	n, err := strconv.Atoi(strings.TrimSpace(e.c.Get("SEQUENCE").Value()))
	if err != nil || n < 0 || n > 1<<30 {
		return 0
	}
	return n
}

// countUp raises the SEQUENCE of an event whose organizer we are. A guest's
// copy keeps the organizer's number. See RFC 5546, section 2.1.4.
func (obj *object) countUp(c *component) {
	l := c.Get("SEQUENCE")
	switch {
	case c.Get("ORGANIZER") != nil && !obj.self(c.Get("ORGANIZER")):
		return
	case l == nil && !slices.ContainsFunc(c.All("ATTENDEE"), obj.told):
		return // nobody counts along
	case l == nil:
		c.Add("SEQUENCE", "1") // without it, it was 0: RFC 5545, section 3.8.7.4
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(l.Value())); err == nil && n >= 0 && n < 1<<30 {
		l.SetValue(strconv.Itoa(n + 1))
	}
}
