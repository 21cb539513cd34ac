package easserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// provision hands out the policy and takes its acknowledgement, or tells the
// phone to erase itself and hears what came of it. See [MS-ASPROV] "Provision
// Command".
func (s *Server) provision(ctx context.Context, c *call) (answer, error) {
	var req eas.ProvisionRequest
	if len(c.body) > 0 {
		if err := c.decode(&req); err != nil {
			return nil, err
		}
	}
	response := eas.ProvisionResponse{Status: eas.ProvisionOK}
	if req.DeviceInformation != nil {
		if err := s.Devices.Describe(ctx, c.deviceID(), information(req.DeviceInformation)); err != nil {
			return nil, err
		}
		response.DeviceInformation = &eas.DeviceInformationResult{Status: eas.SettingsOK}
	}
	var err error
	switch {
	case req.RemoteWipe != nil:
		err = s.wiped(ctx, c, device.WipeDevice, req.RemoteWipe.Status, &response)
	case req.AccountOnlyRemoteWipe != nil:
		err = s.wiped(ctx, c, device.WipeAccount, req.AccountOnlyRemoteWipe.Status, &response)
	case errors.Is(c.refused, device.ErrWipe):
		err = s.wipe(ctx, c, &response)
	case c.refused != nil:
		err = refusal(c.refused)
	case len(req.Policies) > 1:
		response.Status = eas.ProvisionProtocol
	case len(req.Policies) == 1:
		var p eas.Policy
		p, err = s.policy(ctx, c, req.Policies[0])
		response.Policies = []eas.Policy{p}
	}
	if err != nil {
		return nil, err
	}
	c.event.Status = int(response.Status)
	return response, nil
}

// wipe tells a phone to erase itself. See [MS-ASPROV] "Responding to an Initial
// Request".
func (s *Server) wipe(ctx context.Context, c *call, response *eas.ProvisionResponse) error {
	w, err := s.Devices.SendWipe(ctx, c.deviceID())
	if err != nil {
		if errors.Is(err, device.ErrNoWipe) { // taken back a moment ago
			return &inBand{status: eas.Status(eas.ProvisionServerError), err: err}
		}
		return err
	}
	direct(response, w.Order)
	s.Logger.WarnContext(ctx, "a phone is told to erase itself", "user", c.phone.User, "phone", c.phone.Device,
		"order", w.Order.String(), "by", w.By)
	return nil
}

// direct puts the order into an answer.
func direct(response *eas.ProvisionResponse, o device.Order) {
	response.RemoteWipe, response.AccountOnlyRemoteWipe = o == device.WipeDevice, o == device.WipeAccount
}

// The statuses of an acknowledged order. See [MS-ASPROV] "Status (RemoteWipe)".
const (
	wipeDone   = 1
	wipeFailed = 2
)

// wiped hears what a phone says of an order. See [MS-ASPROV] "Responding to a
// Remote Wipe Directive Acknowledgment" and "Responding to an Account Only Remote
// Wipe Directive Acknowledgment".
func (s *Server) wiped(ctx context.Context, c *call, o device.Order, status int, response *eas.ProvisionResponse) error {
	if status != wipeDone && status != wipeFailed {
		response.Status = eas.ProvisionProtocol
		return nil
	}
	before := c.device.Wipe
	w, err := s.Devices.AcknowledgeWipe(ctx, c.deviceID(), o, status == wipeDone)
	switch {
	case err != nil:
		return err
	case w.Order != o || w.Sent.IsZero(): // nobody told it to
		response.Status = eas.ProvisionProtocol
		return nil
	}
	if w != before {
		s.Logger.WarnContext(ctx, "a phone says what came of the order to erase itself", "user", c.phone.User, "phone", c.phone.Device,
			"order", o.String(), "state", string(w.State), "tries", w.Tries)
	}
	if status == wipeFailed {
		response.Status = eas.ProvisionProtocol // 2 here means that the order stands
		if w.InForce() {
			direct(response, o)
		}
	}
	return nil
}

// policy answers one phase for one type of policy. See [MS-ASPROV] "Downloading
// Policies" and "Acknowledging Policies": the first answer carries the policy
// with a temporary key, the second the key for all other commands.
func (s *Server) policy(ctx context.Context, c *call, asked eas.Policy) (eas.Policy, error) {
	p := eas.Policy{PolicyType: asked.PolicyType, Status: eas.PolicyOK}
	y := s.Devices.PolicyFor(c.device)
	switch {
	case asked.PolicyType != policy.Type(c.version):
		p.Status = eas.PolicyUnknownType
		return p, nil
	case !y.Require:
		p.Status = eas.PolicyNone
		return p, nil
	case asked.PolicyKey != "" && asked.Status != 0:
		return s.acknowledged(ctx, c, asked, p)
	}
	key, err := s.Devices.NewTemporaryKey(ctx, c.deviceID())
	if err != nil {
		return p, err
	}
	p.PolicyKey, p.Data = strconv.FormatUint(uint64(key), 10), y.Document.Data(c.version)
	return p, nil
}

// acknowledged answers the second phase.
func (s *Server) acknowledged(ctx context.Context, c *call, asked, p eas.Policy) (eas.Policy, error) {
	if asked.Status < eas.PolicyApplied || asked.Status > eas.PolicyElsewhere {
		return p, &inBand{status: eas.Status(eas.ProvisionProtocol), err: fmt.Errorf("easserver: a policy cannot be acknowledged by %d", asked.Status)}
	}
	key, err := strconv.ParseUint(asked.PolicyKey, 10, 32)
	if err != nil {
		p.Status = eas.PolicyBadKey
		return p, nil
	}
	c.note(slog.Int("policy", int(asked.Status)))
	final, err := s.Devices.Acknowledge(ctx, c.deviceID(), uint32(key), int(asked.Status))
	switch {
	case errors.Is(err, device.ErrPolicyKey):
		p.Status = eas.PolicyBadKey
	case err != nil:
		return p, refusal(err)
	default:
		p.PolicyKey = strconv.FormatUint(uint64(final), 10)
	}
	return p, nil
}
