package easserver_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// A folder comes to a merged one. A request of before, which comes late and fails
// or only counts, takes nothing from what the phone was told since.
func TestAPartThatBeginsAndALateRequest(t *testing.T) {
	late := map[string]func(*bridgetest.House, *raw, eas.SyncCollection){
		"a Sync that fails": func(h *bridgetest.House, r *raw, c eas.SyncCollection) {
			h.Backend.Fail(memory.Failure{Op: memory.OpGet, Err: backend.Errorf(backend.Transient, "memory", "pulled the plug"), Times: -1})
			c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: "1:1", Data: eas.Properties{eas.T(tag.ContactsLastName, "Late")}}}
			if _, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c}}); err == nil {
				t.Error("the late Sync did not fail")
			}
			h.Backend.Mend()
		},
		"an estimate": func(_ *bridgetest.House, r *raw, c eas.SyncCollection) {
			res, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{CollectionID: c.CollectionID, SyncKey: c.SyncKey}}})
			if err != nil || len(res.Responses) != 1 || res.Responses[0].Status != eas.EstimateOK || *res.Responses[0].Collection.Estimate != 1 {
				t.Errorf("the estimate is %+v, %v, want 1", res, err)
			}
		},
	}
	for name, ask := range late {
		t.Run(name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("contacts", "a", bridgetest.Card("a", "Main"))
			r := single(t, h, eas.V141, merging)
			bridgetest.Sync(t, r.phone)
			before := r.collection(eas.ClassContacts)
			h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
			h.Store("club", "b", bridgetest.Card("b", "Club"))
			if _, err := r.phone.FolderSync(t.Context()); err != nil {
				t.Fatal(err)
			}
			bridgetest.Sync(t, r.phone)
			r.holds("when there are two", "Club", "Main")
			ask(h, r, before)
			h.Store("club", "c", bridgetest.Card("c", "Club c"))
			now := r.collection(eas.ClassContacts)
			res := r.one(now)
			if res.Status != eas.SyncOK || len(res.Commands) != 1 || res.Commands[0].Do != tag.AirSyncAdd {
				t.Errorf("the phone is told %+v, want the one that is new", res)
			}
		})
	}
}

// While its server is down a folder cannot come to a merged one; when the server
// is up again it does, and nothing begins anew.
func TestAPartThatBeginsWhileItsServerIsDown(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "a", bridgetest.Card("a", "Main"))
	r := single(t, h, eas.V141, merging)
	bridgetest.Sync(t, r.phone)
	h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "club", Kind: backend.Contacts, Name: "Club"})
	h.Store("club", "b", bridgetest.Card("b", "Club"))
	if _, err := r.phone.FolderSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	down := backend.Errorf(backend.Transient, "memory", "pulled the plug")
	h.Backend.Fail(memory.Failure{Op: memory.OpChanges, Collection: "club", Err: down, Times: -1})
	h.Store("contacts", "c", bridgetest.Card("c", "Main c"))
	bridgetest.Sync(t, r.phone)
	r.holds("while the club is down", "Main", "Main c")
	h.Backend.Mend()
	bridgetest.Sync(t, r.phone)
	r.holds("when the club is up again", "Club", "Main", "Main c")
}
