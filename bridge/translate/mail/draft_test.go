package mail

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
)

func bodyOf(kind, data string) eas.Element {
	return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, kind), eas.T(tag.AirSyncBaseData, data))
}

func addOf(client, name, kind, content string, more ...eas.Element) eas.Element {
	return eas.C(tag.AirSyncBaseAdd, append([]eas.Element{eas.T(tag.AirSyncBaseClientId, client), eas.T(tag.AirSyncBaseDisplayName, name), eas.T(tag.AirSyncBaseMethod, "1"),
		eas.T(tag.AirSyncBaseContentType, kind), {Tag: tag.AirSyncBaseContent, Opaque: []byte(content)}}, more...)...)
}

func references(made *Outgoing) map[string]string {
	got := map[string]string{}
	for _, el := range Attached(made, options(eas.V161)) {
		for _, a := range el.Children {
			got[get(a.Children, tag.AirSyncBaseClientId)] = get(a.Children, tag.AirSyncBaseFileReference)
		}
	}
	return got
}

func TestDraft(t *testing.T) {
	sent := eas.Properties{
		eas.T(tag.EmailTo, `"Doe, Jané" <jane@example.com>, bob@example.com`), eas.T(tag.EmailCc, "c@example.com"), eas.T(tag.Email2Bcc, "d@example.com"),
		eas.T(tag.EmailSubject, "Größe\r\nX-Evil: 1"), eas.T(tag.EmailImportance, "2"),
		bodyOf("2", `<html><body>See <b>this</b> <img src="cid:p1"></body></html>`),
		eas.C(tag.AirSyncBaseAttachments, addOf("1", "Pläne.pdf", "application/pdf", "%PDF"), addOf("2", "p.png", "image/png", "\x89PNG", eas.T(tag.AirSyncBaseContentId, "p1"), eas.T(tag.AirSyncBaseIsInline, "1")), addOf("3", "", "nonsense", "x")),
	}
	o, err := NewDraft(sent, ann)
	raw := written(t, o, err)
	ps := show(t, Message{Body: []byte(raw), Flags: []string{DraftFlag}, Received: received}, options(eas.V161))
	for _, want := range []struct{ what, got, want string }{
		{"To", get(ps, tag.EmailTo), `"Doe, Jané" <jane@example.com>, bob@example.com`}, {"Cc", get(ps, tag.EmailCc), "c@example.com"}, {"Bcc", get(ps, tag.Email2Bcc), "d@example.com"},
		{"Subject", get(ps, tag.EmailSubject), "Größe X-Evil: 1"}, {"Importance", get(ps, tag.EmailImportance), "2"}, {"From", get(ps, tag.EmailFrom), `"Ann Doe" <ann@example.org>`},
		{"Body", get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData), `<html><body>See <b>this</b> <img src="cid:p1"></body></html>`}, {"IsDraft", get(ps, tag.Email2IsDraft), "1"},
	} {
		if want.got != want.want {
			t.Errorf("%s: %q, want %q", want.what, want.got, want.want)
		}
	}
	if d := cmp.Diff(map[string]string{"1": "7:12/2", "2": "7:12/1.2", "3": "7:12/3"}, references(o)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for number, want := range map[string]string{"2": "Pläne.pdf application/pdf %PDF", "1.2": "p.png image/png \x89PNG", "3": "attachment application/octet-stream x"} {
		a, err := Attachment(message([]byte(raw)), number)
		if got := a.Name + " " + a.MediaType + " " + string(a.Data); err != nil || got != want {
			t.Errorf("part %s: %q, %v; want %q", number, got, err, want)
		}
	}
	later := ann
	later.Now = received.AddDate(0, 0, 3)
	sendIt, err := SendDraft(Original{Message: message([]byte(raw), DraftFlag)}, later)
	if out := written(t, sendIt, err); !strings.Contains(out, "Date: Tue, 01 Dec 2026") || strings.Contains(out, "Bcc") || len(sendIt.Recipients) != 4 || strings.Contains(out, "\nX-Evil") {
		t.Errorf("to %q:\n%s", sendIt.Recipients, out)
	}
}

// TestWordsThatLookEncoded: what a person wrote is read as they wrote it.
func TestWordsThatLookEncoded(t *testing.T) {
	const odd = "=?utf-8?q?a?= and more of it, so that it takes two lines of a header"
	o, err := NewDraft(eas.Properties{eas.T(tag.EmailSubject, odd), eas.C(tag.AirSyncBaseAttachments, addOf("1", "=?utf-8?q?a?=.txt", "text/plain", "x"))}, ann)
	raw := written(t, o, err)
	ps := show(t, message([]byte(raw)), options(eas.V161))
	if got := get(ps, tag.EmailSubject); got != odd {
		t.Errorf("subject %q", got)
	}
	if _, _, files := texts(t, raw); len(files) != 1 || files[0] != "=?utf-8?q?a?=.txt x" {
		t.Errorf("files %q", files)
	}
}

func TestEditDraft(t *testing.T) {
	o, err := NewDraft(eas.Properties{eas.T(tag.EmailTo, "a@example.com"), eas.T(tag.Email2Bcc, "b@example.com"), eas.T(tag.EmailSubject, "One"), bodyOf("1", "first"),
		eas.C(tag.AirSyncBaseAttachments, addOf("1", "a.txt", "text/plain", "A"), addOf("2", "b.txt", "text/plain", "B"))}, ann)
	first := strings.Replace(written(t, o, err), "Subject:", "X-Kept: yes\r\nReferences: <x@example.com>\r\nSubject:", 1)
	original := Original{Message: message([]byte(first))}
	edit := func(sent ...eas.Element) (*Outgoing, string) {
		o, err := EditDraft(original, sent, ann)
		return o, written(t, o, err)
	}
	files := eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseDelete, eas.T(tag.AirSyncBaseFileReference, "7:12/2")), addOf("9", "c.txt", "text/plain", "C"))
	made, raw := edit(files)
	plain, _, got := texts(t, raw)
	if d := cmp.Diff([]string{"b.txt B", "c.txt C"}, got); d != "" || plain != "first" {
		t.Errorf("text %q, -want +got:\n%s", plain, d)
	}
	if d := cmp.Diff(map[string]string{"9": "7:12/3"}, references(made)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, field := range []string{"X-Kept: yes\r\n", "References: <x@example.com>\r\n", "To: a@example.com\r\n", "Bcc: b@example.com\r\n", "Subject: One\r\n"} {
		if !strings.Contains(raw, field) {
			t.Errorf("%q is missing in\n%s", field, raw)
		}
	}
	_, raw = edit(eas.T(tag.EmailSubject, "Two"), eas.T(tag.EmailTo, ""), bodyOf("1", "Größe"))
	if plain, _, got = texts(t, raw); plain != "Größe" || len(got) != 2 || strings.Contains(raw, "\nTo:") || !strings.Contains(raw, "Subject: Two\r\n") {
		t.Errorf("text %q, files %q:\n%s", plain, got, raw)
	}
	if again, _ := edit(); again.MessageID != o.MessageID {
		t.Errorf("the draft's id changed from %s to %s", o.MessageID, again.MessageID)
	}
}

func TestDraftRefused(t *testing.T) {
	for name, sent := range map[string]eas.Element{
		"a body of MIME": bodyOf("4", "x"),
		"a long text":    bodyOf("1", strings.Repeat("x", maxDraftText+1)),
		"no base64":      eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseContent, "?"))),
		"somebody else":  eas.T(tag.EmailFrom, "boss@example.org"),
	} {
		if _, err := NewDraft(eas.Properties{sent}, ann); !errors.Is(err, translate.ErrInvalid) {
			t.Errorf("%s: error = %v, want ErrInvalid", name, err)
		}
	}
	if o, err := NewDraft(nil, ann); err != nil || len(o.Recipients) > 0 {
		t.Errorf("an empty draft: %v", err)
	}
	if _, err := EditDraft(Original{}, nil, ann); !errors.Is(err, translate.ErrUnreadable) {
		t.Errorf("a draft of nothing: %v", err)
	}
}

func TestMeetingReply(t *testing.T) {
	ics, method, err := Invitation(message(sample(t, "meeting")))
	if err != nil || method != "REQUEST" {
		t.Fatalf("%s, %v", method, err)
	}
	for _, tt := range []struct {
		name    string
		a       calendar.Answer
		comment string
		class   string
		has     []string
	}{
		{"yes", calendar.Answer{Response: calendar.Accepted}, "", "IPM.Schedule.Meeting.Resp.Pos", []string{"PARTSTAT=ACCEPTED", "RRULE:", "Subject: Accepted: Plan\r\n"}},
		{"perhaps", calendar.Answer{Response: calendar.Tentative}, "Größe,\nja", "IPM.Schedule.Meeting.Resp.Tent", []string{"PARTSTAT=TENTATIVE"}},
		{"no, once", calendar.Answer{Response: calendar.Declined, Instance: "20261214T090000Z"}, "", "IPM.Schedule.Meeting.Resp.Neg", []string{"RECURRENCE-ID;TZID=Europe/Berlin:20261214T100000", "DTEND;TZID=Europe/Berlin:20261214T110000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := MeetingReply(ics, tt.a, tt.comment, ann)
			raw := written(t, o, err)
			if d := cmp.Diff([]string{"carl@example.com"}, o.Recipients); d != "" || o.From != "ann@example.org" {
				t.Errorf("from %s, -want +got:\n%s", o.From, d)
			}
			made, method, err := Invitation(message([]byte(raw)))
			if err != nil || method != "REPLY" {
				t.Fatalf("%s, %v", method, err)
			}
			unfolded := strings.ReplaceAll(string(made), "\r\n ", "")
			for _, want := range append(tt.has, "UID:{81412D3C-2A24-4E9D-B20E-11F7BBE92799}\r\n", "SEQUENCE:1\r\n", "mailto:ann@example.org", "ORGANIZER;CN=Carl:mailto:carl@example.com") {
				if !strings.Contains(unfolded, want) && !strings.Contains(raw, want) {
					t.Errorf("%q is missing in\n%s", want, unfolded)
				}
			}
			if strings.Contains(unfolded, "VALARM") || tt.a.Instance != "" && strings.Contains(unfolded, "RRULE") {
				t.Errorf("too much in\n%s", unfolded)
			}
			ps := show(t, message([]byte(raw)), options(eas.V161))
			if got := get(ps, tag.EmailMessageClass); got != tt.class {
				t.Errorf("the class is %s, want %s", got, tt.class)
			}
			if got := get(ps, tag.AirSyncBaseBody, tag.AirSyncBaseData); tt.comment != "" && !strings.HasPrefix(got, "Größe,\r\nja") {
				t.Errorf("the text is %q", got)
			}
		})
	}
	for name, ics := range map[string]string{"nothing": "", "no organizer": strings.ReplaceAll(string(ics), "ORGANIZER", "X-O"), "no event": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"} {
		if _, err := MeetingReply([]byte(ics), calendar.Answer{Response: calendar.Accepted}, "", ann); !errors.Is(err, translate.ErrInvalid) && !errors.Is(err, translate.ErrUnreadable) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

// Who would come at another time says so, in the form of the meeting's own time, and
// not to who wants none proposed.
func TestMeetingCounter(t *testing.T) {
	ics, _, err := Invitation(message(sample(t, "meeting")))
	if err != nil {
		t.Fatal(err)
	}
	ics = bytes.ReplaceAll(ics, []byte("X-MICROSOFT-DISALLOW-COUNTER:TRUE\r\n"), nil)
	other := Proposal{Start: time.Date(2026, 12, 15, 9, 30, 0, 0, time.UTC), End: time.Date(2026, 12, 15, 11, 0, 0, 0, time.UTC)}
	wholeDay := regexp.MustCompile(`(DTSTART|DTEND);TZID=[^:]*:(\d{8})T\d{6}`).ReplaceAll(ics, []byte("$1;VALUE=DATE:$2"))
	for _, tt := range []struct {
		name string
		ics  []byte
		a    calendar.Answer
		has  []string
	}{
		{"the whole", ics, calendar.Answer{Response: calendar.Tentative}, []string{"PARTSTAT=TENTATIVE", "RRULE:", "DTSTART;TZID=Europe/Berlin:20261215T103000", "DTEND;TZID=Europe/Berlin:20261215T120000"}},
		{"one occurrence", ics, calendar.Answer{Response: calendar.Declined, Instance: "20261214T090000Z"}, []string{"PARTSTAT=DECLINED", "RECURRENCE-ID;TZID=Europe/Berlin:20261214T100000",
			"DTSTART;TZID=Europe/Berlin:20261215T103000", "X-MS-OLK-ORIGINALSTART;TZID=Europe/Berlin:20261214T100000", "X-MS-OLK-ORIGINALEND;TZID=Europe/Berlin:20261214T110000"}},
		{"a whole day", wholeDay, calendar.Answer{Response: calendar.Tentative}, []string{"DTSTART:20261215T093000Z", "DTEND:20261215T110000Z", "X-MS-OLK-ORIGINALSTART;VALUE=DATE:"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := MeetingCounter(tt.ics, tt.a, other, "Later?", ann)
			raw := written(t, o, err)
			made, method, err := Invitation(message([]byte(raw)))
			if err != nil || method != "COUNTER" {
				t.Fatalf("%s, %v", method, err)
			}
			unfolded := strings.ReplaceAll(string(made), "\r\n ", "")
			for _, want := range append(tt.has, "Subject: New time proposed: Plan\r\n", "COMMENT:Later?", "ORGANIZER;CN=Carl:mailto:carl@example.com") {
				if !strings.Contains(unfolded, want) && !strings.Contains(raw, want) {
					t.Errorf("%q is missing in\n%s", want, unfolded)
				}
			}
			_, event, _ := strings.Cut(unfolded, "BEGIN:VEVENT")
			if strings.Count(event, "\nDTSTART") != 1 || strings.Count(event, "\nDTEND") != 1 {
				t.Errorf("there is another time than one in\n%s", event)
			}
			want := map[calendar.Response]string{calendar.Tentative: "IPM.Schedule.Meeting.Resp.Tent", calendar.Declined: "IPM.Schedule.Meeting.Resp.Neg"}[tt.a.Response]
			if got := get(show(t, message([]byte(raw)), options(eas.V161)), tag.EmailMessageClass); got != want {
				t.Errorf("the class is %s, want %s", got, want)
			}
		})
	}
	none := strings.Replace(string(ics), "SUMMARY", "X-MICROSOFT-DISALLOW-COUNTER:TRUE\r\nSUMMARY", 1)
	if _, err := MeetingCounter([]byte(none), calendar.Answer{Response: calendar.Tentative}, other, "", ann); !errors.Is(err, translate.ErrInvalid) {
		t.Errorf("to who wants none proposed: %v", err)
	}
}
