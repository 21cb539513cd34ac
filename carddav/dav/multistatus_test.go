package dav

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
)

// read gathers all responses as text, so that results can be compared.
func read(r io.Reader) (string, error) {
	var b strings.Builder
	token, err := ReadMultistatus(r, func(r *Response) error {
		fmt.Fprintf(&b, "%q %d %v %+v\n", r.Href, r.Status, r.Precondition, r.Properties)
		return nil
	})
	return b.String() + token, err
}

const sound = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment --><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
 <D:responsedescription>none of this matters</D:responsedescription>
 <D:response><D:href>
   /a/%C3%A4&amp;.ics </D:href>
  <D:propstat><D:status>HTTP/1.1 200 OK</D:status>
   <D:prop><D:getetag>"a&quot;b"</D:getetag><C:calendar-data><![CDATA[BEGIN:VCALENDAR
X:<&>]]>&#13;
END:VCALENDAR</C:calendar-data>
   <C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:propstat>
  <D:propstat><D:prop><D:displayname/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
 </D:response>
 <response xmlns="DAV:"><href>/a/gone.ics</href><status>HTTP/1.0 404</status><error><number-of-matches-within-limits/></error></response>
 <D:sync-token> http://x/1 </D:sync-token>
</D:multistatus>
`

func TestReadMultistatus(t *testing.T) {
	var got []Response
	token, err := ReadMultistatus(strings.NewReader(sound), func(r *Response) error {
		own := *r
		own.Properties = slices.Clone(r.Properties)
		got = append(got, own)
		return nil
	})
	if err != nil || token != "http://x/1" || len(got) != 2 {
		t.Fatalf("%d responses, token %q, %v", len(got), token, err)
	}
	first, second := &got[0], &got[1]
	if first.Href != "/a/%C3%A4&.ics" || first.ETag() != `"a"b"` {
		t.Errorf("href %q, etag %q", first.Href, first.ETag())
	}
	const caldav = "urn:ietf:params:xml:ns:caldav"
	if data, _ := first.Get(caldav, "calendar-data"); data.Text != "BEGIN:VCALENDAR\nX:<&>\r\nEND:VCALENDAR" {
		t.Errorf("calendar-data %q", data.Text)
	}
	set, _ := first.Get(caldav, "supported-calendar-component-set")
	if want := []Element{{Name(caldav, "comp"), "VEVENT", ""}, {Name(caldav, "comp"), "VTODO", ""}}; !reflect.DeepEqual(set.Elements, want) {
		t.Errorf("components %v", set.Elements)
	}
	if _, ok := first.Get(DAV, "displayname"); ok {
		t.Error("a property that is 404 is there")
	}
	if second.Status != 404 || second.Precondition.Local != "number-of-matches-within-limits" || len(second.Properties) > 0 {
		t.Errorf("second response %+v", second)
	}
}

func TestCharsets(t *testing.T) {
	text := `<multistatus xmlns="DAV:"><response><href>/x</href><propstat><prop><displayname>Zoë</displayname></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`
	latin, err := charmap.ISO8859_1.NewEncoder().String(`<?xml version="1.0" encoding="iso-8859-1"?>` + text)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{"utf-8": `<?xml version="1.0" encoding="Utf-8"?>` + text, "none": text, "latin1": latin} {
		if got, err := read(strings.NewReader(doc)); err != nil || !strings.Contains(got, "Zoë") {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := read(strings.NewReader(`<?xml version="1.0" encoding="klingon"?>` + text)); err == nil {
		t.Error("an unknown charset is no error")
	}
}

func TestRefusedDocuments(t *testing.T) {
	inside := func(s string) string { return `<multistatus xmlns="DAV:">` + s + `</multistatus>` }
	for _, tc := range []struct{ name, doc string }{
		{"another root", `<html/>`},
		{"a root of another namespace", `<multistatus/>`},
		{"no href", inside(`<response><status>HTTP/1.1 200 OK</status></response>`)},
		{"two hrefs", inside(`<response><href>/a</href><href>/b</href><status>HTTP/1.1 200 OK</status></response>`)},
		{"not a status", inside(`<response><href>/a</href><status>fine</status></response>`)},
		{"a status out of range", inside(`<response><href>/a</href><status>HTTP/1.1 7</status></response>`)},
		{"a propstat without status", inside(`<response><href>/a</href><propstat><prop><getetag>1</getetag></prop></propstat></response>`)},
		{"too deep", inside(`<response><href>/a</href>` + strings.Repeat("<x>", 40) + strings.Repeat("</x>", 40) + `</response>`)},
		{"too deep beside responses", inside(strings.Repeat("<x>", 40) + strings.Repeat("</x>", 40))},
		{"too many elements", inside(`<response><href>/a</href><propstat><prop><x>` + strings.Repeat("<y/>", maxElements+1) + `</x></prop><status>HTTP/1.1 200 OK</status></propstat></response>`)},
		{"too many properties", inside(`<response><href>/a</href><propstat><prop>` + strings.Repeat("<y/>", maxElements+1) + `</prop><status>HTTP/1.1 200 OK</status></propstat></response>`)},
		{"wrong nesting", inside(`<response></href></response>`)},
		{"an unknown entity", inside(`<response><href>&evil;</href></response>`)},
		{"its own entity", `<!DOCTYPE x [<!ENTITY evil "x">]>` + inside(`<response><href>&evil;</href></response>`)},
	} {
		_, err := read(strings.NewReader(tc.doc))
		if _, ok := errors.AsType[*SyntaxError](err); !ok {
			t.Errorf("%s: error = %v (%T), want a *SyntaxError", tc.name, err, err)
		}
	}
}

func TestOneResponseTooBig(t *testing.T) {
	const limit = 64 << 10
	skip := func(*Response) error { return nil }
	endless := io.MultiReader(strings.NewReader(`<multistatus xmlns="DAV:"><response><href>/a</href><x>`), zeros{})
	if _, err := readMultistatus(endless, limit, skip); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error = %v, want %v", err, ErrTooLarge)
	}
	many := `<multistatus xmlns="DAV:">` + strings.Repeat(`<response><href>/a</href><status>HTTP/1.1 404</status></response>`, limit/10) + `</multistatus>`
	if _, err := readMultistatus(strings.NewReader(many), limit, skip); err != nil {
		t.Errorf("many small responses: %v", err)
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestBrokenConnection(t *testing.T) {
	broken := errors.New("broken")
	for at := range len(sound) {
		_, err := read(io.MultiReader(strings.NewReader(sound[:at]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Fatalf("broken after %d bytes: error = %v", at, err)
		}
	}
}

// FuzzMultistatus: however a document arrives in pieces the result is the
// same, and a document that is cut is an error, never a shorter list.
func FuzzMultistatus(f *testing.F) {
	f.Add([]byte(sound), uint(3))
	f.Add([]byte(`<multistatus xmlns="DAV:"/>`), uint(1))
	f.Add([]byte(`<?xml version="1.0" encoding="iso-8859-1"?><multistatus xmlns="DAV:"><response><href>`+"\xe4"+`</href><status>HTTP/1.1 404</status></response></multistatus>`), uint(9))
	f.Fuzz(func(t *testing.T, doc []byte, at uint) {
		want, wantErr := read(bytes.NewReader(doc))
		for name, r := range map[string]io.Reader{
			"one byte at a time": iotest.OneByteReader(bytes.NewReader(doc)),
			"halves":             iotest.HalfReader(bytes.NewReader(doc)),
			"data with the end":  iotest.DataErrReader(bytes.NewReader(doc)),
		} {
			got, err := read(r)
			if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s: %q, %v; want %q, %v", name, got, err, want, wantErr)
			}
		}
		if wantErr != nil {
			return
		}
		// What is behind the root's end does not belong to the document.
		end := bytes.LastIndexByte(doc, '>')
		if rootEnd := bytes.LastIndex(doc, []byte("multistatus")); rootEnd >= 0 && bytes.IndexByte(doc[rootEnd:], '>') >= 0 {
			end = min(end, rootEnd)
		}
		if cut := int(at % uint(len(doc))); cut < end {
			if got, err := read(bytes.NewReader(doc[:cut])); err == nil && !complete(doc[:cut]) {
				t.Errorf("cut after %d of %d bytes: %q and no error", cut, len(doc), got)
			}
		}
	})
}

// complete tells, by other means than the reader, whether a document has its
// root's end: the number of beginnings and ends of elements is the same.
func complete(doc []byte) bool {
	depth, begun := 0, false
	for len(doc) > 0 {
		open := bytes.IndexByte(doc, '<')
		if open < 0 {
			return false
		}
		doc = doc[open:]
		for _, special := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}} {
			if bytes.HasPrefix(doc, []byte(special[0])) {
				end := bytes.Index(doc, []byte(special[1]))
				if end < 0 {
					return false
				}
				doc = doc[end:]
				goto next
			}
		}
		switch end := tagEnd(doc); {
		case end < 0:
			return false
		case doc[1] == '/':
			depth--
			doc = doc[end:]
		default:
			begun = true
			if doc[end-1] != '/' {
				depth++
			}
			doc = doc[end:]
		}
		if begun && depth == 0 {
			return true
		}
	next:
	}
	return false
}

// tagEnd finds the '>' of a tag, outside of its quotes.
func tagEnd(doc []byte) int {
	var quote byte
	for i, c := range doc {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// TestCutAnywhere cuts one document at every byte.
func TestCutAnywhere(t *testing.T) {
	end := strings.LastIndex(sound, "</D:multistatus>") + len("</D:multistatus>")
	for at := range end {
		if _, err := read(strings.NewReader(sound[:at])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut after %d bytes: error = %v, want one that is io.ErrUnexpectedEOF", at, err)
		}
	}
}
