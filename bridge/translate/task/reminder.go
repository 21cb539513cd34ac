package task

import (
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// alarm finds the alarm that is the phone's reminder: the first one that shows
// or plays something. Others are not the phone's business.
func (t *todo) alarm() (c *component, at time.Time, ok bool) {
	for _, c := range t.c.Components("VALARM") {
		switch strings.ToUpper(c.Get("ACTION").Value()) {
		case "DISPLAY", "AUDIO":
		default:
			continue
		}
		if c.Get("RELATED-TO") != nil {
			continue // somebody pressed snooze: RFC 9074, section 7.3
		}
		if at, ok := t.goesOff(c.Get("TRIGGER")); ok {
			return c, at, true
		}
	}
	return nil, time.Time{}, false
}

// goesOff is when a TRIGGER does.
func (t *todo) goesOff(l *line) (time.Time, bool) {
	days, rest, ok := ical.ParseDuration(l.Value())
	if !ok {
		m, ok := t.zones.Moment(l)
		return m.Instant(t.o.Location()), ok && m.Form != ical.Date
	}
	base, ok := t.start()
	if !ok || strings.EqualFold(l.Param("RELATED"), "END") {
		base, ok = t.due()
	}
	if !ok {
		return time.Time{}, false
	}
	return base.At(base.Wall.AddDate(0, 0, days)).Instant(t.o.Location()).Add(rest), true
}

// reminder tells ReminderSet and ReminderTime. See [MS-ASTASK] "ReminderSet".
func (t *todo) reminder() eas.Properties {
	_, at, ok := t.alarm()
	if !ok {
		return eas.Properties{eas.T(tag.TasksReminderSet, "0")}
	}
	return eas.Properties{eas.T(tag.TasksReminderTime, translate.DateTime(at)), eas.T(tag.TasksReminderSet, "1")}
}

// mergeReminder moves, adds or removes the one alarm that a phone knows; shown
// is when the phone was told that it goes off.
func (t *todo) mergeReminder(sent eas.Properties, shown time.Time) error {
	set, ok := sent.Text(tag.TasksReminderSet)
	at, hasTime, err := sentTime(sent, tag.TasksReminderTime)
	if err != nil {
		return err
	}
	c, _, has := t.alarm()
	switch set = strings.TrimSpace(set); {
	case set != "" && set != "0" && set != "1":
		return invalid("ReminderSet is %.10q", set)
	case ok && set == "0":
		if has {
			t.c.RemoveComponent(c)
		}
		return nil
	case !hasTime || set == "" && !has:
		return nil
	case has && at.Truncate(time.Minute).Equal(shown.Truncate(time.Minute)):
		return nil
	case !has:
		c = t.c.AddComponent("VALARM")
		c.Add("ACTION", "DISPLAY")
		summary := t.c.Get("SUMMARY").Text()
		if summary == "" {
			summary = "Reminder"
		}
		c.AddText("DESCRIPTION", summary)
	}
	// A trigger in absolute time is in UTC. See RFC 5545, section 3.8.6.3.
	l := c.Set("TRIGGER", translate.CompactDateTime(at))
	l.SetParam("RELATED")
	l.SetParam("VALUE", "DATE-TIME")
	return nil
}
