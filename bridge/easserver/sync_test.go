package easserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// neverPoll makes sure that what wakes a phone is not a question to the backend.
func neverPoll(o *bridge.Options) { o.Config.PollMin, o.Config.PollMax = time.Hour, time.Hour }

func ofExampleOrg(o *bridge.Options) { o.Config.Login.Address = "{user}@example.org" }

func ptr[T any](v T) *T { return &v }

// raw is a client with a phone's state beside it, for requests that the phone
// would not send by itself.
type raw struct {
	t *testing.T
	*easclient.Client
	phone *phone.Phone
}

func newRaw(t *testing.T, h *bridgetest.House, v eas.Version) *raw {
	c := h.Client(v, "phone1")
	p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
	bridgetest.Sync(t, p)
	return &raw{t, c, p}
}

func (r *raw) collection(class string) eas.SyncCollection {
	f := bridgetest.FolderOf(r.t, r.phone, class)
	return eas.SyncCollection{SyncKey: f.SyncKey, CollectionID: f.ServerID}
}

// sync sends a request; nil is an empty answer.
func (r *raw) sync(req *eas.SyncRequest) *eas.SyncResponse {
	r.t.Helper()
	res, err := r.Sync(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

func TestSeveralFoldersInOneSync(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	h.Store("contacts", "c", bridgetest.Card("c", "C"))
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{
		r.collection("Contacts"), r.collection("Calendar"), r.collection("Tasks")}})
	if len(res.Collections) != 2 {
		t.Fatalf("%d folders in the answer, want the 2 that have news", len(res.Collections))
	}
	for _, c := range res.Collections {
		if len(c.Commands) != 1 {
			t.Errorf("folder %s has %d commands, want 1", c.CollectionID, len(c.Commands))
		}
	}
}

func TestNoChangesIsAnEmptyAnswer(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		req := &eas.SyncRequest{Collections: []eas.SyncCollection{r.collection("Contacts")}}
		answer, header, err := r.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdSync}, Body: mustMarshal(t, req, v)})
		if err != nil {
			t.Fatal(err)
		}
		if v < eas.V121 {
			if text := xml(t, answer); !strings.Contains(text, "<SyncKey>"+req.Collections[0].SyncKey+"<") {
				t.Errorf("the answer is\n%s\nwant the same key: before 12.1 no answer is empty", text)
			}
			return
		}
		if len(answer) != 0 || header.Get("Content-Length") != "0" || header.Get("Content-Type") != "" {
			t.Errorf("%d bytes, Content-Length %q, Content-Type %q; want an empty answer without a type", len(answer), header.Get("Content-Length"), header.Get("Content-Type"))
		}
	})
}

// [MS-ASCMD] "Empty Sync Request" and "Partial".
func TestEmptyAndPartialSync(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	contacts, tasks := r.collection("Contacts"), r.collection("Tasks")
	r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, tasks}, WindowSize: ptr(10)})
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	res := r.sync(nil)
	if len(res.Collections) != 1 || res.Collections[0].CollectionID != tasks.CollectionID {
		t.Fatalf("the empty Sync was answered %+v, want the task", res)
	}
	tasks.SyncKey = res.Collections[0].SyncKey
	h.Store("contacts", "c", bridgetest.Card("c", "C"))
	res = r.sync(&eas.SyncRequest{Partial: true, Collections: []eas.SyncCollection{tasks}})
	if len(res.Collections) != 1 || res.Collections[0].CollectionID != contacts.CollectionID {
		t.Fatalf("the partial Sync was answered %+v, want the contact of the folder that it did not name", res)
	}
	// A request that brought changes cannot be repeated by an empty one.
	contacts.SyncKey = res.Collections[0].SyncKey
	contacts.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: eas.Properties{eas.T(tag.ContactsLastName, "X")}}}
	r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts}})
	if res = r.sync(nil); res.Status != eas.SyncIncomplete {
		t.Errorf("an empty Sync after one with changes was answered %+v, want status 13", res)
	}
}

// [MS-ASCMD] "Wait" and "HeartbeatInterval (Sync)".
func TestHangingSync(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    eas.Version
		req  func(c eas.SyncCollection) *eas.SyncRequest
	}{
		{"Wait in minutes", eas.V121, func(c eas.SyncCollection) *eas.SyncRequest {
			return &eas.SyncRequest{Collections: []eas.SyncCollection{c}, Wait: ptr(59)}
		}},
		{"HeartbeatInterval in seconds", eas.V161, func(c eas.SyncCollection) *eas.SyncRequest {
			return &eas.SyncRequest{Collections: []eas.SyncCollection{c}, HeartbeatInterval: ptr(3540)}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			r := newRaw(t, h, tt.v)
			answered := make(chan *eas.SyncResponse, 1)
			go func() {
				res, err := r.Sync(t.Context(), tt.req(r.collection("Contacts")))
				if err != nil {
					t.Errorf("Sync: %v", err)
				}
				answered <- res
			}()
			await(t, "the Sync waits", func() bool { return h.Bridge.Waiting() == 1 })
			h.Store("contacts", "c", bridgetest.Card("c", "C"))
			res := <-answered
			if res == nil || len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
				t.Errorf("the Sync was answered %+v, want the new contact", res)
			}
		})
	}
}

func TestSyncThatBringsChangesIsAnsweredAtOnce(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c := r.collection("Contacts")
	c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: eas.Properties{eas.T(tag.ContactsLastName, "X")}}}
	res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}, HeartbeatInterval: ptr(3540)})
	if len(res.Collections) != 1 || len(res.Collections[0].Responses) != 1 || res.Collections[0].Responses[0].Status != eas.SyncOK {
		t.Errorf("answered %+v, want the Add's success", res)
	}
}

// The change of one phone wakes another phone of the same person, and is no
// news to the phone that made it.
func TestAnotherPhonesChangeWakes(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: neverPoll})
	one, two := h.Phone(eas.V141, "phone1", phone.Settings{}), h.Phone(eas.V161, "phone2", phone.Settings{})
	bridgetest.Sync(t, one)
	bridgetest.Sync(t, two)
	answered := pinging(t, two)
	await(t, "the Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
	f := bridgetest.FolderOf(t, one, "Tasks")
	if _, err := one.Add(f.ServerID, eas.Properties{eas.T(tag.TasksSubject, "Buy bread"), eas.T(tag.TasksComplete, "0")}); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, one)
	if r := <-answered; r.Status != eas.PingChanges || len(r.Folders) != 1 {
		t.Errorf("the other phone's Ping ended with %+v, want status 2 and the task folder", r)
	}
	bridgetest.Sync(t, two)
	if n := len(bridgetest.FolderOf(t, two, "Tasks").Items); n != 1 {
		t.Errorf("the other phone holds %d tasks, want 1", n)
	}
}

// A later Ping of a phone ends the one before.
func TestNewerPingReplacesOlder(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	older := pinging(t, p)
	await(t, "the first Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
	newer := pinging(t, p)
	if r := <-older; r.Status != eas.PingExpired {
		t.Errorf("the older Ping ended with status %d, want 1", r.Status)
	}
	h.Store("contacts", "c", bridgetest.Card("c", "C"))
	if r := <-newer; r.Status != eas.PingChanges {
		t.Errorf("the newer Ping ended with status %d, want 2", r.Status)
	}
}

// A folder that appears on the server ends a Ping with status 7, and FolderSync
// tells of it; a folder that goes away likewise.
func TestHierarchyChanges(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		before := len(p.Folders())
		for _, step := range []struct {
			name    string
			do      func()
			folders int
		}{
			{"added", func() {
				h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
			}, before + 1},
			{"removed", func() { h.Backend.RemoveCollection(bridgetest.User, "work") }, before},
		} {
			answered := pinging(t, p)
			await(t, "the Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
			step.do()
			if r := <-answered; r.Status != eas.PingHierarchyChanged {
				t.Fatalf("%s: the Ping ended with status %d, want 7", step.name, r.Status)
			}
			if _, err := p.FolderSync(t.Context()); err != nil {
				t.Fatal(err)
			}
			bridgetest.Sync(t, p)
			if n := len(p.Folders()); n != step.folders {
				t.Errorf("%s: the phone has %d folders, want %d", step.name, n, step.folders)
			}
		}
	})
}

// Some phones ask for all folders with key "0" at every refresh.
func TestFolderSyncFromTheBeginningCostsAListAndNoReload(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	r := newRaw(t, h, eas.V161)
	before := r.collection("Contacts")
	var first []eas.Folder
	for range 3 {
		res, err := r.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = res.Changes.Adds
		}
		if fmt.Sprint(res.Changes.Adds) != fmt.Sprint(first) {
			t.Errorf("folders %v, want the same as before %v", res.Changes.Adds, first)
		}
	}
	if res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{before}}); res != nil && len(res.Collections) > 0 {
		t.Errorf("after FolderSync with key 0 a Sync was answered %+v, want nothing new", res)
	}
}

func TestFilterType(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	now := time.Now()
	h.Store("calendar", "old", bridgetest.Event("old", "Old", now.AddDate(0, 0, -60)))
	h.Store("calendar", "new", bridgetest.Event("new", "New", now.AddDate(0, 0, 1)))
	h.Store("tasks", "done", strings.Replace(bridgetest.Task("done", "Done"), "SUMMARY", "STATUS:COMPLETED\r\nCOMPLETED:20260101T000000Z\r\nSUMMARY", 1))
	h.Store("tasks", "open", bridgetest.Task("open", "Open"))
	p := h.Phone(eas.V141, "phone1", phone.Settings{Filters: map[string]int{"Calendar": 4, "Tasks": 8}})
	bridgetest.Sync(t, p)
	for class, want := range map[string]string{"Calendar": "New", "Tasks": "Open"} {
		if got := strings.Join(titles(bridgetest.FolderOf(t, p, class)), ","); got != want {
			t.Errorf("%s: the phone holds %q, want %q", class, got, want)
		}
	}
	h.Store("tasks", "open", strings.Replace(bridgetest.Task("open", "Open"), "SUMMARY", "STATUS:COMPLETED\r\nCOMPLETED:20260101T000000Z\r\nSUMMARY", 1))
	bridgetest.Sync(t, p)
	if n := len(bridgetest.FolderOf(t, p, "Tasks").Items); n != 0 {
		t.Errorf("the completed task is still on a phone that wants open ones")
	}
	if n := len(h.Backend.Items(bridgetest.User, "tasks")); n != 2 {
		t.Errorf("the server holds %d tasks, want 2: leaving the filter is no deletion", n)
	}
}

func TestGetItemEstimate(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		f := r.collection("Contacts")
		for i := range 4 {
			h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
		}
		for _, tt := range []struct {
			key    string
			status eas.EstimateStatus
		}{{f.SyncKey, eas.EstimateOK}, {"0", eas.EstimateNotPrimed}, {"unknown-3", eas.EstimateBadKey}} {
			res, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{CollectionID: f.CollectionID, SyncKey: tt.key}}})
			if err != nil {
				t.Fatal(err)
			}
			got := res.Responses[0]
			if got.Status != tt.status || tt.status == eas.EstimateOK && *got.Collection.Estimate != 4 {
				t.Errorf("key %s: %+v, want status %d and 4 items", tt.key, got, tt.status)
			}
		}
	})
}

func TestItemOperationsFetch(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	r := newRaw(t, h, eas.V141)
	f := bridgetest.FolderOf(t, r.phone, "Contacts")
	for id, item := range f.Items {
		res, err := r.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{
			Store: eas.StoreMailbox, CollectionID: f.ServerID, ServerID: id, Options: &eas.FetchOptions{Schema: []wbxml.Tag{tag.ContactsLastName}}}}})
		if err != nil {
			t.Fatal(err)
		}
		got := res.Response.Fetches[0]
		want, _ := item.Text(tag.ContactsLastName)
		if name, _ := got.Properties.Text(tag.ContactsLastName); got.Status != eas.ItemOperationsOK || name != want || len(got.Properties) != 1 {
			t.Errorf("fetched %+v, want just the name %q", got, want)
		}
	}
}

func TestSettings(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: ofExampleOrg})
	withoutVacation(h)
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		res, err := h.Client(v, "phone1").Settings(t.Context(), eas.SettingsRequest{
			DeviceInformation: &eas.DeviceInformation{Model: "Brick", FriendlyName: "Ann's brick"},
			UserInformation:   &eas.InformationRequest{Get: true},
			Oof:               &eas.OofRequest{Get: &eas.OofGet{BodyType: "TEXT"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if res.Status != eas.SettingsOK || res.DeviceInformation.Status != eas.SettingsOK || res.Oof.Status != eas.SettingsUnavailable {
			t.Errorf("%s: %+v", v, res)
		}
		var addresses *eas.EmailAddresses
		if v < eas.V141 {
			addresses = res.UserInformation.Get.EmailAddresses
		} else {
			addresses = res.UserInformation.Get.Accounts[0].EmailAddresses
		}
		if len(addresses.SMTPAddresses) != 1 || addresses.SMTPAddresses[0] != "ann@example.org" {
			t.Errorf("%s: addresses %+v, want ann@example.org", v, addresses)
		}
	}
}
