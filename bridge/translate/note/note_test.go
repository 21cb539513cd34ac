package note

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func options(v eas.Version) translate.Options {
	return translate.Options{Version: v, Now: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}
}

// journal wraps lines into an object with one VJOURNAL.
func journal(lines string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\nBEGIN:VJOURNAL\n"+lines+"END:VJOURNAL\nEND:VCALENDAR\n", "\n", "\r\n")
}

var samples = map[string]string{
	"typical": journal("UID:1\nDTSTAMP:20200101T000000Z\nSUMMARY:Shopping\nDESCRIPTION:Milk\\, bread\\nand butter\nCATEGORIES:Home,Food\n" +
		"ATTACH:https://example.org/list\nX-CUSTOM:kept\n"),
	"without a subject": journal("UID:1\nDTSTAMP:20200101T000000Z\nLAST-MODIFIED:20210203T040506Z\nDESCRIPTION:  First line\\nSecond line\n"),
	"empty":             journal("UID:1\n"),
	"with an exception": journal("UID:1\nRECURRENCE-ID:20200101T000000Z\nSUMMARY:exception\nEND:VJOURNAL\nBEGIN:VJOURNAL\nUID:1\nSUMMARY:master\n"),
}

func body(data string) eas.Element {
	return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, data))
}

func TestFromICalendar(t *testing.T) {
	got, err := FromICalendar([]byte(samples["typical"]), options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	want := eas.Properties{
		eas.T(tag.NotesSubject, "Shopping"),
		eas.T(tag.NotesMessageClass, "IPM.StickyNote"),
		eas.T(tag.NotesLastModifiedDate, "20200101T000000Z"),
		eas.C(tag.NotesCategories, eas.T(tag.NotesCategory, "Home"), eas.T(tag.NotesCategory, "Food")),
		eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "23"), eas.T(tag.AirSyncBaseData, "Milk, bread\r\nand butter")),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestSubjects(t *testing.T) {
	for name, want := range map[string]string{"typical": "Shopping", "without a subject": "First line", "empty": "", "with an exception": "master"} {
		t.Run(name, func(t *testing.T) {
			ps, err := FromICalendar([]byte(samples[name]), options(eas.V161))
			if got, _ := ps.Text(tag.NotesSubject); err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestSentBackChangesNothing(t *testing.T) {
	check := func(t *testing.T, object []byte) {
		for _, v := range []eas.Version{eas.V140, eas.V141, eas.V161} {
			shown, err := FromICalendar(object, options(v))
			if errors.Is(err, translate.ErrNotShown) || errors.Is(err, translate.ErrUnreadable) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := Merge(object, shown, options(v))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(object), string(got)); d != "" {
				t.Errorf("a note that came back as it was sent has changed, -want +got:\n%s", d)
			}
		}
	}
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) { check(t, []byte(sample)) })
	}
	t.Run("corpus", func(t *testing.T) { translatetest.Corpus(t, "ics", check) })
}

func TestMerge(t *testing.T) {
	const stamps = "20261122T083000Z"
	tests := []struct {
		name, sample string
		sent         eas.Element // replaces what was shown
		old, new     string      // the difference, apart from the time stamps
	}{
		{"a subject", "typical", eas.T(tag.NotesSubject, "Groceries; more"), "SUMMARY:Shopping", `SUMMARY:Groceries\; more`},
		{"no subject", "typical", eas.T(tag.NotesSubject, ""), "SUMMARY:Shopping\r\n", ""},
		{"a first subject", "without a subject", eas.T(tag.NotesSubject, "New"), "DESCRIPTION:  First line\\nSecond line\r\n", "DESCRIPTION:  First line\\nSecond line\r\nSUMMARY:New\r\n"},
		{"a text", "typical", body("Milk\r\nOnly"), `DESCRIPTION:Milk\, bread\nand butter`, `DESCRIPTION:Milk\nOnly`},
		{"no text", "typical", body(""), "DESCRIPTION:Milk\\, bread\\nand butter\r\n", ""},
		{"a category", "typical", eas.C(tag.NotesCategories, eas.T(tag.NotesCategory, "Food"), eas.T(tag.NotesCategory, "x")), "CATEGORIES:Home,Food", "CATEGORIES:Food,x"},
		{"the phone's clock", "typical", eas.T(tag.NotesLastModifiedDate, "19990101T000000Z"), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			object := samples[tt.sample]
			shown, err := FromICalendar([]byte(object), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			sent := slices.DeleteFunc(shown, func(e eas.Element) bool { return e.Tag == tt.sent.Tag })
			got, err := Merge([]byte(object), append(sent, tt.sent), options(eas.V141))
			if err != nil {
				t.Fatal(err)
			}
			want := object
			if tt.old != "" {
				want = strings.Replace(object, tt.old, tt.new, 1)
				want = strings.Replace(want, "DTSTAMP:20200101T000000Z", "DTSTAMP:"+stamps, 1)
				if strings.Contains(want, "LAST-MODIFIED") {
					want = strings.Replace(want, "LAST-MODIFIED:20210203T040506Z", "LAST-MODIFIED:"+stamps, 1)
				} else {
					want = strings.Replace(want, "END:VJOURNAL", "LAST-MODIFIED:"+stamps+"\r\nEND:VJOURNAL", 1)
				}
			}
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestGhostedSubjectStays(t *testing.T) {
	o := options(eas.V141)
	o.Ghosted = func(t wbxml.Tag) bool { return true }
	got, err := Merge([]byte(samples["typical"]), nil, o)
	if err != nil || string(got) != samples["typical"] {
		t.Errorf("got %v\n%s", err, got)
	}
}

func TestNew(t *testing.T) {
	got, err := New("u-1", eas.Properties{
		eas.T(tag.NotesSubject, "Ideas"), eas.T(tag.NotesMessageClass, "IPM.StickyNote"), eas.T(tag.NotesLastModifiedDate, "19990101T000000Z"),
		body("One\r\nTwo"), eas.C(tag.NotesCategories, eas.T(tag.NotesCategory, "a")),
	}, options(eas.V141))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll("BEGIN:VCALENDAR\nPRODID:-//pushbridge//pushbridge//EN\nVERSION:2.0\nBEGIN:VJOURNAL\nCREATED:20261122T083000Z\nDTSTAMP:20261122T083000Z\n"+
		"UID:u-1\nLAST-MODIFIED:20261122T083000Z\nSUMMARY:Ideas\nDESCRIPTION:One\\nTwo\nCATEGORIES:a\nEND:VJOURNAL\nEND:VCALENDAR\n", "\n", "\r\n")
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, object string
		version      eas.Version
		want         error
	}{
		{"garbage", "garbage", eas.V141, translate.ErrUnreadable},
		{"a vCard", "BEGIN:VCARD\nEND:VCARD\n", eas.V141, translate.ErrUnreadable},
		{"an event", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n", eas.V141, translate.ErrNotShown},
		{"an old phone", samples["typical"], eas.V121, translate.ErrNotShown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := FromICalendar([]byte(tt.object), options(tt.version)); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzSentBack(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		shown, err := FromICalendar(object, options(eas.V161))
		if err != nil {
			if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
				t.Errorf("error is %v", err)
			}
			return
		}
		got, err := Merge(object, shown, options(eas.V161))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(object), string(got)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}
