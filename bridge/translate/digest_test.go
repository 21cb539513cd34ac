package translate

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func bodyOf(kind, text string) eas.Element {
	return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, kind), eas.T(tag.AirSyncBaseEstimatedDataSize, "99"), eas.T(tag.AirSyncBaseData, text))
}

func attendee(mail, status string) eas.Element {
	return eas.C(tag.CalendarAttendee, eas.T(tag.CalendarEmail, mail), eas.T(tag.CalendarName, mail), eas.T(tag.CalendarAttendeeStatus, status), eas.T(tag.CalendarAttendeeType, "1"))
}

func occurrence(body eas.Element) eas.Element {
	return eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, "20260301T100000Z"), body)
}

// What phones do to what they only send back is no edit.
func TestEchoesAreNoEdits(t *testing.T) {
	e := eas.T
	for _, tt := range []struct {
		name       string
		held, sent eas.Element
		same       bool
	}{
		{"a text", e(tag.ContactsFirstName, "Ann"), e(tag.ContactsFirstName, "Ann"), true},
		{"another text", e(tag.ContactsFirstName, "Ann"), e(tag.ContactsFirstName, "Anne"), false},
		{"blanks at the ends", e(tag.ContactsFirstName, "Ann"), e(tag.ContactsFirstName, " Ann\r\n"), true},
		{"blanks inside", e(tag.ContactsJobTitle, "a b"), e(tag.ContactsJobTitle, "a  b"), false},
		{"line breaks", e(tag.ContactsHomeAddressStreet, "a\r\nb"), e(tag.ContactsHomeAddressStreet, "a\nb"), true},
		{"opaque", e(tag.ContactsFirstName, "Ann"), eas.Element{Tag: tag.ContactsFirstName, Opaque: []byte("Ann")}, true},
		{"a truth", e(tag.CalendarAllDayEvent, "1"), e(tag.CalendarAllDayEvent, "True"), true},
		{"a time written otherwise", e(tag.CalendarStartTime, "20260301T100000Z"), e(tag.CalendarStartTime, "2026-03-01T10:00:30.000Z"), true},
		{"another time", e(tag.CalendarStartTime, "20260301T100000Z"), e(tag.CalendarStartTime, "20260301T100100Z"), false},
		{"a date without its time", e(tag.TasksDueDate, "2026-03-01T14:00:00.000Z"), e(tag.TasksDueDate, "2026-03-01T00:00:00.000Z"), true},
		{"a birthday at noon", e(tag.ContactsBirthday, "1980-05-01T00:00:00.000Z"), e(tag.ContactsBirthday, "1980-05-01T11:59:00.000Z"), true},
		{"a birthday at midnight in Berlin", e(tag.ContactsBirthday, "1980-05-01T00:00:00.000Z"), e(tag.ContactsBirthday, "1980-04-30T22:00:00.000Z"), true},
		{"a birthday at midnight in Los Angeles", e(tag.ContactsBirthday, "1980-05-01T00:00:00.000Z"), e(tag.ContactsBirthday, "1980-05-01T07:00:00.000Z"), true},
		{"another birthday", e(tag.ContactsBirthday, "1980-05-01T00:00:00.000Z"), e(tag.ContactsBirthday, "1980-05-02T00:00:00.000Z"), false},
		{"a named address", e(tag.ContactsEmail1Address, "a@b.example"), e(tag.ContactsEmail1Address, `"Ann" <a@b.example>`), true},
		{"another address", e(tag.ContactsEmail1Address, "a@b.example"), e(tag.ContactsEmail1Address, "a@c.example"), false},
		{"a folded picture", e(tag.ContactsPicture, "QUJD"), e(tag.ContactsPicture, "QU\r\n JD\r\n"), true},
		{"an empty picture", e(tag.ContactsPicture, "QUJD"), eas.Element{Tag: tag.ContactsPicture}, true},
		{"an empty FileAs", e(tag.ContactsFileAs, "Ann"), eas.Element{Tag: tag.ContactsFileAs}, true},
		{"an emptied text", e(tag.ContactsJobTitle, "Boss"), eas.Element{Tag: tag.ContactsJobTitle}, false},
		{"a body as HTML", bodyOf("1", "a\r\nb"), bodyOf("2", "<html><body>a<br>\r\nb</body></html>"), true},
		{"a body that is bold", bodyOf("2", "<p>a <b>b</b></p>"), bodyOf("2", "<html><body><div>a <strong>b</strong></div></body></html>"), true},
		{"a body that is bold as plain text", bodyOf("2", "<p>a <b>b</b></p>"), bodyOf("1", "a b\r\n"), true},
		{"a body that becomes bold", bodyOf("2", "<p>a b</p>"), bodyOf("2", "<p>a <b>b</b></p>"), false},
		{"a body that is bold no more", bodyOf("2", "<p>a <b>b</b></p>"), bodyOf("2", "<p>a b</p>"), false},
		{"a plain body that becomes bold", bodyOf("1", "a b"), bodyOf("2", "<p>a <b>b</b></p>"), false},
		{"a body of nothing but a picture", bodyOf("2", `<img src="cid:1">`), bodyOf("1", ""), true},
		{"a body as rich text", bodyOf("1", "hello world"), bodyOf("3", helloWorld), true},
		{"rich text that was encoded anew", bodyOf("3", encodeRTF("hello world")), bodyOf("3", helloWorld), true},
		{"other rich text", bodyOf("3", encodeRTF("hello")), bodyOf("3", helloWorld), false},
		{"a text of 2.5 as rich text", e(tag.ContactsBody, "hello world"), e(tag.ContactsCompressedRTF, helloWorld), true},
		{"other rich text of 2.5", e(tag.ContactsBody, "hello"), e(tag.ContactsCompressedRTF, helloWorld), false},
		{"empty rich text of 2.5", e(tag.ContactsBody, "hello"), e(tag.ContactsCompressedRTF, ""), true},
		{"an occurrence whose text is plain now", eas.C(tag.CalendarExceptions, occurrence(bodyOf("2", "<p>a <b>b</b></p>"))),
			eas.C(tag.CalendarExceptions, occurrence(bodyOf("1", "a b"))), true},
		{"an occurrence whose text is bold now", eas.C(tag.CalendarExceptions, occurrence(bodyOf("2", "<p>a b</p>"))),
			eas.C(tag.CalendarExceptions, occurrence(bodyOf("2", "<p>a <b>b</b></p>"))), false},
		{"a body without its data", bodyOf("1", "a"), eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseTruncated, "1")), true},
		{"an emptied body", bodyOf("1", "a"), bodyOf("1", ""), false},
		{"a line break in a body", bodyOf("1", "a b"), bodyOf("1", "a\r\nb"), false},
		{"categories in another order", eas.C(tag.ContactsCategories, e(tag.ContactsCategory, "a"), e(tag.ContactsCategory, "b")),
			eas.C(tag.ContactsCategories, e(tag.ContactsCategory, "b"), e(tag.ContactsCategory, "a"), e(tag.ContactsCategory, "b")), true},
		{"one category less", eas.C(tag.ContactsCategories, e(tag.ContactsCategory, "a"), e(tag.ContactsCategory, "b")),
			eas.C(tag.ContactsCategories, e(tag.ContactsCategory, "b")), false},
		{"attendees without status and type", eas.C(tag.CalendarAttendees, attendee("a@b.example", "3"), attendee("c@b.example", "0")),
			eas.C(tag.CalendarAttendees, eas.C(tag.CalendarAttendee, e(tag.CalendarEmail, "C@b.example")), eas.C(tag.CalendarAttendee, e(tag.CalendarEmail, "<a@b.example>"))), true},
		{"an attendee more", eas.C(tag.CalendarAttendees, attendee("a@b.example", "3")),
			eas.C(tag.CalendarAttendees, attendee("a@b.example", "3"), attendee("c@b.example", "0")), false},
		{"no attendees", eas.C(tag.CalendarAttendees, attendee("a@b.example", "3")), eas.C(tag.CalendarAttendees), true},
		{"a pattern with what goes without saying", eas.C(tag.CalendarRecurrence, e(tag.CalendarType, "1"), e(tag.CalendarInterval, "1"), e(tag.CalendarDayOfWeek, "4"), e(tag.CalendarUntil, "20261201T100000Z")),
			eas.C(tag.CalendarRecurrence, e(tag.CalendarType, "1"), e(tag.CalendarDayOfWeek, "4"), e(tag.CalendarFirstDayOfWeek, "1"), e(tag.CalendarUntil, "20261201T225959Z")), true},
		{"another pattern", eas.C(tag.CalendarRecurrence, e(tag.CalendarType, "1"), e(tag.CalendarDayOfWeek, "4")),
			eas.C(tag.CalendarRecurrence, e(tag.CalendarType, "1"), e(tag.CalendarDayOfWeek, "8")), false},
		{"the phone's own time zone", e(tag.CalendarTimezone, "AAAA"), e(tag.CalendarTimezone, "BBBB"), true},
		{"a UID", e(tag.CalendarUID, "1"), e(tag.CalendarUID, "2"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sifter{held: DigestOf(eas.Properties{tt.held}), sent: eas.Properties{tt.sent}, now: eas.Properties{tt.held}}
			s.whole = wholeItem(s.sent, tagsOf(s.now))
			if got := !s.differs(s.held, groupOf(tt.held.Tag)); got != tt.same {
				t.Errorf("taken for the same: %v, want %v", got, tt.same)
			}
		})
	}
}

// Absence is an edit where it means removal, and only there.
func TestAbsenceThatIsAnEdit(t *testing.T) {
	e := eas.T
	ghosted := Options{Ghosted: func(wbxml.Tag) bool { return true }}
	for _, tt := range []struct {
		name       string
		held, sent eas.Properties
		o          Options
		group      wbxml.Tag
		want       bool
	}{
		{"a contact's text", eas.Properties{e(tag.ContactsJobTitle, "Boss")}, eas.Properties{e(tag.ContactsFirstName, "Ann")}, Options{}, tag.ContactsJobTitle, true},
		{"a ghosted text", eas.Properties{e(tag.ContactsJobTitle, "Boss")}, eas.Properties{e(tag.ContactsFirstName, "Ann")}, ghosted, tag.ContactsJobTitle, false},
		{"a picture", eas.Properties{e(tag.ContactsPicture, "QUJD")}, eas.Properties{e(tag.ContactsFirstName, "Ann")}, Options{}, tag.ContactsPicture, false},
		{"the place of a whole event", eas.Properties{e(tag.CalendarLocation, "X")}, eas.Properties{e(tag.CalendarStartTime, "20260301T100000Z")}, Options{}, tag.CalendarLocation, true},
		{"the place in a part of an event", eas.Properties{e(tag.CalendarLocation, "X")}, eas.Properties{e(tag.CalendarSubject, "S")}, Options{}, tag.CalendarLocation, false},
		{"the class of a whole event", eas.Properties{e(tag.CalendarSensitivity, "2")}, eas.Properties{e(tag.CalendarStartTime, "20260301T100000Z")}, Options{}, tag.CalendarSensitivity, false},
		{"the due date of a whole task", eas.Properties{e(tag.TasksDueDate, "2026-03-01T00:00:00.000Z"), e(tag.TasksUtcDueDate, "2026-02-28T23:00:00.000Z")},
			eas.Properties{e(tag.TasksSubject, "S")}, Options{}, tag.TasksStartDate, true},
		{"the due date in a tick", eas.Properties{e(tag.TasksDueDate, "2026-03-01T00:00:00.000Z")}, eas.Properties{e(tag.TasksComplete, "1")}, Options{}, tag.TasksStartDate, false},
		{"one of two that say the same", eas.Properties{e(tag.TasksDueDate, "2026-03-01T00:00:00.000Z"), e(tag.TasksUtcDueDate, "2026-02-28T23:00:00.000Z")},
			eas.Properties{e(tag.TasksSubject, "S"), e(tag.TasksUtcDueDate, "2026-02-28T23:00:00.000Z")}, Options{}, tag.TasksStartDate, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sifter{held: DigestOf(tt.held), sent: tt.sent, now: tt.held, o: tt.o, whole: wholeItem(tt.sent, tagsOf(tt.held))}
			if got := s.differs(s.held, tt.group); got != tt.want {
				t.Errorf("changed: %v, want %v", got, tt.want)
			}
		})
	}
}

// Properties that need each other are edited together.
func TestGroups(t *testing.T) {
	for _, group := range [][]wbxml.Tag{
		{tag.CalendarStartTime, tag.CalendarEndTime, tag.CalendarAllDayEvent, tag.CalendarTimezone, tag.CalendarRecurrence},
		{tag.TasksStartDate, tag.TasksUtcStartDate, tag.TasksDueDate, tag.TasksUtcDueDate, tag.TasksRecurrence},
		{tag.TasksComplete, tag.TasksDateCompleted},
		{tag.TasksReminderSet, tag.TasksReminderTime},
		{tag.ContactsBody, tag.ContactsBodySize, tag.ContactsBodyTruncated, tag.ContactsCompressedRTF},
		{tag.TasksBody, tag.TasksBodySize, tag.TasksBodyTruncated, tag.TasksCompressedRTF},
		{tag.CalendarBody, tag.CalendarBodyTruncated, tag.CalendarCompressedRTF},
	} {
		got := slices.Clone(members(group[0]))
		slices.Sort(got)
		slices.Sort(group)
		if !slices.Equal(got, group) {
			t.Errorf("together with %s: %v, want %v", tag.Name(group[0]), got, group)
		}
	}
	for t1, p := range properties {
		if p.group != 0 && properties[p.group].group != 0 {
			t.Errorf("%s is in a group that is in a group", tag.Name(t1))
		}
	}
}

func job(title string) eas.Element { return eas.T(tag.ContactsJobTitle, title) }

func sample() eas.Properties {
	return eas.Properties{
		eas.T(tag.ContactsFirstName, "Ann"), eas.T(tag.ContactsJobTitle, "Boss"), eas.T(tag.ContactsBirthday, "1980-05-01T00:00:00.000Z"),
		eas.C(tag.ContactsCategories, eas.T(tag.ContactsCategory, "a"), eas.T(tag.ContactsCategory, "b")), bodyOf("1", "text"),
	}
}

func TestDigestBytes(t *testing.T) {
	d := DigestOf(sample())
	other := DigestOf(eas.Properties{eas.T(tag.ContactsFirstName, "Bob")})
	for name, d := range map[string]Digest{"empty": {}, "an item's": d, "either": d.Or(other)} {
		b := d.Bytes()
		got, err := ParseDigest(b)
		if err != nil || !bytes.Equal(got.Bytes(), b) {
			t.Errorf("%s: %x came back as %x, %v", name, b, got.Bytes(), err)
		}
	}
	if n := len(d.Bytes()); n > 100 {
		t.Errorf("a digest of a small item takes %d bytes, want less than 100: there is one for each item and phone", n)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "another version": {9}, "cut short": d.Bytes()[:10], "too long": make([]byte, MaxDigest+1),
		"a double": append(d.Bytes(), d.Bytes()[len(d.Bytes())-entryBytes:]...),
	} {
		if _, err := ParseDigest(b); err == nil {
			t.Errorf("%s was taken for a digest", name)
		}
	}
	var many eas.Element
	many.Tag = tag.ContactsCategories
	for i := range MaxDigest / entryBytes {
		many.Children = append(many.Children, eas.T(tag.ContactsCategory, string(rune('A'+i))))
	}
	if b := DigestOf(eas.Properties{many}).Bytes(); b != nil {
		t.Errorf("a digest of %d bytes is kept, %d are the most", len(b), MaxDigest)
	}
}

// What was written can be read by every later program. A sum that comes out
// otherwise takes every phone's echo for an edit: then digestVersion has to be
// another one.
func TestDigestStaysTheSame(t *testing.T) {
	want := []byte{
		0x02, 0x01, 0x1f, 0x89, 0x33, 0xda, 0xf8, 0x66,
	}
	got := DigestOf(eas.Properties{eas.T(tag.ContactsFirstName, "Ann")}).Bytes()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// After an edit the phone holds what it sent, and of what it did not mention
// what it held, unless that meant removal.
func TestAfter(t *testing.T) {
	held := DigestOf(sample())
	sent := eas.Properties{eas.T(tag.ContactsFirstName, "Anne")}
	for _, tt := range []struct {
		name string
		o    Options
		want eas.Properties
	}{
		{"all is removed", Options{}, append(slices.Clone(sent), bodyOf("1", "text"))},
		{"all is ghosted", Options{Ghosted: func(wbxml.Tag) bool { return true }}, append(slices.Clone(sent), sample()[1:]...)},
	} {
		got := held.After(sent, tt.o)
		if want := DigestOf(tt.want); !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: holds %v, want %v", tt.name, got, want)
		}
	}
}

// What the object shows after an edit is the phone's own doing, but for a list
// that had something of others in it before.
func TestWrote(t *testing.T) {
	list := func(names ...string) eas.Element {
		e := eas.Element{Tag: tag.ContactsCategories}
		for _, name := range names {
			e.Children = append(e.Children, eas.T(tag.ContactsCategory, name))
		}
		return e
	}
	day := func(at string) eas.Element {
		return eas.C(tag.CalendarException, eas.T(tag.CalendarExceptionStartTime, at), eas.T(tag.CalendarSubject, "S"))
	}
	one, two := day("20261202T090000Z"), day("20261203T090000Z")
	for _, tt := range []struct {
		name                string
		held, before, after eas.Element
		want                bool // whether the phone holds what is there then
	}{
		{"a text", job("Boss"), job("Boss"), job("Chief"), true},
		{"a text that others changed", job("Boss"), job("Top"), job("Chief"), true},
		{"a first text", eas.Element{}, eas.Element{}, job("Chief"), true},
		{"a list", list("A"), list("A"), list("A", "B"), true},
		{"a first list", eas.Element{}, eas.Element{}, list("A"), true},
		{"the end of a list", list("A"), list("A"), eas.Element{Tag: tag.ContactsCategories}, true},
		{"a list that others made longer", list("A"), list("A", "X"), list("A", "X", "B"), false},
		{"a list that others made shorter", list("A", "X"), list("A"), list("A", "B"), false},
		{"a list that others ended", list("A"), eas.Element{}, list("B"), false},
		{"a list that others began", eas.Element{}, list("X"), list("X", "B"), false},
		{"guests", eas.C(tag.CalendarAttendees, attendee("a@b.example", "0")),
			eas.C(tag.CalendarAttendees, attendee("a@b.example", "3")), eas.C(tag.CalendarAttendees, attendee("a@b.example", "3"), attendee("c@b.example", "0")), false},
		{"a first occurrence", eas.Element{}, eas.Element{}, eas.C(tag.CalendarExceptions, one), true},
		{"an occurrence beside one of others", eas.Element{}, eas.C(tag.CalendarExceptions, one), eas.C(tag.CalendarExceptions, one, two), false},
	} {
		item := func(e eas.Element) eas.Properties {
			if e.Tag == 0 {
				return nil
			}
			return eas.Properties{e}
		}
		held := DigestOf(item(tt.held))
		got := held.Wrote(held, item(tt.before), item(tt.after))
		if now := primary(item(tt.after), tt.after.Tag); got.has(tt.after.Tag, now) != tt.want {
			t.Errorf("%s: the phone holds it: %v, want %v", tt.name, !tt.want, tt.want)
		}
	}
}

// A digest that can be read is written the same way again, whatever it says.
func FuzzParseDigest(f *testing.F) {
	f.Add(DigestOf(sample()).Bytes())
	f.Add([]byte{digestVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDigest(b)
		if err != nil {
			return
		}
		if got := d.Bytes(); !bytes.Equal(got, b) {
			t.Errorf("%x came back as %x", b, got)
		}
		now := sample()
		if s := Sift(d, d, now, now, Options{}); s.Disputed {
			t.Error("a phone that sends what the object shows is in dispute with it")
		}
	})
}
