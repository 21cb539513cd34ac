package translate

import (
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
type BodyTags struct{ Body, Size, Truncated wbxml.Tag }

// AppendBody appends the text as this phone wants it: an AirSyncBase:Body, or
// the elements of the class in version 2.5. Line breaks of the text are "\n";
// a phone gets "\r\n". An empty text is sent as an empty Body, so that a phone
// takes away what it had; in 2.5 it is left out.
//
// See [MS-ASAIRS] "Body", and [MS-ASTASK] "BodySize" for 2.5.
func AppendBody(ps eas.Properties, text string, o Options, old BodyTags) eas.Properties {
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
		ps = append(ps, eas.T(old.Size, strconv.Itoa(v.size)), eas.T(old.Truncated, "1"))
	}
	return ps
}

// A view is how a text looks on a phone.
type view struct {
	kind   BodyType
	data   string // as much of it as the phone gets
	size   int    // of all of it, in bytes
	cut    bool   // data is not all of it
	absent bool   // there is no data at all, not even empty data
}

func (o Options) view(text string) view {
	v := view{kind: PlainText}
	if o.Body.Type == HTML && o.ProtocolVersion() >= eas.V120 {
		v.kind, v.data = HTML, TextToHTML(text)
	} else {
		v.data = strings.ReplaceAll(text, "\n", "\r\n")
	}
	v.size = len(v.data)
	limit := MaxBody
	switch t := o.Body.Truncate; {
	case o.Body.Omit && o.ProtocolVersion() >= eas.V120, t < 0:
		limit = 0
	case t > 0:
		limit = min(t, MaxBody)
	}
	if v.size > limit {
		v.cut = true
		if limit == 0 || o.Body.AllOrNone {
			v.data, v.absent = "", true
		} else {
			v.data = Truncate(v.data, limit)
		}
	}
	return v
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

// MergeBody tells what text is to be stored when a phone, which was shown the
// stored text by AppendBody with the same options, sends its properties. It
// answers false if the phone changed nothing, and then text is stored.
//
// A phone that sends no body leaves it unchanged: Body is one of the
// properties whose absence never means removal ([MS-ASCMD] "Change"). A phone
// that edited a text of which it holds only the beginning has not removed the
// rest: it is kept.
func MergeBody(stored string, sent eas.Properties, o Options, old BodyTags) (text string, changed bool, err error) {
	data, kind, ok := sentBody(sent, old)
	if !ok {
		return stored, false, nil
	}
	if len(data) > MaxBody {
		return stored, false, fmt.Errorf("%w: a text of %d bytes, the limit is %d", ErrInvalid, len(data), MaxBody)
	}
	data = strings.ToValidUTF8(data, "\uFFFD")
	v := o.view(stored)
	if sameText(data, v.data) {
		return stored, false, nil
	}
	text, shown := clean(data), clean(v.data)
	if kind == HTML {
		text = HTMLToText(data)
	}
	if v.kind == HTML {
		shown = HTMLToText(v.data)
	}
	switch {
	case sameText(text, shown), sameText(text, stored):
		return stored, false, nil
	case v.cut && text == "":
		return stored, false, nil // it never had the text, or not all of it
	case v.cut:
		text = withTail(text, shown, stored)
	}
	return text, true, nil
}

// NewBody is the text of a phone's new item, "" if there is none.
func NewBody(sent eas.Properties, o Options, old BodyTags) (string, error) {
	text, _, err := MergeBody("", sent, o, old)
	return text, err
}

// withTail gives an edit of the beginning of a text the rest of that text,
// unless the edit shows that the phone had fetched all of it.
func withTail(edited, shown, stored string) string {
	if len(shown) > len(stored) || stored[:len(shown)] != shown {
		return edited // HTML cut inside a tag or a word: no telling where
	}
	tail := stored[len(shown):]
	const sign = 12 // bytes: so many in common are no accident
	known := min(sign, len(tail))
	if commonPrefix(edited, stored) >= len(shown)+known || strings.HasSuffix(edited, tail[len(tail)-known:]) {
		return edited
	}
	return edited + tail
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// sentBody finds the text in what a phone sent, in the manner of any version.
func sentBody(sent eas.Properties, old BodyTags) (data string, kind BodyType, ok bool) {
	if body, found := sent.Find(tag.AirSyncBaseBody); found {
		children := eas.Properties(body.Children)
		data, ok = children.Text(tag.AirSyncBaseData)
		t, _ := children.Text(tag.AirSyncBaseType)
		n, _ := strconv.Atoi(t)
		return data, BodyType(n), ok && (n == 0 || n == int(PlainText) || n == int(HTML))
	}
	if old.Body == 0 {
		return "", 0, false
	}
	data, ok = sent.Text(old.Body)
	return data, PlainText, ok
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
func sameText(a, b string) bool {
	return strings.TrimRight(clean(a), " \t\n") == strings.TrimRight(clean(b), " \t\n")
}
