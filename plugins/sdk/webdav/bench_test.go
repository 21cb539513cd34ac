package webdav_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const benchItems = 10_000

// manyCards is what a server says of 10,000 cards of some 700 bytes.
func manyCards(withData bool) (string, []string) {
	data := strings.ReplaceAll("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ann\r\nNOTE:"+strings.Repeat("some words ", 55)+"\r\nEND:VCARD\r\n", "\r", "&#13;")
	var b strings.Builder
	ids := make([]string, benchItems)
	for n := range ids {
		ids[n] = fmt.Sprintf("card-%05d.vcf", n)
		if withData {
			b.WriteString(card(book+ids[n], `"0123456789abcdef0123456789abcdef"`, data))
		} else {
			b.WriteString(item(book+ids[n], `"0123456789abcdef0123456789abcdef"`))
		}
	}
	return b.String() + token("t1"), ids
}

func BenchmarkChanges(b *testing.B) {
	inside, _ := manyCards(false)
	c := serve(b, script{"REPORT " + book: multistatus(inside)}).client(b, "/")
	b.SetBytes(int64(len(inside)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := c.Changes(b.Context(), book, "", nil, func(batch []backend.Change) error {
			n += len(batch)
			return nil
		})
		if err != nil || n != benchItems {
			b.Fatalf("%d changes, %v", n, err)
		}
	}
}

// BenchmarkMultistatusWithData reads 10,000 whole cards out of one document.
func BenchmarkMultistatusWithData(b *testing.B) {
	inside, _ := manyCards(true)
	doc := `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">` + inside + `</d:multistatus>`
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := dav.ReadMultistatus(strings.NewReader(doc), func(*dav.Response) error { n++; return nil })
		if err != nil || n != benchItems {
			b.Fatalf("%d responses, %v", n, err)
		}
	}
}

// BenchmarkMultiGet reads 10,000 cards in as many requests as that takes.
func BenchmarkMultiGet(b *testing.B) {
	_, ids := manyCards(false)
	data := strings.ReplaceAll(ann, "\r\n", "&#13;\n")
	c := serve(b, script{"REPORT " + book: func(w http.ResponseWriter, _ *http.Request, body string) {
		w.WriteHeader(http.StatusMultiStatus)
		io.WriteString(w, `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav">`)
		for _, part := range strings.Split(body, "<D:href>")[1:] {
			href, _, _ := strings.Cut(part, "<")
			io.WriteString(w, card(href, `"1"`, data))
		}
		io.WriteString(w, `</d:multistatus>`)
	}}).client(b, "/")
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := c.MultiGet(b.Context(), book, ids, func(r dav.Raw) error { n++; return r.Err })
		if err != nil || n != benchItems {
			b.Fatalf("%d items, %v", n, err)
		}
	}
}
