package localdir_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

const note = "From: bob@example.org\nTo: ann@example.org\nSubject: Ferns\n\nwater them\n"

// mailbox is Ann's session in a directory with mail of hers and Bob's.
func mailbox(t *testing.T, files ...string) (backend.Mailbox, string) {
	t.Helper()
	b, dir := build(t, "Maildir/cur/-", "Maildir/new/-", "Maildir/.Sent/cur/-", "contacts/-")
	if err := os.MkdirAll(filepath.Join(dir, "bob/Maildir/new"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, filepath.Join(dir, "ann/Maildir", f), note)
	}
	m, ok := backend.As[backend.Mailbox](open(t, b))
	if !ok {
		t.Fatal("the session is no Mailbox")
	}
	return m, dir
}

// flags are those of the inbox's messages, by ID.
func flags(t *testing.T, m backend.Mailbox) map[backend.ItemID][]string {
	t.Helper()
	var ids []backend.ItemID
	if _, err := m.Changes(t.Context(), "Maildir", "", func(cs []backend.Change) error {
		for _, c := range cs {
			ids = append(ids, c.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	got := make(map[backend.ItemID][]string)
	if err := m.Messages(t.Context(), "Maildir", ids, 1000, func(m backend.Message) error {
		got[m.ID] = m.Flags
		if want := strings.ReplaceAll(note, "\n", "\r\n"); string(m.Body) != want {
			t.Errorf("%s is %q, want lines that end as on the wire", m.ID, m.Body)
		}
		return m.Err
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMaildirAsOthersKeepIt(t *testing.T) {
	m, dir := mailbox(t, "new/1.M1.host", "cur/2.M2.host,S=70:2,RS", "cur/3.M3.host:2,Sab", "cur/4.M4.host:2,ST", "cur/.hidden")
	write(t, filepath.Join(dir, "ann/Maildir/dovecot-keywords"), "0 $Work\n1 Ferns\n")
	got := flags(t, m)
	for id, want := range map[backend.ItemID][]string{
		"1.M1.host": {}, "2.M2.host,S=70": {backend.FlagAnswered, backend.FlagSeen}, "3.M3.host": {"$Work", backend.FlagSeen, "Ferns"},
	} {
		if !slices.Equal(got[id], want) {
			t.Errorf("%s has the flags %q, want %q", id, got[id], want)
		}
	}
	if len(got) != 3 {
		t.Errorf("the inbox has %v, want three messages: of the others one is marked as deleted, one hidden", got)
	}
	if _, err := m.SetFlags(t.Context(), "Maildir", "1.M1.host", []string{backend.FlagSeen, "Hens"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ann/Maildir/cur/1.M1.host:2,Sc")); err != nil {
		t.Errorf("the file of a message that was read: %v", err)
	}
	if words, _ := os.ReadFile(filepath.Join(dir, "ann/Maildir/dovecot-keywords")); string(words) != "0 $Work\n1 Ferns\n2 Hens\n" {
		t.Errorf("the keywords are %q", words)
	}
}

func TestKeywordsWithoutRoom(t *testing.T) {
	m, dir := mailbox(t, "new/1.M1.host")
	var words strings.Builder
	for n := range 26 {
		words.WriteString(string([]byte{byte('0' + n/10), byte('0' + n%10)}) + " word" + string(rune('a'+n)) + "\n")
	}
	write(t, filepath.Join(dir, "ann/Maildir/dovecot-keywords"), words.String())
	if _, err := m.SetFlags(t.Context(), "Maildir", "1.M1.host", []string{backend.FlagSeen, "Hens", "wordz"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := flags(t, m)["1.M1.host"]; !slices.Equal(got, []string{backend.FlagSeen, "wordz"}) {
		t.Errorf("the flags are %q, want those for which there is room", got)
	}
}

func TestMailNamesThatLeadElsewhere(t *testing.T) {
	m, dir := mailbox(t, "new/1.M1.host")
	write(t, filepath.Join(dir, "secret"), note)
	for _, c := range []backend.CollectionID{"Maildir./../..", "Maildir...", "Maildir.", "Maildir/cur", "Maildir.\x00", "Maildir.a/b"} {
		_, err := m.Changes(t.Context(), c, "", func([]backend.Change) error { return nil })
		if backend.KindOf(err) != backend.NotFound {
			t.Errorf("Changes of %q: %v, want NotFound", c, err)
		}
	}
	for _, id := range []backend.ItemID{"../1.M1.host", "../../../secret", "", ".", "1.M1.host/x", ":6f6f2f6f"} {
		if _, err := m.SetFlags(t.Context(), "Maildir", id, []string{backend.FlagSeen}, nil); backend.KindOf(err) != backend.NotFound {
			t.Errorf("SetFlags of %q: %v, want NotFound", id, err)
		}
	}
}

func TestSendBetweenPeople(t *testing.T) {
	m, dir := mailbox(t)
	s, _ := backend.As[backend.Sender](m)
	arrived := func(user string) int {
		files, _ := filepath.Glob(filepath.Join(dir, user, "Maildir/new/*"))
		for _, f := range files {
			if data, err := os.ReadFile(f); err != nil || string(data) != note {
				t.Errorf("%s is %q, error %v", f, data, err)
			}
		}
		return len(files)
	}
	send := func(to ...string) error {
		return s.Send(t.Context(), backend.Envelope{From: "ann@example.org", To: to}, strings.NewReader(note))
	}
	if err := send("bob@example.org", "Bob@elsewhere.example", "ann@example.org"); err != nil {
		t.Fatal(err)
	}
	if a, b := arrived("ann"), arrived("bob"); a != 1 || b != 1 {
		t.Errorf("%d and %d messages have arrived, want one each", a, b)
	}
	for _, to := range []string{"carol@example.org", "../bob@example.org", "@", ""} {
		if err := send("bob@example.org", to); backend.KindOf(err) != backend.Invalid {
			t.Errorf("sending to %q: %v, want Invalid", to, err)
		}
	}
	if b := arrived("bob"); b != 1 {
		t.Errorf("%d messages have arrived, want none of those that were refused for others", b)
	}
}

// A message for several people reaches all of them or nobody, wherever one of their
// Maildirs fails.
func TestSendToAllOrNobody(t *testing.T) {
	for _, broken := range []string{"tmp", "new"} {
		for _, to := range [][]string{{"bob@x", "ann@x"}, {"ann@x", "bob@x"}} {
			m, dir := mailbox(t)
			s, _ := backend.As[backend.Sender](m)
			if err := os.RemoveAll(filepath.Join(dir, "bob/Maildir", broken)); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "bob/Maildir", broken), "in the way")
			send := func() error {
				return s.Send(t.Context(), backend.Envelope{From: "ann@x", To: to}, strings.NewReader(note))
			}
			for range 2 {
				if err := send(); backend.KindOf(err) != backend.Transient {
					t.Errorf("%s is a file, to %v: %v, want Transient", broken, to, err)
				}
			}
			for _, place := range []string{"*/Maildir/new/*", "*/Maildir/cur/*", "*/Maildir/tmp/*", "*/Maildir/tmp/.*"} {
				if files, _ := filepath.Glob(filepath.Join(dir, place)); len(files) > 0 {
					t.Errorf("%s is a file, to %v: left is %q", broken, to, files)
				}
			}
			if err := os.Remove(filepath.Join(dir, "bob/Maildir", broken)); err != nil {
				t.Fatal(err)
			}
			if err := send(); err != nil {
				t.Error(err)
			}
			for _, user := range []string{"ann", "bob"} {
				if files, _ := filepath.Glob(filepath.Join(dir, user, "Maildir/new/*")); len(files) != 1 {
					t.Errorf("%s has %q", user, files)
				}
			}
		}
	}
}

func TestSendingConforms(t *testing.T) {
	b, dir := build(t, "Maildir/cur/-")
	if err := os.MkdirAll(filepath.Join(dir, "bob/Maildir"), 0o755); err != nil {
		t.Fatal(err)
	}
	backendtest.Run(t, backendtest.Suite{
		Backend: b, Credentials: ann, Kinds: []backend.CollectionKind{}, Sender: "ann@example.org", Correspondent: "bob@example.org", Refused: "nobody@example.org",
		Arrived: func(t *testing.T, text string) []byte {
			files, _ := filepath.Glob(filepath.Join(dir, "bob/Maildir/new/*"))
			for _, f := range files {
				if data, _ := os.ReadFile(f); bytes.Contains(data, []byte(text)) {
					return data
				}
			}
			t.Fatal("nothing has arrived")
			return nil
		},
	})
}

// TestWithoutMail is about directories as they were before: nobody is told of a
// Maildir, and nobody can send.
func TestWithoutMail(t *testing.T) {
	_, dir := mailbox(t, "new/1.M1.host")
	b, err := localdir.Open(t.Context(), backend.Settings{"dir": dir, "users": map[string]any{"ann": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, b)
	list, err := s.Collections(t.Context())
	if err != nil || slices.ContainsFunc(list, func(c backend.Collection) bool { return c.Kind == backend.Mail }) {
		t.Errorf("Collections: %v, error %v; want no mail", list, err)
	}
	if _, ok := backend.As[backend.Sender](s); ok {
		t.Error("the session is a Sender")
	}
}

func TestWhenAMessageCame(t *testing.T) {
	m, dir := mailbox(t, "new/1.M1.host")
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "ann/Maildir/new/1.M1.host"), then, then); err != nil {
		t.Fatal(err)
	}
	_, err := m.Changes(t.Context(), "Maildir", "", func(cs []backend.Change) error {
		if len(cs) != 1 || !cs[0].Received.Equal(then) {
			t.Errorf("Changes tells %+v, want the time of the file", cs)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestWatchOfMail delivers a mail as other programs do.
func TestWatchOfMail(t *testing.T) {
	m, dir := mailbox(t)
	w, _ := backend.As[backend.Watcher](m)
	ctx, cancel := context.WithCancel(t.Context())
	ready, told, ended := make(chan struct{}), make(chan backend.CollectionID, 10), make(chan error, 1)
	go func() {
		ended <- w.Watch(ctx, []backend.CollectionID{"", "contacts", "Maildir", "Maildir.Sent"}, func() { close(ready) }, func(c backend.CollectionID) { told <- c })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("Watch: %v", err)
	}
	write(t, filepath.Join(dir, "ann/Maildir/new/first-mail"), note)
	select {
	case c := <-told:
		if c != "Maildir" {
			t.Errorf("Watch tells of %q", c)
		}
	case <-time.After(20 * time.Second):
		t.Error("nobody is told of a new mail")
	}
	cancel()
	<-ended
}

// A message that was written with shorter line ends may be too large with those
// of the wire. It must not come in pieces, as if it were whole.
func TestGetAnswersWholeMessages(t *testing.T) {
	m, dir := mailbox(t, "new/small")
	write(t, filepath.Join(dir, "ann/Maildir/new/large"), note+strings.Repeat("\n", backend.MaxItemSize/2+1))
	kinds := make(map[backend.ItemID]backend.Kind)
	err := m.Get(t.Context(), "Maildir", []backend.ItemID{"small", "large"}, func(f backend.Fetched) error {
		if kinds[f.ID] = backend.KindOf(f.Err); f.Err == nil && f.ID == "large" {
			t.Errorf("of %d bytes come %d, and no error", backend.MaxItemSize+2, len(f.Body))
		}
		return nil
	})
	if err != nil || len(kinds) != 2 || kinds["large"] != backend.TooLarge {
		t.Errorf("the kinds are %v, error %v; want %v for the large one", kinds, err, backend.TooLarge)
	}
}

// Without the meaning of its letters no message has lost its keywords, and no
// letter may be given another meaning.
func TestKeywordsThatCannotBeRead(t *testing.T) {
	m, dir := mailbox(t, "cur/one:2,a")
	if err := os.Mkdir(filepath.Join(dir, "ann/Maildir/dovecot-keywords"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Changes(t.Context(), "Maildir", "", func([]backend.Change) error { return nil }); err == nil {
		t.Error("the messages are listed without their keywords")
	}
	if _, err := m.SetFlags(t.Context(), "Maildir", "one", []string{"$Other"}, nil); err == nil {
		t.Error("a flag is set")
	}
}

// A Maildir that somebody made for deliveries alone is one all the same.
func TestFlagsInAMaildirWithoutCur(t *testing.T) {
	m, dir := mailbox(t, "new/one")
	if err := os.Remove(filepath.Join(dir, "ann/Maildir/cur")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.SetFlags(t.Context(), "Maildir", "one", []string{backend.FlagSeen}, nil); err != nil {
		t.Error(err)
	}
	if got := flags(t, m)["one"]; !slices.Equal(got, []string{backend.FlagSeen}) {
		t.Errorf("the message has the flags %q, want that it was read", got)
	}
}

// What somebody marked as deleted and another program has not removed yet does not
// hide a message that comes under its name.
func TestAMarkedMessageHidesNoOther(t *testing.T) {
	for _, kind := range [][]string{nil, {backend.FlagSeen}} {
		m, _ := mailbox(t, "cur/one:2,T")
		it, err := m.Put(t.Context(), "Maildir", backend.Item{
			ID: "one", MediaType: backend.Mail.MediaType(), Body: []byte(strings.ReplaceAll(note, "\n", "\r\n")), Flags: kind,
		})
		if err != nil || it.ID != "one" {
			t.Errorf("Put answers %+v, %v", it, err)
		}
		if got := flags(t, m); len(got) != 1 || !slices.Equal(got["one"], kind) {
			t.Errorf("there is %v, want the new one with the flags %v", got, kind)
		}
	}
}
