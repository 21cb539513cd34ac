package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// ErrNotThere means that a backend does not know the person, or not with this
// password, and that another one vouches for them: their mail is here and their
// calendar is elsewhere, or nowhere. It is Transient, so that what phones have of
// the backend stays.
var ErrNotThere = errors.New("account: the person has no account there with this password")

const (
	// patience is how long one of several backends may think before the next one is
	// asked, too: a phone waits about half a minute.
	patience = 5 * time.Second

	// leastAbsent and maxAbsent bound how long a backend is not asked for somebody
	// who has no account there: a few failed logins a day, which no server takes for
	// an attack, and an account that is new shows before the evening.
	leastAbsent = 15 * time.Minute
	maxAbsent   = 4 * time.Hour
)

// several tells whether more than one backend vouches for people, so that some
// may have an account at one of them only.
func (a *Accounts) several() bool { return len(a.verifiers) > 1 }

// vouches tells whether a backend is asked whether passwords are right.
func (a *Accounts) vouches(name string) bool {
	return slices.ContainsFunc(a.verifiers, func(n Named) bool { return n.Name == name })
}

// An opinion is what one backend says of a password.
type opinion struct {
	by  string
	err error
}

// opinions asks the backends that vouch, one after the other, until one says yes:
// the next one when the one before said no, cannot be asked or thinks for long.
// Those that are left alone with this password for a while, see isAbsent, are asked
// only if all others said no. wrong tells whether one said no.
//
// If one said no and another cannot be asked, nobody knows whether the password is
// right.
func (a *Accounts) opinions(ctx context.Context, k key, c backend.Credentials) (by string, wrong bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order, later := a.inOrder(k)
	answers := make(chan opinion, len(a.verifiers)) // with room for those that nobody waits for any more
	asked, hurry := 0, time.NewTimer(patience)
	defer hurry.Stop()
	next := func() {
		if asked == len(order) {
			return
		}
		v := order[asked]
		asked++
		a.running.Go(func() { answers <- opinion{v.Name, verified(ctx, v.Backend, c)} })
		hurry.Reset(patience)
	}
	next()
	var down error
	var denied []opinion
	for answered := 0; answered < len(order); {
		select {
		case <-hurry.C:
			next()
		case o := <-answers:
			switch answered++; {
			case o.err == nil:
				a.vouched(k, o.by, denied)
				return o.by, false, nil
			case backend.KindOf(o.err) == backend.Denied:
				denied = append(denied, o)
			default:
				down = errors.Join(down, fmt.Errorf("backend %q: %w", o.by, o.err))
			}
			if answered == len(order) && down == nil {
				order, later = append(order, later...), nil
			}
			if answered == asked {
				next()
			}
		}
	}
	if down != nil {
		return "", len(denied) > 0, backend.E(backend.Transient, "account: login", down)
	}
	return "", true, fmt.Errorf("account: login: %w", denied[len(denied)-1].err)
}

// inOrder are the backends that vouch: those that are to be asked, and those that
// refused this password not long ago while another one took it.
func (a *Accounts) inOrder(k key) (order, later []Named) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for _, v := range a.verifiers {
		if r, ok := a.bad.Peek(a.at(k, v.Name)); ok && now.Before(r.until) {
			later = append(later, v)
			continue
		}
		order = append(order, v)
	}
	if len(order) == 0 {
		return later, nil
	}
	return order, later
}

// vouched notes which backend took a password and which ones had refused it: there
// the person has no account, and each question is a failed login.
func (a *Accounts) vouched(k key, by string, denied []opinion) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bad.Remove(a.at(k, by))
	for _, o := range denied {
		a.denyFor(a.at(k, o.by), o.err, leastAbsent, maxAbsent)
	}
}

// verified asks one backend.
func verified(ctx context.Context, b backend.Backend, c backend.Credentials) error {
	s, err := b.Open(ctx, c)
	if err != nil {
		return err
	}
	return s.Close()
}

// absent is what callers hear of a backend that refuses somebody for whom another
// one vouches.
func absent(name string, err error) error {
	return backend.E(backend.Transient, fmt.Sprintf("account: backend %q", name), fmt.Errorf("%w: %w", ErrNotThere, err))
}

// isAbsent tells of a backend that refused an account whether that concerns the
// backend alone: it is one of several that vouch for people, and another one did.
// The verdict falls all the same, so that the next Login asks who vouched; and the
// backend is left alone with this password for a while.
func (a *Accounts) isAbsent(acct *Account, name string, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.several() || !a.vouches(name) {
		return false
	}
	v, ok := a.good.Peek(acct.key)
	if !ok || v.by == name {
		return false
	}
	v.until = time.Time{}
	a.good.Add(acct.key, v)
	a.denyFor(a.at(acct.key, name), err, leastAbsent, maxAbsent)
	return true
}
