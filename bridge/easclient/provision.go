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

// Provision is ProvisionAs for a phone that applies everything.
func (c *Client) Provision(ctx context.Context, info *eas.DeviceInformation) (Provisioning, error) {
	return c.ProvisionAs(ctx, info, eas.PolicyApplied)
}

// ProvisionAs asks for the policies, acknowledges them all with a status, and
// keeps the key for the requests that follow. Info is what the phone says of itself, from 14.1 on;
// nil says nothing. The error is a *StatusError where the server refused.
// See [MS-ASPROV] "Phase 1: Enforcement" and "Phase 2: Client Acknowledgment".
func (c *Client) ProvisionAs(ctx context.Context, info *eas.DeviceInformation, how eas.PolicyStatus) (Provisioning, error) {
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
		Status:     how,
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

// ConfirmWipe tells the server what came of its order to wipe: of the whole phone,
// or of the account alone. The answer is whether it orders so once more. See
// [MS-ASPROV] "Acknowledging a Remote Wipe Directive".
func (c *Client) ConfirmWipe(ctx context.Context, accountOnly, done bool) (again bool, err error) {
	result := &eas.WipeResult{Status: 2}
	if done {
		result.Status = 1
	}
	var m eas.ProvisionRequest
	if accountOnly {
		m.AccountOnlyRemoteWipe = result
	} else {
		m.RemoteWipe = result
	}
	answer, err := c.ProvisionPhase(ctx, m)
	if err != nil {
		return false, err
	}
	again = answer.RemoteWipe || answer.AccountOnlyRemoteWipe
	if answer.Status != eas.ProvisionOK && !again {
		return false, &StatusError{eas.CmdProvision, int(answer.Status)}
	}
	return again, nil
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
