package easserver_test

import (
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
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// merging is the DeviceType of phones that have one folder of each kind.
const merging = "SAMSUNGtest"

// single is a phone of a type, the same device each time.
func single(t *testing.T, h *bridgetest.House, v eas.Version, typ string) *raw {
	c := h.Client(v, "phone1")
	c.DeviceType = typ
	return &raw{t, c, bridgetest.Checked(t, phone.New(c, phone.Settings{WindowSize: 2}))}
}

// twoBooks has an address book beside the main one, with people in both.
func twoBooks(t *testing.T, o bridgetest.Options) *bridgetest.House {
	h := bridgetest.Start(t, o)
	h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
	for _, id := range []backend.ItemID{"a", "b"} {
		h.Store("contacts", id, bridgetest.Card(string(id), "Main "+string(id)))
		h.Store("club", id, bridgetest.Card(string(id), "Club "+string(id)))
	}
	return h
}

// contactFolders are the phone's folders with contacts.
func contactFolders(p *phone.Phone) []phone.Folder {
	return slices.DeleteFunc(p.Folders(), func(f phone.Folder) bool { return f.Class != eas.ClassContacts })
}

// holds compares the contacts of the phone's one folder.
func (r *raw) holds(when string, want ...string) phone.Folder {
	r.t.Helper()
	folders := contactFolders(r.phone)
	if len(folders) != 1 {
		r.t.Fatalf("%s: the phone has %d address books, want one", when, len(folders))
	}
	if got := titles(folders[0]); !slices.Equal(got, want) {
		r.t.Errorf("%s: the phone holds %q, want %q", when, got, want)
	}
	return folders[0]
}

// idOf finds a contact by its name.
func idOf(t *testing.T, f phone.Folder, name string) string {
	t.Helper()
	for id, item := range f.Items {
		if phone.Title(item) == name {
			return id
		}
	}
	t.Fatalf("the phone does not hold %q", name)
	return ""
}

func (r *raw) mustDo(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Items of all address books are in one folder, and each stays where it is.
func TestMergedFolders(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := twoBooks(t, bridgetest.Options{})
		r := single(t, h, v, merging)
		bridgetest.Sync(t, r.phone)
		f := r.holds("at first", "Club a", "Club b", "Main a", "Main b")
		if f.Type != eas.FolderContacts {
			t.Errorf("the folder is of type %d, want the main one of its class", f.Type)
		}
		named := func(s string) eas.Properties {
			return eas.Properties{eas.T(tag.ContactsLastName, s), eas.T(tag.ContactsFileAs, s)}
		}
		r.mustDo(r.phone.Change(f.ServerID, idOf(t, f, "Club a"), named("Club edited")))
		r.mustDo(r.phone.Delete(f.ServerID, idOf(t, f, "Club b")))
		r.mustDo(r.phone.Change(f.ServerID, idOf(t, f, "Main a"), named("Main edited")))
		_, err := r.phone.Add(f.ServerID, named("New"))
		r.mustDo(err)
		bridgetest.Sync(t, r.phone)
		r.holds("after edits", "Club edited", "Main b", "Main edited", "New")

		main, club := h.Backend.Items(bridgetest.User, "contacts"), h.Backend.Items(bridgetest.User, "club")
		if len(main) != 3 || len(club) != 1 || !strings.Contains(string(main["a"]), "Main edited") || !strings.Contains(string(club["a"]), "Club edited") {
			t.Errorf("the address books are %q and %q", main, club)
		}
		h.Store("club", "c", bridgetest.Card("c", "Club c"))
		h.Store("contacts", "b", bridgetest.Card("b", "Main changed"))
		bridgetest.Sync(t, r.phone)
		r.holds("after changes on the server", "Club c", "Club edited", "Main changed", "Main edited", "New")
		if events := bridgetest.Sync(t, r.phone); len(events) != 0 {
			t.Errorf("nothing is new, and the phone is told %v", events)
		}
	})
}

// Address books come and go without a word about folders.
func TestMergedFoldersComeAndGo(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	before := r.holds("at first", "Club a", "Club b", "Main a", "Main b")
	arrange := func(when string, change func(), want ...string) {
		t.Helper()
		change()
		events, err := r.phone.FolderSync(t.Context())
		if err != nil || len(events) != 0 {
			t.Errorf("%s: told of folders: %v, %v", when, events, err)
		}
		bridgetest.Sync(t, r.phone)
		r.holds(when, want...)
	}
	arrange("a third comes", func() {
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		h.Store("work", "w", bridgetest.Card("w", "Work w"))
	}, "Club a", "Club b", "Main a", "Main b", "Work w")
	arrange("the second goes", func() { h.Backend.RemoveCollection(bridgetest.User, "club") }, "Main a", "Main b", "Work w")
	arrange("it comes back", func() {
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
		h.Store("club", "a", bridgetest.Card("a", "Club a"))
	}, "Club a", "Main a", "Main b", "Work w")
	after := r.holds("in the end", "Club a", "Main a", "Main b", "Work w")
	if before.ServerID != after.ServerID || idOf(t, before, "Main a") != idOf(t, after, "Main a") {
		t.Error("the folder or an item has another id than before")
	}
	// The phone does not ask for folders, and the one that it writes to is gone.
	edit := r.holds("before it goes again", "Club a", "Main a", "Main b", "Work w")
	h.Backend.RemoveCollection(bridgetest.User, "club")
	r.mustDo(r.phone.Change(edit.ServerID, idOf(t, edit, "Club a"), eas.Properties{eas.T(tag.ContactsLastName, "Nobody")}))
	bridgetest.Sync(t, r.phone)
	bridgetest.Sync(t, r.phone)
	r.holds("after an edit of what is gone", "Main a", "Main b", "Work w")
}

// A phone that turns out to be of another sort loses nothing and holds nothing
// twice, and what its owner did until then counts.
func TestMergingBeginsAndEnds(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := twoBooks(t, bridgetest.Options{})
		r := single(t, h, v, "test")
		bridgetest.Sync(t, r.phone)
		for _, typ := range []string{merging, "test", merging} {
			r.DeviceType = typ
			book := contactFolders(r.phone)[0]
			name := "Edited before " + typ
			r.mustDo(r.phone.Change(book.ServerID, idOf(t, book, "Main a"), eas.Properties{eas.T(tag.ContactsFileAs, "Main a"), eas.T(tag.ContactsJobTitle, name)}))
			bridgetest.Sync(t, r.phone) // sends the edit
			if body := string(h.Backend.Items(bridgetest.User, "contacts")["a"]); !strings.Contains(body, name) {
				t.Errorf("%s: the edit is lost:\n%s", typ, body)
			}
			bridgetest.Sync(t, r.phone) // hears that the folders are others
			var all []string
			for _, f := range contactFolders(r.phone) {
				all = append(all, titles(f)...)
			}
			slices.Sort(all)
			if want := []string{"Club a", "Club b", "Main a", "Main b"}; !slices.Equal(all, want) {
				t.Errorf("%s: the phone holds %q, want %q", typ, all, want)
			}
			if n := len(contactFolders(r.phone)); (n == 1) != (typ == merging) {
				t.Errorf("%s: the phone has %d address books", typ, n)
			}
		}
	})
}

// An answer gets lost; the phone sends its changes again, and more.
func TestMergedAnswerIsLost(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	f := r.holds("at first", "Club a", "Club b", "Main a", "Main b")
	c := r.collection(eas.ClassContacts)
	c.Commands = []eas.SyncCommand{
		{Do: tag.AirSyncAdd, ClientID: "1", Data: eas.Properties{eas.T(tag.ContactsLastName, "New")}},
		{Do: tag.AirSyncChange, ServerID: idOf(t, f, "Club a"), Data: eas.Properties{eas.T(tag.ContactsLastName, "Club edited")}},
		{Do: tag.AirSyncDelete, ServerID: idOf(t, f, "Main b")},
	}
	first := r.one(c)
	if again := r.one(c); again.SyncKey != first.SyncKey {
		t.Errorf("the same request led to %q and then to %q", first.SyncKey, again.SyncKey)
	}
	c.Commands = append(c.Commands, eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: idOf(t, f, "Club b")})
	h.Store("club", "c", bridgetest.Card("c", "Club c"))
	more := r.one(c)
	if len(first.Responses) != 1 || len(more.Responses) != 1 || first.Responses[0].ServerID != more.Responses[0].ServerID {
		t.Errorf("the new contact was answered with %+v and then with %+v", first.Responses, more.Responses)
	}
	if len(more.Commands) != 1 || more.Commands[0].Do != tag.AirSyncAdd {
		t.Errorf("told %+v, want the one that is new", more.Commands)
	}
	main, club := h.Backend.Items(bridgetest.User, "contacts"), h.Backend.Items(bridgetest.User, "club")
	if len(main) != 2 || len(club) != 2 || !strings.Contains(string(club["a"]), "Club edited") {
		t.Errorf("the address books are %q and %q", main, club)
	}
	c.SyncKey, c.Commands = more.SyncKey, nil
	if res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}}); res != nil {
		t.Errorf("nothing is new, and the phone is told %+v", res.Collections)
	}
}

// Any part wakes a phone, and so does one that is new.
func TestMergedPing(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	id := r.holds("at first", "Club a", "Club b", "Main a", "Main b").ServerID
	for name, change := range map[string]func(){
		"the second changes": func() { h.Store("club", "d", bridgetest.Card("d", "D")) },
		"the first changes":  func() { h.Store("contacts", "d", bridgetest.Card("d", "D")) },
		"a third comes": func() {
			h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		},
	} {
		answered := make(chan eas.PingResponse, 1)
		go func() {
			res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(600), Folders: []eas.PingFolder{{ID: id, Class: eas.ClassContacts}}})
			if err != nil {
				t.Errorf("Ping: %v", err)
			}
			answered <- res
		}()
		await(t, "the Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
		change()
		if res := <-answered; res.Status != eas.PingChanges || !slices.Equal(res.Folders, []string{id}) {
			t.Errorf("%s: told %d of %v, want 2 of %q", name, res.Status, res.Folders, id)
		}
		bridgetest.Sync(t, r.phone)
	}
}

// A Sync that waits is answered with what is new in a part.
func TestMergedSyncWaits(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	answered := make(chan *eas.SyncResponse, 1)
	go func() {
		res, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{r.collection(eas.ClassContacts)}, HeartbeatInterval: ptr(600)})
		if err != nil {
			t.Errorf("Sync: %v", err)
		}
		answered <- res
	}()
	await(t, "the Sync waits", func() bool { return h.Bridge.Waiting() == 1 })
	h.Store("club", "d", bridgetest.Card("d", "D"))
	if res := <-answered; res == nil || len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
		t.Errorf("answered %+v, want the new contact", res)
	}
}

func TestMergedEstimate(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	if _, err := r.phone.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := r.collection(eas.ClassContacts)
	c.SyncKey = r.one(c).SyncKey
	estimate := func() eas.Estimate {
		t.Helper()
		res, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{CollectionID: c.CollectionID, SyncKey: c.SyncKey}}})
		if err != nil || len(res.Responses) != 1 {
			t.Fatalf("answered %+v, %v", res, err)
		}
		return res.Responses[0]
	}
	if e := estimate(); e.Status != eas.EstimateOK || *e.Collection.Estimate != 4 {
		t.Errorf("estimated %+v, want 4", e)
	}
	c.SyncKey = "nonsense-1"
	if e := estimate(); e.Status != eas.EstimateBadKey {
		t.Errorf("estimated %+v for a key that is none, want status %d", e, eas.EstimateBadKey)
	}
}

// While one of two servers is down the other one's part is served, and nothing
// is deleted.
func TestMergedFoldersWhileOneServerIsDown(t *testing.T) {
	other := memory.New()
	other.AddUser(bridgetest.User, bridgetest.Password)
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Backends = append(o.Backends, account.Named{Name: "other", Backend: other})
	}})
	h.Store("contacts", "a", bridgetest.Card("a", "Main"))
	other.Store(bridgetest.User, "contacts", "a", []byte(bridgetest.Card("a", "Other")))
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	r.holds("at first", "Main", "Other")
	down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
	for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpProbe} {
		other.Fail(memory.Failure{Op: op, Err: down, Times: -1})
	}
	h.Store("contacts", "b", bridgetest.Card("b", "Main b"))
	bridgetest.Sync(t, r.phone)
	r.holds("while the other is down", "Main", "Main b", "Other")
	other.Store(bridgetest.User, "contacts", "b", []byte(bridgetest.Card("b", "Other b")))
	other.Mend()
	bridgetest.Sync(t, r.phone)
	r.holds("when it is up again", "Main", "Main b", "Other", "Other b")
}

// Items are found by their names, whatever folder they are in.
func TestMergedItemIsFetched(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	f := r.holds("at first", "Club a", "Club b", "Main a", "Main b")
	for _, name := range []string{"Club a", "Main a"} {
		res, err := r.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{
			{Store: eas.StoreMailbox, CollectionID: f.ServerID, ServerID: idOf(t, f, name)}}})
		if err != nil || res.Response == nil || len(res.Response.Fetches) != 1 || phone.Title(res.Response.Fetches[0].Properties) != name {
			t.Errorf("%s is answered with %+v, %v", name, res.Response.Fetches, err)
		}
	}
}

// What people chose not to have on a phone is not among what is merged.
func TestMergedFoldersThatWereChosen(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Folders.Hide = []string{"ann/" + merging + ": Contacts"} }})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	f := r.holds("at first", "Club a", "Club b")
	_, err := r.phone.Add(f.ServerID, eas.Properties{eas.T(tag.ContactsLastName, "New"), eas.T(tag.ContactsFileAs, "New")})
	r.mustDo(err)
	bridgetest.Sync(t, r.phone)
	r.holds("after an edit", "Club a", "Club b", "New")
	if n := len(h.Backend.Items(bridgetest.User, "club")); n != 3 {
		t.Errorf("the address book that is shown has %d contacts, want 3", n)
	}
	res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(1), Folders: []eas.PingFolder{{ID: f.ServerID, Class: eas.ClassContacts}}})
	if err != nil || res.Status != eas.PingExpired {
		t.Errorf("a phone that knows everything was told %+v, %v", res, err)
	}
}

// A choice for a sort of phones holds while they wait, too.
func TestChoicesHoldForPhonesThatWait(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Folders.Hide = []string{"ann/test: Club"} }})
	r := single(t, h, eas.V141, "test")
	bridgetest.Sync(t, r.phone)
	f := r.holds("at first", "Main a", "Main b")
	res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(1), Folders: []eas.PingFolder{{ID: f.ServerID, Class: eas.ClassContacts}}})
	if err != nil || res.Status != eas.PingExpired {
		t.Errorf("a phone that knows everything was told %+v, %v", res, err)
	}
}

// A heartbeat without news ends as such, and the folder costs no answer.
func TestMergedFoldersAtRest(t *testing.T) {
	h := twoBooks(t, bridgetest.Options{})
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	id := r.holds("at first", "Club a", "Club b", "Main a", "Main b").ServerID
	begun := time.Now()
	res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(1), Folders: []eas.PingFolder{{ID: id, Class: eas.ClassContacts}}})
	if err != nil || res.Status != eas.PingExpired {
		t.Errorf("after %v told %+v, %v; want that nothing is new", time.Since(begun), res, err)
	}
}
