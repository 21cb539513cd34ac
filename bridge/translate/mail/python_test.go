package mail

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail/mailtest"
)

// reader is how Python's email package reads messages. It names everything that
// it finds wrong with one.
const reader = `
import email, email.policy, json, sys
out = []
for path in sys.argv[1:]:
    with open(path, 'rb') as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    wrong = [type(d).__name__ for p in m.walk() for d in p.defects]
    for p in m.walk():
        for h in p.values():
            wrong += [type(d).__name__ for d in h.defects]
    text = m.get_body(('plain',))
    out.append({'Wrong': wrong, 'Subject': m['Subject'] or '', 'To': str(m['To'] or ''), 'Text': text.get_content() if text else '',
        'Files': [p.get_filename() or p.get_content_type() for p in m.walk() if p.get_content_disposition() == 'attachment']})
print(json.dumps(out))
`

// A found is what Python found in a message.
type found struct {
	Wrong             []string
	Subject, To, Text string
	Files             []string
}

func readByPython(t *testing.T, messages []string) []found {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("python3 is not installed, and PUSHBRIDGE_CI is set")
		}
		t.Skip("python3 is not installed")
	}
	dir := t.TempDir()
	args := []string{"-c", reader}
	for i, m := range messages {
		path := filepath.Join(dir, itoa(i)+".eml")
		if err := os.WriteFile(path, []byte(m), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	said, err := cmd.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v: %s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	var list []found
	if err := json.Unmarshal(said, &list); err != nil || len(list) != len(messages) {
		t.Fatalf("%d answers, %v", len(list), err)
	}
	return list
}

// TestPythonReadsWhatIsSent: others find nothing wrong with what is composed
// here, and the same in it.
func TestPythonReadsWhatIsSent(t *testing.T) {
	ics, _, err := Invitation(message(sample(t, "meeting")))
	if err != nil {
		t.Fatal(err)
	}
	alternative, plain := Original{Message: message(sample(t, "alternative"))}, Original{Message: message(sample(t, "plain"))}
	both := newMessage("multipart/alternative; boundary=q", "--q\n\nLook\n--q\nContent-Type: text/html\n\n<html><body>Look</body></html>\n--q--\n")
	var names, raws []string
	var wants []found
	add := func(name string, want found) func(*Outgoing, error) {
		return func(o *Outgoing, err error) {
			names, raws, wants = append(names, name), append(raws, written(t, o, err)), append(wants, want)
		}
	}
	one := func(o *Outgoing, err error) (*Outgoing, error) { return o, err }
	add("raw bytes", found{Subject: "Grüße", To: `"Bjørn, Jr." <b@example.com>`, Text: "Look\n"})(one(Send(crlf("From: Ännchen <ann@example.org>\nTo: \"Bjørn, Jr.\" <b@example.com>\nSubject: Grüße\n\nLook\n"), ann)))
	add("a long text", found{Subject: strings.TrimSpace(strings.Repeat("word ", 300)), To: "b@example.com", Text: strings.Repeat("Grüße ", 500)})(one(
		Send(crlf("From: ann@example.org\nTo: b@example.com\nSubject: "+strings.Repeat("word ", 300)+"\nContent-Type: text/plain; charset=utf-8\n\n"+strings.Repeat("Grüße ", 500)), ann)))
	add("an answer", found{Subject: "Fw: Pictures", To: "c@example.com"})(one(Reply(newMessage("text/plain", "Yes"), plain, false, ann)))
	add("passed on", found{Subject: "Fw: Pictures", To: "c@example.com", Files: []string{"Pläne.pdf", "Inner.eml"}})(one(Forward(both, alternative, false, ann)))
	add("passed on whole", found{Subject: "Fw: Pictures", To: "c@example.com", Text: "Look", Files: []string{"Signed.eml", "smime.p7s"}})(one(Forward(newMessage("text/plain", "Look"), Original{Message: message(sample(t, "signed"))}, false, ann)))
	add("a draft", found{Subject: "Größe", To: "\"Doe, Jané\" <jane@example.com>", Text: "See this\n", Files: []string{"Pläne.pdf", "a b.txt"}})(one(NewDraft(eas.Properties{
		eas.T(tag.EmailTo, `"Doe, Jané" <jane@example.com>`), eas.T(tag.EmailSubject, "Größe"), bodyOf("2", "<p>See <b>this</b></p>\r\n"),
		eas.C(tag.AirSyncBaseAttachments, addOf("1", "Pläne.pdf", "application/pdf", "%PDF"), addOf("2", "a b.txt", "text/plain", "x")),
	}, ann)))
	add("an answer to an invitation", found{Subject: "Accepted: Plan", To: "Carl <carl@example.com>", Text: "Ann accepts: Plan\n"})(one(MeetingReply(ics, calendar.Answer{Response: calendar.Accepted}, "", ann)))
	for i, got := range readByPython(t, raws) {
		want := wants[i]
		if want.Text == "" {
			got.Text = ""
		}
		got.Text, want.Text = strings.TrimSpace(got.Text), strings.TrimSpace(want.Text)
		got.Text = strings.ReplaceAll(got.Text, "\r\n", "\n")
		if len(got.Files) == 0 {
			got.Files = nil
		}
		if len(got.Wrong) == 0 {
			got.Wrong = nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got:\n%s\n%s", names[i], d, raws[i])
		}
	}
}

// TestPythonReadsOddMailPassedOn: whatever is passed on, the message around it is
// in order: its recipient sees who wrote to whom, and what about.
func TestPythonReadsOddMailPassedOn(t *testing.T) {
	var names, raws []string
	for i, m := range mailtest.Odd() {
		if len(m.Body) > 4<<10 || i%4 != 0 { // Python takes its time
			continue
		}
		o, err := Forward(newMessage("text/plain", "Look"), Original{Message: message(m.Body)}, false, ann)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		b, err := o.bytes()
		if err != nil {
			t.Fatal(err)
		}
		names, raws = append(names, m.Name), append(raws, string(b))
	}
	for i, got := range readByPython(t, raws) {
		if got.Subject != "Fw: Pictures" || got.To != "c@example.com" {
			t.Errorf("%s: %+v", names[i], got)
		}
	}
}

// TestInjection: nothing that a phone writes into a property becomes a field of
// its own, or ends the header.
func TestInjection(t *testing.T) {
	const evil = "a\r\nEvil: 1\r\n\r\nbody\x00"
	wide := evil + "ü"
	for _, text := range []string{evil, wide, "\n\n" + evil, "\"" + evil, "<" + evil + "@example.com>", "=?utf-8?q?a=0D=0AEvil:_1?= <a@example.com>"} {
		sent := eas.Properties{eas.T(tag.EmailTo, text), eas.T(tag.EmailCc, text), eas.T(tag.Email2Bcc, text), eas.T(tag.EmailReplyTo, text), eas.T(tag.EmailSubject, text),
			eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseDisplayName, text), eas.T(tag.AirSyncBaseContentType, text), eas.T(tag.AirSyncBaseContentId, text),
				eas.T(tag.AirSyncBaseClientId, text), eas.Element{Tag: tag.AirSyncBaseContent, Opaque: []byte("x")}))}
		o, err := NewDraft(sent, ann)
		if err != nil {
			t.Fatal(err)
		}
		raw := written(t, o, err)
		root := parse([]byte(raw))
		var look func(p *part)
		look = func(p *part) {
			if p.header.get("Evil") != nil {
				t.Errorf("%q became a field:\n%s", text, raw)
			}
			for _, child := range p.children {
				look(child)
			}
		}
		look(root)
		if len(contentOf(root).files) != 1 || !root.multipart() {
			t.Errorf("%q broke the message:\n%s", text, raw)
		}
	}
	ics := strings.ReplaceAll(string(sample(t, "meeting")), "CN=Carl:mailto:carl@example.com", "CN=\"Carl^n^nEvil: 1\":mailto:carl@example.com%0D%0AEvil:%201")
	_, body, _ := strings.Cut(ics, "BEGIN:VCALENDAR")
	body, _, _ = strings.Cut("BEGIN:VCALENDAR"+body, "--x--")
	o, err := MeetingReply([]byte(strings.Replace(body, "SUMMARY:Plan", "SUMMARY:Plan\\nEvil: 1", 1)), calendar.Answer{Response: calendar.Accepted}, evil, ann)
	if errors.Is(err, translate.ErrInvalid) {
		return // nobody to write to
	}
	if raw := written(t, o, err); parse([]byte(raw)).header.get("Evil") != nil {
		t.Errorf("an invitation wrote a field:\n%s", raw)
	}
}
