package easserver_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// mailWithFile is a message with a file of some size.
func mailWithFile(subject string, file []byte) string {
	text := base64.StdEncoding.EncodeToString(file)
	var lines strings.Builder
	for len(text) > 76 {
		lines.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return fmt.Sprintf("From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: %s\r\nDate: Sat, 28 Nov 2026 08:00:00 +0000\r\nMessage-ID: <%s@x>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nLook\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"+
		"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%s%s\r\n--b--\r\n", subject, subject, lines.String(), text)
}

// inbox puts messages into the person's inbox, named like their subjects.
func inbox(h *bridgetest.House, messages map[string]string) {
	for id, body := range messages {
		h.Backend.StoreMessage(bridgetest.User, "inbox", backend.ItemID(id), []byte(body), time.Now().Add(-time.Hour))
	}
}

// What a phone answers and passes on goes out with what it is about, once; the mail
// that it is about is marked.
func TestReplyAndForward(t *testing.T) {
	conformance.Shows(t, "command SmartReply", "command SmartForward", "SmartReplyRequest", "SmartReplyResponse", "SmartForwardRequest", "SmartForwardResponse", "MailSource", "ItemNotFound")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		file := bytes.Repeat([]byte("file "), 100_000)
		inbox(h, map[string]string{"question": mailOf("question", "How are you?"), "files": mailWithFile("files", file)})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		question, _ := mailNamed(t, f, "question")
		files, _ := mailNamed(t, f, "files")
		c := h.Client(v, "phone1")
		if err := c.SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: "r", SaveInSentItems: true, Source: &eas.MailSource{FolderID: f.ServerID, ItemID: question},
			Mime: []byte("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Re: question\r\nMessage-ID: <r@phone>\r\n\r\nFine.\r\n")}); err != nil {
			t.Fatal(err)
		}
		forward := eas.SmartForwardRequest{ClientID: "f", Source: &eas.MailSource{FolderID: f.ServerID, ItemID: files},
			Mime: []byte("From: ann@example.org\r\nTo: eve@example.org\r\nSubject: Fwd: files\r\nMessage-ID: <f@phone>\r\n\r\nSee this.\r\n")}
		if err := c.SmartForward(t.Context(), forward); err != nil {
			t.Fatal(err)
		}
		if err := c.SmartForward(t.Context(), forward); (err != nil) != (v >= eas.V140) {
			t.Errorf("the same again: %v", err)
		}
		sent := h.Backend.Outgoing()
		if len(sent) != 2 || !bytes.Contains(sent[0].Body, []byte("Fine.")) || !bytes.Contains(sent[0].Body, []byte("How are you?")) {
			t.Fatalf("sent were %d, the first one\n%s", len(sent), sent[0].Body)
		}
		if !bytes.Contains(sent[1].Body, []byte("See this.")) || !bytes.Contains(sent[1].Body, []byte("a.pdf")) || len(sent[1].Body) < len(file)/3*4 {
			t.Errorf("passed on was\n%.1000s", sent[1].Body)
		}
		for id, flag := range map[backend.ItemID]string{"question": backend.FlagAnswered, "files": backend.FlagForwarded} {
			if flags := h.Backend.FlagsOf(bridgetest.User, "inbox", id); !backend.HasFlag(flags, flag) {
				t.Errorf("%s has the flags %q", id, flags)
			}
		}
		if n := len(h.Backend.Items(bridgetest.User, "sent")); n != 1 {
			t.Errorf("%d copies are kept, want that of the answer", n)
		}
		err := c.SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: "gone", Source: &eas.MailSource{FolderID: f.ServerID, ItemID: f.ServerID + ":4711"}, Mime: forward.Mime})
		checkRefused(t, v, err, eas.ItemNotFound)
	})
}

// checkRefused tells whether a mail was refused by a status, or by HTTP where the
// version knows none.
func checkRefused(t *testing.T, v eas.Version, err error, want eas.Status) {
	t.Helper()
	if v < eas.V140 {
		if status, _ := httpStatus(t, err); status < 400 {
			t.Errorf("answered %d", status)
		}
		return
	}
	if se, ok := err.(*easclient.StatusError); !ok || se.Status != int(want) {
		t.Errorf("answered %v, want status %d", err, want)
	}
}

// A mail that cannot be sent is refused with the reason, and the log says it in words.
func TestMailThatIsRefused(t *testing.T) {
	conformance.Shows(t, "MessageHasNoRecipient", "InvalidMIME", "AttachmentIsTooLarge", "InvalidAccountID")
	refused := backend.Errorf(backend.Invalid, "smtp", "550 5.1.1 nobody of that name lives here")
	for _, tt := range []struct {
		name, mime string
		fail       error
		account    string
		want       eas.Status
		log        string
	}{
		{"no recipient", "From: ann@example.org\r\nSubject: x\r\n\r\nx", nil, "", eas.MessageHasNoRecipient, "no recipient"},
		{"nothing", " ", nil, "", eas.InvalidMIME, "empty"},
		{"from somebody else", "From: eve@example.org\r\nTo: bob@example.org\r\n\r\nx", nil, "", eas.MailSubmissionFailed, "somebody else"},
		{"an account of nobody", newMail, nil, "4711", eas.InvalidAccountID, "no such account"},
		{"refused by the mail system", newMail, refused, "", eas.MailSubmissionFailed, "nobody of that name lives here"},
		{"larger than the mail system takes", newMail, backend.Errorf(backend.TooLarge, "smtp", "552 too big"), "", eas.AttachmentIsTooLarge, "552 too big"},
		{"may not send", newMail, backend.Errorf(backend.Denied, "smtp", "553 not yours"), "", eas.MailSubmissionFailed, "553 not yours"},
	} {
		inEachVersion(t, func(t *testing.T, v eas.Version) {
			if tt.account != "" && v < eas.V141 {
				return
			}
			h := mailHouse(t)
			bridgetest.Sync(t, mailPhone(h, v, phone.Settings{}))
			if tt.fail != nil {
				h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: tt.fail, Times: 1})
			}
			m := eas.SendMailRequest{ClientID: "1", SaveInSentItems: true, AccountID: tt.account, Mime: []byte(tt.mime)}
			if v < eas.V140 && strings.TrimSpace(tt.mime) == "" {
				m.Mime = []byte("\r\n")
			}
			err := h.Client(v, "phone1").SendMail(t.Context(), m)
			checkRefused(t, v, err, tt.want)
			if !strings.Contains(h.Log.String(), tt.log) {
				t.Errorf("the log does not say %q", tt.log)
			}
			if len(h.Backend.Outgoing()) > 0 || len(h.Backend.Items(bridgetest.User, "sent")) > 0 {
				t.Error("something was sent, or kept as if")
			}
			if tt.fail != nil { // and the same may be tried again
				if err := h.Client(v, "phone1").SendMail(t.Context(), m); err != nil || len(h.Backend.Outgoing()) != 1 {
					t.Errorf("the second time: %v, %d sent", err, len(h.Backend.Outgoing()))
				}
			}
		})
	}
}

// While the mail system is down a phone is told to come back, and what it sends then
// goes out once; contacts go on meanwhile.
func TestMailSystemDown(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		bridgetest.Sync(t, mailPhone(h, v, phone.Settings{}))
		h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Transient, "smtp", "down"), Times: 1})
		err := sendNew(t, h, v, "1", newMail)
		if status, _ := httpStatus(t, err); status != 503 {
			t.Errorf("answered %v, want HTTP status 503", err)
		}
		if err := sendNew(t, h, v, "1", newMail); err != nil || len(h.Backend.Outgoing()) != 1 {
			t.Errorf("when it is back: %v, and %d were sent", err, len(h.Backend.Outgoing()))
		}
	})
}

// Files of messages are fetched as a whole and in ranges, by each version's command;
// large ones too.
func TestFilesOfMessages(t *testing.T) {
	conformance.Shows(t, "command GetAttachment")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		large := bytes.Repeat([]byte("0123456789"), 200_000)
		inbox(h, map[string]string{"large": mailWithFile("large", large), "small": mailWithFile("small", []byte("tiny"))})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		for subject, want := range map[string][]byte{"large": large, "small": []byte("tiny")} {
			_, item := mailNamed(t, f, subject)
			reference := fileReference(t, item)
			c := h.Client(v, "phone1")
			if v < eas.V140 {
				got, err := c.GetAttachment(t.Context(), reference)
				if err != nil || !bytes.Equal(got.Data, want) || got.ContentType != "application/pdf" {
					t.Errorf("%s: %d bytes of %s, %v", subject, len(got.Data), got.ContentType, err)
				}
			}
			if v < eas.V120 {
				continue
			}
			fetch := func(o *eas.FetchOptions) eas.FetchResult {
				res, err := c.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, FileReference: reference, Options: o}}})
				if err != nil || res.Response == nil || len(res.Response.Fetches) != 1 {
					t.Fatalf("%s: %+v, %v", subject, res, err)
				}
				return res.Response.Fetches[0]
			}
			r := fetch(nil)
			text, _ := r.Properties.Text(tag.ItemOperationsData)
			if data, err := base64.StdEncoding.DecodeString(text); err != nil || !bytes.Equal(data, want) || r.Status != eas.ItemOperationsOK {
				t.Errorf("%s: status %d, %d bytes, %v", subject, r.Status, len(data), err)
			}
			r = fetch(&eas.FetchOptions{Range: "1-3"})
			text, _ = r.Properties.Text(tag.ItemOperationsData)
			if data, _ := base64.StdEncoding.DecodeString(text); !bytes.Equal(data, want[1:4]) {
				t.Errorf("%s: the range has %q", subject, data)
			}
		}
	})
}

// fileReference is the name of the first file of a message.
func fileReference(t *testing.T, item eas.Properties) string {
	t.Helper()
	for _, e := range flat(eas.Element{Children: item}) {
		if e.Tag == tag.AirSyncBaseFileReference || e.Tag == tag.EmailAttName {
			return e.Content()
		}
	}
	t.Fatalf("there is no file in %v", item)
	return ""
}

// A message that a phone deletes goes to the trash, unless the phone says otherwise;
// one that it moves is in the other folder.
func TestMailIsDeletedAndMoved(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		inbox(h, map[string]string{"a": mailOf("a", "x"), "b": mailOf("b", "x")})
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		a, _ := mailNamed(t, f, "a")
		b, _ := mailNamed(t, f, "b")
		if err := p.Delete(f.ServerID, a); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		bridgetest.Sync(t, p)
		gone, _ := mailNamed(t, folderOfType(t, p, eas.FolderDeleted), "a")
		if len(h.Backend.Items(bridgetest.User, "inbox")) != 1 {
			t.Error("it is still in the inbox")
		}
		var archive phone.Folder
		for _, o := range p.Folders() {
			if o.DisplayName == "Archive" {
				archive = o
			}
		}
		res, err := h.Client(v, "phone1").MoveItems(t.Context(), eas.MoveItemsRequest{Moves: []eas.ItemMove{{SrcMsgID: b, SrcFldID: f.ServerID, DstFldID: archive.ServerID}}})
		if err != nil || len(res.Responses) != 1 || res.Responses[0].Status != eas.MoveOK {
			t.Fatalf("moved: %+v, %v", res, err)
		}
		bridgetest.Sync(t, p)
		if archive, _ = p.Folder(archive.ServerID); archive.Items[res.Responses[0].DstMsgID] == nil {
			t.Errorf("the archive has %v, want what was moved", titles(archive))
		}
		// In the trash it is deleted for good.
		trash := folderOfType(t, p, eas.FolderDeleted)
		if err := p.Delete(trash.ServerID, gone); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		if n := len(h.Backend.Items(bridgetest.User, "trash")); n != 0 {
			t.Errorf("%d are in the trash", n)
		}
	})
}

// What was received before the days that a phone wants is not there, and leaves when
// its time is over.
func TestMailOfSomeDays(t *testing.T) {
	h := mailHouse(t)
	for id, days := range map[string]int{"today": 0, "two": 2, "ten": 10} {
		h.Backend.StoreMessage(bridgetest.User, "inbox", backend.ItemID(id), []byte(mailOf(id, "x")), time.Now().AddDate(0, 0, -days))
	}
	p := mailPhone(h, eas.V141, phone.Settings{Filters: map[string]int{eas.ClassEmail: 2}})
	bridgetest.Sync(t, p)
	if got := titles(folderOfType(t, p, eas.FolderInbox)); !slices.Equal(got, []string{"today", "two"}) {
		t.Errorf("of three days the phone has %q", got)
	}
	if n := h.Backend.Calls(memory.OpGet); n != 0 {
		t.Errorf("for the filter %d whole messages were read", n)
	}
	wider := mailPhone(h, eas.V141, phone.Settings{Filters: map[string]int{eas.ClassEmail: 4}})
	bridgetest.Sync(t, wider)
	if got := titles(folderOfType(t, wider, eas.FolderInbox)); len(got) != 3 {
		t.Errorf("of two weeks the phone has %q", got)
	}
}

// A draft is written on the phone, changed, and sent: it has one id throughout, goes
// out once, and is among sent mail then.
func TestDrafts(t *testing.T) {
	conformance.Shows(t, "SyncCommand")
	h := mailHouse(t)
	p := mailPhone(h, eas.V161, phone.Settings{})
	bridgetest.Sync(t, p)
	f := folderOfType(t, p, eas.FolderDrafts)
	text := func(s string) eas.Element {
		return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, s))
	}
	if _, err := p.Add(f.ServerID, eas.Properties{eas.T(tag.EmailTo, "bob@example.org"), eas.T(tag.EmailSubject, "Plan"), text("One")}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	id, _ := mailNamed(t, folderOfType(t, p, eas.FolderDrafts), "Plan")
	if err := p.Change(f.ServerID, id, eas.Properties{text("Two")}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	bridgetest.Sync(t, p)
	if again, _ := mailNamed(t, folderOfType(t, p, eas.FolderDrafts), "Plan"); again != id {
		t.Errorf("the draft is called %s now, and was %s", again, id)
	}
	drafts := h.Backend.Items(bridgetest.User, "drafts")
	for _, body := range drafts {
		if len(drafts) != 1 || !bytes.Contains(body, []byte("Two")) || !bytes.Contains(body, []byte("bob@example.org")) {
			t.Errorf("of %d drafts one is\n%s", len(drafts), body)
		}
	}
	if err := p.SendDraft(f.ServerID, id); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	sent := h.Backend.Outgoing()
	if len(sent) != 1 || sent[0].To[0] != "bob@example.org" || !bytes.Contains(sent[0].Body, []byte("Two")) {
		t.Fatalf("sent was %+v", sent)
	}
	bridgetest.Sync(t, p)
	if f := folderOfType(t, p, eas.FolderDrafts); len(f.Items) != 0 {
		t.Errorf("the drafts are %v", titles(f))
	}
	mailNamed(t, folderOfType(t, p, eas.FolderSent), "Plan")
}

// A phone empties the trash, also of what others read meanwhile, and of the folders
// inside; no other folder that mail needs.
func TestTrashIsEmptied(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		t.Run(v.String(), func(t *testing.T) {
			h := mailHouse(t)
			inbox(h, map[string]string{"kept": mailOf("kept", "x")})
			for _, id := range []backend.ItemID{"a", "b", "c"} {
				h.Backend.StoreMessage(bridgetest.User, "trash", id, []byte(mailOf(string(id), "x")), time.Now().Add(-time.Hour))
			}
			p := mailPhone(h, v, phone.Settings{})
			bridgetest.Sync(t, p)
			s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.(backend.Mailbox).SetFlags(t.Context(), "trash", "b", []string{backend.FlagSeen}, nil); err != nil {
				t.Fatal(err)
			}
			h.Backend.StoreMessage(bridgetest.User, "trash", "new", []byte(mailOf("new", "x")), time.Now())
			empty := func(typ eas.FolderType) eas.ItemOperationsStatus {
				t.Helper()
				res, err := h.Client(v, "phone1").ItemOperations(t.Context(), eas.ItemOperationsRequest{Empties: []eas.EmptyFolder{{CollectionID: folderOfType(t, p, typ).ServerID}}})
				if err != nil || res.Response == nil || len(res.Response.Empties) != 1 {
					t.Fatalf("%+v, %v", res, err)
				}
				return res.Response.Empties[0].Status
			}
			if status := empty(eas.FolderDeleted); status != eas.ItemOperationsOK || len(h.Backend.Items(bridgetest.User, "trash")) != 0 {
				t.Errorf("the trash: status %d, and %d are in it", status, len(h.Backend.Items(bridgetest.User, "trash")))
			}
			for _, typ := range []eas.FolderType{eas.FolderInbox, eas.FolderSent, eas.FolderDrafts} {
				if status := empty(typ); status == eas.ItemOperationsOK {
					t.Errorf("a folder of type %d is emptied", typ)
				}
			}
			bridgetest.Sync(t, p)
			if got := titles(folderOfType(t, p, eas.FolderDeleted)); len(got) != 0 {
				t.Errorf("the phone still has %q in the trash", got)
			}
			mailNamed(t, folderOfType(t, p, eas.FolderInbox), "kept")
		})
	}
}
