package easserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// MaxMail bounds the request that brings a mail: 25 MB of attachments, which is
	// what mail servers commonly take, in base64.
	MaxMail = 36 << 20

	// MaxClientID bounds the ClientId of a mail, in characters. See [MS-ASCMD]
	// "ClientId (SmartForward, SmartReply and SendMail)".
	MaxClientID = 40
)

// A composition is a mail that a phone has written, in whichever form it came.
type composition struct {
	clientID string // "" up to 12.1
	account  string // the AccountId
	save     bool   // a copy is to be kept
	replace  bool   // all of it is in mime
	mime     []byte
	source   *eas.MailSource // of what is answered or passed on

	// From 16.0 on a meeting is passed on without mime: forwardees says to whom, and
	// body what is to be written to them.
	forwardees []eas.Forwardee
	body       eas.Properties
}

// Errors of a composition.
var (
	errNoRecipient = errors.New("easserver: the mail has no recipient")
	errBadMail     = errors.New("easserver: the mail cannot be read")
	errForeignFrom = errors.New("easserver: the mail is from somebody else than the person who sends it")
	errNoSender    = errors.New("easserver: no backend sends mail for the person")
	errBadAccount  = errors.New("easserver: there is no such account to send with")
	errSentBefore  = errors.New("easserver: the mail was sent already")
	errNoSource    = errors.New("easserver: the mail that is answered or passed on is not there")
	errSourceClass = errors.New("easserver: what is answered or passed on is no mail")
)

// composed tells a phone what came of its mail. It is the one place where errors
// become statuses of SendMail, SmartReply and SmartForward, and of drafts that are
// sent; versions before 14.0 are told by HTTP. Errors after which the same may be
// tried again stay what they are. See [MS-ASCMD] "Common Status Codes".
func composed(err error) error {
	refuse := func(s eas.Status, code int) error { return &inBand{status: s, http: code, err: err} }
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errSentBefore):
		return refuse(eas.MessagePreviouslySent, http.StatusConflict)
	case errors.Is(err, errNoRecipient):
		return refuse(eas.MessageHasNoRecipient, http.StatusBadRequest)
	case errors.Is(err, errBadMail):
		return refuse(eas.InvalidMIME, http.StatusBadRequest)
	case errors.Is(err, errBadAccount):
		return refuse(eas.InvalidAccountID, http.StatusBadRequest)
	case errors.Is(err, errNoSender):
		return refuse(eas.MailSubmissionFailed, http.StatusForbidden)
	case errors.Is(err, errForeignFrom):
		return refuse(eas.MailSubmissionFailed, http.StatusForbidden)
	case errors.Is(err, errInstance):
		return refuse(eas.InvalidDateTime, http.StatusBadRequest)
	case errors.Is(err, calendar.ErrNoSeries):
		return refuse(eas.NoRecurrenceInCalendar, http.StatusBadRequest)
	case errors.Is(err, errSourceClass):
		return refuse(eas.UnexpectedItemClass, http.StatusBadRequest)
	case errors.Is(err, errNoSource):
		return refuse(eas.ItemNotFound, http.StatusNotFound)
	}
	switch backend.KindOf(err) {
	case backend.TooLarge:
		return refuse(eas.AttachmentIsTooLarge, http.StatusRequestEntityTooLarge)
	case backend.Invalid, backend.Denied, backend.Unsupported, backend.ReadOnly:
		return refuse(eas.MailSubmissionFailed, http.StatusInternalServerError)
	}
	return err
}

// A notSent error is that of a draft which stays a draft.
type notSent struct{ err error }

func (e *notSent) Error() string { return "easserver: the draft was not sent: " + e.err.Error() }

// Unwrap says that the phone's command is to blame, and what for.
func (e *notSent) Unwrap() []error { return []error{e.err, translate.ErrInvalid} }

func isNotSent(err error) bool {
	_, ok := errors.AsType[*notSent](err)
	return ok
}

// composeStatus is the status by which a phone is told that its mail was not sent.
func composeStatus(err error) eas.Status {
	if e, ok := errors.AsType[*inBand](composed(err)); ok {
		return e.status
	}
	return eas.MailSubmissionFailed
}

// compose sends a mail and answers what came of it: nothing, if it went out. See
// [MS-ASCMD] "SendMail".
func (s *Server) compose(ctx context.Context, c *call, p composition) (answer, error) {
	err := s.checkComposition(&p, c.version)
	if err == nil {
		err = s.sendOut(ctx, c, &p)
	}
	switch {
	case errors.Is(err, errNoSender) && !s.offered(c.query.Command):
		return nil, c.notSupported()
	case errors.Is(err, errSentBefore):
		c.note(slog.Bool("sent_before", true))
		if c.version < eas.V140 {
			return nil, nil // no status says so, and of an error the phone would try again and again
		}
	case err != nil:
		c.note(slog.Any("mail_not_sent", err))
	}
	return nil, composed(err)
}

// checkComposition refuses what contradicts the protocol. No account was ever told
// an AccountId.
func (s *Server) checkComposition(p *composition, v eas.Version) error {
	switch {
	case v >= eas.V140 && (p.clientID == "" || utf8.RuneCountInString(p.clientID) > MaxClientID):
		return &inBand{status: eas.InvalidContent, http: http.StatusBadRequest, err: errors.New("the ClientId is missing or too long")}
	case len(bytes.TrimSpace(p.mime)) == 0 && len(p.forwardees) == 0:
		return fmt.Errorf("%w: it is empty", errBadMail)
	case p.account != "":
		return fmt.Errorf("%w: %.70q", errBadAccount, p.account)
	}
	return nil
}

// sendOut puts the mail together and sends it, once.
func (s *Server) sendOut(ctx context.Context, c *call, p *composition) error {
	if told, err := s.toldByStore(ctx, c, p); told || err != nil {
		return err
	}
	m, err := s.mailer(ctx, c)
	if err != nil {
		return err
	}
	out := post{name: p.name(c), save: p.save}
	out.token = m.token(out.name)
	if p.source == nil {
		out.out, err = mail.Send(p.mime, m.sending(out.token))
	} else {
		out, err = s.joined(ctx, c, p, m, out)
		if errors.Is(err, errNoSource) || backend.KindOf(err) == backend.NotFound {
			err = s.again(ctx, p, m, &out, err)
		}
	}
	if err != nil {
		return asComposition(m.known(err))
	}
	return m.send(ctx, out)
}

// again finds out whether a mail whose source is gone is one that an earlier try gave
// to the mail system. Then it is met by its note, and what is put together here does
// not go out.
func (s *Server) again(ctx context.Context, p *composition, m *mailer, out *post, gone error) error {
	given, err := s.Outbox.WasGiven(ctx, m.letter(out))
	if err != nil {
		return err
	}
	if !given {
		return gone
	}
	out.out, err = mail.Send(p.mime, m.sending(out.token))
	return err
}

// joined puts a mail together with the one that it answers or passes on, which is
// marked when it is out.
func (s *Server) joined(ctx context.Context, c *call, p *composition, m *mailer, out post) (post, error) {
	from, err := s.source(ctx, c, p.source)
	if err != nil {
		return out, err
	}
	join, flag := mail.Forward, backend.FlagForwarded
	if c.query.Command == eas.CmdSmartReply {
		join, flag = mail.Reply, backend.FlagAnswered
	}
	mime := p.mime
	if len(bytes.TrimSpace(mime)) == 0 {
		if mime, err = passedOn(from, p, m.sending(out.token)); err != nil {
			return out, err
		}
	}
	out.out, err = join(mime, from.Original, p.replace, m.sending(out.token))
	out.after = func(ctx context.Context) error {
		return errors.Join(from.mark(ctx, flag), m.notice(ctx, from, p, out))
	}
	return out, err
}

// passedOn writes the mail by which a meeting is passed on. See [MS-ASCMD]
// "Forwardees".
func passedOn(from *source, p *composition, s mail.Sending) ([]byte, error) {
	if from.meeting == nil {
		return nil, fmt.Errorf("%w: only a meeting is passed on without a mail", errSourceClass)
	}
	text, _ := p.body.Text(tag.AirSyncBaseData)
	kind, _ := p.body.Text(tag.AirSyncBaseType)
	return from.meeting.PassOn(peopleOf(p.forwardees), text, kind == strconv.Itoa(int(translate.HTML)), s)
}

func peopleOf(list []eas.Forwardee) []mail.Person {
	var people []mail.Person
	for _, f := range list {
		people = append(people, mail.Person{Name: f.Name, Address: f.Email})
	}
	return people
}

// notice tells the organizer of a meeting whom the phone passed it on to, once. See
// [MS-ASCMD] "Receiving and Forwarding Meeting Requests".
func (m *mailer) notice(ctx context.Context, from *source, p *composition, of post) error {
	if len(p.forwardees) == 0 || from.meeting == nil || from.meeting.Organizer.Address == "" || m.isPerson(from.meeting.Organizer.Address) {
		return nil
	}
	n := post{name: of.name + " notice"}
	n.token = m.token(n.name)
	mime, err := from.meeting.Notice(peopleOf(p.forwardees), m.sending(n.token))
	if err == nil {
		n.out, err = mail.Send(mime, m.sending(n.token))
	}
	if err == nil {
		err = m.send(ctx, n)
	}
	if errors.Is(err, errSentBefore) {
		return nil
	}
	return err
}

// isPerson tells whether an address is one of the person's.
func (m *mailer) isPerson(address string) bool {
	return slices.ContainsFunc(m.person.Addresses, func(own string) bool { return strings.EqualFold(own, address) })
}

// asComposition says what composers' errors mean to a phone.
func asComposition(err error) error {
	switch {
	case errors.Is(err, errInstance), errors.Is(err, calendar.ErrNoSeries):
		return err
	case errors.Is(err, mail.ErrNoRecipients):
		return fmt.Errorf("%w: %w", errNoRecipient, err)
	case errors.Is(err, mail.ErrNotSelf):
		return fmt.Errorf("%w: %w", errForeignFrom, err)
	case errors.Is(err, translate.ErrInvalid), errors.Is(err, translate.ErrUnreadable):
		return fmt.Errorf("%w: %w", errBadMail, err)
	}
	return err
}

// name is what the phone's mail is known by when it comes again: its ClientId, and
// up to 12.1 all of it, if a Message-ID or a Date tells it from another one with the
// same words.
func (p *composition) name(c *call) string {
	if p.clientID != "" {
		return "id:" + p.clientID
	}
	if !oneOfAKind(p.mime) {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00", c.query.Command, c.query.CollectionID, c.query.ItemID, c.query.LongID)
	if c.query.Occurrence != "" {
		fmt.Fprintf(h, "%s\x00", c.query.Occurrence)
	}
	h.Write(p.mime)
	return "sum:" + hex.EncodeToString(h.Sum(nil))
}

// oneOfAKind tells whether a mail has a field in its header that no other has.
func oneOfAKind(mime []byte) bool {
	for line := range bytes.Lines(mime) {
		if len(bytes.TrimSpace(line)) == 0 {
			return false
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		if name = bytes.TrimSpace(name); bytes.EqualFold(name, []byte("Message-ID")) || bytes.EqualFold(name, []byte("Date")) {
			return true
		}
	}
	return false
}
