package easserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A mailer is the way out for a person's mail.
type mailer struct {
	server  *Server
	call    *call
	backend string // that sends, and keeps the copies
	session backend.Session
	sender  backend.Sender
	person  backend.Identity // with all addresses that are known; none if none is
	unsure  error            // why there may be more of them; nil if there are none
}

// mailer finds who sends mail for the person: the backend with the main inbox, or
// else any that sends.
func (s *Server) mailer(ctx context.Context, c *call) (*mailer, error) {
	folders, err := s.Engine.Folders(ctx, c.phone.User)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range folders {
		if f.Kind == backend.Mail && f.Default && f.Role == backend.RoleInbox {
			names = append(names, f.Backend)
		}
	}
	for _, name := range c.account.Backends() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var down error
	for _, name := range names {
		session, err := c.account.Session(ctx, name)
		if err != nil {
			down = err
			continue
		}
		if sender, ok := backend.As[backend.Sender](session); ok {
			m := &mailer{server: s, call: c, backend: name, session: session, sender: sender}
			if m.person, m.unsure = s.person(ctx, c); m.unsure != nil && len(m.person.Addresses) == 0 {
				return nil, m.unsure // any address would do
			}
			return m, nil
		}
	}
	if down != nil {
		return nil, down
	}
	return nil, errNoSender
}

// person is who sends: with every address by which a backend or the rule for logins
// knows them. unsure says why there may be others: a backend cannot be asked now.
func (s *Server) person(ctx context.Context, c *call) (id backend.Identity, unsure error) {
	add := func(addresses ...string) {
		for _, a := range addresses {
			if a != "" && !slices.Contains(id.Addresses, a) {
				id.Addresses = append(id.Addresses, a)
			}
		}
	}
	add(c.account.Address())
	for _, name := range c.account.Backends() {
		session, err := c.account.Session(ctx, name)
		if err != nil {
			continue // others say that it is down
		}
		i, ok := backend.As[backend.Identifier](session)
		if !ok {
			continue
		}
		found, err := i.Identity(ctx)
		if err != nil {
			c.note(slog.Any("identity", err))
			if backend.KindOf(err) == backend.Transient && !errors.Is(err, account.ErrNotThere) {
				unsure = cmp.Or(unsure, err)
			}
			continue
		}
		add(found.Addresses...)
		if id.Name == "" {
			id.Name = found.Name
		}
	}
	return id, unsure
}

// known takes back what a composer said of whom a mail is from, as long as that is
// not known: the same may be right later.
func (m *mailer) known(err error) error {
	if errors.Is(err, mail.ErrNotSelf) && m.unsure != nil {
		return m.unsure
	}
	return err
}

// unmade is what is to be said of a draft that could not be put together.
func (m *mailer) unmade(err error) error {
	if known := m.known(err); backend.KindOf(known) == backend.Transient {
		return known
	}
	return translated(err)
}

// A post is a mail that is to go out once.
type post struct {
	name  string // see outbox.Letter
	token string // the same for the same mail
	out   *mail.Outgoing

	question string // names the question whether it went out: the same from all of the person's phones; empty means token

	anyPhone bool // that sends it: the same of the person's other phones is the same
	save     bool
	draft    bool                        // which goes to where sent mail is, by after
	gone     bool                        // a draft of which no more is known than whom it is for, and its subject
	after    func(context.Context) error // what else is to be done when it is out; nil for nothing
	given    func() error                // is called before the mail system gets the end of it; nil does nothing
}

// A wholeReader does something before it says its end; a nil do is nothing.
type wholeReader struct {
	io.Reader
	do func() error
}

// Read implements io.Reader.
func (w *wholeReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err == io.EOF && w.do != nil {
		if err := w.do(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// sending tells the composers who sends.
func (m *mailer) sending(token string) mail.Sending {
	s := mail.Sending{Now: m.call.start, Self: m.person.Addresses, Name: m.person.Name, Host: "localhost", Token: token}
	if len(s.Self) > 0 {
		if _, domain, ok := strings.Cut(s.Self[0], "@"); ok {
			s.Host = domain
		}
	}
	return s
}

// token is a name for what is made of a phone's mail: the same whenever it sends the
// same.
func (m *mailer) token(name string) string {
	if name == "" {
		name = rand.Text()
	}
	sum := sha256.Sum256([]byte(m.call.phone.User + "\x00" + m.call.phone.Device + "\x00" + name))
	return hex.EncodeToString(sum[:20])
}

// letter is what the outbox knows a mail by.
func (m *mailer) letter(p *post) outbox.Letter {
	l := outbox.Letter{User: m.call.phone.User, Device: m.call.phone.Device, Name: p.name}
	if p.anyPhone {
		l.Device = ""
	}
	return l
}

// send sends a mail, once; errSentBefore if that was an earlier time.
func (m *mailer) send(ctx context.Context, p post) error {
	c := m.call
	if n := len(p.out.Recipients); n > backend.MaxRecipients {
		return backend.Errorf(backend.Invalid, "easserver: send", "the mail has %d recipients, and %d are the most", n, backend.MaxRecipients)
	}
	envelope := backend.Envelope{From: p.out.From, To: p.out.Recipients, Size: p.out.Size()}
	message := p.out.Open(ctx)
	defer message.Close()
	before, err := m.server.Outbox.Send(ctx, m.letter(&p), outbox.Post{
		Message: message,
		Send: func(ctx context.Context, r io.Reader) error {
			return m.sender.Send(ctx, envelope, &wholeReader{r, p.given})
		},
		After: func(ctx context.Context) error { return m.after(ctx, p) },
		Tell:  func(ctx context.Context) error { return m.tellUnsure(ctx, p) },
	})
	switch {
	case backend.KindOf(err) == backend.Denied:
		// The person may read mail and not send it: the password is right.
		return backend.Errorf(backend.Invalid, "easserver: send", "%v", err)
	case err != nil:
		return err
	case before:
		return errSentBefore
	}
	c.note(slog.Int("recipients", len(envelope.To)), slog.Int64("mail_bytes", envelope.Size))
	return nil
}

// askOnly tells the person of a mail that an earlier try gave to the mail system, and
// does not send it, whatever became of that.
func (m *mailer) askOnly(ctx context.Context, p post) error {
	_, err := m.server.Outbox.Send(ctx, m.letter(&p), outbox.Post{
		Message: strings.NewReader(""),
		Send: func(context.Context, io.Reader) error {
			return backend.Errorf(backend.Transient, "easserver: send", "the mail is not at hand")
		},
		Tell: func(ctx context.Context) error { return m.tellUnsure(ctx, p) },
	})
	return err
}

// after does what belongs to a mail that is out. Each can be done again.
func (m *mailer) after(ctx context.Context, p post) error {
	var errs []error
	if p.save {
		errs = append(errs, m.keep(ctx, p))
	}
	if p.after != nil {
		errs = append(errs, p.after(ctx))
	}
	return errors.Join(errs...)
}

// errUntold means that nobody knows whether a mail went out, and that the person has no
// inbox to be told so in.
var errUntold = errors.New("whether the mail went out is not known, and there is no inbox to say so in")

// tellUnsure tells the person that nobody knows whether a mail went out. What hinders
// it passes, as far as the phone is concerned: that a mailbox is full must not be taken
// for the mail's own refusal, and the phone has the mail until there is room. Only of
// an inbox that does not exist the phone is told, lest it tries for ever.
func (m *mailer) tellUnsure(ctx context.Context, p post) error {
	err := m.noticeUnsure(ctx, p)
	if err != nil && backend.KindOf(err) != backend.Transient && !errors.Is(err, errUntold) {
		return backend.Errorf(backend.Transient, "easserver: send", "whether the mail went out is not known, and the person cannot be told so: %v", err)
	}
	return err
}

// noticeUnsure puts a message that says so into the inbox. The mail is kept, so that
// it can be sent once more.
func (m *mailer) noticeUnsure(ctx context.Context, p post) error {
	inbox, err := m.server.folderFor(ctx, m.call, m.backend, backend.RoleInbox)
	if err != nil {
		return err
	}
	if inbox.ID == 0 {
		return backend.Errorf(backend.Invalid, "easserver: send", "%w: backend %q has none", errUntold, m.backend)
	}
	keep := p.after
	if !p.draft {
		keep = func(ctx context.Context) error { return m.keep(ctx, p) }
	}
	it := backend.Item{ID: backend.ItemID("unsure-" + cmp.Or(p.question, p.token)), MediaType: backend.Mail.MediaType(), Body: mail.Unsure(p.out, m.sending(p.token))}
	if p.gone {
		it.Body = mail.UnsureGone(p.out, m.sending(p.token))
	}
	told, err := m.session.Put(ctx, inbox.Collection, it)
	if err != nil && (backend.KindOf(err) != backend.Conflict || told.ID == "") { // else an earlier try put it there
		return err
	}
	err = keep(ctx) // last: a draft that is gone has been told of
	if err != nil && (stays(err) || p.out.Size() > backend.MaxItemSize) {
		m.call.note(slog.Any("unsure_mail_not_kept", err)) // the person knows
		return nil
	}
	return err
}

// stays tells of an error of a folder for sent mail that the next try would end in it,
// too: there is none, or nothing can be put there.
func stays(err error) bool {
	switch backend.KindOf(err) {
	case backend.NotFound, backend.ReadOnly, backend.Unsupported, backend.Invalid:
		return true
	}
	return false
}

// keep puts a copy into the folder for sent mail, which is made if there is none.
// The copy has the hidden recipients, too.
func (m *mailer) keep(ctx context.Context, p post) error {
	folder, err := m.sentFolder(ctx)
	if err != nil {
		return err
	}
	body, err := bytesOf(ctx, p.out.WithBcc())
	if err != nil {
		return err
	}
	copied, err := m.session.Put(ctx, folder, backend.Item{
		ID: backend.ItemID(p.token), MediaType: backend.Mail.MediaType(), Body: body, Flags: []string{backend.FlagSeen}})
	if backend.KindOf(err) == backend.Conflict && copied.ID != "" {
		return nil // an earlier try put it there
	}
	if err != nil {
		return fmt.Errorf("easserver: keeping a copy of sent mail: %w", err)
	}
	return nil
}

// bytesOf is all of a mail.
func bytesOf(ctx context.Context, out *mail.Outgoing) ([]byte, error) {
	if out.Size() > backend.MaxItemSize {
		return nil, backend.Errorf(backend.TooLarge, "easserver: mail", "it has %d bytes, and %d are the most", out.Size(), backend.MaxItemSize)
	}
	r := out.Open(ctx)
	defer r.Close()
	var b bytes.Buffer
	b.Grow(int(out.Size()) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, backend.MaxItemSize+1)) // Size is not exact where a store counts otherwise
	switch {
	case err != nil:
		return nil, fmt.Errorf("easserver: putting a mail together: %w", err)
	case n > backend.MaxItemSize:
		return nil, backend.Errorf(backend.TooLarge, "easserver: mail", "it has more than %d bytes", backend.MaxItemSize)
	}
	return b.Bytes(), nil
}

// sentFolder finds the folder for sent mail, or makes it.
func (m *mailer) sentFolder(ctx context.Context) (backend.CollectionID, error) {
	folder, err := m.server.folderFor(ctx, m.call, m.backend, backend.RoleSent)
	if err != nil || folder.ID != 0 {
		return folder.Collection, err
	}
	editor, ok := backend.As[backend.FolderEditor](m.session)
	if !ok {
		return "", backend.Errorf(backend.NotFound, "easserver: sent mail", "backend %q has no folder for sent mail", m.backend)
	}
	made, err := editor.CreateCollection(ctx, backend.Collection{ID: "sent", Kind: backend.Mail, Name: "Sent", Role: backend.RoleSent})
	if backend.KindOf(err) == backend.Conflict && made.ID != "" {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("easserver: making a folder for sent mail: %w", err)
	}
	if _, err := m.server.refreshFolders(ctx, m.call.account); err != nil {
		m.call.note(slog.Any("folders_not_listed", err))
	}
	return made.ID, nil
}
