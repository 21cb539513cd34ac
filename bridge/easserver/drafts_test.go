package easserver_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// draftText is what a phone says of a draft's text.
func draftText(s string) eas.Properties {
	return eas.Properties{eas.T(tag.EmailTo, "bob@example.org"), eas.T(tag.EmailSubject, "Plan"),
		eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, s))}
}

// A phone that hears nothing of what it wrote says it again with the same key: as it
// was, or as its owner has edited it since. Then what was written last is there, and
// is sent, and nothing of the earlier try is left.
func TestDraftsSaidAgain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		add, send bool
		fail      memory.Op
		again     string
	}{
		{"a change, as it was", false, false, memory.OpDelete, "Two"},
		{"a change, edited", false, false, memory.OpDelete, "Three"},
		{"a sent change, as it was", false, true, memory.OpSend, "Two"},
		{"a sent change, edited", false, true, memory.OpSend, "Three"},
		{"a new one that is sent, as it was", true, true, memory.OpSend, "Two"},
		{"a new one that is sent, edited", true, true, memory.OpSend, "Three"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := mailHouse(t)
			p := mailPhone(h, eas.V161, phone.Settings{})
			bridgetest.Sync(t, p)
			f := folderOfType(t, p, eas.FolderDrafts)
			cmd := eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "new", Send: tt.send}
			if !tt.add {
				if _, err := p.Add(f.ServerID, draftText("One")); err != nil {
					t.Fatal(err)
				}
				bridgetest.Sync(t, p)
				f = folderOfType(t, p, eas.FolderDrafts)
				id, _ := mailNamed(t, f, "Plan")
				cmd = eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Send: tt.send}
			}
			say := func(text string) error {
				cmd.Data = draftText(text)
				_, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
					{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{cmd}}}})
				return err
			}
			h.Backend.Fail(memory.Failure{Op: tt.fail, Err: backend.Errorf(backend.Transient, "test", "down"), Times: 1})
			if status, _ := httpStatus(t, say("Two")); status != 503 {
				t.Fatalf("answered %d, want 503", status)
			}
			if err := say(tt.again); err != nil {
				t.Fatal(err)
			}
			checkDraft(t, h, tt.again, tt.send)
			// The answer is lost, too.
			if err := say("Last"); err != nil {
				t.Fatal(err)
			}
			if tt.send { // it was sent
				checkDraft(t, h, tt.again, true)
			} else {
				checkDraft(t, h, "Last", false)
			}
		})
	}
}

// A phone that hears nothing of its edit of a draft deletes it, with the same key: then
// nothing is left of it but what deleted messages are.
func TestDraftDeletedAfterHalfAnEdit(t *testing.T) {
	for _, op := range []memory.Op{memory.OpPut, memory.OpDelete} {
		t.Run(string(op), func(t *testing.T) {
			h := mailHouse(t)
			plan(h.Backend)
			p := mailPhone(h, eas.V161, phone.Settings{})
			bridgetest.Sync(t, p)
			f := folderOfType(t, p, eas.FolderDrafts)
			id, _ := mailNamed(t, f, "Plan")
			say := func(cmd eas.SyncCommand) error {
				cmd.ServerID = id
				_, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
					{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{cmd}}}})
				return err
			}
			h.Backend.Fail(memory.Failure{Op: op, Err: backend.Errorf(backend.Transient, "test", "down")})
			if status, _ := httpStatus(t, say(eas.SyncCommand{Do: tag.AirSyncChange, Data: draftText("Two")})); status != 503 {
				t.Fatalf("answered %d, want 503", status)
			}
			for range 2 { // the answer is lost, too
				if err := say(eas.SyncCommand{Do: tag.AirSyncDelete}); err != nil {
					t.Fatal(err)
				}
			}
			for folder, want := range map[backend.CollectionID]int{"drafts": 0, "trash": 1} {
				if n := len(h.Backend.Items(bridgetest.User, folder)); n != want {
					t.Errorf("%s has %d messages, want %d", folder, n, want)
				}
			}
		})
	}
}

// checkDraft tells whether a text is in the one draft that there is, or in the one
// mail that was sent.
func checkDraft(t *testing.T, h *bridgetest.House, text string, sent bool) {
	t.Helper()
	drafts, out := h.Backend.Items(bridgetest.User, "drafts"), h.Backend.Outgoing()
	if sent {
		if len(drafts) != 0 || len(out) != 1 || !bytes.Contains(out[0].Body, []byte(text)) {
			t.Errorf("%d drafts are left, and sent were %d, want one with %q: %+v", len(drafts), len(out), text, out)
		}
		return
	}
	if len(drafts) != 1 || len(out) != 0 {
		t.Errorf("there are %d drafts, and %d were sent", len(drafts), len(out))
	}
	for _, body := range drafts {
		if !bytes.Contains(body, []byte(text)) {
			t.Errorf("the draft does not say %q:\n%s", text, body)
		}
	}
}

// A new draft that a phone edits before it hears of it is the edited one.
func TestNewDraftSaidAgain(t *testing.T) {
	h := mailHouse(t)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	file := eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseClientId, "file"), eas.T(tag.AirSyncBaseMethod, "1"),
		eas.T(tag.AirSyncBaseDisplayName, "plan.txt"), eas.Element{Tag: tag.AirSyncBaseContent, Opaque: []byte("It")}))
	for _, text := range []string{"One", "One", "Two", "Three", "Three"} { // each answer is lost
		res, err := h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
			{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: append(draftText(text), file)}}}}})
		if err != nil || len(res.Collections) != 1 || len(res.Collections[0].Responses) != 1 || res.Collections[0].Responses[0].Status != eas.SyncOK {
			t.Fatalf("%s: %+v, %v", text, res, err)
		}
		checkDraft(t, h, text, false)
		for _, body := range h.Backend.Items(bridgetest.User, "drafts") {
			if n := bytes.Count(body, []byte("attachment;")); n != 1 {
				t.Errorf("%s: the draft has %d files, want one:\n%s", text, n, body)
			}
		}
	}
}

// A draft that a phone goes on writing keeps its flags and keywords, whoever gave them
// to it; the phone hears of those that it did not know, and what it says of flags
// itself counts.
func TestEditedDraftKeepsItsFlags(t *testing.T) {
	h := mailHouse(t)
	p := mailPhone(h, eas.V161, phone.Settings{})
	h.Backend.StoreMessage(bridgetest.User, "drafts", "d.eml", []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Plan\r\n\r\nOne\r\n"), time.Now(), backend.FlagDraft, backend.FlagSeen, "$Keep", "Work")
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	id, _ := mailNamed(t, f, "Plan")
	s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.(backend.Mailbox).SetFlags(t.Context(), "drafts", "d.eml", []string{"Urgent"}, nil); err != nil {
		t.Fatal(err)
	}
	flag := eas.C(tag.EmailFlag, eas.T(tag.EmailStatus, "2"), eas.T(tag.EmailFlagType, "Flag for follow up"))
	if err := p.Change(f.ServerID, id, append(draftText("Two"), flag)); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	checkDraft(t, h, "Two", false)
	for name := range h.Backend.Items(bridgetest.User, "drafts") {
		want := backend.Flags([]string{backend.FlagDraft, backend.FlagSeen, backend.FlagFlagged, "$Keep", "Work", "Urgent"})
		if diff := cmp.Diff(want, h.Backend.FlagsOf(bridgetest.User, "drafts", name)); diff != "" {
			t.Errorf("flags (-want +got):\n%s", diff)
		}
	}
	_, item := mailNamed(t, folderOfType(t, p, eas.FolderDrafts), "Plan")
	if categories, _ := item.Find(tag.EmailCategories); len(categories.Children) != 2 {
		t.Errorf("the phone holds the categories %+v, want both", categories.Children)
	}
}

// Where nobody knows whether the mail system took a draft, and that cannot be said now,
// the phone is to say the same again: it is not told that the draft was refused.
func TestDraftOfWhichNobodyKnowsWhetherItWasSent(t *testing.T) {
	h := mailHouse(t)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	if _, err := p.Add(f.ServerID, draftText("One")); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	f = folderOfType(t, p, eas.FolderDrafts)
	id, _ := mailNamed(t, f, "Plan")
	if err := p.SendDraft(f.ServerID, id); err != nil {
		t.Fatal(err)
	}
	h.Backend.Fail(memory.Failure{Op: memory.OpSend, Midway: true, Err: backend.Errorf(backend.Other, "smtp", "the connection broke"), Times: 1})
	h.Backend.Fail(memory.Failure{Op: memory.OpPut, Collection: "inbox", Err: backend.Errorf(backend.Other, "imap", "something"), Times: 1})
	_, err := p.Sync(t.Context())
	if status, _ := httpStatus(t, err); status != 503 {
		t.Errorf("answered %d, want 503", status)
	}
	bridgetest.Sync(t, p)
	bridgetest.Sync(t, p)
	if out := h.Backend.Outgoing(); len(out) != 1 {
		t.Errorf("sent were %+v, want one", out)
	}
	if n := len(folderOfType(t, p, eas.FolderDrafts).Items); n != 0 {
		t.Errorf("%d drafts are left", n)
	}
	mailNamed(t, folderOfType(t, p, eas.FolderSent), "Plan")
	mailNamed(t, folderOfType(t, p, eas.FolderInbox), "Sent or not? Plan")
}

// What others did to a new draft before the phone heard of it is told to the phone,
// also if it goes on writing meanwhile.
func TestNewDraftThatOthersFlagged(t *testing.T) {
	for _, again := range []string{"One", "Two"} {
		h := mailHouse(t)
		p := mailPhone(h, eas.V161, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderDrafts)
		add := func(text string) (*eas.SyncResponse, error) {
			return h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
				{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: draftText(text)}}}}})
		}
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Midway: true, Err: backend.Errorf(backend.Transient, "test", "down")})
		_, err := add("One")
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("answered %d, want 503", status)
		}
		s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
		if err != nil {
			t.Fatal(err)
		}
		for name := range h.Backend.Items(bridgetest.User, "drafts") {
			if _, err := s.(backend.Mailbox).SetFlags(t.Context(), "drafts", name, []string{"Urgent"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		res, err := add(again)
		if err != nil || len(res.Collections) != 1 || len(res.Collections[0].Responses) != 1 || res.Collections[0].Responses[0].Status != eas.SyncOK {
			t.Fatalf("%s: %+v, %v", again, res, err)
		}
		checkDraft(t, h, again, false)
		told := 0
		for _, cmd := range res.Collections[0].Commands {
			if categories, _ := cmd.Data.Find(tag.EmailCategories); cmd.Do == tag.AirSyncChange && len(categories.Children) == 1 {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s: the phone is told %d times of the category: %+v", again, told, res.Collections[0].Commands)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A draft that an earlier try took to sent mail is not missing: it went out, or the
// person was told that nobody knows.
func TestDraftThatAnEarlierTryTookToSentMail(t *testing.T) {
	for _, with := range []eas.Properties{nil, draftText("Two")} {
		h := mailHouse(t)
		p := mailPhone(h, eas.V161, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderDrafts)
		if _, err := p.Add(f.ServerID, draftText("One")); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		f = folderOfType(t, p, eas.FolderDrafts)
		id, _ := mailNamed(t, f, "Plan")
		h.Backend.Fail(memory.Failure{Op: memory.OpMove, Midway: true, Err: backend.Errorf(backend.Transient, "test", "down")})
		h.Backend.Fail(memory.Failure{Op: memory.OpSend, Midway: true, Err: backend.Errorf(backend.Other, "smtp", "the connection broke"), Times: 1})
		send := func() (*eas.SyncResponse, error) {
			return h.Client(eas.V161, "phone1").Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{
				{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Send: true, Data: with}}}}})
		}
		_, err := send()
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("answered %d, want 503", status)
		}
		again, err := send()
		if err != nil || len(again.Collections) != 1 {
			t.Fatalf("answered %+v, %v", again, err)
		}
		for _, r := range again.Collections[0].Responses {
			if r.Status != eas.SyncOK {
				t.Errorf("refused with status %d", r.Status)
			}
		}
		if n := len(h.Backend.Outgoing()); n != 1 {
			t.Errorf("%d were sent, want one", n)
		}
		if drafts, sent, inbox := h.Backend.Items(bridgetest.User, "drafts"), h.Backend.Items(bridgetest.User, "sent"), h.Backend.Items(bridgetest.User, "inbox"); len(drafts) != 0 || len(sent) != 1 || len(inbox) != 1 {
			t.Errorf("%d drafts, %d in sent mail, and %d notices, want none and one of each", len(drafts), len(sent), len(inbox))
		}
	}
}

// A crowded backend lets a test do something while a mail is about to go out.
type crowded struct {
	*memory.Backend
	meanwhile func()
	sent      atomic.Bool
}

func (b *crowded) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return crowdedSession{s.(*memory.Session), b}, nil
}

type crowdedSession struct {
	*memory.Session
	b *crowded
}

func (s crowdedSession) Send(ctx context.Context, e backend.Envelope, r io.Reader) error {
	if !s.b.sent.Swap(true) {
		s.b.meanwhile()
	}
	return s.Session.Send(ctx, e, r)
}

// One draft that two phones have sent at the same moment goes out once, and may be sent
// another time when somebody takes it back from among sent mail.
func TestDraftThatTwoPhonesSendAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, Backend: memory.New(), from: "192.0.2.1:1000", file: config.Default()}
		b.file.State = t.TempDir()
		b.AddUser(bridgetest.User, bridgetest.Password, memory.MailCollections()...)
		b.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{annsAddress}})
		plan(b.Backend)
		busy := &crowded{Backend: b.Backend}
		var err error
		b.bridge, err = bridge.New(t.Context(), bridge.Options{
			Config: b.file, Logger: slog.New(slog.DiscardHandler), Backends: []account.Named{{Name: "memory", Backend: busy}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { b.bridge.Close() }()
		var phones [2]*phone.Phone
		for i, name := range []string{"phone1", "phone2"} {
			c, _ := b.another(name, eas.V161)
			phones[i] = bridgetest.Checked(t, phone.New(c, phone.Settings{Classes: []string{eas.ClassEmail}}))
			bridgetest.Sync(t, phones[i])
			sendPlan(t, phones[i])
		}
		other := make(chan error, 1)
		busy.meanwhile = func() {
			go func() {
				_, err := phones[1].Sync(t.Context())
				other <- err
			}()
			synctest.Wait() // until it is done, or can do nothing but wait
		}
		bridgetest.Sync(t, phones[0])
		if err := <-other; err != nil {
			t.Errorf("the other phone: %v", err)
		}
		if n := len(b.Outgoing()); n != 1 {
			t.Errorf("%d were sent, want one", n)
		}
		takeBack(t, b.Backend)
		bridgetest.Sync(t, phones[1])
		sendPlan(t, phones[1])
		bridgetest.Sync(t, phones[1])
		if n := len(b.Outgoing()); n != 2 {
			t.Errorf("%d were sent, want another one", n)
		}
	})
}

// sendPlan has the draft sent.
func sendPlan(t *testing.T, p *phone.Phone) {
	t.Helper()
	f := folderOfType(t, p, eas.FolderDrafts)
	id, _ := mailNamed(t, f, "Plan")
	if err := p.SendDraft(f.ServerID, id); err != nil {
		t.Fatal(err)
	}
}

// A draft that went out and cannot be moved to sent mail is not gone for phones and
// there for the server: the phone says the same again, or has it still; and it goes
// out once.
func TestSentDraftThatCannotBeMoved(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		times  int
		status int // HTTP status of the first answer
		drafts int // that are left then
	}{
		{"for a moment", backend.Errorf(backend.Transient, "imap", "down"), 1, 200, 0},
		{"for a while", backend.Errorf(backend.Transient, "imap", "down"), 2, 503, 1},
		{"until somebody does something", backend.Errorf(backend.ReadOnly, "imap", "not here"), -1, 200, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := mailHouse(t)
			p := mailPhone(h, eas.V161, phone.Settings{})
			bridgetest.Sync(t, p)
			f := folderOfType(t, p, eas.FolderDrafts)
			if _, err := p.Add(f.ServerID, draftText("One")); err != nil {
				t.Fatal(err)
			}
			bridgetest.Sync(t, p)
			send := func() {
				t.Helper()
				f := folderOfType(t, p, eas.FolderDrafts)
				for id := range f.Items {
					if err := p.SendDraft(f.ServerID, id); err != nil {
						t.Fatal(err)
					}
				}
			}
			send()
			h.Backend.Fail(memory.Failure{Op: memory.OpMove, Err: tt.err, Times: tt.times})
			_, err := p.Sync(t.Context())
			if status, _ := httpStatus(t, err); status != tt.status {
				t.Errorf("answered %v, want HTTP status %d", err, tt.status)
			}
			if n := len(h.Backend.Items(bridgetest.User, "drafts")); n != tt.drafts {
				t.Errorf("the server has %d drafts, want %d", n, tt.drafts)
			}
			if n := len(folderOfType(t, p, eas.FolderDrafts).Items); n != tt.drafts {
				t.Errorf("the phone has %d drafts, want %d", n, tt.drafts)
			}
			h.Backend.Mend()
			if err == nil {
				send()
			}
			bridgetest.Sync(t, p)
			bridgetest.Sync(t, p)
			for folder, want := range map[backend.CollectionID]int{"drafts": 0, "sent": 1} {
				if n := len(h.Backend.Items(bridgetest.User, folder)); n != want {
					t.Errorf("%s has %d messages, want %d", folder, n, want)
				}
			}
			if n := len(folderOfType(t, p, eas.FolderDrafts).Items); n != 0 {
				t.Errorf("the phone has %d drafts in the end", n)
			}
			if n := len(h.Backend.Outgoing()); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
}
