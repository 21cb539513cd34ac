// Package tag names the WBXML tags of all ActiveSync code pages, 0 to 25, the obsolete ones of version 2.5 included.
//
// A constant is called after its code page and its element: [AirSyncSyncKey] is
// SyncKey of page 0, AirSync. See [MS-ASWBXML] "Code Pages".
package tag

import "github.com/pushbridge/pushbridge/bridge/wbxml"

// Code page 0, AirSync. See [MS-ASWBXML] "Code Page 0: AirSync".
const (
	AirSyncSync              wbxml.Tag = 0x0005
	AirSyncResponses         wbxml.Tag = 0x0006
	AirSyncAdd               wbxml.Tag = 0x0007
	AirSyncChange            wbxml.Tag = 0x0008
	AirSyncDelete            wbxml.Tag = 0x0009
	AirSyncFetch             wbxml.Tag = 0x000A
	AirSyncSyncKey           wbxml.Tag = 0x000B
	AirSyncClientId          wbxml.Tag = 0x000C
	AirSyncServerId          wbxml.Tag = 0x000D
	AirSyncStatus            wbxml.Tag = 0x000E
	AirSyncCollection        wbxml.Tag = 0x000F
	AirSyncClass             wbxml.Tag = 0x0010
	AirSyncCollectionId      wbxml.Tag = 0x0012
	AirSyncGetChanges        wbxml.Tag = 0x0013
	AirSyncMoreAvailable     wbxml.Tag = 0x0014
	AirSyncWindowSize        wbxml.Tag = 0x0015
	AirSyncCommands          wbxml.Tag = 0x0016
	AirSyncOptions           wbxml.Tag = 0x0017
	AirSyncFilterType        wbxml.Tag = 0x0018
	AirSyncTruncation        wbxml.Tag = 0x0019 // 2.5 or obsolete
	AirSyncConflict          wbxml.Tag = 0x001B
	AirSyncCollections       wbxml.Tag = 0x001C
	AirSyncApplicationData   wbxml.Tag = 0x001D
	AirSyncDeletesAsMoves    wbxml.Tag = 0x001E
	AirSyncNotifyGUID        wbxml.Tag = 0x001F // 2.5 or obsolete
	AirSyncSupported         wbxml.Tag = 0x0020
	AirSyncSoftDelete        wbxml.Tag = 0x0021
	AirSyncMIMESupport       wbxml.Tag = 0x0022
	AirSyncMIMETruncation    wbxml.Tag = 0x0023
	AirSyncWait              wbxml.Tag = 0x0024
	AirSyncLimit             wbxml.Tag = 0x0025
	AirSyncPartial           wbxml.Tag = 0x0026
	AirSyncConversationMode  wbxml.Tag = 0x0027
	AirSyncMaxItems          wbxml.Tag = 0x0028
	AirSyncHeartbeatInterval wbxml.Tag = 0x0029
)

// Code page 1, Contacts. See [MS-ASWBXML] "Code Page 1: Contacts".
const (
	ContactsAnniversary               wbxml.Tag = 0x0105
	ContactsAssistantName             wbxml.Tag = 0x0106
	ContactsAssistantPhoneNumber      wbxml.Tag = 0x0107
	ContactsBirthday                  wbxml.Tag = 0x0108
	ContactsBody                      wbxml.Tag = 0x0109 // 2.5 or obsolete
	ContactsBodySize                  wbxml.Tag = 0x010A // 2.5 or obsolete
	ContactsBodyTruncated             wbxml.Tag = 0x010B // 2.5 or obsolete
	ContactsBusiness2PhoneNumber      wbxml.Tag = 0x010C
	ContactsBusinessAddressCity       wbxml.Tag = 0x010D
	ContactsBusinessAddressCountry    wbxml.Tag = 0x010E
	ContactsBusinessAddressPostalCode wbxml.Tag = 0x010F
	ContactsBusinessAddressState      wbxml.Tag = 0x0110
	ContactsBusinessAddressStreet     wbxml.Tag = 0x0111
	ContactsBusinessFaxNumber         wbxml.Tag = 0x0112
	ContactsBusinessPhoneNumber       wbxml.Tag = 0x0113
	ContactsCarPhoneNumber            wbxml.Tag = 0x0114
	ContactsCategories                wbxml.Tag = 0x0115
	ContactsCategory                  wbxml.Tag = 0x0116
	ContactsChildren                  wbxml.Tag = 0x0117
	ContactsChild                     wbxml.Tag = 0x0118
	ContactsCompanyName               wbxml.Tag = 0x0119
	ContactsDepartment                wbxml.Tag = 0x011A
	ContactsEmail1Address             wbxml.Tag = 0x011B
	ContactsEmail2Address             wbxml.Tag = 0x011C
	ContactsEmail3Address             wbxml.Tag = 0x011D
	ContactsFileAs                    wbxml.Tag = 0x011E
	ContactsFirstName                 wbxml.Tag = 0x011F
	ContactsHome2PhoneNumber          wbxml.Tag = 0x0120
	ContactsHomeAddressCity           wbxml.Tag = 0x0121
	ContactsHomeAddressCountry        wbxml.Tag = 0x0122
	ContactsHomeAddressPostalCode     wbxml.Tag = 0x0123
	ContactsHomeAddressState          wbxml.Tag = 0x0124
	ContactsHomeAddressStreet         wbxml.Tag = 0x0125
	ContactsHomeFaxNumber             wbxml.Tag = 0x0126
	ContactsHomePhoneNumber           wbxml.Tag = 0x0127
	ContactsJobTitle                  wbxml.Tag = 0x0128
	ContactsLastName                  wbxml.Tag = 0x0129
	ContactsMiddleName                wbxml.Tag = 0x012A
	ContactsMobilePhoneNumber         wbxml.Tag = 0x012B
	ContactsOfficeLocation            wbxml.Tag = 0x012C
	ContactsOtherAddressCity          wbxml.Tag = 0x012D
	ContactsOtherAddressCountry       wbxml.Tag = 0x012E
	ContactsOtherAddressPostalCode    wbxml.Tag = 0x012F
	ContactsOtherAddressState         wbxml.Tag = 0x0130
	ContactsOtherAddressStreet        wbxml.Tag = 0x0131
	ContactsPagerNumber               wbxml.Tag = 0x0132
	ContactsRadioPhoneNumber          wbxml.Tag = 0x0133
	ContactsSpouse                    wbxml.Tag = 0x0134
	ContactsSuffix                    wbxml.Tag = 0x0135
	ContactsTitle                     wbxml.Tag = 0x0136
	ContactsWebPage                   wbxml.Tag = 0x0137
	ContactsYomiCompanyName           wbxml.Tag = 0x0138
	ContactsYomiFirstName             wbxml.Tag = 0x0139
	ContactsYomiLastName              wbxml.Tag = 0x013A
	ContactsCompressedRTF             wbxml.Tag = 0x013B // 2.5 or obsolete
	ContactsPicture                   wbxml.Tag = 0x013C
	ContactsAlias                     wbxml.Tag = 0x013D
	ContactsWeightedRank              wbxml.Tag = 0x013E
)

// Code page 2, Email. See [MS-ASWBXML] "Code Page 2: Email".
const (
	EmailAttachment              wbxml.Tag = 0x0205 // 2.5 or obsolete
	EmailAttachments             wbxml.Tag = 0x0206 // 2.5 or obsolete
	EmailAttName                 wbxml.Tag = 0x0207 // 2.5 or obsolete
	EmailAttSize                 wbxml.Tag = 0x0208 // 2.5 or obsolete
	EmailAtt0Id                  wbxml.Tag = 0x0209 // 2.5 or obsolete
	EmailAttMethod               wbxml.Tag = 0x020A // 2.5 or obsolete
	EmailAttRemoved              wbxml.Tag = 0x020B // 2.5 or obsolete
	EmailBody                    wbxml.Tag = 0x020C // 2.5 or obsolete
	EmailBodySize                wbxml.Tag = 0x020D // 2.5 or obsolete
	EmailBodyTruncated           wbxml.Tag = 0x020E // 2.5 or obsolete
	EmailDateReceived            wbxml.Tag = 0x020F
	EmailDisplayName             wbxml.Tag = 0x0210 // 2.5 or obsolete
	EmailDisplayTo               wbxml.Tag = 0x0211
	EmailImportance              wbxml.Tag = 0x0212
	EmailMessageClass            wbxml.Tag = 0x0213
	EmailSubject                 wbxml.Tag = 0x0214
	EmailRead                    wbxml.Tag = 0x0215
	EmailTo                      wbxml.Tag = 0x0216
	EmailCc                      wbxml.Tag = 0x0217
	EmailFrom                    wbxml.Tag = 0x0218
	EmailReplyTo                 wbxml.Tag = 0x0219
	EmailAllDayEvent             wbxml.Tag = 0x021A
	EmailCategories              wbxml.Tag = 0x021B
	EmailCategory                wbxml.Tag = 0x021C
	EmailDtStamp                 wbxml.Tag = 0x021D
	EmailEndTime                 wbxml.Tag = 0x021E
	EmailInstanceType            wbxml.Tag = 0x021F
	EmailBusyStatus              wbxml.Tag = 0x0220
	EmailLocation                wbxml.Tag = 0x0221
	EmailMeetingRequest          wbxml.Tag = 0x0222
	EmailOrganizer               wbxml.Tag = 0x0223
	EmailRecurrenceId            wbxml.Tag = 0x0224
	EmailReminder                wbxml.Tag = 0x0225
	EmailResponseRequested       wbxml.Tag = 0x0226
	EmailRecurrences             wbxml.Tag = 0x0227
	EmailRecurrence              wbxml.Tag = 0x0228
	EmailType                    wbxml.Tag = 0x0229
	EmailUntil                   wbxml.Tag = 0x022A
	EmailOccurrences             wbxml.Tag = 0x022B
	EmailInterval                wbxml.Tag = 0x022C
	EmailDayOfWeek               wbxml.Tag = 0x022D
	EmailDayOfMonth              wbxml.Tag = 0x022E
	EmailWeekOfMonth             wbxml.Tag = 0x022F
	EmailMonthOfYear             wbxml.Tag = 0x0230
	EmailStartTime               wbxml.Tag = 0x0231
	EmailSensitivity             wbxml.Tag = 0x0232
	EmailTimeZone                wbxml.Tag = 0x0233
	EmailGlobalObjId             wbxml.Tag = 0x0234
	EmailThreadTopic             wbxml.Tag = 0x0235
	EmailMIMEData                wbxml.Tag = 0x0236 // 2.5 or obsolete
	EmailMIMETruncated           wbxml.Tag = 0x0237 // 2.5 or obsolete
	EmailMIMESize                wbxml.Tag = 0x0238 // 2.5 or obsolete
	EmailInternetCPID            wbxml.Tag = 0x0239
	EmailFlag                    wbxml.Tag = 0x023A
	EmailStatus                  wbxml.Tag = 0x023B
	EmailContentClass            wbxml.Tag = 0x023C
	EmailFlagType                wbxml.Tag = 0x023D
	EmailCompleteTime            wbxml.Tag = 0x023E
	EmailDisallowNewTimeProposal wbxml.Tag = 0x023F
)

// Code page 4, Calendar. See [MS-ASWBXML] "Code Page 4: Calendar".
const (
	CalendarTimezone                  wbxml.Tag = 0x0405
	CalendarAllDayEvent               wbxml.Tag = 0x0406
	CalendarAttendees                 wbxml.Tag = 0x0407
	CalendarAttendee                  wbxml.Tag = 0x0408
	CalendarEmail                     wbxml.Tag = 0x0409
	CalendarName                      wbxml.Tag = 0x040A
	CalendarBody                      wbxml.Tag = 0x040B // 2.5 or obsolete
	CalendarBodyTruncated             wbxml.Tag = 0x040C // 2.5 or obsolete
	CalendarBusyStatus                wbxml.Tag = 0x040D
	CalendarCategories                wbxml.Tag = 0x040E
	CalendarCategory                  wbxml.Tag = 0x040F
	CalendarCompressedRTF             wbxml.Tag = 0x0410 // 2.5 or obsolete
	CalendarDtStamp                   wbxml.Tag = 0x0411
	CalendarEndTime                   wbxml.Tag = 0x0412
	CalendarException                 wbxml.Tag = 0x0413
	CalendarExceptions                wbxml.Tag = 0x0414
	CalendarDeleted                   wbxml.Tag = 0x0415
	CalendarExceptionStartTime        wbxml.Tag = 0x0416
	CalendarLocation                  wbxml.Tag = 0x0417
	CalendarMeetingStatus             wbxml.Tag = 0x0418
	CalendarOrganizerEmail            wbxml.Tag = 0x0419
	CalendarOrganizerName             wbxml.Tag = 0x041A
	CalendarRecurrence                wbxml.Tag = 0x041B
	CalendarType                      wbxml.Tag = 0x041C
	CalendarUntil                     wbxml.Tag = 0x041D
	CalendarOccurrences               wbxml.Tag = 0x041E
	CalendarInterval                  wbxml.Tag = 0x041F
	CalendarDayOfWeek                 wbxml.Tag = 0x0420
	CalendarDayOfMonth                wbxml.Tag = 0x0421
	CalendarWeekOfMonth               wbxml.Tag = 0x0422
	CalendarMonthOfYear               wbxml.Tag = 0x0423
	CalendarReminder                  wbxml.Tag = 0x0424
	CalendarSensitivity               wbxml.Tag = 0x0425
	CalendarSubject                   wbxml.Tag = 0x0426
	CalendarStartTime                 wbxml.Tag = 0x0427
	CalendarUID                       wbxml.Tag = 0x0428
	CalendarAttendeeStatus            wbxml.Tag = 0x0429
	CalendarAttendeeType              wbxml.Tag = 0x042A
	CalendarAttachment                wbxml.Tag = 0x042B // 2.5 or obsolete
	CalendarAttachments               wbxml.Tag = 0x042C // 2.5 or obsolete
	CalendarAttName                   wbxml.Tag = 0x042D // 2.5 or obsolete
	CalendarAttSize                   wbxml.Tag = 0x042E // 2.5 or obsolete
	CalendarAttOid                    wbxml.Tag = 0x042F // 2.5 or obsolete
	CalendarAttMethod                 wbxml.Tag = 0x0430 // 2.5 or obsolete
	CalendarAttRemoved                wbxml.Tag = 0x0431 // 2.5 or obsolete
	CalendarDisplayName               wbxml.Tag = 0x0432 // 2.5 or obsolete
	CalendarDisallowNewTimeProposal   wbxml.Tag = 0x0433
	CalendarResponseRequested         wbxml.Tag = 0x0434
	CalendarAppointmentReplyTime      wbxml.Tag = 0x0435
	CalendarResponseType              wbxml.Tag = 0x0436
	CalendarCalendarType              wbxml.Tag = 0x0437
	CalendarIsLeapMonth               wbxml.Tag = 0x0438
	CalendarFirstDayOfWeek            wbxml.Tag = 0x0439
	CalendarOnlineMeetingConfLink     wbxml.Tag = 0x043A
	CalendarOnlineMeetingExternalLink wbxml.Tag = 0x043B
	CalendarClientUid                 wbxml.Tag = 0x043C
)

// Code page 5, Move. See [MS-ASWBXML] "Code Page 5: Move".
const (
	MoveMoveItems wbxml.Tag = 0x0505
	MoveMove      wbxml.Tag = 0x0506
	MoveSrcMsgId  wbxml.Tag = 0x0507
	MoveSrcFldId  wbxml.Tag = 0x0508
	MoveDstFldId  wbxml.Tag = 0x0509
	MoveResponse  wbxml.Tag = 0x050A
	MoveStatus    wbxml.Tag = 0x050B
	MoveDstMsgId  wbxml.Tag = 0x050C
)

// Code page 6, GetItemEstimate. See [MS-ASWBXML] "Code Page 6: GetItemEstimate".
const (
	GetItemEstimateGetItemEstimate wbxml.Tag = 0x0605
	GetItemEstimateVersion         wbxml.Tag = 0x0606 // 2.5 or obsolete
	GetItemEstimateCollections     wbxml.Tag = 0x0607
	GetItemEstimateCollection      wbxml.Tag = 0x0608
	GetItemEstimateClass           wbxml.Tag = 0x0609
	GetItemEstimateCollectionId    wbxml.Tag = 0x060A
	GetItemEstimateDateTime        wbxml.Tag = 0x060B // 2.5 or obsolete
	GetItemEstimateEstimate        wbxml.Tag = 0x060C
	GetItemEstimateResponse        wbxml.Tag = 0x060D
	GetItemEstimateStatus          wbxml.Tag = 0x060E
)

// Code page 7, FolderHierarchy. See [MS-ASWBXML] "Code Page 7: FolderHierarchy".
const (
	FolderHierarchyFolders      wbxml.Tag = 0x0705
	FolderHierarchyFolder       wbxml.Tag = 0x0706
	FolderHierarchyDisplayName  wbxml.Tag = 0x0707
	FolderHierarchyServerId     wbxml.Tag = 0x0708
	FolderHierarchyParentId     wbxml.Tag = 0x0709
	FolderHierarchyType         wbxml.Tag = 0x070A
	FolderHierarchyResponse     wbxml.Tag = 0x070B // 2.5 or obsolete
	FolderHierarchyStatus       wbxml.Tag = 0x070C
	FolderHierarchyContentClass wbxml.Tag = 0x070D // 2.5 or obsolete
	FolderHierarchyChanges      wbxml.Tag = 0x070E
	FolderHierarchyAdd          wbxml.Tag = 0x070F
	FolderHierarchyDelete       wbxml.Tag = 0x0710
	FolderHierarchyUpdate       wbxml.Tag = 0x0711
	FolderHierarchySyncKey      wbxml.Tag = 0x0712
	FolderHierarchyFolderCreate wbxml.Tag = 0x0713
	FolderHierarchyFolderDelete wbxml.Tag = 0x0714
	FolderHierarchyFolderUpdate wbxml.Tag = 0x0715
	FolderHierarchyFolderSync   wbxml.Tag = 0x0716
	FolderHierarchyCount        wbxml.Tag = 0x0717
	FolderHierarchyVersion      wbxml.Tag = 0x0718 // 2.5 or obsolete
)

// Code page 8, MeetingResponse. See [MS-ASWBXML] "Code Page 8: MeetingResponse".
const (
	MeetingResponseCalendarId        wbxml.Tag = 0x0805
	MeetingResponseCollectionId      wbxml.Tag = 0x0806
	MeetingResponseMeetingResponse   wbxml.Tag = 0x0807
	MeetingResponseRequestId         wbxml.Tag = 0x0808
	MeetingResponseRequest           wbxml.Tag = 0x0809
	MeetingResponseResult            wbxml.Tag = 0x080A
	MeetingResponseStatus            wbxml.Tag = 0x080B
	MeetingResponseUserResponse      wbxml.Tag = 0x080C
	MeetingResponseVersion           wbxml.Tag = 0x080D // 2.5 or obsolete
	MeetingResponseInstanceId        wbxml.Tag = 0x080E
	MeetingResponseProposedStartTime wbxml.Tag = 0x0810
	MeetingResponseProposedEndTime   wbxml.Tag = 0x0811
	MeetingResponseSendResponse      wbxml.Tag = 0x0812
)

// Code page 9, Tasks. See [MS-ASWBXML] "Code Page 9: Tasks".
const (
	TasksBody           wbxml.Tag = 0x0905 // 2.5 or obsolete
	TasksBodySize       wbxml.Tag = 0x0906 // 2.5 or obsolete
	TasksBodyTruncated  wbxml.Tag = 0x0907 // 2.5 or obsolete
	TasksCategories     wbxml.Tag = 0x0908
	TasksCategory       wbxml.Tag = 0x0909
	TasksComplete       wbxml.Tag = 0x090A
	TasksDateCompleted  wbxml.Tag = 0x090B
	TasksDueDate        wbxml.Tag = 0x090C
	TasksUtcDueDate     wbxml.Tag = 0x090D
	TasksImportance     wbxml.Tag = 0x090E
	TasksRecurrence     wbxml.Tag = 0x090F
	TasksType           wbxml.Tag = 0x0910
	TasksStart          wbxml.Tag = 0x0911
	TasksUntil          wbxml.Tag = 0x0912
	TasksOccurrences    wbxml.Tag = 0x0913
	TasksInterval       wbxml.Tag = 0x0914
	TasksDayOfMonth     wbxml.Tag = 0x0915
	TasksDayOfWeek      wbxml.Tag = 0x0916
	TasksWeekOfMonth    wbxml.Tag = 0x0917
	TasksMonthOfYear    wbxml.Tag = 0x0918
	TasksRegenerate     wbxml.Tag = 0x0919
	TasksDeadOccur      wbxml.Tag = 0x091A
	TasksReminderSet    wbxml.Tag = 0x091B
	TasksReminderTime   wbxml.Tag = 0x091C
	TasksSensitivity    wbxml.Tag = 0x091D
	TasksStartDate      wbxml.Tag = 0x091E
	TasksUtcStartDate   wbxml.Tag = 0x091F
	TasksSubject        wbxml.Tag = 0x0920
	TasksCompressedRTF  wbxml.Tag = 0x0921 // 2.5 or obsolete
	TasksOrdinalDate    wbxml.Tag = 0x0922
	TasksSubOrdinalDate wbxml.Tag = 0x0923
	TasksCalendarType   wbxml.Tag = 0x0924
	TasksIsLeapMonth    wbxml.Tag = 0x0925
	TasksFirstDayOfWeek wbxml.Tag = 0x0926
)

// Code page 10, ResolveRecipients. See [MS-ASWBXML] "Code Page 10: ResolveRecipients".
const (
	ResolveRecipientsResolveRecipients      wbxml.Tag = 0x0A05
	ResolveRecipientsResponse               wbxml.Tag = 0x0A06
	ResolveRecipientsStatus                 wbxml.Tag = 0x0A07
	ResolveRecipientsType                   wbxml.Tag = 0x0A08
	ResolveRecipientsRecipient              wbxml.Tag = 0x0A09
	ResolveRecipientsDisplayName            wbxml.Tag = 0x0A0A
	ResolveRecipientsEmailAddress           wbxml.Tag = 0x0A0B
	ResolveRecipientsCertificates           wbxml.Tag = 0x0A0C
	ResolveRecipientsCertificate            wbxml.Tag = 0x0A0D
	ResolveRecipientsMiniCertificate        wbxml.Tag = 0x0A0E
	ResolveRecipientsOptions                wbxml.Tag = 0x0A0F
	ResolveRecipientsTo                     wbxml.Tag = 0x0A10
	ResolveRecipientsCertificateRetrieval   wbxml.Tag = 0x0A11
	ResolveRecipientsRecipientCount         wbxml.Tag = 0x0A12
	ResolveRecipientsMaxCertificates        wbxml.Tag = 0x0A13
	ResolveRecipientsMaxAmbiguousRecipients wbxml.Tag = 0x0A14
	ResolveRecipientsCertificateCount       wbxml.Tag = 0x0A15
	ResolveRecipientsAvailability           wbxml.Tag = 0x0A16
	ResolveRecipientsStartTime              wbxml.Tag = 0x0A17
	ResolveRecipientsEndTime                wbxml.Tag = 0x0A18
	ResolveRecipientsMergedFreeBusy         wbxml.Tag = 0x0A19
	ResolveRecipientsPicture                wbxml.Tag = 0x0A1A
	ResolveRecipientsMaxSize                wbxml.Tag = 0x0A1B
	ResolveRecipientsData                   wbxml.Tag = 0x0A1C
	ResolveRecipientsMaxPictures            wbxml.Tag = 0x0A1D
)

// Code page 11, ValidateCert. See [MS-ASWBXML] "Code Page 11: ValidateCert".
const (
	ValidateCertValidateCert     wbxml.Tag = 0x0B05
	ValidateCertCertificates     wbxml.Tag = 0x0B06
	ValidateCertCertificate      wbxml.Tag = 0x0B07
	ValidateCertCertificateChain wbxml.Tag = 0x0B08
	ValidateCertCheckCrl         wbxml.Tag = 0x0B09
	ValidateCertStatus           wbxml.Tag = 0x0B0A
)

// Code page 12, Contacts2. See [MS-ASWBXML] "Code Page 12: Contacts2".
const (
	Contacts2CustomerId       wbxml.Tag = 0x0C05
	Contacts2GovernmentId     wbxml.Tag = 0x0C06
	Contacts2IMAddress        wbxml.Tag = 0x0C07
	Contacts2IMAddress2       wbxml.Tag = 0x0C08
	Contacts2IMAddress3       wbxml.Tag = 0x0C09
	Contacts2ManagerName      wbxml.Tag = 0x0C0A
	Contacts2CompanyMainPhone wbxml.Tag = 0x0C0B
	Contacts2AccountName      wbxml.Tag = 0x0C0C
	Contacts2NickName         wbxml.Tag = 0x0C0D
	Contacts2MMS              wbxml.Tag = 0x0C0E
)

// Code page 13, Ping. See [MS-ASWBXML] "Code Page 13: Ping".
const (
	PingPing              wbxml.Tag = 0x0D05
	PingAutdState         wbxml.Tag = 0x0D06 // 2.5 or obsolete
	PingStatus            wbxml.Tag = 0x0D07
	PingHeartbeatInterval wbxml.Tag = 0x0D08
	PingFolders           wbxml.Tag = 0x0D09
	PingFolder            wbxml.Tag = 0x0D0A
	PingId                wbxml.Tag = 0x0D0B
	PingClass             wbxml.Tag = 0x0D0C
	PingMaxFolders        wbxml.Tag = 0x0D0D
)

// Code page 14, Provision. See [MS-ASWBXML] "Code Page 14: Provision".
const (
	ProvisionProvision                                wbxml.Tag = 0x0E05
	ProvisionPolicies                                 wbxml.Tag = 0x0E06
	ProvisionPolicy                                   wbxml.Tag = 0x0E07
	ProvisionPolicyType                               wbxml.Tag = 0x0E08
	ProvisionPolicyKey                                wbxml.Tag = 0x0E09
	ProvisionData                                     wbxml.Tag = 0x0E0A
	ProvisionStatus                                   wbxml.Tag = 0x0E0B
	ProvisionRemoteWipe                               wbxml.Tag = 0x0E0C
	ProvisionEASProvisionDoc                          wbxml.Tag = 0x0E0D
	ProvisionDevicePasswordEnabled                    wbxml.Tag = 0x0E0E
	ProvisionAlphanumericDevicePasswordRequired       wbxml.Tag = 0x0E0F
	ProvisionRequireStorageCardEncryption             wbxml.Tag = 0x0E10
	ProvisionPasswordRecoveryEnabled                  wbxml.Tag = 0x0E11
	ProvisionAttachmentsEnabled                       wbxml.Tag = 0x0E13
	ProvisionMinDevicePasswordLength                  wbxml.Tag = 0x0E14
	ProvisionMaxInactivityTimeDeviceLock              wbxml.Tag = 0x0E15
	ProvisionMaxDevicePasswordFailedAttempts          wbxml.Tag = 0x0E16
	ProvisionMaxAttachmentSize                        wbxml.Tag = 0x0E17
	ProvisionAllowSimpleDevicePassword                wbxml.Tag = 0x0E18
	ProvisionDevicePasswordExpiration                 wbxml.Tag = 0x0E19
	ProvisionDevicePasswordHistory                    wbxml.Tag = 0x0E1A
	ProvisionAllowStorageCard                         wbxml.Tag = 0x0E1B
	ProvisionAllowCamera                              wbxml.Tag = 0x0E1C
	ProvisionRequireDeviceEncryption                  wbxml.Tag = 0x0E1D
	ProvisionAllowUnsignedApplications                wbxml.Tag = 0x0E1E
	ProvisionAllowUnsignedInstallationPackages        wbxml.Tag = 0x0E1F
	ProvisionMinDevicePasswordComplexCharacters       wbxml.Tag = 0x0E20
	ProvisionAllowWiFi                                wbxml.Tag = 0x0E21
	ProvisionAllowTextMessaging                       wbxml.Tag = 0x0E22
	ProvisionAllowPOPIMAPEmail                        wbxml.Tag = 0x0E23
	ProvisionAllowBluetooth                           wbxml.Tag = 0x0E24
	ProvisionAllowIrDA                                wbxml.Tag = 0x0E25
	ProvisionRequireManualSyncWhenRoaming             wbxml.Tag = 0x0E26
	ProvisionAllowDesktopSync                         wbxml.Tag = 0x0E27
	ProvisionMaxCalendarAgeFilter                     wbxml.Tag = 0x0E28
	ProvisionAllowHTMLEmail                           wbxml.Tag = 0x0E29
	ProvisionMaxEmailAgeFilter                        wbxml.Tag = 0x0E2A
	ProvisionMaxEmailBodyTruncationSize               wbxml.Tag = 0x0E2B
	ProvisionMaxEmailHTMLBodyTruncationSize           wbxml.Tag = 0x0E2C
	ProvisionRequireSignedSMIMEMessages               wbxml.Tag = 0x0E2D
	ProvisionRequireEncryptedSMIMEMessages            wbxml.Tag = 0x0E2E
	ProvisionRequireSignedSMIMEAlgorithm              wbxml.Tag = 0x0E2F
	ProvisionRequireEncryptionSMIMEAlgorithm          wbxml.Tag = 0x0E30
	ProvisionAllowSMIMEEncryptionAlgorithmNegotiation wbxml.Tag = 0x0E31
	ProvisionAllowSMIMESoftCerts                      wbxml.Tag = 0x0E32
	ProvisionAllowBrowser                             wbxml.Tag = 0x0E33
	ProvisionAllowConsumerEmail                       wbxml.Tag = 0x0E34
	ProvisionAllowRemoteDesktop                       wbxml.Tag = 0x0E35
	ProvisionAllowInternetSharing                     wbxml.Tag = 0x0E36
	ProvisionUnapprovedInROMApplicationList           wbxml.Tag = 0x0E37
	ProvisionApplicationName                          wbxml.Tag = 0x0E38
	ProvisionApprovedApplicationList                  wbxml.Tag = 0x0E39
	ProvisionHash                                     wbxml.Tag = 0x0E3A
	ProvisionAccountOnlyRemoteWipe                    wbxml.Tag = 0x0E3B
)

// Code page 15, Search. See [MS-ASWBXML] "Code Page 15: Search".
const (
	SearchSearch         wbxml.Tag = 0x0F05
	SearchStore          wbxml.Tag = 0x0F07
	SearchName           wbxml.Tag = 0x0F08
	SearchQuery          wbxml.Tag = 0x0F09
	SearchOptions        wbxml.Tag = 0x0F0A
	SearchRange          wbxml.Tag = 0x0F0B
	SearchStatus         wbxml.Tag = 0x0F0C
	SearchResponse       wbxml.Tag = 0x0F0D
	SearchResult         wbxml.Tag = 0x0F0E
	SearchProperties     wbxml.Tag = 0x0F0F
	SearchTotal          wbxml.Tag = 0x0F10
	SearchEqualTo        wbxml.Tag = 0x0F11
	SearchValue          wbxml.Tag = 0x0F12
	SearchAnd            wbxml.Tag = 0x0F13
	SearchOr             wbxml.Tag = 0x0F14
	SearchFreeText       wbxml.Tag = 0x0F15
	SearchDeepTraversal  wbxml.Tag = 0x0F17
	SearchLongId         wbxml.Tag = 0x0F18
	SearchRebuildResults wbxml.Tag = 0x0F19
	SearchLessThan       wbxml.Tag = 0x0F1A
	SearchGreaterThan    wbxml.Tag = 0x0F1B
	SearchUserName       wbxml.Tag = 0x0F1E
	SearchPassword       wbxml.Tag = 0x0F1F
	SearchConversationId wbxml.Tag = 0x0F20
	SearchPicture        wbxml.Tag = 0x0F21
	SearchMaxSize        wbxml.Tag = 0x0F22
	SearchMaxPictures    wbxml.Tag = 0x0F23
)

// Code page 16, GAL. See [MS-ASWBXML] "Code Page 16: GAL".
const (
	GALDisplayName  wbxml.Tag = 0x1005
	GALPhone        wbxml.Tag = 0x1006
	GALOffice       wbxml.Tag = 0x1007
	GALTitle        wbxml.Tag = 0x1008
	GALCompany      wbxml.Tag = 0x1009
	GALAlias        wbxml.Tag = 0x100A
	GALFirstName    wbxml.Tag = 0x100B
	GALLastName     wbxml.Tag = 0x100C
	GALHomePhone    wbxml.Tag = 0x100D
	GALMobilePhone  wbxml.Tag = 0x100E
	GALEmailAddress wbxml.Tag = 0x100F
	GALPicture      wbxml.Tag = 0x1010
	GALStatus       wbxml.Tag = 0x1011
	GALData         wbxml.Tag = 0x1012
)

// Code page 17, AirSyncBase. See [MS-ASWBXML] "Code Page 17: AirSyncBase".
const (
	AirSyncBaseBodyPreference     wbxml.Tag = 0x1105
	AirSyncBaseType               wbxml.Tag = 0x1106
	AirSyncBaseTruncationSize     wbxml.Tag = 0x1107
	AirSyncBaseAllOrNone          wbxml.Tag = 0x1108
	AirSyncBaseBody               wbxml.Tag = 0x110A
	AirSyncBaseData               wbxml.Tag = 0x110B
	AirSyncBaseEstimatedDataSize  wbxml.Tag = 0x110C
	AirSyncBaseTruncated          wbxml.Tag = 0x110D
	AirSyncBaseAttachments        wbxml.Tag = 0x110E
	AirSyncBaseAttachment         wbxml.Tag = 0x110F
	AirSyncBaseDisplayName        wbxml.Tag = 0x1110
	AirSyncBaseFileReference      wbxml.Tag = 0x1111
	AirSyncBaseMethod             wbxml.Tag = 0x1112
	AirSyncBaseContentId          wbxml.Tag = 0x1113
	AirSyncBaseContentLocation    wbxml.Tag = 0x1114
	AirSyncBaseIsInline           wbxml.Tag = 0x1115
	AirSyncBaseNativeBodyType     wbxml.Tag = 0x1116
	AirSyncBaseContentType        wbxml.Tag = 0x1117
	AirSyncBasePreview            wbxml.Tag = 0x1118
	AirSyncBaseBodyPartPreference wbxml.Tag = 0x1119
	AirSyncBaseBodyPart           wbxml.Tag = 0x111A
	AirSyncBaseStatus             wbxml.Tag = 0x111B
	AirSyncBaseAdd                wbxml.Tag = 0x111C
	AirSyncBaseDelete             wbxml.Tag = 0x111D
	AirSyncBaseClientId           wbxml.Tag = 0x111E
	AirSyncBaseContent            wbxml.Tag = 0x111F
	AirSyncBaseLocation           wbxml.Tag = 0x1120
	AirSyncBaseAnnotation         wbxml.Tag = 0x1121
	AirSyncBaseStreet             wbxml.Tag = 0x1122
	AirSyncBaseCity               wbxml.Tag = 0x1123
	AirSyncBaseState              wbxml.Tag = 0x1124
	AirSyncBaseCountry            wbxml.Tag = 0x1125
	AirSyncBasePostalCode         wbxml.Tag = 0x1126
	AirSyncBaseLatitude           wbxml.Tag = 0x1127
	AirSyncBaseLongitude          wbxml.Tag = 0x1128
	AirSyncBaseAccuracy           wbxml.Tag = 0x1129
	AirSyncBaseAltitude           wbxml.Tag = 0x112A
	AirSyncBaseAltitudeAccuracy   wbxml.Tag = 0x112B
	AirSyncBaseLocationUri        wbxml.Tag = 0x112C
	AirSyncBaseInstanceId         wbxml.Tag = 0x112D
)

// Code page 18, Settings. See [MS-ASWBXML] "Code Page 18: Settings".
const (
	SettingsSettings                    wbxml.Tag = 0x1205
	SettingsStatus                      wbxml.Tag = 0x1206
	SettingsGet                         wbxml.Tag = 0x1207
	SettingsSet                         wbxml.Tag = 0x1208
	SettingsOof                         wbxml.Tag = 0x1209
	SettingsOofState                    wbxml.Tag = 0x120A
	SettingsStartTime                   wbxml.Tag = 0x120B
	SettingsEndTime                     wbxml.Tag = 0x120C
	SettingsOofMessage                  wbxml.Tag = 0x120D
	SettingsAppliesToInternal           wbxml.Tag = 0x120E
	SettingsAppliesToExternalKnown      wbxml.Tag = 0x120F
	SettingsAppliesToExternalUnknown    wbxml.Tag = 0x1210
	SettingsEnabled                     wbxml.Tag = 0x1211
	SettingsReplyMessage                wbxml.Tag = 0x1212
	SettingsBodyType                    wbxml.Tag = 0x1213
	SettingsDevicePassword              wbxml.Tag = 0x1214
	SettingsPassword                    wbxml.Tag = 0x1215
	SettingsDeviceInformation           wbxml.Tag = 0x1216
	SettingsModel                       wbxml.Tag = 0x1217
	SettingsIMEI                        wbxml.Tag = 0x1218
	SettingsFriendlyName                wbxml.Tag = 0x1219
	SettingsOS                          wbxml.Tag = 0x121A
	SettingsOSLanguage                  wbxml.Tag = 0x121B
	SettingsPhoneNumber                 wbxml.Tag = 0x121C
	SettingsUserInformation             wbxml.Tag = 0x121D
	SettingsEmailAddresses              wbxml.Tag = 0x121E
	SettingsSMTPAddress                 wbxml.Tag = 0x121F
	SettingsUserAgent                   wbxml.Tag = 0x1220
	SettingsEnableOutboundSMS           wbxml.Tag = 0x1221
	SettingsMobileOperator              wbxml.Tag = 0x1222
	SettingsPrimarySmtpAddress          wbxml.Tag = 0x1223
	SettingsAccounts                    wbxml.Tag = 0x1224
	SettingsAccount                     wbxml.Tag = 0x1225
	SettingsAccountId                   wbxml.Tag = 0x1226
	SettingsAccountName                 wbxml.Tag = 0x1227
	SettingsUserDisplayName             wbxml.Tag = 0x1228
	SettingsSendDisabled                wbxml.Tag = 0x1229
	SettingsRightsManagementInformation wbxml.Tag = 0x122B
)

// Code page 19, DocumentLibrary. See [MS-ASWBXML] "Code Page 19: DocumentLibrary".
const (
	DocumentLibraryLinkId           wbxml.Tag = 0x1305
	DocumentLibraryDisplayName      wbxml.Tag = 0x1306
	DocumentLibraryIsFolder         wbxml.Tag = 0x1307
	DocumentLibraryCreationDate     wbxml.Tag = 0x1308
	DocumentLibraryLastModifiedDate wbxml.Tag = 0x1309
	DocumentLibraryIsHidden         wbxml.Tag = 0x130A
	DocumentLibraryContentLength    wbxml.Tag = 0x130B
	DocumentLibraryContentType      wbxml.Tag = 0x130C
)

// Code page 20, ItemOperations. See [MS-ASWBXML] "Code Page 20: ItemOperations".
const (
	ItemOperationsItemOperations      wbxml.Tag = 0x1405
	ItemOperationsFetch               wbxml.Tag = 0x1406
	ItemOperationsStore               wbxml.Tag = 0x1407
	ItemOperationsOptions             wbxml.Tag = 0x1408
	ItemOperationsRange               wbxml.Tag = 0x1409
	ItemOperationsTotal               wbxml.Tag = 0x140A
	ItemOperationsProperties          wbxml.Tag = 0x140B
	ItemOperationsData                wbxml.Tag = 0x140C
	ItemOperationsStatus              wbxml.Tag = 0x140D
	ItemOperationsResponse            wbxml.Tag = 0x140E
	ItemOperationsVersion             wbxml.Tag = 0x140F
	ItemOperationsSchema              wbxml.Tag = 0x1410
	ItemOperationsPart                wbxml.Tag = 0x1411
	ItemOperationsEmptyFolderContents wbxml.Tag = 0x1412
	ItemOperationsDeleteSubFolders    wbxml.Tag = 0x1413
	ItemOperationsUserName            wbxml.Tag = 0x1414
	ItemOperationsPassword            wbxml.Tag = 0x1415
	ItemOperationsMove                wbxml.Tag = 0x1416
	ItemOperationsDstFldId            wbxml.Tag = 0x1417
	ItemOperationsConversationId      wbxml.Tag = 0x1418
	ItemOperationsMoveAlways          wbxml.Tag = 0x1419
)

// Code page 21, ComposeMail. See [MS-ASWBXML] "Code Page 21: ComposeMail".
const (
	ComposeMailSendMail        wbxml.Tag = 0x1505
	ComposeMailSmartForward    wbxml.Tag = 0x1506
	ComposeMailSmartReply      wbxml.Tag = 0x1507
	ComposeMailSaveInSentItems wbxml.Tag = 0x1508
	ComposeMailReplaceMime     wbxml.Tag = 0x1509
	ComposeMailSource          wbxml.Tag = 0x150B
	ComposeMailFolderId        wbxml.Tag = 0x150C
	ComposeMailItemId          wbxml.Tag = 0x150D
	ComposeMailLongId          wbxml.Tag = 0x150E
	ComposeMailInstanceId      wbxml.Tag = 0x150F
	ComposeMailMime            wbxml.Tag = 0x1510
	ComposeMailClientId        wbxml.Tag = 0x1511
	ComposeMailStatus          wbxml.Tag = 0x1512
	ComposeMailAccountId       wbxml.Tag = 0x1513
	ComposeMailForwardees      wbxml.Tag = 0x1515
	ComposeMailForwardee       wbxml.Tag = 0x1516
	ComposeMailForwardeeName   wbxml.Tag = 0x1517
	ComposeMailForwardeeEmail  wbxml.Tag = 0x1518
)

// Code page 22, Email2. See [MS-ASWBXML] "Code Page 22: Email2".
const (
	Email2UmCallerID            wbxml.Tag = 0x1605
	Email2UmUserNotes           wbxml.Tag = 0x1606
	Email2UmAttDuration         wbxml.Tag = 0x1607
	Email2UmAttOrder            wbxml.Tag = 0x1608
	Email2ConversationId        wbxml.Tag = 0x1609
	Email2ConversationIndex     wbxml.Tag = 0x160A
	Email2LastVerbExecuted      wbxml.Tag = 0x160B
	Email2LastVerbExecutionTime wbxml.Tag = 0x160C
	Email2ReceivedAsBcc         wbxml.Tag = 0x160D
	Email2Sender                wbxml.Tag = 0x160E
	Email2CalendarType          wbxml.Tag = 0x160F
	Email2IsLeapMonth           wbxml.Tag = 0x1610
	Email2AccountId             wbxml.Tag = 0x1611
	Email2FirstDayOfWeek        wbxml.Tag = 0x1612
	Email2MeetingMessageType    wbxml.Tag = 0x1613
	Email2IsDraft               wbxml.Tag = 0x1615
	Email2Bcc                   wbxml.Tag = 0x1616
	Email2Send                  wbxml.Tag = 0x1617
)

// Code page 23, Notes. See [MS-ASWBXML] "Code Page 23: Notes".
const (
	NotesSubject          wbxml.Tag = 0x1705
	NotesMessageClass     wbxml.Tag = 0x1706
	NotesLastModifiedDate wbxml.Tag = 0x1707
	NotesCategories       wbxml.Tag = 0x1708
	NotesCategory         wbxml.Tag = 0x1709
)

// Code page 24, RightsManagement. See [MS-ASWBXML] "Code Page 24: RightsManagement".
const (
	RightsManagementRightsManagementSupport          wbxml.Tag = 0x1805
	RightsManagementRightsManagementTemplates        wbxml.Tag = 0x1806
	RightsManagementRightsManagementTemplate         wbxml.Tag = 0x1807
	RightsManagementRightsManagementLicense          wbxml.Tag = 0x1808
	RightsManagementEditAllowed                      wbxml.Tag = 0x1809
	RightsManagementReplyAllowed                     wbxml.Tag = 0x180A
	RightsManagementReplyAllAllowed                  wbxml.Tag = 0x180B
	RightsManagementForwardAllowed                   wbxml.Tag = 0x180C
	RightsManagementModifyRecipientsAllowed          wbxml.Tag = 0x180D
	RightsManagementExtractAllowed                   wbxml.Tag = 0x180E
	RightsManagementPrintAllowed                     wbxml.Tag = 0x180F
	RightsManagementExportAllowed                    wbxml.Tag = 0x1810
	RightsManagementProgrammaticAccessAllowed        wbxml.Tag = 0x1811
	RightsManagementOwner                            wbxml.Tag = 0x1812
	RightsManagementContentExpiryDate                wbxml.Tag = 0x1813
	RightsManagementTemplateID                       wbxml.Tag = 0x1814
	RightsManagementTemplateName                     wbxml.Tag = 0x1815
	RightsManagementTemplateDescription              wbxml.Tag = 0x1816
	RightsManagementContentOwner                     wbxml.Tag = 0x1817
	RightsManagementRemoveRightsManagementProtection wbxml.Tag = 0x1818
)

// Code page 25, Find. See [MS-ASWBXML] "Code Page 25: Find".
const (
	FindFind                   wbxml.Tag = 0x1905
	FindSearchId               wbxml.Tag = 0x1906
	FindExecuteSearch          wbxml.Tag = 0x1907
	FindMailBoxSearchCriterion wbxml.Tag = 0x1908
	FindQuery                  wbxml.Tag = 0x1909
	FindStatus                 wbxml.Tag = 0x190A
	FindFreeText               wbxml.Tag = 0x190B
	FindOptions                wbxml.Tag = 0x190C
	FindRange                  wbxml.Tag = 0x190D
	FindDeepTraversal          wbxml.Tag = 0x190E
	FindResponse               wbxml.Tag = 0x1911
	FindResult                 wbxml.Tag = 0x1912
	FindProperties             wbxml.Tag = 0x1913
	FindPreview                wbxml.Tag = 0x1914
	FindHasAttachments         wbxml.Tag = 0x1915
	FindTotal                  wbxml.Tag = 0x1916
	FindDisplayCc              wbxml.Tag = 0x1917
	FindDisplayBcc             wbxml.Tag = 0x1918
	FindGALSearchCriterion     wbxml.Tag = 0x1919
	FindMaxPictures            wbxml.Tag = 0x1920
	FindMaxSize                wbxml.Tag = 0x1921
	FindPicture                wbxml.Tag = 0x1922
)

// namespaces lists the code pages by number; page 3 is unused.
var namespaces = map[uint8]string{
	0:  "AirSync",
	1:  "Contacts",
	2:  "Email",
	4:  "Calendar",
	5:  "Move",
	6:  "GetItemEstimate",
	7:  "FolderHierarchy",
	8:  "MeetingResponse",
	9:  "Tasks",
	10: "ResolveRecipients",
	11: "ValidateCert",
	12: "Contacts2",
	13: "Ping",
	14: "Provision",
	15: "Search",
	16: "GAL",
	17: "AirSyncBase",
	18: "Settings",
	19: "DocumentLibrary",
	20: "ItemOperations",
	21: "ComposeMail",
	22: "Email2",
	23: "Notes",
	24: "RightsManagement",
	25: "Find",
}

// names lists the local names of all tags.
var names = map[wbxml.Tag]string{
	AirSyncSync:                                 "Sync",
	AirSyncResponses:                            "Responses",
	AirSyncAdd:                                  "Add",
	AirSyncChange:                               "Change",
	AirSyncDelete:                               "Delete",
	AirSyncFetch:                                "Fetch",
	AirSyncSyncKey:                              "SyncKey",
	AirSyncClientId:                             "ClientId",
	AirSyncServerId:                             "ServerId",
	AirSyncStatus:                               "Status",
	AirSyncCollection:                           "Collection",
	AirSyncClass:                                "Class",
	AirSyncCollectionId:                         "CollectionId",
	AirSyncGetChanges:                           "GetChanges",
	AirSyncMoreAvailable:                        "MoreAvailable",
	AirSyncWindowSize:                           "WindowSize",
	AirSyncCommands:                             "Commands",
	AirSyncOptions:                              "Options",
	AirSyncFilterType:                           "FilterType",
	AirSyncTruncation:                           "Truncation",
	AirSyncConflict:                             "Conflict",
	AirSyncCollections:                          "Collections",
	AirSyncApplicationData:                      "ApplicationData",
	AirSyncDeletesAsMoves:                       "DeletesAsMoves",
	AirSyncNotifyGUID:                           "NotifyGUID",
	AirSyncSupported:                            "Supported",
	AirSyncSoftDelete:                           "SoftDelete",
	AirSyncMIMESupport:                          "MIMESupport",
	AirSyncMIMETruncation:                       "MIMETruncation",
	AirSyncWait:                                 "Wait",
	AirSyncLimit:                                "Limit",
	AirSyncPartial:                              "Partial",
	AirSyncConversationMode:                     "ConversationMode",
	AirSyncMaxItems:                             "MaxItems",
	AirSyncHeartbeatInterval:                    "HeartbeatInterval",
	ContactsAnniversary:                         "Anniversary",
	ContactsAssistantName:                       "AssistantName",
	ContactsAssistantPhoneNumber:                "AssistantPhoneNumber",
	ContactsBirthday:                            "Birthday",
	ContactsBody:                                "Body",
	ContactsBodySize:                            "BodySize",
	ContactsBodyTruncated:                       "BodyTruncated",
	ContactsBusiness2PhoneNumber:                "Business2PhoneNumber",
	ContactsBusinessAddressCity:                 "BusinessAddressCity",
	ContactsBusinessAddressCountry:              "BusinessAddressCountry",
	ContactsBusinessAddressPostalCode:           "BusinessAddressPostalCode",
	ContactsBusinessAddressState:                "BusinessAddressState",
	ContactsBusinessAddressStreet:               "BusinessAddressStreet",
	ContactsBusinessFaxNumber:                   "BusinessFaxNumber",
	ContactsBusinessPhoneNumber:                 "BusinessPhoneNumber",
	ContactsCarPhoneNumber:                      "CarPhoneNumber",
	ContactsCategories:                          "Categories",
	ContactsCategory:                            "Category",
	ContactsChildren:                            "Children",
	ContactsChild:                               "Child",
	ContactsCompanyName:                         "CompanyName",
	ContactsDepartment:                          "Department",
	ContactsEmail1Address:                       "Email1Address",
	ContactsEmail2Address:                       "Email2Address",
	ContactsEmail3Address:                       "Email3Address",
	ContactsFileAs:                              "FileAs",
	ContactsFirstName:                           "FirstName",
	ContactsHome2PhoneNumber:                    "Home2PhoneNumber",
	ContactsHomeAddressCity:                     "HomeAddressCity",
	ContactsHomeAddressCountry:                  "HomeAddressCountry",
	ContactsHomeAddressPostalCode:               "HomeAddressPostalCode",
	ContactsHomeAddressState:                    "HomeAddressState",
	ContactsHomeAddressStreet:                   "HomeAddressStreet",
	ContactsHomeFaxNumber:                       "HomeFaxNumber",
	ContactsHomePhoneNumber:                     "HomePhoneNumber",
	ContactsJobTitle:                            "JobTitle",
	ContactsLastName:                            "LastName",
	ContactsMiddleName:                          "MiddleName",
	ContactsMobilePhoneNumber:                   "MobilePhoneNumber",
	ContactsOfficeLocation:                      "OfficeLocation",
	ContactsOtherAddressCity:                    "OtherAddressCity",
	ContactsOtherAddressCountry:                 "OtherAddressCountry",
	ContactsOtherAddressPostalCode:              "OtherAddressPostalCode",
	ContactsOtherAddressState:                   "OtherAddressState",
	ContactsOtherAddressStreet:                  "OtherAddressStreet",
	ContactsPagerNumber:                         "PagerNumber",
	ContactsRadioPhoneNumber:                    "RadioPhoneNumber",
	ContactsSpouse:                              "Spouse",
	ContactsSuffix:                              "Suffix",
	ContactsTitle:                               "Title",
	ContactsWebPage:                             "WebPage",
	ContactsYomiCompanyName:                     "YomiCompanyName",
	ContactsYomiFirstName:                       "YomiFirstName",
	ContactsYomiLastName:                        "YomiLastName",
	ContactsCompressedRTF:                       "CompressedRTF",
	ContactsPicture:                             "Picture",
	ContactsAlias:                               "Alias",
	ContactsWeightedRank:                        "WeightedRank",
	EmailAttachment:                             "Attachment",
	EmailAttachments:                            "Attachments",
	EmailAttName:                                "AttName",
	EmailAttSize:                                "AttSize",
	EmailAtt0Id:                                 "Att0Id",
	EmailAttMethod:                              "AttMethod",
	EmailAttRemoved:                             "AttRemoved",
	EmailBody:                                   "Body",
	EmailBodySize:                               "BodySize",
	EmailBodyTruncated:                          "BodyTruncated",
	EmailDateReceived:                           "DateReceived",
	EmailDisplayName:                            "DisplayName",
	EmailDisplayTo:                              "DisplayTo",
	EmailImportance:                             "Importance",
	EmailMessageClass:                           "MessageClass",
	EmailSubject:                                "Subject",
	EmailRead:                                   "Read",
	EmailTo:                                     "To",
	EmailCc:                                     "Cc",
	EmailFrom:                                   "From",
	EmailReplyTo:                                "ReplyTo",
	EmailAllDayEvent:                            "AllDayEvent",
	EmailCategories:                             "Categories",
	EmailCategory:                               "Category",
	EmailDtStamp:                                "DtStamp",
	EmailEndTime:                                "EndTime",
	EmailInstanceType:                           "InstanceType",
	EmailBusyStatus:                             "BusyStatus",
	EmailLocation:                               "Location",
	EmailMeetingRequest:                         "MeetingRequest",
	EmailOrganizer:                              "Organizer",
	EmailRecurrenceId:                           "RecurrenceId",
	EmailReminder:                               "Reminder",
	EmailResponseRequested:                      "ResponseRequested",
	EmailRecurrences:                            "Recurrences",
	EmailRecurrence:                             "Recurrence",
	EmailType:                                   "Type",
	EmailUntil:                                  "Until",
	EmailOccurrences:                            "Occurrences",
	EmailInterval:                               "Interval",
	EmailDayOfWeek:                              "DayOfWeek",
	EmailDayOfMonth:                             "DayOfMonth",
	EmailWeekOfMonth:                            "WeekOfMonth",
	EmailMonthOfYear:                            "MonthOfYear",
	EmailStartTime:                              "StartTime",
	EmailSensitivity:                            "Sensitivity",
	EmailTimeZone:                               "TimeZone",
	EmailGlobalObjId:                            "GlobalObjId",
	EmailThreadTopic:                            "ThreadTopic",
	EmailMIMEData:                               "MIMEData",
	EmailMIMETruncated:                          "MIMETruncated",
	EmailMIMESize:                               "MIMESize",
	EmailInternetCPID:                           "InternetCPID",
	EmailFlag:                                   "Flag",
	EmailStatus:                                 "Status",
	EmailContentClass:                           "ContentClass",
	EmailFlagType:                               "FlagType",
	EmailCompleteTime:                           "CompleteTime",
	EmailDisallowNewTimeProposal:                "DisallowNewTimeProposal",
	CalendarTimezone:                            "Timezone",
	CalendarAllDayEvent:                         "AllDayEvent",
	CalendarAttendees:                           "Attendees",
	CalendarAttendee:                            "Attendee",
	CalendarEmail:                               "Email",
	CalendarName:                                "Name",
	CalendarBody:                                "Body",
	CalendarBodyTruncated:                       "BodyTruncated",
	CalendarBusyStatus:                          "BusyStatus",
	CalendarCategories:                          "Categories",
	CalendarCategory:                            "Category",
	CalendarCompressedRTF:                       "CompressedRTF",
	CalendarDtStamp:                             "DtStamp",
	CalendarEndTime:                             "EndTime",
	CalendarException:                           "Exception",
	CalendarExceptions:                          "Exceptions",
	CalendarDeleted:                             "Deleted",
	CalendarExceptionStartTime:                  "ExceptionStartTime",
	CalendarLocation:                            "Location",
	CalendarMeetingStatus:                       "MeetingStatus",
	CalendarOrganizerEmail:                      "OrganizerEmail",
	CalendarOrganizerName:                       "OrganizerName",
	CalendarRecurrence:                          "Recurrence",
	CalendarType:                                "Type",
	CalendarUntil:                               "Until",
	CalendarOccurrences:                         "Occurrences",
	CalendarInterval:                            "Interval",
	CalendarDayOfWeek:                           "DayOfWeek",
	CalendarDayOfMonth:                          "DayOfMonth",
	CalendarWeekOfMonth:                         "WeekOfMonth",
	CalendarMonthOfYear:                         "MonthOfYear",
	CalendarReminder:                            "Reminder",
	CalendarSensitivity:                         "Sensitivity",
	CalendarSubject:                             "Subject",
	CalendarStartTime:                           "StartTime",
	CalendarUID:                                 "UID",
	CalendarAttendeeStatus:                      "AttendeeStatus",
	CalendarAttendeeType:                        "AttendeeType",
	CalendarAttachment:                          "Attachment",
	CalendarAttachments:                         "Attachments",
	CalendarAttName:                             "AttName",
	CalendarAttSize:                             "AttSize",
	CalendarAttOid:                              "AttOid",
	CalendarAttMethod:                           "AttMethod",
	CalendarAttRemoved:                          "AttRemoved",
	CalendarDisplayName:                         "DisplayName",
	CalendarDisallowNewTimeProposal:             "DisallowNewTimeProposal",
	CalendarResponseRequested:                   "ResponseRequested",
	CalendarAppointmentReplyTime:                "AppointmentReplyTime",
	CalendarResponseType:                        "ResponseType",
	CalendarCalendarType:                        "CalendarType",
	CalendarIsLeapMonth:                         "IsLeapMonth",
	CalendarFirstDayOfWeek:                      "FirstDayOfWeek",
	CalendarOnlineMeetingConfLink:               "OnlineMeetingConfLink",
	CalendarOnlineMeetingExternalLink:           "OnlineMeetingExternalLink",
	CalendarClientUid:                           "ClientUid",
	MoveMoveItems:                               "MoveItems",
	MoveMove:                                    "Move",
	MoveSrcMsgId:                                "SrcMsgId",
	MoveSrcFldId:                                "SrcFldId",
	MoveDstFldId:                                "DstFldId",
	MoveResponse:                                "Response",
	MoveStatus:                                  "Status",
	MoveDstMsgId:                                "DstMsgId",
	GetItemEstimateGetItemEstimate:              "GetItemEstimate",
	GetItemEstimateVersion:                      "Version",
	GetItemEstimateCollections:                  "Collections",
	GetItemEstimateCollection:                   "Collection",
	GetItemEstimateClass:                        "Class",
	GetItemEstimateCollectionId:                 "CollectionId",
	GetItemEstimateDateTime:                     "DateTime",
	GetItemEstimateEstimate:                     "Estimate",
	GetItemEstimateResponse:                     "Response",
	GetItemEstimateStatus:                       "Status",
	FolderHierarchyFolders:                      "Folders",
	FolderHierarchyFolder:                       "Folder",
	FolderHierarchyDisplayName:                  "DisplayName",
	FolderHierarchyServerId:                     "ServerId",
	FolderHierarchyParentId:                     "ParentId",
	FolderHierarchyType:                         "Type",
	FolderHierarchyResponse:                     "Response",
	FolderHierarchyStatus:                       "Status",
	FolderHierarchyContentClass:                 "ContentClass",
	FolderHierarchyChanges:                      "Changes",
	FolderHierarchyAdd:                          "Add",
	FolderHierarchyDelete:                       "Delete",
	FolderHierarchyUpdate:                       "Update",
	FolderHierarchySyncKey:                      "SyncKey",
	FolderHierarchyFolderCreate:                 "FolderCreate",
	FolderHierarchyFolderDelete:                 "FolderDelete",
	FolderHierarchyFolderUpdate:                 "FolderUpdate",
	FolderHierarchyFolderSync:                   "FolderSync",
	FolderHierarchyCount:                        "Count",
	FolderHierarchyVersion:                      "Version",
	MeetingResponseCalendarId:                   "CalendarId",
	MeetingResponseCollectionId:                 "CollectionId",
	MeetingResponseMeetingResponse:              "MeetingResponse",
	MeetingResponseRequestId:                    "RequestId",
	MeetingResponseRequest:                      "Request",
	MeetingResponseResult:                       "Result",
	MeetingResponseStatus:                       "Status",
	MeetingResponseUserResponse:                 "UserResponse",
	MeetingResponseVersion:                      "Version",
	MeetingResponseInstanceId:                   "InstanceId",
	MeetingResponseProposedStartTime:            "ProposedStartTime",
	MeetingResponseProposedEndTime:              "ProposedEndTime",
	MeetingResponseSendResponse:                 "SendResponse",
	TasksBody:                                   "Body",
	TasksBodySize:                               "BodySize",
	TasksBodyTruncated:                          "BodyTruncated",
	TasksCategories:                             "Categories",
	TasksCategory:                               "Category",
	TasksComplete:                               "Complete",
	TasksDateCompleted:                          "DateCompleted",
	TasksDueDate:                                "DueDate",
	TasksUtcDueDate:                             "UtcDueDate",
	TasksImportance:                             "Importance",
	TasksRecurrence:                             "Recurrence",
	TasksType:                                   "Type",
	TasksStart:                                  "Start",
	TasksUntil:                                  "Until",
	TasksOccurrences:                            "Occurrences",
	TasksInterval:                               "Interval",
	TasksDayOfMonth:                             "DayOfMonth",
	TasksDayOfWeek:                              "DayOfWeek",
	TasksWeekOfMonth:                            "WeekOfMonth",
	TasksMonthOfYear:                            "MonthOfYear",
	TasksRegenerate:                             "Regenerate",
	TasksDeadOccur:                              "DeadOccur",
	TasksReminderSet:                            "ReminderSet",
	TasksReminderTime:                           "ReminderTime",
	TasksSensitivity:                            "Sensitivity",
	TasksStartDate:                              "StartDate",
	TasksUtcStartDate:                           "UtcStartDate",
	TasksSubject:                                "Subject",
	TasksCompressedRTF:                          "CompressedRTF",
	TasksOrdinalDate:                            "OrdinalDate",
	TasksSubOrdinalDate:                         "SubOrdinalDate",
	TasksCalendarType:                           "CalendarType",
	TasksIsLeapMonth:                            "IsLeapMonth",
	TasksFirstDayOfWeek:                         "FirstDayOfWeek",
	ResolveRecipientsResolveRecipients:          "ResolveRecipients",
	ResolveRecipientsResponse:                   "Response",
	ResolveRecipientsStatus:                     "Status",
	ResolveRecipientsType:                       "Type",
	ResolveRecipientsRecipient:                  "Recipient",
	ResolveRecipientsDisplayName:                "DisplayName",
	ResolveRecipientsEmailAddress:               "EmailAddress",
	ResolveRecipientsCertificates:               "Certificates",
	ResolveRecipientsCertificate:                "Certificate",
	ResolveRecipientsMiniCertificate:            "MiniCertificate",
	ResolveRecipientsOptions:                    "Options",
	ResolveRecipientsTo:                         "To",
	ResolveRecipientsCertificateRetrieval:       "CertificateRetrieval",
	ResolveRecipientsRecipientCount:             "RecipientCount",
	ResolveRecipientsMaxCertificates:            "MaxCertificates",
	ResolveRecipientsMaxAmbiguousRecipients:     "MaxAmbiguousRecipients",
	ResolveRecipientsCertificateCount:           "CertificateCount",
	ResolveRecipientsAvailability:               "Availability",
	ResolveRecipientsStartTime:                  "StartTime",
	ResolveRecipientsEndTime:                    "EndTime",
	ResolveRecipientsMergedFreeBusy:             "MergedFreeBusy",
	ResolveRecipientsPicture:                    "Picture",
	ResolveRecipientsMaxSize:                    "MaxSize",
	ResolveRecipientsData:                       "Data",
	ResolveRecipientsMaxPictures:                "MaxPictures",
	ValidateCertValidateCert:                    "ValidateCert",
	ValidateCertCertificates:                    "Certificates",
	ValidateCertCertificate:                     "Certificate",
	ValidateCertCertificateChain:                "CertificateChain",
	ValidateCertCheckCrl:                        "CheckCrl",
	ValidateCertStatus:                          "Status",
	Contacts2CustomerId:                         "CustomerId",
	Contacts2GovernmentId:                       "GovernmentId",
	Contacts2IMAddress:                          "IMAddress",
	Contacts2IMAddress2:                         "IMAddress2",
	Contacts2IMAddress3:                         "IMAddress3",
	Contacts2ManagerName:                        "ManagerName",
	Contacts2CompanyMainPhone:                   "CompanyMainPhone",
	Contacts2AccountName:                        "AccountName",
	Contacts2NickName:                           "NickName",
	Contacts2MMS:                                "MMS",
	PingPing:                                    "Ping",
	PingAutdState:                               "AutdState",
	PingStatus:                                  "Status",
	PingHeartbeatInterval:                       "HeartbeatInterval",
	PingFolders:                                 "Folders",
	PingFolder:                                  "Folder",
	PingId:                                      "Id",
	PingClass:                                   "Class",
	PingMaxFolders:                              "MaxFolders",
	ProvisionProvision:                          "Provision",
	ProvisionPolicies:                           "Policies",
	ProvisionPolicy:                             "Policy",
	ProvisionPolicyType:                         "PolicyType",
	ProvisionPolicyKey:                          "PolicyKey",
	ProvisionData:                               "Data",
	ProvisionStatus:                             "Status",
	ProvisionRemoteWipe:                         "RemoteWipe",
	ProvisionEASProvisionDoc:                    "EASProvisionDoc",
	ProvisionDevicePasswordEnabled:              "DevicePasswordEnabled",
	ProvisionAlphanumericDevicePasswordRequired: "AlphanumericDevicePasswordRequired",
	ProvisionRequireStorageCardEncryption:       "RequireStorageCardEncryption",
	ProvisionPasswordRecoveryEnabled:            "PasswordRecoveryEnabled",
	ProvisionAttachmentsEnabled:                 "AttachmentsEnabled",
	ProvisionMinDevicePasswordLength:            "MinDevicePasswordLength",
	ProvisionMaxInactivityTimeDeviceLock:        "MaxInactivityTimeDeviceLock",
	ProvisionMaxDevicePasswordFailedAttempts:    "MaxDevicePasswordFailedAttempts",
	ProvisionMaxAttachmentSize:                  "MaxAttachmentSize",
	ProvisionAllowSimpleDevicePassword:          "AllowSimpleDevicePassword",
	ProvisionDevicePasswordExpiration:           "DevicePasswordExpiration",
	ProvisionDevicePasswordHistory:              "DevicePasswordHistory",
	ProvisionAllowStorageCard:                   "AllowStorageCard",
	ProvisionAllowCamera:                        "AllowCamera",
	ProvisionRequireDeviceEncryption:            "RequireDeviceEncryption",
	ProvisionAllowUnsignedApplications:          "AllowUnsignedApplications",
	ProvisionAllowUnsignedInstallationPackages:  "AllowUnsignedInstallationPackages",
	ProvisionMinDevicePasswordComplexCharacters: "MinDevicePasswordComplexCharacters",
	ProvisionAllowWiFi:                          "AllowWiFi",
	ProvisionAllowTextMessaging:                 "AllowTextMessaging",
	ProvisionAllowPOPIMAPEmail:                  "AllowPOPIMAPEmail",
	ProvisionAllowBluetooth:                     "AllowBluetooth",
	ProvisionAllowIrDA:                          "AllowIrDA",
	ProvisionRequireManualSyncWhenRoaming:       "RequireManualSyncWhenRoaming",
	ProvisionAllowDesktopSync:                   "AllowDesktopSync",
	ProvisionMaxCalendarAgeFilter:               "MaxCalendarAgeFilter",
	ProvisionAllowHTMLEmail:                     "AllowHTMLEmail",
	ProvisionMaxEmailAgeFilter:                  "MaxEmailAgeFilter",
	ProvisionMaxEmailBodyTruncationSize:         "MaxEmailBodyTruncationSize",
	ProvisionMaxEmailHTMLBodyTruncationSize:     "MaxEmailHTMLBodyTruncationSize",
	ProvisionRequireSignedSMIMEMessages:         "RequireSignedSMIMEMessages",
	ProvisionRequireEncryptedSMIMEMessages:      "RequireEncryptedSMIMEMessages",
	ProvisionRequireSignedSMIMEAlgorithm:        "RequireSignedSMIMEAlgorithm",
	ProvisionRequireEncryptionSMIMEAlgorithm:    "RequireEncryptionSMIMEAlgorithm",
	ProvisionAllowSMIMEEncryptionAlgorithmNegotiation: "AllowSMIMEEncryptionAlgorithmNegotiation",
	ProvisionAllowSMIMESoftCerts:                      "AllowSMIMESoftCerts",
	ProvisionAllowBrowser:                             "AllowBrowser",
	ProvisionAllowConsumerEmail:                       "AllowConsumerEmail",
	ProvisionAllowRemoteDesktop:                       "AllowRemoteDesktop",
	ProvisionAllowInternetSharing:                     "AllowInternetSharing",
	ProvisionUnapprovedInROMApplicationList:           "UnapprovedInROMApplicationList",
	ProvisionApplicationName:                          "ApplicationName",
	ProvisionApprovedApplicationList:                  "ApprovedApplicationList",
	ProvisionHash:                                     "Hash",
	ProvisionAccountOnlyRemoteWipe:                    "AccountOnlyRemoteWipe",
	SearchSearch:                                      "Search",
	SearchStore:                                       "Store",
	SearchName:                                        "Name",
	SearchQuery:                                       "Query",
	SearchOptions:                                     "Options",
	SearchRange:                                       "Range",
	SearchStatus:                                      "Status",
	SearchResponse:                                    "Response",
	SearchResult:                                      "Result",
	SearchProperties:                                  "Properties",
	SearchTotal:                                       "Total",
	SearchEqualTo:                                     "EqualTo",
	SearchValue:                                       "Value",
	SearchAnd:                                         "And",
	SearchOr:                                          "Or",
	SearchFreeText:                                    "FreeText",
	SearchDeepTraversal:                               "DeepTraversal",
	SearchLongId:                                      "LongId",
	SearchRebuildResults:                              "RebuildResults",
	SearchLessThan:                                    "LessThan",
	SearchGreaterThan:                                 "GreaterThan",
	SearchUserName:                                    "UserName",
	SearchPassword:                                    "Password",
	SearchConversationId:                              "ConversationId",
	SearchPicture:                                     "Picture",
	SearchMaxSize:                                     "MaxSize",
	SearchMaxPictures:                                 "MaxPictures",
	GALDisplayName:                                    "DisplayName",
	GALPhone:                                          "Phone",
	GALOffice:                                         "Office",
	GALTitle:                                          "Title",
	GALCompany:                                        "Company",
	GALAlias:                                          "Alias",
	GALFirstName:                                      "FirstName",
	GALLastName:                                       "LastName",
	GALHomePhone:                                      "HomePhone",
	GALMobilePhone:                                    "MobilePhone",
	GALEmailAddress:                                   "EmailAddress",
	GALPicture:                                        "Picture",
	GALStatus:                                         "Status",
	GALData:                                           "Data",
	AirSyncBaseBodyPreference:                         "BodyPreference",
	AirSyncBaseType:                                   "Type",
	AirSyncBaseTruncationSize:                         "TruncationSize",
	AirSyncBaseAllOrNone:                              "AllOrNone",
	AirSyncBaseBody:                                   "Body",
	AirSyncBaseData:                                   "Data",
	AirSyncBaseEstimatedDataSize:                      "EstimatedDataSize",
	AirSyncBaseTruncated:                              "Truncated",
	AirSyncBaseAttachments:                            "Attachments",
	AirSyncBaseAttachment:                             "Attachment",
	AirSyncBaseDisplayName:                            "DisplayName",
	AirSyncBaseFileReference:                          "FileReference",
	AirSyncBaseMethod:                                 "Method",
	AirSyncBaseContentId:                              "ContentId",
	AirSyncBaseContentLocation:                        "ContentLocation",
	AirSyncBaseIsInline:                               "IsInline",
	AirSyncBaseNativeBodyType:                         "NativeBodyType",
	AirSyncBaseContentType:                            "ContentType",
	AirSyncBasePreview:                                "Preview",
	AirSyncBaseBodyPartPreference:                     "BodyPartPreference",
	AirSyncBaseBodyPart:                               "BodyPart",
	AirSyncBaseStatus:                                 "Status",
	AirSyncBaseAdd:                                    "Add",
	AirSyncBaseDelete:                                 "Delete",
	AirSyncBaseClientId:                               "ClientId",
	AirSyncBaseContent:                                "Content",
	AirSyncBaseLocation:                               "Location",
	AirSyncBaseAnnotation:                             "Annotation",
	AirSyncBaseStreet:                                 "Street",
	AirSyncBaseCity:                                   "City",
	AirSyncBaseState:                                  "State",
	AirSyncBaseCountry:                                "Country",
	AirSyncBasePostalCode:                             "PostalCode",
	AirSyncBaseLatitude:                               "Latitude",
	AirSyncBaseLongitude:                              "Longitude",
	AirSyncBaseAccuracy:                               "Accuracy",
	AirSyncBaseAltitude:                               "Altitude",
	AirSyncBaseAltitudeAccuracy:                       "AltitudeAccuracy",
	AirSyncBaseLocationUri:                            "LocationUri",
	AirSyncBaseInstanceId:                             "InstanceId",
	SettingsSettings:                                  "Settings",
	SettingsStatus:                                    "Status",
	SettingsGet:                                       "Get",
	SettingsSet:                                       "Set",
	SettingsOof:                                       "Oof",
	SettingsOofState:                                  "OofState",
	SettingsStartTime:                                 "StartTime",
	SettingsEndTime:                                   "EndTime",
	SettingsOofMessage:                                "OofMessage",
	SettingsAppliesToInternal:                         "AppliesToInternal",
	SettingsAppliesToExternalKnown:                    "AppliesToExternalKnown",
	SettingsAppliesToExternalUnknown:                  "AppliesToExternalUnknown",
	SettingsEnabled:                                   "Enabled",
	SettingsReplyMessage:                              "ReplyMessage",
	SettingsBodyType:                                  "BodyType",
	SettingsDevicePassword:                            "DevicePassword",
	SettingsPassword:                                  "Password",
	SettingsDeviceInformation:                         "DeviceInformation",
	SettingsModel:                                     "Model",
	SettingsIMEI:                                      "IMEI",
	SettingsFriendlyName:                              "FriendlyName",
	SettingsOS:                                        "OS",
	SettingsOSLanguage:                                "OSLanguage",
	SettingsPhoneNumber:                               "PhoneNumber",
	SettingsUserInformation:                           "UserInformation",
	SettingsEmailAddresses:                            "EmailAddresses",
	SettingsSMTPAddress:                               "SMTPAddress",
	SettingsUserAgent:                                 "UserAgent",
	SettingsEnableOutboundSMS:                         "EnableOutboundSMS",
	SettingsMobileOperator:                            "MobileOperator",
	SettingsPrimarySmtpAddress:                        "PrimarySmtpAddress",
	SettingsAccounts:                                  "Accounts",
	SettingsAccount:                                   "Account",
	SettingsAccountId:                                 "AccountId",
	SettingsAccountName:                               "AccountName",
	SettingsUserDisplayName:                           "UserDisplayName",
	SettingsSendDisabled:                              "SendDisabled",
	SettingsRightsManagementInformation:               "RightsManagementInformation",
	DocumentLibraryLinkId:                             "LinkId",
	DocumentLibraryDisplayName:                        "DisplayName",
	DocumentLibraryIsFolder:                           "IsFolder",
	DocumentLibraryCreationDate:                       "CreationDate",
	DocumentLibraryLastModifiedDate:                   "LastModifiedDate",
	DocumentLibraryIsHidden:                           "IsHidden",
	DocumentLibraryContentLength:                      "ContentLength",
	DocumentLibraryContentType:                        "ContentType",
	ItemOperationsItemOperations:                      "ItemOperations",
	ItemOperationsFetch:                               "Fetch",
	ItemOperationsStore:                               "Store",
	ItemOperationsOptions:                             "Options",
	ItemOperationsRange:                               "Range",
	ItemOperationsTotal:                               "Total",
	ItemOperationsProperties:                          "Properties",
	ItemOperationsData:                                "Data",
	ItemOperationsStatus:                              "Status",
	ItemOperationsResponse:                            "Response",
	ItemOperationsVersion:                             "Version",
	ItemOperationsSchema:                              "Schema",
	ItemOperationsPart:                                "Part",
	ItemOperationsEmptyFolderContents:                 "EmptyFolderContents",
	ItemOperationsDeleteSubFolders:                    "DeleteSubFolders",
	ItemOperationsUserName:                            "UserName",
	ItemOperationsPassword:                            "Password",
	ItemOperationsMove:                                "Move",
	ItemOperationsDstFldId:                            "DstFldId",
	ItemOperationsConversationId:                      "ConversationId",
	ItemOperationsMoveAlways:                          "MoveAlways",
	ComposeMailSendMail:                               "SendMail",
	ComposeMailSmartForward:                           "SmartForward",
	ComposeMailSmartReply:                             "SmartReply",
	ComposeMailSaveInSentItems:                        "SaveInSentItems",
	ComposeMailReplaceMime:                            "ReplaceMime",
	ComposeMailSource:                                 "Source",
	ComposeMailFolderId:                               "FolderId",
	ComposeMailItemId:                                 "ItemId",
	ComposeMailLongId:                                 "LongId",
	ComposeMailInstanceId:                             "InstanceId",
	ComposeMailMime:                                   "Mime",
	ComposeMailClientId:                               "ClientId",
	ComposeMailStatus:                                 "Status",
	ComposeMailAccountId:                              "AccountId",
	ComposeMailForwardees:                             "Forwardees",
	ComposeMailForwardee:                              "Forwardee",
	ComposeMailForwardeeName:                          "ForwardeeName",
	ComposeMailForwardeeEmail:                         "ForwardeeEmail",
	Email2UmCallerID:                                  "UmCallerID",
	Email2UmUserNotes:                                 "UmUserNotes",
	Email2UmAttDuration:                               "UmAttDuration",
	Email2UmAttOrder:                                  "UmAttOrder",
	Email2ConversationId:                              "ConversationId",
	Email2ConversationIndex:                           "ConversationIndex",
	Email2LastVerbExecuted:                            "LastVerbExecuted",
	Email2LastVerbExecutionTime:                       "LastVerbExecutionTime",
	Email2ReceivedAsBcc:                               "ReceivedAsBcc",
	Email2Sender:                                      "Sender",
	Email2CalendarType:                                "CalendarType",
	Email2IsLeapMonth:                                 "IsLeapMonth",
	Email2AccountId:                                   "AccountId",
	Email2FirstDayOfWeek:                              "FirstDayOfWeek",
	Email2MeetingMessageType:                          "MeetingMessageType",
	Email2IsDraft:                                     "IsDraft",
	Email2Bcc:                                         "Bcc",
	Email2Send:                                        "Send",
	NotesSubject:                                      "Subject",
	NotesMessageClass:                                 "MessageClass",
	NotesLastModifiedDate:                             "LastModifiedDate",
	NotesCategories:                                   "Categories",
	NotesCategory:                                     "Category",
	RightsManagementRightsManagementSupport:           "RightsManagementSupport",
	RightsManagementRightsManagementTemplates:         "RightsManagementTemplates",
	RightsManagementRightsManagementTemplate:          "RightsManagementTemplate",
	RightsManagementRightsManagementLicense:           "RightsManagementLicense",
	RightsManagementEditAllowed:                       "EditAllowed",
	RightsManagementReplyAllowed:                      "ReplyAllowed",
	RightsManagementReplyAllAllowed:                   "ReplyAllAllowed",
	RightsManagementForwardAllowed:                    "ForwardAllowed",
	RightsManagementModifyRecipientsAllowed:           "ModifyRecipientsAllowed",
	RightsManagementExtractAllowed:                    "ExtractAllowed",
	RightsManagementPrintAllowed:                      "PrintAllowed",
	RightsManagementExportAllowed:                     "ExportAllowed",
	RightsManagementProgrammaticAccessAllowed:         "ProgrammaticAccessAllowed",
	RightsManagementOwner:                             "Owner",
	RightsManagementContentExpiryDate:                 "ContentExpiryDate",
	RightsManagementTemplateID:                        "TemplateID",
	RightsManagementTemplateName:                      "TemplateName",
	RightsManagementTemplateDescription:               "TemplateDescription",
	RightsManagementContentOwner:                      "ContentOwner",
	RightsManagementRemoveRightsManagementProtection: "RemoveRightsManagementProtection",
	FindFind:                   "Find",
	FindSearchId:               "SearchId",
	FindExecuteSearch:          "ExecuteSearch",
	FindMailBoxSearchCriterion: "MailBoxSearchCriterion",
	FindQuery:                  "Query",
	FindStatus:                 "Status",
	FindFreeText:               "FreeText",
	FindOptions:                "Options",
	FindRange:                  "Range",
	FindDeepTraversal:          "DeepTraversal",
	FindResponse:               "Response",
	FindResult:                 "Result",
	FindProperties:             "Properties",
	FindPreview:                "Preview",
	FindHasAttachments:         "HasAttachments",
	FindTotal:                  "Total",
	FindDisplayCc:              "DisplayCc",
	FindDisplayBcc:             "DisplayBcc",
	FindGALSearchCriterion:     "GALSearchCriterion",
	FindMaxPictures:            "MaxPictures",
	FindMaxSize:                "MaxSize",
	FindPicture:                "Picture",
}
