package calendar

import (
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// Where the calendar server mails by itself, each guest's line says by its
// SCHEDULE-AGENT who mails what becomes of the meeting, and ORGANIZER's who mails
// the person's own answer. Once a server mailed an invitation it goes on: to name
// another sender then has it mail that the meeting is off. See RFC 6638, sections
// 3.2.1.2 and 7.1.

// phoneMails tells whether the phone itself mails what becomes of meetings: up to
// 14.1 it does, if its mail goes out here.
func (obj *object) phoneMails() bool { return !obj.plainDates() && !obj.o.Mailless }

// agent is who is to mail to the person of an ATTENDEE or ORGANIZER line.
func agent(l *line) string {
	if a := strings.ToUpper(strings.TrimSpace(l.Param("SCHEDULE-AGENT"))); a == "CLIENT" || a == "NONE" {
		return a
	}
	return "SERVER" // see RFC 6638, section 7.1
}

// told tells whether a guest is told of what becomes of the meeting by mail: the
// person, whom the server knows, and those without an address are not.
func (obj *object) told(l *line) bool { return address(l) != "" && !obj.self(l) }

// storeMails tells whether a scheduling server mails what becomes of the meeting
// to any of its guests.
func (obj *object) storeMails() bool {
	return slices.ContainsFunc(obj.components(), func(c *component) bool {
		return c != nil && slices.ContainsFunc(c.All("ATTENDEE"), func(l *line) bool { return obj.told(l) && agent(l) == "SERVER" })
	})
}

// nameSender makes sure that a server which mails to some guests of the person's
// own meeting, or to whom it is left because the phone does not mail, mails to all
// of them.
func (obj *object) nameSender(c *component) {
	if organizer := c.Get("ORGANIZER"); !obj.o.Schedules || organizer != nil && !obj.self(organizer) {
		return
	}
	if obj.phoneMails() && !obj.storeMails() {
		return
	}
	for _, l := range c.All("ATTENDEE") {
		if obj.told(l) && agent(l) == "CLIENT" {
			l.SetParam("SCHEDULE-AGENT")
		}
	}
}

// StoreMails tells whether a scheduling server mails what becomes of an event: to
// the guests of the person's own meeting, or the person's answer to its organizer.
// The UID is what a phone that mails the same itself calls it.
func StoreMails(ics []byte, o translate.Options) (uid string, yes bool) {
	obj, err := read(ics, o)
	if err != nil || !o.Schedules {
		return "", false
	}
	e := obj.event
	uid = e.c.Get("UID").Text()
	if e.organizes() {
		return uid, obj.storeMails()
	}
	return uid, e.own() != nil && agent(e.c.Get("ORGANIZER")) == "SERVER"
}

// StoreInvites tells whether an event is the person's own meeting, to whose guests a
// scheduling server mails what becomes of it; the UID is as of StoreMails.
func StoreInvites(ics []byte, o translate.Options) (uid string, yes bool) {
	obj, err := read(ics, o)
	if err != nil || !o.Schedules || !obj.event.organizes() {
		return "", false
	}
	return obj.event.c.Get("UID").Text(), obj.storeMails()
}
