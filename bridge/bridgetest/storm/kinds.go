package storm

import (
	"fmt"
	"regexp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A kind is a class with what its objects look like, here and there.
type kind struct {
	class     string
	kind      backend.CollectionKind
	extension string
	end       string // the line before which the desktop puts its own
	title     *regexp.Regexp
	min       eas.Version
	body      func(o *object, e edition) []string // without title and end
	titles    func(e edition) []string
	sends     func(o *object, e edition) eas.Properties // what a phone sends when it makes or edits it
	more      func(o *object) eas.Properties            // what it sends beside that when it makes it
	side      *side                                     // nil if the storm knows none
}

// A side is a property that has nothing to do with the title: who edits it
// gets into nobody's way.
type side struct {
	name  string // of the content line
	lines *regexp.Regexp
	send  func(v eas.Version, text string) eas.Element
	read  func(p eas.Properties) string
}

const form = "20060102T150405Z"

var kinds = []*kind{
	{
		class: eas.ClassContacts, kind: backend.Contacts, extension: ".vcf", end: "END:VCARD", min: eas.V25,
		title: regexp.MustCompile(`^(FN|N|TEL)[:;]`),
		titles: func(e edition) []string {
			return []string{"FN:" + e.label(), "N:" + e.label() + ";;;;", "TEL;TYPE=CELL:" + e.detail}
		},
		body: func(o *object, e edition) []string {
			return []string{"BEGIN:VCARD", "VERSION:3.0", fmt.Sprintf("UID:desk%d", o.number)}
		},
		sends: func(o *object, e edition) eas.Properties {
			return eas.Properties{eas.T(tag.ContactsLastName, e.label()), eas.T(tag.ContactsFileAs, e.label()), eas.T(tag.ContactsMobilePhoneNumber, e.detail)}
		},
		side: &side{
			name: "ORG", lines: regexp.MustCompile(`^ORG[:;]`),
			send: func(_ eas.Version, text string) eas.Element { return eas.T(tag.ContactsCompanyName, text) },
			read: func(p eas.Properties) string { return textOf(p, tag.ContactsCompanyName) },
		},
	}, {
		class: eas.ClassCalendar, kind: backend.Events, extension: ".ics", end: "END:VEVENT", min: eas.V25,
		title: regexp.MustCompile(`^(SUMMARY|DTSTART|DTEND|DURATION)[:;]`),
		titles: func(e edition) []string {
			return []string{"SUMMARY:" + e.label(), "DTSTART:" + e.start.Format(form), "DTEND:" + e.start.Add(length).Format(form)}
		},
		body: func(o *object, e edition) []string {
			lines := calendar("VEVENT", o)
			if o.series {
				lines = append(lines, "RRULE:FREQ=DAILY;INTERVAL=3")
			}
			return append(lines, "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:soon", "END:VALARM")
		},
		sends: func(o *object, e edition) eas.Properties {
			return eas.Properties{eas.T(tag.CalendarSubject, e.label()),
				eas.T(tag.CalendarStartTime, e.start.Format(form)), eas.T(tag.CalendarEndTime, e.start.Add(length).Format(form))}
		},
		more: func(o *object) eas.Properties {
			p := eas.Properties{eas.T(tag.CalendarAllDayEvent, "0"), eas.T(tag.CalendarBusyStatus, "2")}
			if o.series {
				p = append(p, eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "0"), eas.T(tag.CalendarInterval, "3")))
			}
			return p
		},
		side: &side{name: "LOCATION", lines: regexp.MustCompile(`^LOCATION[:;]`), send: sendLocation, read: readLocation},
	}, {
		class: eas.ClassTasks, kind: backend.Tasks, extension: ".ics", end: "END:VTODO", min: eas.V25,
		title: regexp.MustCompile(`^(SUMMARY|STATUS|COMPLETED|PERCENT-COMPLETE)[:;]`),
		titles: func(e edition) []string {
			lines := []string{"SUMMARY:" + e.label()}
			if e.done {
				lines = append(lines, "STATUS:COMPLETED", "COMPLETED:20260101T000000Z")
			}
			return lines
		},
		body: func(o *object, e edition) []string { return calendar("VTODO", o) },
		sends: func(o *object, e edition) eas.Properties {
			p := eas.Properties{eas.T(tag.TasksSubject, e.label()), eas.T(tag.TasksComplete, "0")}
			if e.done {
				p[1].Text = "1"
				p = append(p, eas.T(tag.TasksDateCompleted, "2026-01-01T00:00:00.000Z"))
			}
			return p
		},
	}, {
		class: eas.ClassNotes, kind: backend.Notes, extension: ".ics", end: "END:VJOURNAL", min: eas.V140,
		title:  regexp.MustCompile(`^(SUMMARY)[:;]`),
		titles: func(e edition) []string { return []string{"SUMMARY:" + e.label()} },
		body: func(o *object, e edition) []string {
			return append(calendar("VJOURNAL", o), "DESCRIPTION:What is to be noted")
		},
		sends: func(o *object, e edition) eas.Properties {
			return eas.Properties{eas.T(tag.NotesSubject, e.label()), eas.T(tag.NotesMessageClass, "IPM.StickyNote")}
		},
	},
}

func calendar(component string, o *object) []string {
	return []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//pushbridge//storm//EN", "BEGIN:" + component,
		fmt.Sprintf("UID:desk%d", o.number), "DTSTAMP:20260101T000000Z"}
}

// sendLocation is a location as a version says it. See [MS-ASCAL] "Location":
// from 16.0 on it is [MS-ASAIRS] "Location".
func sendLocation(v eas.Version, text string) eas.Element {
	if v >= eas.V160 {
		return eas.C(tag.AirSyncBaseLocation, eas.T(tag.AirSyncBaseDisplayName, text))
	}
	return eas.T(tag.CalendarLocation, text)
}

func readLocation(p eas.Properties) string {
	if e, ok := p.Find(tag.AirSyncBaseLocation); ok {
		return textOf(e.Children, tag.AirSyncBaseDisplayName)
	}
	return textOf(p, tag.CalendarLocation)
}

func textOf(p eas.Properties, t wbxml.Tag) string {
	text, _ := p.Text(t)
	return text
}

// detail is the property of a phone's item that an edition sets beside the
// title, and what it is to be.
func (o *object) detail(e *edition) (wbxml.Tag, string) {
	switch o.kind.class {
	case eas.ClassContacts:
		return tag.ContactsMobilePhoneNumber, e.detail
	case eas.ClassCalendar:
		return tag.CalendarStartTime, e.start.Format(form)
	case eas.ClassTasks:
		if e.done {
			return tag.TasksComplete, "1"
		}
		return tag.TasksComplete, "0"
	}
	return tag.NotesMessageClass, "IPM.StickyNote"
}
