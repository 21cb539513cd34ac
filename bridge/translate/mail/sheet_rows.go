package mail

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

var bodyRows = concat(
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseBody, Since: eas.V120, Stored: "the text"}),
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseType, Since: eas.V120, Remark: "1, 2, 3, and 4 as MIMESupport says; in drafts 1 and 2, others are refused with status 6"}),
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseData, Since: eas.V120, Stored: "the text", Remark: "at most 1 MB, but for Type 4"}),
	[]fidelity.Row{
		{Tag: tag.AirSyncBaseEstimatedDataSize, Way: fidelity.Shown, Since: eas.V120, Remark: "of the whole text in that form, or of the file"},
		{Tag: tag.AirSyncBaseTruncated, Way: fidelity.Shown, Since: eas.V120, Remark: "cut between characters, never inside a tag"},
		{Tag: tag.AirSyncBasePreview, Way: fidelity.Shown, Since: eas.V140, Remark: "where the phone wants one and does not get the text in plain"},
		{Tag: tag.AirSyncBaseNativeBodyType, Way: fidelity.Shown, Since: eas.V120, Stored: "Content-Type", Remark: "2 if any of the text is HTML, else 1"},
		{Tag: tag.AirSyncBaseBodyPart, Way: fidelity.Shown, Since: eas.V141, Stored: "the text", Remark: "without what programs quote of earlier messages, as far as it is known by their marks"},
		{Tag: tag.AirSyncBaseStatus, Way: fidelity.Shown, Since: eas.V141, Remark: "of BodyPart, always 1"},
		{Tag: tag.EmailBody, Way: fidelity.Shown, Until: eas.V25, Stored: "the text"},
		{Tag: tag.EmailBodySize, Way: fidelity.Shown, Until: eas.V25, Stored: "the text"},
		{Tag: tag.EmailBodyTruncated, Way: fidelity.Shown, Until: eas.V25, Stored: "the text"},
		{Tag: tag.EmailMIMEData, Way: fidelity.Shown, Until: eas.V25, Stored: "the message", Remark: "in place of Body, as MIMESupport says"},
		{Tag: tag.EmailMIMESize, Way: fidelity.Shown, Until: eas.V25, Stored: "the message"},
		{Tag: tag.EmailMIMETruncated, Way: fidelity.Shown, Until: eas.V25, Stored: "the message"},
	},
)

var fileRows = concat(
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseAttachments, Since: eas.V120, Stored: "parts", Remark: "at most 500 are shown; those that stay in a draft stay as they are"}),
	[]fidelity.Row{
		{Tag: tag.AirSyncBaseAttachment, Way: fidelity.Shown, Since: eas.V120, Stored: "parts"},
		{Tag: tag.AirSyncBaseFileReference, Way: fidelity.Shown, Since: eas.V120, Remark: "the item, and the part's number as IMAP has it"},
		{Tag: tag.AirSyncBaseMethod, Way: fidelity.Shown, Since: eas.V120, Remark: "1, or 5 for a message in the message"},
		{Tag: tag.AirSyncBaseContentLocation, Way: fidelity.Shown, Since: eas.V120, Stored: "Content-Location"},
		{Tag: tag.AirSyncBaseAdd, Way: fidelity.Taken, Since: sent16, Stored: "parts", Remark: "at most 200 files in a draft"},
		{Tag: tag.AirSyncBaseDelete, Way: fidelity.Taken, Since: sent16, Stored: "parts"},
		{Tag: tag.AirSyncBaseClientId, Way: fidelity.Taken, Since: sent16, Remark: "answered with the FileReference"},
		{Tag: tag.AirSyncBaseContent, Way: fidelity.Taken, Since: sent16, Stored: "parts", Remark: "in base64"},
		{Tag: tag.AirSyncBaseContentType, Way: fidelity.Taken, Since: sent16, Stored: "Content-Type"},
		{Tag: tag.EmailAttachments, Way: fidelity.Shown, Until: eas.V25, Stored: "parts"},
		{Tag: tag.EmailAttachment, Way: fidelity.Shown, Until: eas.V25, Stored: "parts"},
		{Tag: tag.EmailAttName, Way: fidelity.Shown, Until: eas.V25, Remark: "what GetAttachment asks for"},
		{Tag: tag.EmailAttSize, Way: fidelity.Shown, Until: eas.V25, Stored: "parts"},
		{Tag: tag.EmailAttMethod, Way: fidelity.Shown, Until: eas.V25, Stored: "parts"},
		{Tag: tag.EmailDisplayName, Way: fidelity.Shown, Until: eas.V25, Stored: "Content-Disposition;filename"},
		{Tag: tag.EmailAtt0Id, Way: fidelity.Foreign, Until: eas.V25, Remark: "the schema of an Attachment does not have it"},
		{Tag: tag.EmailAttRemoved, Way: fidelity.Foreign, Until: eas.V25, Remark: "no file is removed"},
		{Tag: tag.Email2UmAttDuration, Way: fidelity.Shown, Since: eas.V140, Stored: "X-VoiceMessageDuration"},
		{Tag: tag.Email2UmAttOrder, Way: fidelity.Shown, Since: eas.V140, Stored: "X-AttachmentOrder"},
	},
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseDisplayName, Since: eas.V120, Stored: "Content-Disposition;filename", Remark: "else Content-Type;name, else a name by the type; without directories"}),
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseContentId, Since: eas.V120, Stored: "Content-ID"}),
	ofDrafts(fidelity.Row{Tag: tag.AirSyncBaseIsInline, Since: eas.V120, Stored: "Content-Disposition"}),
)

// meetingRows are those of MeetingRequest, which only servers send.
var meetingRows = shownOf("text/calendar", []fidelity.Row{
	{Tag: tag.EmailMeetingRequest, Remark: "of invitations and cancellations; from 16.1 on of answers that propose another time or pass the invitation on, too; an event that cannot be read leaves a message like any other"},
	{Tag: tag.EmailAllDayEvent, Stored: "DTSTART"},
	{Tag: tag.EmailStartTime, Stored: "DTSTART", Remark: "of another time that is proposed X-MS-OLK-ORIGINALSTART; without that the proposed one"},
	{Tag: tag.EmailEndTime, Stored: "DTEND", Remark: "likewise X-MS-OLK-ORIGINALEND"},
	{Tag: tag.EmailDtStamp, Stored: "DTSTAMP"},
	{Tag: tag.EmailInstanceType, Remark: "0, 1 for a series, 3 for one occurrence of it"},
	{Tag: tag.EmailLocation, Until: eas.V141, Stored: "LOCATION"},
	{Tag: tag.AirSyncBaseLocation, Since: sent16, Stored: "LOCATION", Remark: "with what the Calendar class shows of it"},
	{Tag: tag.EmailOrganizer, Stored: "ORGANIZER"},
	{Tag: tag.EmailRecurrenceId, Stored: "RECURRENCE-ID"},
	{Tag: tag.EmailReminder, Stored: "VALARM"},
	{Tag: tag.EmailResponseRequested, Stored: "ATTENDEE;RSVP", Remark: "1 for an invitation unless it says otherwise"},
	{Tag: tag.EmailRecurrences, Stored: "RRULE"},
	{Tag: tag.EmailRecurrence, Stored: "RRULE", Remark: "rules without words in ActiveSync are left out, as in the Calendar class"},
	{Tag: tag.EmailType, Stored: "RRULE"},
	{Tag: tag.EmailInterval, Stored: "RRULE"},
	{Tag: tag.EmailUntil, Stored: "RRULE"},
	{Tag: tag.EmailOccurrences, Stored: "RRULE"},
	{Tag: tag.EmailDayOfWeek, Stored: "RRULE"},
	{Tag: tag.EmailDayOfMonth, Stored: "RRULE"},
	{Tag: tag.EmailWeekOfMonth, Stored: "RRULE"},
	{Tag: tag.EmailMonthOfYear, Stored: "RRULE"},
	{Tag: tag.Email2CalendarType, Since: eas.V140, Stored: "RRULE", Remark: "always 0"},
	{Tag: tag.Email2FirstDayOfWeek, Since: eas.V141, Stored: "RRULE"},
	{Tag: tag.EmailSensitivity, Stored: "CLASS"},
	{Tag: tag.EmailBusyStatus, Stored: "X-MICROSOFT-CDO-INTENDEDSTATUS", Remark: "else X-MICROSOFT-CDO-BUSYSTATUS, TRANSP, STATUS"},
	{Tag: tag.EmailTimeZone, Stored: "DTSTART;TZID"},
	{Tag: tag.EmailGlobalObjId, Until: eas.V141, Stored: "UID"},
	{Tag: tag.CalendarUID, Since: sent16, Stored: "UID"},
	{Tag: tag.EmailDisallowNewTimeProposal, Since: eas.V140, Stored: "X-MICROSOFT-DISALLOW-COUNTER"},
	{Tag: tag.Email2MeetingMessageType, Since: eas.V141, Stored: "SEQUENCE", Remark: "1 for a first invitation, 2 for a later one"},
	{Tag: tag.MeetingResponseProposedStartTime, Since: eas.V161, Stored: "DTSTART", Remark: "of method COUNTER, where it is another time than X-MS-OLK-ORIGINALSTART"},
	{Tag: tag.MeetingResponseProposedEndTime, Since: eas.V161, Stored: "DTEND"},
	{Tag: tag.ComposeMailForwardees, Since: eas.V161, Stored: "ATTENDEE;DELEGATED-TO", Remark: "of method REPLY, from a guest who sends somebody else; iTIP has no notice of an invitation that was passed on beside that"},
	{Tag: tag.ComposeMailForwardee, Since: eas.V161, Stored: "ATTENDEE;DELEGATED-TO", Remark: "at most 500"},
	{Tag: tag.ComposeMailForwardeeName, Since: eas.V161, Stored: "ATTENDEE;CN"},
	{Tag: tag.ComposeMailForwardeeEmail, Since: eas.V161, Stored: "ATTENDEE;DELEGATED-TO"},
})

func shownOf(stored string, rows []fidelity.Row) []fidelity.Row {
	for i := range rows {
		rows[i].Way = fidelity.Shown
		if rows[i].Stored == "" {
			rows[i].Stored = stored
		}
	}
	return rows
}

var otherRows = []fidelity.Row{
	{Tag: tag.Email2UmCallerID, Way: fidelity.Shown, Since: eas.V140, Stored: "X-CallingTelephoneNumber", Remark: "of voice messages"},
	{Tag: tag.Email2UmUserNotes, Way: fidelity.Foreign, Since: eas.V140, Remark: "no telephone system mails them"},
	{Tag: tag.Email2ReceivedAsBcc, Way: fidelity.Foreign, Since: eas.V140, Remark: "a message does not tell a blind copy from one to a mailing list"},
	{Tag: tag.Email2IsLeapMonth, Way: fidelity.Foreign, Since: eas.V140, Remark: "iCalendar counts by the Gregorian calendar"},
	{Tag: tag.Email2AccountId, Way: fidelity.Foreign, Since: eas.V141, Remark: "a person has one account here"},
}
