package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// recoveryPassword is the name under which a sealed one is remembered.
const recoveryPassword = "recovery-password"

// Errors about recovery passwords.
var (
	ErrNoRecovery = errors.New("device: recovery passwords are not kept")
	ErrNoPassword = errors.New("device: the phone handed no recovery password in")
)

// KeepsPasswords tells whether recovery passwords of a phone are taken: its
// policy has to ask for them, and there has to be a key to keep them under.
func (r *Register) KeepsPasswords(p Phone) bool {
	y := r.PolicyFor(p)
	return r.Box != nil && y.Require && y.Document.Bool("password_recovery_enabled")
}

// name names a phone to the box.
func (id ID) name() string { return fmt.Sprintf("%q %q", id.User, id.Device) }

// KeepPassword keeps a phone's recovery password, encrypted. ErrNoRecovery says
// that none is taken; recovery.ErrInvalid that it is none.
func (r *Register) KeepPassword(ctx context.Context, p Phone, password string) error {
	if !r.KeepsPasswords(p) {
		return ErrNoRecovery
	}
	box, err := r.Box.Seal(p.ID.name(), password)
	if err != nil {
		return err
	}
	return r.Remember(ctx, p.ID, recoveryPassword, box)
}

// RevealedTo notes on a phone's record who was told its recovery password.
func (r *Register) RevealedTo(ctx context.Context, id ID, by string) error {
	return r.settle(ctx, id, func(p *Phone) { p.Revealed = Allowed{By: clip(by), When: time.Now()} })
}

// RekeyPasswords encrypts every recovery password that can be read with the first
// key of the file, and counts those that it is under then, and those that cannot
// be read. Phones that hand a new one in meanwhile are not overtaken, in the
// transaction of a caller who has one.
func (r *Register) RekeyPasswords(ctx context.Context) (done, unreadable int, err error) {
	if r.Box == nil {
		return 0, 0, ErrNoRecovery
	}
	phones, err := r.Store.Phones(ctx, "")
	if err != nil {
		return 0, 0, fmt.Errorf("device: listing phones: %w", err)
	}
	for _, p := range phones {
		box, err := r.Recall(ctx, p.ID, recoveryPassword)
		if err != nil {
			return done, unreadable, err
		}
		if box == nil {
			continue
		}
		fresh, err := r.Box.Reseal(p.ID.name(), box)
		switch {
		case errors.Is(err, recovery.ErrKey):
			unreadable++
			continue
		case err != nil:
			return done, unreadable, err
		}
		if err := r.Remember(ctx, p.ID, recoveryPassword, fresh); err != nil {
			return done, unreadable, err
		}
		done++
	}
	return done, unreadable, nil
}

// RecoveryPassword is the one that a phone handed in last, and when. Who is told
// is up to the caller.
func (r *Register) RecoveryPassword(ctx context.Context, id ID) (string, time.Time, error) {
	if r.Box == nil {
		return "", time.Time{}, ErrNoRecovery
	}
	box, err := r.Recall(ctx, id, recoveryPassword)
	if err != nil {
		return "", time.Time{}, err
	}
	if box == nil {
		return "", time.Time{}, ErrNoPassword
	}
	return r.Box.Open(id.name(), box)
}
