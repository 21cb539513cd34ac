package easserver_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// weekly is a meeting of three occurrences, the second one elsewhere.
func weekly(uid, organizer, guest string) string {
	event := func(more, start, summary string) string {
		return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:" + start + "\r\nDURATION:PT1H\r\nSUMMARY:" + summary + "\r\n" + more +
			"ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:" + organizer + "@example.org\r\nATTENDEE:mailto:" + guest + "@example.org\r\n" +
			"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT\r\n"
	}
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bo//EN\r\n" + event("RRULE:FREQ=WEEKLY;COUNT=3\r\n", "20310304T090000Z", "Plan") +
		event("RECURRENCE-ID:20310311T090000Z\r\n", "20310311T150000Z", "Elsewhere") + "END:VCALENDAR\r\n"
}

// A planner has a series in the calendar, the invitation to it in the inbox, and a
// phone.
type planner struct {
	h                      *bridgetest.House
	p                      *phone.Phone
	v                      eas.Version
	calendar, inbox        phone.Folder
	event, invitation, any string
}

func newPlanner(t *testing.T, v eas.Version) *planner {
	h := mailHouse(t, self)
	series := weekly("m", "bo", bridgetest.User)
	h.Store("calendar", "m", series)
	inbox(h, map[string]string{
		"plan": "From: bo@example.org\r\nTo: ann@example.org\r\nSubject: plan\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n" +
			strings.Replace(series, "BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT", 1),
		"any": mailOf("any", "x"),
	})
	w := &planner{h: h, v: v, p: h.Phone(v, "phone1", phone.Settings{Classes: []string{eas.ClassEmail, eas.ClassCalendar}})}
	bridgetest.Sync(t, w.p)
	w.calendar, w.inbox = bridgetest.FolderOf(t, w.p, eas.ClassCalendar), folderOfType(t, w.p, eas.FolderInbox)
	for id := range w.calendar.Items {
		w.event = id
	}
	w.invitation, _ = mailNamed(t, w.inbox, "plan")
	w.any, _ = mailNamed(t, w.inbox, "any")
	return w
}

// sentParts are the calendar parts of what was sent, unfolded.
func sentParts(s memory.Sent) string {
	return strings.ReplaceAll(string(s.Body), "\r\n ", "")
}

// One occurrence of a meeting is passed on, or answered, out of the calendar and out
// of the invitation: nothing of the others goes with it.
func TestOneOccurrenceIsPassedOn(t *testing.T) {
	conformance.Shows(t, "MailSource", "NoRecurrenceInCalendar")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		w := newPlanner(t, v)
		c := w.h.Client(v, "phone1")
		mime := "From: ann@example.org\r\nTo: carl@example.org\r\nSubject: Fwd\r\nMessage-ID: <%@x>\r\n\r\nCome\r\n"
		for i, tt := range []struct {
			name         string
			source       eas.MailSource
			has, without string
		}{
			{"of the calendar", eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event, InstanceID: "2031-03-18T09:00:00.000Z"}, "RECURRENCE-ID:20310318T090000Z", "RRULE"},
			{"one that is elsewhere", eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event, InstanceID: "2031-03-11T09:00:00.000Z"}, "SUMMARY:Elsewhere", "RRULE"},
			{"of an invitation", eas.MailSource{FolderID: w.inbox.ServerID, ItemID: w.invitation, InstanceID: "2031-03-11T09:00:00.000Z"}, "SUMMARY:Elsewhere", "RRULE"},
			{"the whole", eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event}, "RRULE:FREQ=WEEKLY", "VALARM"},
		} {
			id := string(rune('a' + i))
			err := c.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: id, Source: &tt.source, Mime: []byte(strings.Replace(mime, "%", id, 1))})
			sent := w.h.Backend.Outgoing()
			if err != nil || len(sent) != i+1 {
				t.Fatalf("%s: %v, %d were sent", tt.name, err, len(sent))
			}
			text := sentParts(sent[i])
			if !slices.Equal(sent[i].To, []string{"carl@example.org"}) || !strings.Contains(text, "METHOD:REQUEST") || !strings.Contains(text, "method=REQUEST") ||
				!strings.Contains(text, "ORGANIZER") || !strings.Contains(text, tt.has) || strings.Contains(text, tt.without) || strings.Contains(text, "SCHEDULE-AGENT") {
				t.Errorf("%s: sent was\n%s", tt.name, text)
			}
		}
		one := &eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event, InstanceID: "2031-03-11T09:00:00.000Z"}
		if err := c.SmartReply(t.Context(), eas.SmartReplyRequest{ClientID: "r", Source: one, Mime: []byte(strings.Replace(mime, "%", "r", 1))}); err != nil {
			t.Fatal(err)
		}
		sent := w.h.Backend.Outgoing()
		if text := sentParts(sent[len(sent)-1]); !strings.Contains(text, "Subject: Elsewhere") || !strings.Contains(text, "2031-03-11 15:00") || strings.Contains(text, "BEGIN:VEVENT") {
			t.Errorf("the answer was\n%s", text)
		}
		for _, tt := range []struct {
			name   string
			source eas.MailSource
			want   eas.Status
		}{
			{"no time", eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event, InstanceID: "soon"}, eas.InvalidDateTime},
			{"no occurrence then", eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event, InstanceID: "2031-03-12T09:00:00.000Z"}, eas.InvalidMIME},
			{"of a mail", eas.MailSource{FolderID: w.inbox.ServerID, ItemID: w.any, InstanceID: "2031-03-11T09:00:00.000Z"}, eas.NoRecurrenceInCalendar},
		} {
			err := c.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: "bad", Source: &tt.source, Mime: []byte(strings.Replace(mime, "%", "bad", 1))})
			checkRefused(t, v, err, tt.want)
		}
		if n := len(w.h.Backend.Outgoing()); n != len(sent) {
			t.Errorf("%d more were sent", n-len(sent))
		}
	})
}

// From 16.0 on a meeting is passed on by the names of people: they get the invitation,
// and the organizer is told, once.
func TestMeetingIsPassedOnToForwardees(t *testing.T) {
	conformance.Shows(t, "Forwardee", "UnexpectedItemClass")
	for _, v := range []eas.Version{eas.V160, eas.V161} {
		w := newPlanner(t, v)
		c := w.h.Client(v, "phone1")
		for i, source := range []eas.MailSource{{FolderID: w.calendar.ServerID, ItemID: w.event}, {FolderID: w.inbox.ServerID, ItemID: w.invitation}} {
			m := eas.SmartForwardRequest{ClientID: string(rune('a' + i)), SaveInSentItems: true, Source: &source,
				Forwardees: []eas.Forwardee{{Name: "Größe, Carl", Email: "carl@example.org"}, {Email: "dora@example.org"}},
				Body:       eas.Properties{eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "Come along")}}
			if err := c.SmartForward(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			checkRefused(t, v, c.SmartForward(t.Context(), m), eas.MessagePreviouslySent)
			sent := w.h.Backend.Outgoing()
			if len(sent) != 2*i+2 {
				t.Fatalf("%d were sent, want %d", len(sent), 2*i+2)
			}
			invitation, notice := sent[2*i], sent[2*i+1]
			if text := sentParts(invitation); !slices.Equal(invitation.To, []string{"carl@example.org", "dora@example.org"}) || !strings.Contains(text, "METHOD:REQUEST") ||
				!strings.Contains(text, "Come along") || !strings.Contains(text, "RRULE") {
				t.Errorf("the invitation is for %v:\n%s", invitation.To, text)
			}
			if !slices.Equal(notice.To, []string{"bo@example.org"}) || !bytes.Contains(notice.Body, []byte("dora@example.org")) || bytes.Contains(notice.Body, []byte("Come along")) {
				t.Errorf("the organizer is told, by a mail to %v:\n%s", notice.To, notice.Body)
			}
		}
		if n := len(w.h.Backend.Items(bridgetest.User, "sent")); n != 2 {
			t.Errorf("%d copies were kept, want 2", n)
		}
		bad := eas.SmartForwardRequest{ClientID: "bad", Source: &eas.MailSource{FolderID: w.inbox.ServerID, ItemID: w.any}, Forwardees: []eas.Forwardee{{Email: "carl@example.org"}}}
		checkRefused(t, v, c.SmartForward(t.Context(), bad), eas.UnexpectedItemClass)
		bad.Source = &eas.MailSource{FolderID: w.calendar.ServerID, ItemID: w.event}
		bad.Forwardees[0].Email = "carl>\r\nBcc: eve@example.com"
		if err := c.SmartForward(t.Context(), bad); err == nil {
			for _, s := range w.h.Backend.Outgoing() {
				if slices.ContainsFunc(s.To, func(to string) bool { return strings.Contains(to, "eve") }) && bytes.Contains(s.Body, []byte("\r\nBcc:")) {
					t.Errorf("a name in it became a field: %v\n%s", s.To, s.Body)
				}
			}
		}
	}
}

// A meeting of one's own is passed on without a notice to oneself; and nobody is told
// of what did not go out.
func TestNoticeOfForwardees(t *testing.T) {
	w := newPlanner(t, eas.V161)
	w.h.Store("calendar", "own", strings.ReplaceAll(weekly("own", bridgetest.User, "bo"), "SUMMARY:", "SUMMARY:Own "))
	bridgetest.Sync(t, w.p)
	own := ""
	for id, it := range bridgetest.FolderOf(t, w.p, eas.ClassCalendar).Items {
		if s, _ := it.Text(tag.CalendarSubject); strings.HasPrefix(s, "Own") {
			own = id
		}
	}
	c := w.h.Client(eas.V161, "phone1")
	forward := func(id, item string) error {
		return c.SmartForward(t.Context(), eas.SmartForwardRequest{ClientID: id, Source: &eas.MailSource{FolderID: w.calendar.ServerID, ItemID: item}, Forwardees: []eas.Forwardee{{Email: "carl@example.org"}}})
	}
	if err := forward("own", own); err != nil || len(w.h.Backend.Outgoing()) != 1 {
		t.Errorf("one's own: %v, and %d were sent", err, len(w.h.Backend.Outgoing()))
	}
	w.h.Backend.Fail(memory.Failure{Op: memory.OpSend, Err: backend.Errorf(backend.Transient, "smtp", "later"), Times: 1})
	if err := forward("two", w.event); err == nil || len(w.h.Backend.Outgoing()) != 1 {
		t.Errorf("while nothing can be sent: %v, and %d were sent", err, len(w.h.Backend.Outgoing()))
	}
	if err := forward("two", w.event); err != nil || len(w.h.Backend.Outgoing()) != 3 {
		t.Errorf("again: %v, and %d were sent, want the invitation and the notice", err, len(w.h.Backend.Outgoing()))
	}
}
