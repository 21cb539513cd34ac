package translate_test

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
)

// What an object of a folder may cost. They are generous: what they have to
// notice is an object that costs a hundred times what it should, for whoever may
// write into a shared calendar may put one there.
const (
	mostMemory  = 64 << 20 // bytes allocated, beside those for each byte of the object
	memoryEach  = 64
	mostShown   = 2 << 20 // bytes of properties
	bombVersion = eas.V161
)

// full tries the bombs in the size that the folders of servers take, which is a
// matter of minutes; otherwise they are a tenth of it.
var full = flag.Bool("bombs", false, "try the bombs in their full size")

// size is how many of something a bomb has.
func size(n int) int {
	if *full {
		return n
	}
	return n / 10
}

// lines repeats a line, with its number in the place of each #.
func lines(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(line, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// days is a property with a list of n days.
func days(name string, n int) string {
	var b strings.Builder
	b.WriteString(name + ":20260101T100000Z")
	first := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	for i := range n {
		b.WriteString(first.AddDate(0, 0, i%30_000).Format(",20060102T150405Z"))
	}
	return b.String() + "\r\n"
}

func numbers(from, to int) string {
	return strings.TrimPrefix(lines(to-from+1, ",#"), ",")
}

// bombs are objects that are small, or at least not large, and could cost a lot.
func bombs() map[string]string {
	const (
		head   = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
		event  = "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:S\r\n"
		times  = "DTSTART:20260101T100000Z\r\nDTEND:20260101T110000Z\r\n"
		task   = "BEGIN:VTODO\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:S\r\nDTSTART:20260101T100000Z\r\nDUE:20260101T110000Z\r\n"
		zoned  = "DTSTART;TZID=Z0:20260101T100000\r\nDTEND;TZID=Z0:20260101T110000\r\n"
		winter = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:STANDARD\r\n"
	)
	everySecond := ";BYHOUR=" + numbers(0, 23) + ";BYMINUTE=" + numbers(0, 59) + ";BYSECOND=" + numbers(0, 59)
	all := make(map[string]string)
	for name, inner := range map[string]string{
		"every second for ever":                 "RRULE:FREQ=SECONDLY\r\n",
		"every second of a century":             "RRULE:FREQ=SECONDLY;UNTIL=21260101T000000Z\r\n",
		"every second, a billion times":         "RRULE:FREQ=SECONDLY;COUNT=1000000000\r\n",
		"every second of a day there is not":    "RRULE:FREQ=SECONDLY;BYMONTHDAY=31;BYMONTH=2\r\n",
		"every second, rarely":                  "RRULE:FREQ=SECONDLY;INTERVAL=86399;BYSECOND=59;BYHOUR=23\r\n",
		"every minute of a second":              "RRULE:FREQ=MINUTELY;BYDAY=MO;BYHOUR=3;BYSECOND=59\r\n",
		"every day that there is not":           "RRULE:FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;COUNT=5\r\n",
		"every day, a billion times":            "RRULE:FREQ=DAILY;COUNT=1000000000\r\n",
		"every second by a day's parts":         "RRULE:FREQ=DAILY;COUNT=1000000000" + everySecond + "\r\n",
		"every second by a year's parts":        "RRULE:FREQ=YEARLY;COUNT=1000000000" + everySecond + "\r\n",
		"the last second of each year":          "RRULE:FREQ=YEARLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR,SA,SU" + everySecond + "\r\n",
		"every position of each month":          "RRULE:FREQ=MONTHLY;COUNT=100000000;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=" + numbers(1, 300) + "\r\n",
		"an interval of two billion years":      "RRULE:FREQ=YEARLY;INTERVAL=2147483647\r\n",
		"a thousand rules":                      lines(size(1000), "RRULE:FREQ=DAILY;COUNT=10000000"+everySecond+"\r\n"),
		"a hundred thousand rules":              lines(size(100_000), "RRULE:FREQ=DAILY;COUNT=10000000\r\n"),
		"900,000 additional days":               days("RDATE", size(900_000)),
		"100,000 lines of additional days":      lines(size(100_000), "RDATE:20260101T1000#Z\r\n"),
		"10,000 exceptions":                     "RRULE:FREQ=DAILY\r\n" + days("EXDATE", size(10_000)),
		"900,000 exceptions":                    "RRULE:FREQ=DAILY\r\n" + days("EXDATE", size(900_000)),
		"900,000 exceptions to an odd rule":     "RRULE:FREQ=DAILY;BYSETPOS=1" + everySecond + "\r\n" + days("EXDATE", size(900_000)),
		"900,000 exceptions to 900,000 days":    days("RDATE", size(400_000)) + days("EXDATE", size(400_000)),
		"80,000 overrides":                      "RRULE:FREQ=DAILY\r\n" + lines(size(80_000), "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID:20260102T100000Z\r\nDTSTART:20260102T110000Z\r\n"),
		"90,000 other events":                   lines(size(90_000), "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:v#\r\n"),
		"a line of 10 MB":                       "DESCRIPTION:" + strings.Repeat("x", size(10<<20)) + "\r\n",
		"10 MB of escapes":                      "DESCRIPTION:" + strings.Repeat(`\n`, size(5<<20)) + "\r\n",
		"10 MB of open elements":                "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<div>", size(2<<20)) + "\r\n",
		"10 MB of <":                            "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<", size(10<<20)) + "\r\n",
		"10 MB of entities":                     "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("&amp", size(2<<20)) + "\r\n",
		"10 MB of comments":                     "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<!--", size(2<<20)) + "\r\n",
		"tables in tables":                      "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<table><tr><td>", size(500_000)) + "\r\n",
		"links in links":                        "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<a><b><p>", size(500_000)) + "\r\n",
		"a place of 10 MB":                      "LOCATION:" + strings.Repeat("é", size(5<<20)) + "\r\n",
		"a text folded 350,000 times":           "DESCRIPTION:x\r\n" + strings.Repeat(" x\r\n", size(350_000)),
		"100,000 properties":                    lines(size(100_000), "X-P#:y\r\n"),
		"100,000 parameters":                    "ATTENDEE" + lines(size(100_000), ";A#=b") + ":mailto:a@b\r\n",
		"a million quotation marks":             "ATTENDEE;CN=" + strings.Repeat(`"`, size(1<<20)) + ":mailto:a@b\r\n",
		"a million categories":                  "CATEGORIES:" + strings.Repeat("a,", size(1<<20)) + "\r\n",
		"5,000 guests":                          "ORGANIZER:mailto:o@b\r\n" + lines(size(5000), "ATTENDEE;CN=N#:mailto:a#@b\r\n"),
		"100,000 guests":                        "ORGANIZER:mailto:o@b\r\n" + lines(size(100_000), "ATTENDEE;CN=N#:mailto:a#@b\r\n"),
		"50,000 alarms":                         lines(size(50_000), "BEGIN:VALARM\r\nTRIGGER:-PT#M\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"),
		"alarms in alarms":                      strings.Repeat("BEGIN:VALARM\r\n", size(10_000)),
		"100,000 attachments":                   lines(size(100_000), "ATTACH:http://x/#\r\n"),
		"an attachment of 10 MB":                "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("QUJD", size(2<<20)) + "\r\n",
		"50,000 attachments in the object":      lines(size(50_000), "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=#:QUJD\r\n"),
		"50 MB":                                 "DESCRIPTION:" + strings.Repeat("x", size(50<<20)) + "\r\n",
		"a duration of a billion billion weeks": "DURATION:P999999999999999999999W\r\n",
	} {
		all["event: "+name] = head + event + times + inner + "END:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	all["event: since the year 1"] = head + event + "DTSTART:00010101T100000Z\r\nRRULE:FREQ=DAILY;BYSETPOS=1" + everySecond + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	all["event: until the year 9999"] = head + event + "DTSTART:00010101T100000Z\r\nDTEND:99990101T100000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	all["event: 20,000 zones"] = head + lines(size(20_000), "BEGIN:VTIMEZONE\r\nTZID:Z#\r\n"+winter+"END:VTIMEZONE\r\n") + event + zoned + "END:VEVENT\r\nEND:VCALENDAR\r\n"
	all["event: 40,000 changes of a zone"] = head + "BEGIN:VTIMEZONE\r\nTZID:Z0\r\n" + strings.Repeat(winter, size(40_000)) + "END:VTIMEZONE\r\n" + event + zoned + "END:VEVENT\r\nEND:VCALENDAR\r\n"
	all["event: a zone that changes each second"] = head + "BEGIN:VTIMEZONE\r\nTZID:Z0\r\n" + strings.Repeat(strings.Replace(winter, "YEARLY;BYMONTH=3;BYDAY=-1SU", "DAILY"+everySecond, 1), 80) + "END:VTIMEZONE\r\n" +
		event + zoned + "RRULE:FREQ=DAILY;BYSETPOS=1" + everySecond + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for name, inner := range map[string]string{
		"every second, a billion times":  "RRULE:FREQ=SECONDLY;COUNT=1000000000\r\n",
		"every second by a year's parts": "RRULE:FREQ=YEARLY;COUNT=1000000000" + everySecond + "\r\n",
		"900,000 additional days":        days("RDATE", size(900_000)),
		"900,000 exceptions":             "RRULE:FREQ=DAILY\r\n" + days("EXDATE", size(900_000)),
		"tasks in tasks":                 strings.Repeat("BEGIN:VTODO\r\n", size(10_000)),
		"80,000 overrides":               "RRULE:FREQ=DAILY\r\n" + lines(size(80_000), "END:VTODO\r\nBEGIN:VTODO\r\nUID:u\r\nRECURRENCE-ID:20260102T100000Z\r\n"),
		"50,000 alarms":                  lines(size(50_000), "BEGIN:VALARM\r\nTRIGGER:-PT#M\r\nACTION:DISPLAY\r\nEND:VALARM\r\n"),
		"a million categories":           "CATEGORIES:" + strings.Repeat("a,", size(1<<20)) + "\r\n",
		"a line of 10 MB":                "SUMMARY:" + strings.Repeat("x", size(10<<20)) + "\r\n",
	} {
		all["task: "+name] = head + task + inner + "END:VTODO\r\nEND:VCALENDAR\r\n"
	}
	for name, inner := range map[string]string{
		"a line of 10 MB":     "SUMMARY:" + strings.Repeat("x", size(10<<20)) + "\r\n",
		"10 MB of escapes":    "DESCRIPTION:" + strings.Repeat(`\n`, size(5<<20)) + "\r\n",
		"10 MB of bold":       "X-ALT-DESC;FMTTYPE=text/html:" + strings.Repeat("<b>", size(3<<20)) + "\r\n",
		"100,000 other notes": lines(size(100_000), "END:VJOURNAL\r\nBEGIN:VJOURNAL\r\nUID:u#\r\n"),
	} {
		all["note: "+name] = head + "BEGIN:VJOURNAL\r\nUID:u\r\n" + inner + "END:VJOURNAL\r\nEND:VCALENDAR\r\n"
	}
	for name, inner := range map[string]string{
		"a photo of 15 MB":             "PHOTO;ENCODING=b;TYPE=JPEG:" + strings.Repeat("/9j/4AAQ", size(15<<17)) + "\r\n",
		"a photo of 15 MB in a URI":    "PHOTO:data:image/jpeg;base64," + strings.Repeat("/9j/4AAQ", size(15<<17)) + "\r\n",
		"a photo of 50 MB":             "PHOTO;ENCODING=b;TYPE=JPEG:" + strings.Repeat("/9j/4AAQ", size(50<<17)) + "\r\n",
		"a hundred thousand numbers":   lines(size(100_000), "TEL;TYPE=CELL:#\r\n"),
		"a hundred thousand addresses": lines(size(100_000), "EMAIL:a#@b\r\n"),
		"a hundred thousand chats":     lines(size(100_000), "IMPP;X-SERVICE-TYPE=Jabber:xmpp:a#@b\r\n"),
		"a hundred thousand notes":     lines(size(100_000), "NOTE:n#\r\n"),
		"a million types":              "TEL;TYPE=" + strings.Repeat("CELL,", size(1<<20)) + "x:1\r\n",
		"an address of semicolons":     "ADR:" + strings.Repeat(";", size(5<<20)) + "\r\n",
		"an address of escapes":        "ADR:;;" + strings.Repeat(`\n`, size(2<<20)) + ";;;;\r\n",
		"50,000 groups":                lines(size(50_000), "item#.URL:x\r\nitem#.X-ABLabel:y\r\n"),
		"agents of agents":             strings.Repeat("AGENT:\r\nBEGIN:VCARD\r\n", size(10_000)),
		"a company of semicolons":      "ORG:" + strings.Repeat("a;", size(5<<20)) + "\r\n",
		"five million categories":      "CATEGORIES:" + strings.Repeat("a,", size(5<<20)) + "\r\n",
		"a hundred thousand children":  lines(size(100_000), "RELATED;TYPE=child;VALUE=text:a#\r\n"),
		"390,000 lines that are none":  strings.Repeat("a\r\n", size(390_000)),
	} {
		all["contact: "+name] = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:N\r\nN:N;;;;\r\n" + inner + "END:VCARD\r\n"
	}
	all["contact: 350,000 soft line breaks"] = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:N\r\nNOTE;ENCODING=QUOTED-PRINTABLE:" + strings.Repeat("=\r\n", size(350_000)) + "x\r\nEND:VCARD\r\n"
	all["contact: 15 MB of quoted letters"] = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:N\r\nNOTE;ENCODING=QUOTED-PRINTABLE:" + strings.Repeat("=41", size(5<<20)) + "x\r\nEND:VCARD\r\n"
	return all
}

// Whatever lies in a folder, to show it, to take it back and to learn for the
// filters when it ends costs no more than a limited amount of memory for each of
// its bytes, and the phone is not told more than it can take.
func TestBombs(t *testing.T) {
	type class struct {
		show  func([]byte, translate.Options) (eas.Properties, error)
		merge func([]byte, eas.Properties, translate.Options) ([]byte, error)
		facts func([]byte, translate.Options) (translate.Facts, error)
		look  func([]byte) error // what is made of it for other commands
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	busy := func(object []byte) error {
		list, err := calendar.Periods(object, now, now.AddDate(0, 0, 42), translate.Options{Now: now})
		calendar.MergeBusy(list, now, now.AddDate(0, 0, 42))
		return err
	}
	person := func(object []byte) error {
		_, err := contact.ReadPerson(object)
		return err
	}
	nothing := func([]byte) error { return nil }
	none := func([]byte, translate.Options) (translate.Facts, error) { return translate.Facts{}, nil }
	classes := map[string]class{
		"event":   {calendar.FromICalendar, calendar.Merge, calendar.Facts, busy},
		"task":    {task.FromICalendar, task.Merge, task.Facts, nothing},
		"note":    {note.FromICalendar, note.Merge, none, nothing},
		"contact": {contact.FromVCard, contact.Merge, none, person},
	}
	o := translate.Options{Version: bombVersion, Now: now, Body: translate.Body{Truncate: 32 << 10}}
	for name, text := range bombs() {
		kind, _, _ := strings.Cut(name, ":")
		k, object := classes[kind], []byte(text)
		var shown eas.Properties
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"showing", func() (err error) { shown, err = k.show(object, o); return }},
			{"taking back", func() (err error) { _, err = k.merge(object, shown, o); return }},
			{"learning when it ends, and when it is due", func() (err error) { _, err = k.facts(object, o); return }},
			{"looking at it for others", func() error { return k.look(object) }},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			err := step.do()
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			spent := after.TotalAlloc - before.TotalAlloc
			t.Logf("%s: %s: %v, %d KB of %d, %.60v", name, step.name, took.Round(time.Millisecond), spent>>10, len(object)>>10, err)
			if most := uint64(mostMemory + memoryEach*len(object)); spent > most {
				t.Errorf("%s: %s allocates %d bytes, want at most %d", name, step.name, spent, most)
			}
			if err != nil {
				if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
					t.Errorf("%s: %s: error = %.200v", name, step.name, err)
				}
				break
			}
		}
		if n := sizeOf(shown); n > mostShown {
			t.Errorf("%s: the phone is told %d bytes of it, want at most %d", name, n, mostShown)
		}
	}
}

func sizeOf(p eas.Properties) int {
	n := 0
	for _, e := range p {
		n += len(e.Text) + len(e.Opaque) + sizeOf(e.Children)
	}
	return n
}
