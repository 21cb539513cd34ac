package roster

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	// step is how long a code is shown. See RFC 6238, section 5.2.
	step = 30 * time.Second

	// skew is how many codes before and after the present one are taken, for
	// clocks that are wrong, and people who are slow.
	skew = 1

	// Digits is how many a code has. See RFC 4226, section 5.3.
	Digits = 6
)

// A Factor is a secret that an app computes codes from. See RFC 6238.
type Factor struct {
	Secret    string `json:"secret"` // in base 32, or sealed
	Confirmed bool   `json:"confirmed,omitempty"`

	// Last is the number of the last code that was used: each is taken once, and
	// none before it. See RFC 6238, section 5.2.
	Last int64 `json:"last,omitempty"`
}

// use tells whether a code of the plain secret is right and was not used before, and
// notes that it was used.
func (f *Factor) use(secret, code string, now time.Time) bool {
	if len(code) != Digits {
		return false
	}
	present := now.Unix() / int64(step/time.Second)
	for n := max(present-skew, f.Last+1); n <= present+skew; n++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(n), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return false // a secret that is none has no codes
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			f.Last = n
			return true
		}
	}
	return false
}

// BeginFactor makes a secret for an administrator's app, and answers it as a URL
// that apps read from a QR code. It counts once ConfirmFactor saw a code.
func (s *Roster) BeginFactor(ctx context.Context, name, issuer string) (secret, url string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: name, SecretSize: 20})
	if err != nil {
		return "", "", fmt.Errorf("roster: %w", err)
	}
	_, err = s.Edit(ctx, name, func(a *Administrator, is bool) error {
		switch {
		case !is:
			return ErrUnknown
		case a.TwoFactors():
			return mistake("Codes are asked for already; have that ended first.")
		}
		sealed, err := s.sealed(name, key.Secret())
		a.Factor = &Factor{Secret: sealed}
		return err
	})
	return key.Secret(), key.URL(), err
}

// ConfirmFactor has codes be asked for from now on, if this is one.
func (s *Roster) ConfirmFactor(ctx context.Context, name, code string, from Caller) error {
	if wait := s.throttle.Take(throttled(name), from.account()); wait > 0 {
		return Throttled{wait}
	}
	_, err := s.Edit(ctx, name, func(a *Administrator, is bool) error {
		switch {
		case !is:
			return ErrUnknown
		case a.Factor == nil || a.Factor.Confirmed:
			return mistake("There is no secret that waits for a code: begin anew.")
		}
		f := *a.Factor
		right, err := s.takes(name, &f, code)
		switch {
		case err != nil:
			return err
		case !right:
			return mistake("The code is wrong. Are the clocks of the phone and of the server right?")
		}
		f.Confirmed = true
		a.Factor = &f
		return nil
	})
	if _, wrong := errors.AsType[Mistake](err); wrong {
		s.throttle.Settle(throttled(name), from.account())
	} else {
		s.throttle.Give(throttled(name), from.account())
	}
	return err
}

// DropFactor has no code be asked for any more.
func (s *Roster) DropFactor(ctx context.Context, name string) error {
	_, err := s.Edit(ctx, name, func(a *Administrator, is bool) error {
		switch {
		case !is:
			return ErrUnknown
		case a.Factor == nil:
			return mistake("No codes are asked for.")
		}
		a.Factor = nil
		return nil
	})
	return err
}
