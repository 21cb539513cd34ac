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

	WipeRequested WipeState = "requested" // a second person has to confirm it
	WipeExpired   WipeState = "expired"   // the phone did not come in time; it is kept out
)

// MaxWipeTries is how often a phone is told to erase itself that says each time
// that it cannot. Then it is blocked.
const MaxWipeTries = 5

// A Wipe is an order to erase a phone. See [MS-ASPROV] "Remote Wipe".
type Wipe struct {
	Order   Order
	State   WipeState
	By      string // who ordered it
	Second  string `json:",omitempty"` // who confirmed it, where two persons have to
	Ordered time.Time
	Expires time.Time `json:",omitzero"` // when it is over, unless the phone came; zero means never
	Sent    time.Time // the first time
	Ended   time.Time // acknowledged, failed, cancelled or expired
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
	ErrOtherWipe     = errors.New("device: the phone is to erase something else, which stays so until it is taken back")
	ErrSamePerson    = errors.New("device: somebody else has to confirm the order to erase the phone")
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
// stays as it is. Where two persons have to want a whole phone erased, it waits
// for ConfirmWipe, unless alone says that one suffices; ErrOtherWipe says that it
// would be in place of an order that waits for nobody.
func (r *Register) OrderWipe(ctx context.Context, id ID, o Order, by string, alone bool) (Phone, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		now := time.Now()
		inForce := p.Wipe.InForce() && !p.Wipe.expired(now)
		switch {
		case !known:
			return ErrUnknown
		case o == WipeDevice && r.NeverFullWipe:
			return ErrNeverFullWipe
		case !r.canWipe(o, p.Version) || p.Version == "" && o == WipeAccount:
			return ErrNoAccountWipe
		case inForce && p.Wipe.Order == o:
			return nil
		}
		two := r.TwoPersons && o == WipeDevice && !alone
		switch {
		case two && p.Wipe.State == WipeRequested && p.Wipe.Order == o:
			return nil
		case two && inForce:
			return ErrOtherWipe
		}
		p.Wipe = Wipe{Order: o, State: WipePending, By: clip(by), Ordered: now}
		if two {
			p.Wipe.State = WipeRequested
			return nil
		}
		p.Wipe.Expires = r.expiry()
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("device: ordering to erase a phone: %w", err)
	}
	return p, nil
}

// expiry is when an order that is given now is over.
func (r *Register) expiry() time.Time {
	if r.WipeExpires <= 0 {
		return time.Time{}
	}
	return time.Now().Add(r.WipeExpires)
}

// ConfirmWipe is the second person's word, without which the first one's order is
// none. ErrSamePerson says that it is the first one's again.
func (r *Register) ConfirmWipe(ctx context.Context, id ID, by string) (Phone, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		switch {
		case !known:
			return ErrUnknown
		case p.Wipe.State != WipeRequested:
			return ErrNoWipe
		case p.Wipe.By == clip(by):
			return ErrSamePerson
		case p.Wipe.Order == WipeDevice && r.NeverFullWipe: // since it was requested
			return ErrNeverFullWipe
		}
		p.Wipe.State, p.Wipe.Second, p.Wipe.Expires = WipePending, clip(by), r.expiry()
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("device: confirming the order to erase a phone: %w", err)
	}
	return p, nil
}

// expired tells whether an order is over that the phone never heard of.
func (w Wipe) expired(now time.Time) bool {
	return w.State == WipePending && !w.Expires.IsZero() && !now.Before(w.Expires)
}

// ExpireWipe ends an order that a phone did not come for in time, and tells
// whether it did. The phone is kept out: it is lost, whether it heard of it or not.
func (r *Register) ExpireWipe(ctx context.Context, id ID) (Phone, bool, error) {
	done := false
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		now := time.Now()
		done = known && p.Wipe.expired(now)
		if !known {
			return ErrUnknown
		}
		if !done {
			return nil
		}
		p.Wipe.State, p.Wipe.Ended = WipeExpired, now
		p.Allowed = Allowed{}
		p.Blocked, p.BlockedWhy = true, "it did not come to "+p.Wipe.Order.String()+" before "+p.Wipe.Expires.UTC().Format(time.RFC3339)
		return nil
	})
	if err != nil {
		return p, false, fmt.Errorf("device: ending an order to erase a phone: %w", err)
	}
	return p, done, nil
}

// CancelWipe takes an order back. One that was sent may be carried out all the
// same: the answer's Wipe says whether it was.
func (r *Register) CancelWipe(ctx context.Context, id ID) (Phone, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, known bool) error {
		switch {
		case !known:
			return ErrUnknown
		case !p.Wipe.InForce() && p.Wipe.State != WipeRequested:
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

// SendWipe notes that a phone is being told, and answers what: another order than
// the one for which it was not served may have come in its place since.
func (r *Register) SendWipe(ctx context.Context, id ID) (Wipe, error) {
	p, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		if !p.Wipe.InForce() || !r.canWipe(p.Wipe.Order, p.Version) {
			return ErrNoWipe // cancelled a moment ago
		}
		p.Wipe.State = WipeSent
		if p.Wipe.Sent.IsZero() {
			p.Wipe.Sent = time.Now()
		}
		return nil
	})
	if err != nil {
		return Wipe{}, fmt.Errorf("device: telling a phone to erase itself: %w", err)
	}
	return p.Wipe, nil
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
		return fmt.Errorf("device: changing what holds for a phone: %w", err)
	}
	return nil
}
