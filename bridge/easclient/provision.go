package easclient

import (
	"context"
	"fmt"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// A Provisioning is how the two phases of Provision went.
type Provisioning struct {
	Policy          *eas.PolicyData // what the phone is to keep; nil if there is no policy
	PolicyKey       uint32          // the final key, also in the Client; 0 if there is no policy
	Wipe            bool            // the phone is to wipe itself; it has not confirmed yet
	WipeAccountOnly bool            // the same, for this account's data
}

// Provision asks for the policies, acknowledges them all, and keeps the key for
// the requests that follow. Info is what the phone says of itself, from 14.1 on;
// nil says nothing. The error is a *StatusError where the server refused.
// See [MS-ASPROV] "Phase 1: Enforcement" and "Phase 2: Client Acknowledgment".
func (c *Client) Provision(ctx context.Context, info *eas.DeviceInformation) (Provisioning, error) {
	kind := eas.PolicyTypeWBXML
	if c.version() == eas.V25 {
		kind = eas.PolicyTypeXML
	}
	c.PolicyKey = 0
	answer, err := c.ProvisionPhase(ctx, eas.ProvisionRequest{
		DeviceInformation: info,
		Policies:          []eas.Policy{{PolicyType: kind}},
	})
	if err != nil {
		return Provisioning{}, err
	}
	p := Provisioning{Wipe: answer.RemoteWipe, WipeAccountOnly: answer.AccountOnlyRemoteWipe}
	if p.Wipe || p.WipeAccountOnly {
		return p, nil
	}
	policy, err := soundPolicy(answer)
	if err != nil || policy == nil {
		return p, err
	}
	p.Policy = policy.Data
	temporary := eas.ParsePolicyKey(policy.PolicyKey)
	if temporary == nil {
		return p, fmt.Errorf("easclient: the temporary policy key %q is not a number", policy.PolicyKey)
	}
	c.PolicyKey = *temporary
	answer, err = c.ProvisionPhase(ctx, eas.ProvisionRequest{Policies: []eas.Policy{{
		PolicyType: kind,
		PolicyKey:  strconv.FormatUint(uint64(*temporary), 10),
		Status:     eas.PolicyApplied,
	}}})
	if err != nil {
		return p, err
	}
	if policy, err = soundPolicy(answer); err != nil || policy == nil {
		return p, err
	}
	final := eas.ParsePolicyKey(policy.PolicyKey)
	if final == nil {
		return p, fmt.Errorf("easclient: the policy key %q is not a number", policy.PolicyKey)
	}
	c.PolicyKey, p.PolicyKey = *final, *final
	return p, nil
}

// soundPolicy is the policy of an answer, nil where the server says that there
// is none.
func soundPolicy(answer eas.ProvisionResponse) (*eas.Policy, error) {
	if answer.Status != eas.ProvisionOK {
		return nil, &StatusError{eas.CmdProvision, int(answer.Status)}
	}
	if len(answer.Policies) == 0 {
		return nil, nil
	}
	policy := &answer.Policies[0]
	switch policy.Status {
	case eas.PolicyOK:
		return policy, nil
	case eas.PolicyNone:
		return nil, nil
	}
	return nil, &StatusError{eas.CmdProvision, int(policy.Status)}
}

// ProvisionPhase sends one Provision. See [MS-ASPROV] "Provision".
func (c *Client) ProvisionPhase(ctx context.Context, m eas.ProvisionRequest) (eas.ProvisionResponse, error) {
	var answer eas.ProvisionResponse
	_, err := c.exchange(ctx, eas.CmdProvision, m, &answer)
	return answer, err
}
