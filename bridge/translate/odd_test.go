package translate_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
)

// oddValues are what people and programs have stored somewhere.
var oddValues = map[string]string{
	"emoji":               "👩‍👩‍👧‍👦 Zoë 🏳️‍🌈 e\u0301",
	"NUL and controls":    "a\x00b\x01c\x7fd\x1b[0m",
	"no XML":              "a\uFFFEb\uFFFFc",
	"a lone surrogate":    "a\xED\xA0\x80b",
	"a split character":   "a \xED\xA0\xBD\xED\xB8\x80 b",
	"damaged UTF-8":       "Grüße \xff\xfe und \xC3",
	"Latin-1":             "Gr\xfc\xdfe",
	"right to left":       "\u202Eolleh\u202C שלום",
	"a line of 100 KB":    strings.Repeat("long ", 20<<10),
	"a word of 100 KB":    strings.Repeat("x", 100<<10),
	"escapes":             `\\\,\;\n\N\x\`,
	"blanks":              " \t a \t ",
	"nothing but commas":  ",,,;;;",
	"quoted-printable":    "=41=0D=0A=",
	"markup":              "<script>alert(1)</script>&amp;",
	"BEGIN in a value":    `x\nEND:VCARD\nBEGIN:VCARD`,
	"a decomposed umlaut": "u\u0308",
}

// objectsWith are objects that have a value in every place.
func objectsWith(value string) map[string][]byte {
	ical := func(component string) []byte {
		return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:" + component + "\r\nUID:1\r\nSUMMARY:" + value + "\r\nDESCRIPTION:" + value + "\r\nCATEGORIES:" + value +
			",b\r\nX-ALT-DESC;FMTTYPE=text/html:<b>" + value + "</b>\r\nEND:" + component + "\r\nEND:VCALENDAR\r\n")
	}
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nN:" + value + ";" + value + "\r\nFN:" + value + "\r\nTEL;TYPE=CELL:" + value + "\r\nEMAIL:" + value + "\r\nADR;TYPE=HOME:" +
		value + ";;" + value + ";" + value + "\r\nORG:" + value + "\r\nNOTE:" + value + "\r\nCATEGORIES:" + value + "\r\nBDAY:" + value + "\r\nPHOTO;ENCODING=b:" + value +
		"\r\nIMPP:" + value + "\r\nURL:" + value + "\r\nX-SPOUSE:" + value + "\r\nX-CHILD:" + value + "\r\nEND:VCARD\r\n"
	return map[string][]byte{"contacts": []byte(card), "tasks": ical("VTODO"), "notes": ical("VJOURNAL")}
}

var mergers = map[string]func([]byte, eas.Properties, translate.Options) ([]byte, error){"contacts": contact.Merge, "tasks": task.Merge, "notes": note.Merge}

// TestOddValues: a phone is shown clean texts of bounded length, whatever is
// stored, and what it sends back changes nothing.
func TestOddValues(t *testing.T) {
	for name, value := range oddValues {
		t.Run(name, func(t *testing.T) {
			for _, k := range kinds {
				object := objectsWith(value)[k.name]
				for _, v := range []eas.Version{eas.V25, eas.V141, eas.V161} {
					for _, kind := range []translate.BodyType{translate.PlainText, translate.HTML, translate.RTF} {
						o := translate.Options{Version: v, Body: translate.Body{Type: kind, Truncate: 1000}}
						p, err := k.Show(object, o)
						if k.name == "notes" && v < eas.V140 {
							continue
						}
						if err != nil {
							t.Fatal(err)
						}
						checkClean(t, k.name, p)
						if got, err := mergers[k.name](object, p, o); err != nil || string(got) != string(object) {
							t.Errorf("%s, %v: sent back it changed the object: %v\n%.500q", k.name, v, err, got)
						}
					}
				}
			}
		})
	}
}

// maxShown is the length of a property that phones are shown at most in this
// test: their texts are cut at 1000 bytes.
const maxShown = 17 << 10

func checkClean(t *testing.T, class string, es []eas.Element) {
	t.Helper()
	for _, e := range es {
		s := e.Content()
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x01\x1b\x7f\uFFFE\uFFFF") || len(s) > maxShown {
			t.Errorf("%s: a phone is shown %s = %.60q, %d bytes", class, tag.Name(e.Tag), s, len(s))
		}
		checkClean(t, class, e.Children)
	}
}

// TestHugeNote: ten megabytes are shown as far as a phone takes them, and stay.
func TestHugeNote(t *testing.T) {
	huge := strings.Repeat("All work and no play makes Jack a dull boy. ", 10<<20/44)
	for _, k := range kinds {
		object := []byte(strings.Replace(string(objectsWith("x")[k.name]), "NOTE:x", "NOTE:"+huge, 1))
		object = []byte(strings.Replace(string(object), "DESCRIPTION:x", "DESCRIPTION:"+huge, 1))
		o := translate.Options{Version: eas.V141}
		p, err := k.Show(object, o)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := p.Find(tag.AirSyncBaseBody)
		data, _ := eas.Properties(body.Children).Text(tag.AirSyncBaseData)
		if cut, _ := eas.Properties(body.Children).Text(tag.AirSyncBaseTruncated); cut != "1" || len(data) > translate.MaxBody || len(data) < translate.MaxBody-10 {
			t.Errorf("%s: shown are %d bytes, Truncated %q", k.name, len(data), cut)
		}
		for i := range body.Children {
			if body.Children[i].Tag == tag.AirSyncBaseData {
				body.Children[i].Text = "Edited. " + data[8:]
			}
		}
		after, err := mergers[k.name](object, p, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(after) < len(object)-100 || !strings.Contains(string(after), "Edited.") {
			t.Errorf("%s: of %d bytes %d are left", k.name, len(object), len(after))
		}
	}
}
