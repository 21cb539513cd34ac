package easserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxOriginal is how much of a mail that is answered or passed on is read at once;
// larger parts of it go by, from the store to the mail system.
const maxOriginal = 1 << 20

// A heldMessage is a message that a phone names, as it is in the backend now.
type heldMessage struct {
	backend.Message
	folder syncengine.Folder
	box    backend.Mailbox
}

// A source is what a phone answers or passes on: a mail, or a meeting as if it had
// been mailed.
type source struct {
	mail.Original
	meeting *mail.Meeting // nil if it is none that can be passed on by itself
	held    *heldMessage  // nil if it is no mail
}

// mark sets a flag of the mail, if it is one.
func (s *source) mark(ctx context.Context, flag string) error {
	if s.held == nil {
		return nil
	}
	return s.held.mark(ctx, flag)
}

// source reads what a phone answers or passes on. Of a meeting that is a series it
// may be one occurrence. See [MS-ASCMD] "Source (SmartForward and SmartReply)".
func (s *Server) source(ctx context.Context, c *call, named *eas.MailSource) (*source, error) {
	if named.InstanceID != "" {
		if _, err := translate.ParseDateTime(named.InstanceID); err != nil {
			return nil, errInstance
		}
	}
	id := cmp.Or(named.LongID, named.ItemID) // our LongIds are ServerIds
	folder, _, err := syncengine.ParseServerID(id)
	if err != nil || !mayBeIn(named.FolderID, folder) {
		return nil, fmt.Errorf("%w: %.70q", errNoSource, id)
	}
	it, err := s.locate(ctx, c, id)
	if err == nil {
		switch {
		case it.class.message != nil:
			return s.mailSource(ctx, c, it, named.InstanceID)
		case it.class.respond != nil:
			return s.eventSource(ctx, c, it, named.InstanceID)
		default:
			return nil, fmt.Errorf("%w: it is of class %s", errSourceClass, it.class.name)
		}
	}
	if errors.Is(err, syncengine.ErrNoItem) || errors.Is(err, syncengine.ErrNoFolder) {
		err = fmt.Errorf("%w: %w", errNoSource, err)
	}
	return nil, err
}

// mailSource is source for a mail. One that is no invitation has no occurrences.
func (s *Server) mailSource(ctx context.Context, c *call, it heldItem, instance string) (*source, error) {
	h, err := heldMessageOf(ctx, it, maxOriginal)
	if backend.KindOf(err) == backend.NotFound {
		return nil, fmt.Errorf("%w: %w", errNoSource, err)
	}
	if err != nil {
		return nil, err
	}
	found := &source{Original: h.original(), held: h}
	ics, method, err := mail.Invitation(found.Message)
	switch {
	case instance == "" && (err != nil || method != "REQUEST"):
		return found, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", calendar.ErrNoSeries, err)
	}
	if found.meeting, err = s.meeting(c, ics, instance, nil); err == nil && instance != "" {
		found.Original = mail.Original{Message: found.meeting.Message()}
	}
	if err != nil && instance == "" {
		return found, nil // which is a mail like any other
	}
	return found, err
}

// eventSource is source for an event of a calendar.
func (s *Server) eventSource(ctx context.Context, c *call, it heldItem, instance string) (*source, error) {
	now, err := getOne(ctx, it.session, it.folder.Collection, it.ID)
	if backend.KindOf(err) == backend.NotFound {
		return nil, fmt.Errorf("%w: %w", errNoSource, err)
	}
	if err != nil {
		return nil, err
	}
	m, err := s.meeting(c, now.Body, instance, zoneOf(it.folder))
	if err != nil {
		return nil, err
	}
	return &source{Original: mail.Original{Message: m.Message()}, meeting: m}, nil
}

// meeting is an event, or an occurrence of it, that is passed on; zone is that of
// its calendar, if it is in one that has any.
func (s *Server) meeting(c *call, ics []byte, instance string, zone *time.Location) (*mail.Meeting, error) {
	o := s.translation(c)
	o.Calendar = zone
	object, err := calendar.Request(ics, instance, o)
	if err != nil {
		return nil, err
	}
	return mail.ReadMeeting(object, o.Location())
}

// heldMessageOf reads a message, with parts up to a limit.
func heldMessageOf(ctx context.Context, it heldItem, limit int) (h *heldMessage, err error) {
	h = &heldMessage{folder: it.folder}
	if h.box, err = mailbox(it.session); err != nil {
		return nil, err
	}
	h.Message, err = getMessage(ctx, it.session, it.folder.Collection, it.ID, limit)
	return h, err
}

// original is the message for the composers, who ask for its large parts when they
// need them.
func (h *heldMessage) original() mail.Original {
	return mail.Original{Message: messageOf(h.Message), Part: func(ctx context.Context, path string, w io.Writer) error {
		return h.box.Part(ctx, h.folder.Collection, h.ID, path, 0, -1, w)
	}}
}

// mark sets a flag of the message.
func (h *heldMessage) mark(ctx context.Context, flag string) error {
	_, err := h.box.SetFlags(ctx, h.folder.Collection, h.ID, []string{flag}, nil)
	return err
}
