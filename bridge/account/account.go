// Package account knows who a user is, which backend holds what, and whether the password is right.
//
// A password is verified once against a backend and remembered as a keyed hash
// for minutes, a wrong one too: a phone that still has an old password asks
// every few minutes for days, and a server that counts failed logins would
// lock the gateway out with everybody behind it. The password itself is in
// memory only while a request of its owner is answered or waits, while the
// backend is polled for somebody who waits, and for seconds after that.
package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Named is a backend with its name in the configuration.
type Named struct {
	Name    string
	Backend backend.Backend

	// Login is what this backend is told of a login, as Rule.User has it; empty
	// means the same as all. The backend that verifies passwords has none of its
	// own: who somebody is, is for one rule to say.
	Login string
}

// ErrNoBackend means that there is no backend of that name.
var ErrNoBackend = errors.New("account: no such backend")

// An Account is a user who proved a password. It may be used from many
// goroutines, and by a watch function after the request is answered.
type Account struct {
	name        string // the state's key
	address     string
	credentials backend.Credentials
	accounts    *Accounts
	key         key // of the remembered verdict
	standing    *standing
	names       map[string]string // what backends are told that have a rule of their own

	mu       sync.Mutex
	sessions []*watched // few, and what each phone that waits may hold
}

// String shows the name and hides the password.
func (a *Account) String() string { return a.name }

// GoString hides the password from %#v, too.
func (a *Account) GoString() string { return "account.Account{" + a.name + "}" }

// LogValue hides the password from log/slog.
func (a *Account) LogValue() slog.Value { return slog.StringValue(a.name) }

// Name is the name under which the account's state is kept. Every way to
// write the login gives the same.
func (a *Account) Name() string { return a.name }

// Address is the person's mail address, or empty if neither the login nor the
// rule says what it is.
func (a *Account) Address() string { return a.address }

// Session is the person's view of a backend. It belongs to the account: the
// caller does not close it. A call that fails with kind Denied makes the next
// Login ask the backend again, and all further calls with this password fail
// likewise without asking anybody.
func (a *Account) Session(ctx context.Context, name string) (backend.Session, error) {
	a.mu.Lock()
	s := a.opened(name)
	a.mu.Unlock()
	if err := a.standing.err(); err != nil {
		return nil, err
	}
	if s != nil {
		return s, nil
	}
	b, ok := a.accounts.byName[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoBackend, name)
	}
	if err := a.accounts.shut(a.key, name); err != nil {
		return nil, err
	}
	s, err := a.open(ctx, name, b)
	if err != nil {
		return nil, fmt.Errorf("account: backend %q: %w", name, a.denied(name, err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if other := a.opened(name); other != nil { // somebody was faster
		s.Close()
		return other, nil
	}
	mine := &watched{s, a, name}
	a.sessions = append(a.sessions, mine)
	// A watch function may use the session when the request is long answered,
	// which keeps the account alive; it is closed when nobody can use it any
	// more.
	runtime.AddCleanup(a, func(s backend.Session) { s.Close() }, s)
	return mine, nil
}

// opened is the session with a backend, or nil if there is none. a.mu is held.
func (a *Account) opened(name string) backend.Session {
	for _, s := range a.sessions {
		if s.backend == name {
			return s
		}
	}
	return nil
}

// A sessioner is a backend that makes a session without asking the store.
type sessioner interface {
	Session(backend.Credentials) backend.Session
}

func (a *Account) open(ctx context.Context, name string, b backend.Backend) (backend.Session, error) {
	c := a.credentials
	c.User = a.NameAt(name)
	if d, ok := b.(sessioner); ok {
		return d.Session(c), nil
	}
	return b.Open(ctx, c)
}

// Names are the backends' names, in the order of the configuration.
func (a *Accounts) Names() []string {
	names := make([]string, len(a.backends))
	for i, b := range a.backends {
		names[i] = b.Name
	}
	return names
}

// Backends are the names of all backends, in the configuration's order.
func (a *Account) Backends() []string {
	names := make([]string, len(a.accounts.backends))
	for i, b := range a.accounts.backends {
		names[i] = b.Name
	}
	return names
}

// Offers tells whether any backend has an extra, as far as it says so before anybody
// logs in.
func (a *Accounts) Offers(e backend.Extra) bool {
	return slices.ContainsFunc(a.backends, func(n Named) bool { return slices.Contains(backend.Declared(n.Backend), e) })
}

// A Listing is the complete list of one backend's collections.
type Listing struct {
	Backend     string
	Collections []backend.Collection
}

// List asks every backend for its collections. A backend that fails is missing
// from the listings and its error stands under its name in the second answer;
// it is never given as an empty list.
func (a *Account) List(ctx context.Context) ([]Listing, map[string]error) {
	backends := a.accounts.backends
	listings := make([]Listing, len(backends))
	errs := make([]error, len(backends))
	var all sync.WaitGroup
	for i, b := range backends {
		all.Go(func() {
			s, err := a.Session(ctx, b.Name)
			if err == nil {
				listings[i].Backend = b.Name
				listings[i].Collections, err = s.Collections(ctx)
			}
			errs[i] = err
		})
	}
	all.Wait()
	var good []Listing
	var bad map[string]error
	for i, b := range backends {
		if errs[i] == nil {
			good = append(good, listings[i])
			continue
		}
		if bad == nil {
			bad = make(map[string]error)
		}
		bad[b.Name] = errs[i]
	}
	return good, bad
}

// Denied is told of an error of a backend. If a backend no longer accepts the
// password, the remembered verdict falls, so that the next Login asks again,
// and everything that goes on with this password ends: see Accounts.WhenRefused. Sessions of
// the account do this by themselves.
func (a *Account) Denied(err error) { a.denied("", err) }

// denied answers what is to be said of an error of a backend.
func (a *Account) denied(name string, err error) error {
	if err == nil || backend.KindOf(err) != backend.Denied || a.standing.err() != nil {
		return err
	}
	if a.accounts.isAbsent(a, name, err) {
		return absent(name, err)
	}
	a.accounts.denied(a, name, err)
	return err
}

// Refused is what a backend said against the password since it was verified;
// nil if nothing.
func (a *Account) Refused() error { return a.standing.err() }

// NameAt is the name that a backend knows the person by.
func (a *Account) NameAt(backend string) string {
	if own, ok := a.names[backend]; ok {
		return own
	}
	return a.name
}
