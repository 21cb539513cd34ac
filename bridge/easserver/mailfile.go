package easserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// mailFile reads a file of a message: by its number among the message's parts, as it
// was before it was encoded for its way. It has room bytes at most. The caller closes
// the spool.
func (s *Server) mailFile(ctx context.Context, it heldItem, number string, room int64) (mail.Part, *spool, error) {
	held, err := heldMessageOf(ctx, it, leastMail)
	if err != nil {
		return mail.Part{}, nil, err
	}
	message := messageOf(held.Message)
	part, err := mail.FindPart(message, number)
	if err != nil {
		return part, nil, err
	}
	if part.Encoded/4*3 > room {
		return part, nil, noRoom(room)
	}
	to := &spool{room: room}
	if r, here := mail.Content(message, number); here {
		// The store need not be asked; of a message that breaks the rules it may count
		// the parts in another way.
		_, err = io.Copy(to, r)
	} else {
		err = held.decode(ctx, part, to)
	}
	if err != nil {
		return part, nil, errors.Join(err, to.Close())
	}
	return part, to, nil
}

// decode writes what is in a part of the message.
func (h *heldMessage) decode(ctx context.Context, part mail.Part, to io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := h.box.Part(ctx, h.folder.Collection, h.ID, part.Path, 0, -1, w)
		read <- err           // before anybody hears of it
		w.CloseWithError(err) // nil is the end
	}()
	_, err := io.Copy(to, part.Decode(r))
	select {
	case broken := <-read: // which a decoder may have said in its own words
		if broken != nil {
			return broken
		}
		return err
	default:
	}
	// The part goes on, though nobody wants more of it: what it says of being cut
	// off is not why.
	r.CloseWithError(io.ErrClosedPipe)
	cancel()
	<-read
	return err
}

// fetchMailFile is fetchFile for a file of a message. A large file is not put into
// the properties but among the files of the answer.
func (s *Server) fetchMailFile(ctx context.Context, c *call, it heldItem, number string, fetch eas.FetchRequest, out files) (eas.Properties, error) {
	part, data, err := s.mailFile(ctx, it, number, out.room())
	if err != nil {
		return nil, err
	}
	p := eas.Properties{eas.T(tag.AirSyncBaseContentType, part.MediaType)}
	first, last := int64(0), data.size-1
	if fetch.Options != nil && fetch.Options.Range != "" {
		a, b, err := byteRange(fetch.Options.Range, int(data.size))
		if err != nil {
			return nil, errors.Join(err, data.Close())
		}
		first, last = int64(a), int64(b)
		p = append(p, eas.T(tag.ItemOperationsRange, fmt.Sprintf("%d-%d", first, last)),
			eas.T(tag.ItemOperationsTotal, strconv.FormatInt(data.size, 10)))
	}
	name := "file-" + rand.Text()
	out[name] = piece{file: data, first: first, n: last - first + 1, base64: !c.acceptsMultipart()}
	return append(p, eas.T(tag.ItemOperationsData, name)), nil
}

// getAttachment answers a file of a message as it is, up to 12.1. See [MS-ASCMD]
// "GetAttachment".
func (s *Server) getAttachment(ctx context.Context, c *call) (answer, error) {
	missing := func(err error) error {
		return &problem{status: http.StatusInternalServerError, text: "there is no such attachment", err: err} // [MS-ASCMD] "GetAttachment"
	}
	if c.query.AttachmentName == "" {
		return nil, &problem{status: http.StatusBadRequest, text: "the query names no attachment"}
	}
	id, number, ok := translate.SplitFileReference(c.query.AttachmentName)
	if !ok {
		return nil, missing(translate.ErrNoAttachment)
	}
	it, err := s.locate(ctx, c, id)
	if err == nil && it.class.message == nil {
		err = translate.ErrNoAttachment
	}
	if err != nil {
		if isMissing(err) {
			err = missing(err)
		}
		return nil, err
	}
	part, data, err := s.mailFile(ctx, it, number, MaxMailFile)
	switch {
	case backend.KindOf(err) == backend.TooLarge:
		return nil, &problem{status: http.StatusRequestEntityTooLarge, text: err.Error()}
	case isMissing(err):
		return nil, missing(err)
	case err != nil:
		return nil, err
	}
	return &streamed{typ: part.MediaType, pieces: []piece{{file: data, n: data.size}}}, nil
}
