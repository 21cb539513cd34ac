package eas

// The policy types. See [MS-ASPROV] "PolicyType".
const (
	PolicyTypeXML   = "MS-WAP-Provisioning-XML"   // 2.5: Data is XML in text
	PolicyTypeWBXML = "MS-EAS-Provisioning-WBXML" // from 12.0 on
)

// A ProvisionRequest asks for the policies, acknowledges them, or confirms an
// order to wipe. See [MS-ASPROV] "Provision".
type ProvisionRequest struct {
	DeviceInformation     *DeviceInformation `eas:"Settings:DeviceInformation>Set,min=14.1"`
	Policies              []Policy           `eas:"Provision:Policies>Policy"`
	RemoteWipe            *WipeResult        `eas:"Provision:RemoteWipe"`
	AccountOnlyRemoteWipe *WipeResult        `eas:"Provision:AccountOnlyRemoteWipe,min=16.1"`
}

// A WipeResult is how the wiping went, as the phone says.
// See [MS-ASPROV] "Status (RemoteWipe)".
type WipeResult struct {
	Status int `eas:"Provision:Status,always"` // 1 done, 2 failed
}

// A ProvisionResponse carries the policies, or an order to wipe.
// See [MS-ASPROV] "Provision".
type ProvisionResponse struct {
	DeviceInformation     *DeviceInformationResult `eas:"Settings:DeviceInformation,min=14.1"`
	Status                ProvisionStatus          `eas:"Provision:Status,always"`
	Policies              []Policy                 `eas:"Provision:Policies>Policy"`
	RemoteWipe            bool                     `eas:"Provision:RemoteWipe"`
	AccountOnlyRemoteWipe bool                     `eas:"Provision:AccountOnlyRemoteWipe,min=16.1"`
}

// A Policy in both directions. See [MS-ASPROV] "Policy".
type Policy struct {
	PolicyType string       `eas:"Provision:PolicyType,always"`
	Status     PolicyStatus `eas:"Provision:Status"` // 0 leaves it out: a phone's first request has none
	PolicyKey  string       `eas:"Provision:PolicyKey"`
	Data       *PolicyData  `eas:"Provision:Data"`
}

// PolicyData is XML for 2.5 and a document from 12.0 on. See [MS-ASPROV] "Data".
type PolicyData struct {
	XML string           `eas:",text"`
	Doc *EASProvisionDoc `eas:"Provision:EASProvisionDoc,min=12.0"`
}

// Unset is the value of a policy that is sent, but as an empty element: the
// phone has no limit to keep.
const Unset = -1

// An EASProvisionDoc are the rules a phone is to keep. A nil field is left
// out. See [MS-ASPROV] "EASProvisionDoc".
type EASProvisionDoc struct {
	DevicePasswordEnabled                    *bool `eas:"Provision:DevicePasswordEnabled"`
	AlphanumericDevicePasswordRequired       *bool `eas:"Provision:AlphanumericDevicePasswordRequired"`
	PasswordRecoveryEnabled                  *bool `eas:"Provision:PasswordRecoveryEnabled"`
	RequireStorageCardEncryption             *bool `eas:"Provision:RequireStorageCardEncryption"`
	AttachmentsEnabled                       *bool `eas:"Provision:AttachmentsEnabled"`
	MinDevicePasswordLength                  *int  `eas:"Provision:MinDevicePasswordLength,unset"`
	MaxInactivityTimeDeviceLock              *int  `eas:"Provision:MaxInactivityTimeDeviceLock,unset"` // seconds
	MaxDevicePasswordFailedAttempts          *int  `eas:"Provision:MaxDevicePasswordFailedAttempts,unset"`
	MaxAttachmentSize                        *int  `eas:"Provision:MaxAttachmentSize,unset"` // bytes
	AllowSimpleDevicePassword                *bool `eas:"Provision:AllowSimpleDevicePassword"`
	DevicePasswordExpiration                 *int  `eas:"Provision:DevicePasswordExpiration,unset"` // days
	DevicePasswordHistory                    *int  `eas:"Provision:DevicePasswordHistory"`
	AllowStorageCard                         *bool `eas:"Provision:AllowStorageCard,min=12.1"`
	AllowCamera                              *bool `eas:"Provision:AllowCamera,min=12.1"`
	RequireDeviceEncryption                  *bool `eas:"Provision:RequireDeviceEncryption,min=12.1"`
	AllowUnsignedApplications                *bool `eas:"Provision:AllowUnsignedApplications,min=12.1"`
	AllowUnsignedInstallationPackages        *bool `eas:"Provision:AllowUnsignedInstallationPackages,min=12.1"`
	MinDevicePasswordComplexCharacters       *int  `eas:"Provision:MinDevicePasswordComplexCharacters,min=12.1"`
	AllowWiFi                                *bool `eas:"Provision:AllowWiFi,min=12.1"`
	AllowTextMessaging                       *bool `eas:"Provision:AllowTextMessaging,min=12.1"`
	AllowPOPIMAPEmail                        *bool `eas:"Provision:AllowPOPIMAPEmail,min=12.1"`
	AllowBluetooth                           *int  `eas:"Provision:AllowBluetooth,min=12.1"` // 0 no, 1 hands-free only, 2 yes
	AllowIrDA                                *bool `eas:"Provision:AllowIrDA,min=12.1"`
	RequireManualSyncWhenRoaming             *bool `eas:"Provision:RequireManualSyncWhenRoaming,min=12.1"`
	AllowDesktopSync                         *bool `eas:"Provision:AllowDesktopSync,min=12.1"`
	MaxCalendarAgeFilter                     *int  `eas:"Provision:MaxCalendarAgeFilter,min=12.1"`
	AllowHTMLEmail                           *bool `eas:"Provision:AllowHTMLEmail,min=12.1"`
	MaxEmailAgeFilter                        *int  `eas:"Provision:MaxEmailAgeFilter,min=12.1"`
	MaxEmailBodyTruncationSize               *int  `eas:"Provision:MaxEmailBodyTruncationSize,min=12.1"`
	MaxEmailHTMLBodyTruncationSize           *int  `eas:"Provision:MaxEmailHTMLBodyTruncationSize,min=12.1"`
	RequireSignedSMIMEMessages               *bool `eas:"Provision:RequireSignedSMIMEMessages,min=12.1"`
	RequireEncryptedSMIMEMessages            *bool `eas:"Provision:RequireEncryptedSMIMEMessages,min=12.1"`
	RequireSignedSMIMEAlgorithm              *int  `eas:"Provision:RequireSignedSMIMEAlgorithm,min=12.1"`
	RequireEncryptionSMIMEAlgorithm          *int  `eas:"Provision:RequireEncryptionSMIMEAlgorithm,min=12.1"`
	AllowSMIMEEncryptionAlgorithmNegotiation *int  `eas:"Provision:AllowSMIMEEncryptionAlgorithmNegotiation,min=12.1"`
	AllowSMIMESoftCerts                      *bool `eas:"Provision:AllowSMIMESoftCerts,min=12.1"`
	AllowBrowser                             *bool `eas:"Provision:AllowBrowser,min=12.1"`
	AllowConsumerEmail                       *bool `eas:"Provision:AllowConsumerEmail,min=12.1"`
	AllowRemoteDesktop                       *bool `eas:"Provision:AllowRemoteDesktop,min=12.1"`
	AllowInternetSharing                     *bool `eas:"Provision:AllowInternetSharing,min=12.1"`

	UnapprovedInROMApplicationList []string `eas:"Provision:UnapprovedInROMApplicationList>ApplicationName,min=12.1"`
	ApprovedApplicationList        []string `eas:"Provision:ApprovedApplicationList>Hash,min=12.1"`
}

// A ProvisionStatus is the outcome of a Provision.
// See [MS-ASPROV] "Status (Provision)".
type ProvisionStatus int

// The statuses of Provision.
const (
	ProvisionOK          ProvisionStatus = 1
	ProvisionProtocol    ProvisionStatus = 2
	ProvisionServerError ProvisionStatus = 3
)

// A PolicyStatus is the state of one policy.
// See [MS-ASPROV] "Status (Policy)".
type PolicyStatus int

// The statuses of a policy, from the server.
const (
	PolicyOK          PolicyStatus = 1
	PolicyNone        PolicyStatus = 2 // no policy is set for this phone
	PolicyUnknownType PolicyStatus = 3
	PolicyCorrupt     PolicyStatus = 4 // the server's data
	PolicyBadKey      PolicyStatus = 5 // the phone acknowledges a key that it was not given
)

// The statuses of a policy, from the phone.
const (
	PolicyApplied   PolicyStatus = 1
	PolicyPartial   PolicyStatus = 2
	PolicyRefused   PolicyStatus = 3
	PolicyElsewhere PolicyStatus = 4 // the phone is managed by somebody else
)
