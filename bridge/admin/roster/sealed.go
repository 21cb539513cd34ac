package roster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Sealer encrypts with a key that is not in the Store. *recovery.Box is one.
type Sealer interface {
	// Seal encrypts a secret; of names it, and Open with another name fails.
	Seal(of, secret string) ([]byte, error)

	// Open decrypts what Seal made.
	Open(of string, sealed []byte) (secret string, when time.Time, err error)
}

// ErrSealed: the secret of a second factor is encrypted with a key that is not there,
// so no code can be verified until somebody puts the key back or drops the factor.
var ErrSealed = errors.New("roster: the secret of the second factor is encrypted with a key that is not there")

// sealedPrefix is what the secret of a factor begins with that is sealed. It is not of
// base 32, so a version that knows of no seal takes no code, instead of codes of
// another secret.
const sealedPrefix = "sealed:"

// factorName names somebody's factor to the Sealer. Those of phones begin with a
// quotation mark.
func factorName(name string) string { return fmt.Sprintf("second factor %q", name) }

// sealed is a secret as it is kept: plain where there is no key.
func (s *Roster) sealed(name, secret string) (string, error) {
	if s.options.Seal == nil {
		return secret, nil
	}
	box, err := s.options.Seal.Seal(factorName(name), secret)
	if err != nil {
		return "", fmt.Errorf("roster: %w", err)
	}
	return sealedPrefix + string(box), nil
}

// opened is the plain secret of somebody's factor.
func (s *Roster) opened(name string, f *Factor) (string, error) {
	box, is := strings.CutPrefix(f.Secret, sealedPrefix)
	if !is {
		return f.Secret, nil // kept before there was a key
	}
	if s.options.Seal == nil {
		return "", ErrSealed
	}
	secret, _, err := s.options.Seal.Open(factorName(name), []byte(box))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSealed, err)
	}
	return secret, nil
}

// takes tells whether a code of somebody's factor is right. If it is, the secret is
// sealed with the key of today.
func (s *Roster) takes(name string, f *Factor, code string) (bool, error) {
	secret, err := s.opened(name, f)
	if err != nil {
		return false, err
	}
	if !f.use(secret, code, time.Now()) {
		return false, nil
	}
	f.Secret, err = s.sealed(name, secret)
	return err == nil, err
}

// RekeyFactors seals the secret of every second factor that can be read with the key
// of today, and counts those that are under it then, and those that cannot be read.
func (s *Roster) RekeyFactors(ctx context.Context) (done, unreadable int, err error) {
	if s.options.Seal == nil {
		return 0, 0, nil
	}
	err = s.options.Transact(ctx, func(ctx context.Context) error {
		done, unreadable = 0, 0
		list, err := s.Administrators(ctx)
		if err != nil {
			return err
		}
		for _, a := range list {
			if a.Factor == nil {
				continue
			}
			secret, err := s.opened(a.Name, a.Factor)
			if err != nil {
				unreadable++
				continue
			}
			if a.Factor.Secret, err = s.sealed(a.Name, secret); err != nil {
				return err
			}
			if err := save(ctx, s.options.Store, kindAdministrator, a.Name, a); err != nil {
				return err
			}
			done++
		}
		return nil
	})
	return done, unreadable, err
}
