package translate_test

import (
	"bytes"
	"cmp"
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
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A room is a translation of a class.
type room struct {
	show  func([]byte, translate.Options) (eas.Properties, error)
	merge func([]byte, eas.Properties, translate.Options) ([]byte, error)
	from  eas.Version
	edits []change
}

// A change is an edit of one property, as its first or second side makes it.
type change struct {
	name string
	tag  wbxml.Tag // that shows it
	to   [2]eas.Properties
}

func textual(t wbxml.Tag, a, b string) change {
	return change{name: tag.Name(t), tag: t, to: [2]eas.Properties{{eas.T(t, a)}, {eas.T(t, b)}}}
}

// prose is an edit of the body, in the version's own way.
func prose(old wbxml.Tag) change {
	text := func(s string) eas.Properties {
		ps := eas.Properties{eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, s))}
		if old != 0 {
			ps = append(ps, eas.T(old, s))
		}
		return ps
	}
	return change{name: "Body", tag: tag.AirSyncBaseBody, to: [2]eas.Properties{text("one\r\nside"), text("the\r\nother")}}
}

func spanOf(start, end string) eas.Properties {
	return eas.Properties{eas.T(tag.CalendarAllDayEvent, "0"), eas.T(tag.CalendarStartTime, start), eas.T(tag.CalendarEndTime, end)}
}

func dueOn(day string) eas.Properties {
	return eas.Properties{eas.T(tag.TasksDueDate, day+"T00:00:00.000Z"), eas.T(tag.TasksUtcDueDate, day+"T00:00:00.000Z")}
}

var rooms = map[string]room{
	"contact": {contact.FromVCard, contact.Merge, eas.V25, []change{
		textual(tag.ContactsFirstName, "Une", "Deux"),
		textual(tag.ContactsJobTitle, "One", "Other"),
		textual(tag.ContactsMobilePhoneNumber, "+1 1", "+2 2"),
		textual(tag.ContactsHomeAddressCity, "Oneville", "Otherton"),
		textual(tag.ContactsWebPage, "http://one.example/", "http://other.example/"),
		textual(tag.ContactsBirthday, "1981-01-01T00:00:00.000Z", "1982-02-02T00:00:00.000Z"),
		textual(tag.ContactsSpouse, "One", "Other"),
		prose(tag.ContactsBody),
	}},
	"calendar": {calendar.FromICalendar, calendar.Merge, eas.V25, []change{
		textual(tag.CalendarSubject, "One", "Other"),
		textual(tag.CalendarSensitivity, "3", "2"),
		textual(tag.CalendarReminder, "11", "22"),
		{"StartTime", tag.CalendarStartTime, [2]eas.Properties{spanOf("20260701T100000Z", "20260701T110000Z"), spanOf("20260702T100000Z", "20260702T120000Z")}},
		prose(tag.CalendarBody),
	}},
	"task": {task.FromICalendar, task.Merge, eas.V25, []change{
		textual(tag.TasksSubject, "One", "Other"),
		textual(tag.TasksImportance, "0", "2"),
		textual(tag.TasksSensitivity, "3", "2"),
		{"DueDate", tag.TasksDueDate, [2]eas.Properties{dueOn("2031-05-05"), dueOn("2032-06-06")}},
		prose(tag.TasksBody),
	}},
	"note": {note.FromICalendar, note.Merge, eas.V140, []change{
		textual(tag.NotesSubject, "One", "Other"),
		prose(0),
	}},
}

var objects = map[string][]string{
	"contact": {
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nN:Doe;Jane;Q.;;\r\nFN:Jane Doe\r\nTITLE:Boss\r\nTEL;TYPE=CELL:1\r\nTEL;TYPE=HOME:2\r\nADR;TYPE=HOME:;;Street 1;City;;1;Land\r\n" +
			"EMAIL:jane@example.org\r\nNOTE:a\\nb\r\nBDAY:1980-05-01\r\nCATEGORIES:x,y\r\nX-KEEP;X-P=1:me\r\nREV:20200101T000000Z\r\nEND:VCARD\r\n",
		"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nFN:Jane Doe\r\nEND:VCARD\r\n",
	},
	"calendar": {
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20200101T000000Z\r\nDTSTART:20260601T100000Z\r\nDTEND:20260601T110000Z\r\nSUMMARY:S\r\n" +
			"LOCATION:L\r\nDESCRIPTION:a\\nb\r\nCATEGORIES:x,y\r\nX-KEEP:me\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:S\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20200101T000000Z\r\nDTSTART;VALUE=DATE:20260601\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\nEXDATE;VALUE=DATE:20260608\r\nSUMMARY:S\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	},
	"task": {
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20200101T000000Z\r\nSUMMARY:S\r\nDUE;VALUE=DATE:20300601\r\nCATEGORIES:x\r\nX-KEEP:me\r\nDESCRIPTION:a\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
	},
	"note": {
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VJOURNAL\r\nUID:n\r\nDTSTAMP:20200101T000000Z\r\nSUMMARY:S\r\nDESCRIPTION:S\\na\r\nX-KEEP:me\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n",
	},
}

var siftVersions = []eas.Version{eas.V25, eas.V121, eas.V141, eas.V161}

func optionsOf(class string, v eas.Version) translate.Options {
	o := translate.Options{Version: v, Now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Item: "1:1"}
	if class == "calendar" && v >= eas.V160 {
		o.Ghosted = func(wbxml.Tag) bool { return true }
	}
	return o
}

// edited is what a phone of a version sends that was shown an item and edits it.
func edited(shown, edit eas.Properties, v eas.Version) eas.Properties {
	ps := slices.Clone(shown)
	for _, e := range edit {
		old := e.Tag == tag.ContactsBody || e.Tag == tag.CalendarBody || e.Tag == tag.TasksBody
		if (old || e.Tag == tag.AirSyncBaseBody) && old != (v < eas.V120) {
			continue // the other versions' body
		}
		if i := slices.IndexFunc(ps, func(p eas.Element) bool { return p.Tag == e.Tag }); i >= 0 {
			ps[i] = e
		} else {
			ps = append(ps, e)
		}
	}
	return ps
}

// shows is what an object shows of a property.
func (r room) shows(t *testing.T, object []byte, o translate.Options, p wbxml.Tag) string {
	t.Helper()
	ps, err := r.show(object, o)
	if err != nil {
		t.Fatal(err)
	}
	if p == tag.AirSyncBaseBody && o.Version < eas.V120 {
		for _, old := range []wbxml.Tag{tag.ContactsBody, tag.CalendarBody, tag.TasksBody} {
			if text, ok := ps.Text(old); ok {
				return text
			}
		}
	}
	e, _ := ps.Find(p)
	return fmt.Sprintf("%s%s%v", e.Text, e.Opaque, e.Children)
}

// names are the names of the lines that two objects do not have in common.
func names(a, b []byte) map[string]bool {
	count := map[string]int{}
	for _, l := range strings.Split(string(a), "\n") {
		count[l]++
	}
	for _, l := range strings.Split(string(b), "\n") {
		count[l]--
	}
	set := map[string]bool{}
	for l, n := range count {
		if n != 0 {
			set[strings.ToUpper(l[:strings.IndexAny(l+":", ":;")])] = true
		}
	}
	return set
}

// stamps are lines that every edit may touch.
var stamps = map[string]bool{"REV": true, "DTSTAMP": true, "LAST-MODIFIED": true, "SEQUENCE": true, "FN": true, "": true}

// TestBothSidesEdit lets two sides edit each two properties of an object: both
// edits survive, whoever wins, and what nobody edited keeps its bytes.
func TestBothSidesEdit(t *testing.T) {
	for class, r := range rooms {
		t.Run(class, func(t *testing.T) {
			for _, object := range objects[class] {
				r.bothSidesEdit(t, class, []byte(object), 1, siftVersions...)
			}
		})
	}
}

// bothSidesEdit tries every so many of the pairs of edits.
func (r room) bothSidesEdit(t *testing.T, class string, object []byte, every int, versions ...eas.Version) {
	for _, v := range versions {
		o := optionsOf(class, v)
		shown, err := r.show(object, o)
		if v < r.from || err != nil {
			continue
		}
		held := translate.DigestOf(shown)
		for i, theirs := range r.edits {
			now, err := r.merge(object, edited(shown, theirs.to[0], v), o)
			if err != nil {
				continue // what phones cannot edit
			}
			for j, mine := range r.edits {
				if (i+j)%every == 0 {
					p := pair{r, o, object, now, shown, held, theirs, mine}
					t.Run(fmt.Sprintf("%s/%s beside %s", v, mine.name, theirs.name), func(t *testing.T) { p.test(t, i == j) })
				}
			}
		}
	}
}

// A pair is two edits of one object.
type pair struct {
	room
	o            translate.Options
	before, now  []byte
	shown        eas.Properties
	held         translate.Digest
	theirs, mine change
}

func (p pair) sift(t *testing.T, sent eas.Properties) (ours, theirs []byte, s translate.Sifted) {
	t.Helper()
	now, err := p.show(p.now, p.o)
	if err != nil {
		t.Fatal(err)
	}
	s = translate.Sift(p.held, translate.Digest{}, sent, now, p.o)
	ours, err = p.merge(p.now, s.Sent, p.o)
	if err != nil {
		t.Fatalf("%v\nfrom %v", err, s.Sent)
	}
	if theirs, err = p.merge(p.now, s.Kept, p.o); err != nil {
		t.Fatalf("%v\nfrom %v", err, s.Kept)
	}
	return ours, theirs, s
}

func (p pair) test(t *testing.T, same bool) {
	if ours, theirs, s := p.sift(t, p.shown); s.Disputed || !bytes.Equal(ours, p.now) || !bytes.Equal(theirs, p.now) {
		t.Fatalf("a phone that edited nothing is in dispute (%v), or changed\n%s\nto\n%s", s.Disputed, p.now, ours)
	}
	sent := edited(p.shown, p.mine.to[1], p.o.Version)
	alone, err := p.merge(p.before, sent, p.o)
	if err != nil {
		return // what this phone cannot edit
	}
	want, others := p.shows(t, alone, p.o, p.mine.tag), p.shows(t, p.now, p.o, p.theirs.tag)
	ours, theirs, s := p.sift(t, sent)
	if same {
		won, lost := p.shows(t, ours, p.o, p.mine.tag), p.shows(t, theirs, p.o, p.mine.tag)
		if !bytes.Equal(alone, p.before) && !bytes.Equal(p.before, p.now) && (!s.Disputed || won != want || lost != others) {
			t.Errorf("disputed: %v; the phone's value %q became %q, the server's %q became %q", s.Disputed, want, won, others, lost)
		}
		return
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("two edits of different properties are in dispute:\n%s\nor\n%s", ours, theirs)
	}
	if got := p.shows(t, ours, p.o, p.mine.tag); got != want {
		t.Errorf("the phone's edit %q became %q in\n%s", want, got, ours)
	}
	if got := p.shows(t, ours, p.o, p.theirs.tag); got != others {
		t.Errorf("the server's edit %q became %q in\n%s", others, got, ours)
	}
	may := names(p.before, alone)
	for name := range names(p.now, ours) {
		if !may[name] && !stamps[name] {
			t.Errorf("the phone's edit touched %s:\n%s\nbecame\n%s", name, p.now, ours)
		}
	}
}

// maxObject is the size, in bytes, of other people's objects that are tried:
// enough for all but calendars of a year, which take seconds.
const maxObject = 16 << 10

// TestBothSidesEditOtherPeoplesObjects does the same with the corpus, some of
// the pairs each.
func TestBothSidesEditOtherPeoplesObjects(t *testing.T) {
	if os.Getenv(translatetest.CorpusVariable) == "" {
		t.Skip(translatetest.CorpusVariable + " is not set")
	}
	for _, class := range []string{"contact", "calendar", "task"} {
		kind := "ics"
		if class == "contact" {
			kind = "vcf"
		}
		t.Run(class, func(t *testing.T) {
			translatetest.Corpus(t, kind, func(t *testing.T, object []byte) {
				if len(object) <= maxObject {
					v := siftVersions[len(object)%len(siftVersions)]
					rooms[class].bothSidesEdit(t, class, object, 5, v)
				}
			})
		})
	}
}

// TestSift are stories of one property each, told in vCards.
func TestSift(t *testing.T) {
	words := func(ws ...string) eas.Element {
		el := eas.C(tag.ContactsCategories)
		for _, w := range ws {
			el.Children = append(el.Children, eas.T(tag.ContactsCategory, w))
		}
		return el
	}
	job := func(s string) eas.Element { return eas.T(tag.ContactsJobTitle, s) }
	body := func(kind, s string) eas.Element {
		return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, kind), eas.T(tag.AirSyncBaseData, s))
	}
	type ps = eas.Properties
	for _, tt := range []struct {
		name             string
		held, tried      ps // nil: nothing was tried
		sent, now        ps
		ours, theirs     ps // what is to be merged
		disputed, listen bool
	}{
		{name: "nothing happened", held: ps{job("a")}, sent: ps{job("a")}, now: ps{job("a")}, ours: ps{job("a")}},
		{name: "the phone edits", held: ps{job("a")}, sent: ps{job("b")}, now: ps{job("a")}, ours: ps{job("b")}},
		{name: "the server edits", held: ps{job("a")}, sent: ps{job("a")}, now: ps{job("c")}, ours: ps{job("c")}, listen: true},
		{name: "both edit", held: ps{job("a")}, sent: ps{job("b")}, now: ps{job("c")}, ours: ps{job("b")}, theirs: ps{job("c")}, disputed: true, listen: true},
		{name: "both make the same edit", held: ps{job("a")}, sent: ps{job("c")}, now: ps{job("c")}, ours: ps{job("c")}, listen: true},
		{name: "the server adds", sent: ps{}, now: ps{job("c")}, ours: ps{job("c")}, listen: true},
		{name: "the phone removes, the server edits", held: ps{job("a")}, sent: ps{}, now: ps{job("c")}, ours: ps{}, theirs: ps{job("c")}, disputed: true, listen: true},
		{name: "the server removes", held: ps{job("a")}, sent: ps{job("a")}, now: ps{}, ours: ps{}, listen: true},
		{name: "the phone's own earlier try", held: ps{job("a")}, tried: ps{job("b")}, sent: ps{job("d")}, now: ps{job("b")}, ours: ps{job("d")}},
		{name: "the phone takes its try back", held: ps{job("a")}, tried: ps{job("b")}, sent: ps{job("a")}, now: ps{job("b")}, ours: ps{job("a")}},
		{name: "somebody edits the phone's try", held: ps{job("a")}, tried: ps{job("b")}, sent: ps{job("d")}, now: ps{job("c")}, ours: ps{job("d")}, theirs: ps{job("c")}, disputed: true, listen: true},
		{name: "both add a word", held: ps{words("a")}, sent: ps{words("a", "b")}, now: ps{words("a", "c")}, ours: ps{words("a", "c", "b")}, listen: true},
		{name: "each removes a word", held: ps{words("a", "b", "c")}, sent: ps{words("a", "b")}, now: ps{words("b", "c")}, ours: ps{words("b")}, listen: true},
		{name: "the phone removes all words", held: ps{words("a")}, sent: ps{}, now: ps{words("a", "c")}, ours: ps{words("c")}, listen: true},
		{name: "the phone changes the looks of a text, the server something else", held: ps{job("a"), body("2", "<p>t</p>")}, sent: ps{job("a"), body("2", "<p><b>t</b></p>")},
			now: ps{job("c"), body("2", "<p>t</p>")}, ours: ps{job("c"), body("2", "<p><b>t</b></p>")}, listen: true},
		{name: "the phone changes the looks of a text, the server its words", held: ps{body("2", "<p>t</p>")}, sent: ps{body("2", "<p><b>t</b></p>")},
			now: ps{body("2", "<p>u</p>")}, ours: ps{}, listen: true},
		{name: "both change the looks of a text", held: ps{body("2", "<p>t</p>")}, sent: ps{body("2", "<p><b>t</b></p>")},
			now: ps{body("2", "<p><i>t</i></p>")}, ours: ps{body("2", "<p><b>t</b></p>")}, theirs: ps{}, disputed: true, listen: true},
		{name: "the server changes the looks of a text", held: ps{body("2", "<p>t</p>")}, sent: ps{body("2", "<div>t</div>")},
			now: ps{body("2", "<p><i>t</i></p>")}, ours: ps{}, listen: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tried := translate.Digest{}
			if tt.tried != nil {
				tried = translate.DigestOf(tt.tried)
			}
			s := translate.Sift(translate.DigestOf(tt.held), tried, tt.sent, tt.now, translate.Options{})
			theirs := tt.theirs
			if theirs == nil {
				theirs = tt.ours
			}
			if got, want := fmt.Sprint(ordered(s.Sent)), fmt.Sprint(ordered(tt.ours)); got != want {
				t.Errorf("if the phone wins %v is merged, want %v", got, want)
			}
			if got, want := fmt.Sprint(ordered(s.Kept)), fmt.Sprint(ordered(theirs)); got != want {
				t.Errorf("if the server wins %v is merged, want %v", got, want)
			}
			if s.Disputed != tt.disputed || s.Foreign != tt.listen {
				t.Errorf("disputed %v, foreign %v, want %v and %v", s.Disputed, s.Foreign, tt.disputed, tt.listen)
			}
		})
	}
}

func ordered(ps eas.Properties) eas.Properties {
	return slices.SortedFunc(slices.Values(ps), func(a, b eas.Element) int { return cmp.Compare(a.Tag, b.Tag) })
}
