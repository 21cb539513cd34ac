package mailer_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/mailer"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

func TestCheck(t *testing.T) {
	for text, want := range map[string]bool{
		"smtps://mail.example.org": true, "smtp://mail.example.org:2525/": true, "smtp+plain://[::1]": true,
		"": false, "mail.example.org": false, "http://mail.example.org": false, "smtp://": false, "smtp://user:pw@mail.example.org": false,
		"smtp://mail.example.org/x": false, "smtp://mail.example.org?x": false, "smtp://%zz": false,
	} {
		if err := mailer.Check(text); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := mailer.New(mailer.Options{URL: text}); (err == nil) != want {
			t.Errorf("New with %q: %v", text, err)
		}
	}
}

const message = "From: <ann@pushbridge.example>\r\nSubject: hello\r\n\r\n.\r\nhello\r\n"

// TestSend hands mails to Exim, in each way, and learns which it refuses for good.
func TestSend(t *testing.T) {
	s := imaptest.Start(t)
	text, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	ann := mailer.Options{User: imaptest.Ann.Name, Password: imaptest.Ann.Password, From: imaptest.Ann.Address(), Roots: roots}
	for _, tc := range []struct {
		name, url, to string
		edit          func(*mailer.Options)
		unreached     bool // not even that
		fails         bool
		permanent     bool
	}{
		{name: "TLS from the first byte", url: "smtps://" + s.SMTPS, to: imaptest.Bob.Address()},
		{name: "STARTTLS", url: "smtp://" + s.SMTP, to: imaptest.Bob.Address()},
		{name: "without TLS", url: "smtp+plain://" + s.SMTP, to: imaptest.Bob.Address()},
		{name: "refused for good", url: "smtp://" + s.SMTP, to: imaptest.Refused, fails: true, permanent: true},
		{name: "refused for now", url: "smtp://" + s.SMTP, to: imaptest.Later, fails: true},
		{name: "a wrong password, which somebody mends", url: "smtp://" + s.SMTP, to: imaptest.Bob.Address(), edit: func(o *mailer.Options) { o.Password = "wrong" }, unreached: true, fails: true},
		{name: "nobody logs in", url: "smtp://" + s.SMTP, to: imaptest.Bob.Address(), edit: func(o *mailer.Options) { o.User = "" }, fails: true, permanent: true},
		{name: "a certificate of a stranger", url: "smtp://" + s.SMTP, to: imaptest.Bob.Address(), edit: func(o *mailer.Options) { o.Roots = nil }, unreached: true, fails: true},
		{name: "nobody listens", url: "smtp://127.0.0.1:1", to: imaptest.Bob.Address(), unreached: true, fails: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := ann
			o.URL = tc.url
			if tc.edit != nil {
				tc.edit(&o)
			}
			m, err := mailer.New(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Try(t.Context()); (err != nil) != tc.unreached {
				t.Errorf("trying the server: %v", err)
			}
			err = m.Send(t.Context(), tc.to, strings.NewReader(message))
			if (err != nil) != tc.fails || mailer.Permanent(err) != tc.permanent {
				t.Errorf("the error is %v, permanent: %t", err, mailer.Permanent(err))
			}
			if err != nil && strings.Contains(err.Error(), imaptest.Ann.Password) {
				t.Errorf("the error has the password: %v", err)
			}
		})
	}
}

// TestSendEnds gives a silent server up when the context ends.
func TestSendEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m, err := mailer.New(mailer.Options{URL: "smtp+plain://" + l.Addr().String(), From: "a@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		if conn, err := l.Accept(); err == nil {
			defer conn.Close()
			cancel(enough)
			conn.Read(make([]byte, 1)) // until the other side hangs up
		}
	}()
	if err := m.Send(ctx, "c@d.example", strings.NewReader(message)); !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}
}
