package calendar

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/recur"
)

// write makes the notice of a group.
func (c *changes) write(m *meeting, g *group, o translate.Options) (Notice, error) {
	doc, err := ical.Create("VEVENT", m.obj.event.c.Get("UID").Text(), o.Now)
	if err != nil {
		return Notice{}, err
	}
	cal := doc.Component("VCALENDAR")
	cal.RemoveComponent(cal.Component("VEVENT"))
	cal.Add("METHOD", g.method)
	for _, zone := range m.obj.cal.Components("VTIMEZONE") {
		cal.AddCopy(zone)
	}
	w := &noticeWriter{meeting: m, cal: cal, group: g, sequence: max(c.was.sequence(), c.is.sequence()) + 1}
	about := m.obj.event
	switch {
	case g.method == "CANCEL" && g.whole:
		w.cancel(m.base, moment{})
	case g.method == "CANCEL":
		about = w.cancelAll(g.list)
	case g.whole:
		about = w.requestWhole()
	default:
		for _, key := range g.list {
			w.request(m.parts[key].c)
		}
		about = m.parts[g.list[0]]
	}
	n := Notice{Method: g.method, Body: doc.Bytes(), From: m.organizer(), To: g.guests, Summary: about.c.Get("SUMMARY").Text()}
	n.Text = about.inWords(g)
	n.Name = n.name()
	return n, nil
}

// A noticeWriter writes the components of one notice.
type noticeWriter struct {
	*meeting
	cal      *component
	group    *group
	sequence int // of what is called off
}

// requestWhole invites to all that a guest sees of the meeting.
func (w *noticeWriter) requestWhole() *event {
	about := w.obj.event
	if w.group.view.base {
		c := w.request(w.base)
		for _, key := range w.group.view.outs {
			at, err := time.Parse("20060102T150405", key)
			if l, _ := about.exdate(at); err == nil && l == nil {
				m := about.start.At(at)
				c.Add("EXDATE", m.Value(), m.Params()...)
			}
		}
	} else if len(w.group.view.parts) > 0 {
		about = w.parts[w.group.view.parts[0]]
	}
	for _, key := range w.group.view.parts {
		w.request(w.parts[key].c)
	}
	return about
}

// private are properties of the organizer's own copy.
var private = map[string]bool{"CATEGORIES": true, "COLOR": true, "LAST-MODIFIED": true, "CREATED": true, "REQUEST-STATUS": true, "RELATED-TO": true, "TRANSP": true}

// public are the properties beside the standard's that guests get.
var public = map[string]bool{
	"X-ALT-DESC": true, "X-GOOGLE-CONFERENCE": true, "X-MICROSOFT-SKYPETEAMSMEETINGURL": true, "X-MICROSOFT-DISALLOW-COUNTER": true,
	"X-MICROSOFT-CDO-ALLDAYEVENT": true, "X-MICROSOFT-CDO-INTENDEDSTATUS": true, "X-APPLE-STRUCTURED-LOCATION": true,
}

// request copies a component without what is the organizer's alone.
func (w *noticeWriter) request(of *component) *component {
	c := w.cal.AddCopy(of)
	for _, child := range c.Components() {
		c.RemoveComponent(child) // alarms
	}
	for _, l := range c.Lines() {
		switch name := l.Name(); {
		case private[name], strings.HasPrefix(name, "X-") && !public[name]:
			c.Remove(l)
		case name == "ATTENDEE", name == "ORGANIZER":
			unscheduled(l)
		}
	}
	c.Set("DTSTAMP", translate.CompactDateTime(w.obj.o.Now))
	w.signed(c)
	return c
}

// signed names the organizer, without whom guests do not know whom to answer.
func (w *noticeWriter) signed(c *component) {
	if c.Get("ORGANIZER") == nil {
		c.Add("ORGANIZER", "mailto:"+w.organizer().Address)
	}
}

// identifying are the properties of what is called off. See RFC 5546, section
// 3.2.5.
var identifying = []string{"UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "LOCATION", "ORGANIZER"}

// cancel calls a component off, or the occurrence of it at a moment.
func (w *noticeWriter) cancel(of *component, at moment) {
	c := w.cal.AddComponent("VEVENT")
	for _, name := range identifying {
		l := of.Get(name)
		if l == nil || name == "RRULE" && !at.Wall.IsZero() {
			continue
		}
		unscheduled(c.Add(name, l.Value(), l.Params()...))
	}
	if !at.Wall.IsZero() {
		start, end := w.obj.event.occurrence(at.Wall)
		start.Put(c, "DTSTART")
		if c.Get("DTEND") != nil {
			end.Put(c, "DTEND")
		}
		at.Put(c, "RECURRENCE-ID")
	}
	c.Set("DTSTAMP", translate.CompactDateTime(w.obj.o.Now))
	c.Set("SEQUENCE", strconv.Itoa(w.sequence))
	c.Set("STATUS", "CANCELLED")
	w.signed(c)
	for _, g := range w.group.guests {
		l := c.Add("ATTENDEE", "mailto:"+g.Address)
		if g.Name != "" {
			l.SetParam("CN", g.Name)
		}
	}
}

// cancelAll calls occurrences off, and answers the first of them.
func (w *noticeWriter) cancelAll(keys []string) *event {
	about := w.obj.event
	for i, key := range keys {
		if x := w.parts[key]; x != nil {
			w.cancel(x.c, moment{})
			if i == 0 {
				about = x
			}
			continue
		}
		at, err := time.Parse("20060102T150405", key)
		if err != nil {
			continue
		}
		w.cancel(w.base, about.object.event.start.At(at))
		if i == 0 {
			x := *w.obj.event
			x.start, x.end = w.obj.event.occurrence(at)
			x.rule = series{}
			about = &x
		}
	}
	return about
}

// name tells a notice from others; time stamps do not count.
func (n *Notice) name() string {
	sum := sha256.New()
	for l := range strings.SplitSeq(string(n.Body), "\n") {
		if !strings.HasPrefix(l, "DTSTAMP") {
			fmt.Fprintln(sum, l)
		}
	}
	for _, g := range n.To {
		fmt.Fprintln(sum, strings.ToLower(g.Address))
	}
	return hex.EncodeToString(sum.Sum(nil)[:20])
}

// maxNoticeText bounds the description that stands in a notice as a text, in bytes;
// the whole of it is in the object.
const maxNoticeText = 20_000

// inWords tells people what a notice is about, whose programs do not.
func (e *event) inWords(g *group) string {
	var b strings.Builder
	say := func(what, text string) {
		if text = strings.TrimSpace(valid(text)); text != "" {
			b.WriteString(what + text + "\r\n")
		}
	}
	say("", e.c.Get("SUMMARY").Text())
	say("When: ", e.whenInWords())
	if l := e.c.Get("RRULE"); l != nil && e.rule.recurs {
		if rule, err := recur.Parse(l.Value()); err == nil {
			say("Repeats: ", rule.Words())
		}
	}
	say("Where: ", e.c.Get("LOCATION").Text())
	if n := len(g.list); n > 1 {
		say("", fmt.Sprintf("This concerns %d occurrences.", n))
	}
	if d := e.description(); g.method == "REQUEST" && strings.TrimSpace(d) != "" {
		if len(d) > maxNoticeText {
			d = strings.ToValidUTF8(d[:maxNoticeText], "") + "..."
		}
		b.WriteString("\r\n")
		say("", d)
	}
	return b.String()
}

// whenInWords is the time of an event, on the clock of its zone.
func (e *event) whenInWords() string {
	const day, clock = "Monday, 2 January 2006", "15:04"
	start, end := e.start.Wall, e.end.Wall
	if e.allDay {
		if last := end.AddDate(0, 0, -1); last.After(start) {
			return start.Format(day) + " to " + last.Format(day)
		}
		return start.Format(day)
	}
	if e.end.Form != e.start.Form || e.end.TZID != e.start.TZID {
		end = ical.Reading(e.end.Instant(e.o.Location()), e.start.Loc)
	}
	s := start.Format(day+", "+clock) + " to "
	if end.YearDay() != start.YearDay() || end.Year() != start.Year() {
		s += end.Format(day + ", ")
	}
	s += end.Format(clock)
	switch zone := e.start.Loc.String(); {
	case e.start.Form == ical.Floating:
	case e.start.Form == ical.UTC:
		s += " (UTC)"
	case zone != "":
		s += " (" + zone + ")"
	}
	return s
}
