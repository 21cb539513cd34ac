package mail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
)

const plannedMeeting = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:m1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20301123T110000Z\r\n" +
	"DTEND:20301123T120000Z\r\nSUMMARY:Größe\r\nORGANIZER;CN=Ann Ä:mailto:ann@example.org\r\nATTENDEE;CN=\"Bob, B.\":mailto:bob@example.com\r\nATTENDEE:mailto:cy@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// What guests get is an invitation, and a cancellation, to every program.
func TestMeetingNotice(t *testing.T) {
	o := options(eas.V161)
	o.Self = []string{"ann@example.org"}
	for _, tt := range []struct {
		before, after          string
		method, class, subject string
	}{
		{"", plannedMeeting, "REQUEST", "IPM.Schedule.Meeting.Request", "Größe"},
		{plannedMeeting, "", "CANCEL", "IPM.Schedule.Meeting.Canceled", "Cancelled: Größe"},
	} {
		list, err := calendar.Notices([]byte(tt.before), []byte(tt.after), o)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d notices, %v", len(list), err)
		}
		out, err := MeetingNotice(list[0], ann)
		raw := written(t, out, err)
		if d := cmp.Diff([]string{"bob@example.com", "cy@example.com"}, out.Recipients); d != "" || out.From != "ann@example.org" {
			t.Errorf("from %s, -want +got:\n%s", out.From, d)
		}
		if _, method, err := Invitation(message([]byte(raw))); err != nil || method != tt.method {
			t.Errorf("it is a %s, %v, want %s", method, err, tt.method)
		}
		ps := show(t, message([]byte(raw)), options(eas.V161))
		if class, subject := get(ps, tag.EmailMessageClass), get(ps, tag.EmailSubject); class != tt.class || subject != tt.subject {
			t.Errorf("a phone is shown %q of class %s, want %q of %s", subject, class, tt.subject, tt.class)
		}
		if text := get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData); !strings.HasPrefix(text, "Größe\r\nWhen: Saturday, 23 November 2030, 11:00 to 12:00 (UTC)") {
			t.Errorf("the text is %q", text)
		}
		if uid, method := Scheduling([]byte(raw)); uid != "m1" || method != tt.method {
			t.Errorf("Scheduling = %q, %q", uid, method)
		}
		if uid, method := Scheduling([]byte("Cc: eve@example.com\r\n" + raw)); uid != "" || method != "" {
			t.Errorf("with somebody else: Scheduling = %q, %q", uid, method)
		}
	}
	if uid, method := Scheduling([]byte("To: bob@example.com\r\n\r\nHello")); uid != "" || method != "" {
		t.Errorf("a mail like any other: Scheduling = %q, %q", uid, method)
	}
}
