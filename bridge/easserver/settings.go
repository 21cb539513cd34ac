package easserver

import (
	"context"
	"errors"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/translate"
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
		var err error
		if response.UserInformation, err = s.userInformation(ctx, c); err != nil {
			return nil, err
		}
	}
	switch {
	case req.Oof != nil && c.waits:
		response.Oof = &eas.OofResult{Status: eas.SettingsDenied} // what is answered is the person's, and no new phone's to change
	case req.Oof != nil:
		var err error
		if response.Oof, err = s.oof(ctx, c, req.Oof); err != nil {
			return nil, err
		}
	}
	if req.DevicePassword != nil {
		status, err := s.keepPassword(ctx, c, req.DevicePassword.Password)
		if err != nil {
			return nil, err
		}
		response.DevicePassword = &eas.SettingsResult{Status: status}
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
		Agent: i.UserAgent, OutboundSMS: outboundSMS(i.EnableOutboundSMS),
	}
}

func outboundSMS(enabled *bool) string {
	switch {
	case enabled == nil:
		return ""
	case *enabled:
		return "1"
	}
	return "0"
}

// keepPassword takes a phone's recovery password, where it is asked for one. See
// [MS-ASCMD] "Status (Settings)" of DevicePassword: 5 for what is no password, 7
// where none is kept.
func (s *Server) keepPassword(ctx context.Context, c *call, password string) (eas.SettingsStatus, error) {
	switch err := s.Devices.KeepPassword(ctx, c.device, password); {
	case errors.Is(err, device.ErrNoRecovery):
		return eas.SettingsPolicy, nil
	case errors.Is(err, recovery.ErrInvalid):
		return eas.SettingsBadValue, nil
	case err != nil:
		return 0, err
	}
	return eas.SettingsOK, nil
}

// during tells whether two times are a stretch of time.
func during(start, end string) bool {
	from, err := translate.ParseDateTime(start)
	to, err2 := translate.ParseDateTime(end)
	return err == nil && err2 == nil && from.Before(to)
}
