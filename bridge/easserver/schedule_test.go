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

// Either the phone mails an invitation or the store does. See RFC 6638, section
// 7.1.
func TestOneSender(t *testing.T) {
	for _, tt := range []struct {
		name   string
		v      eas.Version
		mails  bool
		silent bool // the store is told to keep still
	}{
		{"a phone that mails, and a store that does", eas.V141, true, true},
		{"a phone that mails, and a store that does not", eas.V141, false, false},
		{"a phone that leaves it to the store", eas.V161, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{Edit: self})
			h.Backend.Schedule(tt.mails)
			h.Store("calendar", "e", meeting(bridgetest.User, "bo"))
			r := newRaw(t, h, tt.v)
			c := r.collection("Calendar")
			change := when("20261201T100000Z", "20261201T110000Z")
			for id := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
				c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: append(change, eas.T(tag.CalendarSubject, "Later"))}}
			}
			if got := r.one(c); got.Status != eas.SyncOK || len(got.Responses) != 0 {
				t.Fatalf("answered %+v", got)
			}
			stored := strings.ReplaceAll(string(h.Backend.Items(bridgetest.User, "calendar")["e"]), "\r\n ", "")
			if !strings.Contains(stored, "Later") || strings.Contains(stored, "SCHEDULE-AGENT=CLIENT") != tt.silent {
				t.Errorf("the meeting is\n%s", stored)
			}
		})
	}
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
