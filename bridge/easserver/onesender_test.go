package easserver_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// withoutMail is a store that sends no mail of phones.
type withoutMail struct{ *memory.Backend }

func (b withoutMail) Extras() []backend.Extra {
	return slices.DeleteFunc(b.Backend.Extras(), func(e backend.Extra) bool { return e == backend.ExtraSend })
}

func (b withoutMail) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return mailless{s.(*memory.Session), b.Extras()}, nil
}

type mailless struct {
	*memory.Session
	extras []backend.Extra
}

func (s mailless) Extras() []backend.Extra { return s.extras }

// A office is a house in which it is counted who is told what of a meeting, and by whom.
type office struct {
	t         *testing.T
	h         *bridgetest.House
	v         eas.Version
	schedules bool
	mails     bool
	early     bool // the phone mails before it synchronizes
}

func newOffice(t *testing.T, v eas.Version, schedules, mails bool) *office {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		self(o)
		if !mails {
			o.Backends[0].Backend = withoutMail{o.Backends[0].Backend.(*memory.Backend)}
		}
	}})
	for _, c := range memory.MailCollections() {
		h.Backend.SetCollection(bridgetest.User, c)
	}
	h.Backend.Schedule(schedules)
	return &office{t: t, h: h, v: v, schedules: schedules, mails: mails}
}

// stored is the one event of the calendar, or "".
func (o *office) stored() string {
	for _, body := range o.h.Backend.Items(bridgetest.User, "calendar") {
		return string(body)
	}
	return ""
}

// mail has the phone mail a method about an event to somebody.
func (o *office) mail(what, method, to, event string) error {
	o.t.Helper()
	return sendNew(o.t, o.h, o.v, what, fmt.Sprintf("From: ann@example.org\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%d@phone>\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=%s; charset=utf-8\r\n\r\n%s",
		to, what, time.Now().UnixNano(), method, strings.Replace(event, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:"+method, 1)))
}

// do has the phone do something, and mail what phones up to 14.1 then mail: a method
// to somebody. It answers all that is mailed to them, by whomever, and what came of
// the phone's own mail.
func (o *office) do(what, method, to string, act func()) (all []string, phone error) {
	o.t.Helper()
	before, sent := o.stored(), len(o.h.Backend.Outgoing())
	if o.early {
		newRaw(o.t, o.h, o.v) // is shown what is there
		phone = o.mail(what, method, to, before)
	}
	act()
	after := o.stored()
	if o.v < eas.V160 && !o.early {
		phone = o.mail(what, method, to, cmp.Or(after, before))
	}
	for _, m := range o.h.Backend.Outgoing()[sent:] {
		if slices.Contains(m.To, to) {
			for _, line := range strings.Split(string(m.Body), "\r\n") {
				if strings.HasPrefix(line, "METHOD:") {
					all = append(all, "mail "+line[7:])
				}
			}
		}
	}
	if o.schedules {
		all = append(all, schedulers(o.t, before, after, to)...)
	}
	return all, phone
}

// schedulers is what a server that schedules mails to somebody because of a change. See
// RFC 6638, sections 3.2.1 and 3.2.2, and the table in 3.2.1.2.
func schedulers(t *testing.T, before, after, to string) []string {
	t.Helper()
	read := func(ics string) (event *contentline.Component) {
		if ics == "" {
			return nil
		}
		doc, err := contentline.Parse([]byte(ics))
		if err != nil {
			t.Fatal(err)
		}
		return doc.Component("VCALENDAR").Component("VEVENT")
	}
	line := func(c *contentline.Component, name, who string) *contentline.Line {
		if c == nil {
			return nil
		}
		for _, l := range c.All(name) {
			if strings.EqualFold(l.Value(), "mailto:"+who) {
				return l
			}
		}
		return nil
	}
	agent := func(l *contentline.Line) string {
		if l == nil {
			return "none"
		}
		if a := l.Param("SCHEDULE-AGENT"); a != "" {
			return a
		}
		return "SERVER"
	}
	old, now := read(before), read(after)
	if own := line(now, "ATTENDEE", "ann@example.org"); own != nil && line(now, "ORGANIZER", to) != nil {
		was := line(old, "ATTENDEE", "ann@example.org")
		if (was == nil || was.Param("PARTSTAT") != own.Param("PARTSTAT")) && agent(line(now, "ORGANIZER", to)) == "SERVER" {
			return []string{"server REPLY"}
		}
		return nil
	}
	print := func(c *contentline.Component) string {
		return c.Get("DTSTART").Value() + c.Get("SUMMARY").Value()
	}
	switch was, is := agent(line(old, "ATTENDEE", to)), agent(line(now, "ATTENDEE", to)); {
	case was == "SERVER" && is != "SERVER":
		return []string{"server CANCEL"}
	case was == "SERVER" && is == "SERVER" && print(old) == print(now):
		return nil
	case is == "SERVER":
		return []string{"server REQUEST"}
	}
	return nil
}

// command has the phone send one command for its calendar, twice: the second time is a
// repetition, as of a phone that did not hear the answer.
func (o *office) command(make func(r *raw, c *eas.SyncCollection, id string)) {
	o.t.Helper()
	r := newRaw(o.t, o.h, o.v)
	c := r.collection("Calendar")
	id := ""
	for id = range bridgetest.FolderOf(o.t, r.phone, "Calendar").Items {
	}
	make(r, &c, id)
	for range 2 {
		if got := r.one(c); got.Status != eas.SyncOK || slices.ContainsFunc(got.Responses, func(s eas.SyncOutcome) bool { return s.Status != eas.SyncOK }) {
			o.t.Fatalf("answered %+v", got)
		}
	}
}

func (o *office) add() {
	o.command(func(_ *raw, c *eas.SyncCollection, _ string) {
		sent := append(when("20301201T100000Z", "20301201T110000Z"), eas.T(tag.CalendarSubject, "Tea"), withBob)
		if o.v < eas.V160 {
			sent = append(sent, eas.T(tag.CalendarUID, "theirs"))
		}
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "new", Data: sent}}
	})
}

var withBob = eas.C(tag.CalendarAttendees, eas.C(tag.CalendarAttendee, eas.T(tag.CalendarEmail, "bo@example.org"), eas.T(tag.CalendarName, "Bo")))

func (o *office) move() {
	o.command(func(_ *raw, c *eas.SyncCollection, id string) {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: append(when("20301201T120000Z", "20301201T130000Z"), eas.T(tag.CalendarSubject, "Tea"), withBob)}}
	})
}

func (o *office) remove() {
	o.command(func(_ *raw, c *eas.SyncCollection, id string) {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncDelete, ServerID: id}}
	})
}

// accept answers the invitation in the calendar, and answers its status.
func (o *office) accept() (status eas.MeetingStatus) {
	r := newRaw(o.t, o.h, o.v)
	f := bridgetest.FolderOf(o.t, r.phone, "Calendar")
	for id := range f.Items {
		a := eas.MeetingAnswer{UserResponse: 1, CollectionID: f.ServerID, RequestID: id}
		if o.v >= eas.V160 {
			a.SendResponse = new(eas.SendResponse)
		}
		for range 2 { // the second time is a repetition
			status = r.respond(a).Status
		}
	}
	return status
}

// elsewhere is a meeting of an organizer and a guest that was made in another program.
const elsewhere = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20301201T100000Z\r\nDTEND:20301201T110000Z\r\nSUMMARY:Tea\r\n" +
	"ORGANIZER:mailto:%s@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:%s@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// Whatever becomes of a meeting, its guest or its organizer is mailed exactly once:
// by the store, by the phone or by us. Nobody is told where nobody can mail, and
// then a phone that mails hears that it failed.
func TestExactlyOneSender(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		for _, schedules := range []bool{true, false} {
			for _, mails := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, store schedules %t, mail goes out %t", v, schedules, mails), func(t *testing.T) {
					t.Parallel()
					o := newOffice(t, v, schedules, mails)
					check := func(what, method string, all []string, phone error) {
						t.Helper()
						want := 0
						if schedules || mails {
							want = 1
						}
						if len(all) != want || want == 1 && !strings.HasSuffix(all[0], " "+method) {
							t.Errorf("%s: %q goes out, want one %s", what, all, method)
						}
						if v < eas.V160 && (phone == nil) != (want == 1) {
							t.Errorf("%s: the phone's own mail was answered %v", what, phone)
						}
						if want == 1 && o.h.Backend.Items(bridgetest.User, "sent") != nil && !schedules && len(o.h.Backend.Items(bridgetest.User, "sent")) == 0 {
							t.Errorf("%s: no copy is kept of what was mailed", what)
						}
					}
					for _, origin := range []string{"made on the phone", "made elsewhere"} {
						if origin == "made on the phone" {
							all, err := o.do("created", "REQUEST", "bo@example.org", o.add)
							check("created", "REQUEST", all, err)
						} else {
							o.h.Store("calendar", "e", fmt.Sprintf(elsewhere, bridgetest.User, "bo"))
						}
						all, err := o.do(origin+", moved", "REQUEST", "bo@example.org", o.move)
						check(origin+", moved", "REQUEST", all, err)
						all, err = o.do(origin+", deleted", "CANCEL", "bo@example.org", o.remove)
						check(origin+", deleted", "CANCEL", all, err)
					}
					o.h.Store("calendar", "e", fmt.Sprintf(elsewhere, "bo", bridgetest.User))
					var status eas.MeetingStatus
					all, err := o.do("answered", "REPLY", "bo@example.org", func() { status = o.accept() })
					check("answered", "REPLY", all, err)
					if want := eas.MeetingStatus(eas.MailSubmissionFailed); v >= eas.V160 && !schedules && !mails && status != want {
						t.Errorf("an answer that nobody mails has status %d, want %d", status, want)
					}
				})
			}
		}
	}
}

// A phone up to 14.1 may mail what becomes of a meeting made elsewhere, or its answer,
// before it synchronizes that, and before anybody noted who mails. One that was never
// shown the meeting mails itself.
func TestMailBeforeSync(t *testing.T) {
	for _, c := range []struct {
		what, method, organizer, guest string
		act                            func(*office)
	}{
		{"moved", "REQUEST", bridgetest.User, "bo", (*office).move},
		{"deleted", "CANCEL", bridgetest.User, "bo", (*office).remove},
		{"answered", "REPLY", "bo", bridgetest.User, func(o *office) { o.accept() }},
	} {
		for _, v := range []eas.Version{eas.V25, eas.V121, eas.V141} {
			for _, schedules := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %s, store schedules %t", c.what, v, schedules), func(t *testing.T) {
					t.Parallel()
					o := newOffice(t, v, schedules, true)
					o.h.Store("calendar", "e", fmt.Sprintf(elsewhere, c.organizer, c.guest))
					if err := o.mail("first", c.method, "bo@example.org", o.stored()); err != nil || len(o.h.Backend.Outgoing()) != 1 {
						t.Errorf("of a phone without a calendar %d mails go out, %v", len(o.h.Backend.Outgoing()), err)
					}
					o.early = true
					all, err := o.do(c.what, c.method, "bo@example.org", func() { c.act(o) })
					if len(all) != 1 || !strings.HasSuffix(all[0], " "+c.method) || err != nil {
						t.Errorf("%q goes out, %v, want one %s", all, err, c.method)
					}
				})
			}
		}
	}
}

// Who mails is not known while the calendar cannot be read: the phone tries again.
func TestMailBeforeSyncWhileTheStoreIsDown(t *testing.T) {
	o := newOffice(t, eas.V141, true, true)
	o.h.Store("calendar", "e", fmt.Sprintf(elsewhere, bridgetest.User, "bo"))
	newRaw(t, o.h, o.v)
	o.h.Backend.Fail(memory.Failure{Op: memory.OpGet, Collection: "calendar", Err: backend.Errorf(backend.Transient, "dav", "not now"), Times: 1})
	if status, _ := httpStatus(t, o.mail("moved", "REQUEST", "bo@example.org", o.stored())); status != 503 || len(o.h.Backend.Outgoing()) != 0 {
		t.Errorf("%d mails go out, and the phone is answered %d, want 503", len(o.h.Backend.Outgoing()), status)
	}
	o.early = true
	if all, err := o.do("moved", "REQUEST", "bo@example.org", o.move); len(all) != 1 || err != nil {
		t.Errorf("%q goes out, %v, want one REQUEST", all, err)
	}
}

// A meeting to which a phone up to 14.1 invited is taken on by one of 16.x, and the
// other way round: the guest goes on hearing of everything once.
func TestSendersTakeTurns(t *testing.T) {
	for _, schedules := range []bool{true, false} {
		t.Run(fmt.Sprintf("store schedules %t", schedules), func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, eas.V141, schedules, true)
			once := func(what, method string, act func()) {
				t.Helper()
				if all, err := o.do(what, method, "bo@example.org", act); len(all) != 1 || !strings.HasSuffix(all[0], " "+method) || err != nil {
					t.Errorf("%s: %q goes out, %v, want one %s", what, all, err, method)
				}
			}
			renamed := func(name string) func() {
				return func() {
					o.command(func(_ *raw, c *eas.SyncCollection, id string) {
						c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{eas.T(tag.CalendarSubject, name)}}}
					})
				}
			}
			once("invited by an old phone", "REQUEST", o.add)
			o.v = eas.V161
			once("renamed on a new one", "REQUEST", renamed("Coffee"))
			o.v = eas.V141
			once("moved on the old one", "REQUEST", o.move)
			once("renamed on the old one", "REQUEST", renamed("Cake"))
			o.v = eas.V161
			once("deleted on the new one", "CANCEL", o.remove)
			o.v = eas.V141
			once("another one, invited by the old phone", "REQUEST", o.add)
			o.v = eas.V161
			once("deleted on the new one at once", "CANCEL", o.remove)
		})
	}
}
