package easserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// PolicyRevision names the policy below; it changes whenever the policy does,
// so that phones are asked to accept the new one.
const PolicyRevision = "permissive-1"

// provision hands out the policy and takes its acknowledgement. See [MS-ASPROV]
// "Downloading Policies" and "Acknowledging Policies": the first answer carries
// the policy with a temporary key, the second the key for all other commands.
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
	switch {
	case len(req.Policies) > 1:
		response.Status = eas.ProvisionProtocol
	case len(req.Policies) == 1:
		policy, err := s.policy(ctx, c, req.Policies[0])
		if err != nil {
			return nil, err
		}
		response.Policies = []eas.Policy{policy}
	}
	c.event.Status = int(response.Status)
	return response, nil
}

// policy answers one phase for one type of policy.
func (s *Server) policy(ctx context.Context, c *call, asked eas.Policy) (eas.Policy, error) {
	p := eas.Policy{PolicyType: asked.PolicyType, Status: eas.PolicyOK}
	want := eas.PolicyTypeWBXML
	if c.version < eas.V120 {
		want = eas.PolicyTypeXML
	}
	if asked.PolicyType != want {
		p.Status = eas.PolicyUnknownType
		return p, nil
	}
	if asked.PolicyKey == "" || asked.Status == 0 {
		key, err := s.Devices.NewTemporaryKey(ctx, c.deviceID())
		if err != nil {
			return p, err
		}
		p.PolicyKey, p.Data = strconv.FormatUint(uint64(key), 10), permissive(c.version)
		return p, nil
	}
	if asked.Status < eas.PolicyApplied || asked.Status > eas.PolicyElsewhere {
		return p, &inBand{status: eas.Status(eas.ProvisionProtocol), err: fmt.Errorf("easserver: a policy cannot be acknowledged by %d", asked.Status)}
	}
	key, err := strconv.ParseUint(asked.PolicyKey, 10, 32)
	if err != nil {
		p.Status = eas.PolicyBadKey
		return p, nil
	}
	final, err := s.Devices.Acknowledge(ctx, c.deviceID(), uint32(key), int(asked.Status))
	switch {
	case errors.Is(err, device.ErrPolicyKey):
		p.Status = eas.PolicyBadKey
	case errors.Is(err, device.ErrNotApplied):
		return p, &inBand{status: eas.DeviceNotFullyProvisionable, http: http.StatusForbidden, err: err}
	case err != nil:
		return p, err
	default:
		p.PolicyKey = strconv.FormatUint(uint64(final), 10)
	}
	return p, nil
}

// permissive is a policy that asks nothing of a phone. Every element is there,
// because old phones take a missing one for a rule that they do not know.
func permissive(v eas.Version) *eas.PolicyData {
	if v < eas.V120 {
		// See [MS-ASPROV] "Data": 2.5 has a characteristic list; 4131 is
		// "no password is required".
		return &eas.PolicyData{XML: `<wap-provisioningdoc><characteristic type="SecurityPolicy">` +
			`<parm name="4131" value="1"/></characteristic></wap-provisioningdoc>`}
	}
	yes, no, unset, all, anything := true, false, eas.Unset, 0, 2
	return &eas.PolicyData{Doc: &eas.EASProvisionDoc{
		DevicePasswordEnabled: &no, AlphanumericDevicePasswordRequired: &no, PasswordRecoveryEnabled: &no,
		RequireStorageCardEncryption: &no, AttachmentsEnabled: &yes, MinDevicePasswordLength: &unset,
		MaxInactivityTimeDeviceLock: &unset, MaxDevicePasswordFailedAttempts: &unset, MaxAttachmentSize: &unset,
		AllowSimpleDevicePassword: &yes, DevicePasswordExpiration: &unset, DevicePasswordHistory: &all,
		AllowStorageCard: &yes, AllowCamera: &yes, RequireDeviceEncryption: &no, AllowUnsignedApplications: &yes,
		AllowUnsignedInstallationPackages: &yes, AllowWiFi: &yes, AllowTextMessaging: &yes, AllowPOPIMAPEmail: &yes,
		AllowBluetooth: &anything, AllowIrDA: &yes, RequireManualSyncWhenRoaming: &no, AllowDesktopSync: &yes,
		MaxCalendarAgeFilter: &all, AllowHTMLEmail: &yes, MaxEmailAgeFilter: &all,
		RequireSignedSMIMEMessages: &no, RequireEncryptedSMIMEMessages: &no, AllowSMIMESoftCerts: &yes,
		AllowBrowser: &yes, AllowConsumerEmail: &yes, AllowRemoteDesktop: &yes, AllowInternetSharing: &yes,
	}}
}
