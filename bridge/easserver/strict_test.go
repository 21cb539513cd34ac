package easserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// ask sends a message and answers the HTTP status and the answer as XML.
func (r *raw) ask(command eas.Command, message any) (int, string) {
	r.t.Helper()
	answer, _, err := r.Do(r.t.Context(), easclient.Call{Query: eas.Query{Command: command}, Body: mustMarshal(r.t, message, r.Version)})
	status, _ := httpStatus(r.t, err)
	return status, xml(r.t, answer)
}

// one sends one folder and answers its result.
func (r *raw) one(c eas.SyncCollection) eas.SyncResult {
	r.t.Helper()
	res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}})
	if res == nil || len(res.Collections) != 1 {
		r.t.Fatalf("answered %+v, want one folder", res)
	}
	return res.Collections[0]
}

func lastName(s string) eas.Properties {
	return eas.Properties{eas.T(tag.ContactsLastName, s), eas.T(tag.ContactsFileAs, s)}
}

// A request that breaks the form is status 4, and nothing of it is carried
// out.
func TestMalformedCollections(t *testing.T) {
	long := strings.Repeat("x", 65)
	add := func(id string) eas.SyncCommand {
		return eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: id, Data: lastName("Never")}
	}
	for _, tt := range []struct {
		name   string
		edit   func(c *eas.SyncCollection)
		status eas.SyncStatus
	}{
		{"no CollectionId", func(c *eas.SyncCollection) { c.CollectionID = "" }, eas.SyncProtocol},
		{"a CollectionId that is too long", func(c *eas.SyncCollection) { c.CollectionID = long }, eas.SyncProtocol},
		{"no SyncKey", func(c *eas.SyncCollection) { c.SyncKey = "" }, eas.SyncProtocol},
		{"a SyncKey that is too long", func(c *eas.SyncCollection) { c.SyncKey = long }, eas.SyncBadKey},
		{"an Add without a ClientId", func(c *eas.SyncCollection) { c.Commands = []eas.SyncCommand{add("")} }, eas.SyncProtocol},
		{"an Add with a ClientId that is too long", func(c *eas.SyncCollection) { c.Commands = []eas.SyncCommand{add("1"), add(long)} }, eas.SyncProtocol},
		{"a Change without a ServerId", func(c *eas.SyncCollection) {
			c.Commands = []eas.SyncCommand{add("1"), {Do: tag.AirSyncChange, Data: lastName("X")}}
		}, eas.SyncProtocol},
		{"a Delete with a ServerId that is too long", func(c *eas.SyncCollection) {
			c.Commands = []eas.SyncCommand{add("1"), {Do: tag.AirSyncDelete, ServerID: long}}
		}, eas.SyncProtocol},
		{"commands in the first round", func(c *eas.SyncCollection) {
			c.SyncKey, c.Commands = "0", []eas.SyncCommand{add("1")}
		}, eas.SyncProtocol},
		{"changes are asked for in the first round", func(c *eas.SyncCollection) { c.SyncKey, c.GetChanges = "0", ptr(true) }, eas.SyncProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []eas.Version{eas.V121, eas.V161} {
				h := bridgetest.Start(t, bridgetest.Options{})
				r := newRaw(t, h, v)
				c := r.collection("Contacts")
				tt.edit(&c)
				res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}})
				status := res.Status
				if len(res.Collections) == 1 {
					status = res.Collections[0].Status
				}
				if status != tt.status {
					t.Errorf("%s: answered %+v, want status %d", v, res, tt.status)
				}
				if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 0 {
					t.Errorf("%s: the server holds %d contacts of a request that was refused", v, n)
				}
			}
		})
	}
}

// What a command gets that cannot be carried out, and that its neighbours are.
func TestStatusesOfCommands(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		r := newRaw(t, h, v)
		c := r.collection("Contacts")
		c.Commands = []eas.SyncCommand{
			{Do: tag.AirSyncDelete, ServerID: c.CollectionID + ":4711"},
			{Do: tag.AirSyncChange, ServerID: "no id of ours", Data: lastName("X")},
			{Do: tag.AirSyncFetch, ServerID: c.CollectionID + ":4711"},
			{Do: tag.AirSyncAdd, ClientID: "1", Data: lastName("Neighbour")},
			{Do: tag.AirSyncAdd, ClientID: "1", Data: lastName("With the same ClientId")},
		}
		got := r.one(c)
		var statuses []eas.SyncStatus
		for _, o := range got.Responses {
			statuses = append(statuses, o.Status)
			if o.Do == tag.AirSyncAdd && (o.Status == eas.SyncOK) != (o.ServerID != "") {
				t.Errorf("an Add with status %d has ServerId %q", o.Status, o.ServerID)
			}
		}
		if want := "[8 8 8 1 6]"; fmt.Sprint(statuses) != want {
			t.Errorf("statuses %v, want %s", statuses, want)
		}
		if got.SyncKey == c.SyncKey {
			t.Error("the answer has the key of the request: the phone would send its commands again")
		}
		if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 4 {
			t.Errorf("the server holds %d contacts, want 4", n)
		}
		for id, body := range h.Backend.Items(bridgetest.User, "contacts") {
			if strings.Contains(string(body), "same ClientId") {
				t.Errorf("%s is %q: the second Add overwrote the first", id, body)
			}
		}
	})
}

// A change that changes nothing is answered with a new key, and a deletion
// twice in one request is no error of the whole.
func TestChangeThatChangesNothing(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		r := newRaw(t, h, v)
		f := bridgetest.FolderOf(t, r.phone, "Contacts")
		for id, item := range f.Items {
			c := r.collection("Contacts")
			c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: item}}
			got := r.one(c)
			if got.Status != eas.SyncOK || got.SyncKey == c.SyncKey || len(got.Responses)+len(got.Commands) > 0 {
				t.Errorf("answered %+v, want a new key and nothing else", got)
			}
			return
		}
	})
}

// [MS-ASCMD] "Delete (Sync)": an InstanceId names one occurrence. Where there are no
// occurrences the item must not go as a whole.
func TestDeleteWithInstanceId(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	h.Store("calendar", "series", strings.Replace(bridgetest.Event("series", "Series", start), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY", 1))
	h.Store("calendar", "single", bridgetest.Event("single", "Single", start))
	h.Store("tasks", "task", bridgetest.Task("task", "Task"))
	r := newRaw(t, h, eas.V161)
	del := func(class, title, instance string) eas.SyncResult {
		t.Helper()
		bridgetest.Sync(t, r.phone)
		for id, item := range bridgetest.FolderOf(t, r.phone, class).Items {
			if phone.Title(item) == title {
				c := r.collection(class)
				c.Commands = []eas.SyncCommand{{Do: tag.AirSyncDelete, ServerID: id, InstanceID: instance}}
				return r.one(c)
			}
		}
		t.Fatalf("the phone has no %q", title)
		return eas.SyncResult{}
	}
	if got := del("Calendar", "Series", "20261203T090000Z"); got.Status != eas.SyncOK || len(got.Responses) != 0 {
		t.Errorf("deleting an occurrence was answered %+v", got)
	}
	if body := string(h.Backend.Items(bridgetest.User, "calendar")["series"]); !strings.Contains(body, "EXDATE") {
		t.Errorf("the series is %q, want an exception", body)
	}
	for _, tt := range []struct{ class, collection, title, instance string }{
		{"Calendar", "calendar", "Single", "20261203T090000Z"},
		{"Calendar", "calendar", "Series", "20261203T093000Z"},
		{"Calendar", "calendar", "Series", "some time"},
		{"Tasks", "tasks", "Task", "20261203T090000Z"},
	} {
		before := fmt.Sprintf("%s", h.Backend.Items(bridgetest.User, backend.CollectionID(tt.collection)))
		got := del(tt.class, tt.title, tt.instance)
		if len(got.Responses) != 1 || got.Responses[0].Status == eas.SyncOK || got.Responses[0].InstanceID != tt.instance {
			t.Errorf("deleting occurrence %q of %q was answered %+v, want a failure that names it", tt.instance, tt.title, got)
		}
		if after := fmt.Sprintf("%s", h.Backend.Items(bridgetest.User, backend.CollectionID(tt.collection))); after != before {
			t.Errorf("deleting occurrence %q of %q left %s\nwant what was there before, %s", tt.instance, tt.title, after, before)
		}
	}
}

// Old clients name a folder by its class alone: that is the main one.
func TestFolderNamedByItsClass(t *testing.T) {
	for _, v := range []eas.Version{eas.V25, eas.V120} {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		h.Store("calendar", "e", bridgetest.Event("e", "E", time.Now().Add(time.Hour)))
		contacts, calendar := r.collection("Contacts"), r.collection("Calendar")
		contacts.CollectionID, contacts.Class = "", "Contacts"
		calendar.CollectionID, calendar.Class = "", "Calendar"
		estimate, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{Class: "Contacts", SyncKey: contacts.SyncKey}}})
		if err != nil || len(estimate.Responses) != 1 || estimate.Responses[0].Status != eas.EstimateOK {
			t.Errorf("%s: estimated %+v, %v", v, estimate, err)
		}
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, calendar}})
		if len(res.Collections) != 2 {
			t.Fatalf("%s: answered %+v", v, res)
		}
		for i, class := range []string{"Contacts", "Calendar"} {
			if got := res.Collections[i]; got.Status != eas.SyncOK || got.Class != class || len(got.Commands) != 1 {
				t.Errorf("%s: answered %+v, want one item of class %s", v, got, class)
			}
		}
		contacts.Class = "Journal"
		if res = r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts}}); res.Collections[0].Status == eas.SyncOK {
			t.Errorf("%s: a class that nobody has was answered %+v", v, res)
		}
	}
}

// [MS-ASCMD] "FilterType (Sync)": 9 and above are refused; what is for another class
// filters nothing.
func TestFilterTypesOfOtherClasses(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	for _, tt := range []struct {
		class  string
		filter int
		status eas.SyncStatus
	}{
		{"Tasks", 5, eas.SyncOK}, {"Calendar", 8, eas.SyncOK}, {"Contacts", 7, eas.SyncOK},
		{"Tasks", 9, eas.SyncStatus(eas.InvalidXML)}, {"Contacts", 9, eas.SyncStatus(eas.InvalidXML)}, {"Calendar", -1, eas.SyncStatus(eas.InvalidXML)},
	} {
		r := newRaw(t, h, eas.V141)
		c := r.collection(tt.class)
		c.SyncKey, c.Options = "0", []eas.SyncOptions{{FilterType: &tt.filter}}
		if got := r.one(c); got.Status != tt.status {
			t.Errorf("FilterType %d for %s was answered %+v, want status %d", tt.filter, tt.class, got, tt.status)
		}
	}
}

// What is too much to be remembered costs the phone its empty requests and
// nothing else.
func TestRequestTooLargeToBeRemembered(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c := r.collection("Contacts")
	o := eas.SyncOptions{}
	for range 5000 {
		o.BodyPreferences = append(o.BodyPreferences, eas.BodyPreference{Type: 1, TruncationSize: ptr(1 << 20), Preview: ptr(100)})
	}
	c.Options = []eas.SyncOptions{o}
	if got := r.one(c); got.Status != eas.SyncOK {
		t.Errorf("answered %+v", got)
	}
	if res := r.sync(nil); res.Status != eas.SyncIncomplete {
		t.Errorf("an empty Sync after it was answered %+v, want status 13", res)
	}
}

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

// A Ping for a folder that this version's phones are not told of is sent to
// FolderSync, not woken for ever.
func TestPingForAFolderOfALaterVersion(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	notes := newRaw(t, h, eas.V141).collection("Notes").CollectionID
	r := newRaw(t, h, eas.V121)
	res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(60), Folders: []eas.PingFolder{{ID: notes, Class: "Notes"}}})
	if err != nil || res.Status != eas.PingHierarchyChanged {
		t.Errorf("answered %+v, %v, want status 7", res, err)
	}
}

// [MS-ASCMD] "Ping": heartbeat and folders are remembered each for itself.
func TestPingRemembersItsParts(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		folders := []eas.PingFolder{{ID: r.collection("Contacts").CollectionID, Class: "Contacts"}}
		ping := func(m *eas.PingRequest) eas.PingResponse {
			t.Helper()
			res, err := r.Ping(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		for _, step := range []struct {
			name   string
			ping   *eas.PingRequest
			status eas.PingStatus
		}{
			{"nothing said and nothing known", nil, eas.PingMissing},
			{"folders without a heartbeat", &eas.PingRequest{Folders: folders}, eas.PingMissing},
			{"a heartbeat, and the folders of before", &eas.PingRequest{HeartbeatInterval: ptr(1)}, eas.PingExpired},
			{"folders, and the heartbeat of before", &eas.PingRequest{Folders: folders}, eas.PingExpired},
			{"both of before", nil, eas.PingExpired},
			{"the same folder twice", &eas.PingRequest{Folders: append(folders, folders...)}, eas.PingSyntax},
			{"a heartbeat that is too long", &eas.PingRequest{HeartbeatInterval: ptr(4000)}, eas.PingBadHeartbeat},
			{"both of before that", nil, eas.PingExpired},
		} {
			if got := ping(step.ping); got.Status != step.status {
				t.Errorf("%s: answered %+v, want status %d", step.name, got, step.status)
			}
		}
	})
}

// [MS-ASPROV] "Status (Policy)": what a phone may say of the policy, and what it is
// told where the policy is required.
func TestAcknowledgements(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for _, tt := range []struct {
			status  eas.PolicyStatus
			outside bool
			bad     bool
		}{
			{status: eas.PolicyApplied}, {status: eas.PolicyPartial}, {status: eas.PolicyElsewhere},
			{status: eas.PolicyRefused, outside: true}, {status: 9, bad: true},
		} {
			h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
			c := h.Client(v, "phone1")
			r := &raw{t, c, nil}
			typ := eas.PolicyTypeWBXML
			if v < eas.V120 {
				typ = eas.PolicyTypeXML
			}
			first, err := c.ProvisionPhase(t.Context(), eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: typ}}})
			if err != nil || len(first.Policies) != 1 || first.Policies[0].PolicyKey == "" {
				t.Fatalf("the first phase was answered %+v, %v", first, err)
			}
			status, text := r.ask(eas.CmdProvision, &eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: typ, PolicyKey: first.Policies[0].PolicyKey, Status: tt.status}}})
			switch {
			case tt.bad:
				if status != 200 || !strings.Contains(text, "<Status>2</Status>") || strings.Contains(text, "PolicyKey") {
					t.Errorf("acknowledgement %d: HTTP status %d and\n%s\nwant status 2 and no key", tt.status, status, text)
				}
			case tt.outside && v < eas.V140:
				if status != http.StatusForbidden {
					t.Errorf("acknowledgement %d: HTTP status %d, want 403", tt.status, status)
				}
			case tt.outside:
				if status != 200 || !strings.Contains(text, "<Status>139</Status>") || strings.Contains(text, "PolicyKey") {
					t.Errorf("acknowledgement %d: HTTP status %d and\n%s\nwant status 139 and no key", tt.status, status, text)
				}
			case status != 200 || !strings.Contains(text, "<PolicyKey>") || strings.Contains(text, "<PolicyKey>0</PolicyKey>"):
				t.Errorf("acknowledgement %d: HTTP status %d and\n%s\nwant a key", tt.status, status, text)
			}
		}
	})
}

func TestPolicyKeyThatIsNotSent(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
	r := newRaw(t, h, eas.V141)
	r.PolicyKey = 0
	if status, text := r.ask(eas.CmdFolderSync, &eas.FolderSyncRequest{SyncKey: "0"}); status != 200 || !strings.Contains(text, "<Status>142</Status>") {
		t.Errorf("HTTP status %d and\n%s\nwant status 142", status, text)
	}
}

// What is wrong with a request as a whole.
func TestRequestsThatNameNothingKnown(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	body := func(v eas.Version) []byte { return mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v) }
	for _, tt := range []struct {
		name   string
		v      eas.Version
		device string
		header http.Header
		cmd    eas.Command
		http   int
		status string
	}{
		{name: "a version that there is not", v: eas.V141, header: http.Header{"Ms-Asprotocolversion": {"16.2"}}, cmd: eas.CmdFolderSync, http: 505},
		{name: "a version that is too old", v: eas.V141, header: http.Header{"Ms-Asprotocolversion": {"1.0"}}, cmd: eas.CmdFolderSync, http: 505},
		{name: "a DeviceId that is none", v: eas.V121, device: "a b", cmd: eas.CmdFolderSync, http: 400},
		{name: "a DeviceId that is none, later", v: eas.V141, device: "a b", cmd: eas.CmdFolderSync, http: 200, status: "<Status>108</Status>"},
		{name: "no command", v: eas.V141, http: 400},
		{name: "a command that is not known", v: eas.V141, cmd: "Sing", http: 501},
		{name: "a command that is not announced", v: eas.V121, cmd: eas.CmdSmartReply, http: 501},
	} {
		c := h.Client(tt.v, "phone1")
		if tt.device != "" {
			c.DeviceID = tt.device
		}
		answer, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: tt.cmd}, Body: body(tt.v), Header: tt.header})
		if status, _ := httpStatus(t, err); status != tt.http || !strings.Contains(xml(t, answer), tt.status) {
			t.Errorf("%s: HTTP status %d and %s, want %d and %s", tt.name, status, xml(t, answer), tt.http, tt.status)
		}
	}
}

func TestGetItemEstimateForOddFolders(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		c := r.collection("Contacts")
		many := make([]eas.EstimateCollection, 1001)
		for i := range many {
			many[i] = eas.EstimateCollection{CollectionID: fmt.Sprint(i), SyncKey: "1"}
		}
		h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.Errorf(backend.NotFound, "memory", "gone"), Times: -1})
		for _, tt := range []struct {
			name   string
			ask    []eas.EstimateCollection
			status string
		}{
			{"too many", many, "2"},
			{"none", []eas.EstimateCollection{}, "2"},
			{"a name that is too long", []eas.EstimateCollection{{CollectionID: strings.Repeat("x", 65), SyncKey: c.SyncKey}}, "2"},
			{"no name", []eas.EstimateCollection{{SyncKey: c.SyncKey}}, "2"},
			{"gone on the server", []eas.EstimateCollection{{CollectionID: c.CollectionID, SyncKey: c.SyncKey}}, "2"},
			{"no key", []eas.EstimateCollection{{CollectionID: c.CollectionID}}, "4"},
		} {
			if status, text := r.ask(eas.CmdGetItemEstimate, &eas.GetItemEstimateRequest{Collections: tt.ask}); status != 200 || !strings.Contains(text, "<Status>"+tt.status+"</Status>") {
				t.Errorf("%s: HTTP status %d and\n%s\nwant status %s", tt.name, status, text, tt.status)
			}
		}
	})
}

// Settings whose answers have little to say keep the schemas, too.
func TestSettingsOfSomebodyWithoutAnAddress(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	for _, v := range []eas.Version{eas.V121, eas.V140, eas.V141, eas.V161} {
		r := &raw{t, h.Client(v, "phone1"), nil}
		status, text := r.ask(eas.CmdSettings, &eas.SettingsRequest{
			UserInformation: &eas.InformationRequest{Get: true}, DevicePassword: &eas.DevicePassword{Password: "1234"},
			Oof: &eas.OofRequest{Set: &eas.Oof{OofState: ptr(1)}}, RightsManagementInformation: &eas.InformationRequest{Get: true},
		})
		if status != 200 || strings.Contains(text, "@") {
			t.Errorf("%s: HTTP status %d and\n%s", v, status, text)
		}
	}
}

// Operations that are not for these folders have a status that the version
// knows.
func TestItemOperationsThatAreNotForUs(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		r := newRaw(t, h, v)
		status, text := r.ask(eas.CmdItemOperations, &eas.ItemOperationsRequest{
			Moves:   []eas.ConversationMove{{ConversationID: []byte{1, 2}, DstFldID: "1"}},
			Empties: []eas.EmptyFolder{{CollectionID: r.collection("Contacts").CollectionID}},
			Fetches: []eas.FetchRequest{
				{Store: "Document Library", LinkID: "file://x"}, {Store: "Attic", ServerID: "1:1"},
				{Store: "Mailbox", FileReference: "1"}, {Store: "Mailbox", LongID: "1"}, {Store: "Mailbox"},
			},
		})
		if status != 200 || v < eas.V140 && strings.Contains(text, "156") {
			t.Errorf("%s: HTTP status %d and\n%s", v, status, text)
		}
	}
}
