package easserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// annsAddress is the address of the person in a house with mail.
const annsAddress = "ann@example.org"

// mailHouse is a house whose person has mail, with all folders that have a role.
func mailHouse(t testing.TB, edits ...func(*bridge.Options)) *bridgetest.House {
	t.Helper()
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		for _, edit := range edits {
			edit(o)
		}
	}})
	for _, c := range memory.MailCollections() {
		h.Backend.SetCollection(bridgetest.User, c)
	}
	h.Backend.SetIdentity(bridgetest.User, backend.Identity{Name: "Ann", Addresses: []string{annsAddress}})
	return h
}

// mailOf is a message of our own.
func mailOf(subject, text string) string {
	return fmt.Sprintf("From: Bob <bob@example.org>\r\nTo: %s\r\nSubject: %s\r\nDate: Sat, 28 Nov 2026 08:00:00 +0000\r\nMessage-ID: <%s@example.org>\r\n\r\n%s\r\n",
		annsAddress, subject, strings.ReplaceAll(subject, " ", "-"), text)
}

// mailPhone is a phone that synchronizes mail alone.
func mailPhone(h *bridgetest.House, v eas.Version, s phone.Settings) *phone.Phone {
	s.Classes = []string{eas.ClassEmail}
	return h.Phone(v, "phone1", s)
}

// folderOfType finds a folder of a phone's.
func folderOfType(t testing.TB, p *phone.Phone, typ eas.FolderType) phone.Folder {
	t.Helper()
	for _, f := range p.Folders() {
		if f.Type == typ {
			return f
		}
	}
	t.Fatalf("the phone has no folder of type %d", typ)
	return phone.Folder{}
}

// mailNamed finds a message in a phone's folder by its subject.
func mailNamed(t testing.TB, f phone.Folder, subject string) (id string, item eas.Properties) {
	t.Helper()
	for id, item := range f.Items {
		if s, _ := item.Text(tag.EmailSubject); s == subject {
			return id, item
		}
	}
	t.Fatalf("the phone has no mail %q in %s: %v", subject, f.DisplayName, titles(f))
	return "", nil
}

func read(item eas.Properties) string {
	s, _ := item.Text(tag.EmailRead)
	return s
}

// The inbox is on the phone; new mail wakes it; whether something was read goes both
// ways, and the body is not sent once more.
func TestMailBothWays(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		h.Backend.StoreMessage(bridgetest.User, "inbox", "m1", []byte(mailOf("First", "Words")), time.Now().Add(-time.Hour))
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		inbox := folderOfType(t, p, eas.FolderInbox)
		id, item := mailNamed(t, inbox, "First")
		if read(item) != "0" || !strings.Contains(fmt.Sprint(item), "Words") {
			t.Errorf("the phone has %v", item)
		}

		h.Backend.StoreMessage(bridgetest.User, "inbox", "m2", []byte(mailOf("Second", "More")), time.Now())
		if r, err := p.Ping(t.Context(), time.Minute); err != nil || r.Status != eas.PingChanges || len(r.Folders) != 1 || r.Folders[0] != inbox.ServerID {
			t.Errorf("Ping: %+v, %v, want news of the inbox", r, err)
		}
		bridgetest.Sync(t, p)
		mailNamed(t, folderOfType(t, p, eas.FolderInbox), "Second")

		if err := p.Change(inbox.ServerID, id, eas.Properties{eas.T(tag.EmailRead, "1")}); err != nil {
			t.Fatal(err)
		}
		if events := bridgetest.Sync(t, p); len(events) != 0 {
			t.Errorf("the phone's own change comes back: %v", events)
		}
		if flags := h.Backend.FlagsOf(bridgetest.User, "inbox", "m1"); !backend.HasFlag(flags, backend.FlagSeen) {
			t.Errorf("on the server it has the flags %q", flags)
		}

		s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.(backend.Mailbox).SetFlags(t.Context(), "inbox", "m2", []string{backend.FlagSeen, backend.FlagFlagged}, nil); err != nil {
			t.Fatal(err)
		}
		events := bridgetest.Sync(t, p)
		if len(events) != 1 || events[0].Kind != phone.Changed {
			t.Fatalf("events %v, want one change", events)
		}
		if _, body := events[0].Item.Find(tag.AirSyncBaseBody); body && v >= eas.V120 {
			// The phone merges: so it has the body, which is not to have come again.
			t.Logf("merged: %v", events[0].Item)
		}
		if _, item := mailNamed(t, folderOfType(t, p, eas.FolderInbox), "Second"); read(item) != "1" || !strings.Contains(fmt.Sprint(item), "More") {
			t.Errorf("the phone has %v", item)
		}
	})
}

// sendsNew is a phone that sends a new mail, as its version does.
func sendNew(t testing.TB, h *bridgetest.House, v eas.Version, clientID, mime string) error {
	t.Helper()
	return h.Client(v, "phone1").SendMail(t.Context(), eas.SendMailRequest{ClientID: clientID, SaveInSentItems: true, Mime: []byte(mime)})
}

const newMail = "From: ann@example.org\r\nTo: Bob <bob@example.org>\r\nBcc: eve@example.org\r\nSubject: Tea\r\nMessage-ID: <tea@phone>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nAt five?\r\n"

// A mail goes out, and a copy is kept; what a phone repeats goes out once.
func TestSendMail(t *testing.T) {
	conformance.Shows(t, "command SendMail", "SendMailRequest", "SendMailResponse", "MessagePreviouslySent")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		if err := sendNew(t, h, v, "1", newMail); err != nil {
			t.Fatal(err)
		}
		sent := h.Backend.Outgoing()
		if len(sent) != 1 || sent[0].From != annsAddress || strings.Join(sent[0].To, " ") != "bob@example.org eve@example.org" ||
			bytes.Contains(sent[0].Body, []byte("eve@")) || !bytes.Contains(sent[0].Body, []byte("At five?")) {
			t.Fatalf("sent was %+v", sent)
		}
		bridgetest.Sync(t, p)
		if _, item := mailNamed(t, folderOfType(t, p, eas.FolderSent), "Tea"); read(item) != "1" {
			t.Errorf("the copy is %v", item)
		}
		err := sendNew(t, h, v, "1", newMail)
		if v >= eas.V140 {
			if se, ok := errors.AsType[*easclient.StatusError](err); !ok || se.Status != int(eas.MessagePreviouslySent) {
				t.Errorf("the same again: %v, want status 118", err)
			}
		} else if err != nil { // no status says so
			t.Errorf("the same again: %v, want a success", err)
		}
		if n := len(h.Backend.Outgoing()); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
		if n := len(h.Backend.Items(bridgetest.User, "sent")); n != 1 {
			t.Errorf("%d copies are kept", n)
		}
	})
}
