// Package mailer hands mails of the worker's own, such as notices, to a mail server.
package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say to which server. URL and From are required.
type Options struct {
	// URL is where it listens: "smtps://HOST" for TLS from the first byte (port 465),
	// "smtp://HOST" for STARTTLS (587), without which nothing is said, or
	// "smtp+plain://HOST" without TLS (25), for the same computer.
	URL string

	User, Password string // to log in with; without a user nobody logs in

	From  string         // the address that mails are from
	Roots *x509.CertPool // authorities to trust; nil means the system's
}

// sendTime bounds how long the server may take for a mail, if the caller does not.
const sendTime = 2 * time.Minute

// ports are those of each scheme; see RFC 8314, section 3.3, and RFC 6409.
var ports = map[string]string{"smtps": "465", "smtp": "587", "smtp+plain": "25"}

// Check tells whether a text can be Options.URL.
func Check(text string) error {
	_, err := parse(text)
	return err
}

func parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || ports[u.Scheme] == "" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(`mailer: want "smtps://mail.example.org", "smtp://mail.example.org" for STARTTLS, or "smtp+plain://127.0.0.1"`)
	}
	return u, nil
}

// A Mailer sends mails, each over a connection of its own.
type Mailer struct {
	options Options
	scheme  string
	address string
	tls     *tls.Config
}

// New builds a Mailer.
func New(o Options) (*Mailer, error) {
	u, err := parse(o.URL)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return &Mailer{o, u.Scheme, net.JoinHostPort(u.Hostname(), port),
		&tls.Config{ServerName: u.Hostname(), RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}, nil
}

// From is the address that mails are from.
func (m *Mailer) From() string { return m.options.From }

// Send hands a mail over, for one recipient. Permanent tells of its error whether
// there is a point in trying again.
func (m *Mailer) Send(ctx context.Context, to string, message io.Reader) error {
	return m.within(ctx, func(c *smtp.Client) error { return c.SendMail(m.options.From, []string{to}, message) })
}

// Try tells whether the server lets this worker in, and sends nothing.
func (m *Mailer) Try(ctx context.Context) error {
	return m.within(ctx, func(*smtp.Client) error { return nil })
}

// within does something while it is logged in.
func (m *Mailer) within(ctx context.Context, do func(*smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := m.talk(ctx, do); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // and not that a connection was closed
		}
		return fmt.Errorf("mailer: %s: %w", m.address, err)
	}
	return nil
}

func (m *Mailer) talk(ctx context.Context, do func(*smtp.Client) error) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := m.greet(conn)
	if err != nil {
		return err
	}
	if m.options.User != "" {
		if err := c.Auth(sasl.NewPlainClient("", m.options.User, m.options.Password)); err != nil {
			return loginError{err}
		}
	}
	if err := do(c); err != nil {
		return err
	}
	_ = c.Quit() // it is done, whether the server says goodbye or not
	return nil
}

// greet begins to talk, with TLS as it is wanted.
func (m *Mailer) greet(conn net.Conn) (c *smtp.Client, err error) {
	switch m.scheme {
	case "smtps":
		c = smtp.NewClient(tls.Client(conn, m.tls))
	case "smtp":
		c, err = smtp.NewClientStartTLS(conn, m.tls)
	default:
		c = smtp.NewClient(conn)
	}
	if err == nil {
		err = c.Hello("pushbridge.localhost")
	}
	return c, err
}

// A loginError may be mended by an administrator of the mail server.
type loginError struct{ error }

func (e loginError) Unwrap() error { return e.error }

// Permanent tells whether the server refused a mail for good. See RFC 5321, section
// 4.2.1.
func Permanent(err error) bool {
	said, ok := errors.AsType[*smtp.SMTPError](err)
	_, login := errors.AsType[loginError](err)
	return ok && !login && !said.Temporary()
}
