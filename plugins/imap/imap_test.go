package imap_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/imap"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

func credentials(u imaptest.User) backend.Credentials {
	return backend.Credentials{User: u.Name, Password: u.Password}
}

// settings are for a server's TLS ports.
func settings(s *imaptest.Server) backend.Settings {
	return backend.Settings{
		"url": "imaps://" + s.IMAPS, "smtp": "smtps://" + s.SMTPS, "sieve": "sieve://" + s.Sieve, "ca_file": s.CAFile, "poll": "300ms", "timeout": "20s",
	}
}

func open(t testing.TB, s backend.Settings) backend.Backend {
	t.Helper()
	b, err := imap.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arrived waits until a message with a text is in Bob's inbox, on disk.
func arrived(s *imaptest.Server) func(t *testing.T, text string) []byte {
	return func(t *testing.T, text string) []byte {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			files, _ := filepath.Glob(filepath.Join(s.Dir, "home/bob/mail/mailboxes/INBOX/dbox-Mails/u.*"))
			for _, file := range files {
				if data, err := os.ReadFile(file); err == nil && bytes.Contains(data, []byte(text)) {
					return data
				}
			}
		}
		t.Fatalf("no message with %q has arrived", text)
		return nil
	}
}

// excuses are the promises that an adapter for IMAP breaks.
var excuses = []backendtest.Excuse{
	{Promise: "History/a removed item may come again", Kind: backend.Mail, Reason: "no UID is given twice"},
	{Promise: "Body/a plain body comes back byte for byte", Kind: backend.Mail, Reason: "a header line with the name is put before the message"},
	{Promise: "Body/an odd body comes back byte for byte", Kind: backend.Mail, Reason: "a header line with the name is put before the message"},
}

func suite(s *imaptest.Server, b backend.Backend) backendtest.Suite {
	return backendtest.Suite{
		Backend: b, Credentials: credentials(imaptest.Ann),
		Correspondent: imaptest.Bob.Address(), Sender: imaptest.Ann.Address(), Refused: imaptest.Refused, Arrived: arrived(s),
		Excuses: excuses,
	}
}

// TestDovecot is everything that is tried against one real server.
func TestDovecot(t *testing.T) {
	s := imaptest.Start(t)
	b := open(t, settings(s))
	t.Run("conformance", func(t *testing.T) { backendtest.Run(t, suite(s, b)) })
	t.Run("conformance over the wire", func(t *testing.T) { backendtest.Run(t, suite(s, wiretest.OverWire(t, open(t, settings(s))))) })
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) { story.tell(t, s, b) })
	}
}

// TestOlderDovecot is about a server that counts changes and tells of the inbox
// alone, as Gmail does, and not of what is gone.
func TestOlderDovecot(t *testing.T) {
	s := imaptest.Start(t, imaptest.Capabilities("IMAP4rev1 SASL-IR ID IDLE LITERAL+ UIDPLUS MOVE CONDSTORE UNSELECT NAMESPACE"))
	set := settings(s)
	delete(set, "smtp")
	delete(set, "sieve")
	backendtest.Run(t, suite(s, open(t, set)))
}

// stories are told one after the other; the last ones leave the server as it is
// of no more use.
var stories = []struct {
	name string
	tell func(t *testing.T, s *imaptest.Server, b backend.Backend)
}{
	{"roles", tellRoles},
	{"a delivered message", tellDelivered},
	{"a mark of deletion", tellMarked},
	{"UIDVALIDITY changes", tellValidity},
	{"a folder is removed and another one takes its name", tellRemoved},
	{"a full mailbox", tellFull},
	{"names that try tricks", tellNames},
	{"a repeated Put", tellRepeated},
	{"odd messages", tellOdd},
	{"a message that streams", tellStream},
	{"what the SMTP server says", tellRefusals},
	{"STARTTLS", tellStartTLS},
	{"a vacation", tellVacation},
	{"certificates", tellCertificates},
	{"a wrong password", tellPassword},
	{"connections end with their session", tellConnections},
	{"the server goes away", tellDown},
}

func openError(s backend.Settings) (backend.Backend, error) {
	return imap.Open(context.Background(), s)
}
