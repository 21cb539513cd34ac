package easserver

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// settings answers each part of the request by itself. See [MS-ASCMD]
// "Settings".
func (s *Server) settings(ctx context.Context, c *call) (answer, error) {
	var req eas.SettingsRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	response := eas.SettingsResponse{Status: eas.SettingsOK}
	c.event.Status = int(eas.SettingsOK)
	if req.DeviceInformation != nil {
		if err := s.Devices.Describe(ctx, c.deviceID(), information(req.DeviceInformation)); err != nil {
			return nil, err
		}
		response.DeviceInformation = &eas.DeviceInformationResult{Status: eas.SettingsOK}
	}
	if req.UserInformation != nil {
		response.UserInformation = userInformation(c)
	}
	if req.Oof != nil {
		response.Oof = oof(req.Oof)
	}
	if req.DevicePassword != nil {
		// There is no safe place for it yet; the phone keeps it.
		response.DevicePassword = &eas.SettingsResult{Status: eas.SettingsUnavailable}
	}
	if req.RightsManagementInformation != nil {
		response.RightsManagementInformation = &eas.RightsResult{Status: eas.SettingsOK,
			Get: &eas.RightsGet{Templates: eas.Properties{}}}
	}
	return response, nil
}

// information is what a phone says of itself, for the register.
func information(i *eas.DeviceInformation) device.Information {
	return device.Information{
		Model: i.Model, IMEI: i.IMEI, FriendlyName: i.FriendlyName, OS: i.OS,
		OSLanguage: i.OSLanguage, PhoneNumber: i.PhoneNumber, Operator: i.MobileOperator,
	}
}

// userInformation answers the person's address. An iPhone takes the sender of
// its mail from here, so that an address without a domain would do harm: where
// none is known, none is said.
func userInformation(c *call) *eas.UserInformationResult {
	address := c.account.Address()
	if address == "" {
		return &eas.UserInformationResult{Status: eas.SettingsOK, Get: &eas.UserInformation{
			EmailAddresses: &eas.EmailAddresses{}, Accounts: []eas.Account{{}}}}
	}
	addresses := &eas.EmailAddresses{SMTPAddresses: []string{address}, PrimarySMTPAddress: address}
	return &eas.UserInformationResult{Status: eas.SettingsOK, Get: &eas.UserInformation{
		EmailAddresses: addresses, Accounts: []eas.Account{{EmailAddresses: addresses}}}}
}

// oof answers that no out-of-office message is set, which is true: nobody here
// answers mail. Setting one is refused.
func oof(req *eas.OofRequest) *eas.OofResult {
	if req.Get == nil {
		return &eas.OofResult{Status: eas.SettingsUnavailable}
	}
	off := 0
	return &eas.OofResult{Status: eas.SettingsOK, Get: &eas.Oof{OofState: &off}}
}
