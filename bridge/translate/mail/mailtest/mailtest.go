// Package mailtest has messages for tests: such as people get, and such as break the rules of their format.
package mailtest

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
)

//go:embed samples/*.eml
var samples embed.FS

// Samples are the names of the messages that keep the rules.
var Samples = []string{"plain", "alternative", "meeting", "signed", "bounce", "voice", "counter", "delegated"}

// Sample is the message of a name, with the line breaks of the network.
func Sample(name string) []byte {
	b, err := samples.ReadFile("samples/" + name + ".eml")
	if err != nil {
		panic(err) // of the test that asks for it
	}
	return b
}

// crlf writes a message with the line breaks of the network.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// Odd is messages that break the rules, each in its own way.
func Odd() []Message { return append(byHand(), byMachine()...) }

// A Message is a message for tests.
type Message struct {
	Name  string
	Body  []byte
	Shows string // what the subject, the text or the name of a file on a phone has in it; "" if nothing is said
}

const oddHead = "From: a@example.org\nTo: ann@example.org\nSubject: Odd\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\n"

// byHand are things that were seen in mailboxes.
func byHand() []Message {
	mixed := func(rest string) string { return oddHead + "Content-Type: multipart/mixed; boundary=b\n\n" + rest }
	nested := func(n int) string {
		var b strings.Builder
		b.WriteString(oddHead)
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		b.WriteString("\ndeep inside\n")
		for i := n - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "--b%d--\n", i)
		}
		return b.String()
	}
	uu := "begin 644 cat.txt\n#0V%T\n`\nend\n"
	list := []Message{
		{"100 multiparts deep", crlf(nested(99)), "deep inside"},
		{"1,000 multiparts deep", crlf(nested(1000)), "Odd"},
		{"messages inside messages", crlf(oddHead + strings.Repeat("Content-Type: message/rfc822\n\nSubject: in\n", 300) + "\nx"), "in.eml"},
		{"no boundary in the header", crlf(oddHead + "Content-Type: multipart/mixed\n\n--xyzzy\nContent-Type: text/plain\n\nhello there\n--xyzzy--\n"), "hello there"},
		{"another boundary in the header", crlf(oddHead + "Content-Type: multipart/mixed; boundary=none\n\n--xyzzy\nContent-Type: text/plain\n\nhello there\n--xyzzy--\n"), "hello there"},
		{"a multipart without parts", crlf(mixed("just text\n")), "just text"},
		{"an empty boundary", crlf(oddHead + "Content-Type: multipart/mixed; boundary=\"\"\n\njust text\n"), "just text"},
		{"no last boundary", crlf(mixed("--b\n\nhello there")), "hello there"},
		{"the last boundary first", crlf(mixed("--b--\n\nhello there\n")), "Odd"},
		{"a boundary with blanks behind", crlf(mixed("--b   \n\nhello there\n--b--\t\n")), "hello there"},
		{"a boundary that begins like another", crlf(oddHead + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\nhello there\n--bb--\n--b--\n"), "hello there"},
		{"an inner multipart that never ends", crlf(mixed("--b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nhello there\n--b\nContent-Type: image/png; name=p.png\n\nx\n--b--\n")), "p.png"},
		{"a header right up to the boundary", crlf(mixed("--b\nContent-Type: text/plain\n--b\n\nhello there\n--b--\n")), "hello there"},
		{"no empty line", crlf("Subject: Odd\nFrom: a@example.org\nhello there, this is no field\nmore\n"), "hello there"},
		{"rubbish between fields", crlf("Subject: Odd\nwhat is this\nFrom: a@example.org\n\nhello there\n"), "hello there"},
		{"a mailbox's line first", crlf("From a@example.org Sat Nov 28 09:00:00 2026\nSubject: Odd\n\nhello there\n"), "hello there"},
		{"blanks before the colon", crlf("Subject : Odd subject\n\nhello\n"), "Odd subject"},
		{"only a header", crlf("Subject: Odd subject"), "Odd subject"},
		{"only a body", crlf("hello there\n"), "hello there"},
		{"a line that continues nothing", crlf(" folded\nSubject: Odd subject\n\nhello\n"), "Odd subject"},
		{"bare feeds", []byte(oddHead + "\nhello\nthere\n"), "hello"},
		{"bare returns", []byte(strings.ReplaceAll(oddHead+"\nhello there\n", "\n", "\r")), "hello there"},
		{"returns twice", []byte(strings.ReplaceAll(oddHead+"\nhello there\n", "\n", "\r\r\n")), "Odd"},
		{"NULs everywhere", bytes.ReplaceAll(crlf(oddHead+"\nhello there\n"), []byte("e"), []byte("\x00e")), "hello there"},
		{"UTF-16 that says nothing of it", append(crlf(oddHead+"\n"), []byte("h\x00e\x00l\x00l\x00o\x00")...), "hello"},
		{"UTF-16", append(crlf(oddHead+"Content-Type: text/plain; charset=utf-16le\n\n"), []byte("h\x00e\x00l\x00l\x00o\x00")...), "hello"},
		{"a charset that is none", crlf(oddHead + "Content-Type: text/plain; charset=klingon\n\nhello th\xe9re\n"), "hello thére"},
		{"Latin as UTF-8", crlf(oddHead + "Content-Type: text/plain; charset=utf-8\n\nhello th\xe9re\n"), "hello thére"},
		{"UTF-8 as ASCII", crlf(oddHead + "Content-Type: text/plain; charset=us-ascii\n\nhello thére\n"), "hello thére"},
		{"no charset", crlf(oddHead + "Content-Type: text/plain\n\nhello thére\n"), "hello thére"},
		{"half a character", crlf(oddHead + "Content-Type: text/plain; charset=utf-8\n\nüüü hello \xc3"), "hello"},
		{"quoted-printable that is none", crlf(oddHead + "Content-Transfer-Encoding: quoted-printable\n\n100% =hello= =ZZ =\n"), "100% =hello="},
		{"base64 that is none", crlf(oddHead + "Content-Transfer-Encoding: base64\n\naGVsbG8gdGhlcmU*=*=\n\n"), "hello there"},
		{"base64 that was cut", crlf(oddHead + "Content-Transfer-Encoding: base64\n\naGVsbG8gdGhlcmUgc"), "hello there"},
		{"an encoding in another case", crlf(oddHead + "Content-Transfer-Encoding: BASE64 ; x\n\naGVsbG8gdGhlcmU="), "hello there"},
		{"an encoding that nobody knows", crlf(oddHead + "Content-Transfer-Encoding: rot13\n\nhello there\n"), "hello there"},
		{"an encoded multipart", crlf(oddHead + "Content-Transfer-Encoding: base64\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello there\n--b--\n"), "hello there"},
		{"an encoded message", crlf(mixed("--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQo=\n--b--\n")), "attachment.eml"},
		{"a type that is none", crlf(oddHead + "Content-Type: text\n\nhello there\n"), "hello there"},
		{"a type of blanks", crlf(oddHead + "Content-Type: \n\nhello there\n"), "hello there"},
		{"a type twice", crlf(oddHead + "Content-Type: text/plain\nContent-Type: application/pdf\n\nhello there\n"), "hello there"},
		{"a type with quotes that never close", crlf(oddHead + "Content-Type: text/plain; charset=\"utf-8\n\nhello there\n"), "hello there"},
		{"parameters and nothing else", crlf(oddHead + "Content-Type: ;;;=;a=;=b\n\nhello there\n"), "hello there"},
		{"uuencode in the text", crlf(oddHead + "\nhello there\n" + uu + "bye\n"), "cat.txt"},
		{"uuencode twice", crlf(oddHead + "\nhello there\n" + uu + uu), "cat.txt"},
		{"uuencode as an encoding", crlf(mixed("--b\nContent-Type: image/gif; name=cat.gif\nContent-Transfer-Encoding: x-uuencode\n\n" + uu + "--b--\n")), "cat.gif"},
		{"uuencode without an end", crlf(oddHead + "\nhello there\nbegin 644 cat.txt\n#0V%T\n"), "begin 644 cat.txt"},
		{"a thousand files without an end", crlf(oddHead + "\nhello there\n" + strings.Repeat("begin 644 cat.txt\n#0V%T\n", 1000)), "hello there"},
		{"500 multiparts whose boundary is missing", crlf(mixed(strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=none\n\nhello there\n", 500) + "--b--\n")), "hello there"},
		{"winmail.dat", crlf(mixed("--b\n\nhello there\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==\n--b--\n")), "winmail.dat"},
		{"a file and nothing else", crlf(oddHead + "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n"), "a.pdf"},
		{"HTML and nothing else", crlf(oddHead + "Content-Type: text/html\n\n<p>hello <b>there"), "there"},
		{"HTML with a charset of its own", crlf(oddHead + "Content-Type: text/html\n\n<meta charset=koi8-r><p>\xd0\xd2\xc9\xd7\xc5\xd4"), "привет"},
		{"1,000 recipients", crlf("To: " + strings.Repeat("Somebody <a@example.org>,\n ", 1000) + "z@example.org\nSubject: Odd\n\nhello there\n"), "hello there"},
		{"10,000 fields", crlf(strings.Repeat("X-Field: some value that takes room\n", 10_000) + "Subject: late\n\nhello there\n"), "hello there"},
		{"a field of 2 MB", crlf("Subject: Odd\nX-Long: " + strings.Repeat("x", 2<<20) + "\n\nhello there\n"), "Odd"},
		{"2,000 parts", crlf(mixed(strings.Repeat("--b\nContent-Type: image/png; name=p.png\n\nx\n", 2000) + "--b--\n")), "p.png"},
		{"2,000 texts", crlf(mixed(strings.Repeat("--b\n\nhello there\n", 2000) + "--b--\n")), "hello there"},
		{"a line of 1 MB", crlf(oddHead + "\nhello there " + strings.Repeat("x", 1<<20)), "hello there"},
		{"an address that never ends", crlf("From: \"" + strings.Repeat("(", 5000) + "\nSubject: Odd\n\nhello there\n"), "hello there"},
		{"a date of nobody's", crlf("Date: Fri, 99 Nov 0026 99:99:99 +9999\nSubject: Odd\n\nhello there\n"), "hello there"},
		{"parameters in a thousand pieces", crlf(mixed("--b\n\nhello there\n--b\nContent-Disposition: attachment" + numbered(1000) + "\n\nx\n--b--\n")), "hello there"},
		{"a file with no name in a strange script", crlf(mixed("--b\nContent-Disposition: attachment; filename*=utf-8''%E2%80%AEgpj.exe\n\nx\n--b--\n")), "exe"},
		{"a calendar that is none", crlf(oddHead + "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:NOTHING\n"), "Odd"},
		{"a meeting without a time", crlf(oddHead + "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n"), "Odd"},
		{"a picture that is the message", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x02\x03\x04\x05\x06\x07"), ""},
		{"nothing", nil, ""},
		{"blanks", []byte("\r\n\r\n\r\n"), ""},
	}
	return list
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "; filename*%d=x", i)
	}
	return b.String()
}

// byMachine are the samples with something done to each of them.
func byMachine() []Message {
	cut := func(n, of int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)*n/of] } }
	replace := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(with)) }
	}
	mutations := []struct {
		name string
		do   func([]byte) []byte
	}{
		{"cut after 1/8", cut(1, 8)}, {"cut after 2/8", cut(2, 8)}, {"cut after 3/8", cut(3, 8)}, {"cut after 4/8", cut(4, 8)}, {"cut after 5/8", cut(5, 8)},
		{"cut after 6/8", cut(6, 8)}, {"cut after 7/8", cut(7, 8)}, {"cut before the last byte", func(b []byte) []byte { return b[:len(b)-1] }},
		{"bare feeds", replace("\r\n", "\n")}, {"bare returns", replace("\r\n", "\r")}, {"feeds twice", replace("\r\n", "\r\n\r\n")},
		{"NULs in words", replace("e", "e\x00")}, {"controls", replace(" ", " \x01\x1b")}, {"8-bit letters", replace("o", "\xf6")},
		{"no boundaries", replace("--", "~~")}, {"no last boundaries", replace("--\r\n", "\r\n")}, {"no colons", replace(": ", " ")}, {"no blanks", replace(" ", "")},
		{"no semicolons", replace(";", "")}, {"no quotes", replace("\"", "")}, {"open quotes", replace("\"\r\n", "\r\n")}, {"no charset", replace("charset", "x")},
		{"another charset", replace("utf-8", "utf-16")}, {"an unknown charset", replace("iso-8859-1", "x-unknown")}, {"another encoding", replace("base64", "quoted-printable")},
		{"everything is base64", replace("\r\nMIME-Version: 1.0", "\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64")},
		{"folded everywhere", replace(" ", "\r\n ")}, {"folded with nothing", replace(": ", ":\r\n \r\n ")}, {"in capitals", bytes.ToUpper},
		{"twice", func(b []byte) []byte { return append(bytes.Clone(b), b...) }}, {"inside out", func(b []byte) []byte { return append(bytes.Clone(b[len(b)/2:]), b[:len(b)/2]...) }},
		{"as a message in a message", func(b []byte) []byte { return append(crlf(oddHead+"Content-Type: message/rfc822\n\n"), b...) }},
		{"as a text", func(b []byte) []byte { return append(crlf(oddHead+"\n"), b...) }},
	}
	var list []Message
	for _, name := range Samples {
		whole := Sample(name)
		for _, m := range mutations {
			list = append(list, Message{Name: name + ", " + m.name, Body: m.do(bytes.Clone(whole))})
		}
	}
	return list
}
