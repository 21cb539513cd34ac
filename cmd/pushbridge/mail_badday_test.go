package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// badDays is what phones are told when the mail servers refuse, change or go away.
func (w *mailWorld) badDays(t *testing.T) {
	for _, day := range []struct {
		name string
		tell func(*mailStory)
		who  imaptest.User
	}{
		{"a mail is refused", (*mailStory).refused, imaptest.Ann},
		{"a mailbox is full", (*mailStory).full, imaptest.Full},
		{"a folder has new numbers", (*mailStory).renumbered, imaptest.Ann},
		{"a folder is deleted on the way", (*mailStory).folderDeleted, imaptest.Ann},
		{"the password is changed", (*mailStory).passwordChanged, imaptest.Bob},
		{"the mail server is down", (*mailStory).serverDown, imaptest.Ann},
	} {
		t.Run(day.name, func(t *testing.T) {
			s := &mailStory{mailWorld: &mailWorld{w.within(t), w.mail}, t: t, v: eas.V161, client: w.client(t, day.who, eas.V161)}
			s.client.DeviceID = "badday"
			s.phone = bridgetest.Checked(t, phone.New(s.client, phone.Settings{Classes: []string{eas.ClassEmail, eas.ClassCalendar}}))
			bridgetest.Sync(t, s.phone)
			day.tell(s)
		})
	}
}

// answered is the HTTP status of an error, and the command's if there is one.
func answered(err error) (http, status int) {
	if e, ok := errors.AsType[*easclient.HTTPError](err); ok {
		return e.Status, 0
	}
	if e, ok := errors.AsType[*easclient.StatusError](err); ok {
		return 200, e.Status
	}
	return 0, 0
}

// refused: SMTP's 5xx is for good, and 4xx for now.
func (s *mailStory) refused() {
	for _, tt := range []struct {
		to           string
		v            eas.Version
		http, status int
		log          string
	}{
		{imaptest.Refused, eas.V161, 200, int(eas.MailSubmissionFailed), "nobody of that name"},
		{imaptest.Refused, eas.V121, http.StatusInternalServerError, 0, "nobody of that name"},
		{imaptest.Later, eas.V161, http.StatusServiceUnavailable, 0, "come back later"},
		{imaptest.Later, eas.V121, http.StatusServiceUnavailable, 0, "come back later"},
	} {
		before := strings.Count(s.log.String(), tt.log)
		mime := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: no way\r\nMessage-ID: <%s-%s@phone>\r\n\r\nx\r\n", imaptest.Ann.Address(), tt.to, tt.to[:5], tt.v)
		err := s.mailWorld.client(s.t, imaptest.Ann, tt.v).SendMail(s.t.Context(), eas.SendMailRequest{ClientID: tt.to, SaveInSentItems: true, Mime: []byte(mime)})
		if h, status := answered(err); h != tt.http || status != tt.status {
			s.t.Errorf("%s: to %s: %v, want HTTP status %d and status %d", tt.v, tt.to, err, tt.http, tt.status)
		}
		if strings.Count(s.log.String(), tt.log) == before {
			s.t.Errorf("%s: to %s: the log does not say %q", tt.v, tt.to, tt.log)
		}
	}
	bridgetest.Sync(s.t, s.phone)
	if kept := s.titled(eas.FolderSent, "no way"); len(kept) > 0 {
		s.t.Errorf("there are copies of what was refused: %v", kept)
	}
}

// titled are the messages of a subject in a folder of the phone.
func (s *mailStory) titled(typ eas.FolderType, subject string) []string {
	var ids []string
	for id, it := range s.folder(typ).Items {
		if got, _ := it.Text(tag.EmailSubject); got == subject {
			ids = append(ids, id)
		}
	}
	return ids
}

// full: what does not fit is refused, what needs no room is done.
func (s *mailStory) full() {
	t := s.t
	drafts := s.folder(eas.FolderDrafts)
	body := eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, strings.Repeat("much ", 1000)))
	if _, err := s.phone.Add(drafts.ServerID, eas.Properties{eas.T(tag.EmailSubject, "too much"), body}); err != nil {
		t.Fatal(err)
	}
	refused := slices.DeleteFunc(bridgetest.Sync(t, s.phone), func(e phone.Event) bool { return e.Kind != phone.Refused })
	if len(refused) != 1 || refused[0].Status != int(eas.SyncBadItem) {
		t.Errorf("a draft that does not fit: %+v", refused)
	}
	mime := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: from the full\r\nMessage-ID: <full@phone>\r\n\r\n%s\r\n", imaptest.Full.Address(), imaptest.Bob.Address(), strings.Repeat("much ", 1000))
	if err := s.client.SendMail(t.Context(), eas.SendMailRequest{ClientID: "full", SaveInSentItems: true, Mime: []byte(mime)}); err != nil {
		t.Errorf("a mail of which no copy can be kept: %v", err)
	}
	s.arrived("from the full", "much")
	if !strings.Contains(s.log.String(), "OVERQUOTA") {
		t.Error("the log does not say that the mailbox is full")
	}
}

// renumbered: after another UIDVALIDITY the phone has each message once.
func (s *mailStory) renumbered() {
	t := s.t
	s.deliver("renumbered", "", "Words\r\n")
	s.find(eas.FolderInbox, "renumbered")
	before := len(s.folder(eas.FolderInbox).Items)
	s.mail.Doveadm("mailbox", "update", "-u", imaptest.Ann.Name, "--uid-validity", "4711", "INBOX")
	s.deliver("after that", "", "Words\r\n")
	s.find(eas.FolderInbox, "after that")
	if ids := s.titled(eas.FolderInbox, "renumbered"); len(ids) != 1 || len(s.folder(eas.FolderInbox).Items) != before+1 {
		t.Errorf("the phone has the message as %v, and %d messages, want %d", ids, len(s.folder(eas.FolderInbox).Items), before+1)
	}
	id, _ := s.find(eas.FolderInbox, "renumbered")
	s.read(id, "renumbered")
}

// folderDeleted: an edit in a folder that is gone does no harm, and the phone hears
// that the folder is gone.
func (s *mailStory) folderDeleted() {
	t := s.t
	club := func() (phone.Folder, bool) {
		for _, f := range s.phone.Folders() {
			if f.DisplayName == "Club" {
				return f, true
			}
		}
		return phone.Folder{}, false
	}
	s.mail.Doveadm("mailbox", "create", "-u", imaptest.Ann.Name, "Club")
	s.deliver("of the club", "", "Words\r\n")
	s.find(eas.FolderInbox, "of the club")
	s.mail.Doveadm("move", "-u", imaptest.Ann.Name, "Club", "mailbox", "INBOX", "subject", "of the club")
	var f phone.Folder
	s.await("the phone has the club's mail", func() bool {
		if _, err := s.phone.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, s.phone)
		f, _ = club()
		return len(f.Items) == 1
	})
	for id := range f.Items {
		if err := s.phone.Change(f.ServerID, id, eas.Properties{eas.T(tag.EmailRead, "1")}); err != nil {
			t.Fatal(err)
		}
	}
	s.mail.Doveadm("mailbox", "delete", "-u", imaptest.Ann.Name, "Club")
	s.await("the phone has the club no longer", func() bool {
		bridgetest.Sync(t, s.phone)
		if _, err := s.phone.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, there := club()
		return !there
	})
	s.deliver("without the club", "", "Words\r\n")
	s.find(eas.FolderInbox, "without the club")
}

// passwordChanged: the phone is asked for the new one, and goes on with it.
func (s *mailStory) passwordChanged() {
	t := s.t
	s.mail.SetPassword(imaptest.Bob, "another one")
	defer s.mail.SetPassword(imaptest.User{Name: imaptest.Bob.Name, Password: "another one"}, imaptest.Bob.Password)
	s.mail.Disconnect(imaptest.Bob) // who was logged in stays so
	s.await("the old password is refused", func() bool {
		_, err := s.phone.Sync(t.Context())
		h, _ := answered(err)
		return h == http.StatusUnauthorized
	})
	s.client.Password = "another one"
	s.await("the new password is taken", func() bool {
		_, err := s.phone.Sync(t.Context())
		return err == nil
	})
}

// serverDown: the calendar goes on, the phone keeps its mail, and what is new is there
// when the server is back.
func (s *mailStory) serverDown() {
	t := s.t
	s.deliver("before", "", "Words\r\n")
	s.find(eas.FolderInbox, "before")
	inbox, calendar := s.folder(eas.FolderInbox), s.folder(eas.FolderCalendar)
	s.mail.Disconnect(imaptest.Ann)
	s.mail.Stop()
	s.await("the phone is told to come back", func() bool {
		_, err := s.phone.SyncFolders(t.Context(), inbox.ServerID)
		h, _ := answered(err)
		if err != nil && h != http.StatusServiceUnavailable {
			t.Fatalf("mail while the server is down: %v, want HTTP status 503", err)
		}
		return err != nil
	})
	event := eas.Properties{eas.T(tag.CalendarSubject, "meanwhile"), eas.T(tag.CalendarStartTime, "20271207T090000Z"), eas.T(tag.CalendarEndTime, "20271207T100000Z")}
	if _, err := s.phone.Add(calendar.ServerID, event); err != nil {
		t.Fatal(err)
	}
	if _, err := s.phone.SyncFolders(t.Context(), calendar.ServerID); err != nil {
		t.Errorf("the calendar while the mail server is down: %v", err)
	}
	if got, want := len(s.folder(eas.FolderInbox).Items), len(inbox.Items); got != want {
		t.Errorf("the phone has %d messages, want the %d that it had", got, want)
	}
	s.mail.Restart()
	s.deliver("back again", "", "Words\r\n")
	s.await("the mail is there again", func() bool {
		_, err := s.phone.Sync(t.Context())
		return err == nil && len(s.titled(eas.FolderInbox, "back again")) == 1
	})
	if got, want := len(s.folder(eas.FolderInbox).Items), len(inbox.Items)+1; got != want {
		t.Errorf("the phone has %d messages, want %d", got, want)
	}
}
