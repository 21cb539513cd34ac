package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate"
)

// ErrNoRecipients means that a message is for nobody. It is an ErrInvalid; the
// phone is told status 119.
var ErrNoRecipients = fmt.Errorf("%w: there are no recipients", translate.ErrInvalid)

// ErrNotSelf means that a message says that somebody else wrote it. It is an
// ErrInvalid.
var ErrNotSelf = fmt.Errorf("%w: the message is from somebody else", translate.ErrInvalid)

// Sending says who sends, and what a message gets that a phone left out. Now is
// required.
type Sending struct {
	Now  time.Time
	Self []string // the person's addresses, the first one is for messages without a From; none: any address will do
	Name string   // the person's, for messages without a From
	Host string   // the right side of a Message-ID; "" means that of the sender's address

	// Token makes the Message-ID of a message without one: the same token makes
	// the same id. "" makes it of the message.
	Token string
}

// An Original is the message that a phone answers, forwards or edits.
type Original struct {
	Message

	// Part writes a part that the message has not all of, as it is transferred;
	// the path "" is the whole message. Nil if nothing is left out.
	Part func(ctx context.Context, path string, w io.Writer) error
}

// Outgoing is a message that is ready to be sent or stored.
type Outgoing struct {
	From       string   // the bare address of the sender
	Recipients []string // bare addresses: To, Cc and Bcc, each once
	MessageID  string   // without brackets
	Subject    string

	head   []byte // of the header: all but Bcc
	bcc    []byte // the field, if there is one
	pieces []piece
	added  []addedFile
}

// A piece is some of a message: bytes, or what Part of the original writes.
type piece struct {
	data []byte
	size int64 // if part is set: how much that writes
	part func(ctx context.Context, w io.Writer) error
}

// An addedFile is a file that a phone added to a draft.
type addedFile struct{ clientID, path string }

// Size is the length of the message in bytes. It is exact, unless a part is
// elsewhere: then a few bytes more or less come, as a store counts them.
func (o *Outgoing) Size() int64 {
	n := int64(len(o.head))
	for _, p := range o.pieces {
		n += int64(len(p.data)) + p.size
	}
	return n
}

// WithBcc is the copy for the sender, which says who else got the message.
func (o *Outgoing) WithBcc() *Outgoing {
	with := *o
	with.head = append(append([]byte{}, o.bcc...), o.head...)
	with.bcc = nil
	return &with
}

// WriteTo writes the message. It can be called again, also at the same time.
func (o *Outgoing) WriteTo(ctx context.Context, w io.Writer) error {
	if _, err := w.Write(o.head); err != nil {
		return err
	}
	for _, p := range o.pieces {
		if err := p.write(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// countedOtherwise is by how many bytes a part may be shorter than a store said:
// servers do not agree on who owns the last line break of a broken message. A
// part that breaks off is an error of who reads it.
const countedOtherwise = 16

func (p piece) write(ctx context.Context, w io.Writer) error {
	if p.part == nil {
		_, err := w.Write(p.data)
		return err
	}
	c := &counter{w: w}
	if err := p.part(ctx, c); err != nil {
		return fmt.Errorf("mail: a part of the original: %w", err)
	}
	if c.n < p.size-countedOtherwise {
		return fmt.Errorf("mail: a part of the original ended after %d bytes of %d", c.n, p.size)
	}
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// Open is WriteTo for those who read. Close has to be called, and ends what is
// under way.
func (o *Outgoing) Open(ctx context.Context) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	p := &reading{PipeReader: r, cancel: cancel}
	p.writer.Go(func() { w.CloseWithError(o.WriteTo(ctx, w)) })
	return p
}

// A reading is a message that is being read, and who writes it.
type reading struct {
	*io.PipeReader
	cancel context.CancelFunc
	writer sync.WaitGroup
}

func (r *reading) Close() error {
	r.cancel()
	err := r.PipeReader.Close()
	r.writer.Wait()
	return err
}

// bytes is the message, for one whose pieces are all here.
func (o *Outgoing) bytes() ([]byte, error) {
	out := append([]byte{}, o.head...)
	for _, p := range o.pieces {
		if p.part != nil {
			return nil, errors.New("mail: a part of the message is elsewhere")
		}
		out = append(out, p.data...)
	}
	return out, nil
}
