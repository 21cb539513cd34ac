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
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// Mail is found by what stands in it, by folder and by time, the latest first, in
// ranges; what a query asks that nobody can is told so.
func TestSearchInMail(t *testing.T) {
	h := mailHouse(t)
	inbox(h, map[string]string{"a": mailOf("tea a", "words"), "b": mailOf("tea b", "words"), "c": mailOf("coffee", "words")})
	h.Backend.StoreMessage(bridgetest.User, "archive", "old", []byte(mailOf("tea old", "words")), time.Now().AddDate(0, -2, 0))
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		p := mailPhone(h, v, phone.Settings{})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		c := h.Client(v, "phone1")
		text := eas.T(tag.SearchFreeText, "tea")
		since := func(at time.Time) eas.Element {
			return eas.C(tag.SearchGreaterThan, eas.C(tag.EmailDateReceived), eas.T(tag.SearchValue, at.UTC().Format("2006-01-02T15:04:05.000Z")))
		}
		for _, tt := range []struct {
			name   string
			query  []eas.Element
			span   string
			found  int
			status eas.SearchStatus
		}{
			{"everywhere", []eas.Element{text}, "", 3, eas.SearchOK},
			{"in one folder", []eas.Element{text, eas.T(tag.AirSyncCollectionId, f.ServerID)}, "", 2, eas.SearchOK},
			{"lately", []eas.Element{text, since(time.Now().AddDate(0, 0, -7))}, "", 2, eas.SearchOK},
			{"a range", []eas.Element{text}, "1-1", 1, eas.SearchOK},
			{"by subject", []eas.Element{eas.T(tag.SearchFreeText, "subject:coffee")}, "", 1, eas.SearchOK},
			{"of another class", []eas.Element{text, eas.T(tag.AirSyncClass, "Calendar")}, "", 0, eas.SearchOK},
			{"beyond the end", []eas.Element{text}, "7-9", 0, eas.SearchEndOfRange},
			{"in a folder of nobody", []eas.Element{text, eas.T(tag.AirSyncCollectionId, "4711")}, "", 0, eas.SearchFolderSync},
			{"one or the other", []eas.Element{eas.C(tag.SearchOr, text, text)}, "", 0, eas.SearchTooComplex},
			{"a time that is none", []eas.Element{eas.C(tag.SearchLessThan, eas.C(tag.EmailDateReceived), eas.T(tag.SearchValue, "soon"))}, "", 0, eas.SearchProtocol},
		} {
			query := eas.C(tag.SearchQuery, eas.C(tag.SearchAnd, tt.query...))
			a, err := c.Search(t.Context(), eas.SearchRequest{Store: eas.SearchStore{Name: eas.SearchMailbox, Query: &query,
				Options: &eas.SearchOptions{Range: tt.span, RebuildResults: true, BodyPreferences: []eas.BodyPreference{{Type: 1}}}}})
			if err != nil || a.Store == nil || a.Store.Status != tt.status {
				t.Errorf("%s, %s: %+v, %v", v, tt.name, a.Store, err)
				continue
			}
			n := 0
			for _, r := range a.Store.Results {
				if r.LongID != "" {
					n++
				}
			}
			if n != tt.found {
				t.Errorf("%s, %s: %d results, want %d", v, tt.name, n, tt.found)
			}
			if n > 0 && tt.name == "lately" {
				res, err := c.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, LongID: a.Store.Results[0].LongID}}})
				if err != nil || res.Response.Fetches[0].Status != eas.ItemOperationsOK {
					t.Errorf("%s: fetching what was found: %+v, %v", v, res, err)
				}
			}
		}
		if v < eas.V161 {
			continue
		}
		find := func(more ...eas.Element) (eas.FindResponse, error) {
			return c.Find(t.Context(), eas.FindRequest{SearchID: "1", Search: &eas.ExecuteSearch{Mailbox: &eas.FindCriterion{
				Query: &eas.Element{Children: append([]eas.Element{eas.T(tag.FindFreeText, "tea")}, more...)}}}})
		}
		a, err := find()
		if err != nil || a.Status != eas.FindOK || len(a.Response.Results) != 3 {
			t.Errorf("Find: %+v, %v", a, err)
		} else if preview, _ := a.Response.Results[0].Properties.Text(tag.FindPreview); preview != "words" {
			t.Errorf("Find tells %v", a.Response.Results[0].Properties)
		}
		if a, err := find(eas.T(tag.AirSyncCollectionId, "4711")); err != nil || a.Status != eas.FindFolderSync {
			t.Errorf("Find in a folder of nobody: %+v, %v", a, err)
		}
	}
}

// invitationMail is an invitation as it comes by mail.
func invitationMail(subject string, start time.Time) string {
	const form = "20060102T150405Z"
	return fmt.Sprintf("From: bo@example.org\r\nTo: ann@example.org\r\nSubject: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"+
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bo//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\n"+
		"ORGANIZER:mailto:bo@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		subject, subject, start.UTC().Format(form), start.UTC().Add(time.Hour).Format(form), subject)
}

// An invitation that is accepted in the inbox is in the calendar then, and in the
// trash; the organizer is told by us where the phone does not mail itself.
func TestInvitationByMail(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		inbox(h, map[string]string{"yes": invitationMail("yes", time.Now().Add(time.Hour)), "no": invitationMail("no", time.Now().Add(time.Hour)), "plain": mailOf("plain", "x")})
		p := h.Phone(v, "phone1", phone.Settings{Classes: []string{eas.ClassEmail, eas.ClassCalendar}})
		bridgetest.Sync(t, p)
		f := folderOfType(t, p, eas.FolderInbox)
		c := h.Client(v, "phone1")
		respond := func(subject string, response int) eas.MeetingResult {
			t.Helper()
			id, _ := mailNamed(t, f, subject)
			a := eas.MeetingAnswer{UserResponse: response, CollectionID: f.ServerID, RequestID: id}
			if v >= eas.V160 {
				a.SendResponse = &eas.SendResponse{Body: eas.Properties{eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "Gladly")}}
			}
			res, err := c.MeetingResponse(t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{a}})
			if err != nil || len(res.Results) != 1 {
				t.Fatalf("%+v, %v", res, err)
			}
			return res.Results[0]
		}
		yes, no, plain := respond("yes", 1), respond("no", 3), respond("plain", 1)
		if yes.Status != eas.MeetingOK || no.Status != eas.MeetingOK || no.CalendarID != "" || plain.Status != eas.MeetingInvalid {
			t.Errorf("answered %+v, %+v and %+v", yes, no, plain)
		}
		bridgetest.Sync(t, p)
		calendar := bridgetest.FolderOf(t, p, eas.ClassCalendar)
		if calendar.Items[yes.CalendarID] == nil || len(calendar.Items) != 1 {
			t.Errorf("the calendar has %v, want the event %s", titles(calendar), yes.CalendarID)
		}
		for _, body := range h.Backend.Items(bridgetest.User, "calendar") {
			if !bytes.Contains(body, []byte("PARTSTAT=ACCEPTED")) || bytes.Contains(body, []byte("METHOD")) {
				t.Errorf("in the calendar is\n%s", body)
			}
		}
		if got := titles(folderOfType(t, p, eas.FolderInbox)); strings.Join(got, " ") != "plain" {
			t.Errorf("the inbox has %q", got)
		}
		sent := h.Backend.Outgoing()
		if v >= eas.V160 && (len(sent) != 2 || sent[0].To[0] != "bo@example.org" || !bytes.Contains(sent[0].Body, []byte("ACCEPTED"))) || v < eas.V160 && len(sent) != 0 {
			t.Errorf("%d mails went out", len(sent))
		}
	})
}
