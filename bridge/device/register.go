package device

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

const (
	// MaxDeviceID bounds the DeviceId, in bytes. [MS-ASHTTP] "Device ID" allows
	// 32 characters; phones with longer ones are around, and 64 is what its
	// length byte is used for.
	MaxDeviceID = 64

	// MaxText bounds each text that a phone says of itself, in bytes. Longer
	// ones are cut.
	MaxText = 256

	// MaxValue bounds what Remember keeps under one name, in bytes: the cached
	// folder list of a Ping with 1000 folders fits many times.
	MaxValue = 256 << 10

	// MaxPhones bounds the phones of one user, so that a client that invents a
	// new DeviceId for each start does not fill the store.
	MaxPhones = 200

	// SeenStep is how exactly LastSeen is kept. A write to the store for each
	// request would cost more than most requests.
	SeenStep = 5 * time.Minute
)

// Options tell New what to build with. Store is required.
type Options struct {
	Store Store

	// Policy is what is asked of every phone where there are no Rules; the zero
	// value asks nothing. See SetPolicy.
	Policy policy.Policy

	// Rules say who may come in, and what is asked of whom. Nil means that
	// everybody may, and Policy.
	Rules Rules

	// NeverFullWipe makes the register unable to have a whole phone erased.
	NeverFullWipe bool

	// TwoPersons has two people want a whole phone erased before it is.
	TwoPersons bool

	// WipeExpires is how long an order to erase a phone waits for it; 0 means for
	// ever. A phone that does not come in time is kept out.
	WipeExpires time.Duration

	// Expire calls ExpireWipe for a phone that comes too late, and writes that down.
	// Nil means that nobody writes it down.
	Expire func(ctx context.Context, id ID) error

	// Looping is told of a phone that begins to go in circles about
	// provisioning. Nil means that nobody is.
	Looping func(Phone)

	// Arrived is told of a phone that comes for the first time and has to wait to be
	// let in, and why. Nil means that nobody is.
	Arrived func(p Phone, why string)

	// Box keeps recovery passwords. Nil means that none are taken.
	Box *recovery.Box
}

// A Register knows the phones. Its methods may be called from many goroutines
// at a time.
type Register struct {
	Options
	Presence Presence // what phones do at this moment
	policy   atomic.Pointer[policy.Policy]
}

// New builds a Register.
func New(o Options) *Register {
	if o.Store == nil {
		panic("device: Options.Store is required")
	}
	r := &Register{Options: o}
	r.policy.Store(&o.Policy)
	return r
}

// A Visit is what every request says of the phone that sends it.
type Visit struct {
	ID
	Type      string
	UserAgent string
	Version   string
}

// Admit notes a visit, registering a phone that comes for the first time, and
// answers what is known. ErrInvalidID, ErrBlocked, ErrWipe, ErrUserOff and
// ErrTooMany say that the phone is not to be served, ErrQuarantined that it gets
// nothing but the list of folders; the phone's record comes along, unless it has
// none.
func (r *Register) Admit(ctx context.Context, v Visit) (Phone, error) {
	if !ValidID(v.Device) {
		return Phone{}, ErrInvalidID
	}
	v.Type, v.UserAgent, v.Version = clip(v.Type), clip(v.UserAgent), clip(v.Version)
	p, err := r.Store.Phone(ctx, v.ID)
	now := time.Now()
	if err == nil && p.Wipe.expired(now) {
		if err := r.expire(ctx, v.ID); err != nil {
			return Phone{}, err
		}
		p, err = r.Store.Phone(ctx, v.ID)
	}
	fresh := errors.Is(err, ErrUnknown)
	if err != nil || p.differs(v, now) {
		if p, err = r.note(ctx, v, now); err != nil {
			return Phone{}, err
		}
	}
	p, why, err := r.admits(p, v.Version)
	if fresh && errors.Is(err, ErrQuarantined) && r.Arrived != nil {
		r.Arrived(p, why)
	}
	return p, err
}

func (r *Register) expire(ctx context.Context, id ID) error {
	if r.Expire != nil {
		return r.Expire(ctx, id)
	}
	_, _, err := r.ExpireWipe(ctx, id)
	return err
}

// Summons is why a phone that begins to wait is to come at once instead:
// ErrWipe, ErrBlocked or ErrStale; nil if there is no reason. It is asked after
// the phone has taken its seat, so that no order falls between.
func (r *Register) Summons(ctx context.Context, id ID, version string) error {
	p, err := r.Store.Phone(ctx, id)
	switch {
	case errors.Is(err, ErrUnknown): // forgotten a moment ago
		return nil
	case err != nil:
		return fmt.Errorf("device: reading a phone: %w", err)
	case r.Stale(p):
		return ErrStale
	}
	_, _, err = r.admits(p, version)
	if errors.Is(err, ErrQuarantined) {
		err = nil // it may wait: for being allowed
	}
	return err
}

// admits answers ErrWipe, ErrBlocked, ErrUserOff or ErrQuarantined for a phone
// that is not to be served, or not yet.
func (r *Register) admits(p Phone, version string) (_ Phone, why string, err error) {
	switch {
	case p.Wipe.InForce() && r.canWipe(p.Wipe.Order, version):
		return p, "", ErrWipe
	case p.Wipe.InForce(), p.Blocked:
		// An order that cannot be carried out keeps the phone out: it is lost, and
		// whoever has it shall get nothing more.
		return p, p.BlockedWhy, ErrBlocked
	case r.Rules == nil:
		return p, "", nil
	}
	why, err = r.Rules.Admits(p)
	return p, why, err
}

// Standing says why a phone is not served at present, in words, or "".
func (r *Register) Standing(p Phone) (string, error) {
	if r.Rules != nil {
		if why, yes := r.Rules.Listed(p.Device); yes {
			return why, ErrBlocked
		}
	}
	if p.Blocked {
		return cmp.Or(p.BlockedWhy, "blocked"), ErrBlocked
	}
	if r.Rules == nil {
		return "", nil
	}
	return r.Rules.Admits(p)
}

// Listed tells whether a DeviceId is on the block list. It is asked before
// anything else is looked at, even a password.
func (r *Register) Listed(device string) bool {
	if r.Rules == nil {
		return false
	}
	_, yes := r.Rules.Listed(device)
	return yes
}

// differs tells whether a visit is worth a write.
func (p Phone) differs(v Visit, now time.Time) bool {
	return v.Type != "" && p.Type != v.Type || v.UserAgent != "" && p.UserAgent != v.UserAgent ||
		v.Version != "" && p.Version != v.Version || now.Sub(p.LastSeen).Abs() >= SeenStep
}

// note writes a visit down. A phone's first requests come side by side, so
// that two of them may both believe to be the first.
func (r *Register) note(ctx context.Context, v Visit, now time.Time) (Phone, error) {
	if _, err := r.Store.Phone(ctx, v.ID); err != nil {
		all, err := r.Store.Phones(ctx, v.User)
		if err != nil {
			return Phone{}, fmt.Errorf("device: listing phones: %w", err)
		}
		if most := r.maxPhones(v.User); len(all) >= most {
			return Phone{}, ErrTooMany
		}
	}
	p, err := r.Store.Update(ctx, v.ID, func(p *Phone, known bool) error {
		if !known {
			p.FirstSeen = now
		}
		// OPTIONS says no version, and some requests say less than others.
		p.Type, p.UserAgent, p.Version = cmp.Or(v.Type, p.Type), cmp.Or(v.UserAgent, p.UserAgent), cmp.Or(v.Version, p.Version)
		p.LastSeen = now
		return nil
	})
	if err != nil {
		return Phone{}, fmt.Errorf("device: registering a phone: %w", err)
	}
	return p, nil
}

// maxPhones is how many phones a user may have.
func (r *Register) maxPhones(user string) int {
	if r.Rules == nil {
		return MaxPhones
	}
	return r.Rules.MaxPhones(user)
}

// Describe stores what a phone says of itself. An empty text leaves what was
// there: phones repeat only a part.
func (r *Register) Describe(ctx context.Context, id ID, i Information) error {
	_, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		for _, f := range [...]struct {
			to   *string
			from string
		}{
			{&p.Model, i.Model}, {&p.IMEI, i.IMEI}, {&p.FriendlyName, i.FriendlyName}, {&p.OS, i.OS},
			{&p.OSLanguage, i.OSLanguage}, {&p.PhoneNumber, i.PhoneNumber}, {&p.Operator, i.Operator},
			{&p.Agent, i.Agent}, {&p.OutboundSMS, i.OutboundSMS},
		} {
			if f.from != "" {
				*f.to = clip(f.from)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("device: storing device information: %w", err)
	}
	return nil
}

// Call gives a phone the name that people know it by; an empty one takes it back.
func (r *Register) Call(ctx context.Context, id ID, name string) error {
	return r.settle(ctx, id, func(p *Phone) { p.Called = clip(name) })
}

// Remember keeps a value under a name for a phone, such as the parameters of
// its last Ping; nil forgets it.
func (r *Register) Remember(ctx context.Context, id ID, name string, value []byte) error {
	if len(value) > MaxValue {
		return fmt.Errorf("device: %q is larger than %d bytes", name, MaxValue)
	}
	if err := r.Store.Remember(ctx, id, name, value); err != nil {
		return fmt.Errorf("device: remembering %q: %w", name, err)
	}
	return nil
}

// Recall answers what was last remembered under a name, or nil.
func (r *Register) Recall(ctx context.Context, id ID, name string) ([]byte, error) {
	value, err := r.Store.Recall(ctx, id, name)
	if err != nil {
		return nil, fmt.Errorf("device: recalling %q: %w", name, err)
	}
	return value, nil
}

// Waits are what is remembered of a phone's waits.
type Waits struct {
	Push     Push     // see PushOf
	Networks Networks // see NetworksOf
}

// RecallWaits answers what Recall does, and with the same question what is
// remembered of the phone's waits.
func (r *Register) RecallWaits(ctx context.Context, id ID, name string) ([]byte, Waits, error) {
	found, err := r.Store.RecallSome(ctx, id, name, pushName, heartbeatName)
	if err != nil {
		return nil, Waits{}, fmt.Errorf("device: recalling %q: %w", name, err)
	}
	var w Waits
	if err := read(found[pushName], &w.Push); err != nil {
		return nil, Waits{}, err
	}
	if err := read(found[heartbeatName], &w.Networks); err != nil {
		return nil, Waits{}, err
	}
	return found[name], w, nil
}

// newKey draws a policy key. 0 means "none" on the wire.
func newKey() uint32 {
	for {
		var b [4]byte
		rand.Read(b[:]) // never fails
		if k := binary.LittleEndian.Uint32(b[:]); k != 0 {
			return k
		}
	}
}
