package easserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A phone that waits stays waiting while the backend is down.
func TestHangingSyncWhileTheBackendIsDown(t *testing.T) {
	down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
	for _, when := range []string{"before", "meanwhile"} {
		t.Run(when, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			r := newRaw(t, h, eas.V141)
			fail := func() {
				for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpProbe} {
					h.Backend.Fail(memory.Failure{Op: op, Err: down, Times: -1})
				}
			}
			if when == "before" {
				fail()
			}
			answered := make(chan *eas.SyncResponse, 1)
			go func() {
				res, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{r.collection("Contacts")}, HeartbeatInterval: ptr(2)})
				if err != nil {
					t.Errorf("Sync: %v", err)
				}
				answered <- res
			}()
			await(t, "the Sync waits", func() bool { return h.Bridge.Waiting() == 1 })
			if when == "meanwhile" {
				fail()
			}
			if res := <-answered; res != nil && len(res.Collections) > 0 {
				t.Errorf("answered %+v, want an empty answer", res)
			}
		})
	}
}

// [MS-ASCMD] "WindowSize": of a folder and of the whole, 0 and too much mean 512.
func TestWindows(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	for i := range 600 {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
	}
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	for i, tt := range []struct {
		name          string
		folder, whole *int
		contacts      int
		tasks         int
	}{
		{"nothing said", nil, nil, 100, 1},
		{"a folder's", ptr(3), nil, 3, 1},
		{"the whole's", ptr(30), ptr(7), 7, 0},
		{"the whole's, not used up", ptr(3), ptr(4), 3, 1},
		{"0", ptr(0), nil, 512, 0},
		{"too much", ptr(9999), ptr(0), 512, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := h.Client(eas.V141, fmt.Sprint("phone", i))
			r := &raw{t, c, phone.New(c, phone.Settings{})}
			if _, err := r.phone.FolderSync(t.Context()); err != nil {
				t.Fatal(err)
			}
			contacts, tasks := r.collection("Contacts"), r.collection("Tasks")
			contacts.SyncKey, tasks.SyncKey = "0", "0"
			primed := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, tasks}})
			contacts.SyncKey, tasks.SyncKey = primed.Collections[0].SyncKey, primed.Collections[1].SyncKey
			contacts.WindowSize = tt.folder
			res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, tasks}, WindowSize: tt.whole})
			n := map[string]int{}
			for _, c := range res.Collections {
				n[c.CollectionID] = len(c.Commands)
				if c.CollectionID == contacts.CollectionID && (!c.MoreAvailable || c.SyncKey == contacts.SyncKey) {
					t.Errorf("the contacts' answer has MoreAvailable %v and key %s after %s", c.MoreAvailable, c.SyncKey, contacts.SyncKey)
				}
				if c.CollectionID == tasks.CollectionID && c.MoreAvailable != (tt.tasks == 0) {
					t.Errorf("the tasks' answer has MoreAvailable %v", c.MoreAvailable)
				}
			}
			if n[contacts.CollectionID] != tt.contacts || n[tasks.CollectionID] != tt.tasks {
				t.Errorf("%d contacts and %d tasks, want %d and %d", n[contacts.CollectionID], n[tasks.CollectionID], tt.contacts, tt.tasks)
			}
		})
	}
}

// [MS-ASCMD] "Wait" and "HeartbeatInterval (Sync)": the bounds are said in the
// request's unit.
func TestBoundsOfWaiting(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Heartbeat.Min, o.Config.Heartbeat.Max = 90*time.Second, 1800*time.Second
	}})
	for _, tt := range []struct {
		v               eas.Version
		wait, heartbeat *int
		limit           int
	}{
		{eas.V121, ptr(1), nil, 2}, {eas.V121, ptr(31), nil, 30}, {eas.V141, nil, ptr(89), 90}, {eas.V161, nil, ptr(1801), 1800}, {eas.V141, ptr(0), nil, 2},
	} {
		r := newRaw(t, h, tt.v)
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{r.collection("Contacts")}, Wait: tt.wait, HeartbeatInterval: tt.heartbeat})
		if res == nil || res.Status != eas.SyncBadWait || res.Limit == nil || *res.Limit != tt.limit {
			t.Errorf("%s: answered %+v, want status 14 and the limit %d", tt.v, res, tt.limit)
		}
	}
}

// Options last until others come; these replace them as a whole.
func TestOptionsStick(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	old := func(i int) string {
		return bridgetest.Event(fmt.Sprint("old", i), "Old", time.Now().AddDate(0, 0, -60))
	}
	h.Store("calendar", "old1", old(1))
	r := newRaw(t, h, eas.V141)
	c := r.collection("Calendar")
	c.SyncKey, c.Options = "0", []eas.SyncOptions{{FilterType: ptr(4)}, {Class: "SMS", FilterType: ptr(0)}}
	c.SyncKey = r.one(c).SyncKey
	c.Options = nil
	if res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}}); res != nil && len(res.Collections) > 0 {
		t.Errorf("answered %+v, want nothing: the filter of the first request sticks, and that for SMS is not for events", res)
	}
	c.Options = []eas.SyncOptions{{}}
	if got := r.one(c); len(got.Commands) != 1 {
		t.Errorf("empty options were answered %+v, want the old event", got)
	}
}

// One of two backends is down: the other's folders are served.
func TestOneOfTwoBackendsIsDown(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		second := memory.New()
		second.AddUser(bridgetest.User, bridgetest.Password)
		second.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		down := func() {
			for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpPut, memory.OpProbe} {
				second.Fail(memory.Failure{Op: op, Err: backend.Errorf(backend.Transient, "memory", "down"), Times: -1})
			}
		}
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
			o.Backends = append(o.Backends, account.Named{Name: "second", Backend: second})
		}})
		down()
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		before := len(p.Folders())
		second.Mend()
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		var work string
		for _, f := range p.Folders() {
			if f.DisplayName == "Work" {
				work = f.ServerID
			}
		}
		if len(p.Folders()) <= before || work == "" {
			t.Fatalf("the second backend came up, and the phone has the folders %v", p.Folders())
		}
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		second.Store(bridgetest.User, "work", "w", []byte(bridgetest.Card("w", "W")))
		down()
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Folder(work); !ok {
			t.Error("a backend that is down lost its folder")
		}
		r := &raw{t, h.Client(v, "phone1"), p}
		f, _ := p.Folder(work)
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: work}, r.collection("Contacts")}})
		if len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
			t.Errorf("answered %+v, want the folder whose backend is up", res)
		}
	})
}

// A folder of which a phone wants no news does not end its wait.
func TestWaitingWithoutWantingNews(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c, tasks := r.collection("Contacts"), r.collection("Tasks")
	c.GetChanges = ptr(false)
	answered := make(chan *eas.SyncResponse, 1)
	go func() {
		res, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c, tasks}, HeartbeatInterval: ptr(3000)})
		if err != nil {
			t.Errorf("Sync: %v", err)
		}
		answered <- res
	}()
	await(t, "the Sync waits", func() bool { return h.Bridge.Waiting() == 1 })
	one := h.Phone(eas.V141, "phone2", phone.Settings{})
	bridgetest.Sync(t, one)
	if _, err := one.Add(c.CollectionID, lastName("X")); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, one)
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	if res := <-answered; res == nil || len(res.Collections) != 1 || res.Collections[0].CollectionID != tasks.CollectionID {
		t.Errorf("answered %+v, want the task", res)
	}
}

// A phone begins to wait while a backend cannot even be opened, and is woken
// when that has come up and has news.
func TestPingThatBeganWhileABackendWasDown(t *testing.T) {
	state := t.TempDir()
	second := memory.New()
	second.AddUser(bridgetest.User, bridgetest.Password)
	second.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
	options := bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.State = state
		o.Backends = append(o.Backends, account.Named{Name: "second", Backend: second})
	}}
	p := bridgetest.Start(t, options).Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	var work string
	for _, f := range p.Folders() {
		if f.DisplayName == "Work" {
			work = f.ServerID
		}
	}
	h := bridgetest.Start(t, options) // the worker is restarted
	c := h.Client(eas.V141, "phone1")
	second.Fail(memory.Failure{Op: memory.OpOpen, Err: backend.Errorf(backend.Transient, "memory", "down"), Times: -1})
	answered := make(chan eas.PingResponse, 1)
	go func() {
		res, err := c.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(60), Folders: []eas.PingFolder{{ID: work, Class: "Contacts"}}})
		if err != nil {
			t.Errorf("Ping: %v", err)
		}
		answered <- res
	}()
	await(t, "the Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
	await(t, "the backend was tried", func() bool { return strings.Contains(h.Log.String(), "looking for changes") })
	second.Mend()
	second.Store(bridgetest.User, "work", "w", []byte(bridgetest.Card("w", "W")))
	if res := <-answered; res.Status != eas.PingChanges {
		t.Errorf("answered %+v, want status 2", res)
	}
}
