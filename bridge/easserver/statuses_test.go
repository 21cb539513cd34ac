package easserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

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
