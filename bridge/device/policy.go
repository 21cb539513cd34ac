package device

import (
	"context"
	"fmt"
)

// A Need is why a phone has to provision before it is served.
type Need int

// The needs, with the common status of [MS-ASCMD] "Common Status Codes"; before
// version 14.0 all of them are HTTP status 449.
const (
	NoNeed    Need = 0
	Provision Need = 142 // it never accepted a policy
	Refresh   Need = 143 // the policy changed since
	BadKey    Need = 144 // the key is not the one it was given
)

// NeedsProvision tells whether a request that carries a policy key (0 if none)
// may be served. The caller does not ask for requests that carry no key by
// specification: OPTIONS, Autodiscover, Provision, Ping and what travels
// inside a Settings request before 14.1. See [MS-ASPROV] "Policy Key".
func (r *Register) NeedsProvision(p Phone, key uint32) Need {
	switch {
	case !r.Require:
		// Nobody insists on the policy; a key of an earlier configuration, or
		// of another server behind the same name, hurts nobody.
		return NoNeed
	case p.Policy.Key == 0, key == 0:
		return Provision
	case key != p.Policy.Key:
		return BadKey // the temporary key, too: good for the acknowledgement only
	case p.Policy.Accepted != r.Revision:
		return Refresh
	}
	return NoNeed
}

// NewTemporaryKey begins provisioning: it answers the key that goes out with
// the policy and that the acknowledgement has to bring back. See [MS-ASPROV]
// "Downloading Policies".
func (r *Register) NewTemporaryKey(ctx context.Context, id ID) (uint32, error) {
	key := newKey()
	_, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		p.Policy.Temporary, p.Policy.Revision, p.Policy.Status = key, r.Revision, 0
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("device: storing a policy key: %w", err)
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
// If a policy is required, a phone that did not apply it gets ErrNotApplied and
// no key. One that applied a part of it, or obeys somebody else's, is taken: our
// policy asks for nothing that it could leave out. See [MS-ASPROV] "Provision
// Command Errors", 139.
func (r *Register) Acknowledge(ctx context.Context, id ID, key uint32, status int) (uint32, error) {
	final := newKey()
	p, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		y := &p.Policy
		switch {
		case key == 0 || key != y.Temporary:
			return ErrPolicyKey
		case y.Status == status:
			return nil // once more
		}
		y.Status = status
		y.Key, y.Accepted = final, y.Revision
		if status == NotApplied && r.Require {
			y.Key, y.Accepted = 0, ""
		}
		return nil
	})
	if err == nil && p.Policy.Key == 0 {
		err = ErrNotApplied
	}
	if err != nil {
		return 0, fmt.Errorf("device: acknowledging the policy: %w", err)
	}
	return p.Policy.Key, nil
}
