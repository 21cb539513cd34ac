// Package note translates between iCalendar's VJOURNAL and the properties of ActiveSync's Notes class.
//
// Notes came with version 14.0; phones that speak an older one are shown none.
// See [MS-ASNOTE], and RFC 5545, section 3.6.3.
package note

import (
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
)

// messageClass is what every note has. See [MS-ASNOTE] "MessageClass".
const messageClass = "IPM.StickyNote"

// dateTime is iCalendar's form of a point in time in UTC. See RFC 5545,
// section 3.3.5.
const dateTime = "20060102T150405Z"

// noBodyTags: version 2.5, which had bodies of its own, has no notes.
var noBodyTags translate.BodyTags

// FromICalendar answers what a phone is shown of a note. The error is
// translate.ErrUnreadable for what is no iCalendar object, and
// translate.ErrNotShown for one without a VJOURNAL and for phones below 14.0.
func FromICalendar(object []byte, o translate.Options) (eas.Properties, error) {
	_, journal, err := open(object)
	if err != nil {
		return nil, err
	}
	if o.ProtocolVersion() < eas.V140 {
		return nil, fmt.Errorf("note: %w: version %v has no notes", translate.ErrNotShown, o.ProtocolVersion())
	}
	ps := eas.Properties{
		eas.T(tag.NotesSubject, subject(journal)),
		eas.T(tag.NotesMessageClass, messageClass),
	}
	if at, ok := modified(journal); ok {
		ps = append(ps, eas.T(tag.NotesLastModifiedDate, translate.CompactDateTime(at)))
	}
	ps = translate.AppendList(ps, tag.NotesCategories, tag.NotesCategory, journal.List("CATEGORIES"))
	return translate.AppendDescription(ps, journal, o, noBodyTags), nil
}

// Merge answers the note with a phone's edit in it: of the properties that the
// phone changed against what FromICalendar shows the lines are changed, and
// the time stamps; everything else stays byte for byte. LastModifiedDate and
// MessageClass are not taken from phones. The errors are those of
// FromICalendar, and translate.ErrInvalid.
func Merge(object []byte, sent eas.Properties, o translate.Options) ([]byte, error) {
	d, journal, err := open(object)
	if err != nil {
		return nil, err
	}
	changed, err := merge(journal, sent, o)
	if err != nil {
		return nil, err
	}
	if !changed {
		return object, nil
	}
	if stamp := journal.Get("DTSTAMP"); stamp != nil {
		stamp.SetValue(o.Now.UTC().Format(dateTime))
	}
	journal.Set("LAST-MODIFIED", o.Now.UTC().Format(dateTime))
	return d.Bytes(), nil
}

// New makes an object of a phone's new note. It has no DTSTART: with one it
// would be a day's journal. The error is translate.ErrInvalid.
func New(uid string, sent eas.Properties, o translate.Options) ([]byte, error) {
	d, err := ical.Create("VJOURNAL", uid, o.Now)
	if err != nil {
		return nil, err
	}
	journal := d.Component("VCALENDAR").Component("VJOURNAL")
	journal.Add("LAST-MODIFIED", o.Now.UTC().Format(dateTime))
	if _, err := merge(journal, sent, o); err != nil {
		return nil, err
	}
	return d.Bytes(), nil
}

// open finds the note in an object: the VJOURNAL that is no exception to a
// recurring one.
func open(object []byte) (*contentline.Document, *contentline.Component, error) {
	d, err := contentline.Parse(object)
	if err != nil {
		return nil, nil, fmt.Errorf("note: %w: %w", translate.ErrUnreadable, err)
	}
	calendars := d.Components("VCALENDAR")
	if len(calendars) == 0 {
		return nil, nil, fmt.Errorf("note: %w: there is no VCALENDAR in it", translate.ErrUnreadable)
	}
	var first *contentline.Component
	for _, calendar := range calendars {
		for _, j := range calendar.Components("VJOURNAL") {
			if j.Get("RECURRENCE-ID") == nil {
				return d, j, nil
			}
			if first == nil {
				first = j
			}
		}
	}
	if first != nil {
		return d, first, nil
	}
	return nil, nil, fmt.Errorf("note: %w: there is no VJOURNAL in it", translate.ErrNotShown)
}

// maxSubject is the length in bytes of the subject that a phone is shown.
const maxSubject = 1 << 10

// subject is the note's SUMMARY, or its first line, as Exchange does it: the
// list of notes on a phone has nothing else to show.
func subject(journal *contentline.Component) string {
	text := journal.Get("SUMMARY").Text()
	if strings.TrimSpace(text) == "" {
		text = journal.Get("DESCRIPTION").Text()
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(translate.Truncate(text, maxSubject))
}

// modified is when the note last changed.
func modified(journal *contentline.Component) (time.Time, bool) {
	for _, name := range []string{"LAST-MODIFIED", "DTSTAMP", "CREATED"} {
		if at, err := time.Parse(dateTime, strings.TrimSpace(journal.Get(name).Value())); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func merge(journal *contentline.Component, sent eas.Properties, o translate.Options) (changed bool, err error) {
	if err := checkClass(sent); err != nil {
		return false, err
	}
	changed = mergeSubject(journal, sent, o) // first, for it is compared with the old text
	described, err := translate.MergeDescription(journal, sent, o, noBodyTags)
	if err != nil {
		return false, fmt.Errorf("note: %w", err)
	}
	want, listed, err := translate.MergeList(journal.List("CATEGORIES"), sent, tag.NotesCategories, tag.NotesCategory, o)
	if err != nil {
		return false, fmt.Errorf("note: categories: %w", err)
	}
	if listed {
		journal.SetList("CATEGORIES", want)
	}
	return changed || described || listed, nil
}

// checkClass refuses what says that it is something else than a note. See
// [MS-ASNOTE] "MessageClass".
func checkClass(sent eas.Properties) error {
	text, ok := sent.Text(tag.NotesMessageClass)
	text = strings.TrimSpace(text)
	if rest, note := cutPrefixFold(text, messageClass); !ok || text == "" || note && (rest == "" || rest[0] == '.') {
		return nil
	}
	return fmt.Errorf("note: %w: the message class %.40q is none of notes", translate.ErrInvalid, text)
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func mergeSubject(journal *contentline.Component, sent eas.Properties, o translate.Options) bool {
	text, ok := sent.Text(tag.NotesSubject)
	text = strings.TrimSpace(text)
	shown := subject(journal)
	if !ok && (o.Absent(tag.NotesSubject) || journal.Get("SUMMARY") == nil) || text == shown {
		return false
	}
	setText(journal, "SUMMARY", text)
	return true
}

func setText(journal *contentline.Component, name, text string) {
	if text != "" {
		journal.SetText(name, text)
	} else if l := journal.Get(name); l != nil {
		journal.Remove(l)
	}
}
