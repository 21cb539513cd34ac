package translate_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A checker holds what a phone of a version is shown against the tables.
type checker struct {
	class  fidelity.Class
	v      eas.Version
	faults map[string]bool
}

func (c *checker) fault(format string, args ...any) {
	c.faults[fmt.Sprintf(format, args...)] = true
}

// siblings checks the children of one element, or the properties of an item.
func (c *checker) siblings(of string, list []eas.Element) {
	seen := map[wbxml.Tag]bool{}
	for _, e := range list {
		name, r := of+tag.Name(e.Tag), rules[e.Tag]
		if seen[e.Tag] && !r.many {
			c.fault("%s stands twice", name)
		}
		seen[e.Tag] = true
		if !slices.ContainsFunc(c.class.Rows, func(row fidelity.Row) bool {
			return row.Tag == e.Tag && row.In(c.v) && (row.Way == fidelity.Both || row.Way == fidelity.Shown)
		}) {
			c.fault("%s is not told in this version", name)
		}
		switch {
		case r.children && e.Content() != "", !r.children && len(e.Children) > 0 && r.value != nil:
			c.fault("%s has both content and elements, or the wrong one", name)
		case r.most > 0 && len(e.Children) > r.most:
			c.fault("%s has %d elements, at most %d are allowed", name, len(e.Children), r.most)
		case r.value != nil && e.Content() == "" && strings.HasPrefix(of, "Calendar:Exception"):
			// The occurrence lacks what the series has.
		case r.value != nil:
			if wrong := r.value(e.Content(), c.v); wrong != "" {
				c.fault("%s = %.40q: %s", name, e.Content(), wrong)
			}
		}
		for _, t := range needs[e.Tag] {
			if _, ok := eas.Properties(e.Children).Find(t); !ok {
				c.fault("%s lacks %s", name, tag.Name(t))
			}
		}
		if r, ok := recurrences[e.Tag]; ok {
			c.recurrence(name, r, e.Children)
		}
		c.siblings(tag.Name(e.Tag)+">", e.Children)
	}
}

func (c *checker) recurrence(name string, r recurring, list eas.Properties) {
	typ, _ := list.Text(r.typ)
	has, lacks := r.parts(typ)
	for _, t := range has {
		if _, ok := list.Find(t); !ok {
			c.fault("%s of type %s lacks %s", name, typ, tag.Name(t))
		}
	}
	for _, t := range lacks {
		if _, ok := list.Find(t); ok {
			c.fault("%s of type %s has %s", name, typ, tag.Name(t))
		}
	}
	_, until := list.Find(r.until)
	if _, occurrences := list.Find(r.occurrences); until && occurrences {
		c.fault("%s has both ends", name)
	}
}

// item checks what concerns several properties.
func (c *checker) item(p eas.Properties) {
	c.siblings("", p)
	start, _ := p.Text(tag.CalendarStartTime)
	end, _ := p.Text(tag.CalendarEndTime)
	if end < start {
		c.fault("an event ends before it starts")
	}
	allDay, _ := p.Text(tag.CalendarAllDayEvent)
	if _, zoned := p.Find(tag.CalendarTimezone); c.v >= eas.V160 && allDay == "1" && zoned {
		c.fault("an all-day event of 16.x has a zone")
	}
	exceptions, _ := p.Find(tag.CalendarExceptions)
	if _, recurs := p.Find(tag.CalendarRecurrence); len(exceptions.Children) > 0 && !recurs {
		c.fault("exceptions to what does not recur")
	}
	key := tag.CalendarExceptionStartTime
	if c.v >= eas.V160 {
		key = tag.AirSyncBaseInstanceId
	}
	named := map[string]bool{}
	for _, x := range exceptions.Children {
		at, ok := eas.Properties(x.Children).Text(key)
		if !ok || named[at] {
			c.fault("an exception without an occurrence of its own")
		}
		named[at] = true
	}
	complete, _ := p.Text(tag.TasksComplete)
	if _, ok := p.Find(tag.TasksDateCompleted); c.class.Name == "Tasks" && ok != (complete == "1") {
		c.fault("Complete and DateCompleted contradict each other")
	}
	for _, pair := range [][2]wbxml.Tag{{tag.TasksStartDate, tag.TasksUtcStartDate}, {tag.TasksDueDate, tag.TasksUtcDueDate}} {
		_, local := p.Find(pair[0])
		if _, utc := p.Find(pair[1]); local != utc {
			c.fault("%s without its other half", tag.Name(pair[0]))
		}
	}
	_, due := p.Find(tag.TasksDueDate)
	if _, starts := p.Find(tag.TasksStartDate); starts && !due {
		c.fault("a task that starts and is never due")
	}
}

// oddEvents have in every place what events have nowhere else.
func oddEvents() map[string][]byte {
	event := func(lines ...string) []byte {
		return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:" + strings.Repeat("u", 400) + "\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	}
	many := func(line string, n int) string { return strings.TrimSuffix(strings.Repeat(line+"\r\n", n), "\r\n") }
	all := map[string][]byte{
		"5,000 guests":    event("DTSTART:20260101T100000Z", "ORGANIZER:mailto:a@example.org", many("ATTENDEE;PARTSTAT=ODD;CUTYPE=ROOM:mailto:b@example.org", 5000)),
		"1,000 labels":    event("DTSTART:20260101T100000Z", "CATEGORIES:"+strings.Repeat("x,", 1000)+"y"),
		"500 exceptions":  event("DTSTART:20260101T100000Z", "RRULE:FREQ=DAILY", "EXDATE:"+strings.Repeat("20260102T100000Z,", 500)+"20260103T100000Z"),
		"it ends first":   event("DTSTART:20260102T100000Z", "DTEND:20260101T100000Z"),
		"no times of day": event("DTSTART;VALUE=DATE:20260102", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20260103"),
		"late alarms":     event("DTSTART:20260102T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:PT15M", "END:VALARM"),
		"the end of time": event("DTSTART:20260102T100000Z", "RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z"),
		"1,200 times":     event("DTSTART:20260102T100000Z", "RRULE:FREQ=DAILY;COUNT=1200"),
		"every 1,000th":   event("DTSTART:20260102T100000Z", "RRULE:FREQ=DAILY;INTERVAL=1000"),
	}
	for name, value := range oddValues {
		all[name] = event("DTSTART:20260101T100000Z", "SUMMARY:"+value, "LOCATION:"+value, "CLASS:"+value, "STATUS:"+value, "TRANSP:"+value, "DESCRIPTION:"+value,
			"RRULE:FREQ="+value, "ORGANIZER;CN="+value+":"+value, "ATTENDEE;PARTSTAT="+value+";CN="+value+":mailto:"+value, "CATEGORIES:"+value, "URL:"+value, "GEO:"+value)
	}
	for i, rule := range []string{"DAILY", "WEEKLY;BYDAY=MO,TU;WKST=SU", "MONTHLY;BYMONTHDAY=-1", "MONTHLY;BYDAY=-1FR", "YEARLY;BYMONTH=2;BYMONTHDAY=29", "YEARLY;BYMONTH=3;BYDAY=2SU",
		"DAILY;BYDAY=MO,TU,WE,TH,FR", "MONTHLY;BYMONTHDAY=15,-1", "HOURLY", "DAILY;BYHOUR=6,14"} {
		for _, end := range []string{"", ";COUNT=7", ";UNTIL=20270101T000000Z"} {
			all[fmt.Sprint("rule ", i, end)] = event("DTSTART:20260227T100000Z", "RRULE:FREQ="+rule+end)
		}
	}
	return all
}

// TestWhatIsShownKeepsTheTables holds every object that there is, shown to a
// phone of every version, against tables of our own: which elements a version
// has, how often they stand, and what may be in them. The schemas of answers know
// no versions and few ranges.
func TestWhatIsShownKeepsTheTables(t *testing.T) {
	berlin, _ := tz.Location("Europe/Berlin")
	for _, k := range []struct {
		sheet            fidelity.Class
		files, component string
		show             func([]byte, translate.Options) (eas.Properties, error)
		own              map[string][]byte
	}{
		{contact.Sheet(), "vcf", "VCARD", contact.FromVCard, nil},
		{calendar.Sheet(), "ics", "VEVENT", calendar.FromICalendar, oddEvents()},
		{task.Sheet(), "ics", "VTODO", task.FromICalendar, nil},
		{note.Sheet(), "ics", "VJOURNAL", note.FromICalendar, nil},
	} {
		t.Run(k.sheet.Name, func(t *testing.T) {
			t.Parallel()
			objects := k.own
			if objects == nil {
				objects = map[string][]byte{}
				for name, value := range oddValues {
					objects[name] = objectsWith(value)[strings.ToLower(k.sheet.Name)]
				}
			}
			if os.Getenv(translatetest.CorpusVariable) != "" {
				for _, o := range translatetest.Objects(t, k.files, k.component) {
					objects[o.Name] = o.Body
				}
			}
			shown := 0
			for name, object := range objects {
				for _, v := range eas.Versions {
					for _, body := range []translate.Body{{}, {Type: translate.HTML, Truncate: 100, Preview: 255}} {
						o := translate.Options{Version: v, Zone: berlin, Self: []string{"a@example.org"}, Item: "5:1", Body: body, Now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
						p, err := k.show(object, o)
						if errors.Is(err, translate.ErrUnreadable) || errors.Is(err, translate.ErrNotShown) {
							continue
						}
						if err != nil {
							t.Fatalf("%s to %v: %v", name, v, err)
						}
						shown++
						c := checker{k.sheet, v, map[string]bool{}}
						c.item(p)
						for f := range c.faults {
							t.Errorf("%s to %v: %s", name, v, f)
						}
					}
				}
			}
			if shown == 0 {
				t.Error("nothing is shown")
			}
		})
	}
}
