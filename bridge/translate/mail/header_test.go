package mail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// TestSubjects: RFC 2047 as programs write it, and raw bytes.
func TestSubjects(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"ASCII", "Hello", "Hello"},
		{"folded", "Hello\r\n  world", "Hello world"},
		{"Q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"},
		{"B", "=?ISO-8859-1?B?R3L832U=?=", "Grüße"},
		{"B without padding", "=?ISO-8859-1?B?R3L832U?=", "Grüße"},
		{"in the middle", "a =?utf-8?q?=C3=BC?= b", "a ü b"},
		{"two words make one", "=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"a character in two words", "=?utf-8?b?w7w=?=\r\n =?utf-8?b?ww==?= =?utf-8?b?n2U=?=", "üße"},
		{"blanks in a word", "=?utf-8?Q?two words?=", "two words"},
		{"no blank between words", "=?utf-8?q?a?==?iso-8859-1?q?=FC?=", "aü"},
		{"a language", "=?utf-8*en?q?hello?=", "hello"},
		{"Japanese", "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"Korean by its old name", "=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"},
		{"a code page", "=?cp1251?Q?=EF=F0=E8=E2=E5=F2?=", "привет"},
		{"a charset that nobody knows", "=?x-none?Q?=FC?=", "ü"},
		{"UTF-7", "=?utf-7?Q?Gr+APwA3w-e?=", "Grüße"},
		{"raw UTF-8", "Grüße", "Grüße"},
		{"raw Latin", "Gr\xfc\xdfe", "Grüße"},
		{"no word at all", "=?utf-8?Q?", "=?utf-8?Q?"},
		{"an unknown encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"controls", "a\x00b\x07c", "abc"},
		{"an injected line", "=?utf-8?Q?a=0D=0AB:_c?=", "a B: c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := message([]byte("Subject: " + tt.raw + "\r\nFrom: a@example.org\r\n\r\nx"))
			if got := get(show(t, m, options(eas.V161)), tag.EmailSubject); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRawBytesAreOfTheTextsCharset: a header in Cyrillic of an old program.
func TestRawBytesAreOfTheTextsCharset(t *testing.T) {
	m := message(crlf("Subject: \xd0\xd2\xc9\xd7\xc5\xd4\nFrom: \"\xe9\xd7\xc1\xce\" <ivan@example.org>\nContent-Type: text/plain; charset=koi8-r\n\n\xcf\n"))
	ps := show(t, m, options(eas.V161))
	if got := get(ps, tag.EmailSubject); got != "привет" {
		t.Errorf("subject %q", got)
	}
	if got := get(ps, tag.EmailFrom); got != `"Иван" <ivan@example.org>` {
		t.Errorf("from %q", got)
	}
	if got := get(ps, tag.EmailInternetCPID); got != "20866" {
		t.Errorf("code page %q", got)
	}
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      []string
	}{
		{"bare", "ann@example.org", []string{"ann@example.org"}},
		{"with a name", "Ann <ann@example.org>", []string{`"Ann" <ann@example.org>`}},
		{"in quotes", `"Doe, Ann" <ann@example.org>, b@example.org`, []string{`"Doe, Ann" <ann@example.org>`, "b@example.org"}},
		{"quotes in quotes", `"Ann \"The\" Doe" <ann@example.org>`, []string{`"Ann 'The' Doe" <ann@example.org>`}},
		{"an encoded name", "=?utf-8?q?Andr=C3=A9=2C_Ann?= <ann@example.org>", []string{`"André, Ann" <ann@example.org>`}},
		{"an encoded name in quotes", `"=?utf-8?q?Andr=C3=A9?=" <ann@example.org>`, []string{`"André" <ann@example.org>`}},
		{"a comma in an encoded word", "=?utf-8?q?Doe,_Ann:_x?= <ann@example.org>", []string{`"Doe, Ann: x" <ann@example.org>`}},
		{"a comment", "ann@example.org (Ann Doe)", []string{`"Ann Doe" <ann@example.org>`}},
		{"a group", "Friends: ann@example.org, Bob <bob@example.org>;", []string{"ann@example.org", `"Bob" <bob@example.org>`}},
		{"nobody", "undisclosed-recipients:;", nil},
		{"semicolons", "ann@example.org; bob@example.org", []string{"ann@example.org", "bob@example.org"}},
		{"a route", "<@a.example,@b.example:ann@example.org>", []string{"ann@example.org"}},
		{"the name is the address", "ann@example.org <ann@example.org>", []string{"ann@example.org"}},
		{"no address", `Ann`, []string{"Ann"}},
		{"an open quote", `"Ann <ann@example.org>, bob@example.org`, []string{`"Ann" <ann@example.org>`, "bob@example.org"}},
		{"an open bracket", `Ann <ann@example.org`, []string{`"Ann" <ann@example.org>`}},
		{"blanks and commas", " , ,ann@example.org,, ", []string{"ann@example.org"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := parse([]byte("To: " + tt.raw + "\r\n\r\n")).header
			var got []string
			for _, a := range h.addresses("to", "") {
				got = append(got, a.String())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestManyRecipients: a list ends with a whole address.
func TestManyRecipients(t *testing.T) {
	list := strings.Repeat("somebody.with.a.long.name@a-long-host-name.example.org,\r\n ", 1000) + "last@example.org"
	got := get(show(t, message([]byte("To: "+list+"\r\nBcc: "+list+"\r\nSubject: x\r\n\r\n")), options(eas.V161)), tag.EmailTo)
	if len(got) > maxList || len(got) < maxList-100 || !strings.HasSuffix(got, "example.org") {
		t.Errorf("%d characters that end with %q", len(got), got[len(got)-20:])
	}
}

func TestFileNames(t *testing.T) {
	for _, tt := range []struct{ name, header, want string }{
		{"plain", `Content-Disposition: attachment; filename=a.txt`, "a.txt"},
		{"quoted", `Content-Disposition: attachment; filename="a b.txt"`, "a b.txt"},
		{"blanks without quotes", `Content-Disposition: attachment; filename=a b.txt`, "a b.txt"},
		{"RFC 2231", `Content-Disposition: attachment; filename*=utf-8'de'Gr%C3%BC%C3%9Fe.txt`, "Grüße.txt"},
		{"in pieces", "Content-Disposition: attachment; filename*0*=iso-8859-1''Gr%FC;\r\n filename*1*=%DFe; filename*2=.txt", "Grüße.txt"},
		{"pieces without a charset", "Content-Disposition: attachment; filename*0=\"one \"; filename*1=\"two.txt\"", "one two.txt"},
		{"both", `Content-Disposition: attachment; filename=x.txt; filename*=utf-8''y.txt`, "y.txt"},
		{"RFC 2047", `Content-Disposition: attachment; filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe.txt?="`, "Grüße.txt"},
		{"raw", "Content-Disposition: attachment; filename=\"Gr\xfc\xdfe.txt\"", "Grüße.txt"},
		{"of the type", `Content-Type: application/x-a; name="a.bin"`, "a.bin"},
		{"a directory", `Content-Disposition: attachment; filename="C:\\docs\\a.txt"`, "a.txt"},
		{"a way out", `Content-Disposition: attachment; filename="../../etc/passwd"`, "passwd"},
		{"dots", `Content-Disposition: attachment; filename=".."`, "attachment.txt"},
		{"none", `Content-Disposition: attachment`, "attachment.txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := message([]byte("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n" + tt.header + "\r\n\r\ndata\r\n--b--\r\n"))
			ps := show(t, m, options(eas.V161))
			if got := get(ps, tag.AirSyncBaseAttachments, tag.AirSyncBaseAttachment, tag.AirSyncBaseDisplayName); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestImportance(t *testing.T) {
	for header, want := range map[string]string{
		"": "1", "Importance: High": "2", "Importance: low": "0", "X-Priority: 1 (Highest)": "2", "X-Priority: 5": "0", "X-Priority: 3": "1",
		"Priority: urgent": "2", "X-MSMail-Priority: Low": "0", "Importance: normal\r\nX-Priority: 1": "1",
	} {
		ps := show(t, message([]byte("Subject: x\r\n"+header+"\r\n\r\n")), options(eas.V141))
		if got := get(ps, tag.EmailImportance); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"Sat, 28 Nov 2026 09:00:00 +0100":             "2026-11-28T08:00:00Z",
		"28 Nov 26 09:00:00 GMT":                      "2026-11-28T09:00:00Z",
		"Sat, 28 Nov 2026 09:00:00 +0100 (CET)":       "2026-11-28T08:00:00Z",
		"Sat, 28 Nov 2026 09:00:00":                   "2026-11-28T09:00:00Z",
		"Sat Nov 28 09:00:00 2026":                    "2026-11-28T09:00:00Z",
		"Saturday, 28 November 2026 09:00:00 +0000":   "2026-11-28T09:00:00Z",
		"2026-11-28T09:00:00+01:00":                   "2026-11-28T08:00:00Z",
		"yesterday":                                   "",
		"Mon, 01 Jan 0001 00:00:00 +0000":             "",
		strings.Repeat("Sat, 28 Nov 2026 09:00 ", 20): "",
	} {
		at, ok := parseDate(in)
		if got := at.Format("2006-01-02T15:04:05Z"); ok != (want != "") || ok && got != want {
			t.Errorf("%.40q: %s, %v; want %q", in, got, ok, want)
		}
	}
}
