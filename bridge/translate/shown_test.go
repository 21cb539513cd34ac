package translate_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
)

// FuzzShown: whatever lies in a folder, a phone of any version gets texts that
// XML has a place for and that arrive as they were sent; and what is stored of
// it when they come back is an object again.
func FuzzShown(f *testing.F) {
	for _, object := range []string{
		"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:N\r\nN:A;B;C;D;E\r\nORG:X;Y\r\nTEL;TYPE=CELL:1\r\nADR;TYPE=HOME:a;b;c;d;e;f;g\r\nNOTE:n\\n\r\nBDAY:1980-05-06\r\nCATEGORIES:a,b\r\nEND:VCARD\r\n",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=Europe/Berlin:20260101T100000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=9\r\nEXDATE;TZID=Europe/Berlin:20260108T100000\r\nSUMMARY:S\r\nLOCATION:L\r\nORGANIZER;CN=\"O\x01\":mailto:o@b\r\nATTENDEE;CN=A\x02;PARTSTAT=ACCEPTED:mailto:a@b\r\nATTACH;FILENAME=\x03:http://x/\r\nX-ALT-DESC;FMTTYPE=text/html:<b>x</b>\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:u\r\nDUE;VALUE=DATE:20260101\r\nSUMMARY:S\r\nRRULE:FREQ=DAILY\r\nPRIORITY:1\r\nPERCENT-COMPLETE:5\r\nCATEGORIES:a,b\r\nDESCRIPTION:d\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:u\r\nSUMMARY:S\r\nDESCRIPTION:d\r\nCATEGORIES:a\r\nLAST-MODIFIED:20260101T000000Z\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n",
	} {
		f.Add([]byte(object), uint8(3))
		f.Add([]byte(strings.ReplaceAll(object, "\r\n", "\x0b\xff\n")), uint8(1))
	}
	type class struct {
		show  func([]byte, translate.Options) (eas.Properties, error)
		merge func([]byte, eas.Properties, translate.Options) ([]byte, error)
	}
	classes := []class{{contact.FromVCard, contact.Merge}, {calendar.FromICalendar, calendar.Merge}, {task.FromICalendar, task.Merge}, {note.FromICalendar, note.Merge}}
	f.Fuzz(func(t *testing.T, object []byte, how uint8) {
		o := translate.Options{Version: eas.Versions[int(how)%len(eas.Versions)], Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Item: "1:1"}
		if how >= 128 {
			o.Body.Type = translate.HTML
		}
		for _, k := range classes {
			shown, err := k.show(object, o)
			if err != nil {
				if !errors.Is(err, translate.ErrUnreadable) && !errors.Is(err, translate.ErrNotShown) {
					t.Errorf("error is %v", err)
				}
				continue
			}
			checkTexts(t, shown)
			sent := eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "1", Commands: []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: "1", Data: shown}}}}}
			doc, err := eas.Marshal(&sent, o.Version)
			if err != nil {
				t.Fatal(err)
			}
			var got eas.SyncRequest
			if err := eas.Unmarshal(doc, &got); err != nil {
				t.Fatal(err)
			}
			back, err := k.merge(object, got.Collections[0].Commands[0].Data, o)
			if err != nil {
				t.Fatalf("what was shown cannot come back: %v", err)
			}
			if _, err := k.show(back, o); err != nil {
				t.Errorf("after it came back: %v", err)
			}
		}
	})
}

func checkTexts(t *testing.T, p eas.Properties) {
	for _, e := range p {
		if !utf8.ValidString(e.Text) || strings.ContainsFunc(e.Text, noXML) {
			t.Errorf("%s is %q, for which XML has no place", tag.Name(e.Tag), e.Text)
		}
		checkTexts(t, e.Children)
	}
}

// noXML tells which characters no XML document may have. See XML 1.0, section 2.2.
func noXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}
