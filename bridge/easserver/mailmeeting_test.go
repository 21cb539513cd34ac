package easserver_test

import (
	"bytes"
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// A guest has a phone that answers invitations, which lie in the inbox, and wants the
// organizer told.
type guest struct {
	t     *testing.T
	h     *bridgetest.House
	p     *phone.Phone
	inbox phone.Folder
	by    string // the phone that answers
}

func newGuest(t *testing.T, subjects ...string) *guest {
	h := mailHouse(t, self)
	messages := make(map[string]string)
	for _, s := range subjects {
		messages[s] = invitationMail(s, time.Now().Add(time.Hour))
	}
	inbox(h, messages)
	p := h.Phone(eas.V161, "phone1", phone.Settings{Classes: []string{eas.ClassEmail, eas.ClassCalendar}})
	bridgetest.Sync(t, p)
	return &guest{t, h, p, folderOfType(t, p, eas.FolderInbox), "phone1"}
}

func (a *guest) say(m eas.MeetingAnswer) eas.MeetingResult {
	a.t.Helper()
	if m.SendResponse == nil {
		m.SendResponse = new(eas.SendResponse)
	}
	res, err := a.h.Client(eas.V161, a.by).MeetingResponse(a.t.Context(), eas.MeetingResponseRequest{Requests: []eas.MeetingAnswer{m}})
	if err != nil || len(res.Results) != 1 {
		a.t.Fatalf("%+v, %v", res, err)
	}
	return res.Results[0]
}

// mailed are how many answers went out, and what the last one says.
func (a *guest) mailed(n int, partstat string) {
	a.t.Helper()
	sent := a.h.Backend.Outgoing()
	if len(sent) != n || !bytes.Contains(sent[n-1].Body, []byte(partstat)) {
		a.t.Errorf("%d answers were mailed, want %d, the last one %s", len(sent), n, partstat)
	}
}

// A phone that repeats its answer, because it did not hear what came of it, is told
// that all is well, and nobody is told twice.
func TestAnswerIsRepeated(t *testing.T) {
	a := newGuest(t, "yes", "no", "other")
	for i, tt := range []struct {
		subject  string
		response int
		partstat string
	}{{"yes", 1, "ACCEPTED"}, {"no", 3, "DECLINED"}} {
		id, _ := mailNamed(t, a.inbox, tt.subject)
		for range 3 {
			if r := a.say(eas.MeetingAnswer{UserResponse: tt.response, CollectionID: a.inbox.ServerID, RequestID: id}); r.Status != eas.MeetingOK {
				t.Errorf("%s: answered %+v", tt.subject, r)
			}
			a.mailed(i+1, tt.partstat)
		}
		// Another answer to what is gone is none.
		if r := a.say(eas.MeetingAnswer{UserResponse: 2, CollectionID: a.inbox.ServerID, RequestID: id}); r.Status != eas.MeetingInvalid {
			t.Errorf("%s, another answer: answered %+v", tt.subject, r)
		}
	}
	other, _ := mailNamed(t, a.inbox, "other")
	a.h.Backend.Remove(bridgetest.User, "inbox", "other")
	if r := a.say(eas.MeetingAnswer{UserResponse: 1, CollectionID: a.inbox.ServerID, RequestID: other}); r.Status != eas.MeetingInvalid {
		t.Errorf("an invitation that somebody deleted: answered %+v", r)
	}
	a.mailed(2, "DECLINED")
}

// Invitations that a search found are different ones, too.
func TestAnswersByLongID(t *testing.T) {
	a := newGuest(t, "one", "two")
	for i, subject := range []string{"one", "two"} {
		id, _ := mailNamed(t, a.inbox, subject)
		if r := a.say(eas.MeetingAnswer{UserResponse: 1, LongID: id}); r.Status != eas.MeetingOK {
			t.Errorf("answered %+v", r)
		}
		a.mailed(i+1, subject)
	}
}

// Who changes their mind, and changes it back, tells the organizer each time.
func TestAnswerIsTakenBack(t *testing.T) {
	a := newGuest(t, "tea")
	id, _ := mailNamed(t, a.inbox, "tea")
	event := a.say(eas.MeetingAnswer{UserResponse: 1, CollectionID: a.inbox.ServerID, RequestID: id}).CalendarID
	bridgetest.Sync(t, a.p)
	calendar := bridgetest.FolderOf(t, a.p, eas.ClassCalendar)
	bridgetest.Sync(t, a.h.Phone(eas.V161, "phone2", phone.Settings{}))
	for i, response := range []int{3, 1, 3, 2, 1} {
		a.by = []string{"phone1", "phone2", "phone2", "phone1", "phone2"}[i] // and by whichever phone
		for range 2 {                                                        // the second time is a repetition
			if r := a.say(eas.MeetingAnswer{UserResponse: response, CollectionID: calendar.ServerID, RequestID: event}); r.Status != eas.MeetingOK {
				t.Fatalf("answered %+v", r)
			}
			a.mailed(i+2, map[int]string{1: "PARTSTAT=ACCEPTED", 2: "PARTSTAT=TENTATIVE", 3: "PARTSTAT=DECLINED"}[response])
		}
	}
	if n := len(a.h.Backend.Items(bridgetest.User, "sent")); n != 6 {
		t.Errorf("%d copies are kept, want 6", n)
	}
}

// Who would come at another time says so by mail, out of the inbox and out of the
// calendar, also where the calendar server mails the answers itself; a repetition is
// mailed once, and who accepts then says that, too.
func TestAnotherTimeIsProposed(t *testing.T) {
	conformance.Shows(t, "SendResponse")
	for _, schedules := range []bool{true, false} {
		a := newGuest(t, "tea")
		a.h.Backend.Schedule(schedules)
		id, _ := mailNamed(t, a.inbox, "tea")
		send := func(start string) *eas.SendResponse {
			return &eas.SendResponse{ProposedStartTime: start, ProposedEndTime: "20261201T100000Z", Body: eas.Properties{eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "Later?")}}
		}
		event := ""
		for range 2 {
			r := a.say(eas.MeetingAnswer{UserResponse: 2, CollectionID: a.inbox.ServerID, RequestID: id, SendResponse: send("20261201T090000Z")})
			if event = cmp.Or(event, r.CalendarID); r.Status != eas.MeetingOK {
				t.Errorf("answered %+v", r)
			}
			a.mailed(1, "METHOD:COUNTER")
			a.mailed(1, "DTSTART:20261201T090000Z")
			a.mailed(1, "Later?")
		}
		bridgetest.Sync(t, a.p)
		calendar := bridgetest.FolderOf(t, a.p, eas.ClassCalendar)
		answer := eas.MeetingAnswer{UserResponse: 3, CollectionID: calendar.ServerID, RequestID: event, SendResponse: send("20261201T093000Z")}
		if r := a.say(answer); r.Status != eas.MeetingOK {
			t.Errorf("in the calendar: answered %+v", r)
		}
		a.mailed(2, "DTSTART:20261201T093000Z")
		answer.UserResponse, answer.SendResponse = 1, nil
		if r := a.say(answer); r.Status != eas.MeetingOK {
			t.Errorf("accepted: answered %+v", r)
		}
		if !schedules { // else the calendar server mails it
			a.mailed(3, "METHOD:REPLY")
		}
	}
}

// Who wants no other times is sent none, and nothing is written.
func TestNoOtherTimeIsWanted(t *testing.T) {
	a := newGuest(t)
	text := strings.Replace(invitationMail("tea", time.Now().Add(time.Hour)), "SUMMARY", "X-MICROSOFT-DISALLOW-COUNTER:TRUE\r\nSUMMARY", 1)
	inbox(a.h, map[string]string{"tea": text})
	bridgetest.Sync(t, a.p)
	a.inbox = folderOfType(t, a.p, eas.FolderInbox)
	id, _ := mailNamed(t, a.inbox, "tea")
	r := a.say(eas.MeetingAnswer{UserResponse: 2, CollectionID: a.inbox.ServerID, RequestID: id,
		SendResponse: &eas.SendResponse{ProposedStartTime: "20261201T090000Z", ProposedEndTime: "20261201T100000Z"}})
	if r.Status != eas.MeetingInvalid {
		t.Errorf("answered %+v", r)
	}
	if events := a.h.Backend.Items(bridgetest.User, "calendar"); len(events) != 0 || len(a.h.Backend.Outgoing()) != 0 {
		t.Errorf("the calendar has %d events, and %d mails went out", len(events), len(a.h.Backend.Outgoing()))
	}
}
