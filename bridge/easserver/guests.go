package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Who mails what becomes of a meeting:
//
//   - the store, where it schedules, unless a phone up to 14.1 began to do it;
//   - else a phone up to 14.1 itself, by SendMail;
//   - else, for phones from 16.0 on, we do, if any backend sends mail.
//
// A phone up to 14.1 does not know of stores that mail. What it mails of a meeting
// that its store mails goes nowhere. See [MS-ASCAL] "Attendees" and RFC 6638.

// invites is what a folder has to know of mails to guests when a phone writes.
type invites struct {
	schedules bool     // the store mails
	we        bool     // tell guests where the store does not
	self      []string // the person's addresses, where we do
	unsure    error    // why there may be more of them
}

// whoMails finds out who mails what becomes of the meetings that the phone changes.
func (f *folderSync) whoMails(ctx context.Context) (err error) {
	if f.class.notices == nil {
		return nil
	}
	if f.schedules, err = schedules(ctx, f.session, f.folder); err != nil {
		return err
	}
	s, c := f.server, f.call
	s.recognize(ctx, c, f.folder.Backend, f.session)
	if f.we = c.version >= eas.V160 && s.Outbox != nil && s.Accounts.Offers(backend.ExtraSend); f.we {
		var person backend.Identity
		person, f.unsure = s.person(ctx, c)
		f.self = person.Addresses
	}
	return nil
}

// tellGuests mails to the guests of a meeting what becomes of it: before is empty
// for a new one, and after for one that is deleted. change names what is done: the
// same again is not mailed again. An error means that the phone is to try again.
//
// Guests hear of an edit before it is written. A phone whose answer got lost then
// repeats both; once it is written, what was before is not known any more.
func (f *folderSync) tellGuests(ctx context.Context, change string, before, after []byte) error {
	if !f.we {
		return f.storeTells(ctx, either(after, before))
	}
	if !hasGuests(before) && !hasGuests(after) {
		return nil
	}
	if f.unsure != nil {
		return f.unsure // the meeting may be the person's or not
	}
	o := f.translation(0)
	o.Self = f.self
	list, err := f.class.notices(before, after, o)
	if err != nil || len(list) == 0 {
		return nil // of what cannot be read nobody is told
	}
	m, err := f.server.mailer(ctx, f.call)
	if errors.Is(err, errNoSender) {
		f.call.note(slog.Bool("guests_not_told", true))
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range list {
		for some := range slices.Chunk(n.To, backend.MaxRecipients) {
			n.To = some
			if err := m.notify(ctx, change, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// callOff tells guests that a meeting is deleted, before nobody knows any more who
// they are.
func (f *folderSync) callOff(ctx context.Context, id backend.ItemID) error {
	if f.class.notices == nil || !f.we && !f.schedules {
		return nil
	}
	now, err := f.current(ctx, id)
	if backend.KindOf(err) == backend.NotFound {
		return nil
	}
	if err != nil && passing(err) {
		return err
	}
	return f.tellGuests(ctx, string(id)+"\x00"+string(now.Revision), now.Body, nil)
}

// either is the first that is not empty.
func either(a, b []byte) []byte {
	if len(a) > 0 {
		return a
	}
	return b
}

// hasGuests tells quickly of most events that nobody is invited to them.
func hasGuests(ics []byte) bool {
	return bytes.Contains(ics, []byte("ATTENDEE")) || bytes.Contains(bytes.ToUpper(ics), []byte("ATTENDEE"))
}

// notify mails one notice. Where the mail system refuses it, because of one guest
// perhaps, each guest is mailed apart.
func (m *mailer) notify(ctx context.Context, change string, n calendar.Notice) error {
	err := m.notifyOnce(ctx, change, n)
	if !refusedMail(err) {
		return err
	}
	failed := 0
	for _, one := range n.To {
		if len(n.To) > 1 {
			alone := n
			alone.To = []calendar.Mailbox{one}
			if err = m.notifyOnce(ctx, change, alone); err != nil && !refusedMail(err) {
				return err
			}
		}
		if err != nil {
			failed++
			m.call.note(slog.Any("guest_not_told", err))
		}
	}
	m.call.note(slog.Int("guests_not_told", failed))
	return nil
}

// refusedMail tells of an error that the next try would end in it, too.
func refusedMail(err error) bool {
	if err == nil || backend.KindOf(err) == backend.Transient {
		return false
	}
	return backend.KindOf(err) != backend.Other || errors.Is(err, translate.ErrInvalid) || errors.Is(err, translate.ErrUnreadable)
}

// notifyOnce mails one notice, unless that was done before.
func (m *mailer) notifyOnce(ctx context.Context, change string, n calendar.Notice) error {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00", change, n.Name)
	for _, g := range n.To {
		fmt.Fprintf(sum, "%s\x00", g.Address)
	}
	p := post{name: "guests:" + hex.EncodeToString(sum.Sum(nil)[:20]), anyPhone: true, save: true}
	p.token = m.token(p.name)
	var err error
	if p.out, err = mail.MeetingNotice(n, m.sending(p.token)); err != nil {
		return m.known(err)
	}
	err = m.send(ctx, p)
	switch {
	case errors.Is(err, errUntold): // what may have gone out is not mailed to each guest once more
		m.call.note(slog.Any("guests_perhaps_not_told", err))
		return nil
	case errors.Is(err, errSentBefore):
		return nil
	}
	return err
}

// storeTells notes of a phone's meeting whether the store mails what becomes of it,
// for a phone that mails the same.
func (f *folderSync) storeTells(ctx context.Context, ics []byte) error {
	if !f.schedules {
		return nil
	}
	return f.server.storeTells(ctx, f.call, ics, f.translation(0))
}

func (s *Server) storeTells(ctx context.Context, c *call, ics []byte, o translate.Options) error {
	if !o.Schedules || c.version >= eas.V160 || s.Outbox == nil || !hasGuests(ics) {
		return nil
	}
	uid, yes := calendar.StoreMails(ics, o)
	if uid == "" {
		return nil
	}
	note := storeNote(c, uid)
	if yes {
		return s.Outbox.Note(ctx, note)
	}
	if was, err := s.Outbox.WasSent(ctx, note); err != nil || !was {
		return err
	}
	return s.Outbox.Forget(ctx, note)
}

// storeNote is the note that the store mails what becomes of a meeting.
func storeNote(c *call, uid string) outbox.Letter {
	sum := sha256.Sum256([]byte(uid))
	return outbox.Letter{User: c.phone.User, Name: "store:" + hex.EncodeToString(sum[:20])}
}

var calendarType = regexp.MustCompile(`(?i)text/calendar`)

// toldByStore tells whether a phone's mail says what the store says to the same
// people.
func (s *Server) toldByStore(ctx context.Context, c *call, p *composition) (bool, error) {
	if p.source != nil || s.Outbox == nil || !calendarType.Match(p.mime) {
		return false, nil
	}
	uid, method := mail.Scheduling(p.mime)
	if uid == "" {
		return false, nil
	}
	told, err := s.Outbox.WasSent(ctx, storeNote(c, uid))
	if err == nil && !told && method != "REPLY" {
		told, err = s.storeWillTell(ctx, c, uid)
	}
	if told {
		c.note(slog.Bool("store_mails", true))
	}
	return told, err
}

// storeWillTell is for a phone up to 14.1 that mails what becomes of the person's meeting
// before it synchronizes that: it tells whether the meeting is in one of the calendars
// that the phone was shown, and one to whose guests the store mails the same then.
func (s *Server) storeWillTell(ctx context.Context, c *call, uid string) (bool, error) {
	if c.version >= eas.V160 || !s.Accounts.Offers(backend.ExtraSchedule) {
		return false, nil
	}
	folders, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return false, err
	}
	left := maxBusyEvents // as many as are looked at to tell when the person is busy
	for _, f := range folders {
		if f.Kind != backend.Events {
			continue
		}
		if _, err := s.Engine.PresentSettings(ctx, c.phone, f.ID); errors.Is(err, syncengine.ErrUnknown) {
			continue
		} else if err != nil {
			return false, err
		}
		if err := s.findMeeting(ctx, c, f, uid, &left); err != nil && passing(err) {
			return false, fmt.Errorf("easserver: who mails what becomes of a meeting: %w", err)
		}
	}
	return s.Outbox.WasSent(ctx, storeNote(c, uid))
}

// findMeeting looks for a meeting in a folder, and notes it if the store mails what
// becomes of it. Those that are over are left out.
func (s *Server) findMeeting(ctx context.Context, c *call, f syncengine.Folder, uid string, left *int) error {
	session, err := c.account.Session(ctx, f.Backend)
	if errors.Is(err, account.ErrNotThere) {
		return nil
	}
	if err != nil {
		return err
	}
	yes, err := schedules(ctx, session, f)
	if err != nil || !yes {
		return err
	}
	ids, _, err := s.Engine.NotOver(ctx, f, time.Now(), *left)
	if err != nil {
		return err
	}
	*left -= len(ids)
	s.recognize(ctx, c, f.Backend, session)
	o := s.translation(c)
	o.Schedules = true
	for batch := range slices.Chunk(ids, meetingBatch) {
		err := session.Get(ctx, f.Collection, batch, func(it backend.Fetched) error {
			if it.Err != nil || !hasGuests(it.Body) {
				return nil
			}
			if this, yes := calendar.StoreInvites(it.Body, o); !yes || this != uid {
				return nil
			}
			return s.Outbox.Note(ctx, storeNote(c, uid))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// meetingBatch is how many events are read at a time to find a meeting.
const meetingBatch = 64
