package roster

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// An Administrator is a person who may sign in.
type Administrator struct {
	Name     string    `json:"-"`
	Roles    []string  `json:"roles"`
	Password string    `json:"password,omitempty"` // its hash; empty while there is none
	Disabled bool      `json:"disabled,omitempty"`
	Factor   *Factor   `json:"factor,omitempty"` // nil while there is none
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"` // the password
}

// String hides the secrets.
func (a Administrator) String() string { return "administrator " + a.Name }

// GoString hides them from %#v, too.
func (a Administrator) GoString() string { return a.String() }

// TwoFactors tells whether a code is asked for.
func (a Administrator) TwoFactors() bool { return a.Factor != nil && a.Factor.Confirmed }

// Administrators are all of them, by name.
func (s *Roster) Administrators(ctx context.Context) ([]Administrator, error) {
	all, err := loadAll[Administrator](ctx, s.options.Store, kindAdministrator)
	if err != nil {
		return nil, err
	}
	list := make([]Administrator, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		a.Name = name
		list = append(list, a)
	}
	return list, nil
}

// Administrator finds one; ErrUnknown if there is none.
func (s *Roster) Administrator(ctx context.Context, name string) (Administrator, error) {
	a, err := load[Administrator](ctx, s.options.Store, kindAdministrator, name)
	a.Name = name
	return a, err
}

// Edit makes an administrator, or changes one: before is what there was, nil if
// nothing. What edit answers is passed on. Whoever changes becomes known
// to nobody of the sessions that there were: they end if their roles change or
// the administrator is switched off.
func (s *Roster) Edit(ctx context.Context, name string, edit func(a *Administrator, is bool) error) (after Administrator, err error) {
	if !validName.MatchString(name) {
		return after, mistake("%.80q is no name for an administrator: it has at most 64 of a-z, 0-9 and ._@+-, and begins with one of the first two.", name)
	}
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		before, err := s.Administrator(ctx, name)
		is := err == nil
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		after = before
		after.Roles = slices.Clone(before.Roles)
		if err := edit(&after, is); err != nil {
			return err
		}
		if !is {
			all, err := s.options.Store.Documents(ctx, kindAdministrator)
			if err != nil {
				return err
			}
			if len(all) >= MaxAdministrators {
				return mistake("There are %d administrators, which is as many as there may be.", len(all))
			}
			after.Created = time.Now().UTC()
		}
		slices.Sort(after.Roles)
		after.Roles = slices.Compact(after.Roles)
		if is && (after.Disabled || !slices.Equal(before.Roles, after.Roles) || before.Password != after.Password) {
			if _, err := s.endSessionsOf(ctx, name); err != nil {
				return err
			}
		}
		return save(ctx, s.options.Store, kindAdministrator, name, after)
	})
	return after, err
}

// Remove takes an administrator off the list, with all sessions and tokens.
func (s *Roster) Remove(ctx context.Context, name string, check func(Administrator) error) error {
	return s.options.Transact(ctx, func(ctx context.Context) error {
		a, err := s.Administrator(ctx, name)
		if err != nil {
			return err
		}
		if err := check(a); err != nil {
			return err
		}
		if _, err := s.endSessionsOf(ctx, name); err != nil {
			return err
		}
		tokens, err := s.Tokens(ctx, name)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if err := drop(ctx, s.options.Store, kindToken, t.ID); err != nil {
				return err
			}
		}
		return drop(ctx, s.options.Store, kindAdministrator, name)
	})
}

// SetPassword gives an administrator another password, which ends all sessions
// that there are with the old one.
func (s *Roster) SetPassword(ctx context.Context, name, password string) error {
	if err := CheckPassword(name, password); err != nil {
		return err
	}
	hash, err := s.hashed(ctx, password) // not in the transaction, since it takes its time
	if err != nil {
		return err
	}
	_, err = s.Edit(ctx, name, func(a *Administrator, is bool) error {
		if !is {
			return ErrUnknown
		}
		a.Password, a.Changed = hash, time.Now().UTC()
		return nil
	})
	return err
}

// Prove verifies the password of an administrator who is signed in, and wants
// something that takes it once more. It counts as a try to sign in.
func (s *Roster) Prove(ctx context.Context, name, password string, from Caller) error {
	_, err := s.proved(ctx, name, password, from)
	if err == nil {
		s.throttle.Give(throttled(name), from.account())
	}
	return err
}

// proved answers an administrator who knows the password. Whether there is one of
// that name, and whether the administrator is switched off, makes no difference
// for what is done, and for how long it takes.
func (s *Roster) proved(ctx context.Context, name, password string, from Caller) (Administrator, error) {
	who := from.account()
	if wait := s.throttle.Take(throttled(name), who); wait > 0 {
		return Administrator{}, Throttled{wait}
	}
	a, err := s.verified(ctx, name, password)
	switch {
	case errors.Is(err, ErrWrong):
		s.throttle.Settle(throttled(name), who)
	case err != nil: // which says nothing about the password
		s.throttle.Give(throttled(name), who)
	}
	return a, err
}

// verified is proved without counting.
func (s *Roster) verified(ctx context.Context, name, password string) (Administrator, error) {
	a, err := s.Administrator(ctx, name)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return a, err
	}
	if len(password) > MaxPassword {
		password = "" // which nobody has
	}
	right, old, err := s.matches(ctx, password, cmp.Or(a.Password, s.decoy))
	switch {
	case err != nil:
		return a, err
	case !right || a.Password == "" || a.Disabled:
		return a, ErrWrong
	case old:
		return s.rehash(ctx, a, password)
	}
	return a, nil
}

// rehash keeps a password in the way of today. If somebody changed what is kept
// meanwhile, the password is looked at once more: it may be another one by now.
func (s *Roster) rehash(ctx context.Context, a Administrator, password string) (now Administrator, err error) {
	hash, err := s.hashed(ctx, password)
	if err != nil {
		return a, err
	}
	err = s.options.Transact(ctx, func(ctx context.Context) (err error) {
		if now, err = s.Administrator(ctx, a.Name); err != nil || now.Password != a.Password {
			return err
		}
		now.Password = hash
		return save(ctx, s.options.Store, kindAdministrator, a.Name, now)
	})
	switch {
	case errors.Is(err, ErrUnknown):
		return a, ErrWrong // off the list meanwhile
	case err != nil || now.Password == hash:
		return now, err
	}
	right, _, err := s.matches(ctx, password, cmp.Or(now.Password, s.decoy))
	if err == nil && !right {
		err = ErrWrong
	}
	return now, err
}

// Try has somebody's password verified elsewhere, and counts wrong ones, which
// verify tells by ErrWrong. who is what they are counted by.
func (s *Roster) Try(who string, from Caller, verify func() error) error {
	if wait := s.throttle.Take(who, from.account()); wait > 0 {
		return Throttled{wait}
	}
	err := verify()
	if errors.Is(err, ErrWrong) {
		s.throttle.Settle(who, from.account())
	} else {
		s.throttle.Give(who, from.account())
	}
	return err
}

// throttled is what the throttle knows an administrator by.
func throttled(name string) string { return "administrator " + name }
