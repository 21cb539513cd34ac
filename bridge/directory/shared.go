package directory

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Shared are books that everybody may look into: those of one account at a
// backend, by a pattern. Make one with NewShared.
type Shared struct {
	name        string
	backend     backend.Backend
	credentials backend.Credentials
	pattern     string

	turn    chan struct{} // capacity 1: held by the one who asks
	session backend.Session
	places  []Place
	asked   time.Time
	refused time.Time // when the backend said no to the password
}

const (
	// listed is how long the list of shared books is believed.
	listed = 10 * time.Minute

	// refusedFor is how long a password is not tried again that was refused, so
	// that the server does not lock the account.
	refusedFor = 10 * time.Minute
)

// NewShared names the collections of an account whose ID or name matches a
// pattern as path.Match has it, or whose ID ends with it.
func NewShared(name string, b backend.Backend, c backend.Credentials, pattern string) *Shared {
	return &Shared{name: name, backend: b, credentials: c, pattern: pattern, turn: make(chan struct{}, 1)}
}

// String names the books and hides the password.
func (s *Shared) String() string { return "directory " + s.pattern + " at " + s.name }

// GoString hides the password from %#v, too.
func (s *Shared) GoString() string { return "directory.Shared{" + s.String() + "}" }

// Matches tells whether a collection is one that a pattern means.
func Matches(pattern string, c backend.Collection) bool {
	if c.Kind != backend.Contacts {
		return false
	}
	if ok, err := path.Match(pattern, c.Name); err == nil && ok {
		return true
	}
	id := string(c.ID)
	if ok, err := path.Match(pattern, id); err == nil && ok || id == pattern {
		return true
	}
	trimmed := path.Clean("/" + id)
	ok, err := path.Match(pattern, path.Base(trimmed))
	return err == nil && ok || len(pattern) > 1 && path.Clean("/"+pattern) == trimmed
}

// Open answers the books and where to read them. What the backend refuses is
// kind Transient: it is not the asking person's password that is wrong.
func (s *Shared) Open(ctx context.Context) ([]Place, backend.Session, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	if !s.refused.IsZero() && time.Since(s.refused) < refusedFor {
		return nil, nil, backend.Errorf(backend.Transient, s.String(), "the password of %s was refused", s.credentials.User)
	}
	if s.session != nil && time.Since(s.asked) < listed {
		return s.places, s.session, nil
	}
	if err := s.list(ctx); err != nil {
		if backend.KindOf(err) == backend.Denied {
			s.refused = time.Now()
		}
		if s.session != nil && s.places != nil && backend.KindOf(err) != backend.Denied {
			return s.places, s.session, nil // they are still there, as far as anybody knows
		}
		return nil, nil, backend.E(backend.Transient, s.String(), err)
	}
	return s.places, s.session, nil
}

func (s *Shared) list(ctx context.Context) error {
	if s.session == nil {
		session, err := s.backend.Open(ctx, s.credentials)
		if err != nil {
			return err
		}
		s.session = session
	}
	collections, err := s.session.Collections(ctx)
	if err != nil {
		return err
	}
	var places []Place
	for _, c := range collections {
		if Matches(s.pattern, c) {
			places = append(places, Place{Backend: s.name, Collection: c.ID})
		}
	}
	if len(places) == 0 {
		return fmt.Errorf("no address book of %s matches %q", s.credentials.User, s.pattern)
	}
	s.places, s.asked, s.refused = places, time.Now(), time.Time{}
	return nil
}

// Failed is told of an error of a call with the session: a password that is
// refused is not tried again for a while.
func (s *Shared) Failed(err error) {
	if backend.KindOf(err) != backend.Denied {
		return
	}
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.refused = time.Now()
}

// Close ends the session.
func (s *Shared) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.session == nil {
		return nil
	}
	err := s.session.Close()
	s.session = nil
	return err
}
