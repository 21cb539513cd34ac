package easserver_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// An administrator takes a backend out of the configuration and starts the
// worker again: phones lose its folders, and nothing else.
func TestBackendThatIsNoLongerConfigured(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		state := t.TempDir()
		kept, removed := memory.New(), memory.New()
		for name, b := range map[string]*memory.Backend{"kept": kept, "removed": removed} {
			b.AddUser(bridgetest.User, bridgetest.Password)
			b.RemoveCollection(bridgetest.User, "inbox")
			b.SetCollection(bridgetest.User, backend.Collection{ID: "contacts", Kind: backend.Contacts, Name: name, Default: true})
		}
		var now atomic.Value // the worker that answers
		before := bridgetest.Start(t, bridgetest.Options{
			Edit: func(o *bridge.Options) {
				o.Config.State = state
				o.Backends = []account.Named{{Name: "kept", Backend: kept}, {Name: "removed", Backend: removed}}
			},
			Wrap: func(h http.Handler) http.Handler {
				now.Store(h)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().(http.Handler).ServeHTTP(w, r) })
			},
		})
		p := before.Phone(v, "phone1", phone.Settings{Classes: []string{"Contacts"}})
		bridgetest.Sync(t, p)
		names := func() (names []string) {
			for _, f := range p.Folders() {
				if f.Class == "Contacts" {
					names = append(names, f.DisplayName)
				}
			}
			return names
		}
		if got := names(); len(got) != 2 {
			t.Fatalf("the phone has the folders %q, want two", got)
		}
		after := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
			o.Config.State = state
			o.Backends = []account.Named{{Name: "kept", Backend: kept}}
		}})
		now.Store(after.Bridge.Handler())
		bridgetest.Sync(t, p)
		if got := names(); len(got) != 1 || got[0] != "kept" {
			t.Errorf("the phone has the folders %q, want only the one of the backend that is left", got)
		}
	})
}

// Somebody removes a folder while the phone's owner writes something into it,
// and the listing that would say so fails: the phone hears that the folders
// changed and not that its item is refused.
func TestAddToFolderThatIsGone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "extra", Kind: backend.Contacts, Name: "Extra"})
		p := h.Phone(v, "phone1", phone.Settings{Classes: []string{"Contacts"}})
		bridgetest.Sync(t, p)
		var extra string
		for _, f := range p.Folders() {
			if f.DisplayName == "Extra" {
				extra = f.ServerID
			}
		}
		if _, err := p.Add(extra, eas.Properties{eas.T(tag.ContactsFileAs, "New"), eas.T(tag.ContactsLastName, "New")}); err != nil {
			t.Fatal(err)
		}
		h.Backend.RemoveCollection(bridgetest.User, "extra")
		h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.Errorf(backend.Transient, "test", "the listing fails")})
		events, err := p.SyncFolders(t.Context(), extra)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == phone.Refused {
				t.Errorf("the phone's item was refused with status %d", e.Status)
			}
		}
		if f, there := p.Folder(extra); there {
			t.Errorf("the phone still has the folder %q", f.DisplayName)
		}
	})
}

// An item is moved away and back. Another phone heard of the first and nobody of
// the second yet; a phone that heard of neither edits it, and its edit counts.
func TestEditOfWhatIsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   eas.SyncCommand
		want int
	}{
		{"a change", eas.SyncCommand{Do: tag.AirSyncChange}, 1},
		{"a deletion", eas.SyncCommand{Do: tag.AirSyncDelete}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			card := bridgetest.Card("a", "Ann Old")
			h.Store("contacts", "a", card)
			s, other := newHandset(t, h, eas.V141, "phone1", "Contacts", 1), h.Phone(eas.V141, "phone2", phone.Settings{})
			bridgetest.Sync(t, other)
			h.Backend.Remove(bridgetest.User, "contacts", "a")
			bridgetest.Sync(t, other)
			h.Store("contacts", "a", card)

			tt.do.ServerID = s.id
			if tt.want > 0 {
				tt.do.Data = s.with(eas.T(tag.ContactsJobTitle, "edited"))
			}
			if status, told := s.take(s.send(tt.do)); status != eas.SyncOK || told {
				t.Errorf("status %d, told of it: %v; want 1 and nothing", status, told)
			}
			if items := h.Backend.Items(bridgetest.User, "contacts"); len(items) != tt.want {
				t.Errorf("the server holds %d items, want %d", len(items), tt.want)
			}
			if tt.want > 0 {
				stored(t, h, "contacts", "TITLE:edited")
			}
		})
	}
}

// A phone edits what is gone and is told so, though there is other news that fills the
// window, or no listing says it yet: with the status it hears of the deletion, so that
// whatever it makes of the status, it is told of what comes back as of something new.
func TestEditOfWhatIsGone(t *testing.T) {
	type command struct {
		do   string
		item string
	}
	for _, tt := range []struct {
		name   string
		listed bool // a listing says that it is gone
		repeat bool // the answer is lost, and the phone asks again
		back   bool // it comes back
		want   []command
	}{
		{"gone for good", true, false, false, []command{{"AirSync:Add", "b"}}},
		{"gone for good, and not listed", false, false, false, []command{{"AirSync:Add", "b"}}},
		{"back", true, false, true, []command{{"AirSync:Add", "a"}, {"AirSync:Add", "b"}}},
		{"back before a listing", false, false, true, []command{{"AirSync:Add", "a"}, {"AirSync:Add", "b"}}},
		{"back, and the answer lost", true, true, true, []command{{"AirSync:Add", "b"}}},
		{"back before a listing, and the answer lost", false, true, true, []command{{"AirSync:Add", "b"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("contacts", "a", bridgetest.Card("a", "a"))
			s, other := newHandset(t, h, eas.V141, "phone1", "Contacts", 1), h.Phone(eas.V141, "phone2", phone.Settings{})
			bridgetest.Sync(t, other)
			h.Store("contacts", "b", bridgetest.Card("b", "b"))
			if !tt.listed {
				bridgetest.Sync(t, other)
				h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Times: -1, Err: backend.Errorf(backend.Transient, "test", "the listing fails")})
			}
			h.Backend.Remove(bridgetest.User, "contacts", "a")
			if tt.listed {
				bridgetest.Sync(t, other)
			}
			a, key := s.id, s.key
			s.held = s.with(eas.T(tag.ContactsJobTitle, "edited"))
			edit := s.change()
			s.window = -100 // room for a single item
			r, err := s.send(edit)
			if status, _ := s.take(r, err); status != eas.SyncNotFound {
				t.Errorf("status %d, want %d", status, eas.SyncNotFound)
			}
			if len(r.Commands) != 1 || r.Commands[0].Do != tag.AirSyncDelete || r.Commands[0].ServerID != a {
				t.Errorf("the phone is told %v, want that the item is gone", r.Commands)
			}

			h.Backend.Mend()
			if tt.back {
				h.Store("contacts", "a", bridgetest.Card("a", "a"))
			}
			var cmds []eas.SyncCommand
			if s.window = 0; tt.repeat {
				s.key, cmds = key, []eas.SyncCommand{edit}
			}
			r, err = s.send(cmds...)
			if status, _ := s.take(r, err); status != eas.SyncOK {
				t.Errorf("then: status %d", status)
			}
			var told []command
			for _, c := range r.Commands {
				name, _ := c.Data.Text(tag.ContactsFileAs)
				told = append(told, command{tag.Name(c.Do), name})
			}
			slices.SortFunc(told, func(a, b command) int { return strings.Compare(a.item, b.item) })
			if !slices.Equal(told, tt.want) {
				t.Errorf("then the phone is told %v, want %v", told, tt.want)
			}
			if tt.repeat {
				if card := string(h.Backend.Items(bridgetest.User, "contacts")["a"]); !strings.Contains(card, "TITLE:edited") {
					t.Errorf("the server has %q, without the phone's edit", card)
				}
			}
		})
	}
}

// A message is to go to the folder for what is deleted just when that is gone and
// nobody knows yet: then the message stays, on the server and on the phone.
func TestTheTrashIsGone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		discard func(t *testing.T, h *bridgetest.House, p *phone.Phone, v eas.Version, folder, id string)
	}{
		{"deleted", func(t *testing.T, _ *bridgetest.House, p *phone.Phone, _ eas.Version, folder, id string) {
			if err := p.Delete(folder, id); err != nil {
				t.Fatal(err)
			}
		}},
		{"answered", func(t *testing.T, h *bridgetest.House, _ *phone.Phone, v eas.Version, folder, id string) {
			yes := eas.MeetingAnswer{UserResponse: 1, CollectionID: folder, RequestID: id}
			res, err := h.Client(v, "phone1").MeetingResponse(t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{yes}})
			if err != nil || len(res.Results) != 1 || res.Results[0].Status != eas.MeetingOK {
				t.Errorf("answered %+v, %v", res, err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inEachVersion(t, func(t *testing.T, v eas.Version) {
				h := mailHouse(t)
				inbox(h, map[string]string{"tea": invitationMail("tea", time.Now().Add(time.Hour))})
				p := mailPhone(h, v, phone.Settings{})
				bridgetest.Sync(t, p)
				f := folderOfType(t, p, eas.FolderInbox)
				id, _ := mailNamed(t, f, "tea")
				h.Backend.RemoveCollection(bridgetest.User, "trash")
				tt.discard(t, h, p, v, f.ServerID, id)
				if _, err := p.SyncFolders(t.Context(), f.ServerID); err != nil {
					t.Fatal(err)
				}
				if n := len(h.Backend.Items(bridgetest.User, "inbox")); n != 1 {
					t.Errorf("the server has %d messages, want the one that could not go to the trash", n)
				}
				mailNamed(t, folderOfType(t, p, eas.FolderInbox), "tea")
			})
		})
	}
}
