package calendar

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// New makes an object of what a phone created. The UID is the phone's, which
// stands in the invitations that it mailed, and in those that it took an event
// out of; uid serves a phone that sends none.
func New(uid string, sent eas.Properties, o translate.Options) ([]byte, error) {
	doc, err := ical.Create("VEVENT", sentUID(sent, uid), o.Now)
	if err != nil {
		return nil, err
	}
	cal := doc.Component("VCALENDAR")
	made := cal.Component("VEVENT")
	cal.RemoveComponent(made) // it comes back behind its time zone
	obj := &object{doc: doc, cal: cal, o: o, zones: ical.ZonesOf(cal, o.Location())}
	e := &event{object: obj, new: true}
	obj.event = e
	if text, _ := sent.Text(tag.CalendarTimezone); strings.TrimSpace(text) != "" {
		if b, err := tz.ParseBlob(text); err == nil {
			obj.phoneBlob, obj.phoneZone = &b, b.Location()
		}
	}
	e.start = moment{Form: ical.Floating, Loc: o.Location()}
	s, err := e.newSpan(sent)
	if err != nil {
		return nil, err
	}

	// The zone comes first in the object, so it is made first.
	if s.allDay {
		e.start = moment{Wall: s.start, Form: ical.Date, Loc: o.Location()}
		e.end = e.start.At(s.end)
	} else {
		e.start.Wall = ical.Reading(s.start, o.Location())
		e.start = e.inZone(e.phonesZone(s.start)).When(s.start)
		e.end = e.start.When(s.end)
	}
	e.allDay = s.allDay
	e.c = cal.AddCopy(made)
	e.start.Put(e.c, "DTSTART")
	e.end.Put(e.c, "DTEND")
	e.takeOrganizer(sent)

	if err := e.mergeRecurrence(sent); err != nil {
		return nil, err
	}
	if !e.plainDates() {
		if err := e.mergeExceptions(sent, *e, false); err != nil {
			return nil, err
		}
	}
	if err := e.mergeFields(sent, true); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// sentUID is the phone's name for a new event: UID up to 14.1, ClientUid from
// 16.0 on. See [MS-ASCAL] "UID" and "ClientUid".
func sentUID(sent eas.Properties, fallback string) string {
	for _, t := range []wbxml.Tag{tag.CalendarUID, tag.CalendarClientUid} {
		uid, _ := sent.Text(t)
		uid = strings.TrimSpace(uid)
		if uid != "" && len(uid) <= maxUID && utf8.ValidString(uid) && !strings.ContainsFunc(uid, unicode.IsControl) {
			return uid
		}
	}
	return fallback
}

// Where a phone leaves out a time: the start is the next half hour, and the end
// half an hour after the start. See [MS-ASCAL] "Creating Calendar Events when
// the StartTime Element or EndTime Element is Absent", which would have an
// event that began in the past last until now.
const (
	halfHour      = 30 * time.Minute
	defaultLength = 30 * time.Minute
)

// newSpan reads the times of a new event, and makes up what is missing.
func (e *event) newSpan(sent eas.Properties) (span, error) {
	start, hasStart, err := sentTime(sent, tag.CalendarStartTime)
	if err != nil {
		return span{}, err
	}
	end, hasEnd, err := sentTime(sent, tag.CalendarEndTime)
	if err != nil {
		return span{}, err
	}
	if !hasStart {
		if start = e.o.Now.Truncate(halfHour); start.Before(e.o.Now) {
			start = start.Add(halfHour)
		}
	}
	if !hasEnd {
		end = start.Add(defaultLength)
	}
	if end.Before(start) {
		return span{}, invalid("the event ends before it starts")
	}
	// The mark may make days of these times.
	filled := append(eas.Properties{eas.T(tag.CalendarStartTime, translate.CompactDateTime(start)), eas.T(tag.CalendarEndTime, translate.CompactDateTime(end))},
		eas.T(tag.CalendarAllDayEvent, "0"))
	if text, ok := sent.Text(tag.CalendarAllDayEvent); ok {
		filled[2].Text = text
	}
	return e.sentSpan(filled, span{})
}
