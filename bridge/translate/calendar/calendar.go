// Package calendar translates between iCalendar events and the properties of ActiveSync's Calendar class.
//
// An object is what a CalDAV resource holds: a VEVENT, the overrides of some
// of its occurrences, and whatever else stands beside them. Only the content
// lines that a phone changed are touched.
package calendar

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// FromICalendar tells a phone of an event. The error is
// translate.ErrUnreadable for what is no iCalendar, and translate.ErrNotShown
// for an object without an event.
func FromICalendar(ics []byte, o translate.Options) (eas.Properties, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	return obj.event.show(), nil
}

// Merge applies a phone's edit. See package translate for what it promises.
// The error is translate.ErrInvalid if the phone contradicts itself, or changes
// an event that recurs in a way that ActiveSync has no words for.
func Merge(ics []byte, sent eas.Properties, o translate.Options) ([]byte, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	if obj.event.rule.locked {
		return ics, obj.refuseEdit(sent)
	}
	before := obj.fingerprints()
	if err := obj.merge(sent); err != nil {
		return nil, err
	}
	return obj.finish(ics, before), nil
}

// merge applies the edit of the whole item.
func (obj *object) merge(sent eas.Properties) error {
	e := obj.event
	old := *e
	if err := e.mergeTimes(sent); err != nil {
		return err
	}
	if err := e.mergeSeries(sent, old); err != nil {
		return err
	}
	return e.mergeFields(sent, whole(sent))
}

// whole tells whether a phone sent an item as a whole. In a Change without a
// start time nothing that is absent was meant to be removed: some phones send
// nothing but the attendees, or nothing but the reminder.
func whole(sent eas.Properties) bool {
	_, ok := sent.Find(tag.CalendarStartTime)
	return ok
}

// finish writes the object, with new time stamps in the events that changed.
func (obj *object) finish(ics []byte, before map[*component]prints) []byte {
	if bytes.Equal(obj.doc.Bytes(), ics) {
		return ics
	}
	now := translate.CompactDateTime(obj.o.Now)
	for _, c := range obj.components() {
		was, existed := before[c]
		is := printsOf(c)
		if existed && was == is {
			continue
		}
		c.Set("DTSTAMP", now)
		if c.Get("LAST-MODIFIED") != nil {
			c.Set("LAST-MODIFIED", now)
		}
		if existed && was.plan != is.plan {
			obj.countUp(c)
		}
		if was.plan != is.plan || was.guests != is.guests || was.told != is.told {
			obj.nameSender(c)
		}
	}
	return obj.doc.Bytes()
}

// Facts tells what filters need to know: when the event, and every occurrence
// of it, is over; and when phones are shown something else of it.
func Facts(ics []byte, o translate.Options) (translate.Facts, error) {
	obj, err := read(ics, o)
	if err != nil {
		return translate.Facts{}, err
	}
	ends := obj.event.seriesEnd()
	for _, x := range obj.overrides {
		if ends != translate.Forever {
			ends = max(ends, x.endInstant().Unix())
		}
	}
	return translate.Facts{Ends: ends, Due: obj.event.due(ends)}, nil
}

// Floats tells whether phones are told other times of the event in another zone:
// of a date, a time without a zone, and one whose zone nothing explains.
func Floats(ics []byte) (bool, error) {
	var starts [2][]time.Time
	for i, zone := range []*time.Location{time.UTC, time.FixedZone("elsewhere", 3600)} {
		obj, err := read(ics, translate.Options{Zone: zone})
		if err != nil {
			return false, err
		}
		for _, e := range append([]*event{obj.event}, obj.overrides...) {
			starts[i] = append(starts[i], e.start.Instant(zone), e.end.Instant(zone))
		}
	}
	return !slices.EqualFunc(starts[0], starts[1], time.Time.Equal), nil
}

// UID is the identity that all components of the event share, or "".
func UID(ics []byte) string {
	obj, err := read(ics, translate.Options{})
	if err != nil {
		return ""
	}
	return obj.event.c.Get("UID").Text()
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{translate.ErrInvalid}, args...)...)
}

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{translate.ErrUnreadable}, args...)...)
}

// prints tell whether a component changed: anything in it, what raises SEQUENCE,
// who is invited, or what they are told.
type prints struct{ all, plan, guests, told string }

// plan lists the properties whose change raises SEQUENCE. See RFC 5546,
// section 2.1.4.
var plan = []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "STATUS", "LOCATION"}

func printsOf(c *component) prints {
	var planned, guests strings.Builder
	for _, name := range plan {
		for _, l := range c.All(name) {
			writeLine(&planned, l)
		}
	}
	for _, l := range c.All("ATTENDEE") {
		guests.WriteString(l.Value())
		guests.WriteByte('\n')
	}
	return prints{all: fingerprint(c), plan: planned.String(), guests: guests.String(), told: noticed(c)}
}

func writeLine(b *strings.Builder, l *line) {
	b.WriteString(l.Name())
	for _, p := range l.Params() {
		b.WriteByte(';')
		b.WriteString(p.Name)
		for _, v := range p.Values {
			b.WriteByte('=')
			b.WriteString(strconv.Quote(v))
		}
	}
	b.WriteByte(':')
	b.WriteString(l.Value())
	b.WriteByte('\n')
}

func fingerprint(c *component) string {
	var b strings.Builder
	write(&b, c)
	return b.String()
}

func write(b *strings.Builder, c *component) {
	for _, l := range c.Lines() {
		writeLine(b, l)
	}
	for _, child := range c.Components() {
		b.WriteString(child.Name())
		b.WriteByte('\n')
		write(b, child)
	}
}
