package bridge

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/notice"
	"github.com/pushbridge/pushbridge/bridge/mailer"
)

// newNotices builds who mails notices; nil if the configuration names no mail
// server.
func (b *Bridge) newNotices(ctx context.Context) (*notice.Notices, error) {
	m := b.config.Mail
	if m.SMTP == "" {
		return nil, nil
	}
	o := mailer.Options{URL: m.SMTP, User: m.User, Password: m.Password, From: m.From}
	if m.CAFile != "" {
		text, err := os.ReadFile(m.CAFile)
		if err != nil {
			return nil, faulty("mail.ca_file: %w; name a file that the user that pushbridge runs as may read", err)
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(text) {
			return nil, faulty("mail.ca_file = %q has no certificate in PEM", m.CAFile)
		}
	}
	var err error
	if b.mailer, err = mailer.New(o); err != nil {
		return nil, faulty("mail.smtp: %w", err)
	}
	n, err := notice.New(ctx, notice.Options{Server: b.door, Send: b.mailer.Send, From: m.From, Administrators: m.Administrators, AddressOf: b.accounts.AddressOf,
		URL: strings.TrimSuffix(b.config.Web.URL, "/"), Store: b.store.Documents(), Transact: b.store.Transact, Logger: b.logger})
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	return n, nil
}

// tell has a phone's owner hear of what was done about it.
func (b *Bridge) tell(n admin.Notice) {
	if b.notices != nil {
		b.notices.Tell(n)
	}
}
