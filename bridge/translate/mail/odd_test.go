package mail

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// An odd message breaks the rules of its format in some way.
type odd struct {
	name  string
	body  []byte
	shows string // what a phone's subject, text or names of files have in them
}

const oddHead = "From: a@example.org\nTo: ann@example.org\nSubject: Odd\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\n"

// oddByHand are things that were seen in mailboxes.
func oddByHand() []odd {
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
	list := []odd{
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
		{"a thousand multiparts whose boundary is missing", crlf(mixed(strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=none\n\nhello there\n", 1000) + "--b--\n")), "hello there"},
		{"winmail.dat", crlf(mixed("--b\n\nhello there\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+Ig==\n--b--\n")), "winmail.dat"},
		{"a file and nothing else", crlf(oddHead + "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg==\n"), "a.pdf"},
		{"HTML and nothing else", crlf(oddHead + "Content-Type: text/html\n\n<p>hello <b>there"), "hello <b>there"},
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

// oddByMachine are the samples with something done to each of them.
func oddByMachine(t testing.TB) []odd {
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
	var list []odd
	for _, name := range []string{"plain", "alternative", "meeting", "signed", "bounce", "voice"} {
		whole := sample(t, name)
		for _, m := range mutations {
			list = append(list, odd{name: name + ", " + m.name, body: m.do(bytes.Clone(whole))})
		}
	}
	return list
}

// TestOdd: whatever a message looks like, a phone is shown something of it that
// keeps the schemas, or it is named as unreadable. What it has as files can be
// fetched, and it can be forwarded.
func TestOdd(t *testing.T) {
	all := append(oddByHand(), oddByMachine(t)...)
	if len(all) < 200 {
		t.Errorf("there are %d odd messages, want 200", len(all))
	}
	unreadable := 0
	for i, m := range all {
		o := options(eas.Versions[i%len(eas.Versions)])
		switch i % 3 {
		case 0:
			o.Mail = translate.Mail{MIMESupport: 2, Bodies: []translate.Body{{Type: translate.MIME, Truncate: 300, Preview: 50}}, Part: &translate.Body{Type: translate.HTML}}
		case 1:
			o.Mail = translate.Mail{Bodies: []translate.Body{{Type: translate.HTML, Truncate: 100}, {Type: translate.PlainText, Truncate: 50, AllOrNone: true}}}
		}
		ps, err := FromMessage(message(m.body, Seen), o)
		if errors.Is(err, translate.ErrUnreadable) {
			unreadable++
			if m.shows != "" {
				t.Errorf("%s: %v", m.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		validate(t, ps, o.ProtocolVersion())
		if ps, err = FromMessage(message(m.body), options(eas.V141)); err != nil {
			t.Fatal(err)
		}
		if !shows(ps, m.shows) {
			t.Errorf("%s: %q is not shown in subject %q, text %.100q", m.name, m.shows, get(ps, tag.EmailSubject), get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData))
		}
		fetchAll(t, m, ps)
	}
	if unreadable < 3 || unreadable > len(all)/20 {
		t.Errorf("%d of %d messages cannot be read", unreadable, len(all))
	}
}

// shows tells whether a phone sees some words.
func shows(ps eas.Properties, words string) bool {
	if strings.Contains(get(ps, tag.EmailSubject), words) || strings.Contains(get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData), words) {
		return true
	}
	files, _ := ps.Find(tag.AirSyncBaseAttachments)
	for _, f := range files.Children {
		if strings.Contains(get(f.Children, tag.AirSyncBaseDisplayName), words) {
			return true
		}
	}
	return false
}

func fetchAll(t *testing.T, m odd, ps eas.Properties) {
	t.Helper()
	files, _ := ps.Find(tag.AirSyncBaseAttachments)
	for _, f := range files.Children[:min(len(files.Children), 20)] {
		reference := get(f.Children, tag.AirSyncBaseFileReference)
		_, path, ok := translate.SplitFileReference(reference)
		if _, err := Attachment(message(m.body), path); err != nil || !ok {
			t.Errorf("%s: %s: %v", m.name, reference, err)
		}
	}
	if _, err := Forward(newMessage("text/plain", "x"), Original{Message: message(m.body)}, false, ann); err != nil {
		t.Errorf("%s: it cannot be forwarded: %v", m.name, err)
	}
}

// TestMemory: a large message costs a fraction of its size, whatever is large in
// it.
func TestMemory(t *testing.T) {
	const size, most = 32 << 20, 12 << 20
	line := strings.Repeat("A", 76) + "\r\n"
	for name, body := range map[string]string{
		"a file":     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(line, size/len(line)) + "--b--\r\n",
		"a text":     "Content-Type: text/plain\r\n\r\n" + strings.Repeat(line, size/len(line)),
		"base64":     "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(line, size/len(line)),
		"boundaries": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n\r\n", size/9),
	} {
		m := message([]byte(oddHead + body))
		o := options(eas.V161)
		o.Mail = translate.Mail{Bodies: []translate.Body{{Type: translate.PlainText, Truncate: 4096}}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := FromMessage(m, o); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > most {
			t.Errorf("%s of %d MB: %d bytes were taken, want at most %d", name, size>>20, used, most)
		}
	}
}

// FuzzFromMessage: no bytes at all make a panic or break the promises: every
// text is such that XML and WBXML take it.
func FuzzFromMessage(f *testing.F) {
	for _, m := range oddByHand() {
		if len(m.body) < 4<<10 {
			f.Add(m.body, uint8(len(m.body)))
		}
	}
	for _, name := range []string{"plain", "alternative", "meeting", "signed", "bounce", "voice"} {
		f.Add(sample(f, name), uint8(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, form uint8) {
		o := options(eas.Versions[int(form)%len(eas.Versions)])
		if form&8 != 0 {
			o.Mail = translate.Mail{MIMESupport: 2, Bodies: []translate.Body{{Type: translate.MIME, Truncate: int(form)}}, Part: &translate.Body{Type: translate.HTML, Truncate: int(form)}}
		}
		ps, err := FromMessage(message(b), o)
		if err != nil {
			if !errors.Is(err, translate.ErrUnreadable) {
				t.Fatal(err)
			}
			return
		}
		checkTexts(t, ps)
		checkPaths(t, message(b), ps)
	})
}

func checkTexts(t *testing.T, list []eas.Element) {
	t.Helper()
	for _, e := range list {
		if e.Text != clean(e.Text) {
			t.Errorf("%s has a text that cannot be sent: %.100q", tag.Name(e.Tag), e.Text)
		}
		checkTexts(t, e.Children)
	}
}

func checkPaths(t *testing.T, m Message, ps eas.Properties) {
	t.Helper()
	files, _ := ps.Find(tag.AirSyncBaseAttachments)
	seen := map[string]bool{}
	for _, f := range files.Children {
		reference := get(f.Children, tag.AirSyncBaseFileReference)
		if seen[reference] {
			t.Errorf("two files are called %s", reference)
		}
		seen[reference] = true
		_, path, _ := translate.SplitFileReference(reference)
		if _, err := FindPart(m, path); err != nil {
			t.Errorf("%s: %v", reference, err)
		}
	}
}

// FuzzSend: whatever a phone sends is refused, or becomes what every server
// takes.
func FuzzSend(f *testing.F) {
	for _, m := range oddByHand() {
		if len(m.body) < 4<<10 {
			f.Add(m.body, m.body)
		}
	}
	f.Add(newMessage("text/plain", "x"), sample(f, "alternative"))
	f.Fuzz(func(t *testing.T, sent, original []byte) {
		for _, respond := range []func([]byte, Original, bool, Sending) (*Outgoing, error){Reply, Forward} {
			o, err := respond(sent, Original{Message: message(original)}, false, Sending{Now: received, Self: nil})
			if errors.Is(err, translate.ErrInvalid) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := o.bytes()
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
			if !bytes.HasPrefix(b, []byte("\r\n")) && bytes.ContainsFunc(bytes.ReplaceAll(head, []byte("\r\n"), nil), func(r rune) bool { return r == '\r' || r == '\n' || r == 0 }) {
				t.Errorf("a header with bare line breaks: %q", head)
			}
			if len(parse(b).header.all("Bcc")) > 0 {
				t.Errorf("blind copies are told: %q", head)
			}
		}
	})
}
