package imap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// tellVacation has Bob be away: he answers mail, and his own rules are kept.
func tellVacation(t *testing.T, s *imaptest.Server, b backend.Backend) {
	own := filepath.Join(s.Dir, "own.sieve")
	if err := os.WriteFile(own, []byte("require [\"fileinto\", \"mailbox\"];\r\nif header :contains \"subject\" \"hens\" { fileinto :create \"Hens\"; stop; }\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	active := func() string {
		target, _ := os.Readlink(filepath.Join(s.Dir, "home/bob/.dovecot.sieve"))
		return filepath.Base(target)
	}
	s.Doveadm("sieve", "put", "-u", imaptest.Bob.Name, "-a", "own", own)
	bob, ann := login(t, b, imaptest.Bob), login(t, b, imaptest.Ann)
	away, ok := backend.As[backend.Vacationer](bob)
	if !ok {
		t.Fatal("the session is no Vacationer")
	}
	text := "I am away.\n.\n..and in the ferns {3}\n\"; discard;\nZoë"
	if err := away.SetVacation(t.Context(), backend.Vacation{Enabled: true, From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Text: text}); err != nil {
		t.Fatal(err)
	}
	if active() != "pushbridge.sieve" {
		t.Errorf("the active script is %s", active())
	}
	sender, _ := backend.As[backend.Sender](ann)
	mail := strings.Replace(small, "To: ann@", "To: bob@", 1)
	mail = strings.Replace(mail, "From: Ono <ono@", "From: Ann <ann@", 1)
	mail = strings.Replace(mail, "Ferns", "Your hens "+fmt.Sprint(time.Now().UnixNano()), 1)
	err := sender.Send(t.Context(), backend.Envelope{From: imaptest.Ann.Address(), To: []string{imaptest.Bob.Address()}}, strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, s, imaptest.Ann, "INBOX", "..and in the ferns {3}")
	waitFor(t, s, imaptest.Bob, "Hens", "Your hens")

	if err := away.SetVacation(t.Context(), backend.Vacation{Text: text}); err != nil {
		t.Fatal(err)
	}
	if v, err := away.Vacation(t.Context()); err != nil || v.Enabled || v.Text != text || active() != "own.sieve" {
		t.Errorf("back again: %+v, error %v, the active script is %s; want the text, off, and own.sieve", v, err, active())
	}
	set := settings(s)
	set["sieve"] = "sieve+plain://127.0.0.1:1"
	down, _ := backend.As[backend.Vacationer](login(t, open(t, set), imaptest.Bob))
	_, err = down.Vacation(t.Context())
	wantKind(t, "Vacation while the server is down", err, backend.Transient, "refused")
	resumed, err := b.(backend.Resumer).Resume(t.Context(), backend.Credentials{User: "bob", Password: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	wrong, _ := backend.As[backend.Vacationer](resumed)
	_, err = wrong.Vacation(t.Context())
	wantKind(t, "Vacation with a wrong password", err, backend.Denied, "")
}

// waitFor waits until a text is in somebody's folder.
func waitFor(t *testing.T, s *imaptest.Server, u imaptest.User, folder, text string) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(s.Dir, "home", u.Name, "mail/mailboxes", folder, "dbox-Mails/u.*"))
		for _, f := range files {
			if data, err := os.ReadFile(f); err == nil && strings.Contains(string(data), text) {
				return
			}
		}
	}
	t.Errorf("no message with %q has come to %s of %s", text, folder, u.Name)
}
