package note

import (
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/translatetest"
)

func TestSheet(t *testing.T) {
	object := journal("UID:1\nDTSTAMP:20200101T000000Z\nSUMMARY:Shopping\nDESCRIPTION:" + strings.Repeat("Milk\\n", 30) + "\nCATEGORIES:Home,Food\n")
	translatetest.CheckSheet(t, Sheet(), translatetest.Translation{Show: FromICalendar, New: New}, []byte(object), options(eas.V141))
}

// TestClassesOfMessages: what says that it is something else is refused.
func TestClassesOfMessages(t *testing.T) {
	for class, want := range map[string]error{"": nil, "IPM.StickyNote": nil, "ipm.stickynote.Mine": nil, "IPM.StickyNotes": translate.ErrInvalid, "IPM.Note": translate.ErrInvalid} {
		_, err := New("u", eas.Properties{eas.T(tag.NotesMessageClass, class)}, options(eas.V141))
		if !errors.Is(err, want) {
			t.Errorf("%q: error = %v, want %v", class, err, want)
		}
	}
}
