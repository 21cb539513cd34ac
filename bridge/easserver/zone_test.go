package easserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
)

// Where people are, the configuration says: an event without a zone begins by their
// clock, and what a phone adds is in their zone where its own has the same rules.
func TestZoneOfPeople(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.TimeZone = "Europe/Vienna" }})
		jog := bridgetest.Event("jog", "Jog", time.Date(2031, 1, 7, 7, 0, 0, 0, time.UTC))
		h.Store("calendar", "jog", strings.NewReplacer("0000Z\r\nDTEND", "0000\r\nDTEND", "0000Z\r\nSUMMARY", "0000\r\nSUMMARY").Replace(jog))
		r := newRaw(t, h, v)
		for _, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
			if start, _ := item.Text(tag.CalendarStartTime); start != "20310107T060000Z" {
				t.Errorf("what begins at 7 in Vienna begins at %s", start)
			}
		}
		c := r.collection("Calendar")
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: append(when("20310107T110000Z", "20310107T120000Z"), eas.T(tag.CalendarSubject, "Lunch"))}}
		if got := r.one(c); len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncOK {
			t.Fatalf("answered %+v", got)
		}
		for id, body := range h.Backend.Items(bridgetest.User, "calendar") {
			if id != "jog" && !strings.Contains(string(body), "DTSTART;TZID=Europe/Vienna:20310107T120000") {
				t.Errorf("the phone's lunch is\n%s", body)
			}
		}
	})
}
