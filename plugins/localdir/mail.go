package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/mailpart"
)

var (
	_ backend.Mailbox  = (*Session)(nil)
	_ backend.Sender   = (*Session)(nil)
	_ backend.Searcher = (*Session)(nil)
)

// Extras are those of the backend: without mail a session is no Mailbox,
// whatever methods it has.
func (s *Session) Extras() []backend.Extra { return s.b.Extras() }

// openMail opens a mail folder.
func (s *Session) openMail(ctx context.Context, op string, c backend.CollectionID) (*folder, error) {
	f, err := s.open(ctx, op, c)
	if err == nil && f.kind != backend.Mail {
		f.Close()
		return nil, backend.Errorf(backend.Unsupported, op, "%.80q holds no mail", c)
	}
	return f, err
}

// Messages implements backend.Mailbox.
func (s *Session) Messages(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	const op = "localdir: messages"
	f, err := s.openMail(ctx, op, c)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := f.letters()
	if err != nil {
		return failure(op, err)
	}
	given := make(map[backend.ItemID]bool, len(ids))
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return backend.E(backend.Transient, op, err)
		}
		name, _ := fileName(string(id))
		l, ok := all[name]
		if !ok || given[id] {
			continue
		}
		given[id] = true
		m, err := f.message(op, id, l, limit)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			m = backend.Message{ID: id, Err: failure(op, err)}
		}
		if err := yield(m); err != nil {
			return err
		}
	}
	return nil
}

// message reads a message as far as it is wanted.
func (f *folder) message(op string, id backend.ItemID, l letter, limit int) (backend.Message, error) {
	info, err := f.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) { // renamed meanwhile, or gone
		if _, l, err = f.letter(op, id, ""); err != nil {
			return backend.Message{}, fs.ErrNotExist
		}
		info, err = f.Lstat(l.path)
	}
	if err != nil {
		return backend.Message{}, err
	}
	m := backend.Message{ID: id, Revision: l.revision(), Flags: l.flags, Received: info.ModTime().Truncate(time.Second), Size: info.Size()}
	f.mu.Lock()
	if e, ok := f.items[string(id)]; ok && !e.removed && !e.received.IsZero() {
		m.Received = e.received
	}
	f.mu.Unlock()
	if limit <= 0 {
		return m, nil
	}
	body, err := f.readLetter(l)
	if err != nil {
		return m, err
	}
	m.Size = int64(len(body))
	m.Body, m.Left = mailpart.Hollow(body, limit)
	return m, nil
}

// getMail is Get for mail folders.
func (s *Session) getMail(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return s.Messages(ctx, c, ids, backend.MaxItemSize, func(m backend.Message) error {
		f := backend.Fetched{Item: backend.Item{ID: m.ID}, Err: m.Err}
		switch {
		case m.Err != nil:
		case len(m.Left) > 0: // with the lines of the wire it is too large
			f.Err = backend.E(backend.TooLarge, "localdir: get", errTooLarge)
		default:
			f.Revision, f.MediaType, f.Body, f.Flags = m.Revision, backend.Mail.MediaType(), m.Body, m.Flags
		}
		return yield(f)
	})
}

// Part implements backend.Mailbox.
func (s *Session) Part(ctx context.Context, c backend.CollectionID, id backend.ItemID, path string, offset, length int64, w io.Writer) error {
	const op = "localdir: part"
	f, err := s.openMail(ctx, op, c)
	if err != nil {
		return err
	}
	defer f.Close()
	_, l, err := f.letter(op, id, "")
	if err != nil {
		return err
	}
	body, err := f.readLetter(l)
	if err != nil {
		return failure(op, err)
	}
	start, end, ok := mailpart.Find(body, path)
	if !ok {
		return backend.Errorf(backend.NotFound, op, "%.80q has no part %.40q", id, path)
	}
	_, err = w.Write(mailpart.Range(body[start:end], offset, length))
	return err
}

// SetFlags implements backend.Mailbox.
func (s *Session) SetFlags(ctx context.Context, c backend.CollectionID, id backend.ItemID, set, clear []string) (backend.Revision, error) {
	const op = "localdir: flags"
	f, end, err := s.begin(ctx, op, c)
	if err != nil {
		return "", err
	}
	defer end()
	if f.kind != backend.Mail {
		return "", backend.Errorf(backend.Unsupported, op, "%.80q holds no mail", c)
	}
	name, l, err := f.letter(op, id, "")
	if err != nil {
		return "", err
	}
	flags := backend.ChangeFlags(l.flags, set, clear)
	if slices.Equal(flags, l.flags) {
		return l.revision(), nil
	}
	info, err := f.info(flags)
	if err == nil {
		err = f.make("cur")
	}
	if err == nil {
		err = f.Rename(l.path, "cur/"+name+infoMark+info)
	}
	if err != nil {
		return "", failure(op, err)
	}
	if backend.HasFlag(flags, backend.FlagDeleted) {
		return letter{flags: flags}.revision(), nil
	}
	out, err := f.noted(op, name)
	return out.Revision, err
}

// Search implements backend.Searcher by reading every message.
func (s *Session) Search(ctx context.Context, q backend.Query) ([]backend.Found, error) {
	const op = "localdir: search"
	var found []backend.Found
	for _, c := range q.Collections {
		err := s.searchFolder(ctx, op, c, q, &found)
		if err != nil && backend.KindOf(err) != backend.NotFound {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b backend.Found) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return backend.SortFound(found, q.Limit), nil
}

func (s *Session) searchFolder(ctx context.Context, op string, c backend.CollectionID, q backend.Query, found *[]backend.Found) error {
	f, err := s.openMail(ctx, op, c)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := f.letters()
	if err != nil {
		return failure(op, err)
	}
	for name, l := range all {
		if err := ctx.Err(); err != nil {
			return backend.E(backend.Transient, op, err)
		}
		m, err := f.message(op, backend.ItemID(idOf(name)), l, backend.MaxItemSize)
		if err == nil && mailpart.Matches(m.Body, m.Received, q) {
			*found = append(*found, backend.Found{Collection: c, ID: m.ID, Received: m.Received})
		}
	}
	return nil
}

// Send implements backend.Sender for mail between people of this directory: an
// address is one of theirs if what stands before the @ is the name of one who
// has a Maildir. All of them get it, or nobody.
func (s *Session) Send(ctx context.Context, m backend.Envelope, r io.Reader) error {
	const op = "localdir: send"
	if !s.b.settings.Mail {
		return backend.E(backend.Unsupported, op, nil)
	}
	if len(m.To) == 0 || len(m.To) > backend.MaxRecipients {
		return backend.Errorf(backend.Invalid, op, "%d recipients, 1 to %d are allowed", len(m.To), backend.MaxRecipients)
	}
	body, err := io.ReadAll(io.LimitReader(r, backend.MaxItemSize+1))
	switch {
	case err != nil:
		return err
	case len(body) > backend.MaxItemSize:
		return backend.E(backend.TooLarge, op, errTooLarge)
	}
	var people []string
	for _, to := range m.To {
		user, _, _ := strings.Cut(to, "@")
		user = strings.ToLower(user)
		if !plainName(user) {
			return backend.Errorf(backend.Invalid, op, "%.100q is no address", to)
		}
		f, err := (&Session{b: s.b, user: user}).open(ctx, op, mailID)
		if err != nil {
			return backend.Errorf(backend.Invalid, op, "nobody here has the address %.100q: mail goes to people with a directory of their own", to)
		}
		f.Close()
		if !slices.Contains(people, user) {
			people = append(people, user)
		}
	}
	return newDelivery(s.b, op, body).send(ctx, people)
}
