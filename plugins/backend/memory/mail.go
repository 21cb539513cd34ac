package memory

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/mailpart"
)

// StoreMessage writes a message from outside, with flags and the moment when it
// was received.
func (b *Backend) StoreMessage(user string, c backend.CollectionID, id backend.ItemID, body []byte, received time.Time, flags ...string) backend.Revision {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.set(user, b.collection(user, c), id, &item{
		body: bytes.Clone(body), flags: backend.Flags(flags), received: received.Truncate(time.Second),
	})
}

// FlagsOf answers the flags of a message; nil if it is not there.
func (b *Backend) FlagsOf(user string, c backend.CollectionID, id backend.ItemID) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if it := b.collection(user, c).present(id); it != nil {
		return append([]string{}, it.flags...)
	}
	return nil
}

// A Sent is a message that somebody sent.
type Sent struct {
	User string
	backend.Envelope
	Body []byte
}

// Outgoing answers what was sent so far, oldest first.
func (b *Backend) Outgoing() []Sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}

// Messages answers the named messages in the order of their names.
func (s *Session) Messages(ctx context.Context, id backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	if err := s.b.begin(ctx, OpMessages, id, s.credentials); err != nil {
		return err
	}
	broken := s.b.breaking(OpMessages, id)
	seen := make(map[backend.ItemID]bool, len(ids))
	for n, name := range ids {
		if broken != nil && n >= broken.After {
			return broken.Err
		}
		if err := ctx.Err(); err != nil {
			return backend.E(backend.Transient, "memory: Messages", err)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		m, err := s.message(id, name)
		if err != nil {
			return err
		}
		if m.ID == "" {
			continue
		}
		m.Body, m.Left = mailpart.Hollow(m.Body, limit)
		m.Body = bytes.Clone(m.Body)
		if err := yield(m); err != nil {
			return err
		}
	}
	if broken != nil {
		return broken.Err
	}
	return nil
}

// message reads one message; the empty one means that it is not there. Its Body
// may not be written to.
func (s *Session) message(id backend.CollectionID, name backend.ItemID) (backend.Message, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.folder(OpMessages, id)
	if err != nil {
		return backend.Message{}, err
	}
	it := c.present(name)
	if it == nil {
		return backend.Message{}, nil
	}
	if err := s.b.unreadable(OpMessages, id, name); err != nil {
		return backend.Message{ID: name, Err: err}, nil
	}
	return backend.Message{
		ID: name, Revision: it.revision, Flags: slices.Clone(it.flags), Received: it.received, Size: int64(len(it.body)), Body: it.body,
	}, nil
}

// folder answers a collection of mail. b.mu is held.
func (s *Session) folder(op Op, id backend.CollectionID) (*collection, error) {
	c, err := s.locate(op, id)
	if err == nil && c.Kind != backend.Mail {
		return nil, backend.Errorf(backend.Unsupported, "memory: "+string(op), "%q holds no mail", id)
	}
	return c, err
}

// Part writes bytes of a part.
func (s *Session) Part(ctx context.Context, id backend.CollectionID, name backend.ItemID, path string, offset, length int64, w io.Writer) error {
	if err := s.b.begin(ctx, OpPart, id, s.credentials); err != nil {
		return err
	}
	m, err := s.message(id, name)
	if err == nil && m.ID == "" {
		err = backend.Errorf(backend.NotFound, "memory: Part", "no item %.70q", name)
	}
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return err
	}
	start, end, ok := mailpart.Find(m.Body, path)
	if !ok {
		return backend.Errorf(backend.NotFound, "memory: Part", "%.70q has no part %.40q", name, path)
	}
	_, err = w.Write(bytes.Clone(mailpart.Range(m.Body[start:end], offset, length)))
	return err
}

// SetFlags changes a message's flags.
func (s *Session) SetFlags(ctx context.Context, id backend.CollectionID, name backend.ItemID, set, clear []string) (backend.Revision, error) {
	if err := s.b.begin(ctx, OpSetFlags, id, s.credentials); err != nil {
		return "", err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.writable(OpSetFlags, id)
	if err != nil {
		return "", err
	}
	it := c.present(name)
	switch {
	case c.Kind != backend.Mail:
		return "", backend.Errorf(backend.Unsupported, "memory: SetFlags", "%q holds no mail", id)
	case it == nil:
		return "", backend.Errorf(backend.NotFound, "memory: SetFlags", "no item %.70q", name)
	}
	flags := backend.ChangeFlags(it.flags, set, clear)
	if slices.Equal(flags, it.flags) {
		return it.revision, nil
	}
	return s.b.set(s.credentials.User, c, name, &item{body: it.body, flags: flags, received: it.received}), nil
}

// Send keeps the message for Outgoing, and puts a copy into the inbox of
// everybody whose identity has the address of a recipient.
func (s *Session) Send(ctx context.Context, m backend.Envelope, r io.Reader) error {
	if err := s.b.begin(ctx, OpSend, "", s.credentials); err != nil {
		return err
	}
	if len(m.To) == 0 || len(m.To) > backend.MaxRecipients {
		return backend.Errorf(backend.Invalid, "memory: Send", "%d recipients", len(m.To))
	}
	body, err := io.ReadAll(io.LimitReader(r, backend.MaxItemSize+1))
	switch {
	case err != nil:
		return err
	case len(body) > backend.MaxItemSize:
		return backend.Errorf(backend.TooLarge, "memory: Send", "the limit is %d bytes", backend.MaxItemSize)
	}
	s.b.mu.Lock()
	m.To = slices.Clone(m.To)
	s.b.sent = append(s.b.sent, Sent{User: s.credentials.User, Envelope: m, Body: body})
	s.b.deliver(m, body)
	s.b.mu.Unlock()
	if broken := s.b.breaking(OpSend, ""); broken != nil {
		return broken.Err
	}
	return nil
}

// deliver puts a message into inboxes. b.mu is held.
func (b *Backend) deliver(m backend.Envelope, body []byte) {
	for user, p := range b.people {
		wanted := slices.ContainsFunc(p.identity.Addresses, func(a string) bool {
			return slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(a, to) })
		})
		for _, c := range p.collections {
			if wanted && c.Role == backend.RoleInbox {
				id := backend.ItemID("sent-" + b.number() + ".eml")
				b.put(user, c, id, body)
			}
		}
	}
}

// Search looks into every message.
func (s *Session) Search(ctx context.Context, q backend.Query) ([]backend.Found, error) {
	if err := s.b.begin(ctx, OpSearch, "", s.credentials); err != nil {
		return nil, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	var found []backend.Found
	for _, id := range q.Collections {
		c, err := s.folder(OpSearch, id)
		if err != nil {
			continue
		}
		for name, it := range c.items {
			if !it.removed && mailpart.Matches(it.body, it.received, q) {
				found = append(found, backend.Found{Collection: id, ID: name, Received: it.received})
			}
		}
	}
	slices.SortFunc(found, func(a, b backend.Found) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return backend.SortFound(found, q.Limit), nil
}

// Vacation answers what SetVacation set.
func (s *Session) Vacation(ctx context.Context) (backend.Vacation, error) {
	if err := s.b.begin(ctx, OpVacation, "", s.credentials); err != nil {
		return backend.Vacation{}, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return s.b.person(s.credentials.User).vacation, nil
}

// SetVacation keeps it; nobody is answered.
func (s *Session) SetVacation(ctx context.Context, v backend.Vacation) error {
	if err := s.b.begin(ctx, OpSetVacation, "", s.credentials); err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.person(s.credentials.User).vacation = v
	return nil
}
