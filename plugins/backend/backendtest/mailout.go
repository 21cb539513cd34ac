package backendtest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var searching = []promise{
	{"each condition is kept", searchConditions},
	{"texts mean themselves", searchOdd},
	{"no more come than are wanted", searchLimit},
	{"a missing collection has no messages", searchMissing},
}

// search answers which of some messages are found, or skips.
func (w *world) search(t *testing.T, q backend.Query, among ...stored) []string {
	t.Helper()
	s, ok := backend.As[backend.Searcher](w.s)
	if !ok || w.kind != backend.Mail {
		t.Skip("this is no Searcher")
	}
	if q.Collections == nil {
		q.Collections = []backend.CollectionID{w.c}
	}
	found, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("Search for %+v: %v", q, err)
	}
	var names []string
	for _, f := range found {
		if f.Collection != w.c {
			t.Errorf("Search in %q finds a message in %q", w.c, f.Collection)
		}
		if n := slices.IndexFunc(among, func(it stored) bool { return it.id == f.ID }); n >= 0 {
			names = append(names, among[n].name)
		}
	}
	slices.Sort(names)
	return names
}

func searchConditions(t *testing.T, w *world) {
	w.mailbox(t)
	word := unique("w")[2:]
	write := func(from, to, subject, text string) stored {
		name := unique("search")
		return w.createBody(t, name, []byte("From: "+from+"\r\nTo: "+to+"\r\nSubject: "+subject+
			"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"+text+"\r\n"))
	}
	one := write("Mira <mira@pushbridge.example>", "ono@pushbridge.example", "Ferns "+word, "water them")
	two := write("Ono <ono@pushbridge.example>", "mira@pushbridge.example", "Hens "+word, "and the ferns "+word)
	old, soon := time.Now().AddDate(0, 0, -10), time.Now().AddDate(0, 0, 10)
	tests := []struct {
		name string
		give backend.Query
		want []stored
	}{
		{"subject", backend.Query{Subject: word}, []stored{one, two}},
		{"another case", backend.Query{Subject: "FERNS " + strings.ToUpper(word)}, []stored{one}},
		{"two conditions", backend.Query{Subject: word, From: "mira"}, []stored{one}},
		{"to", backend.Query{Subject: word, To: "mira@pushbridge.example"}, []stored{two}},
		{"text", backend.Query{Text: "and the ferns " + word}, []stored{two}},
		{"since", backend.Query{Subject: word, Since: soon}, nil},
		{"since long ago", backend.Query{Subject: word, Since: old}, []stored{one, two}},
		{"before", backend.Query{Subject: word, Before: old}, nil},
		{"before some time", backend.Query{Subject: word, Before: soon}, []stored{one, two}},
		{"nothing", backend.Query{Subject: word, Text: unique("nothing")}, nil},
	}
	for _, test := range tests {
		var want []string
		for _, it := range test.want {
			want = append(want, it.name)
		}
		slices.Sort(want)
		if got := w.search(t, test.give, one, two); !slices.Equal(got, want) {
			t.Errorf("%s: Search finds %q, want %q", test.name, got, want)
		}
	}
}

func searchOdd(t *testing.T, w *world) {
	it := w.create(t, "odd")
	for _, text := range []string{`"`, `\`, "\r\nx LOGOUT", "{3}", "Zoë", "%", "*", ") OR (ALL", strings.Repeat("long ", 100), "a\x00b"} {
		if got := w.search(t, backend.Query{Subject: "no such subject " + text}, it); len(got) > 0 {
			t.Errorf("Search for the odd text %q finds what does not have it", text)
		}
	}
}

func searchLimit(t *testing.T, w *world) {
	w.mailbox(t)
	for range 3 {
		w.create(t, "limit")
	}
	s, ok := backend.As[backend.Searcher](w.s)
	if !ok {
		t.Skip("this is no Searcher")
	}
	found, err := s.Search(t.Context(), backend.Query{Collections: []backend.CollectionID{w.c}, Limit: 2})
	if err != nil || len(found) != 2 {
		t.Errorf("Search for two of three or more finds %d, error %v", len(found), err)
	}
	if !slices.IsSortedFunc(found, func(a, b backend.Found) int { return b.Received.Compare(a.Received) }) {
		t.Errorf("Search does not answer the latest first: %v", found)
	}
}

func searchMissing(t *testing.T, w *world) {
	it := w.create(t, "missing")
	q := backend.Query{Collections: []backend.CollectionID{missing(w.c), w.c}, Subject: "hens"}
	if got := w.search(t, q, it); len(got) != 1 {
		t.Errorf("Search beside a missing collection finds %q, want the message that is there", got)
	}
}

var sending = []promise{
	{"a message arrives as it is", sendArrives},
	{"a refused recipient is Invalid", sendRefused},
	{"no recipients are Invalid", sendNobody},
	{"a source that breaks sends nothing", sendBroken},
}

// sender answers the session's sender, or skips.
func (w *world) sender(t *testing.T) backend.Sender {
	t.Helper()
	s, ok := backend.As[backend.Sender](w.s)
	if !ok {
		t.Skip("the session is not a Sender")
	}
	return s
}

func sendArrives(t *testing.T, w *world) {
	s := w.sender(t)
	if w.Correspondent == "" || w.Arrived == nil {
		t.Skip("nobody is there to send to")
	}
	text := unique("sent")
	body := letter(text, picture)
	body = bytes.Replace(body, []byte(marker+"short"), []byte(marker+"dots\r\n.\r\n.. and a line of dots\r\n"+marker+text), 1)
	err := s.Send(t.Context(), backend.Envelope{From: w.Sender, To: []string{w.Correspondent}, Size: int64(len(body))}, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	got := bytes.ReplaceAll(w.Arrived(t, marker+text), []byte("\r\n"), []byte("\n"))
	if want := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")); !bytes.Contains(got, bytes.TrimRight(want, "\n")) {
		t.Errorf("the message that arrives differs from the one that was sent:\n%.2000s", got)
	}
}

func sendRefused(t *testing.T, w *world) {
	s := w.sender(t)
	if w.Refused == "" {
		t.Skip("no address is refused")
	}
	body := sample(backend.Mail, unique("refused"), "first")
	err := s.Send(t.Context(), backend.Envelope{From: w.Sender, To: []string{w.Refused}, Size: int64(len(body))}, bytes.NewReader(body))
	wantKind(t, "Send to a refused address", err, backend.Invalid, "The phone would try for ever.")
}

func sendNobody(t *testing.T, w *world) {
	err := w.sender(t).Send(t.Context(), backend.Envelope{From: w.Sender}, strings.NewReader("Subject: x\r\n\r\n"))
	wantKind(t, "Send to nobody", err, backend.Invalid, "")
}

func sendBroken(t *testing.T, w *world) {
	s := w.sender(t)
	if w.Correspondent == "" {
		t.Skip("nobody is there to send to")
	}
	for _, broken := range []error{errors.New("the file is gone"), io.ErrUnexpectedEOF} {
		r := io.MultiReader(bytes.NewReader(sample(backend.Mail, unique("broken"), "first")), brokenReader{broken})
		err := s.Send(t.Context(), backend.Envelope{From: w.Sender, To: []string{w.Correspondent}}, r)
		if !errors.Is(err, broken) {
			t.Errorf("Send of a source that breaks: error %v, want %v\nHalf a message would have been sent.", err, broken)
		}
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

var vacationing = []promise{
	{"what is set comes back", vacationBack},
}

func vacationBack(t *testing.T, w *world) {
	v, ok := backend.As[backend.Vacationer](w.s)
	if !ok {
		t.Skip("the session is not a Vacationer")
	}
	before, err := v.Vacation(t.Context())
	if backend.KindOf(err) == backend.Unsupported {
		t.Skip("this person has no vacation")
	}
	if err != nil {
		t.Fatalf("Vacation: %v", err)
	}
	day := time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)
	for _, want := range []backend.Vacation{
		{Enabled: true, Text: "I am away.\n.\n\"Ferns\" \\ {5}\nZoë */ # x"},
		{Enabled: true, From: day, Until: day.AddDate(0, 0, 14), Text: "Back in January"},
		{Enabled: false, Text: "Back in January"},
		{Enabled: before.Enabled, Text: before.Text},
	} {
		if err := v.SetVacation(t.Context(), want); err != nil {
			t.Fatalf("SetVacation: %v", err)
		}
		got, err := v.Vacation(t.Context())
		same := got.Enabled == want.Enabled && got.From.Equal(want.From) && got.Until.Equal(want.Until)
		if err != nil || !same || got.Text != want.Text && want.Enabled {
			t.Errorf("Vacation answers %+v, error %v; want %+v", got, err, want)
		}
	}
}
