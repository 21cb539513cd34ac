package storm_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// A postOffice is an SMTP server that does with mail what a Postmaster says.
type postOffice struct {
	mu     sync.Mutex
	master storm.Postmaster
}

// open starts it and answers where.
func (o *postOffice) open(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(o)
	s.AllowInsecureAuth = true
	s.ErrorLog = quiet{}
	var serving sync.WaitGroup
	serving.Go(func() { s.Serve(l) }) //nolint:errcheck // it ends when it is closed
	t.Cleanup(func() {
		s.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// quiet says nothing of connections that break, which they shall.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (o *postOffice) attend(p storm.Postmaster) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.master = p
}

func (o *postOffice) postmaster() storm.Postmaster {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.master
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) { return &counter{o, c}, nil }

// A counter is where one client stands.
type counter struct {
	office *postOffice
	conn   *smtp.Conn
}

func (*counter) AuthMechanisms() []string { return []string{sasl.Plain} }

func (*counter) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != imaptest.Ann.Name || password != imaptest.Ann.Password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (*counter) Mail(string, *smtp.MailOptions) error { return nil }
func (*counter) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*counter) Reset()                               {}
func (*counter) Logout() error                        { return nil }

// Data takes a mail with its end. See RFC 5321, section 4.1.1.4.
func (c *counter) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch c.office.postmaster().Judge(body) {
	case storm.Refused:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "the storm"}
	case storm.Deferred:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "the storm"}
	case storm.Unheard:
		c.conn.Conn().Close()
	}
	return nil
}
