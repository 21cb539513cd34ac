package mail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// TestForms: which form of the body a phone gets.
func TestForms(t *testing.T) {
	plain, html, mime := translate.Body{Type: translate.PlainText}, translate.Body{Type: translate.HTML}, translate.Body{Type: translate.MIME}
	cutHTML, allHTML := translate.Body{Type: translate.HTML, Truncate: 40}, translate.Body{Type: translate.HTML, Truncate: 40, AllOrNone: true}
	for _, tt := range []struct {
		name, sample string
		support      int
		bodies       []translate.Body
		kind, native string
		cut          bool
		starts       string
	}{
		{"HTML as it is", "alternative", 0, []translate.Body{plain, html}, "2", "2", false, "<html>"},
		{"HTML as text", "alternative", 0, []translate.Body{plain}, "1", "2", false, "See the roof."},
		{"text as it is", "plain", 0, []translate.Body{html, plain}, "1", "1", false, "Grüße!"},
		{"text as HTML", "plain", 0, []translate.Body{html}, "2", "1", false, "<html><body>Grüße!<br>"},
		{"rich text", "plain", 0, []translate.Body{{Type: translate.RTF}}, "3", "1", false, ""},
		{"cut", "alternative", 0, []translate.Body{cutHTML}, "2", "2", true, "<html>"},
		{"all or the other", "alternative", 0, []translate.Body{allHTML, plain}, "1", "2", false, "See the roof."},
		{"all or nothing", "alternative", 0, []translate.Body{allHTML}, "2", "2", true, ""},
		{"MIME", "alternative", 2, []translate.Body{plain, mime}, "4", "2", false, "Date: "},
		{"MIME, but not wanted", "alternative", 0, []translate.Body{plain, mime}, "1", "2", false, "See"},
		{"MIME for S/MIME alone", "alternative", 1, []translate.Body{plain, mime}, "1", "2", false, "See"},
		{"MIME for S/MIME", "signed", 1, []translate.Body{plain, mime}, "4", "1", false, "From: "},
		{"nothing but MIME", "signed", 0, []translate.Body{mime}, "1", "1", false, "It is me."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(eas.V141)
			o.Mail = translate.Mail{MIMESupport: tt.support, Bodies: tt.bodies}
			ps := show(t, message(sample(t, tt.sample)), o)
			body, _ := ps.Find(tag.AirSyncBaseBody)
			data := get(body.Children, tag.AirSyncBaseData)
			if kind, native := get(body.Children, tag.AirSyncBaseType), get(ps, tag.AirSyncBaseNativeBodyType); kind != tt.kind || native != tt.native {
				t.Errorf("type %s, native %s, want %s and %s", kind, native, tt.kind, tt.native)
			}
			if cut := get(body.Children, tag.AirSyncBaseTruncated) == "1"; cut != tt.cut || !strings.HasPrefix(data, tt.starts) {
				t.Errorf("cut: %v, data %q", cut, data)
			}
			if tt.kind == "4" && data != string(sample(t, tt.sample)) {
				t.Error("the message is not what it was, byte for byte")
			}
		})
	}
}

// TestMIMEIsUnbroken: bytes that no string can hold travel as opaque data.
func TestMIMEIsUnbroken(t *testing.T) {
	raw := crlf("Subject: x\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: binary\n\n\x30\x82\x00\xff\x01")
	for _, v := range []eas.Version{eas.V25, eas.V161} {
		o := options(v)
		o.Mail.MIMESupport = 1
		ps := show(t, message(raw), o)
		el, _ := ps.Find(tag.EmailMIMEData)
		if v > eas.V25 {
			body, _ := ps.Find(tag.AirSyncBaseBody)
			el, _ = eas.Properties(body.Children).Find(tag.AirSyncBaseData)
		}
		if !bytes.Equal(el.Opaque, raw) {
			t.Errorf("%v: %+v", v, el)
		}
		if got := get(ps, tag.EmailMessageClass); got != "IPM.Note.SMIME" {
			t.Errorf("class %s", got)
		}
	}
}

// TestTruncation: texts are cut between characters and tags, at every length.
func TestTruncation(t *testing.T) {
	raw := sample(t, "alternative")
	for _, form := range []translate.BodyType{translate.PlainText, translate.HTML, translate.MIME} {
		for n := 1; n < 200; n += 3 {
			o := options(eas.V161)
			o.Mail = translate.Mail{MIMESupport: 2, Bodies: []translate.Body{{Type: form, Truncate: n}}}
			ps, err := FromMessage(message(bytes.ReplaceAll(raw, []byte("roof"), []byte("Düö"))), o)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := ps.Find(tag.AirSyncBaseBody)
			data, size := get(body.Children, tag.AirSyncBaseData), get(body.Children, tag.AirSyncBaseEstimatedDataSize)
			if len(data) > n || !utf8.ValidString(data) || form == translate.HTML && strings.LastIndex(data, "<") > strings.LastIndex(data, ">") {
				t.Fatalf("type %d cut after %d bytes: %q", form, n, data)
			}
			if cut := get(body.Children, tag.AirSyncBaseTruncated) == "1"; cut != (fmt.Sprint(len(data)) != size) {
				t.Fatalf("type %d cut after %d bytes: %d of %s, truncated: %v", form, n, len(data), size, cut)
			}
		}
	}
}

// TestHollow: of a message whose large parts are elsewhere a phone is told as if
// they were here.
func TestHollow(t *testing.T) {
	whole := crlf("Subject: Big\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n" + strings.Repeat("word ", 100) + "\n--b\nContent-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\n\n" +
		strings.Repeat("AAAA", 1000) + "\n--b--\n")
	hollow := bytes.Replace(bytes.Replace(whole, []byte(strings.Repeat("AAAA", 1000)), nil, 1), []byte(strings.Repeat("word ", 100)), []byte("word word "), 1)
	m := Message{Body: hollow, Received: received, Size: int64(len(whole)), Left: []Left{{Path: "1", Encoded: 500, Kept: 10}, {Path: "2", Encoded: 4000}}}
	o := options(eas.V161)
	ps := show(t, m, o)
	body, _ := ps.Find(tag.AirSyncBaseBody)
	if get(body.Children, tag.AirSyncBaseTruncated) != "1" || get(body.Children, tag.AirSyncBaseData) != "word word " || get(body.Children, tag.AirSyncBaseEstimatedDataSize) != "500" {
		t.Errorf("body %+v", body)
	}
	if got := get(ps, tag.AirSyncBaseAttachments, tag.AirSyncBaseAttachment, tag.AirSyncBaseEstimatedDataSize); got != "2923" {
		t.Errorf("the picture has about %s bytes", got)
	}
	if _, err := Attachment(m, "2"); err == nil {
		t.Error("a part that is elsewhere was read")
	}
	p, err := FindPart(m, "2")
	if err != nil || p.Name != "p.png" || p.Encoding != "base64" || p.Encoded != 4000 || p.Path != "2" {
		t.Errorf("part %+v, %v", p, err)
	}
	o.Mail.MIMESupport = 2
	ps = show(t, m, o)
	body, _ = ps.Find(tag.AirSyncBaseBody)
	data := get(body.Children, tag.AirSyncBaseData)
	if !bytes.HasPrefix(whole, []byte(data)) || !strings.HasSuffix(data, "word word ") || get(body.Children, tag.AirSyncBaseEstimatedDataSize) != fmt.Sprint(len(whole)) {
		t.Errorf("MIME is no beginning of the message: %q", data)
	}
}

func TestBodyPart(t *testing.T) {
	for name, tt := range map[string]struct {
		kind translate.BodyType
		raw  string
		want string
	}{
		"text":      {translate.PlainText, "Content-Type: text/plain\n\nYes.\n\nOn Sat, Nov 28, 2026 Bob wrote:\n> Is it?\n", "Yes.\r\n"},
		"old":       {translate.PlainText, "Content-Type: text/plain\n\nYes.\n\n-----Original Message-----\nFrom: x\n", "Yes.\r\n"},
		"quoted":    {translate.PlainText, "Content-Type: text/plain\n\nYes.\n> Is it?\n\n", "Yes.\r\n"},
		"between":   {translate.PlainText, "Content-Type: text/plain\n\n> Is it?\nYes.\n", "> Is it?\r\nYes.\r\n"},
		"HTML":      {translate.HTML, "Content-Type: text/html\n\n<p>Yes.</p><div class=\"gmail_quote\">On ...</div>", "<p>Yes.</p>"},
		"all quote": {translate.PlainText, "Content-Type: text/plain\n\n> Is it?\n", "> Is it?\r\n"},
	} {
		o := options(eas.V141)
		o.Mail.Part = &translate.Body{Type: tt.kind}
		ps := show(t, message(crlf("Subject: x\n"+tt.raw)), o)
		if got := get(ps, tag.AirSyncBaseBodyPart, tag.AirSyncBaseData); got != tt.want || get(ps, tag.AirSyncBaseBodyPart, tag.AirSyncBaseStatus) != "1" {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		o.Version = eas.V140
		if _, ok := show(t, message(crlf("Subject: x\n"+tt.raw)), o).Find(tag.AirSyncBaseBodyPart); ok {
			t.Errorf("%s: 14.0 has no BodyPart", name)
		}
	}
}

func TestTexts(t *testing.T) {
	for name, tt := range map[string]struct{ raw, want string }{
		"flowed":               {"Content-Type: text/plain; format=flowed\n\nOne \nline.\n>> two \n>> lines\n-- \nAnn\n", "One line.\r\n>> two lines\r\n-- \r\nAnn\r\n"},
		"flowed, spaces go":    {"Content-Type: text/plain; format=flowed; delsp=yes\n\nWort \nende\n", "Wortende\r\n"},
		"enriched":             {"Content-Type: text/enriched\n\n<bold>Now</bold> <<is <fontfamily><param>Arial</param>the time</fontfamily>\n", "Now <is the time\r\n"},
		"text behind a file":   {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nOne\n--b\nContent-Type: image/png\n\nx\n--b\n\nTwo\n--b--\n", "One\r\nTwo"},
		"the best alternative": {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nOne\n--b\nContent-Type: text/x-amp-html\n\n<x>\n--b--\n", "One"},
	} {
		o := options(eas.V161)
		o.Mail.Bodies = o.Mail.Bodies[1:2]
		if got := get(show(t, message(crlf("Subject: x\n"+tt.raw)), o), tag.AirSyncBaseBody, tag.AirSyncBaseData); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestUU: files of the time before MIME.
func TestUU(t *testing.T) {
	raw := crlf("Subject: x\n\nhello\nbegin 644 cat.txt\n#0V%T\n`\nend\nbegin the day\nbegin 644 dog.txt\n#1&]G\n`\nend\nbye\n")
	ps := show(t, message(raw), options(eas.V161))
	if got := get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData); got != "hello\r\nbegin the day\r\nbye\r\n" {
		t.Errorf("text %q", got)
	}
	for path, want := range map[string]string{"1.u1": "cat.txt Cat", "1.u2": "dog.txt Dog"} {
		a, err := Attachment(message(raw), path)
		if got := a.Name + " " + string(a.Data); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		p, err := FindPart(message(raw), path)
		if err != nil || p.Path != "1" {
			t.Fatalf("%+v, %v", p, err)
		}
		_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		var b bytes.Buffer
		if _, err := b.ReadFrom(p.Decode(bytes.NewReader(body))); err != nil || p.Name+" "+b.String() != want {
			t.Errorf("%s streamed: %q, %v", path, b.String(), err)
		}
		hollow := Message{Body: raw[:40], Size: int64(len(raw)), Left: []Left{{Path: "1", Encoded: int64(len(body)), Kept: 10}}}
		if p, err = FindPart(hollow, path); err != nil || p.Path != "1" {
			t.Fatalf("of a hollow text: %+v, %v", p, err)
		}
		b.Reset()
		if _, err := b.ReadFrom(p.Decode(bytes.NewReader(body))); err != nil || b.String() != want[len(want)-3:] {
			t.Errorf("%s of a hollow text: %q, %v", path, b.String(), err)
		}
	}
}

func TestConversations(t *testing.T) {
	id := func(head string) string {
		return get(show(t, message(crlf(head+"Subject: x\n\n")), options(eas.V141)), tag.Email2ConversationId)
	}
	root := id("Message-ID: <1@a>\n")
	for name, head := range map[string]string{"an answer": "Message-ID: <2@a>\nIn-Reply-To: <1@a>\n", "a later one": "Message-ID: <9@a>\nReferences: <1@a> <2@a>\n\t<8@a>\nIn-Reply-To: <8@a>\n"} {
		if id(head) != root || len(root) != 16 {
			t.Errorf("%s is in another conversation", name)
		}
	}
	if id("Message-ID: <3@a>\n") == root {
		t.Error("another message is in the same conversation")
	}
	const index = "Ad3BI0oAAAECAwQFBgcICQoLDA0ODwAAAAAB" // with one answer
	ps := show(t, message(crlf("Thread-Index: "+index+"\nSubject: x\n\n")), options(eas.V141))
	if got := get(ps, tag.Email2ConversationIndex); len(got) != 5+5 {
		t.Errorf("index %x", got)
	}
}

// TestMIMEKeepsItsEnd: a message that is not cut loses nothing, also if its last
// bytes are half a character, or none of UTF-8.
func TestMIMEKeepsItsEnd(t *testing.T) {
	for name, body := range map[string]string{"Latin": "Subject: x\r\n\r\ncaf\xe9", "half a character": "Subject: x\r\n\r\ncaf\xc3", "text": "Subject: x\r\n\r\ncaf\u00e9"} {
		t.Run(name, func(t *testing.T) {
			o := options(eas.V161)
			o.Mail = translate.Mail{MIMESupport: 2, Bodies: []translate.Body{{Type: translate.MIME}}}
			ps, err := FromMessage(message([]byte(body)), o)
			if err != nil {
				t.Fatal(err)
			}
			el, _ := ps.Find(tag.AirSyncBaseBody)
			data, _ := eas.Properties(el.Children).Find(tag.AirSyncBaseData)
			if got := data.Content(); got != body {
				t.Errorf("of %q comes %q", body, got)
			}
		})
	}
}

// TestEnrichedWithoutEnds: what a text opens and never closes, or closes very often,
// is looked for once. Else one such text would keep a processor busy for minutes.
func TestEnrichedWithoutEnds(t *testing.T) {
	for _, tt := range []struct{ piece, want string }{
		{"<param>", ""},
		{"<PARAM>a</Param>b", "b"},
		{"<" + strings.Repeat("c", maxCommand), "<" + strings.Repeat("c", maxCommand)},
		{"<" + strings.Repeat("c", maxCommand-1) + ">", ""},
		{"a<b", "a<b"},
	} {
		n := maxText / len(tt.piece)
		if got, want := withoutCommands(strings.Repeat(tt.piece, n)), strings.Repeat(tt.want, n); got != want {
			t.Errorf("%q, %d times: %d bytes, want %d", tt.piece, n, len(got), len(want))
		}
	}
}
