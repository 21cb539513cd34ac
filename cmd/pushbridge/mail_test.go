package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// A mailWorld is the real thing for mail: phone, nginx, FastCGI socket, worker, plugin
// process, Dovecot and an SMTP server. Calendars are in a directory.
type mailWorld struct {
	*world
	mail *imaptest.Server
}

func startMailWorld(t *testing.T) *mailWorld {
	w := &mailWorld{&world{t: t, log: new(bridgetest.Log)}, imaptest.Start(t)}
	for _, u := range []imaptest.User{imaptest.Ann, imaptest.Bob, imaptest.Full} {
		// A delivery and doveadm that both make the mailbox lock each other out, and Dovecot panics.
		w.mail.Doveadm("mailbox", "status", "-u", u.Name, "messages", "INBOX")
	}
	addr := "unix:" + fcgitest.SocketPath(t)
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "pushbridge.toml")
	if err := os.MkdirAll(filepath.Join(dir, imaptest.Ann.Name, "calendar"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
listen = %q
state = %q
heartbeat_min = 1
poll_min = "1s"
poll_max = "2s"

[login]
domain = %q
verify = ["calendar", "mail"]

[backend.calendar]
plugin = "localdir"
dir = %q
users = { ann = %q }

[backend.mail]
plugin = "imap"
url = "imaps://%s"
smtp = "smtps://%s"
ca_file = %q
poll = "1s"
`, addr, t.TempDir(), imaptest.Domain, dir, imaptest.Ann.Password, w.mail.IMAPS, w.mail.SMTPS, w.mail.CAFile)
	w.serve(path, config, addr)
	return w
}

func (w *mailWorld) client(t *testing.T, u imaptest.User, v eas.Version) *easclient.Client {
	return &easclient.Client{
		URL: w.nginx.URL, User: u.Name, Password: u.Password, Version: v,
		DeviceID: "mail" + strings.ReplaceAll(v.String(), ".", ""), DeviceType: "test", UserAgent: "e2e", Base64Query: v >= eas.V121,
		HTTP: &http.Client{Transport: w.nginx.Client.Transport},
		Trace: func(_ string, _, answer []byte) {
			if v >= eas.V121 && len(answer) > 0 && answer[0] == 3 {
				eastest.Validate(t, answer)
			}
		},
	}
}

// mailStory is what one phone does with mail.
type mailStory struct {
	*mailWorld
	t      *testing.T
	v      eas.Version
	client *easclient.Client
	phone  *phone.Phone
}

// of a type is the phone's folder of it, as it is now.
func (s *mailStory) folder(typ eas.FolderType) phone.Folder {
	s.t.Helper()
	for _, f := range s.phone.Folders() {
		if f.Type == typ {
			return f
		}
	}
	s.t.Fatalf("the phone has no folder of type %d", typ)
	return phone.Folder{}
}

// find synchronizes until the phone has a message in a folder.
func (s *mailStory) find(typ eas.FolderType, subject string) (id string, item eas.Properties) {
	s.t.Helper()
	s.await(fmt.Sprintf("the phone has %q in folder %d", subject, typ), func() bool {
		bridgetest.Sync(s.t, s.phone)
		for i, it := range s.folder(typ).Items {
			if got, _ := it.Text(tag.EmailSubject); got == subject {
				id, item = i, it
			}
		}
		return id != ""
	})
	return id, item
}

// The whole of mail, through nginx, the worker and the plugin, with a real IMAP and a
// real SMTP server.
func TestMailEndToEnd(t *testing.T) {
	w := startMailWorld(t)
	for _, v := range bridgetest.Versions {
		t.Run(v.String(), func(t *testing.T) {
			s := &mailStory{mailWorld: &mailWorld{w.within(t), w.mail}, t: t, v: v, client: w.client(t, imaptest.Ann, v)}
			s.phone = bridgetest.Checked(t, phone.New(s.client, phone.Settings{Classes: []string{eas.ClassEmail, eas.ClassCalendar}}))
			s.tell()
		})
	}
	t.Run("bad days", w.badDays)
}

func (s *mailStory) deliver(subject, more, body string) {
	s.t.Helper()
	s.mail.Deliver(imaptest.Ann, []byte(fmt.Sprintf("From: Bob <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@bob>\r\nMIME-Version: 1.0\r\n%s\r\n%s",
		imaptest.Bob.Address(), imaptest.Ann.Address(), subject, time.Now().Format(time.RFC1123Z), strings.ReplaceAll(subject, " ", "-"), more, body)))
}

func (s *mailStory) tell() {
	t, v := s.t, s.v
	name := func(what string) string { return what + " " + v.String() }
	s.deliver(name("first"), "", "Words\r\n")
	id, item := s.find(eas.FolderInbox, name("first"))
	if !strings.Contains(fmt.Sprint(item), "Words") {
		t.Errorf("the phone has %v", item)
	}
	s.pushed(name("pushed"))
	s.read(id, name("first"))
	s.reply(id, name("first"))
	s.forward(name("files"))
	if v >= eas.V160 {
		s.draft(name("draft"))
	}
	if v >= eas.V120 {
		s.search(name("pushed"))
	}
	s.invitation(name("meeting"))
	s.moveAndDelete(name("pushed"), name("first"))
}

// pushed: new mail ends a Ping.
func (s *mailStory) pushed(subject string) {
	t := s.t
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := s.phone.Ping(t.Context(), 5*time.Minute)
		if err != nil {
			t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	s.deliver(subject, "", "More\r\n")
	if r := <-answered; r.Status != eas.PingChanges {
		t.Errorf("Ping ended with %+v", r)
	}
	s.find(eas.FolderInbox, subject)
}

// read: what was read on the phone is on the server, and the other way round.
func (s *mailStory) read(id, subject string) {
	t, inbox := s.t, s.folder(eas.FolderInbox)
	for _, read := range []string{"1", "0"} {
		if err := s.phone.Change(inbox.ServerID, id, eas.Properties{eas.T(tag.EmailRead, read)}); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, s.phone)
		seen := s.mail.Doveadm("fetch", "-u", imaptest.Ann.Name, "flags", "mailbox", "INBOX", "subject", subject)
		if strings.Contains(seen, `\Seen`) != (read == "1") {
			t.Errorf("read %s on the phone, the server has %q", read, seen)
		}
	}
	s.mail.Doveadm("flags", "add", "-u", imaptest.Ann.Name, `\Seen \Flagged`, "mailbox", "INBOX", "subject", subject)
	s.await("the phone knows that it was read", func() bool {
		bridgetest.Sync(t, s.phone)
		got, _ := s.folder(eas.FolderInbox).Items[id].Text(tag.EmailRead)
		return got == "1"
	})
}

// reply: the answer arrives with what it answers, and a copy is kept.
func (s *mailStory) reply(id, subject string) {
	t, inbox := s.t, s.folder(eas.FolderInbox)
	mime := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: Re: %s\r\nMessage-ID: <re-%s@phone>\r\n\r\nAn answer\r\n", imaptest.Ann.Address(), imaptest.Bob.Address(), subject, s.v)
	m := eas.SmartReplyRequest{ClientID: "r" + s.v.String(), SaveInSentItems: true, Source: &eas.MailSource{FolderID: inbox.ServerID, ItemID: id}, Mime: []byte(mime)}
	if err := s.client.SmartReply(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := s.client.SmartReply(t.Context(), m); (err != nil) != (s.v >= eas.V140) {
		t.Errorf("sent again: %v", err)
	}
	s.find(eas.FolderSent, "Re: "+subject)
	s.arrived("Re: "+subject, "An answer", "Words")
}

// arrived waits until Bob has just one mail of a subject, and looks for texts in it.
func (s *mailStory) arrived(subject string, texts ...string) {
	s.t.Helper()
	fetch := func(what string) string {
		return s.mail.Doveadm("fetch", "-u", imaptest.Bob.Name, what, "mailbox", "INBOX", "header", "subject", subject)
	}
	s.await(fmt.Sprintf("Bob has %q", subject), func() bool { return strings.Contains(fetch("uid"), "uid") })
	if n := strings.Count(fetch("uid"), "uid"); n != 1 {
		s.t.Errorf("Bob has %d mails of subject %q", n, subject)
	}
	body := fetch("text")
	for _, want := range texts {
		if !strings.Contains(body, want) {
			s.t.Errorf("what Bob has lacks %q:\n%.2000s", want, body)
		}
	}
}

// forward: what is passed on has its file, and the phone can fetch that.
func (s *mailStory) forward(subject string) {
	t := s.t
	file := bytes.Repeat([]byte("pushbridge "), 30_000)
	text := base64.StdEncoding.EncodeToString(file)
	var lines strings.Builder
	for len(text) > 76 {
		lines.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	lines.WriteString(text)
	s.deliver(subject, "Content-Type: multipart/mixed; boundary=b\r\n", "--b\r\nContent-Type: text/plain\r\n\r\nLook\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"+
		"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"+lines.String()+"\r\n--b--\r\n")
	id, item := s.find(eas.FolderInbox, subject)
	if got := s.fetchFile(item); !bytes.Equal(got, file) {
		t.Errorf("the phone fetched %d bytes, want %d", len(got), len(file))
	}
	mime := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: Fwd: %s\r\nMessage-ID: <fwd-%s@phone>\r\n\r\nSee this\r\n", imaptest.Ann.Address(), imaptest.Bob.Address(), subject, s.v)
	err := s.client.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: "f" + s.v.String(), SaveInSentItems: true,
		Source: &eas.MailSource{FolderID: s.folder(eas.FolderInbox).ServerID, ItemID: id}, Mime: []byte(mime)})
	if err != nil {
		t.Fatal(err)
	}
	s.arrived("Fwd: "+subject, "See this", "a.pdf", lines.String()[:700][:76])
}

// fetchFile fetches the first file of a message as the version does.
func (s *mailStory) fetchFile(item eas.Properties) []byte {
	s.t.Helper()
	reference := ""
	var look func(list []eas.Element)
	look = func(list []eas.Element) {
		for _, e := range list {
			if e.Tag == tag.AirSyncBaseFileReference || e.Tag == tag.EmailAttName {
				reference = e.Content()
			}
			look(e.Children)
		}
	}
	look(item)
	if s.v < eas.V120 {
		a, err := s.client.GetAttachment(s.t.Context(), reference)
		if err != nil {
			s.t.Fatal(err)
		}
		return a.Data
	}
	res, err := s.client.ItemOperations(s.t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, FileReference: reference}}})
	if err != nil || res.Response == nil {
		s.t.Fatalf("fetching %q: %+v, %v", reference, res, err)
	}
	text, _ := res.Response.Fetches[0].Properties.Text(tag.ItemOperationsData)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		s.t.Error(err)
	}
	return data
}

// draft: written on the phone, changed and sent.
func (s *mailStory) draft(subject string) {
	t, f := s.t, s.folder(eas.FolderDrafts)
	text := func(s string) eas.Element {
		return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, s))
	}
	if _, err := s.phone.Add(f.ServerID, eas.Properties{eas.T(tag.EmailTo, imaptest.Bob.Address()), eas.T(tag.EmailSubject, subject), text("One")}); err != nil {
		t.Fatal(err)
	}
	id, _ := s.find(eas.FolderDrafts, subject)
	if err := s.phone.Change(f.ServerID, id, eas.Properties{text("Two")}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, s.phone)
	if err := s.phone.SendDraft(f.ServerID, id); err != nil {
		t.Fatal(err)
	}
	s.find(eas.FolderSent, subject)
	s.arrived(subject, "Two")
	if n := len(s.folder(eas.FolderDrafts).Items); n != 0 {
		t.Errorf("the phone has %d drafts", n)
	}
}

// search: what is on the server is found.
func (s *mailStory) search(subject string) {
	t := s.t
	if s.v >= eas.V161 {
		a, err := s.client.Find(t.Context(), eas.FindRequest{SearchID: "1", Search: &eas.ExecuteSearch{Mailbox: &eas.FindCriterion{
			Query: &eas.Element{Children: []eas.Element{eas.T(tag.AirSyncClass, eas.ClassEmail), eas.T(tag.FindFreeText, subject)}}}}})
		if err != nil || a.Status != eas.FindOK || a.Response == nil || len(a.Response.Results) != 1 {
			t.Errorf("Find: %+v, %v", a, err)
		}
		return
	}
	query := eas.C(tag.SearchQuery, eas.C(tag.SearchAnd, eas.T(tag.AirSyncClass, eas.ClassEmail), eas.T(tag.SearchFreeText, subject)))
	a, err := s.client.Search(t.Context(), eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchMailbox, Query: &query}})
	if err != nil || a.Store == nil || a.Store.Status != eas.SearchOK || len(a.Store.Results) != 1 || a.Store.Results[0].LongID == "" {
		t.Errorf("Search: %+v, %v", a, err)
	}
}

// invitation: accepted from the inbox it is in the calendar, and the mail is gone.
func (s *mailStory) invitation(subject string) {
	t := s.t
	start := time.Now().Add(48 * time.Hour).UTC()
	const form = "20060102T150405Z"
	ics := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bob//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:meeting-%s\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\n"+
		"ORGANIZER:mailto:%s\r\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		s.v, start.Format(form), start.Format(form), start.Add(time.Hour).Format(form), subject, imaptest.Bob.Address(), imaptest.Ann.Address())
	s.deliver(subject, "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n", ics)
	id, _ := s.find(eas.FolderInbox, subject)
	answer := eas.MeetingAnswer{UserResponse: 1, CollectionID: s.folder(eas.FolderInbox).ServerID, RequestID: id}
	if s.v >= eas.V160 {
		answer.SendResponse = &eas.SendResponse{}
	}
	a, err := s.client.MeetingResponse(t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{answer}})
	if err != nil || len(a.Results) != 1 || a.Results[0].Status != eas.MeetingOK || a.Results[0].CalendarID == "" {
		t.Fatalf("MeetingResponse: %+v, %v", a, err)
	}
	s.await("the meeting is in the calendar", func() bool {
		bridgetest.Sync(t, s.phone)
		return s.folder(eas.FolderCalendar).Items[a.Results[0].CalendarID] != nil
	})
	if s.folder(eas.FolderInbox).Items[id] != nil {
		t.Error("the invitation is still in the inbox")
	}
	if s.v >= eas.V160 {
		s.arrived("Accepted: "+subject, "ACCEPTED")
	}
}

// moveAndDelete: one mail goes to the trash and stays there, another is deleted.
func (s *mailStory) moveAndDelete(moved, deleted string) {
	t := s.t
	inbox, trash := s.folder(eas.FolderInbox), s.folder(eas.FolderDeleted)
	id, _ := s.find(eas.FolderInbox, moved)
	res, err := s.client.MoveItems(t.Context(), eas.MoveItemsRequest{Moves: []eas.ItemMove{{SrcMsgID: id, SrcFldID: inbox.ServerID, DstFldID: trash.ServerID}}})
	if err != nil || len(res.Responses) != 1 || res.Responses[0].Status != eas.MoveOK {
		t.Fatalf("MoveItems: %+v, %v", res, err)
	}
	s.find(eas.FolderDeleted, moved)
	id, _ = s.find(eas.FolderInbox, deleted)
	if err := s.phone.Delete(inbox.ServerID, id); err != nil {
		t.Fatal(err)
	}
	s.find(eas.FolderDeleted, deleted)
	if got := s.mail.Doveadm("fetch", "-u", imaptest.Ann.Name, "uid", "mailbox", "INBOX", "header", "subject", deleted); strings.Contains(got, "uid") {
		t.Errorf("the inbox still has it: %q", got)
	}
}
