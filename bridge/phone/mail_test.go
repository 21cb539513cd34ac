package phone

import (
	"io"
	"net/mail"
	"strings"
	"testing"

	"mime"
	"mime/quotedprintable"
)

// What is composed says what was typed, and a subject cannot smuggle in a header.
func TestCompose(t *testing.T) {
	text := "Grüße\nBob\n" + strings.Repeat("long ", 50)
	message, err := compose([]string{"bob@example.org", "Eve <eve@example.org>"}, "Tee\r\nBcc: eve@example.org für dich", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(message)))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Address != "eve@example.org" || m.Header.Get("Bcc") != "" {
		t.Errorf("to %v, %v, in secret to %q", to, err, m.Header.Get("Bcc"))
	}
	if s, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || !strings.HasSuffix(s, "für dich") {
		t.Errorf("the subject is %q, %v", s, err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || got != text {
		t.Errorf("the text is %q, %v", got, err)
	}
	if _, err := compose([]string{"nobody"}, "x", strings.NewReader("")); err == nil {
		t.Error("an address that is none was taken")
	}
	if _, err := compose(nil, "x", strings.NewReader(strings.Repeat("x", maxText+1))); err == nil {
		t.Error("a text without end was taken")
	}
}
