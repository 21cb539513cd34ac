package translate

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// proseSums are those of a text. The first one is of its words and, if it came
// as HTML, its looks. Where looks are not spoken of, the words alone count: so
// HTML may come back as plain text, and plain text as HTML without looks. Rich
// text is encoded anew by every phone, and only its words are kept.
func proseSums(e *eas.Element) []sum {
	words, styled, html := prosePart(e)
	all := one(words)[0]
	plain := absent
	if all != absent {
		plain = sumOf(words, "")
	}
	switch {
	case !html && all == absent, html && styled == "" && all == absent:
		return []sum{absent}
	case !html:
		return []sum{all, plain}
	case styled == "":
		return []sum{plain, all}
	}
	return []sum{sumOf(words, styled), all}
}

// wordSum is the sum of a text's words alone.
func wordSum(e *eas.Element) sum {
	words, _, _ := prosePart(e)
	return one(words)[0]
}

// prosePart reads a text, whatever the form it travels in: its words and, of
// HTML, its looks if they say more than the words.
func prosePart(e *eas.Element) (words, styled string, html bool) {
	data, kind, ok := e.Content(), PlainText, true
	switch e.Tag {
	case tag.AirSyncBaseBody:
		data, kind, ok = sentBody(eas.Properties{*e}, BodyTags{})
	case tag.ContactsCompressedRTF, tag.CalendarCompressedRTF, tag.TasksCompressedRTF:
		kind = RTF
	}
	if !ok || len(data) > MaxBody {
		return "", "", false
	}
	switch kind {
	case HTML:
		text := HTMLToText(data)
		if styled = looks(data); styled == looks(TextToHTML(text)) {
			styled = ""
		}
		return fold(text), styled, true
	case RTF:
		if text, err := decodeRTF(data); err == nil {
			data = text
		} // else it is an edit, which is refused
	}
	return fold(data), "", false
}
