package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// DefaultPositive is how long a right password is believed.
	DefaultPositive = 5 * time.Minute

	// DefaultNegative is how long a wrong password is refused without asking.
	// It doubles with each time that the backend says no again, up to
	// maxNegative: four questions an hour stay below what servers take for an
	// attack.
	DefaultNegative = time.Minute
	maxNegative     = 15 * time.Minute

	// DefaultSize bounds the remembered verdicts, of each sort.
	DefaultSize = 20_000

	// verifyTimeout bounds the question to the backend. It goes on when the
	// phone hangs up, since the next one is about to ask the same.
	verifyTimeout = 30 * time.Second

	// maxAsking bounds how many logins are verified at a time, so that somebody
	// who tries names cannot drown a backend. Those beyond are told to come
	// back after askingPause.
	maxAsking   = 256
	askingPause = 10 * time.Second

	// MaxPassword bounds a password, in bytes. Bearer-like application tokens
	// fit.
	MaxPassword = 4096
)

// Options tell New what to build with. Backends is required.
type Options struct {
	Backends []Named
	Rule     Rule

	// Verify names the backend that is asked whether a password is right.
	// Empty means the first.
	Verify string

	Positive time.Duration // 0 means DefaultPositive
	Negative time.Duration // 0 means DefaultNegative
	Size     int           // 0 means DefaultSize
}

// A key is the keyed hash of a name and a password.
type key [sha256.Size]byte

// Accounts verifies logins. Its methods may be called from many goroutines at
// a time.
type Accounts struct {
	backends []Named
	byName   map[string]backend.Backend
	verifier backend.Backend
	options  Options
	secret   [32]byte // of this process; never leaves it

	good *lru.Cache[key, verdict]
	bad  *lru.Cache[key, refusal] // apart, so that guessers do not push out those who know

	mu      sync.Mutex
	down    bool
	asking  map[key]*question
	running sync.WaitGroup
}

// String hides what is inside.
func (a *Accounts) String() string { return "account.Accounts" }

// GoString hides it from %#v, too.
func (a *Accounts) GoString() string { return a.String() }

// A verdict is a right password.
type verdict struct {
	account *Account
	until   time.Time
}

// A refusal is a wrong password.
type refusal struct {
	err   error
	until time.Time
	span  time.Duration
}

// A question is being asked of a backend, for everybody who waits for done.
type question struct {
	done    chan struct{}
	account *Account
	err     error
}

// New builds Accounts. Close ends it; the backends are the caller's.
func New(o Options) (*Accounts, error) {
	if len(o.Backends) == 0 {
		return nil, errors.New("account: no backend is configured")
	}
	if o.Positive == 0 {
		o.Positive = DefaultPositive
	}
	if o.Negative == 0 {
		o.Negative = DefaultNegative
	}
	if o.Size == 0 {
		o.Size = DefaultSize
	}
	a := &Accounts{
		backends: o.Backends, options: o,
		byName: make(map[string]backend.Backend), asking: make(map[key]*question),
	}
	for _, b := range o.Backends {
		if _, twice := a.byName[b.Name]; twice {
			return nil, fmt.Errorf("account: two backends are called %q", b.Name)
		}
		a.byName[b.Name] = b.Backend
	}
	a.verifier = o.Backends[0].Backend
	if o.Verify != "" {
		b, ok := a.byName[o.Verify]
		if !ok {
			return nil, fmt.Errorf("%w: %q, which is to verify passwords", ErrNoBackend, o.Verify)
		}
		a.verifier = b
	}
	rand.Read(a.secret[:]) // never fails
	var err error
	if a.good, err = lru.New[key, verdict](o.Size); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	if a.bad, err = lru.New[key, refusal](o.Size); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return a, nil
}

// Login answers who logs in with a password. Kind Denied means that the
// backend said no, or that there can be no such user; every other failure is
// Transient, and says nothing about the password.
func (a *Accounts) Login(ctx context.Context, login, password string) (*Account, error) {
	id, err := a.options.Rule.Apply(login)
	if err != nil {
		return nil, backend.E(backend.Denied, "account: login", err)
	}
	if password == "" || len(password) > MaxPassword {
		return nil, backend.Errorf(backend.Denied, "account: login", "the password is empty or longer than %d bytes", MaxPassword)
	}
	k := a.key(id.Name, password)
	now := time.Now()
	if v, ok := a.good.Get(k); ok && now.Before(v.until) {
		return v.account, nil
	}
	if r, ok := a.bad.Get(k); ok && now.Before(r.until) {
		return nil, r.err
	}
	q, err := a.ask(ctx, k, id, password)
	if err != nil {
		return nil, err
	}
	select {
	case <-q.done:
		return q.account, q.err
	case <-ctx.Done():
		return nil, backend.E(backend.Transient, "account: login", context.Cause(ctx))
	}
}

func (a *Accounts) key(name, password string) (k key) {
	h := hmac.New(sha256.New, a.secret[:])
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(name)))
	h.Write(length[:])
	h.Write([]byte(name))
	h.Write([]byte(password))
	h.Sum(k[:0])
	return k
}

// ask puts the question to the backend, once for everybody who has it.
func (a *Accounts) ask(ctx context.Context, k key, id Identity, password string) (*question, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return nil, backend.Errorf(backend.Transient, "account: login", "shutting down")
	}
	if q := a.asking[k]; q != nil {
		return q, nil
	}
	if len(a.asking) >= maxAsking {
		return nil, &backend.Error{Kind: backend.Transient, Op: "account: login", RetryAfter: askingPause,
			Err: fmt.Errorf("%d logins are being verified already", maxAsking)}
	}
	q := &question{done: make(chan struct{})}
	a.asking[k] = q
	ctx = context.WithoutCancel(ctx)
	a.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
		defer cancel()
		q.account, q.err = a.verify(ctx, k, id, password)
		a.mu.Lock()
		delete(a.asking, k)
		a.mu.Unlock()
		close(q.done)
	})
	return q, nil
}

// verify asks the backend and remembers what it said.
func (a *Accounts) verify(ctx context.Context, k key, id Identity, password string) (*Account, error) {
	c := backend.Credentials{User: id.Name, Password: password}
	s, err := a.verifier.Open(ctx, c)
	switch {
	case err == nil:
		s.Close() // Session makes its own
		acc := &Account{name: id.Name, address: id.Address, credentials: c, accounts: a, key: k}
		a.good.Add(k, verdict{acc, time.Now().Add(a.options.Positive)})
		a.bad.Remove(k)
		// The password must not stay in memory until others push it out.
		time.AfterFunc(a.options.Positive, func() {
			if v, ok := a.good.Peek(k); ok && v.account == acc {
				a.good.Remove(k)
			}
		})
		return acc, nil
	case backend.KindOf(err) == backend.Denied:
		err = fmt.Errorf("account: login: %w", err)
		span := a.options.Negative
		if last, ok := a.bad.Peek(k); ok {
			span = min(2*last.span, maxNegative)
		}
		a.bad.Add(k, refusal{err, time.Now().Add(span), span})
		return nil, err
	case backend.KindOf(err) == backend.Transient:
		return nil, fmt.Errorf("account: login: %w", err)
	}
	return nil, backend.E(backend.Transient, "account: login", err)
}

// forget drops the verdict that a password is right.
func (a *Accounts) forget(k key) { a.good.Remove(k) }

// Close waits for what is being asked.
func (a *Accounts) Close() error {
	a.mu.Lock()
	a.down = true
	a.mu.Unlock()
	a.running.Wait()
	return nil
}
