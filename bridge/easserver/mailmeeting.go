package easserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// respondToMail answers an invitation that came by mail: the event goes into the
// main calendar with the answer in it, the organizer is told if the phone wants us
// to, and the mail goes to what is deleted. It answers the event's ServerId; none
// after a no. See [MS-ASCMD] "MeetingResponse".
func (s *Server) respondToMail(ctx context.Context, c *call, a *eas.MeetingAnswer, it heldItem) (eventID string, err error) {
	held, err := heldMessageOf(ctx, it, maxOriginal)
	if err != nil {
		return "", err
	}
	ics, method, err := mail.Invitation(messageOf(held.Message))
	if err != nil || method != "REQUEST" {
		return "", fmt.Errorf("%w: the mail is no invitation", translate.ErrInvalid)
	}
	said := calendar.Answer{Response: calendar.Response(a.UserResponse), Instance: a.InstanceID, Silent: a.SendResponse == nil}
	if proposes(a) {
		if err := s.proposeByMail(ctx, c, a, ics, said); err != nil {
			return "", err
		}
	}
	eventID, mailed, err := s.intoCalendar(ctx, c, ics, said)
	if err != nil {
		return "", err
	}
	if a.SendResponse != nil && !mailed && !proposes(a) {
		if err := s.mailResponse(ctx, c, a, ics, said); err != nil {
			return "", err
		}
	}
	if s.Outbox != nil { // before the mail is gone, and with it what a repetition could do again
		if err := s.Outbox.Note(ctx, answeredNote(c, a)); err != nil {
			return "", err
		}
	}
	if err := s.discardInvitation(ctx, c, it); err != nil {
		c.note(slog.Any("invitation_stays", err)) // which is no reason to answer once more
	}
	return eventID, nil
}

// answeredNote is the note that an invitation which came by mail was answered. It is the
// person who answers, by whichever phone.
func answeredNote(c *call, a *eas.MeetingAnswer) outbox.Letter {
	return outbox.Letter{User: c.phone.User, Name: "answered:" + answerName(a, a.UserResponse)}
}

// answerName is the same whenever a phone gives the same answer to the same
// invitation.
func answerName(a *eas.MeetingAnswer, response int) string {
	return cmp.Or(a.RequestID, a.LongID) + ":" + strconv.Itoa(response) + ":" + a.InstanceID
}

// proposes tells whether an answer says when else one would come.
func proposes(a *eas.MeetingAnswer) bool {
	return a.SendResponse != nil && (a.SendResponse.ProposedStartTime != "" || a.SendResponse.ProposedEndTime != "")
}

// proposeByMail is mailResponse for an answer that says when else one would come,
// which no calendar server mails. What could not go into the calendar is not mailed.
func (s *Server) proposeByMail(ctx context.Context, c *call, a *eas.MeetingAnswer, ics []byte, said calendar.Answer) error {
	person, unsure := s.person(ctx, c)
	if unsure != nil {
		return unsure
	}
	o := s.translation(c)
	o.Self = person.Addresses
	if _, err := calendar.Respond(withoutMethod(ics), said, o); err != nil {
		return err
	}
	return s.mailResponse(ctx, c, a, ics, said)
}

// intoCalendar puts an invitation's event, with the answer in it, into the person's
// main calendar, or the answer into the event that is there. mailed tells whether
// the store tells the organizer.
func (s *Server) intoCalendar(ctx context.Context, c *call, ics []byte, said calendar.Answer) (eventID string, mailed bool, err error) {
	folder, err := s.mainCalendar(ctx, c)
	if err != nil || folder.ID == 0 {
		return "", false, err // nobody serves a calendar: the answer is all there is
	}
	session, err := c.account.Session(ctx, folder.Backend)
	if err != nil {
		return "", false, err
	}
	o := s.translation(c)
	person, unsure := s.person(ctx, c)
	if unsure != nil {
		return "", false, unsure // whoever of the guests it is, is not known
	}
	o.Self, o.Calendar = person.Addresses, zoneOf(folder)
	if o.Schedules, err = schedules(ctx, session, folder); err != nil {
		return "", false, err
	}
	event := withoutMethod(ics)
	answered, err := calendar.Respond(event, said, o)
	if err != nil {
		return "", false, err
	}
	if err := s.storeTells(ctx, c, answered, o); err != nil {
		return "", false, err
	}
	id := nameOfEvent(event)
	var stored backend.Item
	if said.Response == calendar.Declined {
		stored.ID, err = id, backend.Errorf(backend.Conflict, "easserver: respond", "it is changed only if it is there")
	} else {
		stored, err = session.Put(ctx, folder.Collection, backend.Item{ID: id, MediaType: folder.Kind.MediaType(), Body: answered})
	}
	if backend.KindOf(err) == backend.Conflict && stored.ID != "" {
		stored, err = s.answerThere(ctx, session, folder, stored.ID, said, o)
		if backend.KindOf(err) == backend.NotFound && said.Response == calendar.Declined {
			return "", o.Schedules, nil
		}
	}
	if err != nil {
		return "", false, err
	}
	if said.Response == calendar.Declined {
		return "", o.Schedules, nil
	}
	numbers, err := s.Engine.Numbered(ctx, folder, session, []backend.ItemID{stored.ID})
	if n := numbers[stored.ID]; n != 0 {
		eventID = syncengine.ServerID(folder.ID, n)
	}
	return eventID, o.Schedules, err
}

// answerThere writes the answer into an event that is in the calendar already.
func (s *Server) answerThere(ctx context.Context, session backend.Session, folder syncengine.Folder, id backend.ItemID, said calendar.Answer, o translate.Options) (backend.Item, error) {
	for range maxMerges {
		now, err := getOne(ctx, session, folder.Collection, id)
		if err != nil {
			return now, err
		}
		body, err := calendar.Respond(now.Body, said, o)
		if err != nil || bytes.Equal(body, now.Body) {
			return now, err
		}
		stored, err := session.Put(ctx, folder.Collection, backend.Item{ID: id, Revision: now.Revision, MediaType: now.MediaType, Body: body})
		if backend.KindOf(err) != backend.Conflict {
			return stored, err
		}
	}
	return backend.Item{}, backend.Errorf(backend.Conflict, "easserver: respond", "the event changes faster than it can be answered")
}

// mainCalendar is where invitations go; its ID is 0 if nobody serves calendars.
func (s *Server) mainCalendar(ctx context.Context, c *call) (syncengine.Folder, error) {
	all, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return syncengine.Folder{}, err
	}
	for _, f := range all {
		if f.Kind == backend.Events && f.Default && !f.ReadOnly {
			return f, nil
		}
	}
	return syncengine.Folder{}, nil
}

// withoutMethod is an invitation as it is kept: a calendar object says nothing of how
// it came. See RFC 4791, section 4.1.
func withoutMethod(ics []byte) []byte {
	var out []byte
	for line := range bytes.Lines(ics) {
		if len(line) < 7 || !bytes.EqualFold(line[:7], []byte("METHOD:")) {
			out = append(out, line...)
		}
	}
	return out
}

// nameOfEvent is the same for all invitations to one event.
func nameOfEvent(ics []byte) backend.ItemID {
	uid := ""
	for line := range bytes.Lines(ics) {
		if name, value, ok := strings.Cut(strings.TrimRight(string(line), "\r\n"), ":"); ok && strings.EqualFold(name, "UID") {
			uid = value
			break
		}
	}
	sum := sha256.Sum256([]byte(uid))
	return backend.ItemID(hex.EncodeToString(sum[:20]))
}

// mailResponse mails the answer to the organizer, once.
func (s *Server) mailResponse(ctx context.Context, c *call, a *eas.MeetingAnswer, ics []byte, said calendar.Answer) error {
	m, err := s.mailer(ctx, c)
	if errors.Is(err, errNoSender) {
		return errNotMailed
	}
	if err == nil {
		err = m.unsure
	}
	if err != nil {
		return err
	}
	comment, _ := a.SendResponse.Body.Text(tag.AirSyncBaseData)
	p := post{name: mailedName(a), anyPhone: true, save: true}
	p.token = m.token(p.name + string(nameOfEvent(ics)) + string(sumOf(ics))) // who answers like that again answers anew
	p.out, err = meetingMail(a, ics, said, comment, m.sending(p.token))
	if proposes(a) && errors.Is(err, translate.ErrInvalid) {
		return err // the organizer may want no other times
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotMailed, err)
	}
	switch err := m.send(ctx, p); {
	case err == nil, errors.Is(err, errSentBefore):
		return s.forgetAnswers(ctx, c, a)
	case backend.KindOf(err) == backend.Transient, backend.KindOf(err) == backend.Other:
		return err
	default:
		return fmt.Errorf("%w: %w", errNotMailed, err)
	}
}

// mailedAnswer begins the names of answers that are mailed.
const mailedAnswer = "meeting:"

// mailedName is what a mailed answer is known by: with the time that it proposes.
func mailedName(a *eas.MeetingAnswer) string {
	name := mailedAnswer + answerName(a, a.UserResponse)
	if proposes(a) {
		name += ":" + a.SendResponse.ProposedStartTime + "/" + a.SendResponse.ProposedEndTime
	}
	return name
}

// meetingMail makes the mail to the organizer.
func meetingMail(a *eas.MeetingAnswer, ics []byte, said calendar.Answer, comment string, s mail.Sending) (*mail.Outgoing, error) {
	if !proposes(a) {
		return mail.MeetingReply(ics, said, comment, s)
	}
	var p mail.Proposal
	var err error
	if p.Start, err = translate.ParseDateTime(a.SendResponse.ProposedStartTime); err != nil {
		return nil, errInstance
	}
	if p.End, err = translate.ParseDateTime(a.SendResponse.ProposedEndTime); err != nil {
		return nil, errInstance
	}
	return mail.MeetingCounter(ics, said, p, comment, s)
}

// forgetAnswers forgets which other answers were mailed to the same invitation: whoever
// goes back to one of them has it mailed again.
func (s *Server) forgetAnswers(ctx context.Context, c *call, a *eas.MeetingAnswer) error {
	for _, r := range []calendar.Response{calendar.Accepted, calendar.Tentative, calendar.Declined} {
		name := mailedAnswer + answerName(a, int(r))
		if name == mailedName(a) {
			continue
		}
		if err := s.Outbox.Forget(ctx, outbox.Letter{User: c.phone.User, Name: name}); err != nil {
			return err
		}
	}
	return nil
}

// discardInvitation takes an invitation that is answered to what is deleted.
func (s *Server) discardInvitation(ctx context.Context, c *call, it heldItem) error {
	trash, err := s.folderFor(ctx, c, it.folder.Backend, backend.RoleTrash)
	if err != nil {
		return err
	}
	if trash.ID == 0 || trash.ID == it.folder.ID {
		return nil
	}
	if _, err = moveMessage(ctx, it.session, it.folder.Collection, it.ID, trash.Collection); err != nil && backend.KindOf(err) != backend.NotFound {
		return err
	}
	return s.Engine.Discarded(ctx, it.folder, it.number)
}
