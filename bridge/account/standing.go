package account

import (
	"context"
	"errors"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A standing is what all Accounts of one name and password share: whether a
// backend has refused the password since it was verified. It has no password.
type standing struct {
	ctx    context.Context // ends, with the backend's answer as its cause, when it is refused
	refuse context.CancelCauseFunc
}

func newStanding() *standing {
	ctx, refuse := context.WithCancelCause(context.Background())
	return &standing{ctx, refuse}
}

// err is what the backend said against the password; nil if nothing.
func (s *standing) err() error {
	if s.ctx.Err() == nil {
		return nil
	}
	return backend.E(backend.Denied, "account", errors.Unwrap(context.Cause(s.ctx)))
}

// A verdict is a right password. It holds no password, and stays for a day
// after it has run out: who knew the password then is not throttled.
type verdict struct {
	standing *standing
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
func (a *Accounts) accepted(k key) *standing {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	v, _ := a.good.Peek(k)
	if v.standing == nil || v.standing.ctx.Err() != nil {
		v.standing = newStanding()
	}
	v.verified, v.until = now, now.Add(a.options.Positive)
	a.good.Add(k, v)
	a.bad.Remove(k)
	return v.standing
}

// rejected remembers that a password is wrong, and ends what still goes on
// with it.
func (a *Accounts) rejected(k key, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v, ok := a.good.Peek(k); ok {
		a.good.Remove(k)
		v.standing.refuse(&refused{err})
	}
	a.deny(k, err)
}

// deny writes a refusal down, for longer each time. a.mu is held.
func (a *Accounts) deny(k key, err error) {
	span := a.options.Negative
	if last, ok := a.bad.Peek(k); ok {
		span = min(2*last.span, maxNegative)
	}
	a.bad.Add(k, refusal{err, time.Now().Add(span), span})
}

// refused marks the cause of a standing's end.
type refused struct{ err error }

func (r *refused) Error() string { return r.err.Error() }
func (r *refused) Unwrap() error { return r.err }

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
		acct.standing.refuse(&refused{err})
	}
	if name != "" && name != a.verifying {
		a.deny(a.at(acct.key, name), err)
	}
}

// shut is what a backend that does not verify passwords said against this one
// not long ago; nil if nothing.
func (a *Accounts) shut(k key, name string) error {
	if name == a.verifying {
		return nil
	}
	r, ok := a.bad.Get(a.at(k, name))
	if ok && time.Now().Before(r.until) {
		return r.err
	}
	return nil
}
