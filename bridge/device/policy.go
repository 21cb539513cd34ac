package device

import (
	"context"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

// A Need is why a phone has to provision before it is served, or cannot be
// served at all.
type Need int

// The needs, with the common status of [MS-ASCMD] "Common Status Codes"; before
// version 14.0 those to provision are HTTP status 449, the others 403.
const (
	NoNeed           Need = 0
	NotApplying      Need = 139 // it refuses the policy, time and again
	NotProvisionable Need = 141 // it does not provision, however often it is told to
	Provision        Need = 142 // it never accepted a policy
	Refresh          Need = 143 // the policy changed since
	BadKey           Need = 144 // the key is not the one it was given
)

// Hopeless tells whether provisioning would not help.
func (n Need) Hopeless() bool { return n == NotApplying || n == NotProvisionable }

// PolicyFor is the policy of a phone.
func (r *Register) PolicyFor(p Phone) policy.Policy {
	if r.Rules != nil {
		return r.Rules.Policy(p.ID)
	}
	return *r.policy.Load()
}

// SetPolicy replaces the policy that is for everybody where there are no Rules. Phones that accepted another one are told so at
// their next request; to reach those that wait is up to the caller.
func (r *Register) SetPolicy(p policy.Policy) { r.policy.Store(&p) }

// NeedsProvision tells whether a request that carries a policy key may be
// served; key is nil for one that carries none, and may point to 0, which phones
// send that have none yet. The caller does not ask for requests that carry no
// key by specification: OPTIONS, Autodiscover, Provision, Ping and what travels
// inside a Settings request before 14.1; see Stale for Ping. See [MS-ASPROV]
// "Policy Key".
func (r *Register) NeedsProvision(p Phone, key *uint32) Need {
	y := r.PolicyFor(p)
	has := uint32(0)
	if key != nil {
		has = *key
	}
	switch {
	case !y.Require:
		// Nobody insists on the policy; a key of an earlier configuration, or
		// of another server behind the same name, hurts nobody.
		return NoNeed
	case has != 0 && has == p.Policy.Key && p.Policy.Accepted == y.Revision():
		return NoNeed
	case key == nil && y.AllowUnprovisionable:
		return NoNeed
	}
	switch p.Policy.Turns.loop(time.Now()) {
	case LoopKeyless:
		if p.Policy.Accepted == y.Revision() {
			return NoNeed // it says that it applied the policy; its key would prove no more
		}
	case LoopDeaf:
		return NotProvisionable
	case LoopRefuses:
		return NotApplying
	}
	switch {
	case p.Policy.Key == 0, has == 0:
		return Provision
	case has != p.Policy.Key:
		return BadKey // the temporary key, too: good for the acknowledgement only
	}
	return Refresh
}

// Stale tells whether a phone that waits without a key ought to come and
// provision: the policy that it accepted is not the present one.
func (r *Register) Stale(p Phone) bool {
	y := r.PolicyFor(p)
	return y.Require && p.Policy.Accepted != "" && p.Policy.Accepted != y.Revision()
}

// Told notes that a phone was told to provision. One that is told so again and
// again and does not come for the policy is no longer told: see LoopDeaf.
func (r *Register) Told(ctx context.Context, id ID) error {
	return r.turn(ctx, id, func(p *Phone, now time.Time) error {
		p.Policy.Turns.told(now)
		return nil
	})
}

// NewTemporaryKey begins provisioning: it answers the key that goes out with
// the policy and that the acknowledgement has to bring back. See [MS-ASPROV]
// "Downloading Policies". ErrLoop means that the phone did so too often.
func (r *Register) NewTemporaryKey(ctx context.Context, id ID) (uint32, error) {
	key := newKey()
	err := r.turn(ctx, id, func(p *Phone, now time.Time) error {
		if !p.Policy.Turns.asks(now) {
			return ErrLoop
		}
		p.Policy.Temporary, p.Policy.Revision, p.Policy.Status = key, r.PolicyFor(*p).Revision(), 0
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("device: handing out a policy key: %w", err)
	}
	return key, nil
}

// The acknowledgements that a phone can give. See [MS-ASPROV] "Status
// (Policy)".
const (
	Applied         = 1
	PartlyApplied   = 2
	NotApplied      = 3
	ManagedByOthers = 4
)

// Acknowledge ends provisioning: the phone brings back the temporary key and
// says what came of the policy. The answer is the final key; the same
// acknowledgement again gets the same key, because an answer may be lost. A
// key that was not handed out is ErrPolicyKey and changes nothing.
//
// A phone that did not apply the policy gets ErrNotApplied and no key, and one
// that applied a part of it likewise, if the policy says so; one that obeys
// somebody else's may get ErrExternal. See [MS-ASPROV] "Provision Command
// Errors", 139 and 145.
func (r *Register) Acknowledge(ctx context.Context, id ID, key uint32, status int) (uint32, error) {
	final := newKey()
	var got uint32
	var refused error
	err := r.turn(ctx, id, func(p *Phone, now time.Time) error {
		y := &p.Policy
		if key == 0 || key != y.Temporary {
			return ErrPolicyKey
		}
		refused = refusal(r.PolicyFor(*p), status)
		if y.Status == status { // once more
			got = y.Key
			return nil
		}
		y.Status, y.When = status, now
		y.Key, y.Accepted = final, y.Revision
		if refused != nil {
			y.Key, y.Accepted = 0, ""
		}
		y.Turns.acknowledged(now, refused != nil)
		got = y.Key
		return nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return 0, fmt.Errorf("device: acknowledging the policy: %w", err)
	}
	return got, nil
}

// refusal is why a phone that acknowledged so is not served.
func refusal(y policy.Policy, status int) error {
	switch {
	case !y.Require:
	case status == NotApplied, status == PartlyApplied && y.RefusePartial:
		return ErrNotApplied
	case status == ManagedByOthers && y.RefuseExternal:
		return ErrExternal
	}
	return nil
}
