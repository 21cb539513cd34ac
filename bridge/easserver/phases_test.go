package easserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// [MS-ASPROV] "Phase 1 ... Phase 4": the keys of provisioning, and what each
// is good for.
func TestPhasesOfProvisioning(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
		c := h.Client(v, "phone1")
		typ := eas.PolicyTypeWBXML
		if v < eas.V120 {
			typ = eas.PolicyTypeXML
		}
		outside := func(when string, key uint32, want string) {
			t.Helper()
			for _, command := range []eas.Command{eas.CmdFolderSync, eas.CmdSync, eas.CmdItemOperations, eas.CmdGetItemEstimate} {
				if !command.KnownIn(v) {
					continue
				}
				answer, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: command}, PolicyKey: key, Body: mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, v)})
				status, _ := httpStatus(t, err)
				if v < eas.V140 && status != 449 || v >= eas.V140 && !strings.Contains(xml(t, answer), "<Status>"+want+"</Status>") {
					t.Errorf("%s, %s: HTTP status %d and %s", when, command, status, xml(t, answer))
				}
			}
		}
		provision := func(p eas.Policy, info *eas.DeviceInformation) eas.ProvisionResponse {
			t.Helper()
			res, err := c.ProvisionPhase(t.Context(), eas.ProvisionRequest{DeviceInformation: info, Policies: []eas.Policy{p}})
			if err != nil || len(res.Policies) != 1 {
				t.Fatalf("answered %+v, %v", res, err)
			}
			return res
		}
		outside("without a key", 0, "142")
		first := provision(eas.Policy{PolicyType: typ}, &eas.DeviceInformation{Model: "Brick"})
		policy := first.Policies[0]
		if first.Status != eas.ProvisionOK || policy.Status != eas.PolicyOK || policy.PolicyType != typ || policy.Data == nil || (first.DeviceInformation != nil) != (v >= eas.V141) {
			t.Errorf("the first phase was answered %+v", first)
		}
		var temporary uint32
		if _, err := fmt.Sscan(policy.PolicyKey, &temporary); err != nil || temporary == 0 {
			t.Fatalf("the temporary key is %q", policy.PolicyKey)
		}
		outside("with the temporary key", temporary, "142")
		if got := provision(eas.Policy{PolicyType: typ, PolicyKey: "4711", Status: eas.PolicyApplied}, nil).Policies[0]; got.Status != eas.PolicyBadKey || got.PolicyKey != "" {
			t.Errorf("another key was acknowledged: %+v", got)
		}
		acknowledge := eas.Policy{PolicyType: typ, PolicyKey: policy.PolicyKey, Status: eas.PolicyApplied}
		second := provision(acknowledge, nil).Policies[0]
		if second.Status != eas.PolicyOK || second.Data != nil || second.PolicyKey == policy.PolicyKey {
			t.Errorf("the second phase was answered %+v", second)
		}
		if again := provision(acknowledge, nil).Policies[0]; again.PolicyKey != second.PolicyKey {
			t.Errorf("the acknowledgement again got the key %s after %s", again.PolicyKey, second.PolicyKey)
		}
		outside("with the temporary key afterwards", temporary, "144")
		if _, err := fmt.Sscan(second.PolicyKey, &c.PolicyKey); err != nil {
			t.Fatal(err)
		}
		if res, err := c.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: "0"}); err != nil || res.Status != eas.FolderOK {
			t.Errorf("with the final key: %+v, %v", res, err)
		}
	})
}

// [MS-ASCMD] "FolderSync": keys, counts, the order of folders, and an answer
// that was lost.
func TestFolderSyncKeys(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		c := h.Client(v, "phone1")
		ask := func(key string) eas.FolderSyncResponse {
			t.Helper()
			res, err := c.FolderSync(t.Context(), eas.FolderSyncRequest{SyncKey: key})
			if err != nil && res.Status == 0 {
				t.Fatal(err)
			}
			if ch := res.Changes; (res.Status == eas.FolderOK) != (ch != nil) || ch != nil && ch.Count != len(ch.Adds)+len(ch.Updates)+len(ch.Deletes) {
				t.Errorf("key %s: answered %+v with %+v", key, res, ch)
			}
			return res
		}
		first := ask("0")
		known := map[string]bool{eas.RootFolder: true}
		types := map[eas.FolderType]int{}
		for _, f := range first.Changes.Adds {
			if !known[f.ParentID] || known[f.ServerID] {
				t.Errorf("folder %+v comes before its parent, or twice", f)
			}
			known[f.ServerID] = true
			types[f.Type]++
		}
		for _, typ := range []eas.FolderType{eas.FolderInbox, eas.FolderCalendar, eas.FolderContacts, eas.FolderTasks} {
			if types[typ] != 1 {
				t.Errorf("there are %d folders of the default type %d, want 1", types[typ], typ)
			}
		}
		if same := ask(first.SyncKey); same.SyncKey != first.SyncKey || same.Changes.Count != 0 {
			t.Errorf("no change was answered %+v", same)
		}
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		second := ask(first.SyncKey)
		again := ask(first.SyncKey) // the answer was lost
		for _, res := range []eas.FolderSyncResponse{second, again} {
			if res.Changes.Count != 1 || len(res.Changes.Adds) != 1 || res.SyncKey == first.SyncKey {
				t.Errorf("the new folder was answered %+v", res)
			}
		}
		if again.Changes.Adds[0] != second.Changes.Adds[0] {
			t.Errorf("the new folder is %+v, and after a lost answer %+v", second.Changes.Adds[0], again.Changes.Adds[0])
		}
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Office"})
		if third := ask(again.SyncKey); third.Changes.Count != 1 || len(third.Changes.Updates) != 1 || third.Changes.Updates[0].DisplayName != "Office" {
			t.Errorf("the new name was answered %+v", third.Changes)
		}
		for key, want := range map[string]eas.FolderStatus{first.SyncKey: eas.FolderBadKey, "{" + first.SyncKey + "}": eas.FolderBadKey, "": eas.FolderMalformed} {
			if res := ask(key); res.Status != want || res.SyncKey != "" {
				t.Errorf("key %q: answered %+v, want status %d and no key", key, res, want)
			}
		}
	})
}

// The key of before, after a change by the phone: the answer is from that
// earlier state, and the change is not lost.
func TestEarlierKeyAfterAChangeByThePhone(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("contacts", "a", bridgetest.Card("a", "A"))
		r := newRaw(t, h, v)
		var id string
		for id = range bridgetest.FolderOf(t, r.phone, "Contacts").Items {
		}
		h.Store("contacts", "b", bridgetest.Card("b", "B"))
		c := r.collection("Contacts")
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: lastName("By the phone")}}
		first := r.one(c)
		c.Commands = nil
		again := r.one(c) // the phone forgot its change and the answer
		if len(first.Commands) != 1 || again.Status != eas.SyncOK || again.SyncKey == first.SyncKey {
			t.Fatalf("answered %+v, then %+v", first, again)
		}
		var added bool
		for _, cmd := range again.Commands {
			added = added || cmd.Do == tag.AirSyncAdd && cmd.ServerID == first.Commands[0].ServerID
		}
		if !added {
			t.Errorf("answered %+v, want the contact of the lost answer", again)
		}
		if !strings.Contains(string(h.Backend.Items(bridgetest.User, "contacts")["a"]), "By the phone") {
			t.Error("the phone's change is lost")
		}
	})
}

// [MS-ASCMD] "Change (Sync)": one occurrence is edited by its InstanceId, from
// 16.0 on.
func TestChangeOfOneOccurrence(t *testing.T) {
	for _, v := range []eas.Version{eas.V160, eas.V161} {
		h := bridgetest.Start(t, bridgetest.Options{})
		start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
		h.Store("calendar", "series", strings.Replace(bridgetest.Event("series", "Series", start), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY", 1))
		r := newRaw(t, h, v)
		var id string
		for id = range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
		}
		c := r.collection("Calendar")
		c.Commands = []eas.SyncCommand{
			{Do: tag.AirSyncChange, ServerID: id, InstanceID: "20261202T090000Z", Data: eas.Properties{eas.T(tag.CalendarSubject, "Moved"), eas.T(tag.CalendarStartTime, "20261202T120000Z"), eas.T(tag.CalendarEndTime, "20261202T130000Z")}},
			{Do: tag.AirSyncChange, ServerID: id, InstanceID: "2026-12-03T09:00:00.000Z", Data: eas.Properties{eas.T(tag.CalendarSubject, "Renamed")}},
			{Do: tag.AirSyncChange, ServerID: id, InstanceID: "20270101T090000Z", Data: eas.Properties{eas.T(tag.CalendarSubject, "Never")}},
		}
		got := r.one(c)
		if len(got.Responses) != 1 || got.Responses[0].Status == eas.SyncOK || got.Responses[0].InstanceID != "20270101T090000Z" || len(got.Commands) != 1 || got.Commands[0].ServerID != id {
			t.Errorf("%s: answered %+v, want one failure, which names its occurrence, and the series as it is", v, got)
		}
		body := string(h.Backend.Items(bridgetest.User, "calendar")["series"])
		for _, want := range []string{"SUMMARY:Series\r\n", "SUMMARY:Moved\r\n", "SUMMARY:Renamed\r\n", "DTSTART:20261202T120000Z\r\n"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the series is %q, want %q in it", v, body, want)
			}
		}
		if strings.Contains(body, "Never") {
			t.Errorf("%s: an occurrence was made up: %q", v, body)
		}
	}
}

// A phone that pings before anything else is sent to FolderSync, and a folder that
// it never synchronized is news at once.
func TestPingBeforeAnythingElse(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		c := h.Client(v, "phone1")
		ping := func(id string) eas.PingResponse {
			t.Helper()
			res, err := c.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(3000), Folders: []eas.PingFolder{{ID: id}}})
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		if res := ping("1"); res.Status != eas.PingHierarchyChanged {
			t.Errorf("before FolderSync: answered %+v, want status 7", res)
		}
		p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := bridgetest.FolderOf(t, p, "Contacts").ServerID
		if res := ping(f); res.Status != eas.PingChanges || len(res.Folders) != 1 || res.Folders[0] != f {
			t.Errorf("before the first Sync: answered %+v, want status 2 and the folder", res)
		}
		h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		other := h.Phone(v, "phone2", phone.Settings{})
		if _, err := other.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if res := ping(f); res.Status != eas.PingHierarchyChanged {
			t.Errorf("with a new folder: answered %+v, want status 7 at once", res)
		}
	})
}
