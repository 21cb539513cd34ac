package easserver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// unfolded is a stored event without the line breaks inside of lines.
func unfolded(h *bridgetest.House) string {
	return strings.ReplaceAll(string(h.Backend.Items(bridgetest.User, "calendar")["e"]), "\r\n ", "")
}

// respond sends one response.
func (r *raw) respond(a eas.MeetingAnswer) eas.MeetingResult {
	r.t.Helper()
	res, err := r.MeetingResponse(r.t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{a}})
	if err != nil || len(res.Results) != 1 {
		r.t.Fatalf("%+v was answered %+v, %v", a, res, err)
	}
	return res.Results[0]
}

// invited is a phone of somebody who is invited to the event "e", and how it
// names that.
func invited(t *testing.T, v eas.Version, event string) (*bridgetest.House, *raw, eas.MeetingAnswer) {
	t.Helper()
	h := bridgetest.Start(t, bridgetest.Options{Edit: self})
	h.Store("calendar", "e", event)
	r := newRaw(t, h, v)
	f := bridgetest.FolderOf(t, r.phone, "Calendar")
	for id := range f.Items {
		return h, r, eas.MeetingAnswer{UserResponse: 1, CollectionID: f.ServerID, RequestID: id}
	}
	t.Fatal("the phone holds no event")
	return nil, nil, eas.MeetingAnswer{}
}

// People answer an invitation in their calendar; all else of the event stays,
// and the phone hears what became of it.
func TestMeetingResponse(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h, r, a := invited(t, v, meeting("bo", bridgetest.User))
		before := len(h.Backend.Items(bridgetest.User, "calendar")["e"])
		for response, want := range map[int]string{1: "ACCEPTED", 2: "TENTATIVE", 3: "DECLINED"} {
			a.UserResponse = response
			got := r.respond(a)
			if got.Status != eas.MeetingOK || got.RequestID != a.RequestID || (got.CalendarID == a.RequestID) == (response == 3) || response == 3 && got.CalendarID != "" {
				t.Errorf("response %d was answered %+v", response, got)
			}
			if s := unfolded(h); !strings.Contains(s, "PARTSTAT="+want) || !strings.Contains(s, "X-KEEP:") || strings.Contains(s, "SCHEDULE-AGENT") || len(s) < before {
				t.Errorf("after response %d the event is\n%s", response, s)
			}
			puts := h.Backend.Calls(memory.OpPut)
			if again := r.respond(a); again != got || h.Backend.Calls(memory.OpPut) != puts {
				t.Errorf("response %d again was answered %+v, with %d writes", response, again, h.Backend.Calls(memory.OpPut)-puts)
			}
			bridgetest.Sync(t, r.phone)
			item := bridgetest.FolderOf(t, r.phone, "Calendar").Items[a.RequestID]
			if kind, _ := item.Text(tag.CalendarResponseType); v >= eas.V140 && kind != map[int]string{1: "3", 2: "2", 3: "4"}[response] {
				t.Errorf("after response %d the phone is told of ResponseType %q", response, kind)
			}
		}
	})
}

// Somebody to whom a guest forwarded a meeting answers it, too, and joins the
// guests, of whom nobody's line changes.
func TestMeetingResponseToWhatWasForwarded(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h, r, a := invited(t, v, meeting("bo", "carol"))
		for response, want := range map[int]string{1: "ACCEPTED", 2: "TENTATIVE", 3: "DECLINED"} {
			a.UserResponse = response
			if got := r.respond(a); got.Status != eas.MeetingOK {
				t.Errorf("response %d was answered %+v", response, got)
			}
			s := unfolded(h)
			for _, line := range []string{"ATTENDEE;PARTSTAT=" + want + ":mailto:ann@example.org", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:carol@example.org", "X-KEEP:", "ORGANIZER:mailto:bo@example.org"} {
				if strings.Count(s, line) != 1 {
					t.Errorf("after response %d the event is\n%s\nwant %q in it", response, s, line)
				}
			}
		}
	})
}

// [MS-ASCMD] "Status (MeetingResponse)".
func TestMeetingResponseStatuses(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h, r, good := invited(t, v, meeting("bo", bridgetest.User))
		before := unfolded(h)
		contacts := bridgetest.FolderOf(t, r.phone, "Contacts").ServerID
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		bridgetest.Sync(t, r.phone)
		var contact string
		for contact = range bridgetest.FolderOf(t, r.phone, "Contacts").Items {
		}
		for _, tt := range []struct {
			name string
			edit func(a *eas.MeetingAnswer)
		}{
			{"a response that there is not", func(a *eas.MeetingAnswer) { a.UserResponse = 4 }},
			{"no response", func(a *eas.MeetingAnswer) { a.UserResponse = 0 }},
			{"an item that is not there", func(a *eas.MeetingAnswer) { a.RequestID = a.CollectionID + ":4711" }},
			{"another folder", func(a *eas.MeetingAnswer) { a.CollectionID = contacts }},
			{"a contact", func(a *eas.MeetingAnswer) { a.CollectionID, a.RequestID = contacts, contact }},
			{"no item", func(a *eas.MeetingAnswer) { a.RequestID = "" }},
			{"a name that is too long", func(a *eas.MeetingAnswer) { a.RequestID = strings.Repeat("1", 65) }},
			{"what was found by a Search", func(a *eas.MeetingAnswer) { a.RequestID, a.CollectionID, a.LongID = "", "", "x" }},
		} {
			a := good
			tt.edit(&a)
			if got := r.respond(a); got.Status != eas.MeetingInvalid || got.CalendarID != "" {
				t.Errorf("%s was answered %+v", tt.name, got)
			}
		}
		for _, requests := range [][]eas.MeetingAnswer{nil, make([]eas.MeetingAnswer, 101)} {
			res, err := r.MeetingResponse(t.Context(), eas.MeetingResponseRequest{Requests: requests})
			if err != nil || len(res.Results) != 1 || res.Results[0].Status != eas.MeetingInvalid {
				t.Errorf("%d responses were answered %+v, %v", len(requests), res, err)
			}
		}
		if unfolded(h) != before {
			t.Errorf("the event is\n%s", unfolded(h))
		}
		for name, event := range map[string]string{
			"the organizer":     meeting(bridgetest.User, "bo"),
			"no meeting at all": bridgetest.Event("e", "Alone", time.Now().Add(time.Hour)),
		} {
			h.Store("calendar", "e", event)
			if got := r.respond(good); got.Status != eas.MeetingInvalid {
				t.Errorf("%s was answered %+v", name, got)
			}
		}
		h.Store("calendar", "e", meeting("bo", bridgetest.User))
		h.Backend.Fail(memory.Failure{Op: memory.OpPut, Times: 1, Err: backend.Errorf(backend.Transient, "test", "busy")})
		if res, err := r.MeetingResponse(t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{good}}); err == nil {
			t.Errorf("while the store was busy a response was answered %+v", res)
		}
		if got := r.respond(good); got.Status != eas.MeetingOK {
			t.Errorf("the second try was answered %+v", got)
		}
	})
}

// In a calendar that is not theirs to write, people cannot answer.
func TestMeetingResponseInAReadOnlyCalendar(t *testing.T) {
	h, r, a := invited(t, eas.V141, meeting("bo", bridgetest.User))
	h.Backend.SetCollection(bridgetest.User, backend.Collection{ID: "calendar", Kind: backend.Events, Name: "Calendar", ReadOnly: true})
	if got := r.respond(a); got.Status != eas.MeetingInvalid {
		t.Errorf("answered %+v", got)
	}
}

// One occurrence of a series is answered apart. See [MS-ASCMD] "InstanceId".
func TestMeetingResponseToAnOccurrence(t *testing.T) {
	series := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20261101T080000Z\r\nSUMMARY:S\r\n" +
		"DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nRRULE:FREQ=DAILY;COUNT=5\r\nORGANIZER:mailto:bo@example.org\r\n" +
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + bridgetest.User + "@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for _, v := range []eas.Version{eas.V141, eas.V161} { // earlier ones cannot say it
		h, r, a := invited(t, v, series)
		a.UserResponse, a.InstanceID = 3, "2026-12-02T09:00:00.000Z"
		if got := r.respond(a); got.Status != eas.MeetingOK || got.CalendarID != "" {
			t.Errorf("%s: answered %+v", v, got)
		}
		if s := unfolded(h); !strings.Contains(s, "RECURRENCE-ID:20261202T090000Z") || strings.Count(s, "PARTSTAT=DECLINED") != 1 || strings.Count(s, "PARTSTAT=ACCEPTED") != 1 {
			t.Errorf("%s: the series is\n%s", v, s)
		}
		for instance, want := range map[string]eas.Status{"2026-12-02T10:00:00.000Z": eas.Status(eas.MeetingInvalid), "tomorrow": eas.InvalidDateTime} {
			a.InstanceID = instance
			if got := r.respond(a); got.Status != eas.MeetingStatus(want) {
				t.Errorf("%s: occurrence %q was answered %+v, want %d", v, instance, got, want)
			}
		}
		h.Store("calendar", "e", meeting("bo", bridgetest.User))
		a.InstanceID = "2026-12-02T09:00:00.000Z"
		if got := r.respond(a); got.Status != eas.MeetingStatus(eas.NoRecurrenceInCalendar) {
			t.Errorf("%s: one of what does not recur was answered %+v", v, got)
		}
	}
}

// After a phone that mails its answer itself comes one that leaves it to the
// store.
func TestMeetingResponseAfterOneThatWasMailed(t *testing.T) {
	h, r, a := invited(t, eas.V161, meeting("bo", bridgetest.User))
	h.Backend.Schedule(true)
	for _, send := range []*eas.SendResponse{nil, {}} {
		a.SendResponse, a.UserResponse = send, a.UserResponse%3+1
		if got := r.respond(a); got.Status != eas.MeetingOK || strings.Contains(unfolded(h), "SCHEDULE-AGENT") != (send == nil) {
			t.Errorf("answered %+v, and the event is\n%s", got, unfolded(h))
		}
	}
}

// A response that is to be mailed takes a store that mails; without one nothing
// is written, and the phone says so to its owner. One that is not to be mailed
// keeps the store still.
func TestMeetingResponseThatIsMailed(t *testing.T) {
	conformance.Shows(t, "SendResponse", "MailSubmissionFailed", "InvalidDateTime", "MeetingInvalid")
	send := &eas.SendResponse{Body: eas.Properties{eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "Gladly")}}
	for _, tt := range []struct {
		name   string
		v      eas.Version
		mails  bool
		send   *eas.SendResponse
		status eas.Status
		silent bool // the store is told to keep still
	}{
		{"the store mails", eas.V161, true, send, 1, false},
		{"nobody mails", eas.V161, false, send, eas.MailSubmissionFailed, false},
		{"the store cannot propose another time", eas.V161, true, &eas.SendResponse{ProposedStartTime: "20261201T090000Z", ProposedEndTime: "20261201T100000Z"}, eas.MailSubmissionFailed, false},
		{"a proposed time that is none", eas.V161, true, &eas.SendResponse{ProposedStartTime: "soon", ProposedEndTime: "20261201T100000Z"}, eas.InvalidDateTime, false},
		{"a proposed end that is none", eas.V161, true, &eas.SendResponse{ProposedStartTime: "20261201T090000Z", ProposedEndTime: "late"}, eas.InvalidDateTime, false},
		{"a proposed time without an end", eas.V161, true, &eas.SendResponse{ProposedStartTime: "20261201T090000Z"}, 2, false},
		{"a proposed time that ends before it begins", eas.V161, true, &eas.SendResponse{ProposedStartTime: "20261201T090000Z", ProposedEndTime: "20261201T080000Z"}, 2, false},
		{"another time, which 16.0 does not know", eas.V160, true, &eas.SendResponse{ProposedStartTime: "soon"}, 1, false},
		{"nothing is to be mailed", eas.V161, true, nil, 1, true},
		{"nothing is to be mailed, and nobody would", eas.V161, false, nil, 1, false},
		{"the phone mails", eas.V141, true, nil, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, r, a := invited(t, tt.v, meeting("bo", bridgetest.User))
			h.Backend.Schedule(tt.mails)
			h.Backend.Fail(memory.Failure{Op: memory.OpSend, Times: -1, Err: backend.Errorf(backend.Invalid, "test", "nobody sends mail")})
			before := unfolded(h)
			a.SendResponse = tt.send
			if got := r.respond(a); got.Status != eas.MeetingStatus(tt.status) || (got.CalendarID != "") != (tt.status == 1) {
				t.Errorf("answered %+v", got)
			}
			s := unfolded(h)
			if tt.status != 1 && s != before || tt.status == 1 && !strings.Contains(s, "PARTSTAT=ACCEPTED") || strings.Contains(s, "SCHEDULE-AGENT=CLIENT") != tt.silent {
				t.Errorf("the event is\n%s", s)
			}
		})
	}
}

// A meeting that was called off cannot be answered any more, as a whole or in one
// of its occurrences; the phone is told that it was.
func TestMeetingResponseToWhatIsCancelled(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		off := strings.Replace(meeting("bo", bridgetest.User), "SUMMARY", "STATUS:CANCELLED\r\nSUMMARY", 1)
		h, r, a := invited(t, v, off)
		if status, ok := bridgetest.FolderOf(t, r.phone, "Calendar").Items[a.RequestID].Text(tag.CalendarMeetingStatus); !ok || status != "7" {
			t.Errorf("the phone is told of MeetingStatus %q, want 7", status)
		}
		before := unfolded(h)
		if got := r.respond(a); got.Status != eas.MeetingInvalid || got.CalendarID != "" || unfolded(h) != before {
			t.Errorf("answered %+v, and the event is\n%s", got, unfolded(h))
		}
	})
}

// An event that changes faster than it can be answered is told as the mailbox's
// fault, and the phone may try again.
func TestMeetingResponseToWhatChanges(t *testing.T) {
	conformance.Shows(t, "MeetingMailboxError")
	h, r, a := invited(t, eas.V161, meeting("bo", bridgetest.User))
	h.Backend.Fail(memory.Failure{Op: memory.OpPut, Times: -1, Err: backend.Errorf(backend.Conflict, "test", "changed")})
	if got := r.respond(a); got.Status != eas.MeetingMailboxError {
		t.Errorf("answered %+v, want status 3", got)
	}
	h.Backend.Mend()
	if got := r.respond(a); got.Status != eas.MeetingOK {
		t.Errorf("the second try was answered %+v", got)
	}
}
