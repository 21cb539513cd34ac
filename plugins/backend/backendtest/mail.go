package backendtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var mailing = []promise{
	{"flags come as they were put", flagsCome},
	{"flags change the revision and nothing else", flagsChange},
	{"a flag that is there already changes nothing", flagsSame},
	{"keywords are kept", flagsKeywords},
	{"flags of a missing message are NotFound", flagsMissing},
	{"a limit of nothing answers no body", messagesBare},
	{"a small message is whole", messagesWhole},
	{"a large message is hollow", messagesHollow},
	{"a vanished message is absent", messagesVanished},
	{"when a message was received is told", messagesReceived},
	{"parts are their bytes", partsBytes},
	{"what there is not is NotFound", partsMissing},
	{"an error of the writer comes back", partsWriter},
	{"a moved message keeps its flags", moveKeepsFlags},
}

// mailbox answers the session's mailbox, or skips.
func (w *world) mailbox(t *testing.T) backend.Mailbox {
	t.Helper()
	m, ok := backend.As[backend.Mailbox](w.s)
	if !ok || w.kind != "" && w.kind != backend.Mail {
		t.Skip("this is no Mailbox")
	}
	return m
}

// messages answers the named messages that are there.
func (w *world) messages(t *testing.T, limit int, ids ...backend.ItemID) map[backend.ItemID]backend.Message {
	t.Helper()
	got := make(map[backend.ItemID]backend.Message)
	err := w.mailbox(t).Messages(t.Context(), w.c, ids, limit, func(m backend.Message) error {
		if _, twice := got[m.ID]; twice {
			t.Errorf("Messages answers %q twice", m.ID)
		}
		if m.Err != nil {
			t.Errorf("Messages answers for %q: %v", m.ID, m.Err)
		}
		got[m.ID] = m
		return nil
	})
	if err != nil {
		t.Fatalf("Messages: %v", err)
	}
	return got
}

// wantFlags complains unless a message has these flags and a revision.
func (w *world) wantFlags(t *testing.T, it stored, want ...string) {
	t.Helper()
	m, ok := w.messages(t, 0, it.id)[it.id]
	if !ok || !slices.Equal(m.Flags, backend.Flags(want)) || m.Revision != it.rev {
		t.Errorf("the message (there: %t) has the flags %q and revision %q, want %q and %q", ok, m.Flags, m.Revision, backend.Flags(want), it.rev)
	}
}

func flagsCome(t *testing.T, w *world) {
	w.mailbox(t)
	name := unique("flags")
	out, err := w.s.Put(t.Context(), w.c, backend.Item{
		ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
		Flags: []string{`\seen`, backend.FlagDraft},
	})
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	w.removeLater(t, w.c, out.ID)
	w.wantFlags(t, stored{id: out.ID, rev: out.Revision}, backend.FlagSeen, backend.FlagDraft)
	if f := w.get(t, out.ID)[out.ID]; !slices.Equal(f.Flags, []string{backend.FlagDraft, backend.FlagSeen}) {
		t.Errorf("Get answers the flags %q", f.Flags)
	}
}

func flagsChange(t *testing.T, w *world) {
	m := w.mailbox(t)
	it, bystander := w.create(t, "flags"), w.create(t, "bystander")
	_, cursor := w.list(t, "")
	seen := w.flag(t, it, backend.FlagSeen)
	if seen.rev == it.rev || seen.rev == "" {
		t.Fatalf("setting a flag leaves revision %q, want a new one (was %q)\nThe other phone would show the mail as unread.", seen.rev, it.rev)
	}
	w.wantFlags(t, seen, backend.FlagSeen)
	w.wantUntouched(t, seen, "setting a flag")
	news, cursor := w.list(t, cursor)
	wantNews(t, "setting a flag of", news, backend.Change{ID: it.id, Revision: seen.rev}, bystander.id)

	rev, err := m.SetFlags(t.Context(), w.c, it.id, []string{backend.FlagAnswered, backend.FlagFlagged}, []string{backend.FlagSeen})
	if err != nil {
		t.Fatalf("SetFlags: %v", err)
	}
	seen.rev = rev
	w.wantFlags(t, seen, backend.FlagAnswered, backend.FlagFlagged)
	news, _ = w.list(t, cursor)
	wantNews(t, "changing flags of", news, backend.Change{ID: it.id, Revision: rev}, bystander.id)
}

func flagsSame(t *testing.T, w *world) {
	it := w.flag(t, w.create(t, "same"), backend.FlagSeen)
	_, cursor := w.list(t, "")
	again := w.flag(t, it, backend.FlagSeen)
	news, _ := w.list(t, cursor)
	if ch, told := news[it.id]; again.rev != it.rev || told && ch.Revision != it.rev {
		t.Errorf("setting a flag again makes revision %q of %q, news %v\nEvery phone would be woken for nothing.", again.rev, it.rev, news)
	}
}

func flagsKeywords(t *testing.T, w *world) {
	it := w.flag(t, w.flag(t, w.create(t, "keyword"), backend.FlagForwarded), "Ferns-and-hens")
	m := w.messages(t, 0, it.id)[it.id]
	if !backend.HasFlag(m.Flags, backend.FlagForwarded) || !backend.HasFlag(m.Flags, "Ferns-and-hens") {
		t.Errorf("the message has the flags %q, want both keywords\nCategories would be lost.", m.Flags)
	}
	rev, err := w.mailbox(t).SetFlags(t.Context(), w.c, it.id, nil, []string{"ferns-and-hens"})
	if err != nil {
		t.Fatalf("SetFlags: %v", err)
	}
	it.rev = rev
	w.wantFlags(t, it, backend.FlagForwarded)
}

func flagsMissing(t *testing.T, w *world) {
	m := w.mailbox(t)
	it := w.create(t, "missing")
	if err := w.s.Delete(t.Context(), w.c, it.id, ""); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	for _, id := range []backend.ItemID{it.id, "no such message"} {
		_, err := m.SetFlags(t.Context(), w.c, id, []string{backend.FlagSeen}, nil)
		wantKind(t, "SetFlags of a missing message", err, backend.NotFound, "")
	}
	_, err := m.SetFlags(t.Context(), missing(w.c), it.id, []string{backend.FlagSeen}, nil)
	wantKind(t, "SetFlags in a missing collection", err, backend.NotFound, "")
}

func messagesBare(t *testing.T, w *world) {
	it := w.create(t, "bare")
	m := w.messages(t, 0, it.id)[it.id]
	if m.Body != nil || m.Left != nil || m.Revision != it.rev || m.Size < int64(len(it.body))-64 || m.Size > int64(len(it.body))+512 {
		t.Errorf("Messages without bodies answers %d bytes of body, revision %q, size %d; want none, %q, about %d",
			len(m.Body), m.Revision, m.Size, it.rev, len(it.body))
	}
}

func messagesWhole(t *testing.T, w *world) {
	it := w.create(t, "whole")
	m := w.messages(t, 64<<10, it.id)[it.id]
	if !bytes.HasSuffix(m.Body, it.body) || len(m.Left) > 0 {
		t.Errorf("the message is\n%s\nwith %v left out, want\n%s", m.Body, m.Left, it.body)
	}
	if got := w.get(t, it.id)[it.id].Body; !bytes.Equal(got, m.Body) {
		t.Errorf("Get answers other bytes than Messages:\n%s\n%s", got, m.Body)
	}
}

// letter is a message of four leaf parts: a text, the same in HTML, an
// attachment and a message, with numbers 1.1, 1.2, 2 and 3.
func letter(uid string, attached []byte) []byte {
	lines := []string{
		"Message-ID: <" + uid + "@pushbridge.example>", "Date: Mon, 5 Jan 2026 08:00:00 +0000",
		"From: Mira Quist <mira@pushbridge.example>", "To: Ono Hart <ono@pushbridge.example>", "Subject: A letter with a picture",
		"MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="outer=_1"`, "",
		"--outer=_1", `Content-Type: multipart/alternative;`, `  boundary=inner`, "",
		"--inner", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
		marker + "short",
		"--inner", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
		strings.Repeat("<p>A line of many that are as long as this one</p>=\r\n", 200),
		"--inner--",
		"--outer=_1", `Content-Type: image/png; name="hens.png"`, `Content-Disposition: attachment; filename="hens.png"`,
		"Content-Transfer-Encoding: base64", "",
		wrap(base64.StdEncoding.EncodeToString(attached)),
		"--outer=_1", "Content-Type: message/rfc822", "",
		"From: ono@pushbridge.example", "Subject: The original", "Content-Type: multipart/mixed; boundary=third", "",
		"--third", "", "the innermost", "--third--", "",
		"--outer=_1--", "",
	}
	return []byte(strings.Join(lines, "\r\n"))
}

func wrap(text string) string {
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return b.String() + text
}

var picture = bytes.Repeat([]byte("a picture of hens "), 4000)

func messagesHollow(t *testing.T, w *world) {
	w.mailbox(t)
	const limit = 4000
	it := w.createBody(t, unique("hollow"), letter(unique("hollow"), picture))
	m := w.messages(t, limit, it.id)[it.id]
	if len(m.Body) > limit+3000 || m.Size < int64(len(it.body)) {
		t.Errorf("a message of %d bytes comes as one of %d with %d of its parts", m.Size, len(m.Body), limit)
	}
	for _, line := range []string{"Subject: A letter with a picture\r\n", "Content-Type: image/png; name=\"hens.png\"\r\n", "--inner--", "--outer=_1--",
		"Content-Type: message/rfc822\r\n", marker + "short", "<p>A line of many"} {
		if !bytes.Contains(m.Body, []byte(line)) {
			t.Errorf("%q is not in the hollow message\n%s", line, m.Body)
		}
	}
	left := make(map[string]backend.LeftPart)
	for _, l := range m.Left {
		left[l.Path] = l
	}
	if l := left["1.2"]; len(left) != 3 || l.Kept < limit/4 || l.Kept > limit || l.Encoded < 10_000 {
		t.Errorf("left out are %+v, want some of the HTML, the picture and the original", m.Left)
	}
	if l := left["2"]; l.Kept != 0 || l.Encoded < int64(len(picture))*4/3 {
		t.Errorf("of the picture %+v is left out, want all of it", l)
	}
	if n := bytes.Count(m.Body, []byte("<p>")); n < 20 || n > 100 {
		t.Errorf("%d lines of HTML are there, want some", n)
	}
}

func messagesVanished(t *testing.T, w *world) {
	w.mailbox(t)
	it, gone := w.create(t, "there"), w.create(t, "gone")
	if err := w.s.Delete(t.Context(), w.c, gone.id, ""); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	got := w.messages(t, 1<<20, gone.id, it.id, "no such message", it.id)
	if _, there := got[it.id]; len(got) != 1 || !there {
		t.Errorf("Messages answers %d messages, want just the one that is there", len(got))
	}
	err := w.mailbox(t).Messages(t.Context(), missing(w.c), []backend.ItemID{it.id}, 0, func(backend.Message) error { return nil })
	wantKind(t, "Messages of a missing collection", err, backend.NotFound, "")
}

func messagesReceived(t *testing.T, w *world) {
	w.mailbox(t)
	it := w.create(t, "received")
	var listed time.Time
	_, err := w.s.Changes(t.Context(), w.c, "", func(batch []backend.Change) error {
		for _, ch := range batch {
			if ch.ID == it.id {
				listed = ch.Received
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	m := w.messages(t, 0, it.id)[it.id]
	if !m.Received.Equal(listed) || time.Since(listed).Abs() > time.Hour {
		t.Errorf("a new message was received at %v as Changes says, at %v as Messages does; want now\nFilters by age would hide it.", listed, m.Received)
	}
}

func partsBytes(t *testing.T, w *world) {
	m := w.mailbox(t)
	it := w.createBody(t, unique("parts"), letter(unique("parts"), picture))
	encoded := wrap(base64.StdEncoding.EncodeToString(picture))
	tests := []struct {
		path           string
		offset, length int64
		want           string
	}{
		{"1.1", 0, -1, marker + "short"},
		{"1.1", 4, 4, marker[4:8]},
		{"1.1", 1000, 5, ""},
		{"2", 0, -1, encoded},
		{"2", 3, 100, encoded[3:103]},
		{"2", int64(len(encoded)) - 10, 100, encoded[len(encoded)-10:]},
		{"3.1", 0, -1, "the innermost"},
		{"1.1", 0, 0, ""},
	}
	for _, test := range tests {
		var b bytes.Buffer
		err := m.Part(t.Context(), w.c, it.id, test.path, test.offset, test.length, &b)
		if err != nil || b.String() != test.want {
			t.Errorf("part %s from %d on, %d bytes: error %v, %.80q (%d bytes), want %.80q (%d)",
				test.path, test.offset, test.length, err, b.String(), b.Len(), test.want, len(test.want))
		}
	}
	var whole bytes.Buffer
	if err := m.Part(t.Context(), w.c, it.id, "", 0, -1, &whole); err != nil || !bytes.HasSuffix(whole.Bytes(), it.body) {
		t.Errorf("the whole message: error %v, %d bytes, want %d", err, whole.Len(), len(it.body))
	}
	plain := w.create(t, "plain")
	var body bytes.Buffer
	if err := m.Part(t.Context(), w.c, plain.id, "1", 0, -1, &body); err != nil || !strings.HasPrefix(body.String(), plain.text()) {
		t.Errorf("part 1 of a message that is no multipart: error %v, %q", err, body.String())
	}
}

func partsMissing(t *testing.T, w *world) {
	m := w.mailbox(t)
	it := w.create(t, "missing")
	for _, path := range []string{"2", "1.1", "x", "0", "1..1", "1 (FLAGS)", "HEADER", strings.Repeat("1.", 40) + "1"} {
		err := m.Part(t.Context(), w.c, it.id, path, 0, -1, new(bytes.Buffer))
		wantKind(t, "Part "+path, err, backend.NotFound, "")
	}
	wantKind(t, "Part of a missing message", m.Part(t.Context(), w.c, "no such message", "1", 0, -1, new(bytes.Buffer)), backend.NotFound, "")
	wantKind(t, "Part in a missing collection", m.Part(t.Context(), missing(w.c), it.id, "1", 0, -1, new(bytes.Buffer)), backend.NotFound, "")
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

func partsWriter(t *testing.T, w *world) {
	m := w.mailbox(t)
	it := w.createBody(t, unique("writer"), letter(unique("writer"), picture))
	enough := errors.New("the phone has hung up")
	if err := m.Part(t.Context(), w.c, it.id, "2", 0, -1, brokenWriter{enough}); err != enough {
		t.Errorf("Part into a writer that fails: error %v, want the writer's", err)
	}
	w.wantFlags(t, it) // the session goes on
}

func moveKeepsFlags(t *testing.T, w *world) {
	w.mailbox(t)
	to := w.make(t, "Elsewhere")
	it := w.flag(t, w.create(t, "move"), backend.FlagSeen)
	moved, err := w.s.Move(t.Context(), w.c, it.id, to.ID)
	if err != nil {
		t.Fatalf("Move: %v", err)
	}
	w.removeLater(t, to.ID, moved.ID)
	there := world{Suite: w.Suite, s: w.s, c: to.ID, kind: w.kind}
	there.wantFlags(t, stored{id: moved.ID, rev: moved.Revision}, backend.FlagSeen)
}
