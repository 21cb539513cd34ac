package easserver_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

func textAs(kind int, text string) eas.Element {
	return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, strconv.Itoa(kind)), eas.T(tag.AirSyncBaseData, text))
}

// told lets the phone say in which form it wants texts, and be told of an event
// as it is then.
func (s *handset) told(h *bridgetest.House, kind int, event string) {
	s.t.Helper()
	s.body = kind
	s.take(s.send())
	h.Store("calendar", "e", event)
	if _, told := s.take(s.send()); !told {
		s.t.Fatal("the phone was not told of the event")
	}
}

var textual = strings.Replace(bridgetest.Event("e", "Before", time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)), "SUMMARY",
	"LOCATION:Here\r\nDESCRIPTION:hello world\r\nSUMMARY", 1)

// A phone's owner makes a word of a text bold, and somebody else edits something
// else of the event: both edits stay, and each side is shown the other's.
func TestAnEditOfLooksBesideAnotherEdit(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		for wish := range 2 {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("calendar", "e", strings.Replace(textual, "Before", "First", 1))
			one, two := newHandset(t, h, v, "phone1", "Calendar", wish), newHandset(t, h, v, "phone2", "Calendar", wish)
			one.told(h, 2, textual)
			two.told(h, 2, strings.Replace(textual, "Here", "There", 1))
			bold := textAs(2, "<html><body>hello <b>world</b></body></html>")
			status, told := one.edit(bold)
			if status != eas.SyncOK || !told {
				t.Errorf("%s: the edit got status %d, told of the other's edit: %v", v, status, told)
			}
			stored(t, h, "calendar", "LOCATION:There", "DESCRIPTION:hello world", "X-ALT-DESC;FMTTYPE=text/html:<html><body>hello <b>world</b></body></html>")
			// Somebody else does not know yet that the word is bold.
			if status, told := two.edit(eas.T(tag.CalendarSubject, "After")); status != eas.SyncOK || !told {
				t.Errorf("%s: the edit beside the bold word got status %d, told of it: %v", v, status, told)
			}
			if body, _ := two.held.Find(tag.AirSyncBaseBody); !strings.Contains(body.Children[len(body.Children)-1].Text, "<b>world</b>") {
				t.Errorf("%s: the other phone is shown %v", v, body)
			}
			stored(t, h, "calendar", "SUMMARY:After", "X-ALT-DESC;FMTTYPE=text/html:<html><body>hello <b>world</b></body></html>")
		}
	}
}

// compressed is "hello world", as phones encode rich text and we do not. See
// [MS-OXRTFCP], section 4.1.1.
const compressed = "LQAAACsAAABMWkZ18cXHpwMACgByY3BnMTI1QjIK8yBoZWwJACBidwWwbGR9CoAPoA=="

// A phone sends a text back as rich text of its own encoding, while somebody else
// writes another text: that is no edit of the phone's, and nothing to quarrel about.
func TestRichTextThatWasEncodedAnew(t *testing.T) {
	for _, tt := range []struct {
		v    eas.Version
		kind int
		text eas.Element
	}{
		{eas.V25, 1, eas.T(tag.CalendarCompressedRTF, compressed)},
		{eas.V121, 3, textAs(3, compressed)},
		{eas.V161, 3, textAs(3, compressed)},
	} {
		for wish := range 2 {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("calendar", "e", strings.Replace(textual, "Before", "First", 1))
			s := newHandset(t, h, tt.v, "phone1", "Calendar", wish)
			s.told(h, tt.kind, textual)
			h.Store("calendar", "e", strings.Replace(textual, "hello world", "bye", 1))
			old := s.held[:0:0]
			for _, p := range s.held {
				if p.Tag != tag.CalendarBody {
					old = append(old, p)
				}
			}
			s.held = old
			status, told := s.edit(tt.text, eas.T(tag.CalendarSubject, "After"))
			if status != eas.SyncOK || !told {
				t.Errorf("%s: the edit got status %d, told of the other's: %v", tt.v, status, told)
			}
			stored(t, h, "calendar", "SUMMARY:After", "DESCRIPTION:bye")
		}
	}
}
