package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
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

	// trustedFor is how long a password that was right passes the throttle:
	// the phones of somebody whose name others guess at go on being served.
	trustedFor = 24 * time.Hour

	// linger is how long an account with its password and its sessions stays
	// in memory, see Options.Linger.
	linger = 10 * time.Second

	// MaxPassword bounds a password, in bytes. Bearer-like application tokens
	// fit.
	MaxPassword = 4096
)

// Options tell New what to build with. Backends is required.
type Options struct {
	Backends []Named
	Rule     Rule

	// Verify names the backend that is asked whether a password is right, or
	// several, which are asked in this order until one says yes: then a person may
	// have an account at some of them only, and one that is down keeps nobody from
	// the others. Empty means the first backend.
	Verify []string

	Positive time.Duration // 0 means DefaultPositive
	Negative time.Duration // 0 means DefaultNegative
	Size     int           // 0 means DefaultSize

	// Linger is how long an account stays in memory for the next request after one
	// began; 0 means 10 seconds. Requests and waits that go on have it for as long
	// as they need.
	Linger time.Duration

	Throttle Limits
}

// A key is the keyed hash of a name and a password.
type key [sha256.Size]byte

// Accounts verifies logins. Its methods may be called from many goroutines at
// a time.
type Accounts struct {
	backends  []Named
	byName    map[string]backend.Backend
	verifiers []Named // who verify passwords, one at least
	options   Options
	secret    [32]byte // of this process; never leaves it
	throttle  *throttle

	running     sync.WaitGroup
	whenRefused []func(name string)

	mu        sync.Mutex
	good      *lru.Cache[key, verdict]
	bad       *lru.Cache[key, refusal] // apart, so that guessers do not push out those who know
	down      bool
	asking    map[key]*question    // those that wait for their turn included
	verifying int                  // of them, those that do not wait
	queue     queue                // of those that do
	live      map[place]*lingering // what the next request may need, with passwords
}

// A place is where somebody logs in from: sessions know it.
type place struct {
	key     key
	address netip.Addr
}

// A lingering is an account that stays in memory until its timer fires.
type lingering struct {
	account *Account
	timer   *time.Timer
}

// String hides what is inside.
func (a *Accounts) String() string { return "account.Accounts" }

// GoString hides it from %#v, too.
func (a *Accounts) GoString() string { return a.String() }

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
	if o.Linger == 0 {
		o.Linger = linger
	}
	a := &Accounts{
		backends: o.Backends, options: o,
		byName: make(map[string]backend.Backend), asking: make(map[key]*question),
		live: make(map[place]*lingering), throttle: newThrottle(o.Throttle), queue: newQueue(maxQueued),
	}
	for _, b := range o.Backends {
		if _, twice := a.byName[b.Name]; twice {
			return nil, fmt.Errorf("account: two backends are called %q", b.Name)
		}
		a.byName[b.Name] = b.Backend
	}
	if err := a.chooseVerifiers(); err != nil {
		return nil, err
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

// chooseVerifiers finds the backends that verify passwords.
func (a *Accounts) chooseVerifiers() error {
	names := a.options.Verify
	if len(names) == 0 {
		names = []string{a.backends[0].Name}
	}
	for _, name := range names {
		i := slices.IndexFunc(a.backends, func(n Named) bool { return n.Name == name })
		switch {
		case i < 0:
			return fmt.Errorf("%w: %q, which is to verify passwords", ErrNoBackend, name)
		case a.backends[i].Login != "":
			return fmt.Errorf("account: the backend %q verifies passwords and has a rule for logins of its own", name)
		case a.vouches(name):
			return fmt.Errorf("account: the backend %q is to verify passwords twice", name)
		}
		a.verifiers = append(a.verifiers, a.backends[i])
	}
	return nil
}

// NameOf is the name of the account that a login is for, whether its password is
// right or not; empty if there can be none.
func (a *Accounts) NameOf(login string) string {
	id, err := a.options.Rule.Apply(login)
	if err != nil {
		return ""
	}
	return id.Name
}

// AddressOf is the mail address of an account, as the rule has it; empty if none is
// known.
func (a *Accounts) AddressOf(name string) string {
	id, err := a.options.Rule.Apply(name)
	if err != nil {
		return ""
	}
	return id.Address
}

// Login is LoginFrom for a caller of whom nothing is known.
func (a *Accounts) Login(ctx context.Context, login, password string) (*Account, error) {
	return a.LoginFrom(ctx, login, password, Caller{})
}

// LoginFrom answers who logs in with a password. Kind Denied means that the
// backend said no, or that there can be no such user; every other failure is
// Transient, and says nothing about the password. ErrThrottled among them says
// when to come back; a password that was right a moment ago or today, and one
// that is known to be wrong, never get that.
func (a *Accounts) LoginFrom(ctx context.Context, login, password string, from Caller) (*Account, error) {
	id, err := a.options.Rule.Apply(login)
	if err != nil {
		return nil, backend.E(backend.Denied, "account: login", err)
	}
	if password == "" || len(password) > MaxPassword {
		return nil, backend.Errorf(backend.Denied, "account: login", "the password is empty or longer than %d bytes", MaxPassword)
	}
	names, err := a.names(login)
	if err != nil {
		return nil, backend.E(backend.Denied, "account: login", err)
	}
	k := a.key(id.Name, password)
	for _, b := range a.backends {
		if own, ok := names[b.Name]; ok { // another way to write the login may be somebody else there
			k = a.at(k, "\x00"+own)
		}
	}
	st, trusted, err := a.judged(k)
	if err != nil {
		return nil, err
	}
	c := backend.Credentials{User: id.Name, Password: password, Address: from.Address}
	if st == nil {
		if st, err = a.ask(ctx, k, c, from, trusted); err != nil {
			return nil, err
		}
	}
	return a.account(k, id, c, st, names), nil
}

// names is what the backends are told that have a rule of their own; nil if
// none has.
func (a *Accounts) names(login string) (names map[string]string, err error) {
	for _, b := range a.backends {
		if b.Login == "" {
			continue
		}
		r := a.options.Rule
		r.User = b.Login
		id, err := r.Apply(login)
		if err != nil {
			return nil, err
		}
		if names == nil {
			names = make(map[string]string)
		}
		names[b.Name] = id.Name
	}
	return names, nil
}

// account finds the account in memory, or makes it.
func (a *Accounts) account(k key, id Identity, c backend.Credentials, st *standing, names map[string]string) *Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := place{k, c.Address}
	if l := a.live[at]; l != nil && l.account.standing == st {
		l.timer.Reset(a.options.Linger)
		return l.account
	}
	acct := &Account{name: id.Name, address: id.Address, credentials: c, accounts: a, key: k, standing: st, names: names}
	if a.down || len(a.live) >= a.options.Size {
		return acct
	}
	if l := a.live[at]; l != nil {
		l.timer.Stop()
	}
	l := &lingering{account: acct}
	l.timer = time.AfterFunc(a.options.Linger, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.live[at] == l {
			delete(a.live, at)
		}
	})
	a.live[at] = l
	return acct
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

// at is the key of what one backend says of a name and a password.
func (a *Accounts) at(k key, backend string) key {
	return sha256.Sum256(append(k[:], backend...))
}

// verify asks the backends that vouch and remembers what they said. wrong tells
// whether one of them said no.
func (a *Accounts) verify(ctx context.Context, k key, c backend.Credentials) (st *standing, wrong bool, err error) {
	by, wrong, err := a.opinions(ctx, k, c)
	switch {
	case err == nil:
		return a.accepted(k, by), false, nil
	case backend.KindOf(err) == backend.Denied:
		a.rejected(k, c.User, err)
	}
	return nil, wrong, err
}

// EndQueue sends those away who wait for their turn, and lets nobody wait any more:
// this program ends, and the next one has turns to give.
func (a *Accounts) EndQueue() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endQueue()
}

// endQueue is EndQueue with a.mu held.
func (a *Accounts) endQueue() {
	a.queue.most = 0
	for q := a.queue.next(); q != nil; q = a.queue.next() {
		a.turnAway(q, &backend.Error{Kind: backend.Transient, Op: "account: login", RetryAfter: time.Second, Err: errDown})
	}
}

// Close ends the queue, waits for what is being asked, and forgets every password.
func (a *Accounts) Close() error {
	a.mu.Lock()
	a.down = true
	a.endQueue()
	for at, l := range a.live {
		l.timer.Stop()
		delete(a.live, at)
	}
	a.mu.Unlock()
	a.running.Wait()
	return nil
}
