package phone

import (
	"io"
	"net/mail"
	"strings"
	"testing"

	"mime"
	"mime/quotedprintable"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
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

// A phone says of mail alone which messages it takes as they are, and whether what its
// owner deletes is gone.
func TestFormOfMail(t *testing.T) {
	for _, tt := range []struct {
		version    eas.Version
		support    int
		preferred  int
		truncation int
	}{{eas.V25, 2, 0, 8}, {eas.V141, 2, 4, -1}, {eas.V161, 1, 4, -1}, {eas.V161, 0, 1, -1}} {
		p := New(&easclient.Client{Version: tt.version}, Settings{MIMESupport: tt.support, Purges: tt.support > 0})
		p.folders["m"] = &Folder{Folder: eas.Folder{ServerID: "m"}, Class: eas.ClassEmail, SyncKey: "1"}
		p.folders["c"] = &Folder{Folder: eas.Folder{ServerID: "c"}, Class: eas.ClassContacts, SyncKey: "1"}
		asked := p.request([]string{"m", "c"}).Collections
		o := asked[0].Options[0]
		if gone := asked[0].DeletesAsMoves != nil && !*asked[0].DeletesAsMoves; gone != (tt.support > 0) || (o.MIMESupport != nil) != (tt.support > 0) {
			t.Errorf("%v, %d: asks with %+v and %+v", tt.version, tt.support, asked[0], o)
		}
		if tt.truncation >= 0 && (o.MIMETruncation == nil || *o.MIMETruncation != tt.truncation) {
			t.Errorf("%v, %d: asks with the MIMETruncation %v", tt.version, tt.support, o.MIMETruncation)
		}
		if tt.preferred > 0 && o.BodyPreferences[0].Type != tt.preferred {
			t.Errorf("%v, %d: prefers %+v", tt.version, tt.support, o.BodyPreferences)
		}
		if c := asked[1]; c.DeletesAsMoves != nil || c.Options[0].MIMESupport != nil {
			t.Errorf("%v, %d: asks for contacts with %+v", tt.version, tt.support, c)
		}
	}
}
