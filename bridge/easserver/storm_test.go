package easserver_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// The stories in this file were found by package storm; each names its seed of
// the day.

// A hooked backend lets a test act in the middle of a request.
type hooked struct {
	backend.Backend
	open   func()       // before a session is opened; nil does nothing
	stored func() error // after an item was stored
}

func (h *hooked) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	if h.open != nil {
		h.open()
	}
	s, err := h.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return hookedSession{s, h}, nil
}

type hookedSession struct {
	backend.Session
	hooks *hooked
}

func (s hookedSession) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	stored, err := s.Session.Put(ctx, c, it)
	if err == nil && s.hooks.stored != nil {
		if err = s.hooks.stored(); err != nil {
			return backend.Item{}, err
		}
	}
	return stored, err
}

// on makes a house of another backend.
func (h *hooked) on(state string) bridgetest.Options {
	return bridgetest.Options{Edit: func(o *bridge.Options) {
		if h.Backend == nil {
			h.Backend = o.Backends[0].Backend
		}
		o.Backends = []account.Named{{Name: "memory", Backend: h}}
		o.Config.State = state
	}}
}

// One request under way twice is carried out once, though both found that
// nobody had answered it yet. Seed 20.
func TestTwinsGetOneAnswer(t *testing.T) {
	state := t.TempDir()
	var b hooked
	h := bridgetest.Start(t, b.on(state))
	c := h.Client(eas.V141, "phone1")
	p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
	bridgetest.Sync(t, p)
	f := bridgetest.FolderOf(t, p, "Contacts")
	h.Store("contacts", "c.vcf", bridgetest.Card("c", "New"))
	var answers [][]byte
	check := c.Trace
	c.Trace = func(command string, request, answer []byte) {
		check(command, request, answer)
		answers = append(answers, answer)
	}
	send := func() {
		_, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID}}})
		if err != nil {
			t.Error(err)
		}
	}
	// Another worker has no session yet, and opens one between its question
	// for an earlier answer and its look at the key.
	other := hooked{Backend: b.Backend}
	c.URL = bridgetest.Start(t, other.on(state)).URL
	opened := 0
	other.open = func() {
		if opened++; opened == 2 { // the first is the login
			send()
		}
	}
	send()
	if len(answers) != 2 || len(answers[0]) == 0 || !bytes.Equal(answers[0], answers[1]) {
		t.Errorf("the same request, twice at once, got the answers\n%x", answers)
	}
}

// The server stored an edit and could not say so. The edit that follows, with
// the first one's repetition, meets no stranger. Seed 11.
func TestTheNextEditAfterOneWhoseFateWasUnknown(t *testing.T) {
	var b hooked
	h := bridgetest.Start(t, b.on(bridge.Memory))
	h.Store("tasks", "t", bridgetest.Task("t", "Before"))
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	f := bridgetest.FolderOf(t, p, "Tasks")
	edit := func(subject string) {
		t.Helper()
		for id := range f.Items {
			if err := p.Change(f.ServerID, id, eas.Properties{eas.T(tag.TasksSubject, subject)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit("First")
	b.stored = func() error { return backend.Errorf(backend.Transient, "test", "the answer was lost") }
	if _, err := p.Sync(t.Context()); err == nil {
		t.Fatal("the phone was told that its edit is stored")
	}
	b.stored = nil
	raw := h.Client(eas.V141, "phone1") // most phones send what is queued as one request
	task := func(subject string) eas.Properties {
		return eas.Properties{eas.T(tag.TasksSubject, subject), eas.T(tag.TasksComplete, "0")}
	}
	var changes []eas.SyncCommand
	for id := range f.Items {
		for _, subject := range []string{"First", "Second"} {
			changes = append(changes, eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Data: task(subject)})
		}
	}
	r, err := raw.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: changes}}})
	if err != nil {
		t.Fatal(err)
	}
	if refused := r.Collections[0].Responses; len(refused) != 0 {
		t.Errorf("the edits were answered %+v, want no refusal", refused)
	}
	if got := string(h.Backend.Items(bridgetest.User, "tasks")["t"]); !strings.Contains(got, "SUMMARY:Second\r\n") {
		t.Errorf("the server holds %q, want the second edit", got)
	}
}

// A phone whose edits win is told of what others changed beside them. Found
// while mending seed 11.
func TestAPhoneThatWinsIsToldOfTheRest(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	event := bridgetest.Event("e", "Before", time.Now().Add(time.Hour))
	h.Store("calendar", "e", event)
	p := h.Phone(eas.V161, "phone1", phone.Settings{Wins: true})
	bridgetest.Sync(t, p)
	h.Store("calendar", "e", strings.Replace(event, "X-KEEP", "LOCATION:Elsewhere\r\nX-KEEP", 1))
	f := bridgetest.FolderOf(t, p, "Calendar")
	for id := range f.Items {
		if err := p.Change(f.ServerID, id, eas.Properties{eas.T(tag.CalendarSubject, "After")}); err != nil {
			t.Fatal(err)
		}
	}
	bridgetest.Sync(t, p)
	stored := string(h.Backend.Items(bridgetest.User, "calendar")["e"])
	for _, line := range []string{"SUMMARY:After\r\n", "LOCATION:Elsewhere\r\n"} {
		if !strings.Contains(stored, line) {
			t.Errorf("the server holds %q, want %q in it", stored, line)
		}
	}
	for _, item := range bridgetest.FolderOf(t, p, "Calendar").Items {
		held := func(e eas.Element) bool { return slices.Contains([]string{"After", "Elsewhere"}, e.Content()) }
		n := 0
		for _, e := range item {
			if held(e) || slices.ContainsFunc(e.Children, held) {
				n++
			}
		}
		if n != 2 {
			t.Errorf("the phone holds %v, want its subject and the other's location", item)
		}
	}
}

// A phone that begins gets its keys while a backend is away, for nothing is
// asked of it. Seed 1024.
func TestKeysWhileTheBackendIsAway(t *testing.T) {
	state := t.TempDir()
	var b hooked
	h := bridgetest.Start(t, b.on(state))
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	if _, err := p.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := hooked{Backend: b.Backend}
	c := h.Client(eas.V141, "phone1")
	c.URL = bridgetest.Start(t, other.on(state)).URL
	opened := 0
	other.open = func() {
		if opened++; opened > 1 { // the first is the login
			t.Error("a session was opened")
		}
	}
	var m eas.SyncRequest
	for _, f := range p.Folders() {
		m.Collections = append(m.Collections, eas.SyncCollection{SyncKey: "0", CollectionID: f.ServerID})
	}
	r, err := c.Sync(t.Context(), &m)
	if err != nil || len(r.Collections) != len(m.Collections) {
		t.Errorf("the answer is %+v, error %v; want a key for each of %d folders", r, err, len(m.Collections))
	}
}

// What the owner does to an event that just leaves the filter's window is not
// lost. Seed 5290.
func TestEditsOfWhatLeftTheWindow(t *testing.T) {
	for _, deletes := range []bool{false, true} {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("calendar", "e", bridgetest.Event("e", "Before", time.Now().AddDate(0, 0, -10)))
		c := h.Client(eas.V161, "phone1")
		p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
		bridgetest.Sync(t, p)
		f := bridgetest.FolderOf(t, p, "Calendar")
		week := 3
		sync := func(commands ...eas.SyncCommand) eas.SyncResult {
			t.Helper()
			r, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{
				SyncKey: f.SyncKey, CollectionID: f.ServerID, Options: []eas.SyncOptions{{FilterType: &week}}, Commands: commands}}})
			if err != nil || len(r.Collections) != 1 {
				t.Fatalf("the answer is %+v, error %v", r, err)
			}
			f.SyncKey = r.Collections[0].SyncKey
			return r.Collections[0]
		}
		for id := range f.Items {
			if r := sync(); len(r.Commands) != 1 || r.Commands[0].Do != tag.AirSyncSoftDelete {
				t.Fatalf("the phone was told %+v, want that the event left", r.Commands)
			}
			edit := eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: id}
			if !deletes {
				const form = "20060102T150405Z"
				now := time.Now().UTC()
				edit.Do, edit.Data = tag.AirSyncChange, eas.Properties{eas.T(tag.CalendarSubject, "After"),
					eas.T(tag.CalendarStartTime, now.Format(form)), eas.T(tag.CalendarEndTime, now.Add(time.Hour).Format(form))}
			}
			r := sync(edit)
			if len(r.Responses) != 0 {
				t.Errorf("the edit was answered %+v, want no refusal", r.Responses)
			}
			if !deletes && (len(r.Commands) != 1 || r.Commands[0].Do != tag.AirSyncAdd) {
				t.Errorf("the phone was told %+v, want the event that the edit brought back", r.Commands)
			}
		}
		stored := string(h.Backend.Items(bridgetest.User, "calendar")["e"])
		if deletes && stored != "" || !deletes && !strings.Contains(stored, "SUMMARY:After") {
			t.Errorf("the server holds %q after the phone's edit", stored)
		}
	}
}

// The answer to an Add is lost, and the phone builds its request anew. What
// others did to the item meanwhile stays. Found while judging seed 1.
func TestWhatOthersDoToAnItemWhoseAnswerWasLost(t *testing.T) {
	tests := []struct {
		name   string
		does   func(h *bridgetest.House, id backend.ItemID)
		stored string
		told   wbxml.Tag
	}{
		{"they delete it", func(h *bridgetest.House, id backend.ItemID) { h.Backend.Remove(bridgetest.User, "tasks", id) }, "", tag.AirSyncDelete},
		{"they edit it", func(h *bridgetest.House, id backend.ItemID) {
			h.Store("tasks", id, bridgetest.Task("t", "By others"))
		}, "SUMMARY:By others", tag.AirSyncChange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			p := h.Phone(eas.V141, "phone1", phone.Settings{})
			bridgetest.Sync(t, p)
			f := bridgetest.FolderOf(t, p, "Tasks")
			c := h.Client(eas.V141, "phone1")
			send := func(window int) eas.SyncResult {
				t.Helper()
				r, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{
					SyncKey: f.SyncKey, CollectionID: f.ServerID, WindowSize: &window,
					Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "a1", Data: eas.Properties{
						eas.T(tag.TasksSubject, "By the phone"), eas.T(tag.TasksComplete, "0")}}},
				}}})
				if err != nil || len(r.Collections) != 1 || len(r.Collections[0].Responses) != 1 {
					t.Fatalf("the answer is %+v, error %v", r, err)
				}
				return r.Collections[0]
			}
			first := send(10)
			for id := range h.Backend.Items(bridgetest.User, "tasks") {
				tt.does(h, id)
			}
			again := send(11) // another request, as far as the server can tell
			if a, b := first.Responses[0], again.Responses[0]; a.ServerID != b.ServerID || b.Status != eas.SyncOK {
				t.Errorf("the answers are %+v and %+v, want one item", a, b)
			}
			if len(again.Commands) != 1 || again.Commands[0].Do != tt.told {
				t.Errorf("the phone was told %+v, want what the others did", again.Commands)
			}
			stored := ""
			for _, body := range h.Backend.Items(bridgetest.User, "tasks") {
				stored += string(body)
			}
			if !strings.Contains(stored, tt.stored) || tt.stored == "" && stored != "" {
				t.Errorf("the server holds %q, want %q", stored, tt.stored)
			}
		})
	}
}

// A phone hangs up while its edit is refused, so that the worker cannot note
// that the phone has to see what is there. The phone asks again, and is told of
// both. Seed 21143.
func TestRefusedWhileThePhoneHangsUp(t *testing.T) {
	var b hooked
	var hangUp context.CancelFunc
	o := b.on(t.TempDir())
	o.Wrap = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			hangUp = cancel
			h.ServeHTTP(w, r.WithContext(ctx))
		})
	}
	h := bridgetest.Start(t, o)
	card := bridgetest.Card("a", "Ann Old")
	h.Store("contacts", "a", card)
	s := newHandset(t, h, eas.V141, "phone1", "Contacts", 1)
	first := true
	b.stored = func() error {
		if first {
			hangUp()
		}
		first = false
		h.Store("contacts", "a", card)
		return backend.Errorf(backend.ReadOnly, "test: put", "nobody may write here")
	}
	edit := eas.SyncCommand{Do: tag.AirSyncChange, ServerID: s.id, Data: s.with(eas.T(tag.ContactsJobTitle, "edited"))}
	s.send(edit) // an answer to it is nothing that a phone which hung up would get
	s.window--   // the same request again
	status, told := s.take(s.send(edit))
	if !told {
		_, told = s.take(s.send())
	}
	if status != eas.SyncConflict || !told {
		t.Errorf("status %d, told what is there: %v; want %d and that", status, told, eas.SyncConflict)
	}
}
