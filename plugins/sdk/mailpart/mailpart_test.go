package mailpart_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/mailpart"
)

func crlf(text string) []byte { return []byte(strings.ReplaceAll(text, "\n", "\r\n")) }

var message = crlf(`From: a@example.org
Subject: =?utf-8?q?F=C3=A4rne?=
Content-Type: multipart/mixed;
 boundary="a b"

preamble
--a b
Content-Type: multipart/alternative; boundary=i

--i

plain text
--i
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable

<p>h=C3=BChner</p>
--i--
--a bc
is no boundary
--a b  
Content-Type: image/png
Content-Disposition: ATTACHMENT; filename=x

base64
--a b
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=z

--z

deep
--z--

--a b--
epilogue
`)

func describe(p *mailpart.Part, message []byte) string {
	out := fmt.Sprintf("%s %s %t %q\n", p.Path, p.Type, p.Attachment, message[p.Body:p.End])
	if !p.IsLeaf() {
		out = fmt.Sprintf("%s %s\n", p.Path, p.Type)
	}
	for _, part := range p.Parts {
		out += describe(part, message)
	}
	return out
}

func TestParse(t *testing.T) {
	want := ` multipart/mixed
1 multipart/alternative
1.1 text/plain false "plain text"
1.2 text/html false "<p>h=C3=BChner</p>"
2 image/png true "base64"
3 message/rfc822 false "Subject: inner\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\ndeep\r\n--z--\r\n"
`
	if got := describe(mailpart.Parse(message), message); got != want {
		t.Errorf("Parse:\n%swant\n%s", got, want)
	}
}

func TestFind(t *testing.T) {
	for path, want := range map[string]string{
		"": string(message), "1.1": "plain text", "2": "base64", "3.1": "deep", "4": "none", "1.3": "none", "2.1": "none", "x": "none", "0": "none", "3.1.1": "none",
	} {
		start, end, ok := mailpart.Find(message, path)
		if got := string(message[start:end]); !ok && want != "none" || ok && got != want {
			t.Errorf("Find(%q) = %q, %t; want %q", path, got, ok, want)
		}
	}
	plain := crlf("Subject: x\n\nbody\n")
	if start, end, ok := mailpart.Find(plain, "1"); !ok || string(plain[start:end]) != "body\r\n" {
		t.Errorf("part 1 of a message that is no multipart is %q, %t", plain[start:end], ok)
	}
}

func TestPlan(t *testing.T) {
	text := func(size int64) mailpart.Leaf { return mailpart.Leaf{Type: "text/plain", Size: size} }
	file := func(size int64) mailpart.Leaf {
		return mailpart.Leaf{Type: "text/plain", Attachment: true, Size: size}
	}
	calendar := func(size int64) mailpart.Leaf { return mailpart.Leaf{Type: "text/calendar", Size: size} }
	for _, test := range []struct {
		name  string
		give  []mailpart.Leaf
		limit int64
		want  []int64
	}{
		{"everything fits", []mailpart.Leaf{text(10), file(20)}, 30, []int64{10, 20}},
		{"a file does not", []mailpart.Leaf{text(10), file(21), file(5)}, 30, []int64{10, 0, 5}},
		{"texts share", []mailpart.Leaf{text(100), text(4)}, 20, []int64{16, 4}},
		{"two large texts", []mailpart.Leaf{text(100), text(100)}, 20, []int64{10, 10}},
		{"a calendar goes first", []mailpart.Leaf{text(100), calendar(15)}, 20, []int64{5, 15}},
		{"a calendar is whole or not there", []mailpart.Leaf{text(100), calendar(25)}, 20, []int64{20, 0}},
		{"nothing", nil, 10, []int64{}},
	} {
		if got := mailpart.Plan(test.give, test.limit); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: Plan = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestMatches(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		q    backend.Query
		want bool
	}{
		{backend.Query{}, true},
		{backend.Query{Subject: "färn"}, true},
		{backend.Query{Subject: "FÄRNE", From: "A@EXAMPLE"}, true},
		{backend.Query{Text: "hühner"}, true},
		{backend.Query{Text: "base64"}, false},
		{backend.Query{To: "a@"}, false},
		{backend.Query{Since: now}, true},
		{backend.Query{Since: now.Add(time.Second)}, false},
		{backend.Query{Before: now}, false},
	} {
		if got := mailpart.Matches(message, now, test.q); got != test.want {
			t.Errorf("Matches(%+v) = %t", test.q, got)
		}
	}
}

// FuzzHollow tries that a hollow message has the parts of the whole one with
// the same headers, and no more bytes in its leaves than were asked for.
func FuzzHollow(f *testing.F) {
	f.Add(message, uint16(10))
	f.Add([]byte("Content-Type: multipart/a; boundary=b\n\n--b\n\nx\n--b\n--b--"), uint16(3))
	f.Fuzz(func(t *testing.T, message []byte, limit uint16) {
		body, left := mailpart.Hollow(message, int(limit))
		if limit == 0 {
			if body != nil {
				t.Error("a limit of nothing answers something")
			}
			return
		}
		if len(left) == 0 {
			if !bytes.Equal(body, message) {
				t.Errorf("nothing is left out, and the message is another one")
			}
			return
		}
		kept, leaves := 0, mailpart.Parse(message).Leaves()
		for _, p := range leaves {
			size := p.End - p.Body
			for _, l := range left {
				if l.Path == p.Path {
					if l.Encoded != int64(size) || l.Kept >= l.Encoded || l.Kept < 0 {
						t.Errorf("part %s of %d bytes: %+v", p.Path, size, l)
					}
					size = int(l.Kept)
				}
			}
			kept += size
		}
		if kept > int(limit) {
			t.Errorf("the leaf parts have %d bytes, want at most %d", kept, limit)
		}
		whole := len(message)
		for _, l := range left {
			whole -= int(l.Encoded - l.Kept)
		}
		if len(body) != whole {
			t.Errorf("the hollow message has %d bytes, want %d", len(body), whole)
		}
	})
}
