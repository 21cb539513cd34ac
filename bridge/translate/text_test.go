package translate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

func sentAs(kind BodyType, data string) eas.Properties {
	return body(eas.T(tag.AirSyncBaseType, fmt.Sprint(int(kind))), eas.T(tag.AirSyncBaseData, data))
}

func TestMergeText(t *testing.T) {
	const bold = "<html><body>a <b>bold</b> word</body></html>"
	asHTML := Options{Body: Body{Type: HTML}}
	cut := Options{Body: Body{Type: HTML, Truncate: 22}}
	tests := []struct {
		name    string
		stored  Text
		sent    eas.Properties
		o       Options
		want    Text
		changed bool
	}{
		{"HTML as it was", Text{"a bold word", bold}, sentAs(HTML, bold), asHTML, Text{"a bold word", bold}, false},
		{"HTML written anew by a program", Text{"a bold word", bold}, sentAs(HTML, "<div>a <strong>bold</strong>\r\n word</div>"), asHTML, Text{"a bold word", bold}, false},
		{"another word in HTML", Text{"a bold word", bold}, sentAs(HTML, "a <b>bold</b> move"), asHTML, Text{"a bold move", "a <b>bold</b> move"}, true},
		{"other looks", Text{"a bold word", bold}, sentAs(HTML, "a bold <i>word</i>"), asHTML, Text{"a bold word", "a bold <i>word</i>"}, true},
		{"first looks", Text{"a word", ""}, sentAs(HTML, "a <b>word</b>"), asHTML, Text{"a word", "a <b>word</b>"}, true},
		{"HTML without looks of its own", Text{"a word", ""}, sentAs(HTML, "<div>another word</div>"), asHTML, Text{"another word", ""}, true},
		{"plain text of HTML", Text{"a bold word", bold}, sentAs(PlainText, "a bold word"), Options{}, Text{"a bold word", bold}, false},
		{"an edit in plain of HTML", Text{"a bold word", bold}, sentAs(PlainText, "a bold move"), Options{}, Text{"a bold move", ""}, true},
		{"HTML alone, shown in plain", Text{"", bold}, sentAs(PlainText, "a bold word"), Options{}, Text{"", bold}, false},
		{"HTML cut and sent back", Text{"a bold word", bold}, sentAs(HTML, "<html><body>a <b>bold"), cut, Text{"a bold word", bold}, false},
		{"HTML cut and edited", Text{"a bold word", bold}, sentAs(HTML, "<html><body>the <b>bold"), cut, Text{"the bold word", ""}, true},
		{"HTML cut, fetched in full, edited", Text{"a bold word", bold}, sentAs(HTML, "the <b>bold</b> word"), cut, Text{"the bold word", "the <b>bold</b> word"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed, err := MergeText(tt.stored, tt.sent, tt.o, contactsBody)
			if err != nil || got != tt.want || changed != tt.changed {
				t.Errorf("got %q, %v, %v; want %q, %v", got, changed, err, tt.want, tt.changed)
			}
		})
	}
}

func TestRefusedBodies(t *testing.T) {
	for name, sent := range map[string]eas.Properties{
		"MIME":                             sentAs(MIME, "Subject: x\r\n\r\ny"),
		"rich text that is no base64":      sentAs(RTF, "{\\rtf1 x}"),
		"rich text without a header":       sentAs(RTF, "AAAA"),
		"rich text that says it is huge":   sentAs(RTF, "LQAAAP///39MWkZ18cXHpwMACgByY3BnMTI1"),
		"rich text compressed in no way":   sentAs(RTF, "LQAAACsAAABBQUFB8cXHpwMACgByY3BnMTI1"),
		"an HTML document above the limit": sentAs(HTML, strings.Repeat("x", MaxBody+1)),
	} {
		t.Run(name, func(t *testing.T) {
			if got, _, err := MergeText(Text{Plain: "kept"}, sent, Options{}, contactsBody); !errors.Is(err, ErrInvalid) || got.Plain != "kept" {
				t.Errorf("got %q, %v, want ErrInvalid", got, err)
			}
		})
	}
}

func TestPreview(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"of HTML", Options{Body: Body{Type: HTML, Preview: 9}}, "one two ü"},
		{"of a text that is left out", Options{Body: Body{Truncate: -1, Preview: 255}}, "one two üthree"},
		{"not beside the plain text", Options{Body: Body{Preview: 9}}, ""},
		{"not before 14.0", Options{Version: eas.V121, Body: Body{Type: HTML, Preview: 9}}, ""},
		{"not unless it is wanted", Options{Body: Body{Type: HTML}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ps := AppendBody(nil, "one\n\n two üthree", tt.o, contactsBody)
			if got, _ := eas.Properties(ps[0].Children).Text(tag.AirSyncBasePreview); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRTF(t *testing.T) {
	for name, tt := range map[string]struct{ rtf, want string }{
		"paragraphs":              {`{\rtf1\ansi one\par two\line three\par}`, "one\ntwo\nthree"},
		"hidden destinations":     {`{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator x;}{\stylesheet{\s0 y;}}{\b bold} text}`, "bold text"},
		"characters":              {`{\rtf1\ansi \'e4\u8364?\emdash  \~\{\\\}}`, "ä€— {\\}"[:len("ä€—")] + "  {\\}"},
		"a pair of surrogates":    {`{\rtf1\uc1 \u-10179?\u-8704?}`, "😀"},
		"two for old readers":     {`{\rtf1\uc2 \u228 xxb}`, "äb"},
		"an end before its group": {`}}{\rtf1 x`, "x"},
		"binary data":             {`{\rtf1 a{\pict\bin3 }}}}b}`, "ab"},
		"no rich text":            {"just text", "just text"},
		"a lone surrogate":        {`{\rtf1 a\u-10179?b}`, "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := RTFToText(tt.rtf); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if len(rtfInitial) != 207 {
		t.Errorf("the dictionary begins with %d bytes, want 207", len(rtfInitial))
	}
}

// odd are texts that have broken something somewhere.
var odd = []string{
	"", " ", "\n", "a", "  two blanks  and\n   more\n\n\n", "äöü €uro \u00a0", "👩‍👩‍👧‍👦 family 🏳️‍🌈", "<b>not & bold</b> &amp; &lt;", "C:\\new {x}", "tab\there",
	"a\u2028b\u0085c", strings.Repeat("long word ", 300), strings.Repeat("x", 5000), strings.Repeat("👍", 700), "\ufeffbom", "x\uFFFD",
}

// TestTextsInAllForms: whatever the text, the form and the room, a phone gets
// no more than it has room for, whole characters, and what it sends back
// changes nothing.
func TestTextsInAllForms(t *testing.T) {
	for i, text := range odd {
		for _, kind := range []BodyType{PlainText, HTML, RTF} {
			for _, limit := range []int{0, -1, 1, 8, 27, 40, 100, 500, 1000} {
				o := Options{Body: Body{Type: kind, Truncate: limit}}
				ps := AppendBody(nil, text, o, contactsBody)
				data, got, ok := sentBody(ps, contactsBody)
				if ok && (got != kind || !utf8.ValidString(data) || limit > 0 && len(data) > limit) {
					t.Errorf("text %d in form %d, cut at %d: form %d, %d bytes", i, kind, limit, got, len(data))
				}
				if after, changed, err := MergeBody(text, ps, o, contactsBody); err != nil || changed || after != text {
					t.Errorf("text %d in form %d, cut at %d: sent back it became %q, %v", i, kind, limit, after, err)
				}
			}
		}
		if got := RTFToText(TextToRTF(text)); strings.TrimRight(got, " \n") != strings.TrimRight(strings.NewReplacer("\ufeff", "\ufeff").Replace(text), " \n") {
			t.Errorf("text %d as rich text and back: %q", i, got)
		}
	}
}

// TestNoEditCutsTheText: a phone that has only the beginning of a text and
// edits that never takes away anything of the rest.
func TestNoEditCutsTheText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"one", "two ", "drei\n", "<b>", "&", "  ", "ü", "👍", "\n\n", "a longer word", "\t", "{", "\\"}
	for range 3000 {
		var b strings.Builder
		for range 5 + r.IntN(40) {
			b.WriteString(words[r.IntN(len(words))])
		}
		text := b.String()
		kind := []BodyType{PlainText, HTML, RTF}[r.IntN(3)]
		o := Options{Body: Body{Type: kind, Truncate: 1 + r.IntN(300)}}
		v := o.view(Text{Plain: text})
		if !v.cut {
			continue
		}
		edit := "QQ" + v.words
		sent := sentAs(kind, map[BodyType]func(string) string{PlainText: clean, HTML: TextToHTML, RTF: encodeRTF}[kind](edit))
		got, changed, err := MergeBody(text, sent, o, contactsBody)
		if err != nil || !changed {
			t.Fatalf("%q, form %d, cut at %d: %v, changed %v", text, kind, o.Body.Truncate, err, changed)
		}
		if dense(got) != "QQ"+dense(text) {
			t.Fatalf("%q, form %d, cut at %d, became %q", text, kind, o.Body.Truncate, got)
		}
	}
}

// dense is a text without its blanks, which HTML has not all of.
func dense(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// FuzzRTF: whatever a phone sends as rich text is refused or read, within the
// limit, and what we write is read as it was.
func FuzzRTF(f *testing.F) {
	f.Add(helloWorld, "hello\nworld {\\} ü👍")
	f.Add("{\\rtf1 \\u-10179?\\'e}", "")
	f.Fuzz(func(t *testing.T, data, text string) {
		if words, err := decodeRTF(data); err == nil && len(words) > 4*MaxBody || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%d bytes, %v", len(words), err)
		}
		RTFToText(data)
		text = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r == utf8.RuneError || r == 0x7F {
				return -1
			}
			return r
		}, strings.ToValidUTF8(text, ""))
		if got := RTFToText(TextToRTF(text)); got != strings.TrimRight(text, " \n") {
			t.Errorf("%q became %q", text, got)
		}
	})
}
