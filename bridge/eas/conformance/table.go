package conformance

import "maps"

// Why something is open or not applicable, where several things have one
// reason.
const (
	noDocuments   = "there is no document library"
	noRights      = "there is no rights management; the list of templates is empty"
	notYet        = "not answered yet"
	noQuota       = "no backend tells us of a quota; a store that is full refuses what is written, which is told per item"
	noDirectory   = "there is no Active Directory"
	exchangeMoves = "concerns mailboxes that move between versions of Exchange"
	httpInstead   = "a server that does not answer is HTTP status 503 with Retry-After, which every version knows"
)

// outcomes is what becomes of each requirement, except where a test says it of
// itself by Shows.
var outcomes = joined(ofCommands, ofMessages, ofStatuses, ofCommon, ofOthers, ofPeople)

// joined makes one table of several; a name may stand in one of them only.
func joined(tables ...map[string]Outcome) map[string]Outcome {
	all := make(map[string]Outcome)
	for _, t := range tables {
		for name := range t {
			if _, twice := all[name]; twice {
				panic("conformance: " + name + " stands in the table twice")
			}
		}
		maps.Copy(all, t)
	}
	return all
}

var ofCommands = map[string]Outcome{
	"command Sync":            tested("easserver.TestFirstSync", "easserver.TestBothWays", "easserver.TestMutations"),
	"command FolderSync":      tested("easserver.TestFolderSyncKeys", "easserver.TestHierarchyChanges"),
	"command GetItemEstimate": tested("easserver.TestGetItemEstimate"),
	"command ItemOperations":  tested("easserver.TestItemOperationsFetch", "easserver.TestFilesOfEvents"),
	"command MeetingResponse": tested("easserver.TestMeetingResponse", "easserver.TestInvitationByMail"),
	"command Ping":            tested("easserver.TestPing", "easserver.TestPingRemembersItsParts"),
	"command Provision":       tested("easserver.TestPhasesOfProvisioning"),
	"command Settings":        tested("easserver.TestSettings"),
	"command GetHierarchy":    notApplicable("of 2.5, and for mail alone; FolderSync does the same in every version"),
	"command FolderCreate":    tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"command FolderDelete":    tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"command FolderUpdate":    tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"command MoveItems":       tested("easserver.TestMoveItems", "easserver.TestMoveStatuses"),
}

var ofMessages = map[string]Outcome{
	"FolderCreateRequest":  tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderCreateResponse": tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderUpdateRequest":  tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderUpdateResponse": tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderDeleteRequest":  tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderDeleteResponse": tested("easserver.TestFolderEdits", "easserver.TestFolderStatuses"),
	"FolderSyncRequest":    tested("easserver.TestFolderSyncKeys"),
	"FolderSyncResponse":   tested("easserver.TestFolderSyncKeys"),
	"FolderChanges":        tested("easserver.TestFolderSyncKeys", "easserver.TestHierarchyChanges"),
	"Folder":               tested("easserver.TestFolderSyncKeys"),
	"FolderRef":            tested("easserver.TestHierarchyChanges"),

	"GetItemEstimateRequest":  tested("easserver.TestGetItemEstimate"),
	"EstimateCollection":      tested("easserver.TestGetItemEstimate", "easserver.TestGetItemEstimateForOddFolders"),
	"GetItemEstimateResponse": tested("easserver.TestGetItemEstimate"),
	"Estimate":                tested("easserver.TestGetItemEstimate"),
	"EstimateResult":          tested("easserver.TestGetItemEstimate"),

	"ItemOperationsRequest":  tested("easserver.TestItemOperationsFetch"),
	"FetchRequest":           tested("easserver.TestItemOperationsFetch", "easserver.TestFilesOfEvents"),
	"FetchOptions":           tested("easserver.TestItemOperationsFetch", "easserver.TestFilesOfEvents"),
	"EmptyFolder":            tested("easserver.TestEmptyFolderContents"),
	"EmptyFolderOptions":     tested("easserver.TestEmptyFolderContents"),
	"ConversationMove":       different("what comes later to a conversation stays where it is delivered", "easserver.TestConversationIsMoved"),
	"ItemOperationsResponse": tested("easserver.TestItemOperationsFetch"),
	"ItemOperationResults":   tested("easserver.TestItemOperationsFetch"),
	"MoveResult":             tested("easserver.TestConversationIsMoved", "easserver.TestItemOperationsThatAreNotForUs"),
	"EmptyFolderResult":      tested("easserver.TestItemOperationsThatAreNotForUs"),
	"FetchResult":            tested("easserver.TestItemOperationsFetch", "easserver.TestItemOperationsInParts"),

	"MeetingResponseRequest":  tested("easserver.TestMeetingResponse"),
	"MeetingAnswer":           different("LongId is status 2: it names a message", "easserver.TestMeetingResponse", "easserver.TestMeetingResponseStatuses", "easserver.TestMeetingResponseToAnOccurrence"),
	"SendResponse":            different("the calendar server mails, where it schedules; the text of the answer is not passed on there", "easserver.TestMeetingResponseThatIsMailed", "easserver.TestAnotherTimeIsProposed"),
	"MeetingResponseResponse": tested("easserver.TestMeetingResponse"),
	"MeetingResult":           tested("easserver.TestMeetingResponse", "easserver.TestMeetingResponseToAnOccurrence"),

	"MoveItemsRequest":  tested("easserver.TestMoveItems", "easserver.TestMoveStatuses"),
	"ItemMove":          tested("easserver.TestMoveItems", "easserver.TestMoveStatuses"),
	"MoveItemsResponse": tested("easserver.TestMoveItems", "easserver.TestMoveStatuses"),
	"MoveOutcome":       tested("easserver.TestMoveItems", "easserver.TestMoveStatuses"),

	"PingRequest":  tested("easserver.TestPing", "easserver.TestPingRemembersItsParts"),
	"PingFolder":   tested("easserver.TestPing"),
	"PingResponse": tested("easserver.TestPing", "easserver.TestBadInput"),

	"ProvisionRequest":  tested("easserver.TestPhasesOfProvisioning"),
	"ProvisionResponse": tested("easserver.TestPhasesOfProvisioning"),
	"Policy":            tested("easserver.TestPhasesOfProvisioning", "easserver.TestAcknowledgements"),
	"PolicyData":        tested("easserver.TestPhasesOfProvisioning"),

	"SettingsRequest":       tested("easserver.TestSettings"),
	"InformationRequest":    tested("easserver.TestSettings", "easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"DeviceInformation":     tested("easserver.TestSettings", "device.TestWhatPhonesSayIsBounded"),
	"DevicePassword":        open("there is no safe place for it yet: status 4"),
	"OofRequest":            tested("easserver.TestSettings", "easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"OofGet":                tested("easserver.TestSettings"),
	"Oof":                   different("no message can be set: nobody here answers mail, and it is said to be off", "easserver.TestSettings", "easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"SettingsResponse":      tested("easserver.TestSettings"),
	"SettingsResult":        tested("easserver.TestSettings"),
	"OofResult":             tested("easserver.TestSettings"),
	"UserInformationResult": tested("easserver.TestSettings", "easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"UserInformation":       tested("easserver.TestSettings", "easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"Account":               tested("easserver.TestSettings"),
	"EmailAddresses":        tested("easserver.TestSettings"),
	"RightsResult":          tested("easserver.TestSettingsOfSomebodyWithoutAnAddress"),
	"RightsGet":             different(noRights, "easserver.TestSettingsOfSomebodyWithoutAnAddress"),

	"SyncRequest":        tested("easserver.TestSeveralFoldersInOneSync", "easserver.TestEmptyAndPartialSync", "easserver.TestHangingSync"),
	"SyncCollection":     tested("easserver.TestMalformedCollections", "easserver.TestFolderNamedByItsClass", "easserver.TestWindows"),
	"SyncOptions":        tested("easserver.TestFilterType", "easserver.TestConflict", "easserver.TestTruncation", "easserver.TestOptionsStick"),
	"BodyPreference":     tested("easserver.TestTruncation", "easserver.TestOddRequests"),
	"BodyPartPreference": tested("mail.TestBodyPart"),
	"SyncCommand":        tested("easserver.TestBothWays", "easserver.TestChangeOfOneOccurrence", "easserver.TestDeleteWithInstanceId"),
	"SyncResponse":       tested("easserver.TestNoChangesIsAnEmptyAnswer", "easserver.TestBoundsOfWaiting"),
	"SyncResult":         tested("easserver.TestFirstSync", "easserver.TestWindows"),
	"SyncOutcome":        tested("easserver.TestStatusesOfCommands", "easserver.TestPhoneAddsFiles"),
}

var ofOthers = map[string]Outcome{
	"User":                 tested("account.TestRule", "account.TestRuleOfABackend"),
	"OPTIONS":              tested("easserver.TestWire", "easserver.TestProfileOfVersions"),
	"plain query":          tested("eas.TestParseQuery", "easserver.TestRequestsThatNameNothingKnown"),
	"base64 query":         tested("eas.TestParseQuery", "eas.TestQueriesThatCannotBeRead", "easserver.TestWire"),
	"MS-ASProtocolVersion": tested("easserver.TestRequestsThatNameNothingKnown"),
	"MS-ASAcceptMultiPart": tested("easserver.TestItemOperationsInParts", "easserver.TestFilesInParts"),
	"gzip":                 tested("easserver.TestWire", "easserver.TestProfileOfCompression"),
	"empty answer":         tested("easserver.TestNoChangesIsAnEmptyAnswer", "easserver.TestWire"),
	"HTTP 400":             tested("easserver.TestBadInput", "easserver.TestRequestsThatNameNothingKnown"),
	"HTTP 401":             tested("easserver.TestWrongPassword", "easserver.TestWrongPasswords"),
	"HTTP 403":             tested("easserver.TestAcknowledgements"),
	"HTTP 456":             different("a person whom an administrator switched off is status 126, or HTTP status 403; what a backend refuses is 401, for none says that an account is blocked", "easserver.TestAdmissionOfPhones"),
	"HTTP 457":             notApplicable("no backend says that a password has expired"),
	"HTTP 449":             tested("easserver.TestPhasesOfProvisioning"),
	"HTTP 501":             tested("easserver.TestBadInput"),
	"HTTP 503":             tested("easserver.TestBackendDown", "easserver.TestFullDisk"),
	"parallel requests":    tested("easserver.TestTwinsGetOneAnswer", "easserver.TestNewerPingReplacesOlder"),
	"mobilesync":           tested("autodiscover.TestXML", "autodiscover.TestAnswersFollowTheSchema"),
	"Autodiscover errors":  tested("autodiscover.TestXML"),
	"Autodiscover JSON":    tested("autodiscover.TestJSON"),
	"Autodiscover login":   tested("autodiscover.TestXML"),
	"two phases":           tested("easserver.TestPhasesOfProvisioning", "device.TestProvisioning"),
	"policy key":           tested("easserver.TestPhasesOfProvisioning", "easserver.TestPolicyKeyThatIsNotSent"),
}
