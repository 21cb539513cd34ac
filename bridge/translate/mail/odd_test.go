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
	"github.com/pushbridge/pushbridge/bridge/translate/mail/mailtest"
)

// TestOdd: whatever a message looks like, a phone is shown something of it that
// keeps the schemas, or it is named as unreadable. What it has as files can be
// fetched, and it can be forwarded.
func TestOdd(t *testing.T) {
	all := mailtest.Odd()
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
		ps, err := FromMessage(message(m.Body, Seen), o)
		if errors.Is(err, translate.ErrUnreadable) {
			unreadable++
			if m.Shows != "" {
				t.Errorf("%s: %v", m.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		validate(t, ps, o.ProtocolVersion())
		if ps, err = FromMessage(message(m.Body), options(eas.V141)); err != nil {
			t.Fatal(err)
		}
		if !shows(ps, m.Shows) {
			t.Errorf("%s: %q is not shown in subject %q, text %.100q", m.Name, m.Shows, get(ps, tag.EmailSubject), get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData))
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

func fetchAll(t *testing.T, m mailtest.Message, ps eas.Properties) {
	t.Helper()
	files, _ := ps.Find(tag.AirSyncBaseAttachments)
	for _, f := range files.Children[:min(len(files.Children), 20)] {
		reference := get(f.Children, tag.AirSyncBaseFileReference)
		_, path, ok := translate.SplitFileReference(reference)
		if _, err := Attachment(message(m.Body), path); err != nil || !ok {
			t.Errorf("%s: %s: %v", m.Name, reference, err)
		}
	}
	if _, err := Forward(newMessage("text/plain", "x"), Original{Message: message(m.Body)}, false, ann); err != nil {
		t.Errorf("%s: it cannot be forwarded: %v", m.Name, err)
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
		m := message(append(crlf("From: a@example.org\nSubject: Odd\n"), body...))
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
	for _, m := range mailtest.Odd() {
		if len(m.Body) < 4<<10 {
			f.Add(m.Body, uint8(len(m.Body)))
		}
	}
	for _, name := range mailtest.Samples {
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
	for _, m := range mailtest.Odd() {
		if len(m.Body) < 4<<10 {
			f.Add(m.Body, m.Body)
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

// TestBoundariesThatAreNeverUsed: a message of a thousand multiparts, each with a
// boundary that is nowhere or at the very end, is not looked through a thousand
// times. Anybody can send one.
func TestBoundariesThatAreNeverUsed(t *testing.T) {
	for name, end := range map[string]string{"nowhere": "", "at the end": "--N"} {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nwords\r\n")
		for range maxParts - 10 {
			b.WriteString("--x\r\nContent-Type: multipart/mixed; boundary=N\r\n\r\n\r\n")
		}
		b.WriteString("--x--\r\n" + end)
		p := &parser{all: []byte(b.String())}
		p.entity(&part{}, "text/plain")
		if most := (maxScans + 1) * len(p.all); p.scanned > most {
			t.Errorf("%s: %d bytes are looked through in a message of %d, want at most %d", name, p.scanned, len(p.all), most)
		}
		ps, err := FromMessage(message([]byte(b.String())), options(eas.V161))
		if body, _ := ps.Find(tag.AirSyncBaseBody); err != nil || !strings.Contains(fmt.Sprint(body), "words") {
			t.Errorf("%s: the words are not shown: %v, %v", name, body, err)
		}
	}
}
