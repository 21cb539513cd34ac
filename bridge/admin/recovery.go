package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// A Recovered is the password with which a phone's owner, who forgot theirs, gets
// in again.
type Recovered struct {
	User     string    `json:"user"`
	Device   string    `json:"device"`
	Password string    `json:"password"`
	HandedIn time.Time `json:"handed_in"` // by the phone
}

// A Rekeyed says what came of encrypting recovery passwords, and the secrets of second
// factors, anew.
type Rekeyed struct {
	Done       int    `json:"done"`       // that are under the first key of the file now
	Unreadable int    `json:"unreadable"` // whose key the file does not have
	Text       string `json:"text"`
}

// Recovery keeps recovery passwords. *device.Register is one.
type Recovery interface {
	// RecoveryPassword is the one that a phone handed in last, and when.
	RecoveryPassword(ctx context.Context, id device.ID) (string, time.Time, error)

	// RevealedTo notes on the phone's record who was told.
	RevealedTo(ctx context.Context, id device.ID, by string) error

	// RekeyPasswords encrypts all that can be read with the newest key.
	RekeyPasswords(ctx context.Context) (done, unreadable int, err error)
}

// recoverPassword reveals a recovery password. Its entry in the audit is written before
// the answer is; the phone's record says who was told, for its owner to see.
func (s *Server) recoverPassword(ctx context.Context, v *visit, r PhoneRequest) (none Recovered, err error) {
	id, p, err := s.phoneNow(ctx, r.User, r.Device)
	if err != nil {
		return none, err
	}
	keeper, ok := s.Security.(Recovery)
	if !ok {
		return none, noRecovery
	}
	password, when, err := keeper.RecoveryPassword(ctx, id)
	if err != nil {
		return none, s.unrecovered(id, err)
	}
	if err := keeper.RevealedTo(ctx, id, v.Name); err != nil {
		return none, err
	}
	v.changed(nil, "revealed; the phone handed it in at "+when.UTC().Format(time.RFC3339))
	v.afterwards(func(ctx context.Context) {
		s.Logger.WarnContext(ctx, "a recovery password was revealed", "user", id.User, "phone", id.Device, "to", v.Name)
	})
	s.tell(v, RecoveryRevealed, p)
	return Recovered{User: id.User, Device: id.Device, Password: password, HandedIn: when}, nil
}

// noRecovery is for workers that keep no recovery passwords.
var noRecovery = invalid("Recovery passwords are not kept here, or the file with their keys cannot be read: policy.recovery_keys in the configuration names it, and the worker's log says what is wrong with it. Put it back as it was; what phones handed in is still there.")

// unrecovered says why there is no password to reveal.
func (s *Server) unrecovered(id device.ID, err error) error {
	switch {
	case errors.Is(err, device.ErrNoRecovery):
		return noRecovery
	case errors.Is(err, device.ErrNoPassword):
		return notFound("Phone %s of %s handed no recovery password in. Phones do when a policy says password_recovery_enabled, and few of them know it.", id.Device, id.User)
	case errors.Is(err, recovery.ErrKey):
		return invalid("The recovery password of phone %s of %s is encrypted with a key that is not in the file of policy.recovery_keys. Put that key back, behind the first one.", id.Device, id.User)
	}
	return err
}

func (s *Server) rekey(ctx context.Context, v *visit, _ Nothing) (k Rekeyed, err error) {
	v.about("recovery passwords")
	keeper, ok := s.Security.(Recovery)
	if !ok {
		return k, noRecovery
	}
	k.Done, k.Unreadable, err = keeper.RekeyPasswords(ctx)
	if errors.Is(err, device.ErrNoRecovery) {
		return k, noRecovery
	}
	if err != nil {
		return k, err
	}
	k.Text = fmt.Sprintf("%d recovery passwords", k.Done)
	if s.Roster != nil {
		factors, unreadable, err := s.Roster.RekeyFactors(ctx)
		if err != nil {
			return k, err
		}
		k.Text += fmt.Sprintf(" and %d secrets of second factors", factors)
		k.Done, k.Unreadable = k.Done+factors, k.Unreadable+unreadable
	}
	k.Text += " are encrypted with the first key of the file."
	if k.Unreadable > 0 {
		k.Text += fmt.Sprintf(" %d are encrypted with keys that the file does not have, and stay as they are.", k.Unreadable)
	} else {
		k.Text += " The others can be taken out of it."
	}
	v.changed(nil, k)
	return k, nil
}
