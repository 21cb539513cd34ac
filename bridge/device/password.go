package device

import (
	"context"
	"errors"
	"fmt"
	"time"
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
