package calendar

import (
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// maxReminder bounds Reminder, in minutes: a year before.
const maxReminder = 366 * 24 * 60

// alarm finds the alarm that is the phone's reminder: the first one that
// shows or plays something a number of minutes before the start. Others, mails
// and procedures above all, are not the phone's business.
func (e *event) alarm() (c *component, minutes int, ok bool) {
	for _, c := range e.c.Components("VALARM") {
		switch strings.ToUpper(c.Get("ACTION").Value()) {
		case "DISPLAY", "AUDIO":
		default:
			continue
		}
		if c.Get("RELATED-TO") != nil {
			continue // somebody pressed snooze: RFC 9074, section 7.3
		}
		if minutes, ok := e.before(c.Get("TRIGGER")); ok {
			return c, minutes, true
		}
	}
	return nil, 0, false
}

// before is how many minutes before the start a TRIGGER is.
func (e *event) before(l *line) (int, bool) {
	var ahead time.Duration
	if days, rest, ok := ical.ParseDuration(l.Value()); ok {
		ahead = -time.Duration(days)*24*time.Hour - rest
		if strings.EqualFold(l.Param("RELATED"), "END") {
			ahead -= e.end.Instant(e.o.Location()).Sub(e.start.Instant(e.o.Location()))
		}
	} else if m, ok := e.zones.Moment(l); ok && m.Form != ical.Date && !e.rule.recurs {
		ahead = e.start.Instant(e.o.Location()).Sub(m.Instant(time.UTC))
	} else {
		return 0, false
	}
	minutes := int(ahead / time.Minute)
	return minutes, ahead >= 0 && minutes <= maxReminder
}

func showReminder(e *event) (eas.Element, bool) {
	_, minutes, ok := e.alarm()
	return eas.T(tag.CalendarReminder, strconv.Itoa(minutes)), ok
}

// mergeReminder moves, adds or removes the one alarm that a phone knows.
func mergeReminder(e *event, el eas.Element) error {
	minutes, err := sentNumber(el, maxReminder)
	if err != nil {
		return err
	}
	c, _, ok := e.alarm()
	switch {
	case minutes < 0 && ok:
		e.c.RemoveComponent(c)
		return nil
	case minutes < 0:
		return nil
	case !ok:
		c = e.c.AddComponent("VALARM")
		c.Add("ACTION", "DISPLAY")
		summary := e.c.Get("SUMMARY").Text()
		if summary == "" {
			summary = "Reminder"
		}
		c.AddText("DESCRIPTION", summary)
	}
	setTrigger(c, minutes)
	return nil
}

// setTrigger has an alarm go off so many minutes before the start.
func setTrigger(c *component, minutes int) {
	trigger := "-" + ical.FormatDuration(time.Duration(minutes)*time.Minute)
	if minutes == 0 {
		trigger = "PT0S"
	}
	l := c.Set("TRIGGER", trigger)
	for _, p := range []string{"VALUE", "RELATED"} {
		if l.HasParam(p) {
			l.SetParam(p)
		}
	}
}

// keepReminder changes the times of an event and leaves the phone's reminder at as
// many minutes before the start as the phone shows. An alarm at a time of its own,
// or before the end, would be another one then, or none.
func (e *event) keepReminder(change func()) {
	c, minutes, ok := e.alarm()
	change()
	if !ok {
		return
	}
	if now, ok := e.before(c.Get("TRIGGER")); !ok || now != minutes {
		setTrigger(c, minutes)
	}
}
