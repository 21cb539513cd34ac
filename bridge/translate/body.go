package translate

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// MaxBody is the length in bytes of the longest text that a phone is shown or
// that we take from one. Exchange's own limit for notes is of that size, and a
// phone's screen is smaller.
const MaxBody = 1 << 20

// BodyTags are the elements that hold a class's text in version 2.5, before
// there was AirSyncBase:Body. A class that came later has none.
type BodyTags struct {
	Body, Size, Truncated wbxml.Tag
	RTF                   wbxml.Tag // CompressedRTF, which is taken and never sent
}

// A Text is the text of an item as it is stored.
type Text struct {
	Plain string // lines end with "\n"
	HTML  string // the same with its looks, "" if it is not stored
}

// words are the text without its looks.
func (t Text) words() string {
	if t.Plain == "" && t.HTML != "" {
		return HTMLToText(t.HTML)
	}
	return t.Plain
}

// AppendBody is AppendText for a text that has no looks.
func AppendBody(ps eas.Properties, text string, o Options, old BodyTags) eas.Properties {
	return AppendText(ps, Text{Plain: text}, o, old)
}

// AppendText appends a text as this phone wants it: an AirSyncBase:Body, or
// the elements of the class in version 2.5. Line breaks of the text are "\n";
// a phone gets "\r\n". An empty text is sent as an empty Body, so that a phone
// takes away what it had; in 2.5 it is left out.
//
// See [MS-ASAIRS] "Body", and [MS-ASTASK] "BodySize" for 2.5.
func AppendText(ps eas.Properties, text Text, o Options, old BodyTags) eas.Properties {
	v := o.view(text)
	if o.ProtocolVersion() < eas.V120 {
		return appendOldBody(ps, v, old)
	}
	body := []eas.Element{
		eas.T(tag.AirSyncBaseType, strconv.Itoa(int(v.kind))),
		eas.T(tag.AirSyncBaseEstimatedDataSize, strconv.Itoa(v.size)),
	}
	if v.cut {
		body = append(body, eas.T(tag.AirSyncBaseTruncated, "1"))
	}
	if !v.absent {
		body = append(body, eas.T(tag.AirSyncBaseData, v.data))
	}
	if preview := o.preview(text, v); preview != "" {
		body = append(body, eas.T(tag.AirSyncBasePreview, preview))
	}
	return append(ps, eas.C(tag.AirSyncBaseBody, body...))
}

func appendOldBody(ps eas.Properties, v view, old BodyTags) eas.Properties {
	if old.Body == 0 || v.size == 0 {
		return ps
	}
	if v.data != "" {
		ps = append(ps, eas.T(old.Body, v.data))
	}
	if v.cut {
		if old.Size != 0 {
			ps = append(ps, eas.T(old.Size, strconv.Itoa(v.size)))
		}
		ps = append(ps, eas.T(old.Truncated, "1"))
	}
	return ps
}

// preview is the beginning of the text for a phone that wants one and does not
// get the text itself in plain.
func (o Options) preview(text Text, v view) string {
	if o.Body.Preview <= 0 || o.ProtocolVersion() < eas.V140 || v.kind == PlainText && !v.absent {
		return ""
	}
	words := strings.Fields(Truncate(text.words(), 8*MaxPreview))
	short := []rune(strings.Join(words, " "))
	return strings.TrimSpace(string(short[:min(len(short), o.Body.Preview, MaxPreview)]))
}

// A view is how a text looks on a phone.
type view struct {
	kind   BodyType
	data   string // as much of it as the phone gets
	size   int    // of all of it, in bytes
	cut    bool   // data is not all of it
	absent bool   // there is no data at all, not even empty data
	words  string // of data; only read after an edit of a text that was cut
}

func (o Options) view(text Text) view {
	v := view{kind: PlainText}
	if t := o.Body.Type; (t == HTML || t == RTF) && o.ProtocolVersion() >= eas.V120 {
		v.kind = t
	}
	v.data = whole(text, v.kind)
	v.size = len(v.data)
	limit := o.bodyLimit()
	if v.size <= limit {
		return v
	}
	v.cut = true
	if limit == 0 || o.Body.AllOrNone {
		v.data, v.absent = "", true
		return v
	}
	v.data, v.words = beginning(text, v.kind, v.data, limit)
	return v
}

// bodyLimit is how many bytes of a text a phone gets at most.
func (o Options) bodyLimit() int {
	switch t := o.Body.Truncate; {
	case o.Body.Omit && o.ProtocolVersion() >= eas.V120, t < 0:
		return 0
	case t > 0:
		return min(t, MaxBody)
	}
	return MaxBody
}

// whole writes all of a text in a form.
func whole(text Text, kind BodyType) string {
	switch {
	case kind == HTML && text.HTML != "":
		return text.HTML
	case kind == HTML:
		return TextToHTML(text.Plain)
	case kind == RTF:
		return encodeRTF(text.words())
	}
	return strings.ReplaceAll(text.words(), "\n", "\r\n")
}

// beginning writes at most so many bytes of a text in a form, and answers the
// words that are in them. The cut is never inside a rune, a tag or an entity.
func beginning(text Text, kind BodyType, all string, limit int) (data, words string) {
	switch {
	case kind == HTML && text.HTML != "":
		data = truncateHTML(all, limit)
		return data, HTMLToText(data)
	case kind == HTML:
		words = text.Plain[:fitting(text.Plain, limit-len(htmlStart)-len(htmlEnd), htmlLength)]
		if words == "" {
			return "", ""
		}
		return TextToHTML(words), words
	case kind == RTF:
		words = text.words()
		words = words[:fitting(words, base64.StdEncoding.DecodedLen(limit)-rtfOverhead, rtfLength)]
		return encodeRTF(words), words
	}
	data = Truncate(all, limit)
	return data, clean(data)
}

// fitting is how much of a text fits into so many bytes, if each of its runes
// takes as much as length says.
func fitting(text string, room int, length func(rune) int) int {
	for i, r := range text {
		if room -= length(r); room < 0 {
			return i
		}
	}
	return len(text)
}

// Truncate cuts a text after at most n bytes, on a rune boundary and not
// inside a "\r\n".
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSuffix(s[:n], "\r")
}

// MergeBody is MergeText for a text that is stored without looks: those that a
// phone gives it are not kept.
func MergeBody(stored string, sent eas.Properties, o Options, old BodyTags) (text string, changed bool, err error) {
	t, _, err := MergeText(Text{Plain: stored}, sent, o, old)
	return t.Plain, t.Plain != stored, err
}

// MergeText tells what text is to be stored when a phone, which was shown the
// stored text by AppendText with the same options, sends its properties. It
// answers false if the phone changed nothing, and then text is stored.
//
// A phone that sends no body leaves it unchanged: Body is one of the
// properties whose absence never means removal ([MS-ASCMD] "Change"). A phone
// that edited a text of which it holds only the beginning has not removed the
// rest: it is kept. The error is ErrInvalid.
func MergeText(stored Text, sent eas.Properties, o Options, old BodyTags) (text Text, changed bool, err error) {
	s, ok, err := readBody(sent, old)
	if !ok || err != nil {
		return stored, false, err
	}
	v := o.view(stored)
	if s.kind == v.kind && sameText(s.data, v.data) {
		return stored, false, nil
	}
	all := stored.words()
	if v.kind == HTML && stored.HTML != "" {
		all = HTMLToText(stored.HTML)
	}
	shown := all
	if v.cut {
		shown = v.words
	}
	switch {
	case sameText(s.words, shown), sameText(s.words, all), sameText(s.words, stored.words()):
		return relook(stored, v, s, sameText(s.words, all))
	case v.cut && strings.TrimSpace(s.words) == "":
		return stored, false, nil // it never had the text, or not all of it
	case v.cut:
		joined, full, ok := withTail(s.words, shown, all)
		if !ok {
			return stored, false, fmt.Errorf("%w: an edit of a text of which the phone has only the beginning", ErrInvalid)
		}
		if !full {
			return Text{Plain: joined}, true, nil
		}
	}
	text = Text{Plain: s.words}
	if s.kind == HTML && (stored.HTML != "" || looks(s.data) != looks(TextToHTML(s.words))) {
		text.HTML = s.data
	}
	return text, true, nil
}

// relook takes an edit that changed no word: it may have changed their looks.
func relook(stored Text, v view, s sentText, full bool) (Text, bool, error) {
	before := TextToHTML(s.words) // a phone that was not shown the looks can only add some
	switch {
	case s.kind != HTML, v.cut && !full:
		return stored, false, nil
	case v.kind == HTML:
		before = whole(stored, HTML)
	}
	if looks(s.data) == looks(before) {
		return stored, false, nil
	}
	return Text{Plain: stored.words(), HTML: s.data}, true, nil
}

// NewBody is the text of a phone's new item, "" if there is none.
func NewBody(sent eas.Properties, o Options, old BodyTags) (string, error) {
	text, _, err := MergeBody("", sent, o, old)
	return text, err
}

// A sentText is a text that a phone sent.
type sentText struct {
	kind  BodyType
	data  string // as it came
	words string
}

// readBody finds the text in what a phone sent, in the manner of any version.
func readBody(sent eas.Properties, old BodyTags) (s sentText, ok bool, err error) {
	if s.data, s.kind, ok = sentBody(sent, old); !ok {
		return s, false, nil
	}
	if len(s.data) > MaxBody {
		return s, false, fmt.Errorf("%w: a text of %d bytes, the limit is %d", ErrInvalid, len(s.data), MaxBody)
	}
	switch s.kind {
	case RTF:
		s.words, err = decodeRTF(s.data)
	case HTML:
		s.data = strings.ToValidUTF8(s.data, "\uFFFD")
		s.words = HTMLToText(s.data)
	case PlainText:
		s.data = strings.ToValidUTF8(s.data, "\uFFFD")
		s.words = clean(s.data)
	default:
		err = fmt.Errorf("%w: a body of type %d", ErrInvalid, s.kind)
	}
	return s, err == nil, err
}

func sentBody(sent eas.Properties, old BodyTags) (data string, kind BodyType, ok bool) {
	if body, found := sent.Find(tag.AirSyncBaseBody); found {
		children := eas.Properties(body.Children)
		data, ok = children.Text(tag.AirSyncBaseData)
		t, _ := children.Text(tag.AirSyncBaseType)
		n, err := strconv.Atoi(strings.TrimSpace(t))
		if err != nil {
			n = int(PlainText)
		}
		return data, BodyType(n), ok
	}
	if old.Body == 0 {
		return "", 0, false
	}
	if data, ok = sent.Text(old.Body); ok {
		return data, PlainText, true
	}
	if data, ok = sent.Text(old.RTF); ok && old.RTF != 0 && data != "" {
		return data, RTF, true
	}
	return "", 0, false
}

// clean gives a text our line breaks.
func clean(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// sameText compares as a person would: phones drop blank ends and change line
// breaks.
func sameText(a, b string) bool { return trimEnd(clean(a)) == trimEnd(clean(b)) }

func trimEnd(s string) string { return strings.TrimRight(s, " \t\n") }
