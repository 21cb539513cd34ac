package eas

// A SettingsRequest reads and writes what concerns the whole account.
// See [MS-ASCMD] "Settings".
type SettingsRequest struct {
	Oof                         *OofRequest         `eas:"Settings:Oof"`
	DevicePassword              *DevicePassword     `eas:"Settings:DevicePassword>Set"`
	DeviceInformation           *DeviceInformation  `eas:"Settings:DeviceInformation>Set"`
	UserInformation             *InformationRequest `eas:"Settings:UserInformation"`
	RightsManagementInformation *InformationRequest `eas:"Settings:RightsManagementInformation,min=14.1"`
}

// An InformationRequest asks for something. See [MS-ASCMD] "Get".
type InformationRequest struct {
	Get bool `eas:"Settings:Get"`
}

// DeviceInformation is what a phone says of itself.
// See [MS-ASCMD] "Set (DeviceInformation)".
type DeviceInformation struct {
	Model             string `eas:"Settings:Model"`
	IMEI              string `eas:"Settings:IMEI"`
	FriendlyName      string `eas:"Settings:FriendlyName"`
	OS                string `eas:"Settings:OS"`
	OSLanguage        string `eas:"Settings:OSLanguage"`
	PhoneNumber       string `eas:"Settings:PhoneNumber"`
	UserAgent         string `eas:"Settings:UserAgent,min=14.0"`
	EnableOutboundSMS *bool  `eas:"Settings:EnableOutboundSMS,min=14.0"`
	MobileOperator    string `eas:"Settings:MobileOperator,min=14.0"`
}

// A DevicePassword is the phone's recovery password.
// See [MS-ASCMD] "DevicePassword".
type DevicePassword struct {
	Password string `eas:"Settings:Password,always"`
}

// An OofRequest reads or writes the out-of-office message. See [MS-ASCMD] "Oof".
type OofRequest struct {
	Get *OofGet `eas:"Settings:Get"`
	Set *Oof    `eas:"Settings:Set"`
}

// An OofGet asks for the message. See [MS-ASCMD] "Get".
type OofGet struct {
	BodyType string `eas:"Settings:BodyType"` // "HTML" or "TEXT"
}

// Oof is the out-of-office message. See [MS-ASCMD] "Oof".
type Oof struct {
	OofState  *int         `eas:"Settings:OofState"` // 0 off, 1 on, 2 on from StartTime to EndTime
	StartTime string       `eas:"Settings:StartTime"`
	EndTime   string       `eas:"Settings:EndTime"`
	Messages  []OofMessage `eas:"Settings:OofMessage"`
}

// An OofMessage is the text for one audience. See [MS-ASCMD] "OofMessage".
type OofMessage struct {
	AppliesToInternal        bool   `eas:"Settings:AppliesToInternal"`
	AppliesToExternalKnown   bool   `eas:"Settings:AppliesToExternalKnown"`
	AppliesToExternalUnknown bool   `eas:"Settings:AppliesToExternalUnknown"`
	Enabled                  *bool  `eas:"Settings:Enabled"`
	ReplyMessage             string `eas:"Settings:ReplyMessage"`
	BodyType                 string `eas:"Settings:BodyType"`
}

// A SettingsResponse answers the parts that were asked for.
// See [MS-ASCMD] "Settings".
type SettingsResponse struct {
	Status                      SettingsStatus           `eas:"Settings:Status,always"`
	Oof                         *OofResult               `eas:"Settings:Oof"`
	DeviceInformation           *DeviceInformationResult `eas:"Settings:DeviceInformation"`
	DevicePassword              *SettingsResult          `eas:"Settings:DevicePassword"`
	UserInformation             *UserInformationResult   `eas:"Settings:UserInformation"`
	RightsManagementInformation *RightsResult            `eas:"Settings:RightsManagementInformation,min=14.1"`
}

// A SettingsResult is the answer to a part that was written.
type SettingsResult struct {
	Status SettingsStatus `eas:"Settings:Status,always"`
}

// A DeviceInformationResult answers DeviceInformation, in Settings and in Provision.
type DeviceInformationResult = SettingsResult

// An OofResult answers an OofRequest. See [MS-ASCMD] "Oof".
type OofResult struct {
	Status SettingsStatus `eas:"Settings:Status,always"`
	Get    *Oof           `eas:"Settings:Get"`
}

// A UserInformationResult answers with the user's addresses.
// See [MS-ASCMD] "UserInformation".
type UserInformationResult struct {
	Status SettingsStatus   `eas:"Settings:Status,always"`
	Get    *UserInformation `eas:"Settings:Get"`
}

// UserInformation are the user's addresses: as they are up to 14.0, by accounts
// from 14.1 on. Fill both in; the version decides.
// See [MS-ASCMD] "EmailAddresses" and "Accounts".
type UserInformation struct {
	EmailAddresses *EmailAddresses `eas:"Settings:EmailAddresses,max=14.0"`
	Accounts       []Account       `eas:"Settings:Accounts>Account,min=14.1"`
}

// An Account is one of the user's mail accounts. See [MS-ASCMD] "Account".
type Account struct {
	AccountID       string          `eas:"Settings:AccountId"`
	AccountName     string          `eas:"Settings:AccountName"`
	UserDisplayName string          `eas:"Settings:UserDisplayName"`
	SendDisabled    *bool           `eas:"Settings:SendDisabled"`
	EmailAddresses  *EmailAddresses `eas:"Settings:EmailAddresses"`
}

// EmailAddresses are addresses of the user. See [MS-ASCMD] "EmailAddresses".
type EmailAddresses struct {
	SMTPAddresses      []string `eas:"Settings:SMTPAddress"`
	PrimarySMTPAddress string   `eas:"Settings:PrimarySmtpAddress,min=14.1"`
}

// A RightsResult answers with the templates of rights management; we have none.
// See [MS-ASRM] "RightsManagementTemplates".
type RightsResult struct {
	Status SettingsStatus `eas:"Settings:Status,always"`
	Get    *RightsGet     `eas:"Settings:Get"`
}

// RightsGet holds the templates, as they are.
type RightsGet struct {
	Templates Properties `eas:"RightsManagement:RightsManagementTemplates"`
}

// A SettingsStatus is the outcome of Settings or of a part of it.
// See [MS-ASCMD] "Status (Settings)".
type SettingsStatus int

// The statuses of Settings.
const (
	SettingsOK          SettingsStatus = 1
	SettingsProtocol    SettingsStatus = 2
	SettingsDenied      SettingsStatus = 3
	SettingsUnavailable SettingsStatus = 4
	SettingsBadValue    SettingsStatus = 5
	SettingsConflicting SettingsStatus = 6
	SettingsPolicy      SettingsStatus = 7 // a policy forbids it
)
