package easserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
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

// original reads the mail that a phone answers or passes on.
func (s *Server) original(ctx context.Context, c *call, source *eas.MailSource) (*heldMessage, error) {
	id := cmp.Or(source.LongID, source.ItemID) // our LongIds are ServerIds
	folder, _, err := syncengine.ParseServerID(id)
	if err != nil || !mayBeIn(source.FolderID, folder) {
		return nil, fmt.Errorf("%w: %.70q", errNoSource, id)
	}
	it, err := s.locate(ctx, c, id)
	switch {
	case errors.Is(err, syncengine.ErrNoItem), errors.Is(err, syncengine.ErrNoFolder):
		return nil, fmt.Errorf("%w: %w", errNoSource, err)
	case err != nil:
		return nil, err
	case it.class.message == nil:
		return nil, fmt.Errorf("%w: it is of class %s", errSourceClass, it.class.name)
	}
	h, err := heldMessageOf(ctx, it, maxOriginal)
	if backend.KindOf(err) == backend.NotFound {
		return nil, fmt.Errorf("%w: %w", errNoSource, err)
	}
	return h, err
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
