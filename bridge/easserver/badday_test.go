package easserver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// httpStatus is the status of a failed call; 200 if it did not fail.
func httpStatus(t *testing.T, err error) (int, *easclient.HTTPError) {
	t.Helper()
	if err == nil {
		return http.StatusOK, nil
	}
	e, ok := errors.AsType[*easclient.HTTPError](err)
	if !ok {
		t.Fatalf("error is %T (%v), want an HTTP status", err, err)
	}
	return e.Status, e
}

func TestWrongPassword(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	c := h.Client(eas.V141, "phone1")
	c.Password = "wrong"
	for range 5 {
		_, err := c.Options(t.Context())
		status, e := httpStatus(t, err)
		if status != http.StatusUnauthorized || !strings.Contains(e.Realm, "Basic") {
			t.Fatalf("status %d, realm %q; want 401 and a realm", status, e.Realm)
		}
	}
	if n := h.Backend.Calls(memory.OpOpen); n != 1 {
		t.Errorf("the backend was asked %d times about the same wrong password, want once", n)
	}
	c.Password = bridgetest.Password
	if _, err := c.Options(t.Context()); err != nil {
		t.Errorf("the right password, after the wrong one: %v", err)
	}
}

func TestPasswordChangedWhileTheVerdictIsRemembered(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	h.Backend.SetPassword(bridgetest.User, "new")
	_, err := p.Sync(t.Context())
	if status, _ := httpStatus(t, err); status != http.StatusUnauthorized {
		t.Errorf("with the old password: status %d, want 401", status)
	}
}

// One backend is down, and another no longer takes the password: the person is asked
// for it each time, whichever answers first.
func TestBackendDownAndPasswordChanged(t *testing.T) {
	other := memory.New()
	other.AddUser(bridgetest.User, bridgetest.Password)
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Backends = append(o.Backends, account.Named{Name: "other", Backend: other})
	}})
	bridgetest.Sync(t, h.Phone(eas.V141, "phone1", phone.Settings{}))
	h.Backend.Fail(memory.Failure{Op: memory.OpCollections, Err: backend.Errorf(backend.Denied, "memory", "401"), Times: -1})
	other.Fail(memory.Failure{Op: memory.OpCollections, Err: backend.Errorf(backend.Transient, "memory", "pulled the plug"), Times: -1})
	for range 20 {
		_, err := h.Client(eas.V141, "phone1").FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
		if status, _ := httpStatus(t, err); status != http.StatusUnauthorized {
			t.Fatalf("status %d, want 401", status)
		}
	}
}

func TestBackendDown(t *testing.T) {
	down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		h.Store("contacts", "late", bridgetest.Card("late", "Late"))
		for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpPut} {
			h.Backend.Fail(memory.Failure{Op: op, Err: down, Times: -1})
		}
		f := bridgetest.FolderOf(t, p, "Contacts")
		_, err := p.SyncFolders(t.Context(), f.ServerID)
		status, e := httpStatus(t, err)
		if status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
			t.Errorf("Sync: status %d, Retry-After %v; want 503 with a time", status, e)
		}
		_, err = p.FolderSync(t.Context())
		if status, _ := httpStatus(t, err); status != http.StatusServiceUnavailable {
			t.Errorf("FolderSync: status %d, want 503", status)
		}
		if _, err := p.Add(f.ServerID, eas.Properties{eas.T(tag.ContactsLastName, "Waiting")}); err != nil {
			t.Fatal(err)
		}
		_, err = p.SyncFolders(t.Context(), f.ServerID)
		if status, _ := httpStatus(t, err); status != http.StatusServiceUnavailable {
			t.Errorf("an Add that the backend did not take: status %d, want 503: nothing may say that it is stored", status)
		}
		h.Backend.Mend()
		bridgetest.Sync(t, p)
		if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 5 {
			t.Errorf("after the backend came back the phone holds %d contacts, want 5: nothing lost, nothing twice", n)
		}
		if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 5 {
			t.Errorf("after the backend came back the server holds %d contacts, want 5", n)
		}
	})
}

func TestListingThatBreaksOffDeletesNothing(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	p := h.Phone(eas.V161, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	f := bridgetest.FolderOf(t, p, "Contacts")
	h.Backend.Expire(bridgetest.User, "contacts") // a full listing is due
	h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.Errorf(backend.Transient, "memory", "broke off"), Times: 1, Midway: true, After: 1})
	if _, err := p.SyncFolders(t.Context(), f.ServerID); err == nil {
		t.Log("the broken listing was left out of the answer")
	}
	bridgetest.Sync(t, p)
	if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 3 {
		t.Errorf("after a listing that broke off the phone holds %d contacts, want all 3", n)
	}
}

func TestUnreadableItemDoesNotHoldItsNeighboursUp(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	h.Store("contacts", "bad.vcf", "this is no vCard")
	h.Backend.Fail(memory.Failure{Op: memory.OpGet, Item: "c1.vcf", Err: backend.Errorf(backend.TooLarge, "memory", "too large"), Times: -1})
	p := h.Phone(eas.V161, "phone1", phone.Settings{WindowSize: 1})
	bridgetest.Sync(t, p)
	if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 2 {
		t.Errorf("the phone holds %d contacts, want the 2 that can be read", n)
	}
}

func TestBadInput(t *testing.T) {
	nested := wbxml.NewEncoder(nil)
	for range 2_000_000 {
		nested.Start(tag.AirSyncSync)
	}
	deep := append([]byte{3, 1, 0x6A, 0}, nested.Bytes()[4:]...)
	marshal := func(m any) []byte {
		doc, err := eas.Marshal(m, eas.V141)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	heartbeat := func(n int) *int { return &n }
	sync := func(r eas.SyncRequest) []byte { return marshal(&r) }
	of := func(c eas.SyncCollection) []byte { return sync(eas.SyncRequest{Collections: []eas.SyncCollection{c}}) }
	tests := []struct {
		name        string
		command     eas.Command
		body        []byte
		contentType string
		header      http.Header
		http        int
		status      string // what the answer says, as XML
	}{
		{name: "garbage", command: eas.CmdSync, body: []byte("garbage, not WBXML"), contentType: "application/vnd.ms-sync.wbxml", http: 400},
		{name: "a wrong content type", command: eas.CmdSync, body: []byte("<Sync/>"), contentType: "text/xml", http: 400},
		{name: "nested a million times", command: eas.CmdSync, body: deep, http: 400},
		{name: "larger than allowed", command: eas.CmdSync, body: make([]byte, easserver.MaxBody+1), header: http.Header{"Expect": {"100-continue"}}, http: 413},
		{name: "the message of another command", command: eas.CmdSync, body: marshal(&eas.PingRequest{HeartbeatInterval: heartbeat(60)}), http: 200, status: "<Status>4</Status>"},
		{name: "an unknown command", command: "Sing", http: 501},
		{name: "a command that we do not have", command: eas.CmdGetHierarchy, http: 501},
		{name: "an empty Sync that refers to nothing", command: eas.CmdSync, http: 200, status: "<Status>13</Status>"},
		{name: "a Sync without folders", command: eas.CmdSync, body: sync(eas.SyncRequest{WindowSize: heartbeat(5)}), http: 200, status: "<Status>4</Status>"},
		{name: "an unknown folder", command: eas.CmdSync, body: of(eas.SyncCollection{SyncKey: "0", CollectionID: "4711"}), http: 200, status: "<Status>12</Status>"},
		{name: "a folder that is no number", command: eas.CmdSync, body: of(eas.SyncCollection{SyncKey: "0", CollectionID: "../etc"}), http: 200, status: "<Status>12</Status>"},
		{name: "a folder twice", command: eas.CmdSync, body: sync(eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "0", CollectionID: "1"}, {SyncKey: "0", CollectionID: "1"}}}), http: 200, status: "<Status>4</Status>"},
		{name: "Wait and heartbeat at once", command: eas.CmdSync, body: sync(eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "0", CollectionID: "1"}}, Wait: heartbeat(5), HeartbeatInterval: heartbeat(300)}), http: 200, status: "<Status>4</Status>"},
		{name: "too long a wait", command: eas.CmdSync, body: sync(eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: "0", CollectionID: "1"}}, Wait: heartbeat(60)}), http: 200, status: "<Limit>59</Limit>"},
		{name: "a Ping that never said what it waits for", command: eas.CmdPing, http: 200, status: "<Status>3</Status>"},
		{name: "a Ping with a heartbeat of a week", command: eas.CmdPing, body: marshal(&eas.PingRequest{HeartbeatInterval: heartbeat(604800), Folders: []eas.PingFolder{{ID: "1", Class: "Contacts"}}}), http: 200, status: "<HeartbeatInterval>3540</HeartbeatInterval>"},
		{name: "a Ping for an unknown folder", command: eas.CmdPing, body: marshal(&eas.PingRequest{HeartbeatInterval: heartbeat(60), Folders: []eas.PingFolder{{ID: "4711", Class: "Contacts"}}}), http: 200, status: "<Status>7</Status>"},
		{name: "FolderSync with a stale key", command: eas.CmdFolderSync, body: marshal(&eas.FolderSyncRequest{SyncKey: "stale-7"}), http: 200, status: "<Status>9</Status>"},
		{name: "FolderSync without a body", command: eas.CmdFolderSync, http: 400},
		{name: "an estimate for an unknown folder", command: eas.CmdGetItemEstimate, body: marshal(&eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{CollectionID: "4711", SyncKey: "x-1"}}}), http: 200, status: "<Status>2</Status>"},
		{name: "a fetch of nothing", command: eas.CmdItemOperations, body: marshal(&eas.ItemOperationsRequest{}), http: 200, status: "<Status>2</Status>"},
		{name: "a fetch of an unknown item", command: eas.CmdItemOperations, body: marshal(&eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: "Mailbox", CollectionID: "1", ServerID: "1:99"}}}), http: 200, status: "<Status>6</Status>"},
		{name: "a policy of an unknown type", command: eas.CmdProvision, body: marshal(&eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: "MS-SMOKE-SIGNALS"}}}), http: 200, status: "<Status>3</Status>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			c := h.Client(eas.V141, "phone1")
			answer, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: tt.command}, Body: tt.body, ContentType: tt.contentType, Header: tt.header})
			if status, _ := httpStatus(t, err); status != tt.http {
				t.Fatalf("HTTP status %d, want %d", status, tt.http)
			}
			if text := xml(t, answer); !strings.Contains(text, tt.status) {
				t.Errorf("the answer is\n%s\nwant %s in it", text, tt.status)
			}
			if log := h.Log.String(); strings.Count(log, "msg=request") != 1 || strings.Contains(log, "panic") {
				t.Errorf("the log is\n%s\nwant one line for the request and no panic", log)
			}
		})
	}
}

func xml(t *testing.T, doc []byte) string {
	t.Helper()
	if len(doc) == 0 {
		return ""
	}
	return eastest.XML(doc)
}

// What the phone does in a folder that it may not write to is undone on the
// phone, and changes nothing on the server.
func TestReadOnlyFolder(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "contacts", Kind: backend.Contacts, Name: "Contacts", Default: true, ReadOnly: true})
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		var folder, changed, deleted string
		for _, f := range p.Folders() {
			if f.Class == "Contacts" {
				folder = f.ServerID
				for id, item := range f.Items {
					switch phone.Title(item) {
					case "Person 0":
						changed = id
					case "Person 1":
						deleted = id
					}
				}
			}
		}
		if err := errors.Join(
			p.Change(folder, changed, eas.Properties{eas.T(tag.ContactsLastName, "Mallory"), eas.T(tag.ContactsFileAs, "Mallory")}),
			p.Delete(folder, deleted),
		); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		bridgetest.Sync(t, p)
		f, _ := p.Folder(folder)
		if got := strings.Join(titles(f), ","); got != "Person 0,Person 1,Person 2" {
			t.Errorf("the phone holds %q, want what the server holds", got)
		}
	})
}

func TestConflict(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  int // Conflict: 0 the phone wins, 1 the server
		want string
	}{{"the server wins", 1, "By the server"}, {"the phone wins", 0, "By the phone"}} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("contacts", "c.vcf", bridgetest.Card("c", "Before"))
			c := h.Client(eas.V141, "phone1")
			p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
			bridgetest.Sync(t, p)
			f := bridgetest.FolderOf(t, p, "Contacts")
			h.Store("contacts", "c.vcf", bridgetest.Card("c", "By the server"))
			var id string
			for id = range f.Items {
			}
			r, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{
				SyncKey: f.SyncKey, CollectionID: f.ServerID, Options: []eas.SyncOptions{{Conflict: &tt.who}},
				Commands: []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{
					eas.T(tag.ContactsLastName, "By the phone"), eas.T(tag.ContactsFileAs, "By the phone")}}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			got := r.Collections[0]
			if stored := string(h.Backend.Items(bridgetest.User, "contacts")["c.vcf"]); !strings.Contains(stored, tt.want) {
				t.Errorf("the server holds %q, want the one %q", stored, tt.want)
			}
			if tt.who == 1 && (len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncConflict || len(got.Commands) != 1) {
				t.Errorf("the phone was answered %+v, want status 7 and the server's version", got)
			}
			if tt.who == 0 && len(got.Responses) != 0 {
				t.Errorf("the phone was answered %+v, want no failure", got.Responses)
			}
		})
	}
}

func TestProvisionWhereItIsRequired(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
		c := h.Client(v, "phone1")
		answer, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdFolderSync}, Body: mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v)})
		status, _ := httpStatus(t, err)
		if v < eas.V140 && status != 449 {
			t.Errorf("without a policy key: HTTP status %d, want 449", status)
		}
		if v >= eas.V140 && (status != 200 || !strings.Contains(xml(t, answer), "<Status>142</Status>")) {
			t.Errorf("without a policy key: HTTP status %d and\n%s\nwant status 142 in the answer", status, xml(t, answer))
		}
		p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
		bridgetest.Sync(t, p) // provisions when asked to
		if c.PolicyKey == 0 {
			t.Error("the phone has no policy key")
		}
		temporary := c.PolicyKey + 1
		answer, _, err = c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdFolderSync}, PolicyKey: temporary, Body: mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v)})
		status, _ = httpStatus(t, err)
		if v < eas.V140 && status != 449 || v >= eas.V140 && !strings.Contains(xml(t, answer), "<Status>144</Status>") {
			t.Errorf("with another key: HTTP status %d and %s", status, xml(t, answer))
		}
	})
}

func requirePolicy(o *bridge.Options) { o.Config.Policy.Require = true }

func mustMarshal(t testing.TB, m any, v eas.Version) []byte {
	t.Helper()
	doc, err := eas.Marshal(m, v)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// A phone that hangs up frees everything that it held.
func TestHangUp(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	p := h.Phone(eas.V141, "phone1", phone.Settings{})
	bridgetest.Sync(t, p)
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Ping(ctx, time.Minute)
	}()
	await(t, "the Ping waits", func() bool { return h.Bridge.Waiting() == 1 })
	hangUp()
	<-done
	await(t, "nobody waits", func() bool { return h.Bridge.Waiting() == 0 })
}

// await waits until something is so, as long as the test may run.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for !so() {
		if t.Context().Err() != nil {
			t.Fatalf("it never was so that %s", what)
		}
		time.Sleep(time.Millisecond) // gives way; the condition decides
	}
}
