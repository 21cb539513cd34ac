// Package roster knows the administrators: their passwords, second factors, sessions and tokens.
//
// Everything is in the database and is read anew for each request, so that what
// is changed holds at once, for every worker: who is switched off is out. Secrets
// are kept as hashes: passwords by argon2id, those of sessions and tokens, which
// have 256 random bits, by SHA-256. Only the secret of a second factor can be read
// again, since codes are computed from it: it is encrypted where there is a key.
package roster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/audit"
)

// A Store keeps documents by kind and name.
type Store interface {
	// Documents answers those of a kind by their names.
	Documents(ctx context.Context, kind string) (map[string][]byte, error)

	// Document answers one, or nil if there is none.
	Document(ctx context.Context, kind, name string) ([]byte, error)

	// SaveDocument puts one in place of an earlier one; nil deletes it.
	SaveDocument(ctx context.Context, kind, name string, record []byte) error
}

// The kinds of documents. The words are stored.
const (
	kindAdministrator = "administrator"
	kindSession       = "session"
	kindToken         = "token"
)

const (
	// DefaultIdle and DefaultLongest are how long a session lives that is not
	// used, and at most: a working day, and a lunch that is not too long.
	DefaultIdle    = 30 * time.Minute
	DefaultLongest = 12 * time.Hour

	// MaxAdministrators bounds the list, which is read as a whole.
	MaxAdministrators = 1000
)

// Limits are how many wrong passwords one name and one address have. Somebody at
// one address runs out of guesses before the name does, and so keeps nobody else
// with that name out.
var Limits = account.Limits{User: 20, Address: 10, Window: 10 * time.Minute}

// Options tell New what to build with. Store is required.
type Options struct {
	Store Store

	// Transact makes what work writes come true together. Nil means one after the
	// other.
	Transact func(ctx context.Context, work func(context.Context) error) error

	// Audit has who signed in, and who did not. Nil means that nothing is written
	// down.
	Audit *audit.Log

	// Seal encrypts the secrets of second factors. Nil means that there is no key,
	// and that new ones are kept as they are.
	Seal Sealer

	Idle    time.Duration // of a session; 0 means DefaultIdle
	Longest time.Duration // of a session; 0 means DefaultLongest
	Limits  account.Limits
	Cost    Cost // of a password; the zero Cost means DefaultCost
}

// A Roster is everybody who may sign in. Its methods may be called from many
// goroutines.
type Roster struct {
	options  Options
	throttle account.Throttle
	slots    chan struct{} // who computes
	queued   atomic.Int32  // who computes or waits for a slot
	decoy    string        // the hash of no password
}

// New builds a Roster.
func New(o Options) *Roster {
	if o.Store == nil {
		panic("roster: Store is required")
	}
	if o.Transact == nil {
		o.Transact = func(ctx context.Context, work func(context.Context) error) error { return work(ctx) }
	}
	if o.Idle == 0 {
		o.Idle = DefaultIdle
	}
	if o.Longest == 0 {
		o.Longest = DefaultLongest
	}
	if o.Limits == (account.Limits{}) {
		o.Limits = Limits
	}
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost
	}
	s := &Roster{options: o, throttle: account.NewThrottle(o.Limits), slots: make(chan struct{}, maxComputing)}
	s.decoy = o.Cost.decoy()
	return s
}

// What the methods of a Roster fail with, besides errors of the store.
var (
	// ErrUnknown: there is no such administrator, session or token.
	ErrUnknown = errors.New("roster: unknown")

	// ErrWrong: the name, the password or the code is wrong, or the administrator
	// is switched off. Which of these is not said to anybody.
	ErrWrong = errors.New("roster: the name, the password or the code is wrong")

	// ErrEnded: the session or the token is over, or never was.
	ErrEnded = errors.New("roster: the session or token is not valid, or not any more")

	// ErrBusy: too many passwords are being computed.
	ErrBusy = errors.New("roster: too many people sign in at this moment")
)

// A Mistake says in a sentence what cannot be done, for whoever wanted it.
type Mistake struct{ Text string }

// Error is the sentence.
func (m Mistake) Error() string { return m.Text }

func mistake(format string, args ...any) error { return Mistake{fmt.Sprintf(format, args...)} }

// A Throttled says how long not to try again.
type Throttled struct{ Wait time.Duration }

// Error implements error.
func (t Throttled) Error() string {
	return fmt.Sprintf("roster: too many wrong passwords; come back in %v", t.Wait.Round(time.Second))
}

// validName is how an administrator may be called: as in mail addresses, in small
// letters, so that no two look the same.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`)

// Name is a name as it is kept.
func Name(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// load reads a document; ErrUnknown if there is none.
func load[T any](ctx context.Context, s Store, kind, name string) (v T, err error) {
	record, err := s.Document(ctx, kind, name)
	if err != nil {
		return v, fmt.Errorf("roster: %w", err)
	}
	if record == nil {
		return v, ErrUnknown
	}
	if err := json.Unmarshal(record, &v); err != nil {
		return v, fmt.Errorf("roster: the %s %.80q: %w", kind, name, err)
	}
	return v, nil
}

// loadAll reads all documents of a kind.
func loadAll[T any](ctx context.Context, s Store, kind string) (map[string]T, error) {
	records, err := s.Documents(ctx, kind)
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	all := make(map[string]T, len(records))
	for name, record := range records {
		var v T
		if err := json.Unmarshal(record, &v); err != nil {
			return nil, fmt.Errorf("roster: the %s %.80q: %w", kind, name, err)
		}
		all[name] = v
	}
	return all, nil
}

// save writes a document.
func save(ctx context.Context, s Store, kind, name string, v any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("roster: the %s %.80q: %w", kind, name, err)
	}
	if err := s.SaveDocument(ctx, kind, name, record); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func drop(ctx context.Context, s Store, kind, name string) error {
	if err := s.SaveDocument(ctx, kind, name, nil); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

// common are the words that are in both lists, in the order of the first.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(w string) bool { return !slices.Contains(b, w) })
}
