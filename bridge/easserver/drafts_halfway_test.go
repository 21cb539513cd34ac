package easserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// plan stores a draft of Ann's.
func plan(b *memory.Backend) {
	b.StoreMessage(bridgetest.User, "drafts", "d.eml", []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Plan\r\n\r\nOne\r\n"),
		time.Now(), backend.FlagDraft, backend.FlagSeen)
}

// takeBack has somebody take that draft back from among sent mail.
func takeBack(t *testing.T, b *memory.Backend) {
	t.Helper()
	s, err := b.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Move(t.Context(), "sent", "d.eml", "drafts"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.(backend.Mailbox).SetFlags(t.Context(), "drafts", "d.eml", []string{backend.FlagDraft}, nil); err != nil {
		t.Fatal(err)
	}
}

// A draft that the store took, and said that it did not, is not left beside what its
// owner wrote instead.
func TestDraftStoredUnheard(t *testing.T) {
	for _, add := range []bool{false, true} {
		h := mailHouse(t)
		if !add {
			plan(h.Backend)
		}
		p := mailPhone(h, eas.V161, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderDrafts)
		cmd := eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new"}
		if !add {
			id, _ := mailNamed(t, f, "Plan")
			cmd = eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id}
		}
		say := func(text string, want int) {
			t.Helper()
			cmd.Data = draftText(text)
			_, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
				{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{cmd}}}})
			if status, _ := httpStatus(t, err); status != want {
				t.Errorf("%q is answered %d, want %d", text, status, want)
			}
		}
		say("Two", 200)
		checkDraft(t, h, "Two", false)
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Midway: true, Err: backend.Errorf(backend.Transient, "imap", "down")})
		say("Three", 503)
		for _, text := range []string{"Four", "Five", "Three", "Three"} { // each answer is lost
			say(text, 200)
			checkDraft(t, h, text, false)
		}
	}
}

// A draft that went out, was moved to sent mail only at the second try, and is taken back
// by somebody, is a draft like any other: it is sent when a phone says so.
func TestDraftTakenBack(t *testing.T) {
	h := mailHouse(t)
	plan(h.Backend)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	sendPlan(t, p)
	h.Backend.Fail(memory.Failure{Op: memory.OpMove, Err: backend.Errorf(backend.Transient, "imap", "down")})
	bridgetest.Sync(t, p)
	takeBack(t, h.Backend)
	bridgetest.Sync(t, p)
	sendPlan(t, p)
	bridgetest.Sync(t, p)
	if n := len(h.Backend.Outgoing()); n != 2 {
		t.Errorf("%d were sent, want another one", n)
	}
}

// A draft that went out stays where phones see it if there is no folder for sent mail.
func TestSentDraftWithoutAFolderForIt(t *testing.T) {
	h := mailHouse(t)
	h.Backend.RemoveCollection(bridgetest.User, "sent")
	plan(h.Backend)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	h.Backend.Fail(memory.Failure{Op: memory.OpCreate, Err: backend.Errorf(backend.NotFound, "imap", "no place for folders"), Times: -1})
	for range 2 {
		sendPlan(t, p)
		bridgetest.Sync(t, p)
		if there, held := len(h.Backend.Items(bridgetest.User, "drafts")), len(folderOfType(t, p, eas.FolderDrafts).Items); there != 1 || held != 1 {
			t.Errorf("the server has %d drafts, the phone %d, want one", there, held)
		}
		if n := len(h.Backend.Outgoing()); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
	}
	h.Backend.Mend()
	sendPlan(t, p)
	bridgetest.Sync(t, p)
	bridgetest.Sync(t, p)
	if there, held := len(h.Backend.Items(bridgetest.User, "drafts")), len(folderOfType(t, p, eas.FolderDrafts).Items); there != 0 || held != 0 {
		t.Errorf("in the end the server has %d drafts, the phone %d", there, held)
	}
	if n := len(h.Backend.Outgoing()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

// A draft of which nobody knows whether it went out, and whose owner cannot be told so
// yet, does not go out by another phone either.
func TestDraftOfWhichNobodyKnowsByAnotherPhone(t *testing.T) {
	h := mailHouse(t)
	plan(h.Backend)
	var phones [2]*phone.Phone
	for i, name := range []string{"phone1", "phone2"} {
		phones[i] = h.Phone(eas.V161, name, phone.Settings{Classes: []string{eas.ClassEmail}})
		bridgetest.Sync(t, phones[i])
		sendPlan(t, phones[i])
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpSend, Midway: true, Err: backend.Errorf(backend.Other, "smtp", "the connection broke")})
	h.Backend.Fail(memory.Failure{Op: memory.OpPut, Collection: "inbox", Err: backend.Errorf(backend.TooLarge, "imap", "the mailbox is full"), Times: -1})
	for _, i := range []int{0, 1, 0, 1} {
		_, err := phones[i].Sync(t.Context())
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("phone %d is answered %d, want 503", i+1, status)
		}
	}
	h.Backend.Mend()
	for _, i := range []int{1, 0, 1, 0} {
		bridgetest.Sync(t, phones[i])
	}
	if n := len(h.Backend.Outgoing()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	for folder, want := range map[backend.CollectionID]int{"drafts": 0, "sent": 1, "inbox": 1} {
		if n := len(h.Backend.Items(bridgetest.User, folder)); n != want {
			t.Errorf("%s has %d messages, want %d", folder, n, want)
		}
	}
	for i, p := range phones {
		if n := len(folderOfType(t, p, eas.FolderDrafts).Items); n != 0 {
			t.Errorf("phone %d has %d drafts", i+1, n)
		}
	}
}

// A draft of which nobody knows whether it went out is taken away by somebody before its
// owner could be told so: they are told all the same, once, and it is not sent again.
func TestDraftOfWhichNobodyKnowsIsTakenAway(t *testing.T) {
	h := mailHouse(t)
	plan(h.Backend)
	p := h.Phone(eas.V161, "phone1", phone.Settings{Classes: []string{eas.ClassEmail}})
	bridgetest.Sync(t, p)
	sendPlan(t, p)
	h.Backend.Fail(memory.Failure{Op: memory.OpSend, Midway: true, Err: backend.Errorf(backend.Other, "smtp", "the connection broke")})
	h.Backend.Fail(memory.Failure{Op: memory.OpPut, Collection: "inbox", Err: backend.Errorf(backend.TooLarge, "imap", "the mailbox is full"), Times: -1})
	for range 2 {
		_, err := p.Sync(t.Context())
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("answered %d, want 503", status)
		}
		h.Backend.Remove(bridgetest.User, "drafts", "d.eml")
	}
	h.Backend.Mend()
	bridgetest.Sync(t, p)
	bridgetest.Sync(t, p)
	if n := len(h.Backend.Outgoing()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	told := h.Backend.Items(bridgetest.User, "inbox")
	for _, body := range told {
		if text := string(body); !strings.Contains(text, "Sent or not? Plan") || !strings.Contains(text, "bob@example.org") || !strings.Contains(text, "no copy") {
			t.Errorf("the person is told\n%s", text)
		}
	}
	if len(told) != 1 {
		t.Errorf("the inbox has %d messages, want the question whether it was sent", len(told))
	}
	if n := len(folderOfType(t, p, eas.FolderDrafts).Items); n != 0 {
		t.Errorf("the phone has %d drafts", n)
	}
}
