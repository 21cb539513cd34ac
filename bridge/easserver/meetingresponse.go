package easserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// MaxResponses bounds the meetings that one request answers. See [MS-ASCMD]
// "Limiting Size of Command Requests".
const MaxResponses = 100

// meetingResponse answers invitations that lie in calendars. See [MS-ASCMD]
// "MeetingResponse".
//
// Up to 14.1 phones mail their answers to the organizer themselves. From 16.0 on
// they ask us to, by SendResponse: a store that schedules mails them, else we do,
// and what no store mails, another time that is proposed.
func (s *Server) meetingResponse(ctx context.Context, c *call) (answer, error) {
	var req eas.MeetingResponseRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if n := len(req.Requests); n == 0 || n > MaxResponses {
		c.event.Status = int(eas.MeetingInvalid)
		return eas.MeetingResponseResponse{Results: []eas.MeetingResult{{Status: eas.MeetingInvalid}}}, nil
	}
	var response eas.MeetingResponseResponse
	for i := range req.Requests {
		a := &req.Requests[i]
		var r eas.MeetingResult
		if len(a.RequestID) <= MaxID { // longer ones cannot be named in the answer
			r.RequestID = a.RequestID
		}
		eventID, err := s.respond(ctx, c, a)
		if kind := backend.KindOf(err); kind == backend.Denied || kind == backend.Transient {
			return nil, err // to be sent again: the same answer twice is one
		}
		r.Status = meetingStatus(err)
		if err != nil {
			c.report(s, err)
			c.note(slog.Any("refused_response", err))
		} else if calendar.Response(a.UserResponse) != calendar.Declined {
			r.CalendarID = eventID
		}
		c.event.Status = max(c.event.Status, int(r.Status))
		response.Results = append(response.Results, r)
	}
	return response, nil
}

// Errors of a response that are not the item's fault.
var (
	errNotMailed = errors.New("easserver: nobody would mail the response")
	errInstance  = errors.New("easserver: the InstanceId, or a time that is proposed, is no time")
)

// meetingStatus tells a phone what came of a response. It is the one place
// where errors become statuses of MeetingResponse. What would fail the next
// time, too, is 2, after which phones do not try again. See [MS-ASCMD] "Status
// (MeetingResponse)", "InstanceId" and "Common Status Codes"; the common ones
// are for elements that versions before 14.1 do not have.
func meetingStatus(err error) eas.MeetingStatus {
	switch {
	case err == nil:
		return eas.MeetingOK
	case errors.Is(err, errNotMailed):
		return eas.MeetingStatus(eas.MailSubmissionFailed)
	case errors.Is(err, errInstance):
		return eas.MeetingStatus(eas.InvalidDateTime)
	case errors.Is(err, calendar.ErrNoSeries):
		return eas.MeetingStatus(eas.NoRecurrenceInCalendar)
	case errors.Is(err, syncengine.ErrNoItem), errors.Is(err, syncengine.ErrNoFolder),
		errors.Is(err, translate.ErrInvalid), errors.Is(err, translate.ErrUnreadable), errors.Is(err, translate.ErrNotShown):
		return eas.MeetingInvalid
	}
	switch backend.KindOf(err) {
	case backend.NotFound, backend.ReadOnly, backend.Invalid, backend.TooLarge, backend.Unsupported:
		return eas.MeetingInvalid
	case backend.Conflict:
		return eas.MeetingMailboxError
	}
	return eas.MeetingServerError
}

// respond answers one invitation, which is an event or a mail, and answers the
// ServerId of the event.
func (s *Server) respond(ctx context.Context, c *call, a *eas.MeetingAnswer) (eventID string, err error) {
	id := cmp.Or(a.RequestID, a.LongID) // our LongIds are ServerIds
	if err := checkResponse(c, a, id); err != nil {
		return "", err
	}
	it, err := s.locate(ctx, c, id)
	if errors.Is(err, syncengine.ErrNoItem) && s.Outbox != nil {
		// An invitation that was answered is gone.
		before, failed := s.Outbox.WasSent(ctx, answeredNote(c, a))
		if before || failed != nil {
			return "", failed
		}
	}
	if err != nil {
		return "", err
	}
	if it.class.message != nil {
		return s.respondToMail(ctx, c, a, it)
	}
	if it.Item, err = getOne(ctx, it.session, it.folder.Collection, it.ID); err != nil {
		return "", err
	}
	return id, s.respondInCalendar(ctx, c, a, it)
}

// checkResponse refuses what contradicts the protocol.
func checkResponse(c *call, a *eas.MeetingAnswer, id string) error {
	folder, _, err := syncengine.ParseServerID(id)
	switch {
	case err != nil:
		return err
	case !mayBeIn(a.CollectionID, folder):
		return fmt.Errorf("%w: %.70q is not in folder %.70q", syncengine.ErrNoItem, id, a.CollectionID)
	case a.InstanceID != "" && c.version < eas.V141:
		return fmt.Errorf("%w: InstanceId in version %s", translate.ErrInvalid, c.version)
	}
	if a.InstanceID != "" {
		if _, err := translate.ParseDateTime(a.InstanceID); err != nil {
			return errInstance
		}
	}
	return checkProposal(a.SendResponse)
}

// respondInCalendar writes one response into the event that it is for.
func (s *Server) respondInCalendar(ctx context.Context, c *call, a *eas.MeetingAnswer, it heldItem) (err error) {
	switch {
	case it.class.respond == nil:
		return fmt.Errorf("%w: an item of class %s is no invitation", translate.ErrInvalid, it.class.name)
	case it.folder.ReadOnly:
		return backend.Errorf(backend.ReadOnly, "easserver: respond", "folder %s is read-only", it.folder.ID)
	}
	s.recognize(ctx, c, it.folder.Backend, it.session)
	o := s.translation(c)
	o.Item, o.Calendar = cmp.Or(a.RequestID, a.LongID), zoneOf(it.folder)
	if o.Schedules, err = schedules(ctx, it.session, it.folder); err != nil {
		return err
	}
	said := calendar.Answer{Response: calendar.Response(a.UserResponse), Instance: a.InstanceID, Silent: a.SendResponse == nil}
	if a.SendResponse != nil && (!o.Schedules || proposes(a)) && s.Accounts.Offers(backend.ExtraSend) {
		if _, err := it.class.respond(it.Body, said, o); err != nil {
			return translated(err)
		}
		if err := s.mailResponse(ctx, c, a, it.Body, said); err != nil {
			return err
		}
		return s.putResponse(ctx, c, it, said, nil, o)
	}
	return s.putResponse(ctx, c, it, said, a.SendResponse, o)
}

// checkProposal refuses another time that is none. See [MS-ASCMD]
// "ProposedStartTime" and "ProposedEndTime", of which one needs the other.
func checkProposal(send *eas.SendResponse) error {
	if send == nil || send.ProposedStartTime == "" && send.ProposedEndTime == "" {
		return nil
	}
	if send.ProposedStartTime == "" || send.ProposedEndTime == "" {
		return fmt.Errorf("%w: a time is proposed without its start or its end", translate.ErrInvalid)
	}
	start, err := translate.ParseDateTime(send.ProposedStartTime)
	if err != nil {
		return errInstance
	}
	end, err := translate.ParseDateTime(send.ProposedEndTime)
	switch {
	case err != nil:
		return errInstance
	case !start.Before(end):
		return fmt.Errorf("%w: a time is proposed that ends before it begins", translate.ErrInvalid)
	}
	return nil
}

// putResponse puts the event with the response in it, unless it has it already.
func (s *Server) putResponse(ctx context.Context, c *call, it heldItem, said calendar.Answer, send *eas.SendResponse, o translate.Options) error {
	for range maxMerges {
		body, err := it.class.respond(it.Body, said, o)
		if err != nil {
			return translated(err)
		}
		// A store mails that somebody comes, and not when else they would.
		if send != nil && (!o.Schedules || send.ProposedStartTime != "" || send.ProposedEndTime != "") {
			return errNotMailed
		}
		if bytes.Equal(body, it.Body) {
			return nil
		}
		if err := s.storeTells(ctx, c, body, o); err != nil {
			return err
		}
		_, err = it.session.Put(ctx, it.folder.Collection, backend.Item{ID: it.ID, Revision: it.Revision, MediaType: it.MediaType, Body: body})
		if backend.KindOf(err) != backend.Conflict {
			return err
		}
		if it.Item, err = getOne(ctx, it.session, it.folder.Collection, it.ID); err != nil {
			return err
		}
	}
	return backend.Errorf(backend.Conflict, "easserver: respond", "the event changes faster than it can be answered")
}
