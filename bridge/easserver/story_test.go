package easserver_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// inEachVersion tells a story once per generation of the protocol.
func inEachVersion(t *testing.T, story func(t *testing.T, v eas.Version)) {
	for _, v := range bridgetest.Versions {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			story(t, v)
		})
	}
}

// fill puts a little of everything into a house.
func fill(h *bridgetest.House) {
	for i := range 3 {
		h.Store("contacts", backend.ItemID(fmt.Sprintf("c%d.vcf", i)), bridgetest.Card(fmt.Sprintf("c%d", i), fmt.Sprintf("Person %d", i)))
	}
	for i := range 2 {
		h.Store("calendar", backend.ItemID(fmt.Sprintf("e%d.ics", i)), bridgetest.Event(fmt.Sprintf("e%d", i), fmt.Sprintf("Event %d", i), time.Now().Add(time.Hour)))
		h.Store("tasks", backend.ItemID(fmt.Sprintf("t%d.ics", i)), bridgetest.Task(fmt.Sprintf("t%d", i), fmt.Sprintf("Task %d", i)))
	}
	h.Store("notes", "n0.ics", bridgetest.Note("n0", "Note 0"))
}

func TestFirstSync(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{WindowSize: 2})
		bridgetest.Sync(t, p)
		want := map[string]int{"Contacts": 3, "Calendar": 2, "Tasks": 2, "Notes": 1}
		if v < eas.V140 {
			delete(want, "Notes") // [MS-ASNOTE]: from 14.0 on
		}
		for class, n := range want {
			if f := bridgetest.FolderOf(t, p, class); len(f.Items) != n {
				t.Errorf("%s: the phone holds %d items, want %d", class, len(f.Items), n)
			}
		}
		if v < eas.V140 {
			for _, f := range p.Folders() {
				if f.Class == "Notes" {
					t.Errorf("a phone of version %s was told of notes", v)
				}
			}
		}
		if events := bridgetest.Sync(t, p); len(events) != 0 {
			t.Errorf("a second Sync brought %d events, want none: %v", len(events), events)
		}
	})
}

// Each kind of item is added, changed and deleted on the server and by the
// phone.
func TestBothWays(t *testing.T) {
	kinds := []struct {
		class, collection string
		object            func(uid, name string) string
		name              func(s string) eas.Properties // what a phone sends
		min               eas.Version
	}{
		{"Contacts", "contacts", bridgetest.Card, func(s string) eas.Properties {
			return eas.Properties{eas.T(tag.ContactsLastName, s), eas.T(tag.ContactsFileAs, s)}
		}, eas.V25},
		{"Calendar", "calendar", func(uid, name string) string {
			return bridgetest.Event(uid, name, time.Now().Add(time.Hour))
		}, func(s string) eas.Properties {
			return eas.Properties{
				eas.T(tag.CalendarSubject, s),
				eas.T(tag.CalendarStartTime, "20261201T100000Z"), eas.T(tag.CalendarEndTime, "20261201T110000Z"),
			}
		}, eas.V25},
		{"Tasks", "tasks", bridgetest.Task, func(s string) eas.Properties {
			return eas.Properties{eas.T(tag.TasksSubject, s), eas.T(tag.TasksComplete, "0")}
		}, eas.V25},
		{"Notes", "notes", bridgetest.Note, func(s string) eas.Properties {
			return eas.Properties{eas.T(tag.NotesSubject, s), eas.T(tag.NotesMessageClass, "IPM.StickyNote")}
		}, eas.V140},
	}
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for _, k := range kinds {
			if v < k.min {
				continue
			}
			t.Run(k.class, func(t *testing.T) {
				h := bridgetest.Start(t, bridgetest.Options{})
				one := h.Phone(v, "phone1", phone.Settings{})
				two := h.Phone(v, "phone2", phone.Settings{})
				both := func(want ...string) {
					t.Helper()
					for _, p := range []*phone.Phone{one, two} {
						bridgetest.Sync(t, p)
					}
					bridgetest.Sync(t, one)
					for name, p := range map[string]*phone.Phone{"one": one, "two": two} {
						f := bridgetest.FolderOf(t, p, k.class)
						got := titles(f)
						if strings.Join(got, ",") != strings.Join(want, ",") {
							t.Fatalf("phone %s holds %q, want %q", name, got, want)
						}
					}
				}
				collection := backend.CollectionID(k.collection)
				h.Store(collection, "s1", k.object("s1", "From the server"))
				both("From the server")
				h.Store(collection, "s1", k.object("s1", "Changed on the server"))
				both("Changed on the server")

				folder := bridgetest.FolderOf(t, one, k.class).ServerID
				if _, err := one.Add(folder, k.name("Added by phone")); err != nil {
					t.Fatal(err)
				}
				both("Added by phone", "Changed on the server")
				var server string
				for id, item := range bridgetest.FolderOf(t, one, k.class).Items {
					if phone.Title(item) == "Changed on the server" {
						server = id
					}
				}
				edit := k.name("Changed by phone")
				if err := one.Change(folder, server, edit); err != nil {
					t.Fatal(err)
				}
				both("Added by phone", "Changed by phone")
				if got := string(h.Backend.Items(bridgetest.User, collection)["s1"]); !strings.Contains(got, "X-KEEP:as it is\r\n") || !strings.Contains(got, "Changed by phone") {
					t.Errorf("after the phone's edit the object is %q\nwant the edit and every other line kept", got)
				}
				if err := one.Delete(folder, server); err != nil {
					t.Fatal(err)
				}
				both("Added by phone")
				for id := range h.Backend.Items(bridgetest.User, collection) {
					h.Backend.Remove(bridgetest.User, collection, id)
				}
				both()
			})
		}
	})
}

func titles(f phone.Folder) []string {
	var list []string
	for _, item := range f.Items {
		list = append(list, phone.Title(item))
	}
	// a phone shows them by name
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			if list[j] < list[i] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return list
}

// A Ping ends when something changes in one of its folders, and is held while
// nothing does.
func TestPing(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		answered := pinging(t, p)
		for h.Bridge.Waiting() == 0 {
			select {
			case r := <-answered:
				t.Fatalf("the Ping did not wait: status %d, folders %v", r.Status, r.Folders)
			default:
			}
		}
		h.Store("contacts", "new.vcf", bridgetest.Card("new", "New Person"))
		r := <-answered
		contacts := bridgetest.FolderOf(t, p, "Contacts").ServerID
		if r.Status != eas.PingChanges || len(r.Folders) != 1 || r.Folders[0] != contacts {
			t.Errorf("Ping answered %+v, want status 2 and folder %s", r, contacts)
		}
		bridgetest.Sync(t, p)
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 4 {
			t.Errorf("after the push the phone holds %d contacts, want 4", n)
		}
	})
}

// The answer to an Add is lost; the phone sends the request again as it was,
// and another phone's way, rebuilt with a further change.
func TestLostAnswer(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		f := bridgetest.FolderOf(t, p, "Contacts")
		var answers [][]byte
		c := h.Client(v, "phone1")
		check := c.Trace
		c.Trace = func(command string, request, answer []byte) {
			check(command, request, answer)
			answers = append(answers, bytes.Clone(answer))
		}
		add := func(client, name string) eas.SyncCommand {
			return eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: client, Data: eas.Properties{eas.T(tag.ContactsLastName, name), eas.T(tag.ContactsFileAs, name)}}
		}
		send := func(commands ...eas.SyncCommand) eas.SyncResult {
			t.Helper()
			r, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{
				SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: commands}}})
			if err != nil {
				t.Fatal(err)
			}
			return r.Collections[0]
		}
		first := send(add("a1", "Lost"))
		again := send(add("a1", "Lost"))
		if !bytes.Equal(answers[0], answers[1]) {
			t.Errorf("the same request got two answers:\n%x\n%x", answers[0], answers[1])
		}
		if first.SyncKey == f.SyncKey || again.SyncKey != first.SyncKey {
			t.Errorf("keys: sent %s, then %s, then %s", f.SyncKey, first.SyncKey, again.SyncKey)
		}
		third := send(add("a1", "Lost, then edited"), add("a2", "Second"))
		if len(third.Responses) != 2 || third.Responses[0].ServerID != first.Responses[0].ServerID {
			t.Errorf("the rebuilt request was answered %+v, want the first item's id %s again", third.Responses, first.Responses[0].ServerID)
		}
		if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 5 {
			t.Errorf("the server holds %d contacts, want 5: three, and the phone's two once each", n)
		}
		for _, cmd := range third.Commands {
			t.Errorf("the phone's own items came back as news: %+v", cmd)
		}
		old := send(add("a3", "Far too old")) // the key is one before the present one still
		if old.Status != eas.SyncOK {
			t.Errorf("the key one round back got status %d", old.Status)
		}
		f.SyncKey = old.SyncKey
		next := send(add("a4", "Next"))
		f.SyncKey = strings.Replace(f.SyncKey, "-", "x", 1)
		if bad := send(add("a5", "Never")); bad.Status != eas.SyncBadKey || next.Status != eas.SyncOK {
			t.Errorf("an unknown key got status %d, want 3", bad.Status)
		}
	})
}
