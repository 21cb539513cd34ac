package account

import (
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A standing is what all Accounts of one name and password share: whether a
// backend has refused the password since it was verified. It has no password.
type standing struct {
	refusal atomic.Pointer[refused] // nil as long as it is not refused
}

// err is what the backend said against the password; nil if nothing.
func (s *standing) err() error {
	r := s.refusal.Load()
	if r == nil {
		return nil
	}
	return backend.E(backend.Denied, "account", r.err)
}

// WhenRefused has f called as soon as any backend refuses a password that was
// right, whoever asked with it: what goes on behind requests, such as polling,
// has to end then. f is given the account's name, on a goroutine of its own, and
// finds by Account.Refused whom it concerns. To be called before the first login,
// by each who has to know.
func (a *Accounts) WhenRefused(f func(name string)) { a.whenRefused = append(a.whenRefused, f) }

// refuse ends what goes on with a password. a.mu is held.
func (a *Accounts) refuse(name string, s *standing, err error) {
	if !s.refusal.CompareAndSwap(nil, &refused{err}) || a.down {
		return
	}
	for _, f := range a.whenRefused {
		a.running.Go(func() { f(name) })
	}
}

// A verdict is a right password. It holds no password, and stays for a day
// after it has run out: who knew the password then is not throttled.
type verdict struct {
	standing *standing
	by       string    // the backend that said so
	until    time.Time // believed without asking
	verified time.Time // when the backend said so
	denied   time.Time // when a backend last refused it all the same
}

// A refusal is a wrong password.
type refusal struct {
	err   error
	until time.Time
	span  time.Duration
}

// judged answers what is remembered of a login: its standing if it is right,
// an error if it is wrong, and else whether it was right before.
func (a *Accounts) judged(k key) (st *standing, trusted bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	v, ok := a.good.Get(k)
	if ok && now.Before(v.until) {
		return v.standing, true, nil
	}
	if r, ok := a.bad.Get(k); ok && now.Before(r.until) {
		return nil, false, r.err
	}
	return nil, ok && now.Sub(v.verified) < trustedFor, nil
}

// accepted remembers that a password is right.
func (a *Accounts) accepted(k key, by string) *standing {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	v, _ := a.good.Peek(k)
	if v.standing == nil || v.standing.err() != nil {
		v.standing = new(standing)
	}
	v.by, v.verified, v.until = by, now, now.Add(a.options.Positive)
	a.good.Add(k, v)
	a.bad.Remove(k)
	return v.standing
}

// rejected remembers that a password is wrong, and ends what still goes on
// with it.
func (a *Accounts) rejected(k key, name string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v, ok := a.good.Peek(k); ok {
		a.good.Remove(k)
		a.refuse(name, v.standing, err)
	}
	a.deny(k, err)
}

// deny writes a refusal down, for longer each time. a.mu is held.
func (a *Accounts) deny(k key, err error) { a.denyFor(k, err, a.options.Negative, maxNegative) }

// denyFor is deny with bounds of its own. a.mu is held.
func (a *Accounts) denyFor(k key, err error, least, most time.Duration) {
	span := least
	if last, ok := a.bad.Peek(k); ok {
		span = min(2*last.span, most)
	}
	a.bad.Add(k, refusal{err, time.Now().Add(span), span})
}

// A refused is what a backend said against a password.
type refused struct{ err error }

// denied is told that a backend refused the password of an account which it,
// or another one, had accepted. The verdict falls, and everything that goes on
// with this password ends, so that nobody asks the backend with it again and
// again. If that turns out to be a mistake, because the backend that verifies
// passwords still accepts it, the next such answer within maxNegative ends
// nothing more: there are servers that say 401 where they mean 403.
func (a *Accounts) denied(acct *Account, name string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	v, ok := a.good.Peek(acct.key)
	again := ok && !v.denied.IsZero() && now.Sub(v.denied) < maxNegative
	if ok {
		v.until, v.denied = time.Time{}, now
		a.good.Add(acct.key, v)
	}
	if !again {
		a.refuse(acct.name, acct.standing, err)
	}
	if name != "" && name != v.by && (a.several() || !a.vouches(name)) {
		a.deny(a.at(acct.key, name), err)
	}
}

// shut is what a backend that did not verify this password said against it not
// long ago; nil if nothing.
func (a *Accounts) shut(k key, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := a.good.Peek(k)
	r, ok := a.bad.Get(a.at(k, name))
	switch {
	case v.by == name, !ok, !time.Now().Before(r.until), !a.several() && a.vouches(name):
		return nil
	case a.vouches(name):
		return absent(name, r.err)
	}
	return r.err
}
