package easserver_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A mail of which nobody knows whether the mail system took it is not sent again: the
// person is told in the inbox, once, and has it among what was sent.
func TestMailOfWhichNobodyKnows(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Other, "smtp", "broken after the last byte"), Times: 1, Midway: true})
		send := func() error {
			return h.Client(v, "phone1").SendMail(t.Context(), eas.SendMailRequest{ClientID: "1", Mime: []byte(newMail)})
		}
		for _, why := range []error{
			backend.Errorf(backend.Transient, "imap", "down"), backend.Errorf(backend.TooLarge, "imap", "the mailbox is full"),
			backend.Errorf(backend.Denied, "imap", "another password"), backend.Errorf(backend.Other, "imap", "broken"),
		} {
			h.Backend.Fail(memory.Failure{Op: memory.OpPut, Err: why, Times: 1})
			if status, _ := httpStatus(t, send()); status != 503 {
				t.Errorf("while the person cannot be told for %v: answered %d, want 503", why, status)
			}
		}
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Collection: "sent", Err: backend.Errorf(backend.TooLarge, "imap", "the mailbox is full"), Times: 1})
		if status, _ := httpStatus(t, send()); status != 503 {
			t.Errorf("while no copy can be kept: answered %d, want 503", status)
		}
		for range 2 {
			if err := send(); v >= eas.V140 {
				checkRefused(t, v, err, eas.MessagePreviouslySent)
			} else if err != nil {
				t.Errorf("again: %v", err)
			}
		}
		if n := len(h.Backend.Outgoing()); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
		if n := len(h.Backend.Items(bridgetest.User, "sent")); n != 1 {
			t.Errorf("%d copies were kept", n)
		}
		told := h.Backend.Items(bridgetest.User, "inbox")
		for _, body := range told {
			if !bytes.Contains(body, []byte("Sent or not?")) || !bytes.Contains(body, []byte("bob@example.org")) {
				t.Errorf("the person is told\n%s", body)
			}
		}
		if len(told) != 1 {
			t.Errorf("the inbox has %d messages", len(told))
		}
		bridgetest.Sync(t, p)
		if n := len(folderOfType(t, p, eas.FolderInbox).Items); n != 1 {
			t.Errorf("the phone has %d messages in its inbox", n)
		}
	})
}

// A draft of which nobody knows that goes to what was sent.
func TestDraftOfWhichNobodyKnows(t *testing.T) {
	h := mailHouse(t)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	id, err := p.Add(f.ServerID, draftText("One"))
	if err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	for i := range folderOfType(t, p, eas.FolderDrafts).Items {
		id = i
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Other, "smtp", "broken after the last byte"), Times: 1, Midway: true})
	if err := p.SendDraft(f.ServerID, id); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	if n := len(h.Backend.Outgoing()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	for folder, want := range map[backend.CollectionID]int{"drafts": 0, "sent": 1, "inbox": 1} {
		if n := len(h.Backend.Items(bridgetest.User, folder)); n != want {
			t.Errorf("%s has %d messages, want %d", folder, n, want)
		}
	}
}

// An answer that went out is not refused when the phone, which did not hear of it, sends
// it again, though somebody has removed meanwhile what it answers.
func TestAnswerSentAgainToWhatIsGone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		inbox(h, map[string]string{"question": mailOf("question", "How are you?")})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		id, _ := mailNamed(t, f, "question")
		answer := func(clientID string) error {
			return h.Client(v, "phone1").SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: clientID, Source: &eas.MailSource{FolderID: f.ServerID, ItemID: id},
				Mime: []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Re: question\r\nMessage-ID: <" + clientID + "@phone>\r\n\r\nFine.\r\n")})
		}
		if err := answer("r"); err != nil {
			t.Fatal(err)
		}
		h.Backend.Remove(bridgetest.User, "inbox", "question")
		if err := answer("r"); v < eas.V140 && err != nil {
			t.Errorf("sent again: %v", err)
		} else if v >= eas.V140 {
			checkRefused(t, v, err, eas.MessagePreviouslySent)
		}
		checkRefused(t, v, answer("another"), eas.ItemNotFound)
		if n := len(h.Backend.Outgoing()); n != 1 {
			t.Errorf("%d were sent, want one", n)
		}
	})
}

// A phone does not try for ever to have a person told who has no inbox, and does not hear
// that a mail which may have gone out is to come again because no copy of it can be kept.
func TestMailOfWhichNobodyCanTell(t *testing.T) {
	broken := memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Other, "smtp", "broken after the last byte"), Times: 1, Midway: true}
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		send := func(id string) error {
			return h.Client(v, "phone1").SendMail(t.Context(), eas.SendMailRequest{ClientID: id, Mime: []byte(strings.Replace(newMail, "Subject: ", "Subject: "+id+" ", 1))})
		}
		sent := func(err error) {
			t.Helper()
			if v >= eas.V140 {
				checkRefused(t, v, err, eas.MessagePreviouslySent)
			} else if err != nil {
				t.Error(err)
			}
		}
		h.Backend.Fail(broken)
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Collection: "sent", Err: backend.Errorf(backend.ReadOnly, "imap", "not here"), Times: -1})
		for range 2 {
			sent(send("1"))
		}
		if n := len(h.Backend.Items(bridgetest.User, "inbox")); n != 1 {
			t.Errorf("the inbox has %d notices", n)
		}
		h.Backend.Mend()
		h.Backend.RemoveCollection(bridgetest.User, "inbox")
		bridgetest.Sync(t, p)
		h.Backend.Fail(broken)
		for range 2 {
			checkRefused(t, v, send("2"), eas.MailSubmissionFailed)
		}
		if n := len(h.Backend.Outgoing()); n != 2 {
			t.Errorf("%d were sent, want each of two once", n)
		}
	})
}

// Nor does a phone's calendar stand still for such a person; and guests, who may have got
// their mail, do not get it once more, each by themselves.
func TestGuestsOfWhomNobodyCanTell(t *testing.T) {
	o := newOffice(t, eas.V161, false, true)
	o.h.Store("calendar", "e", seriesWith("bo", "cy"))
	o.h.Backend.RemoveCollection(bridgetest.User, "inbox")
	o.h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Other, "smtp", "broken after the last byte"), Times: 1, Midway: true})
	o.command(func(_ *raw, c *eas.SyncCollection, id string) {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}}}
	})
	if got := strings.Join(mails(o.h), "; "); got != "bo cy REQUEST" {
		t.Errorf("mailed %q", got)
	}
	if body := o.h.Backend.Items(bridgetest.User, "calendar")["e"]; !bytes.Contains(body, []byte("Coffee")) {
		t.Errorf("the event is\n%s", body)
	}
}
