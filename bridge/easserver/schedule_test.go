package easserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// self gives people mail addresses.
func self(o *bridge.Options) { o.Config.Login.Address = "{user}@example.org" }

// meeting is an event with an organizer and one guest.
func meeting(organizer, guest string) string {
	return strings.Replace(bridgetest.Event("e", "Meeting", time.Now().Add(time.Hour)), "X-KEEP",
		"ORGANIZER:mailto:"+organizer+"@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:"+guest+"@example.org\r\nX-KEEP", 1)
}

// As long as a store cannot say who mails, nothing is written: nobody could take
// an invitation back. A phone that only reads is not kept up.
func TestNobodyKnowsWhoMails(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: self})
	h.Store("calendar", "e", meeting(bridgetest.User, "bo"))
	h.Backend.Fail(memory.Failure{Op: memory.OpSchedules, Times: 1, Err: backend.Errorf(backend.Transient, "test", "busy")})
	r := newRaw(t, h, eas.V141)
	c := r.collection("Calendar")
	for id := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "Later"))}}
	}
	if _, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c}}); err == nil {
		t.Error("a change was answered while the store was busy")
	}
	if got := r.one(c); got.Status != eas.SyncOK || len(got.Responses) != 0 {
		t.Errorf("the second try was answered %+v", got)
	}
}
