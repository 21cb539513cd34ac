package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/mail"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

var ann = Sending{Now: received, Self: []string{"ann@example.org", "ann.doe@example.org"}, Name: "Ann Doe", Host: "mail.example.org", Token: "t1"}

// written is an outgoing message, which has to be as long as it says, the same
// each time, and such that every server takes it.
func written(t testing.TB, o *Outgoing, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := o.WriteTo(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != o.Size() {
		t.Errorf("%d bytes were written, Size is %d", b.Len(), o.Size())
	}
	r := o.Open(t.Context())
	again, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(again, b.Bytes()) {
		t.Errorf("read again it is another message: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := mail.ReadMessage(bytes.NewReader(b.Bytes())); err != nil {
		t.Errorf("net/mail cannot read it: %v", err)
	}
	for line := range strings.SplitSeq(b.String(), "\r\n") {
		if len(line) > maxSentLine || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("a line that not every server takes: %.100q", line)
		}
	}
	head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
	if !isASCII([]byte(head)) {
		t.Errorf("the header is not in ASCII: %q", head)
	}
	return b.String()
}

func TestSend(t *testing.T) {
	for _, tt := range []struct{ name, sent, want string }{
		{"as it is", "From: ann@example.org\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHello\n",
			"From: ann@example.org\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHello\n"},
		{"nothing but a recipient", "To: b@example.com\n\nHello",
			"To: b@example.com\nFrom: \"Ann Doe\" <ann@example.org>\nDate: Sat, 28 Nov 2026 09:00:01 +0000\nMessage-ID: <628b49d96dcde97a430dd4f597705899@mail.example.org>\nMIME-Version: 1.0\n\nHello"},
		{"blind copies", "From: ann@example.org\nTo: b@example.com\nBcc: c@example.com,\n d@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\n\n",
			"From: ann@example.org\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nMIME-Version: 1.0\n\n"},
		{"raw bytes", "From: Ännchen <ann@example.org>\nTo: Bjørn <b@example.com>\nSubject: Grüße\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nContent-Type: text/plain; charset=utf-8; name=ü.txt\n\nGrüße\n",
			"From: =?utf-8?q?=C3=84nnchen?= <ann@example.org>\nTo: =?utf-8?q?Bj=C3=B8rn?= <b@example.com>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; name=ü.txt\n\nGrüße\n"},
		{"a bad date, somebody else's sender", "Sender: x@example.com\nFrom: ann@example.org\nTo: b@example.com\nDate: now\nMessage-ID: <1@phone>\n\n",
			"From: ann@example.org\nTo: b@example.com\nMessage-ID: <1@phone>\nDate: Sat, 28 Nov 2026 09:00:01 +0000\nMIME-Version: 1.0\n\n"},
		{"a detail, and what a store wrote", "Return-Path: <x@example.org>\nX-Pushbridge-Name: n\nFrom: Ann+phone@example.org\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\n\n",
			"From: Ann+phone@example.org\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nMIME-Version: 1.0\n\n"},
		{"a from without a host", "From: Anna <ann>\nTo: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\n\n",
			"To: b@example.com\nDate: Sat, 28 Nov 2026 09:00:00 +0000\nMessage-ID: <1@phone>\nFrom: \"Anna\" <ann@example.org>\nMIME-Version: 1.0\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := Send([]byte(tt.sent), ann)
			got := written(t, o, err)
			want := string(crlf(tt.want))
			if tt.name == "raw bytes" {
				want = strings.Replace(want, "name=ü.txt", "name*=utf-8''%C3%BC.txt", 1)
				got = strings.Replace(got, ";\r\n name*", "; name*", 1)
				want = strings.Replace(want, `text/plain; charset=utf-8`, `text/plain; charset="utf-8"`, 1)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	o, err := Send(crlf("From: ANN@example.org\nTo: B <b@example.com>, b@EXAMPLE.com\nCc: Friends: c@example.com;\nBcc: d@example.com\n\n"), ann)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"b@example.com", "c@example.com", "d@example.com"}, o.Recipients); d != "" || o.From != "ANN@example.org" {
		t.Errorf("from %s, -want +got:\n%s", o.From, d)
	}
	if copied := written(t, o.WithBcc(), nil); !strings.Contains(copied, "Bcc: d@example.com\r\n") {
		t.Errorf("the copy does not say who else got it: %s", copied)
	}
	if sent := written(t, o, nil); strings.Contains(sent, "d@example.com") {
		t.Errorf("everybody sees who got a blind copy: %s", sent)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		want       error
	}{
		{"nothing", "", translate.ErrInvalid},
		{"no header", "\r\nHello", translate.ErrInvalid},
		{"nobody", "From: ann@example.org\r\n\r\nHello", ErrNoRecipients},
		{"no address", "From: ann@example.org\r\nTo: Bob Builder\r\n\r\nHello", ErrNoRecipients},
		{"an option of sendmail", "From: ann@example.org\r\nTo: -oQ/tmp@example.org\r\n\r\nHello", ErrNoRecipients},
		{"somebody else", "From: boss@example.org\r\nTo: b@example.com\r\n\r\nHello", ErrNotSelf},
		{"somebody else with a detail", "From: boss+ann@example.org\r\nTo: b@example.com\r\n\r\nHello", ErrNotSelf},
		{"somebody else beside the person", "From: ann@example.org, boss@example.org\r\nTo: b@example.com\r\n\r\nHello", ErrNotSelf},
	} {
		_, err := Send([]byte(tt.sent), ann)
		if !errors.Is(err, tt.want) || !errors.Is(err, translate.ErrInvalid) {
			t.Errorf("%s: error = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestLines: lines that are too long are encoded, in a way that says the same.
func TestLines(t *testing.T) {
	long := strings.Repeat("word ", 400) + "Grüße"
	for name, sent := range map[string]string{
		"a text":     "From: ann@example.org\nTo: b@example.com\nContent-Type: text/plain; charset=utf-8\n\n" + long,
		"a part":     "From: ann@example.org\nTo: b@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + long + "\n--b--\n",
		"bare feeds": "From: ann@example.org\nTo: b@example.com\nContent-Type: text/plain; charset=utf-8\n\n" + strings.ReplaceAll(long, "word", "\x00word"),
		"a subject":  "From: ann@example.org\nTo: b@example.com\nSubject: " + strings.Repeat("Grüße ", 400) + "\nContent-Type: text/plain; charset=utf-8\n\n" + long,
		"recipients": "From: ann@example.org\nTo: " + strings.Repeat("Bjørn <b@example.com>, ", 1000) + "\nContent-Type: text/plain; charset=utf-8\n\n" + long,
		"one word":   "From: ann@example.org\nTo: b@example.com\nX-Data: " + strings.Repeat("x", 5000) + "\nContent-Type: text/plain; charset=utf-8\n\n" + long,
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Send([]byte(sent), ann)
			got := written(t, o, err)
			ps := show(t, message([]byte(got)), options(eas.V161))
			if text := get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData); strings.TrimSpace(text) != strings.TrimSpace(long) {
				t.Errorf("the text is %.60q ... %d bytes, want %d", text, len(text), len(long))
			}
		})
	}
	signed := string(crlf("From: ann@example.org\nTo: b@example.com\nMIME-Version: 1.0\nContent-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\n" +
		strings.Repeat("x", 1200) + "\n--b\nContent-Type: application/pgp-signature\n\nsig\n--b--\n"))
	o, err := Send([]byte(signed), ann)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(signed, "\r\n\r\n")
	if b, err := o.bytes(); err != nil || !strings.HasSuffix(string(b), body) {
		t.Errorf("a signed message was changed: %v", err)
	}
}

// TestNobodyKnown: without addresses of the person any sender will do, but
// there has to be one.
func TestNobodyKnown(t *testing.T) {
	if _, err := Send(crlf("From: x@example.com\nTo: b@example.com\n\n"), Sending{Now: received}); err != nil {
		t.Error(err)
	}
	if _, err := Send(crlf("To: b@example.com\n\n"), Sending{Now: received}); !errors.Is(err, ErrNotSelf) {
		t.Errorf("error = %v, want ErrNotSelf", err)
	}
}

func newMessage(kind, text string) []byte {
	return crlf("From: ann@example.org\nTo: c@example.com\nDate: Sat, 28 Nov 2026 10:00:00 +0000\nMessage-ID: <new@phone>\nSubject: Fw: Pictures\nMIME-Version: 1.0\nContent-Type: " + kind + "; charset=utf-8\n\n" + text)
}

// texts reads a message as its recipient does.
func texts(t testing.TB, raw string) (plain, html string, files []string) {
	t.Helper()
	root := parse([]byte(raw))
	c := contentOf(root)
	b := c.text("")
	for _, f := range c.files {
		data, _ := f.decoded(1 << 20)
		files = append(files, f.fileName()+" "+string(data))
	}
	return b.Plain, b.HTML, files
}

func TestReply(t *testing.T) {
	original := Original{Message: message(sample(t, "plain"))}
	o, err := Reply(newMessage("text/plain", "Yes, it is."), original, false, ann)
	raw := written(t, o, err)
	plain, _, files := texts(t, raw)
	want := "Yes, it is.\n\n-----Original Message-----\nFrom: \"Bob Builder\" <bob@example.com>\nDate: Sat, 28 Nov 2026 09:00:00 +0100\n" +
		"To: \"Ann\" <ann@example.org>, \"Doe, Jane\" <jane@example.org>\nCc: team@example.org\nSubject: Re: Grüße from the roof\n\nGrüße!\nThe roof is done.\n\n> Is it?\n"
	if d := cmp.Diff(want, plain); d != "" || len(files) > 0 {
		t.Errorf("files %q, -want +got:\n%s", files, d)
	}
	for _, field := range []string{"In-Reply-To: <2@example.com>\r\n", "References: <0@example.org> <1@example.org> <2@example.com>\r\n"} {
		if !strings.Contains(raw, field) {
			t.Errorf("%q is missing in\n%s", field, raw)
		}
	}
	o, err = Reply(newMessage("text/plain", "All of it."), original, true, ann)
	if plain, _, _ = texts(t, written(t, o, err)); plain != "All of it." {
		t.Errorf("ReplaceMime: %q", plain)
	}
	o, err = Reply(newMessage("text/html", "<html><body>Yes</body></html>"), Original{Message: message(sample(t, "alternative"))}, false, ann)
	_, document, files := texts(t, written(t, o, err))
	if !strings.Contains(document, "Yes<br><hr>") || !strings.Contains(document, "See <b>the roof</b>") || !strings.HasSuffix(document, "</div></body></html>") {
		t.Errorf("document:\n%s", document)
	}
	if len(files) != 1 || !strings.HasPrefix(files[0], "image.png") {
		t.Errorf("of the files the picture is shown, got %q", files)
	}
}

func TestForward(t *testing.T) {
	wantFiles := []string{"image.png \x89PNG\r\n\x1a\n", "Pläne.pdf %PDF-1.4\n", "Inner.eml Subject: Inner\r\nFrom: inner@example.com\r\nContent-Type: text/plain\r\n\r\nHello from inside."}
	original := Original{Message: message(sample(t, "alternative"))}
	for name, sent := range map[string][]byte{
		"plain text": newMessage("text/plain", "Look"),
		"a document": newMessage("text/html", "<html><body>Look</body></html>"),
		"both":       newMessage("multipart/alternative; boundary=q", "--q\n\nLook\n--q\nContent-Type: text/html\n\n<html><body>Look</body></html>\n--q--\n"),
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Forward(sent, original, false, ann)
			raw := written(t, o, err)
			plain, document, files := texts(t, raw)
			if !strings.Contains(document, "Look") || !strings.Contains(document, "See <b>the roof</b>") || !strings.Contains(plain, "Look") {
				t.Errorf("text:\n%s\ndocument:\n%s", plain, document)
			}
			if d := cmp.Diff(wantFiles, files); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if !strings.Contains(raw, "\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n") {
				t.Error("the picture was encoded anew")
			}
			validate(t, show(t, message([]byte(raw)), options(eas.V161)), eas.V161)
		})
	}
}

// TestForwardWithFiles: the phone's own files stay, as they are.
func TestForwardWithFiles(t *testing.T) {
	sent := newMessage("multipart/mixed; boundary=q", "--q\n\nLook\n--q\nContent-Type: image/gif\nContent-Disposition: attachment; filename=own.gif\nContent-Transfer-Encoding: base64\n\nR0lG\n--q--\n")
	o, err := Forward(sent, Original{Message: message(sample(t, "plain"))}, false, ann)
	raw := written(t, o, err)
	plain, _, files := texts(t, raw)
	if d := cmp.Diff([]string{"own.gif GIF"}, files); d != "" || !strings.HasPrefix(plain, "Look\n\n-----Original Message-----") {
		t.Errorf("text %q, files -want +got:\n%s", plain, d)
	}
}

// TestForwardSealed: what is signed goes as it is.
func TestForwardSealed(t *testing.T) {
	signed := sample(t, "signed")
	o, err := Forward(newMessage("text/plain", "Look"), Original{Message: message(signed)}, false, ann)
	if raw := written(t, o, err); !strings.Contains(raw, "Content-Type: message/rfc822\r\n") || !strings.Contains(raw, string(signed)) {
		t.Errorf("the signed message is not in it:\n%s", raw)
	}
}

// TestForwardHollow: what is elsewhere is streamed from there.
func TestForwardHollow(t *testing.T) {
	whole := sample(t, "alternative")
	hollow := bytes.Replace(whole, []byte("JVBERi0xLjQK"), nil, 1)
	m := Message{Body: hollow, Received: received, Size: int64(len(whole)), Left: []Left{{Path: "2", Encoded: int64(len("JVBERi0xLjQK"))}}}
	var asked []string
	original := Original{Message: m, Part: func(_ context.Context, path string, w io.Writer) error {
		asked = append(asked, path)
		_, err := io.WriteString(w, "JVBERi0xLjQK")
		return err
	}}
	o, err := Forward(newMessage("text/plain", "Look"), original, false, ann)
	_, _, files := texts(t, written(t, o, err))
	if len(files) != 3 || files[1] != "Pläne.pdf %PDF-1.4\n" || len(asked) != 2 || asked[0] != "2" {
		t.Errorf("files %q, asked for %q", files, asked)
	}
	again, err := SendDraft(original, Sending{Now: received})
	if raw := written(t, again, err); !strings.Contains(raw, "JVBERi0xLjQK\r\n--m\r\n") {
		t.Errorf("a draft that is elsewhere in part:\n%s", raw)
	}
	original.Left[0].Encoded = 100
	if o, err = Forward(newMessage("text/plain", "Look"), original, false, ann); err != nil {
		t.Fatal(err)
	}
	if err := o.WriteTo(t.Context(), io.Discard); err == nil {
		t.Error("a part that ends early went unnoticed")
	}
	original.Part = func(context.Context, string, io.Writer) error { return io.ErrUnexpectedEOF }
	o, err = Forward(newMessage("text/plain", "Look"), original, false, ann)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.WriteTo(t.Context(), io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v", err)
	}
	r := o.Open(t.Context())
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
