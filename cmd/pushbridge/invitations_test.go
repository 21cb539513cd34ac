package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// bobs is what a calendar server that schedules put into Bob's calendar.
func (w *world) bobs(t *testing.T) string {
	t.Helper()
	const query = `<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><c:calendar-data/></d:prop>` +
		`<c:filter><c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>`
	r, err := w.radicale.DoAs(davtest.Bob, "REPORT", "/dav/calendars/user/bob/Default/", []byte(query), "Content-Type", "text/xml", "Depth", "1")
	if err != nil || r.Status != http.StatusMultiStatus {
		t.Fatalf("Bob's calendar: %d, %v\n%s", r.Status, err, r.Body)
	}
	return string(r.Body)
}

// A real server that schedules (RFC 6638), Cyrus, tells the guest of a meeting that was
// made elsewhere what phones of both generations do to it, and never that it is off
// while it is not.
func TestInvitationsEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Cyrus")
	}
	w := startWorldOn(t, davtest.Cyrus(t), "", "", "")
	start := time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	tea := strings.Replace(bridgetest.Event("tea", "Tea", start), "X-KEEP", "ORGANIZER:mailto:ann@"+davtest.CyrusDomain+
		"\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@"+davtest.CyrusDomain+"\r\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@"+davtest.CyrusDomain+"\r\nX-KEEP", 1)
	w.radicale.Put(w.radicale.Calendar+"tea.ics", tea)
	if got := w.bobs(t); !strings.Contains(got, "SUMMARY:Tea") {
		t.Fatalf("Bob was not invited:\n%s", got)
	}
	command := func(v eas.Version, make func(id string) eas.SyncCommand) {
		t.Helper()
		c := w.client(v, "INVITES"+strings.ReplaceAll(v.String(), ".", ""))
		p := phone.New(c, phone.Settings{Classes: []string{eas.ClassCalendar}})
		bridgetest.Sync(t, p)
		f := bridgetest.FolderOf(t, p, eas.ClassCalendar)
		for id, item := range f.Items {
			if status, _ := item.Text(tag.CalendarMeetingStatus); status != "1" {
				t.Errorf("%s: MeetingStatus is %q, want 1: Ann organizes it", v, status)
			}
			r, err := c.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID, Commands: []eas.SyncCommand{make(id)}}}})
			if err != nil || len(r.Collections) != 1 || len(r.Collections[0].Responses) != 0 {
				t.Fatalf("%s: answered %+v, %v", v, r, err)
			}
		}
	}
	const form = "20060102T150405Z"
	for i, v := range []eas.Version{eas.V141, eas.V161, eas.V141} {
		from := start.AddDate(0, 0, i+1)
		command(v, func(id string) eas.SyncCommand {
			return eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{eas.T(tag.CalendarSubject, "Tea, "+v.String()),
				eas.T(tag.CalendarStartTime, from.Format(form)), eas.T(tag.CalendarEndTime, from.Add(time.Hour).Format(form))}}
		})
		if got := w.bobs(t); !strings.Contains(got, "DTSTART:"+from.Format(form)) || strings.Contains(got, "CANCELLED") {
			t.Errorf("%s: Bob is told\n%s", v, got)
		}
	}
	command(eas.V141, func(id string) eas.SyncCommand { return eas.SyncCommand{Do: tag.AirSyncDelete, ServerID: id} })
	if got := w.bobs(t); strings.Contains(got, "SUMMARY:") && !strings.Contains(got, "CANCELLED") {
		t.Errorf("Bob is not told that it is off:\n%s", got)
	}
}
