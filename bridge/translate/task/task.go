// Package task translates between iCalendar to-dos and the properties of ActiveSync's Tasks class.
//
// An object is what a CalDAV resource holds: a VTODO and whatever stands beside
// it. Only the content lines that a phone changed are touched.
package task

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

type (
	component = contentline.Component
	line      = contentline.Line
	moment    = ical.Moment
)

// A todo is the VTODO of an object.
type todo struct {
	doc   *contentline.Document
	c     *component
	zones *ical.Zones
	o     translate.Options
}

// FromICalendar tells a phone of a task. The error is translate.ErrUnreadable
// for what is no iCalendar, and translate.ErrNotShown for an object without a
// to-do.
func FromICalendar(ics []byte, o translate.Options) (eas.Properties, error) {
	t, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	return t.show(), nil
}

// Merge applies a phone's edit. See package translate for what it promises.
// The error is translate.ErrInvalid if the phone contradicts itself, or changes
// the recurrence of a task that recurs in a way that phones are not shown.
func Merge(ics []byte, sent eas.Properties, o translate.Options) ([]byte, error) {
	t, err := read(ics, o)
	if err != nil {
		return nil, err
	}
	if err := t.merge(sent); err != nil {
		return nil, err
	}
	if bytes.Equal(t.doc.Bytes(), ics) {
		return ics, nil
	}
	now := translate.CompactDateTime(o.Now)
	t.c.Set("DTSTAMP", now)
	if t.c.Get("LAST-MODIFIED") != nil {
		t.c.Set("LAST-MODIFIED", now)
	}
	return t.doc.Bytes(), nil
}

// New makes an object of what a phone created.
func New(uid string, sent eas.Properties, o translate.Options) ([]byte, error) {
	doc, err := ical.Create("VTODO", uid, o.Now)
	if err != nil {
		return nil, err
	}
	cal := doc.Component("VCALENDAR")
	c := cal.Component("VTODO")
	t := &todo{doc: doc, c: c, zones: ical.ZonesOf(cal, o.Location()), o: o}
	if err := t.merge(sent); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// Facts tells what filters need to know: whether the task is done, and when it
// was done. A task that is not done never is over. What is shown of a task is
// the same at any time.
func Facts(ics []byte, o translate.Options) (translate.Facts, error) {
	t, err := read(ics, o)
	if err != nil {
		return translate.Facts{}, err
	}
	if !t.done() {
		return translate.Facts{Ends: translate.Forever}, nil
	}
	return translate.Facts{Ends: t.completed().Unix(), Done: true}, nil
}

// UID is the identity of the to-do, or "".
func UID(ics []byte) string {
	t, err := read(ics, translate.Options{})
	if err != nil {
		return ""
	}
	return t.c.Get("UID").Text()
}

// read finds the to-do: the first one that is no override of an occurrence.
func read(ics []byte, o translate.Options) (*todo, error) {
	doc, err := contentline.Parse(ics)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", translate.ErrUnreadable, err)
	}
	var first *todo
	for _, cal := range doc.Components("VCALENDAR") {
		for _, c := range cal.Components("VTODO") {
			t := &todo{doc: doc, c: c, zones: ical.ZonesOf(cal, o.Location()), o: o}
			if c.Get("RECURRENCE-ID") == nil {
				return t, nil
			}
			if first == nil {
				first = t
			}
		}
	}
	switch {
	case first != nil:
		return first, nil
	case doc.Component("VCALENDAR") == nil:
		return nil, fmt.Errorf("%w: there is no VCALENDAR", translate.ErrUnreadable)
	}
	return nil, translate.ErrNotShown
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{translate.ErrInvalid}, args...)...)
}

// whole tells whether a phone sent a task as a whole. In a Change without a
// subject nothing that is absent was meant to be removed: ticking a task off
// sends little more than Complete.
func whole(sent eas.Properties) bool {
	_, ok := sent.Find(tag.TasksSubject)
	return ok
}

// merge applies an edit.
func (t *todo) merge(sent eas.Properties) error {
	_, alarm, _ := t.alarm() // as the phone was shown it: it may move with the dates
	if err := t.mergeDates(sent); err != nil {
		return err
	}
	if err := t.mergeRecurrence(sent); err != nil {
		return err
	}
	if err := t.mergeComplete(sent); err != nil {
		return err
	}
	if err := t.mergeFields(sent); err != nil {
		return err
	}
	if err := t.mergeReminder(sent, alarm); err != nil {
		return err
	}
	_, err := translate.MergeDescription(t.c, sent, t.o, oldBody)
	return err
}

var oldBody = translate.BodyTags{Body: tag.TasksBody, Size: tag.TasksBodySize, Truncated: tag.TasksBodyTruncated, RTF: tag.TasksCompressedRTF}

// show lists what a phone is told of the task.
func (t *todo) show() eas.Properties {
	var ps eas.Properties
	for _, f := range fields {
		if el, ok := f.show(t); ok {
			ps = append(ps, el)
		}
	}
	ps = translate.AppendList(ps, tag.TasksCategories, tag.TasksCategory, t.c.List("CATEGORIES"))
	ps = append(ps, t.dates()...)
	if el, ok := t.recurrence(); ok {
		ps = append(ps, el)
	}
	if t.done() {
		ps = append(ps, eas.T(tag.TasksComplete, "1"), eas.T(tag.TasksDateCompleted, translate.DateTime(t.completed())))
	} else {
		ps = append(ps, eas.T(tag.TasksComplete, "0"))
	}
	ps = append(ps, t.reminder()...)
	return translate.AppendDescription(ps, t.c, t.o, oldBody)
}

// setText sets a property, or removes it if the text is empty.
func (t *todo) setText(name, s string) {
	if s = tidy(s); s == "" {
		t.c.RemoveAll(name)
		return
	}
	t.c.SetText(name, s)
}

func tidy(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// done tells whether the task is completed, in any of the three ways to say so.
func (t *todo) done() bool {
	switch strings.ToUpper(strings.TrimSpace(t.c.Get("STATUS").Value())) {
	case "COMPLETED":
		return true
	case "NEEDS-ACTION", "IN-PROCESS", "CANCELLED":
		return false
	}
	return t.c.Get("COMPLETED") != nil || strings.TrimSpace(t.c.Get("PERCENT-COMPLETE").Value()) == "100"
}

// completed is when the task was done, or the best guess at it.
func (t *todo) completed() time.Time {
	for _, name := range []string{"COMPLETED", "LAST-MODIFIED", "DTSTAMP", "CREATED"} {
		if m, ok := t.zones.Moment(t.c.Get(name)); ok {
			return m.Instant(t.o.Location())
		}
	}
	return time.Unix(0, 0)
}

// mergeComplete applies Complete and DateCompleted. A date of completion alone
// says nothing.
func (t *todo) mergeComplete(sent eas.Properties) error {
	text, ok := sent.Text(tag.TasksComplete)
	if text = strings.TrimSpace(text); !ok || text == "" {
		return nil
	}
	if text != "0" && text != "1" {
		return invalid("Complete is %.10q", text)
	}
	if text == "0" {
		if t.done() {
			t.c.RemoveAll("COMPLETED")
			t.c.RemoveAll("PERCENT-COMPLETE")
			t.c.Set("STATUS", "NEEDS-ACTION")
		}
		return nil
	}
	at, ok, err := sentTime(sent, tag.TasksDateCompleted)
	if err != nil {
		return err
	}
	if t.done() && (!ok || at.Truncate(time.Minute).Equal(t.completed().Truncate(time.Minute))) {
		return nil
	}
	if !ok {
		at = t.o.Now
	}
	if !t.done() {
		t.c.Set("STATUS", "COMPLETED")
		t.c.Set("PERCENT-COMPLETE", "100")
	}
	// COMPLETED is always in UTC. See RFC 5545, section 3.8.2.1.
	moment{Form: ical.UTC, Loc: time.UTC}.When(at).Put(t.c, "COMPLETED")
	return nil
}
