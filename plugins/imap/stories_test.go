package imap_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

func login(t testing.TB, b backend.Backend, u imaptest.User) backend.Mailbox {
	t.Helper()
	s, err := b.Open(t.Context(), credentials(u))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	m, _ := backend.As[backend.Mailbox](s)
	return m
}

// folders are a person's folders by role, or by name those without.
func folders(t testing.TB, s backend.Session) map[string]backend.Collection {
	t.Helper()
	list, err := s.Collections(t.Context())
	if err != nil {
		t.Fatalf("Collections: %v", err)
	}
	by := make(map[string]backend.Collection)
	for _, c := range list {
		if c.Role != "" {
			by[string(c.Role)] = c
		} else {
			by[c.Name] = c
		}
	}
	return by
}

// list answers what is new since a cursor.
func list(t testing.TB, s backend.Session, c backend.CollectionID, since backend.Cursor) (map[backend.ItemID]backend.Change, backend.Cursor) {
	t.Helper()
	news := make(map[backend.ItemID]backend.Change)
	next, err := s.Changes(t.Context(), c, since, func(batch []backend.Change) error {
		for _, ch := range batch {
			news[ch.ID] = ch
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	return news, next
}

func wantKind(t testing.TB, what string, err error, want backend.Kind, text string) {
	t.Helper()
	if err == nil || backend.KindOf(err) != want || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: error %v (kind %q), want kind %q and %q in it", what, err, backend.KindOf(err), want, text)
	}
	if err != nil && strings.Contains(err.Error(), "correct horse") {
		t.Errorf("%s: the error has the password", what)
	}
}

const small = "From: Ono <ono@pushbridge.example>\r\nTo: ann@pushbridge.example\r\nSubject: Ferns\r\n\r\nwater them\r\n"

func put(t testing.TB, s backend.Session, c backend.CollectionID, name, body string, flags ...string) backend.Item {
	t.Helper()
	it, err := s.Put(t.Context(), c, backend.Item{ID: backend.ItemID(name), Body: []byte(body), Flags: flags})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return it
}

func tellRoles(t *testing.T, s *imaptest.Server, b backend.Backend) {
	by := folders(t, login(t, b, imaptest.Ann))
	for _, role := range []backend.Role{backend.RoleInbox, backend.RoleDrafts, backend.RoleSent, backend.RoleTrash, backend.RoleJunk} {
		if c := by[string(role)]; c.ID == "" || c.Kind != backend.Mail || c.Parent != "" {
			t.Errorf("the folder for %s is %+v", role, c)
		}
	}
	if c := by["inbox"]; c.Name != "Inbox" || !c.Default || !strings.HasPrefix(string(c.ID), "i") {
		t.Errorf("the inbox is %+v, want one with a lasting ID", c)
	}
}

func tellDelivered(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Bob)
	inbox := folders(t, m)["inbox"].ID
	_, cursor := list(t, m, inbox, "")
	s.Deliver(imaptest.Bob, []byte(small))
	news, _ := list(t, m, inbox, cursor)
	if len(news) != 1 {
		t.Fatalf("after a delivery Changes tells %v", news)
	}
	for id, ch := range news {
		if time.Since(ch.Received).Abs() > time.Hour {
			t.Errorf("received at %v, want now", ch.Received)
		}
		err := m.Messages(t.Context(), inbox, []backend.ItemID{id}, 1<<20, func(got backend.Message) error {
			if !bytes.HasSuffix(got.Body, []byte(small)) || len(got.Flags) > 0 {
				t.Errorf("the message is %q with flags %q", got.Body, got.Flags)
			}
			return got.Err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// tellMarked is about programs that mark messages and remove them later.
func tellMarked(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	drafts := folders(t, m)["drafts"].ID
	it := put(t, m, drafts, "marked", small)
	_, cursor := list(t, m, drafts, "")
	s.Doveadm("flags", "add", "-u", imaptest.Ann.Name, `\Deleted`, "mailbox", "Drafts", "all")
	news, cursor := list(t, m, drafts, cursor)
	if !news[it.ID].Removed {
		t.Errorf("a message that is marked as deleted is %+v, want removed", news)
	}
	if all, _ := list(t, m, drafts, ""); len(all) > 0 {
		t.Errorf("a listing has %v, want nothing", all)
	}
	if _, err := m.SetFlags(t.Context(), drafts, it.ID, []string{backend.FlagSeen}, nil); backend.KindOf(err) != backend.NotFound {
		t.Errorf("SetFlags of it: %v, want NotFound", err)
	}
	s.Doveadm("flags", "remove", "-u", imaptest.Ann.Name, `\Deleted`, "mailbox", "Drafts", "all")
	if news, _ = list(t, m, drafts, cursor); news[it.ID].Removed || news[it.ID].Revision != it.Revision {
		t.Errorf("a message that is marked no longer is %+v, want as it was", news)
	}
}

func tellValidity(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	junk := folders(t, m)["junk"].ID
	it := put(t, m, junk, "validity", small)
	_, cursor := list(t, m, junk, "")
	s.Doveadm("mailbox", "update", "-u", imaptest.Ann.Name, "--uid-validity", "77", "Junk")
	_, err := m.Changes(t.Context(), junk, cursor, func([]backend.Change) error { return nil })
	wantKind(t, "Changes after UIDVALIDITY changed", err, backend.Expired, "")
	all, _ := list(t, m, junk, "")
	if _, same := all[it.ID]; len(all) != 1 || same {
		t.Errorf("the listing after that is %v, want the message under another ID", all)
	}
	err = m.Messages(t.Context(), junk, []backend.ItemID{it.ID}, 0, func(m backend.Message) error {
		return fmt.Errorf("%s is there", m.ID)
	})
	if err != nil {
		t.Errorf("the message's old ID: %v, want nothing", err)
	}
}

// tellRemoved is about a folder that another program removes, and one that it
// makes under the same name.
func tellRemoved(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	s.Doveadm("mailbox", "create", "-u", imaptest.Ann.Name, "Club")
	old := folders(t, m)["Club"].ID
	it := put(t, m, old, "club", small)
	_, cursor := list(t, m, old, "")
	s.Doveadm("mailbox", "rename", "-u", imaptest.Ann.Name, "Club", "Friends")
	if news, _ := list(t, m, old, cursor); len(news) > 0 || folders(t, m)["Friends"].ID != old {
		t.Errorf("a renamed folder has the news %v and the ID %q, want none and %q", news, folders(t, m)["Friends"].ID, old)
	}
	s.Doveadm("mailbox", "create", "-u", imaptest.Ann.Name, "Club")
	if all, _ := list(t, m, old, ""); len(all) != 1 {
		t.Errorf("the renamed folder has %v, want its message", all)
	}
	s.Doveadm("mailbox", "delete", "-u", imaptest.Ann.Name, "Friends")
	_, err := m.Changes(t.Context(), old, cursor, func([]backend.Change) error { return nil })
	wantKind(t, "Changes of a removed folder", err, backend.NotFound, "")
	_, err = m.Put(t.Context(), old, backend.Item{ID: "late", Body: []byte(small)})
	wantKind(t, "Put into a removed folder", err, backend.NotFound, "")
	_, err = m.SetFlags(t.Context(), old, it.ID, []string{backend.FlagSeen}, nil)
	wantKind(t, "SetFlags in a removed folder", err, backend.NotFound, "")
	s.Doveadm("mailbox", "delete", "-u", imaptest.Ann.Name, "Club")
}

func tellFull(t *testing.T, _ *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Full)
	_, err := m.Put(t.Context(), folders(t, m)["sent"].ID, backend.Item{ID: "full", Body: []byte(small + strings.Repeat("x", 4000))})
	wantKind(t, "Put into a full mailbox", err, backend.TooLarge, "OVERQUOTA")
	if _, err := m.Collections(t.Context()); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// tellNames tries names that would mean something to the server if they were
// not quoted.
func tellNames(t *testing.T, _ *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	e, _ := backend.As[backend.FolderEditor](m)
	before := len(folders(t, m))
	for n, name := range []string{`" (\Seen) {3}`, `{1+}`, `a"b\c`, "&-&AOk-", "*", "~", "INBOX", "..", "a/../b", "LOGOUT", "(x)", "Zoë &", "\u2028x"} {
		c, err := e.CreateCollection(t.Context(), backend.Collection{ID: backend.CollectionID(fmt.Sprint("n", n)), Kind: backend.Mail, Name: name})
		switch kind := backend.KindOf(err); {
		case err == nil && c.Name != name:
			t.Errorf("the folder %q is called %q", name, c.Name)
		case err != nil && kind != backend.Invalid && kind != backend.Conflict:
			t.Errorf("creating %q: %v, want Invalid or Conflict", name, err)
		case err == nil:
			put(t, m, c.ID, "in", small)
			if err := e.DeleteCollection(t.Context(), c.ID); err != nil {
				t.Errorf("removing %q: %v", name, err)
			}
		}
	}
	for _, name := range []string{"a\r\nx LOGOUT", "a\x00b", "\x7f", ""} {
		_, err := e.CreateCollection(t.Context(), backend.Collection{ID: "bad", Kind: backend.Mail, Name: name})
		wantKind(t, fmt.Sprintf("creating %q", name), err, backend.Invalid, "")
	}
	for n, flag := range []string{`\Seen) LOGOUT (`, "a b", "x\r\n"} {
		it := put(t, m, folders(t, m)["drafts"].ID, fmt.Sprint("flag", n), small)
		if _, err := m.SetFlags(t.Context(), folders(t, m)["drafts"].ID, it.ID, []string{flag}, nil); err != nil {
			t.Errorf("SetFlags of %q: %v, want it left out", flag, err)
		}
	}
	_, err := m.Put(t.Context(), folders(t, m)["drafts"].ID, backend.Item{ID: "nul", Body: []byte(small + "\x00")})
	wantKind(t, "Put of a NUL", err, backend.Invalid, "NUL")
	if after := len(folders(t, m)); after != before {
		t.Errorf("there are %d folders, and were %d", after, before)
	}
}

// tellRepeated is about a Put whose answer got lost.
func tellRepeated(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	sent := folders(t, m)["sent"].ID
	it := put(t, m, sent, "once", small, backend.FlagSeen)
	put(t, m, sent, "once-more", small)
	for range 2 {
		again := login(t, open(t, settings(s)), imaptest.Ann) // another process
		out, err := again.Put(t.Context(), sent, backend.Item{ID: "once", Body: []byte(small)})
		if backend.KindOf(err) != backend.Conflict || out.ID != it.ID || out.Revision != it.Revision {
			t.Errorf("a repeated Put answers %+v, error %v; want %+v and Conflict", out, err, it)
		}
	}
	if all, _ := list(t, m, sent, ""); len(all) != 2 {
		t.Errorf("the folder has %d messages, want two", len(all))
	}
}

// tellStream reads a large attachment without keeping it.
func tellStream(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Bob)
	inbox := folders(t, m)["inbox"].ID
	line := strings.Repeat("QUJD", 19) + "\r\n"
	const lines = 150_000 // 11.7 MB
	_, cursor := list(t, m, inbox, "")
	s.Deliver(imaptest.Bob, []byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsee there\r\n"+
		"--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"+strings.Repeat(line, lines)+"--x--\r\n"))
	news, _ := list(t, m, inbox, cursor)
	for id := range news {
		var got counter
		if err := m.Part(t.Context(), inbox, id, "2", 0, -1, &got); err != nil || int(got) != lines*len(line)-2 {
			t.Errorf("the part has %d bytes, error %v; want %d", got, err, lines*len(line)-2)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		err := m.Part(ctx, inbox, id, "2", 0, -1, writerFunc(func(p []byte) (int, error) { cancel(enough); return len(p), nil }))
		if backend.KindOf(err) != backend.Transient || !errors.Is(err, enough) {
			t.Errorf("Part that is cancelled: %v, want Transient with the cause", err)
		}
		err = m.Messages(t.Context(), inbox, []backend.ItemID{id}, 1000, func(got backend.Message) error {
			if len(got.Body) > 1000 || len(got.Left) != 1 || got.Left[0].Path != "2" || !bytes.Contains(got.Body, []byte("see there")) {
				t.Errorf("hollow it is %d bytes, left out is %+v", len(got.Body), got.Left)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func tellRefusals(t *testing.T, s *imaptest.Server, b backend.Backend) {
	ann, bob := imaptest.Ann.Address(), imaptest.Bob.Address()
	m := login(t, b, imaptest.Ann)
	sender, _ := backend.As[backend.Sender](m)
	tests := []struct {
		name string
		give backend.Envelope
		body string
		want backend.Kind
		text string
	}{
		{"a recipient for good", backend.Envelope{From: ann, To: []string{bob, imaptest.Refused}}, small, backend.Invalid, "recipient refused@pushbridge.example: SMTP error 550: nobody of that name"},
		{"a recipient for now", backend.Envelope{From: ann, To: []string{imaptest.Later}}, small, backend.Transient, "come back later"},
		{"a sender", backend.Envelope{From: "president@pushbridge.example", To: []string{bob}}, small, backend.Invalid, "you are not the president"},
		{"another domain", backend.Envelope{From: ann, To: []string{"x@elsewhere.example"}}, small, backend.Invalid, "no relaying"},
		{"the content", backend.Envelope{From: ann, To: []string{bob}}, strings.Replace(small, "Ferns", "BUY NOW", 1), backend.Invalid, "looks like advertising"},
		{"an announced size", backend.Envelope{From: ann, To: []string{bob}, Size: imaptest.MaxSize + 1}, small, backend.TooLarge, "the mail server takes"},
		{"line ends in an address", backend.Envelope{From: ann, To: []string{"bob@x>\r\nDATA\r\n"}}, small, backend.Invalid, "no mail address"},
		{"brackets in an address", backend.Envelope{From: ann + "> SIZE=1 <", To: []string{bob}}, small, backend.Invalid, "no mail address"},
	}
	for _, test := range tests {
		wantKind(t, test.name, sender.Send(t.Context(), test.give, strings.NewReader(test.body)), test.want, test.text)
	}
	wrong, err := open(t, settings(s)).(backend.Resumer).Resume(t.Context(), backend.Credentials{User: "ann", Password: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	sender, _ = backend.As[backend.Sender](wrong)
	wantKind(t, "a wrong password", sender.Send(t.Context(), backend.Envelope{From: ann, To: []string{bob}}, strings.NewReader(small)), backend.Denied, "")
	down := settings(s)
	down["smtp"] = "smtp+plain://127.0.0.1:1"
	sender, _ = backend.As[backend.Sender](login(t, open(t, down), imaptest.Ann))
	wantKind(t, "a server that is down", sender.Send(t.Context(), backend.Envelope{From: ann, To: []string{bob}}, strings.NewReader(small)), backend.Transient, "refused")
	down["smtp"] = ""
	if _, ok := backend.As[backend.Sender](login(t, open(t, down), imaptest.Ann)); ok {
		t.Error("without an SMTP server a session is a Sender")
	}
}

func tellStartTLS(t *testing.T, s *imaptest.Server, _ backend.Backend) {
	set := settings(s)
	set["url"], set["smtp"] = "imap://"+s.IMAP, "smtp://"+s.SMTP
	m := login(t, open(t, set), imaptest.Ann)
	sender, _ := backend.As[backend.Sender](m)
	text := fmt.Sprintf("starttls-%d", time.Now().UnixNano())
	err := sender.Send(t.Context(), backend.Envelope{From: imaptest.Ann.Address(), To: []string{imaptest.Bob.Address()}}, strings.NewReader(small+text+"\r\n"))
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	arrived(s)(t, text)
}

// tellCertificates is about a server that is not who it should be.
func tellCertificates(t *testing.T, s *imaptest.Server, _ backend.Backend) {
	set := settings(s)
	delete(set, "ca_file")
	_, err := open(t, set).Open(t.Context(), credentials(imaptest.Ann))
	wantKind(t, "Open with an unknown authority", err, backend.Transient, "certificate")
	set["url"] = "imap://" + s.IMAP
	_, err = open(t, set).Open(t.Context(), credentials(imaptest.Ann))
	wantKind(t, "Open with STARTTLS and an unknown authority", err, backend.Transient, "certificate")
}

func tellPassword(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Bob)
	s.SetPassword(imaptest.Bob, "another one")
	defer s.SetPassword(imaptest.User{Name: "bob", Password: "another one"}, imaptest.Bob.Password)
	_, err := b.Open(t.Context(), credentials(imaptest.Bob))
	wantKind(t, "Open with the old password", err, backend.Denied, "AUTHENTICATIONFAILED")
	m.Close()
	resumed, err := b.(backend.Resumer).Resume(t.Context(), credentials(imaptest.Bob))
	if err != nil {
		t.Fatal(err)
	}
	_, err = resumed.Collections(t.Context())
	wantKind(t, "a call with the old password", err, backend.Denied, "")
	w, _ := backend.As[backend.Watcher](resumed)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = w.Watch(ctx, nil, func() {}, func(backend.CollectionID) {})
	wantKind(t, "Watch with the old password", err, backend.Denied, "")
}

// tellConnections counts Dovecot's processes for people.
func tellConnections(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m, err := b.Open(t.Context(), credentials(imaptest.Ann))
	if err != nil {
		t.Fatal(err)
	}
	inbox := folders(t, m)["inbox"].ID
	done := make(chan error, 20)
	for range cap(done) {
		go func() {
			_, err := m.Changes(t.Context(), inbox, "", func([]backend.Change) error { return nil })
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Errorf("Changes: %v", err)
		}
	}
	if n := strings.Count(s.Doveadm("who", "-1"), "ann"); n < 1 || n > 3 {
		t.Errorf("20 calls at a time leave %d connections, want 1 to 3", n)
	}
	m.Close()
	for until := time.Now().Add(20 * time.Second); strings.Contains(s.Doveadm("who", "-1"), "ann"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("connections stay after Close:\n%s", s.Doveadm("who", "-1"))
		}
	}
}

func tellDown(t *testing.T, s *imaptest.Server, b backend.Backend) {
	m := login(t, b, imaptest.Ann)
	inbox := folders(t, m)["inbox"].ID
	_, cursor := list(t, m, inbox, "")
	w, _ := backend.As[backend.Watcher](m)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.Watch(t.Context(), []backend.CollectionID{inbox}, func() { close(ready) }, func(backend.CollectionID) {})
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("Watch: %v", err)
	}
	s.Stop()
	wantKind(t, "Watch of a server that goes away", <-ended, backend.Transient, "")
	_, err := m.Changes(t.Context(), inbox, cursor, func([]backend.Change) error { return nil })
	wantKind(t, "Changes while the server is down", err, backend.Transient, "")
	_, err = b.Open(t.Context(), credentials(imaptest.Ann))
	wantKind(t, "Open while the server is down", err, backend.Transient, "refused")
	s.Restart()
	if news, _ := list(t, m, inbox, cursor); len(news) > 0 {
		t.Errorf("when the server is back Changes tells %v", news)
	}
}
