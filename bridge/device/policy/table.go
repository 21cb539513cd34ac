package policy

import (
	"math"

	"github.com/pushbridge/pushbridge/bridge/eas"
)

// A Kind is what a setting's value is.
type Kind int

// The kinds.
const (
	Switch Kind = iota + 1 // bool
	Number                 // int
	List                   // []string
)

// A Setting is one thing that a policy can ask.
type Setting struct {
	Name    string // in configurations and documents
	Element string // of EASProvisionDoc
	Since   eas.Version
	Kind    Kind

	// Least and Most bound a number, and each of a list's texts in bytes.
	Least, Most int

	// Neutral is what asks nothing of the phone: a bool or an int, eas.Unset for
	// an element without content, or nil where the element is left out. Most
	// elements are always sent, because old phones take a missing one for a rule
	// that they do not know.
	Neutral any

	// Needs names a switch without which phones ignore the setting, and the value
	// it has to have.
	Needs string
	Must  bool

	Does string // for a person who chooses a value
}

const (
	password = "device_password_enabled"

	// maxNumber is what the elements of type unsignedInt hold on every phone.
	maxNumber = math.MaxInt32

	// maxEntries bounds a list of applications, and maxEntry each of its entries
	// in bytes: a policy is sent to every phone as one document.
	maxEntries = 500
	maxEntry   = 255
)

// Settings are all of them, in the order of the schema. See [MS-ASPROV]
// "EASProvisionDoc" and the section that each element has.
var Settings = []Setting{
	{Name: password, Element: "DevicePasswordEnabled", Since: eas.V120, Kind: Switch, Neutral: false,
		Does: "the phone has to be locked by a password"},
	{Name: "alphanumeric_device_password_required", Element: "AlphanumericDevicePasswordRequired", Since: eas.V120, Kind: Switch, Neutral: false, Needs: password, Must: true,
		Does: "the password has letters and digits"},
	{Name: "password_recovery_enabled", Element: "PasswordRecoveryEnabled", Since: eas.V120, Kind: Switch, Neutral: false, Needs: password, Must: true,
		Does: "the phone hands in a recovery password"},
	{Name: "require_storage_card_encryption", Element: "RequireStorageCardEncryption", Since: eas.V120, Kind: Switch, Neutral: false,
		Does: "the storage card is encrypted"},
	{Name: "attachments_enabled", Element: "AttachmentsEnabled", Since: eas.V120, Kind: Switch, Neutral: true,
		Does: "attachments may be loaded"},
	{Name: "min_device_password_length", Element: "MinDevicePasswordLength", Since: eas.V120, Kind: Number, Least: 1, Most: 16, Neutral: eas.Unset, Needs: password, Must: true,
		Does: "characters that the password has at least"},
	{Name: "max_inactivity_time_device_lock", Element: "MaxInactivityTimeDeviceLock", Since: eas.V120, Kind: Number, Least: 1, Most: 9998, Neutral: eas.Unset, Needs: password, Must: true,
		Does: "seconds without use after which the phone locks itself"},
	{Name: "max_device_password_failed_attempts", Element: "MaxDevicePasswordFailedAttempts", Since: eas.V120, Kind: Number, Least: 4, Most: 16, Neutral: eas.Unset, Needs: password, Must: true,
		Does: "wrong passwords after which the phone erases itself"},
	{Name: "max_attachment_size", Element: "MaxAttachmentSize", Since: eas.V120, Kind: Number, Least: 0, Most: maxNumber, Neutral: eas.Unset, Needs: "attachments_enabled", Must: true,
		Does: "bytes of an attachment that may be loaded"},
	{Name: "allow_simple_device_password", Element: "AllowSimpleDevicePassword", Since: eas.V120, Kind: Switch, Neutral: true, Needs: password, Must: true,
		Does: "passwords such as 1111 and 1234 are taken"},
	{Name: "device_password_expiration", Element: "DevicePasswordExpiration", Since: eas.V120, Kind: Number, Least: 1, Most: 730, Neutral: eas.Unset, Needs: password, Must: true,
		Does: "days after which a new password has to be chosen"},
	{Name: "device_password_history", Element: "DevicePasswordHistory", Since: eas.V120, Kind: Number, Least: 0, Most: 50, Neutral: 0, Needs: password, Must: true,
		Does: "earlier passwords that are not taken again"},
	{Name: "allow_storage_card", Element: "AllowStorageCard", Since: eas.V121, Kind: Switch, Neutral: true, Does: "storage cards work"},
	{Name: "allow_camera", Element: "AllowCamera", Since: eas.V121, Kind: Switch, Neutral: true, Does: "the camera works"},
	{Name: "require_device_encryption", Element: "RequireDeviceEncryption", Since: eas.V121, Kind: Switch, Neutral: false, Does: "the phone is encrypted"},
	{Name: "allow_unsigned_applications", Element: "AllowUnsignedApplications", Since: eas.V121, Kind: Switch, Neutral: true, Does: "applications without a signature run"},
	{Name: "allow_unsigned_installation_packages", Element: "AllowUnsignedInstallationPackages", Since: eas.V121, Kind: Switch, Neutral: true, Does: "packages without a signature can be installed"},
	{Name: "min_device_password_complex_characters", Element: "MinDevicePasswordComplexCharacters", Since: eas.V121, Kind: Number, Least: 1, Most: 4, Neutral: 1, Needs: "alphanumeric_device_password_required", Must: true,
		Does: "kinds of characters (small and capital letters, digits, others) in the password"},
	{Name: "allow_wifi", Element: "AllowWiFi", Since: eas.V121, Kind: Switch, Neutral: true, Does: "Wi-Fi works"},
	{Name: "allow_text_messaging", Element: "AllowTextMessaging", Since: eas.V121, Kind: Switch, Neutral: true, Does: "text messages work"},
	{Name: "allow_pop_imap_email", Element: "AllowPOPIMAPEmail", Since: eas.V121, Kind: Switch, Neutral: true, Does: "POP and IMAP accounts work"},
	{Name: "allow_bluetooth", Element: "AllowBluetooth", Since: eas.V121, Kind: Number, Least: 0, Most: 2, Neutral: 2, Does: "Bluetooth: 0 off, 1 hands-free sets only, 2 on"},
	{Name: "allow_irda", Element: "AllowIrDA", Since: eas.V121, Kind: Switch, Neutral: true, Does: "infrared works"},
	{Name: "require_manual_sync_when_roaming", Element: "RequireManualSyncWhenRoaming", Since: eas.V121, Kind: Switch, Neutral: false, Does: "abroad, the phone synchronizes only when told to"},
	{Name: "allow_desktop_sync", Element: "AllowDesktopSync", Since: eas.V121, Kind: Switch, Neutral: true, Does: "the phone may synchronize with a computer"},
	{Name: "max_calendar_age_filter", Element: "MaxCalendarAgeFilter", Since: eas.V121, Kind: Number, Least: 0, Most: 7, Neutral: 0, Does: "how old events may be: 0 any, 4 two weeks, 5 a month, 6 three months, 7 half a year"},
	{Name: "allow_html_email", Element: "AllowHTMLEmail", Since: eas.V121, Kind: Switch, Neutral: true, Does: "mail is shown as HTML"},
	{Name: "max_email_age_filter", Element: "MaxEmailAgeFilter", Since: eas.V121, Kind: Number, Least: 0, Most: 5, Neutral: 0, Does: "how old mail may be: 0 any, 1 a day, 2 three days, 3 a week, 4 two weeks, 5 a month"},
	{Name: "max_email_body_truncation_size", Element: "MaxEmailBodyTruncationSize", Since: eas.V121, Kind: Number, Least: -1, Most: maxNumber, Neutral: -1, Does: "bytes of a text mail that are loaded at first; -1 all"},
	{Name: "max_email_html_body_truncation_size", Element: "MaxEmailHTMLBodyTruncationSize", Since: eas.V121, Kind: Number, Least: -1, Most: maxNumber, Neutral: -1, Needs: "allow_html_email", Must: true,
		Does: "bytes of an HTML mail that are loaded at first; -1 all"},
	{Name: "require_signed_smime_messages", Element: "RequireSignedSMIMEMessages", Since: eas.V121, Kind: Switch, Neutral: false, Does: "mail is signed"},
	{Name: "require_encrypted_smime_messages", Element: "RequireEncryptedSMIMEMessages", Since: eas.V121, Kind: Switch, Neutral: false, Does: "mail is encrypted"},
	{Name: "require_signed_smime_algorithm", Element: "RequireSignedSMIMEAlgorithm", Since: eas.V121, Kind: Number, Least: 0, Most: 1, Does: "how mail is signed: 0 SHA-1, 1 MD5"},
	{Name: "require_encryption_smime_algorithm", Element: "RequireEncryptionSMIMEAlgorithm", Since: eas.V121, Kind: Number, Least: 0, Most: 4, Does: "how mail is encrypted: 0 Triple-DES, 1 DES, 2, 3 and 4 RC2 of 128, 64 and 40 bits"},
	{Name: "allow_smime_encryption_algorithm_negotiation", Element: "AllowSMIMEEncryptionAlgorithmNegotiation", Since: eas.V121, Kind: Number, Least: 0, Most: 2, Does: "another algorithm may be used: 0 none, 1 a strong one, 2 any"},
	{Name: "allow_smime_soft_certs", Element: "AllowSMIMESoftCerts", Since: eas.V121, Kind: Switch, Neutral: true, Does: "certificates may lie in files"},
	{Name: "allow_browser", Element: "AllowBrowser", Since: eas.V121, Kind: Switch, Neutral: true, Does: "the browser works"},
	{Name: "allow_consumer_email", Element: "AllowConsumerEmail", Since: eas.V121, Kind: Switch, Neutral: true, Does: "private mail accounts work"},
	{Name: "allow_remote_desktop", Element: "AllowRemoteDesktop", Since: eas.V121, Kind: Switch, Neutral: true, Does: "remote desktops work"},
	{Name: "allow_internet_sharing", Element: "AllowInternetSharing", Since: eas.V121, Kind: Switch, Neutral: true, Does: "the phone may share its connection"},
	{Name: "unapproved_in_rom_application_list", Element: "UnapprovedInROMApplicationList", Since: eas.V121, Kind: List, Least: 1, Most: maxEntry, Does: "built-in applications that may not run"},
	{Name: "approved_application_list", Element: "ApprovedApplicationList", Since: eas.V121, Kind: List, Least: 1, Most: maxEntry, Does: "SHA-1 hashes of the only applications that may be installed"},
}

// Find answers the setting of a name.
func Find(name string) (Setting, bool) {
	if i := index(name); i < len(Settings) {
		return Settings[i], true
	}
	return Setting{}, false
}

var byName = func() map[string]int {
	m := make(map[string]int, len(Settings))
	for i, s := range Settings {
		m[s.Name] = i
	}
	return m
}()

// index is where a setting stands in Settings; behind the last one if it does
// not.
func index(name string) int {
	if i, ok := byName[name]; ok {
		return i
	}
	return len(Settings)
}
