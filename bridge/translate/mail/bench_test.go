package mail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// tenThousand are messages as people get them: a third plain text, a third
// with HTML beside it, a third with a file of 40 KB.
func tenThousand() []Message {
	text := strings.Repeat("Some words that somebody wrote to somebody else about something.\r\n", 30)
	file := string(base64Lines(bytes.Repeat([]byte{0x25, 0x50, 0x44, 0x46}, 10<<10)))
	html := "<html><head><style>p { color: black }</style></head><body>" + strings.Repeat("<p class=\"x\">Some <b>words</b> that somebody wrote.</p>\r\n", 60) + "</body></html>"
	list := make([]Message, 10_000)
	for i := range list {
		head := fmt.Sprintf("Received: from a by b; Sat, 28 Nov 2026 09:00:00 +0000\r\nFrom: =?utf-8?q?Andr=C3=A9?= <andre%d@example.com>\r\nTo: Ann <ann@example.org>, Bob <bob@example.org>\r\n"+
			"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= number %d\r\nDate: Sat, 28 Nov 2026 09:00:00 +0000\r\nMessage-ID: <%d@example.com>\r\nReferences: <1@example.com> <2@example.com>\r\nMIME-Version: 1.0\r\n", i, i, i)
		var body string
		switch alternative := "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html + "\r\n--a--\r\n"; i % 3 {
		case 0:
			body = "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text
		case 1:
			body = alternative
		default:
			body = "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" + alternative + "\r\n--m\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + file + "\r\n--m--\r\n"
		}
		list[i] = Message{Body: []byte(head + body), Flags: []string{Seen, "Work"}, Received: received}
	}
	return list
}

// BenchmarkTenThousand tells a phone of 10,000 messages, cut after 4 KB; an
// operation is all of them.
func BenchmarkTenThousand(b *testing.B) {
	list := tenThousand()
	for _, way := range []struct {
		name string
		mail translate.Mail
	}{
		{"HTML", translate.Mail{Bodies: []translate.Body{{Type: translate.HTML, Truncate: 4096, Preview: 100}, {Type: translate.PlainText, Truncate: 4096}}}},
		{"text", translate.Mail{Bodies: []translate.Body{{Type: translate.PlainText, Truncate: 4096}}}},
		{"MIME", translate.Mail{MIMESupport: 2, Bodies: []translate.Body{{Type: translate.MIME, Truncate: 4096}}}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			o := options(eas.V161)
			o.Mail = way.mail
			for b.Loop() {
				for _, m := range list {
					if _, err := FromMessage(m, o); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
