package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// acceptTime is how long a server may take to accept a message that it has.
// See RFC 5321, section 4.5.3.2.6: ten minutes; but a phone is waiting.
const acceptTime = 5 * time.Minute

// Send hands a message to the SMTP server. A recipient that is refused refuses
// the message for all.
func (s *session) Send(ctx context.Context, m backend.Envelope, r io.Reader) error {
	const op = "imap: Send"
	switch {
	case s.store.SMTP == "":
		return backend.Errorf(backend.Unsupported, op, "no SMTP server is configured")
	case len(m.To) == 0 || len(m.To) > backend.MaxRecipients:
		return backend.Errorf(backend.Invalid, op, "%d recipients, 1 to %d are allowed", len(m.To), backend.MaxRecipients)
	}
	utf8 := false
	for _, a := range append([]string{m.From}, m.To...) {
		if !address(a) {
			return backend.Errorf(backend.Invalid, op, "%.100q is no mail address", a)
		}
		utf8 = utf8 || strings.ContainsFunc(a, func(r rune) bool { return r > '~' })
	}
	if err := s.enter(ctx, s.store.slots); err != nil {
		return err
	}
	defer func() { <-s.store.slots }()
	if err := s.store.logins.wait(ctx); err != nil {
		return failure("Send", err)
	}
	sub, err := s.submit(ctx)
	if err != nil {
		return smtpFailure(ctx, err)
	}
	defer sub.close()
	if utf8 {
		if ok, _ := sub.Extension("SMTPUTF8"); !ok {
			return backend.Errorf(backend.Invalid, op, "the mail server takes no addresses with such letters")
		}
	}
	if err := sub.envelope(m, utf8); err != nil {
		return smtpFailure(ctx, err)
	}
	return sub.data(ctx, r)
}

// address tells whether a text can stand between angle brackets. The server
// says whether it is an address.
func address(a string) bool {
	return len(a) > 0 && len(a) <= 254 && !strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == '\uFFFD' })
}

// A submission is a connection to the SMTP server on which the person is logged in.
type submission struct {
	*smtp.Client
	link *imapconn.Link
	stop func() bool
}

func (s *submission) close() {
	s.stop()
	s.link.SetPatience(time.Second)
	_ = s.Quit() // what was said counts, not whether the server says goodbye
	_ = s.Close()
}

// submit connects and logs in.
func (s *session) submit(ctx context.Context) (*submission, error) {
	h := s.store.hosts.smtp
	nc, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	link := imapconn.NewLink(nc, s.store.Timeout)
	sub := &submission{link: link, stop: context.AfterFunc(ctx, link.Sever)}
	switch h.security {
	case startTLS:
		if sub.Client, err = smtp.NewClientStartTLS(link, h.tls); err != nil {
			sub.stop()
			return nil, err
		}
	case implicitTLS:
		sub.Client = smtp.NewClient(h.wrap()(link))
	default:
		sub.Client = smtp.NewClient(link)
	}
	if err = sub.Hello("pushbridge.localhost"); err == nil && s.store.SMTPLogin == "person" {
		err = s.authenticate(sub)
	}
	if err != nil {
		sub.close()
		return nil, err
	}
	return sub, nil
}

// An authError is an error of the login, not of a message.
type authError struct{ error }

func (e authError) Unwrap() error { return e.error }

func (s *session) authenticate(sub *submission) error {
	_, mechanisms := sub.Extension("AUTH")
	words := strings.Fields(strings.ToUpper(mechanisms))
	has := func(m string) bool {
		for _, w := range words {
			if w == m {
				return true
			}
		}
		return false
	}
	var err error
	switch c := s.credentials; {
	case has("PLAIN"):
		err = sub.Auth(sasl.NewPlainClient("", c.User, c.Password))
	case has("LOGIN"):
		err = sub.Auth(sasl.NewLoginClient(c.User, c.Password))
	default:
		return backend.Errorf(backend.Other, "imap: Send", `the mail server offers no login that we know (%q); smtp_login = "none" does without`, mechanisms)
	}
	if err != nil {
		return authError{err}
	}
	return nil
}

// envelope says from where and to whom.
func (s *submission) envelope(m backend.Envelope, utf8 bool) error {
	if most, ok := s.MaxMessageSize(); ok && most > 0 && m.Size > int64(most) {
		return backend.Errorf(backend.TooLarge, "imap: Send", "%d bytes, the mail server takes %d", m.Size, most)
	}
	if err := s.Mail(m.From, &smtp.MailOptions{Size: m.Size, UTF8: utf8}); err != nil {
		return fmt.Errorf("sender %s: %w", m.From, err)
	}
	for _, to := range m.To {
		if err := s.Rcpt(to, nil); err != nil {
			return recipientError{to, err}
		}
	}
	return nil
}

// A recipientError is what the server has against a recipient.
type recipientError struct {
	to  string
	err error
}

func (e recipientError) Error() string { return "recipient " + e.to + ": " + e.err.Error() }
func (e recipientError) Unwrap() error { return e.err }

// data hands over the message. Until its last line is sent, it is not.
func (s *submission) data(ctx context.Context, r io.Reader) error {
	w, err := s.Data()
	if err != nil {
		return smtpFailure(ctx, err)
	}
	source := &sourceReader{r: r}
	if _, err := io.Copy(w, source); err != nil {
		s.link.Sever() // without the last line
		if source.err != nil {
			return source.err
		}
		return smtpFailure(ctx, err)
	}
	s.link.SetPatience(acceptTime)
	err = w.Close()
	if _, said := errors.AsType[*smtp.SMTPError](err); err != nil && !said {
		return backend.E(backend.Other, "imap: Send", fmt.Errorf("the connection broke before the mail server said whether it takes the message: %w", err))
	}
	return smtpFailure(ctx, err)
}

// A sourceReader remembers what its source says.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// smtpFailure is the error of a message that was not taken. See RFC 5321,
// section 4.2.3, and RFC 3463.
func smtpFailure(ctx context.Context, err error) error {
	const op = "imap: Send"
	if err == nil {
		return nil
	}
	if e := ended(ctx, "Send"); e != nil {
		return e
	}
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return e
	}
	said, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		return backend.E(backend.Transient, op, err)
	}
	_, auth := errors.AsType[authError](err)
	_, recipient := errors.AsType[recipientError](err)
	kind := backend.Invalid
	switch detail := said.EnhancedCode; {
	case said.Temporary():
		kind = backend.Transient
	case said.Code == 535 || said.Code == 534 || said.Code == 538 || auth && said.Code >= 500:
		kind = backend.Denied
	case said.Code == 530:
		kind = backend.Denied
	case said.Code == 552 && !recipient || detail[1] == 3 && detail[2] == 4:
		kind = backend.TooLarge
	}
	return backend.E(kind, op, errors.New(smtpText(err)))
}

// smtpText is what the server said, on one line and without what is no text.
func smtpText(err error) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "?"))
	return text[:min(len(text), 1000)]
}
