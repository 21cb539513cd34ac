// Package imap is the built-in backend for mail on an IMAP server, sent through an SMTP server.
//
// A folder's ID is the server's own where it gives one that outlives a new name
// (RFC 8474, or Dovecot's), else the name. A message's ID is the UIDVALIDITY of
// its folder and its UID; its Revision is made of its flags. A message that is
// marked as \Deleted is gone as far as phones can see.
//
// Connections are opened when they are needed, lent to one call at a time, and
// closed with the session, which is seconds after its last call.
package imap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Bounds of the traffic with one server, unless the settings say otherwise.
const (
	// DefaultTimeout is how long a server may be silent in a command. Searching
	// a large folder for the first time takes a minute.
	DefaultTimeout = 2 * time.Minute

	// DefaultConnections is how many connections there are at a time, those that
	// wait for news apart.
	DefaultConnections = 200

	// DefaultWatches is how many connections wait for news at a time; there is
	// one for each person with a waiting phone.
	DefaultWatches = 10_000

	// DefaultLogins is how many logins there are in a second: so that a server
	// which comes back is not met by everybody at once.
	DefaultLogins = 50

	// DefaultPoll is how often the folders other than the inbox are looked at
	// where the server cannot tell of them.
	DefaultPoll = 2 * time.Minute

	// perSession is how many connections one person's calls use at a time.
	// Servers allow some ten for each person, and people have other programs.
	perSession = 3

	// dialTimeout bounds connecting, with TLS.
	dialTimeout = 20 * time.Second

	// patience is how long a call waits for a connection when all are in use.
	patience = 15 * time.Second
)

// Settings are what an administrator may say about a mail server.
type Settings struct {
	// URL is the IMAP server: imaps://host for TLS from the first byte, imap://host
	// for STARTTLS, without which nothing is said. imap+plain://host is without
	// TLS, for a server on the same computer.
	URL string `setting:"url,required"`

	// SMTP is the server that takes mail to be sent: smtps://host,
	// smtp://host or smtp+plain://host. Empty means that nothing is sent.
	SMTP string `setting:"smtp"`

	// SMTPLogin is "person", so that people log in there with what they log in
	// with at the IMAP server, or "none".
	SMTPLogin string `setting:"smtp_login"`

	// Sieve is a ManageSieve server that keeps people's scripts, for what they
	// say while they are away: sieve://host for STARTTLS, or sieve+plain://host.
	// Empty means that there is none.
	Sieve string `setting:"sieve"`

	// CAFile names a file of PEM certificates to trust instead of the system's.
	CAFile string `setting:"ca_file"`

	Timeout     time.Duration `setting:"timeout"`
	Connections int           `setting:"connections"`
	Watches     int           `setting:"watches"`
	Logins      int           `setting:"logins_per_second"`
	Poll        time.Duration `setting:"poll"`
}

// check fills in what is not said and answers what is wrong.
func (s *Settings) check() (hosts hosts, err error) {
	s.Timeout = orDefault(s.Timeout, DefaultTimeout)
	s.Connections = orDefault(s.Connections, DefaultConnections)
	s.Watches = orDefault(s.Watches, DefaultWatches)
	s.Logins = orDefault(s.Logins, DefaultLogins)
	s.Poll = orDefault(s.Poll, DefaultPoll)
	s.SMTPLogin = orDefault(s.SMTPLogin, "person")
	var errs []error
	if s.SMTPLogin != "person" && s.SMTPLogin != "none" {
		errs = append(errs, fmt.Errorf(`smtp_login is %q, want "person" or "none"`, s.SMTPLogin))
	}
	if s.Timeout < time.Second || s.Poll < 100*time.Millisecond || s.Connections < 1 || s.Watches < 1 || s.Logins < 1 {
		errs = append(errs, errors.New("timeout, poll, connections, watches and logins_per_second have to be more than nothing"))
	}
	note := func(key string, e error) {
		if e != nil {
			errs = append(errs, fmt.Errorf("%s %w", key, e))
		}
	}
	roots, err := roots(s.CAFile)
	note("ca_file", err)
	hosts.imap, err = parseHost(s.URL, "imap", "993", "143", roots)
	note("url", err)
	if s.SMTP != "" {
		hosts.smtp, err = parseHost(s.SMTP, "smtp", "465", "587", roots)
		note("smtp", err)
	}
	if s.Sieve != "" {
		hosts.sieve, err = parseHost(s.Sieve, "sieve", "", "4190", roots)
		note("sieve", err)
	}
	return hosts, errors.Join(errs...)
}

func orDefault[T comparable](v, standard T) T {
	var none T
	if v == none {
		return standard
	}
	return v
}

type hosts struct{ imap, smtp, sieve host }

// Open checks the settings, which are Settings, and answers the backend. It
// sends nothing.
func Open(_ context.Context, settings backend.Settings) (backend.Backend, error) {
	var s Settings
	if err := settings.Decode(&s); err != nil {
		return nil, err
	}
	hosts, err := s.check()
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return &store{
		Settings: s, hosts: hosts,
		slots: make(chan struct{}, s.Connections), watches: make(chan struct{}, s.Watches),
		logins: newPace(s.Logins), people: make(map[string]*person),
	}, nil
}

// A store is one IMAP server.
type store struct {
	Settings
	hosts   hosts
	slots   chan struct{} // a place for each connection
	watches chan struct{} // and for each that waits for news
	logins  *pace

	mu     sync.Mutex
	people map[string]*person
	ids    idSource // how the server names folders for ever
}

var (
	_ backend.Declarer = (*store)(nil)
	_ backend.Resumer  = (*store)(nil)
)

// maxPeople bounds of how many people it is remembered which folders they have.
const maxPeople = 5000

// A person is what is remembered of somebody between sessions.
type person struct {
	used   time.Time
	dir    directory
	puts   keyedLocks
	states states
}

// person finds what is remembered of somebody who has logged in.
func (s *store) person(user string) *person {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[user]
	if p == nil {
		if len(s.people) >= maxPeople {
			s.forget()
		}
		p = new(person)
		s.people[user] = p
	}
	p.used = time.Now()
	return p
}

// forget forgets whoever was not seen for the longest time. s.mu is held.
func (s *store) forget() {
	oldest := ""
	for user, p := range s.people {
		if oldest == "" || p.used.Before(s.people[oldest].used) {
			oldest = user
		}
	}
	delete(s.people, oldest)
}

// Open logs in.
func (s *store) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	session := s.session(c)
	conn, err := session.take(ctx)
	if err != nil {
		return nil, err
	}
	session.give(conn)
	return session, nil
}

// Resume implements backend.Resumer: the session logs in when it is used.
func (s *store) Resume(_ context.Context, c backend.Credentials) (backend.Session, error) {
	return s.session(c), nil
}

func (s *store) session(c backend.Credentials) *session {
	return &session{store: s, credentials: c, person: s.person(c.User), mine: make(chan struct{}, perSession)}
}

// Extras tells what sessions can do; those of servers that count no changes are
// no Probers.
func (s *store) Extras() []backend.Extra {
	extras := []backend.Extra{backend.ExtraWatch, backend.ExtraProbe, backend.ExtraFolderEditor, backend.ExtraMail, backend.ExtraSearch}
	if s.SMTP != "" {
		extras = append(extras, backend.ExtraSend)
	}
	if s.Sieve != "" {
		extras = append(extras, backend.ExtraVacation)
	}
	return extras
}

// Close does nothing: connections belong to sessions.
func (s *store) Close() error { return nil }
