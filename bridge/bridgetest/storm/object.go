package storm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An object is one contact, event, task or note, wherever it came from.
type object struct {
	number   int
	kind     *kind
	series   bool     // an event that recurs
	by       string   // who made it
	keep     []string // lines that nobody but the desktop touches
	sure     bool     // its maker knows that the server has it
	gone     string   // who deleted it; empty if nobody did
	perhaps  bool     // before its maker knew: the maker's next try makes it again
	base     *edition // as it was at the last rest; nil if it was made since
	editions []edition

	days map[string]string // of a series: the newest title of single occurrences, by their InstanceId
}

// An edition is what somebody made of an object. Its label is the object's
// title, so that it can be found again wherever it went.
type edition struct {
	object int
	serial int
	by     string
	start  time.Time // of an event; one of a series is its first
	done   bool      // of a task
	detail string    // a contact's number

	rebuilt bool // by a phone that rebuilds its requests
}

func (e edition) label() string { return fmt.Sprintf("o%d e%d", e.object, e.serial) }

var labels = regexp.MustCompile(`o\d+ e\d+`)

// parse finds an edition by its label, and its object.
func (w *world) parse(label string) (*object, *edition) {
	var number, serial int
	if _, err := fmt.Sscanf(label, "o%d e%d", &number, &serial); err != nil {
		return nil, nil
	}
	o := w.objects[number]
	if o == nil {
		return nil, nil
	}
	if o.base != nil && o.base.serial == serial {
		return o, o.base
	}
	for i := range o.editions {
		if o.editions[i].serial == serial {
			return o, &o.editions[i]
		}
	}
	return o, nil
}

// deleted notes that somebody deletes an object.
func (w *world) deleted(o *object, by string) {
	o.gone, o.perhaps = by, !o.sure
	w.count(func(r *Report) { r.Deletions++ })
}

// newObject is made by somebody, in its first edition.
func (w *world) newObject(k *kind, by string) (*object, edition) {
	o := &object{number: len(w.objects) + 1, kind: k, by: by}
	if k.class == eas.ClassCalendar {
		o.series = w.rng.IntN(4) == 0
	}
	w.objects[o.number] = o
	w.count(func(r *Report) { r.Objects++ })
	e := edition{object: o.number, start: w.someTime()}
	return o, w.edited(o, e, by)
}

// edited gives an edition a new label and remembers it.
func (w *world) edited(o *object, e edition, by string) edition {
	w.serial++
	e.serial, e.by, e.rebuilt = w.serial, by, false
	if o.kind.class == eas.ClassContacts {
		e.detail = fmt.Sprintf("+49 30 %06d", w.serial)
	}
	o.editions = append(o.editions, e)
	w.count(func(r *Report) { r.Edits++ })
	return e
}

// someTime is around now, and never at the edge of a filter, which is midnight.
func (w *world) someTime() time.Time {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, w.rng.IntN(60)-40)
	return day.Add(time.Duration(1+w.rng.IntN(20))*time.Hour + 15*time.Minute)
}

// length is how long every event takes.
const length = time.Hour

// A kind is a class with its collection on the server.
type kind struct {
	class      string
	collection backend.CollectionID
	extension  string
	end        string // the line before which the desktop puts its own
	title      *regexp.Regexp
	min        eas.Version
	body       func(o *object, e edition) []string // without title and end
	titles     func(e edition) []string
	sends      func(o *object, e edition) eas.Properties // what a phone sends when it makes or edits it
	more       func(o *object) eas.Properties            // what it sends beside that when it makes it
}

const form = "20060102T150405Z"

var kinds = []*kind{
	{
		class: eas.ClassContacts, collection: "contacts", extension: ".vcf", end: "END:VCARD", min: eas.V25,
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
	}, {
		class: eas.ClassCalendar, collection: "calendar", extension: ".ics", end: "END:VEVENT", min: eas.V25,
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
	}, {
		class: eas.ClassTasks, collection: "tasks", extension: ".ics", end: "END:VTODO", min: eas.V25,
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
		class: eas.ClassNotes, collection: "notes", extension: ".ics", end: "END:VJOURNAL", min: eas.V140,
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

// desktop is who edits on the server.
const desktop = "the desktop"

// desktopAdds puts a new object onto the server.
func (w *world) desktopAdds() {
	k := kinds[w.rng.IntN(len(kinds))]
	o, e := w.newObject(k, desktop)
	o.sure = true
	o.keep = []string{
		fmt.Sprintf("X-KEEP:as it is in %d", o.number),
		fmt.Sprintf("X-KEEP;X-HOW=\"a;b\":a long one of %d, %s", o.number, strings.Repeat("word ", 4)+"end"),
	}
	lines := slices.Concat(k.body(o, e), k.titles(e), o.keep, []string{k.end})
	if k.class != eas.ClassContacts {
		lines = append(lines, "END:VCALENDAR")
	}
	id := backend.ItemID(fmt.Sprintf("desk%d%s", o.number, k.extension))
	w.note("%s adds %q as %s", desktop, e.label(), id)
	w.store(k, id, lines)
}

func (w *world) store(k *kind, id backend.ItemID, lines []string) {
	if err := w.shelf.Store(k.collection, id, []byte(join(lines))); err != nil {
		w.problem("%s writes %s: %v", desktop, id, err)
	}
}

func join(lines []string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func split(body []byte) []string {
	unfolded := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n ", ""), "\r\n\t", "")
	return strings.Split(strings.TrimSuffix(unfolded, "\r\n"), "\r\n")
}

// A stored object is what the server holds.
type stored struct {
	id    backend.ItemID
	lines []string
	label string
}

// holds lists what the server holds of a kind, by label.
func (w *world) holds(k *kind) []stored {
	var list []stored
	items, err := w.shelf.Items(k.collection)
	if err != nil {
		w.problem("reading %s: %v", k.collection, err)
	}
	for id, body := range items {
		s := stored{id: id, lines: split(body)}
		for _, l := range s.lines {
			if label := labels.FindString(l); label != "" && (strings.HasPrefix(l, "FN:") || strings.HasPrefix(l, "SUMMARY")) {
				s.label = label
			}
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b stored) int { return strings.Compare(a.label, b.label) })
	return list
}

// desktopActs edits or deletes something on the server.
func (w *world) desktopActs() {
	k := kinds[w.rng.IntN(len(kinds))]
	list := w.holds(k)
	if len(list) == 0 {
		return
	}
	s := list[w.rng.IntN(len(list))]
	o, was := w.parse(s.label)
	switch n := w.rng.IntN(10); {
	case o == nil || was == nil:
		w.problem("%s holds %q as %q, which nobody made", k.collection, s.id, s.label)
	case o.gone != "" && w.weather.crowds():
		// It may be deleted at this moment, and would be written anew.
	case n < 2:
		w.note("%s deletes %q", desktop, s.label)
		w.deleted(o, desktop)
		if err := w.shelf.Remove(k.collection, s.id); err != nil {
			w.problem("%s deletes %q: %v", desktop, s.label, err)
		}
	case n < 4:
		w.deskLine(o, was, s)
	default:
		e := w.edited(o, w.turned(o, *was), desktop)
		w.note("%s makes %q of %q", desktop, e.label(), s.label)
		w.rewrite(o, s, k.title, k.titles(e))
	}
}

// turned is an edition with another time, or done, perhaps.
func (w *world) turned(o *object, e edition) edition {
	if w.rng.IntN(3) == 0 {
		switch o.kind.class {
		case eas.ClassCalendar:
			if !o.series {
				e.start = w.someTime()
			}
		case eas.ClassTasks:
			e.done = !e.done
		}
	}
	return e
}

var deskLines = regexp.MustCompile(`^X-DESK:`)

// deskLine changes what no phone sees.
func (w *world) deskLine(o *object, was *edition, s stored) {
	w.desk++
	line := fmt.Sprintf("X-DESK:%d", w.desk)
	w.note("%s writes %s into %q", desktop, line, s.label)
	o.keep = append(slices.DeleteFunc(o.keep, deskLines.MatchString), line)
	again := *was
	again.by = desktop
	o.editions = append(o.editions, again)
	w.rewrite(o, s, deskLines, []string{line})
}

// rewrite replaces lines of an object outside of what lies inside of it.
func (w *world) rewrite(o *object, s stored, old *regexp.Regexp, lines []string) {
	var out []string
	depth, zone := 0, 1
	if o.kind.class != eas.ClassContacts {
		zone = 2
	}
	skipping := ""
	for i, l := range s.lines {
		switch {
		case strings.HasPrefix(l, "BEGIN:VTIMEZONE"):
			skipping = "END:VTIMEZONE"
		case skipping == "" && l == "BEGIN:VEVENT" && isOccurrence(s.lines[i:]):
			skipping = "END:VEVENT"
			out = append(out, l)
			continue
		case skipping != "":
			if l == skipping {
				skipping = ""
			}
			out = append(out, l)
			continue
		case strings.HasPrefix(l, "BEGIN:"):
			depth++
		case l == o.kind.end:
			out = append(out, lines...)
			depth--
		case strings.HasPrefix(l, "END:"):
			depth--
		case depth == zone && old.MatchString(l):
			continue
		}
		out = append(out, l)
	}
	w.store(o.kind, s.id, out)
}

// isOccurrence tells whether the event that begins here is one of a series.
func isOccurrence(lines []string) bool {
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, "RECURRENCE-ID"):
			return true
		case l == "END:VEVENT":
			return false
		}
	}
	return false
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
