package easserver_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// seriesWith is a weekly meeting of Ann's with some guests.
func seriesWith(guests ...string) string {
	lines := "ORGANIZER:mailto:ann@example.org\r\nRRULE:FREQ=WEEKLY\r\n"
	for _, g := range guests {
		lines += "ATTENDEE:mailto:" + g + "@example.org\r\n"
	}
	start := time.Date(2030, 12, 2, 10, 0, 0, 0, time.UTC)
	return strings.Replace(bridgetest.Event("e", "Tea", start), "X-KEEP", lines+"X-KEEP", 1)
}

// mails says of each mail that went out to whom it is, and what it says.
func mails(h *bridgetest.House) (list []string) {
	for _, m := range h.Backend.Outgoing() {
		s := strings.ReplaceAll(strings.Join(m.To, " "), "@example.org", "")
		for line := range strings.SplitSeq(strings.ReplaceAll(string(m.Body), "\r\n ", ""), "\r\n") {
			if name, value, _ := strings.Cut(line, ":"); name == "METHOD" || name == "RECURRENCE-ID" {
				s += " " + value
			}
		}
		list = append(list, s)
	}
	return list
}

// The guests of a series hear of the occurrence that a phone moves or takes out, and
// of nothing that concerns the organizer alone.
func TestGuestsOfOccurrences(t *testing.T) {
	o := newOffice(t, eas.V161, false, true)
	o.h.Store("calendar", "e", seriesWith("bo", "cy"))
	at := func(day string) string { return day + "T100000Z" }
	for _, tt := range []struct {
		name string
		cmd  eas.SyncCommand
		want string
	}{
		{"one is moved", eas.SyncCommand{Do: tag.AirSyncChange, InstanceID: at("20301209"), Data: when("20301209T140000Z", "20301209T150000Z")}, "bo cy REQUEST 20301209T100000Z"},
		{"it gets a reminder", eas.SyncCommand{Do: tag.AirSyncChange, InstanceID: at("20301209"), Data: eas.Properties{eas.T(tag.CalendarReminder, "5")}}, ""},
		{"another one is taken out", eas.SyncCommand{Do: tag.AirSyncDelete, InstanceID: at("20301216")}, "bo cy CANCEL 20301216T100000Z"},
		{"the moved one is taken out", eas.SyncCommand{Do: tag.AirSyncDelete, InstanceID: at("20301209")}, "bo cy CANCEL 20301209T100000Z"},
		{"categories", eas.SyncCommand{Do: tag.AirSyncChange, Data: eas.Properties{eas.C(tag.CalendarCategories, eas.T(tag.CalendarCategory, "Red"))}}, ""},
		{"the subject", eas.SyncCommand{Do: tag.AirSyncChange, Data: eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}}, "bo cy REQUEST"},
		{"all of it", eas.SyncCommand{Do: tag.AirSyncDelete}, "bo cy CANCEL"},
	} {
		before := len(mails(o.h))
		o.command(func(_ *raw, c *eas.SyncCollection, id string) {
			tt.cmd.ServerID = id
			c.Commands = []eas.SyncCommand{tt.cmd}
		})
		if got := strings.Join(mails(o.h)[before:], "; "); got != tt.want {
			t.Errorf("%s: mailed %q, want %q", tt.name, got, tt.want)
		}
	}
}

// When the store or the mail system fails, the phone tries again, and each guest
// hears of it once; when the worker dies in between, too.
func TestGuestsAreToldOnceAfterAll(t *testing.T) {
	busy := backend.Errorf(backend.Transient, "test", "busy")
	for _, tt := range []struct {
		name    string
		failure memory.Failure
	}{
		{"a new meeting, no mail goes out for now", memory.Failure{Op: memory.OpSend, Times: 1, Err: busy}},
		{"a new meeting, the store is busy", memory.Failure{Op: memory.OpPut, Collection: "calendar", Times: 1, Err: busy}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, eas.V161, false, true)
			r := newRaw(t, o.h, o.v)
			c := r.collection("Calendar")
			c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: append(when("20301201T100000Z", "20301201T110000Z"), eas.T(tag.CalendarSubject, "Tea"), withBob)}}
			o.h.Backend.Fail(tt.failure)
			o.twice(r, c)
			if got := fmt.Sprint(mails(o.h)); got != "[bo REQUEST]" || len(o.h.Backend.Items(bridgetest.User, "calendar")) != 1 {
				t.Errorf("mailed %s, and there are %d events", got, len(o.h.Backend.Items(bridgetest.User, "calendar")))
			}
		})
	}
	for _, tt := range []struct {
		name    string
		failure memory.Failure
		cmd     eas.SyncCommand
		want    string
	}{
		{"a change, the store is busy", memory.Failure{Op: memory.OpPut, Collection: "calendar", Times: 1, Err: busy}, eas.SyncCommand{Do: tag.AirSyncChange, Data: eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}}, "[bo REQUEST]"},
		{"a change, no mail goes out for now", memory.Failure{Op: memory.OpSend, Times: 1, Err: busy}, eas.SyncCommand{Do: tag.AirSyncChange, Data: eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}}, "[bo REQUEST]"},
		{"a deletion, the store is busy", memory.Failure{Op: memory.OpDelete, Times: 1, Err: busy}, eas.SyncCommand{Do: tag.AirSyncDelete}, "[bo CANCEL]"},
		{"a deletion, no mail goes out for now", memory.Failure{Op: memory.OpSend, Times: 1, Err: busy}, eas.SyncCommand{Do: tag.AirSyncDelete}, "[bo CANCEL]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, eas.V161, false, true)
			o.h.Store("calendar", "e", seriesWith("bo"))
			r := newRaw(t, o.h, o.v)
			c := r.collection("Calendar")
			for id := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
				tt.cmd.ServerID = id
			}
			c.Commands = []eas.SyncCommand{tt.cmd}
			o.h.Backend.Fail(tt.failure)
			o.twice(r, c)
			if got := fmt.Sprint(mails(o.h)); got != tt.want {
				t.Errorf("mailed %s, want %s", got, tt.want)
			}
			if deleted := tt.cmd.Do == tag.AirSyncDelete; deleted != (o.stored() == "") || !deleted && !strings.Contains(o.stored(), "Coffee") {
				t.Errorf("the event is %q", o.stored())
			}
		})
	}
}

// twice sends a folder's commands twice: the first time fails.
func (o *office) twice(r *raw, c eas.SyncCollection) {
	o.t.Helper()
	if _, err := r.Sync(o.t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c}}); err == nil {
		o.t.Error("the first try was answered")
	}
	for _, out := range r.one(c).Responses {
		if out.Status != eas.SyncOK {
			o.t.Errorf("the second try was answered %+v", out)
		}
	}
}

// A guest to whom no mail goes is no reason not to tell the others.
func TestGuestsWhoCannotBeMailed(t *testing.T) {
	o := newOffice(t, eas.V161, false, true)
	o.h.Store("calendar", "e", seriesWith("bo", "cy"))
	o.h.Backend.Fail(memory.Failure{Op: memory.OpSend, Times: 2, Err: backend.Errorf(backend.Invalid, "test", "no such user")})
	o.command(func(_ *raw, c *eas.SyncCollection, id string) {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}}}
	})
	if got := fmt.Sprint(mails(o.h)); got != "[cy REQUEST]" || !strings.Contains(o.stored(), "Coffee") {
		t.Errorf("mailed %s, and the event is\n%s", got, o.stored())
	}
}

// Who somebody is, the calendar server says: an address that has nothing to do with
// the login is one's own, too.
func TestCalendarServerKnowsThePerson(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Backend.SetIdentity(bridgetest.User, backend.Identity{Addresses: []string{"boss@example.com"}})
		own := strings.ReplaceAll(meeting(bridgetest.User, "bo"), "ann@example.org", "boss@example.com")
		theirs := strings.ReplaceAll(strings.ReplaceAll(meeting("bo", bridgetest.User), "ann@example.org", "Boss@example.com"), "UID:e", "UID:f")
		h.Store("calendar", "own", own)
		h.Store("calendar", "theirs", theirs)
		r := newRaw(t, h, v)
		f := bridgetest.FolderOf(t, r.phone, "Calendar")
		for id, item := range f.Items {
			uid, _ := item.Text(tag.CalendarUID)
			want := map[string]string{"e": "1", "f": "3"}[uid]
			if status, _ := item.Text(tag.CalendarMeetingStatus); status != want {
				t.Errorf("%s: MeetingStatus is %s, want %s", uid, status, want)
			}
			if uid == "f" {
				if got := r.respond(eas.MeetingAnswer{UserResponse: 1, CollectionID: f.ServerID, RequestID: id}); got.Status != eas.MeetingOK {
					t.Errorf("answered %+v", got)
				}
			}
		}
		if got := h.Backend.Items(bridgetest.User, "calendar")["theirs"]; !bytes.Contains(got, []byte("PARTSTAT=ACCEPTED")) {
			t.Errorf("the answer is not in\n%s", got)
		}
	})
}
