package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// An Order is what an administrator wants of a phone. The numbers are stored
// and therefore append-only.
type Order int

// The orders.
const (
	NoOrder     Order = iota
	WipeDevice        // erase everything
	WipeAccount       // erase this account; protocol 16.1 only
)

// String says the order in words.
func (o Order) String() string {
	switch o {
	case WipeDevice:
		return "erase everything"
	case WipeAccount:
		return "erase this account"
	}
	return "nothing"
}

// A WipeState is how far an order to erase a phone came. The words are stored.
type WipeState string

// The states.
const (
	WipePending      WipeState = "pending"      // the phone has not come since
	WipeSent         WipeState = "sent"         // it was told, and has not said what came of it
	WipeAcknowledged WipeState = "acknowledged" // it said that it does so
	WipeFailed       WipeState = "failed"       // it said that it could not; it is told again, up to MaxWipeTries times
	WipeCancelled    WipeState = "cancelled"
)

// MaxWipeTries is how often a phone is told to erase itself that says each time
// that it cannot. Then it is blocked.
const MaxWipeTries = 5

// A Wipe is an order to erase a phone. See [MS-ASPROV] "Remote Wipe".
type Wipe struct {
	Order   Order
	State   WipeState
	By      string // who ordered it
	Ordered time.Time
	Sent    time.Time // the first time
	Ended   time.Time // acknowledged, failed or cancelled
	Tries   int       // how often the phone said that it could not
}

// InForce tells whether the phone is to be told.
func (w Wipe) InForce() bool {
	switch w.State {
	case WipePending, WipeSent:
		return true
	case WipeFailed:
		return w.Tries < MaxWipeTries
	}
	return false
}

// Errors of orders.
var (
	ErrNeverFullWipe = errors.New("device: this server never has a whole phone erased")
	ErrNoAccountWipe = errors.New("device: the phone's version of the protocol cannot erase one account alone")
	ErrNoWipe        = errors.New("device: no order to erase the phone is in force")
)

// FullWipes tells whether a whole phone can be erased.
func (r *Register) FullWipes() bool { return !r.NeverFullWipe }

// canWipe tells whether an order can be carried out by a phone that speaks a
// version. See [MS-ASPROV] "AccountOnlyRemoteWipe".
func (r *Register) canWipe(o Order, version string) bool {
	switch o {
	case WipeDevice:
		return !r.NeverFullWipe
	case WipeAccount:
		v, err := eas.ParseVersion(version)
		return err == nil && v >= eas.V161 || version == "" // OPTIONS says none
	}
	return false
}

// OrderWipe wants a phone erased. An order of the same sort that is in force
// stays as it is.
func (r *Register) OrderWipe(ctx context.Context, id ID, o Order, by string) (Phone, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		switch {
		case !known:
			return ErrUnknown
		case o == WipeDevice && r.NeverFullWipe:
			return ErrNeverFullWipe
		case !r.canWipe(o, p.Version) || p.Version == "" && o == WipeAccount:
			return ErrNoAccountWipe
		case p.Wipe.InForce() && p.Wipe.Order == o:
			return nil
		}
		p.Wipe = Wipe{Order: o, State: WipePending, By: clip(by), Ordered: time.Now()}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("device: ordering to erase a phone: %w", err)
	}
	return p, nil
}

// CancelWipe takes an order back. One that was sent may be carried out all the
// same: the answer's Wipe says whether it was.
func (r *Register) CancelWipe(ctx context.Context, id ID) (Phone, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		switch {
		case !known:
			return ErrUnknown
		case !p.Wipe.InForce():
			return ErrNoWipe
		}
		p.Wipe.State, p.Wipe.Ended = WipeCancelled, time.Now()
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("device: cancelling the order to erase a phone: %w", err)
	}
	return p, nil
}

// SendWipe notes that a phone is being told.
func (r *Register) SendWipe(ctx context.Context, id ID) error {
	_, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		if !p.Wipe.InForce() {
			return ErrNoWipe // cancelled a moment ago
		}
		p.Wipe.State = WipeSent
		if p.Wipe.Sent.IsZero() {
			p.Wipe.Sent = time.Now()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("device: telling a phone to erase itself: %w", err)
	}
	return nil
}

// AcknowledgeWipe notes what a phone says came of an order. One that was carried
// out leaves the phone blocked until somebody allows it again; so does one that
// failed too often. An acknowledgement of an order that is not in force changes
// nothing: an answer may be lost, and a phone may repeat itself. See [MS-ASPROV]
// "Responding to a Remote Wipe Directive Acknowledgment".
func (r *Register) AcknowledgeWipe(ctx context.Context, id ID, o Order, done bool) (Wipe, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		w := &p.Wipe
		// Cancelled after it was sent, it may have been carried out.
		late := w.State == WipeCancelled && !w.Sent.IsZero() && done
		if w.Order != o || w.Sent.IsZero() || !w.InForce() && !late {
			return nil
		}
		now := time.Now()
		w.Ended = now
		p.Policy = Policy{} // what it accepted is gone, too
		if done {
			w.State = WipeAcknowledged
			p.Allowed = Allowed{}
			p.Blocked, p.BlockedWhy = true, "it erased itself when told to ("+o.String()+")"
			return nil
		}
		w.State = WipeFailed
		if w.Tries++; w.Tries >= MaxWipeTries {
			p.Blocked, p.BlockedWhy = true, "it could not erase itself when told to ("+o.String()+")"
		}
		return nil
	})
	if err != nil {
		return Wipe{}, fmt.Errorf("device: noting what came of an order to erase a phone: %w", err)
	}
	return p.Wipe, nil
}

// Block refuses a phone until it is allowed. why is for people.
func (r *Register) Block(ctx context.Context, id ID, why string) error {
	return r.settle(ctx, id, func(p *Phone) { p.Blocked, p.BlockedWhy, p.Allowed = true, clip(why), Allowed{} })
}

// Allow lets a phone in, whatever the rules say, and takes a block back. With
// the block goes what is left of provisioning: a phone that was erased has to
// accept the policy anew.
func (r *Register) Allow(ctx context.Context, id ID, by string) error {
	return r.settle(ctx, id, func(p *Phone) {
		if p.Blocked {
			p.Policy = Policy{}
		}
		p.Blocked, p.BlockedWhy = false, ""
		p.Allowed = Allowed{By: clip(by), When: time.Now()}
	})
}

func (r *Register) settle(ctx context.Context, id ID, change func(*Phone)) error {
	_, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		if !known {
			return ErrUnknown
		}
		change(p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("device: blocking or allowing a phone: %w", err)
	}
	return nil
}
