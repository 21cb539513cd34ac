package translate

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

var contactsBody = BodyTags{Body: tag.ContactsBody, Size: tag.ContactsBodySize, Truncated: tag.ContactsBodyTruncated, RTF: tag.ContactsCompressedRTF}

func body(children ...eas.Element) eas.Properties {
	return eas.Properties{eas.C(tag.AirSyncBaseBody, children...)}
}

func plain(data string) eas.Properties {
	return body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, data))
}

func TestAppendBody(t *testing.T) {
	tests := []struct {
		name, text string
		o          Options
		want       eas.Properties
	}{
		{"plain", "a\nb", Options{}, body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "4"), eas.T(tag.AirSyncBaseData, "a\r\nb"))},
		{"empty", "", Options{}, body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "0"), eas.T(tag.AirSyncBaseData, ""))},
		{"cut on a rune", "äöü", Options{Body: Body{Truncate: 3}},
			body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "6"), eas.T(tag.AirSyncBaseTruncated, "1"), eas.T(tag.AirSyncBaseData, "ä"))},
		{"exactly as long as allowed", "abc", Options{Body: Body{Truncate: 3}},
			body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "3"), eas.T(tag.AirSyncBaseData, "abc"))},
		{"all or none", "abcdef", Options{Body: Body{Truncate: 3, AllOrNone: true}},
			body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "6"), eas.T(tag.AirSyncBaseTruncated, "1"))},
		{"none", "abc", Options{Body: Body{Truncate: -1}},
			body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "3"), eas.T(tag.AirSyncBaseTruncated, "1"))},
		{"omitted", "abc", Options{Body: Body{Omit: true}},
			body(eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "3"), eas.T(tag.AirSyncBaseTruncated, "1"))},
		{"html", "a<b", Options{Body: Body{Type: HTML}},
			body(eas.T(tag.AirSyncBaseType, "2"), eas.T(tag.AirSyncBaseEstimatedDataSize, "32"), eas.T(tag.AirSyncBaseData, "<html><body>a&lt;b</body></html>"))},
		{"2.5", "abc", Options{Version: eas.V25}, eas.Properties{eas.T(tag.ContactsBody, "abc")}},
		{"2.5 cut", "abc", Options{Version: eas.V25, Body: Body{Truncate: 2}},
			eas.Properties{eas.T(tag.ContactsBody, "ab"), eas.T(tag.ContactsBodySize, "3"), eas.T(tag.ContactsBodyTruncated, "1")}},
		{"2.5 empty", "", Options{Version: eas.V25}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := AppendBody(nil, tt.text, tt.o, contactsBody)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestMergeBody(t *testing.T) {
	const long = "The beginning of it, and then a middle, and then the end of it."
	cut := Options{Body: Body{Truncate: 20}}
	tests := []struct {
		name, stored string
		sent         eas.Properties
		o            Options
		want         string
		changed      bool
	}{
		{"absent", "x", nil, Options{}, "x", false},
		{"without data", "x", body(eas.T(tag.AirSyncBaseType, "1")), Options{}, "x", false},
		{"emptied", "x", plain(""), Options{}, "", true},
		{"changed", "x", plain("y\r\nz"), Options{}, "y\nz", true},
		{"other line breaks and blank ends", "x\ny\n", plain("x\ny  "), Options{}, "x\ny\n", false},
		{"cut and sent back", long, plain("The beginning of it,"), cut, long, false},
		{"cut and edited", long, plain("The start of it,"), cut, "The start of it," + long[20:], true},
		{"cut, fetched in full, edited", long, plain("The start" + long[13:]), cut, "The start" + long[13:], true},
		{"cut, fetched in full, sent back", long, plain(long), cut, long, false},
		{"cut, fetched in full, end edited", long, plain(long[:40] + "!"), cut, long[:40] + "!", true},
		{"never shown", long, plain(""), Options{Body: Body{Omit: true}}, long, false},
		{"html unchanged", "a\n b  c", body(eas.T(tag.AirSyncBaseType, "2"), eas.T(tag.AirSyncBaseData, TextToHTML("a\n b  c"))), Options{Body: Body{Type: HTML}}, "a\n b  c", false},
		{"html restyled", "a\nb", body(eas.T(tag.AirSyncBaseType, "2"), eas.T(tag.AirSyncBaseData, "<div>a</div><div><b>b</b></div>")), Options{Body: Body{Type: HTML}}, "a\nb", false},
		{"html to a plain text", "a", body(eas.T(tag.AirSyncBaseType, "2"), eas.T(tag.AirSyncBaseData, "<p>a &amp; b</p>")), Options{}, "a & b", true},
		{"rich text", "a", body(eas.T(tag.AirSyncBaseType, "3"), eas.T(tag.AirSyncBaseData, helloWorld)), Options{}, "hello world", true},
		{"rich text of 2.5", "a", eas.Properties{eas.T(tag.ContactsCompressedRTF, helloWorld)}, Options{Version: eas.V25}, "hello world", true},
		{"rich text that says the same", "hello world", body(eas.T(tag.AirSyncBaseType, "3"), eas.T(tag.AirSyncBaseData, helloWorld)), Options{}, "hello world", false},
		{"2.5", "x", eas.Properties{eas.T(tag.ContactsBody, "y")}, Options{Version: eas.V25}, "y", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed, err := MergeBody(tt.stored, tt.sent, tt.o, contactsBody)
			if err != nil || got != tt.want || changed != tt.changed {
				t.Errorf("got %q, %v, %v; want %q, %v", got, changed, err, tt.want, tt.changed)
			}
		})
	}
	if _, err := NewBody(plain(strings.Repeat("x", MaxBody+1)), Options{}, contactsBody); !errors.Is(err, ErrInvalid) {
		t.Errorf("a text above the limit: error = %v, want %v", err, ErrInvalid)
	}
}

func TestHTMLToText(t *testing.T) {
	tests := []struct{ name, html, want string }{
		{"blocks", "<p>One</p>\n<p>Two<br>Three</p><div>Four</div>", "One\n\nTwo\nThree\n\nFour"},
		{"blanks", "a \n\t b<b> c</b>&nbsp;&nbsp;d", "a b c  d"},
		{"list", "<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc"},
		{"hidden", "<head><title>t</title><style>p{}</style></head><body>x<script>y</script></body>", "x"},
		{"unclosed head", "<head><body>x", "x"},
		{"link", `<a href="https://example.org/">here</a> <a href="https://example.org">https://example.org</a>`, "here (https://example.org/) https://example.org"},
		{"preformatted", "<pre>a\n  b</pre>c", "a\n  b\nc"},
		{"entities", "&lt;&eacute;&#8364;", "<é€"},
		{"no html", "just text", "just text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := HTMLToText(tt.html); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDateTimes(t *testing.T) {
	at := time.Date(2026, 11, 23, 5, 25, 0, 0, time.UTC)
	if got := DateTime(at); got != "2026-11-23T05:25:00.000Z" {
		t.Errorf("DateTime = %s", got)
	}
	if got := CompactDateTime(at); got != "20261123T052500Z" {
		t.Errorf("CompactDateTime = %s", got)
	}
	for _, s := range []string{"2026-11-23T05:25:00.000Z", "20261123T052500Z", "2026-11-23T05:25:00Z", "2026-11-23T05:25:00", "2026-11-23T06:25:00+01:00"} {
		if got, err := ParseDateTime(s); err != nil || !got.Equal(at) {
			t.Errorf("ParseDateTime(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseDateTime("yesterday"); !errors.Is(err, ErrInvalid) {
		t.Errorf("error = %v, want %v", err, ErrInvalid)
	}
}

// FuzzBody: a body that a phone sends back as it got it changes nothing, and
// no text is ever cut inside a rune.
func FuzzBody(f *testing.F) {
	f.Add("äöü\nx  \n\n<b>", uint8(3), true)
	f.Add("", uint8(0), false)
	f.Fuzz(func(t *testing.T, text string, truncate uint8, asHTML bool) {
		o := Options{Body: Body{Truncate: int(truncate)}}
		if asHTML {
			o.Body.Type = HTML
		}
		text = clean(strings.ToValidUTF8(text, ""))
		shown := AppendBody(nil, text, o, contactsBody)
		got, changed, err := MergeBody(text, shown, o, contactsBody)
		if err != nil || changed || got != text {
			t.Errorf("sent back unchanged, got %q, %v, %v; want %q", got, changed, err, text)
		}
		data, _, _ := sentBody(shown, contactsBody)
		if !utf8.ValidString(data) || o.Body.Truncate > 0 && len(data) > o.Body.Truncate {
			t.Errorf("%q is cut wrongly", data)
		}
	})
}

// helloWorld is the first example of [MS-OXRTFCP], section 4.1.1.
const helloWorld = "LQAAACsAAABMWkZ18cXHpwMACgByY3BnMTI1QjIK8yBoZWwJACBidwWwbGR9CoAPoA=="
