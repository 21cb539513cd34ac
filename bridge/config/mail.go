package config

import (
	"fmt"
	"net/mail"
	"net/url"
	"path/filepath"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/mailer"
)

// mostAddresses bounds mail.administrators: each gets a mail for each phone.
const mostAddresses = 20

// mailServer checks where mails are handed over. What may hold a password is not
// repeated.
func mailServer(s string) *problem {
	if s == "" || mailer.Check(s) == nil {
		return nil
	}
	return &problem{"no mail server", `write "smtps://mail.example.org", "smtp://mail.example.org" for STARTTLS, or "smtp+plain://127.0.0.1"`}
}

func mailAddress(s string) *problem {
	if a, err := mail.ParseAddress(s); s == "" || err == nil && a.Address == s && a.Name == "" {
		return nil
	}
	return &problem{fmt.Sprintf("%.80q", s), `write an address such as "pushbridge@example.org"`}
}

// addresses takes a list of mail addresses.
func addresses(to func(*File) *[]string) taker {
	take := texts(to, `["postmaster@example.org"]`, func(s string) *problem {
		if p := mailAddress(s); p != nil || s == "" {
			return &problem{fmt.Sprintf("a list with %.80q", s), `write addresses such as "postmaster@example.org"`}
		}
		return nil
	})
	return func(f *File, v any) *problem {
		p := take(f, v)
		if n := len(*to(f)); p == nil && n > mostAddresses {
			return &problem{fmt.Sprintf("a list of %d", n), fmt.Sprintf("write %d at most, or the address of a list", mostAddresses)}
		}
		return p
	}
}

// checkMail looks at what belongs together.
func (l *loader) checkMail() {
	m := l.file.Mail
	if m.SMTP == "" {
		if m.User != "" || m.From != "" || len(m.Administrators) > 0 {
			l.complain("mail", `set mail.smtp, such as "smtp+plain://127.0.0.1"`, "mail does not say which server takes mails")
		}
		return
	}
	if m.From == "" {
		l.complain("mail", `set mail.from, such as "pushbridge@example.org"`, "mail does not say what address mails are from")
	}
	if (m.User == "") != (m.Password == "") {
		l.complain("mail", "set mail.user and mail.password_file, or neither", "mail has one of user and password without the other")
	}
	if u, err := url.Parse(m.SMTP); err == nil && u.Scheme == "smtp+plain" && m.User != "" && !admin.IsLoopback(u.Hostname()) {
		l.complain("mail.smtp", `write smtps:// or smtp://`, "mail.smtp would send the password over the network where it can be read")
	}
	if m.CAFile != "" && !filepath.IsAbs(m.CAFile) {
		l.complain("mail.ca_file", "write the whole path from /", "mail.ca_file is %.80q", m.CAFile)
	}
}
