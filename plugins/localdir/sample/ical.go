package sample

import (
	"fmt"
	"strings"
	"time"
)

// eventFiles writes an object for each event.
func eventFiles(now time.Time) []file {
	var files []file
	for i, e := range events {
		uid := fmt.Sprintf("sample-event-%02d", i+1)
		files = append(files, file{path: e.calendar + "/" + uid + ".ics", text: e.object(uid, now)})
	}
	return files
}

func (e event) object(uid string, now time.Time) string {
	if e.zone == "" {
		e.zone = "Europe/Berlin"
	}
	var p page
	begin(&p)
	if lines := zones[e.zone]; lines != nil && e.from != "" {
		p.line("BEGIN:VTIMEZONE")
		p.line("TZID:%s", e.zone)
		for _, l := range lines {
			p.line("%s", l)
		}
		p.line("END:VTIMEZONE")
	}
	first := monday(now, time.UTC)
	p.line("BEGIN:VEVENT")
	e.head(&p, uid, now)
	p.line("SUMMARY:%s", text(e.summary))
	e.times(&p, first, e.day, e.from, e.to)
	for _, day := range e.gone {
		e.moment(&p, "EXDATE", first, day, e.from)
	}
	e.details(&p, first, "")
	p.line("END:VEVENT")
	if m := e.moved; m != nil {
		p.line("BEGIN:VEVENT")
		e.head(&p, uid, now)
		e.moment(&p, "RECURRENCE-ID", first, m.day, e.from)
		p.line("SUMMARY:%s", text(m.summary))
		e.times(&p, first, m.to, m.from, m.until)
		e.details(&p, first, "RRULE")
		p.line("END:VEVENT")
	}
	p.line("END:VCALENDAR")
	return p.String()
}

// nth is which of its weekday in the month a day is; a fifth one is the last.
func nth(day time.Time) string {
	if n := (day.Day()-1)/7 + 1; n < 5 {
		return fmt.Sprint(n)
	}
	return "-1"
}

// details writes the event's further lines but for those of one property.
func (e event) details(p *page, first time.Time, but string) {
	for _, l := range e.lines {
		if but != "" && strings.HasPrefix(l, but) {
			continue
		}
		for part := range strings.SplitSeq(l, "\n") {
			p.line("%s", strings.ReplaceAll(part, "{nth}", nth(first.AddDate(0, 0, e.day))))
		}
	}
}

func (e event) head(p *page, uid string, now time.Time) {
	p.line("UID:%s", uid)
	p.line("DTSTAMP:%s", stamp(now))
	p.line("CREATED:%s", stamp(now.AddDate(0, -2, 0)))
	p.line("LAST-MODIFIED:%s", stamp(now.AddDate(0, 0, -9)))
}

// times writes DTSTART and DTEND. An end that is earlier in the day than the
// start is on the next day.
func (e event) times(p *page, first time.Time, day int, from, to string) {
	e.moment(p, "DTSTART", first, day, from)
	switch {
	case from == "":
		e.moment(p, "DTEND", first, day+max(e.days, 1), "")
	case to < from:
		e.moment(p, "DTEND", first, day+1, to)
	default:
		e.moment(p, "DTEND", first, day, to)
	}
}

// moment writes a property with a time in the event's zone, or a date.
func (e event) moment(p *page, name string, first time.Time, day int, clock string) {
	date := first.AddDate(0, 0, day).Format("20060102")
	switch digits := strings.ReplaceAll(clock, ":", ""); {
	case clock == "":
		p.line("%s;VALUE=DATE:%s", name, date)
	case e.zone == "UTC":
		p.line("%s:%sT%s00Z", name, date, digits)
	default:
		p.line("%s;TZID=%s:%sT%s00", name, e.zone, date, digits)
	}
}

func begin(p *page) {
	p.line("BEGIN:VCALENDAR")
	p.line("VERSION:2.0")
	p.line("PRODID:-//pushbridge//sample data//EN")
}

// A task is something to do. Days count from today; 0 due means never.
type task struct {
	summary, note string
	due, start    int
	done          int // how many days ago; 0 means not yet
	lines         []string
}

var tasks = []task{
	{summary: "Send receipts to the tax adviser", note: "Train, phone, the new chair.", due: 12, lines: []string{"PRIORITY:1", "CATEGORIES:Paperwork"}},
	{summary: "Winter tyres", due: 5, lines: []string{"PRIORITY:5"}},
	{summary: "Reserve a table for eight", note: "Café am Ufer; one of us is allergic to hazelnuts.", due: 2, start: -1, lines: []string{"PRIORITY:1", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50"}},
	{summary: "Water the plants at Łukasz's", due: 2, start: 1, lines: []string{"RRULE:FREQ=DAILY;INTERVAL=3"}},
	{summary: "Return library books", due: -1, lines: []string{"CATEGORIES:Errands"}},
	{summary: "Ask Tobias for a quote (shelves, 3 × 2,20 m)", lines: []string{"PRIORITY:9"}},
	{summary: "Renew passport", done: 4, due: -2},
	{summary: "Book the ferry", done: 20, due: -15, lines: []string{"CATEGORIES:Travel"}},
}

// taskFiles writes a VTODO for each task. See RFC 5545, section 3.6.2.
func taskFiles(now time.Time) []file {
	var files []file
	day := func(n int) string { return now.AddDate(0, 0, n).Format("20060102") }
	for i, t := range tasks {
		uid := fmt.Sprintf("sample-task-%02d", i+1)
		var p page
		begin(&p)
		p.line("BEGIN:VTODO")
		p.line("UID:%s", uid)
		p.line("DTSTAMP:%s", stamp(now))
		p.line("SUMMARY:%s", text(t.summary))
		if t.note != "" {
			p.line("DESCRIPTION:%s", text(t.note))
		}
		if t.start != 0 {
			p.line("DTSTART;VALUE=DATE:%s", day(t.start))
		}
		if t.due != 0 {
			p.line("DUE;VALUE=DATE:%s", day(t.due))
		}
		if t.done != 0 {
			p.line("STATUS:COMPLETED")
			p.line("PERCENT-COMPLETE:100")
			p.line("COMPLETED:%s", stamp(now.AddDate(0, 0, -t.done)))
		}
		for _, l := range t.lines {
			p.line("%s", l)
		}
		p.line("END:VTODO")
		p.line("END:VCALENDAR")
		files = append(files, file{path: "tasks/" + uid + ".ics", text: p.String()})
	}
	return files
}

var notes = []struct{ title, body, categories string }{
	{"Wi-Fi of the holiday flat", "Network: Leuchtturm\nPassword: on the card in the kitchen drawer\nRestart the box if it is slow after rain.", "Travel"},
	{"Apple cake, Anni's way", "1,2 kg tart apples\n300 g flour\n200 g butter, cold\n120 g sugar\n1 egg\nzest of a lemon\n\nDough in the fridge for an hour. 190 °C, 50 minutes; cinnamon only at the end.", "Recipes"},
	{"Books to read", "• Invisible Cities\n• The Left Hand of Darkness\n• Der Gehülfe\n• 雪国\n", ""},
	{"Measurements", "Hallway: 3,42 m × 1,18 m\nShelf niche: 0,94 m wide, 2,20 m high, 0,31 m deep\nDoor opens to the left!", "Home"},
	{"Ideas for the club evening", "Show how maps are made from photographs. Ask Ngozi for the projector; she has the adapter, too.", "Club"},
}

// noteFiles writes a VJOURNAL for each note. See RFC 5545, section 3.6.3.
func noteFiles(now time.Time) []file {
	var files []file
	for i, n := range notes {
		uid := fmt.Sprintf("sample-note-%02d", i+1)
		when := now.AddDate(0, 0, -7*i-1)
		var p page
		begin(&p)
		p.line("BEGIN:VJOURNAL")
		p.line("UID:%s", uid)
		p.line("DTSTAMP:%s", stamp(when))
		p.line("LAST-MODIFIED:%s", stamp(when))
		p.line("SUMMARY:%s", text(n.title))
		p.line("DESCRIPTION:%s", text(n.body))
		if n.categories != "" {
			p.line("CATEGORIES:%s", n.categories)
		}
		p.line("END:VJOURNAL")
		p.line("END:VCALENDAR")
		files = append(files, file{path: "notes/" + uid + ".ics", text: p.String()})
	}
	return files
}
