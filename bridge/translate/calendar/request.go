package calendar

import (
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// Request is an event as it is passed on to others: iTIP's REQUEST, or PUBLISH of
// an event without an organizer. instance is an InstanceId, "" for the event as a
// whole: then that occurrence is passed on alone. The organizer and the guests stay
// who they are; alarms and what servers keep among themselves stay behind. The error
// is ErrNoSeries if there are no occurrences, or translate.ErrInvalid if there is no
// such one.
//
// See RFC 5546, section 3.2.2.6, and [MS-ASCMD] "InstanceId (SmartForward and
// SmartReply)".
func Request(ics []byte, instance string, o translate.Options) ([]byte, error) {
	obj, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	if instance != "" && !orphan(ics, instance, o) {
		one, err := obj.occurrenceAt(instance)
		if err != nil {
			return nil, err
		}
		for _, c := range obj.cal.Components("VEVENT") {
			if c != one.c {
				obj.cal.RemoveComponent(c)
			}
		}
	}
	method := "PUBLISH"
	for _, c := range obj.cal.Components("VEVENT") {
		for _, alarm := range c.Components("VALARM") {
			c.RemoveComponent(alarm)
		}
		if l := c.Get("ORGANIZER"); l != nil {
			method = "REQUEST"
			unscheduled(l)
		}
		for _, l := range c.All("ATTENDEE") {
			unscheduled(l)
		}
	}
	obj.cal.RemoveAll("METHOD")
	obj.cal.Add("METHOD", method)
	return obj.doc.Bytes(), nil
}

// unscheduled takes out of a line what is between a calendar server and its clients.
// See RFC 6638, section 7.
func unscheduled(l *line) {
	for _, p := range l.Params() {
		if name := strings.ToUpper(p.Name); strings.HasPrefix(name, "SCHEDULE-") {
			l.SetParam(p.Name)
		}
	}
}
