package mail

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

// Sheet says what becomes of each property of a message. The tests hold it
// against what this package does.
func Sheet() fidelity.Class {
	var rows []fidelity.Row
	for _, part := range [][]fidelity.Row{envelopeRows, flagRows, bodyRows, fileRows, meetingRows, otherRows} {
		rows = append(rows, part...)
	}
	return fidelity.Class{
		Name: "Email", Document: "[MS-ASEMAIL]", Format: "a message of RFC 5322 and MIME, and IMAP's flags",
		Pages: []uint8{tag.EmailSubject.Page(), tag.Email2Sender.Page()},
		Rows:  rows,
		Stored: []fidelity.Property{
			{Name: `\Seen`, Shown: "Read"},
			{Name: `\Flagged`, Shown: "Flag with Status 2"},
			{Name: doneKeyword + "20261130T080000Z", Shown: "Flag with Status 1", Remark: "and the time"},
			{Name: startKeyword + "20261130, " + dueKeyword + "20261130", Shown: "StartDate, DueDate and the same in UTC", Remark: "of one alone phones are shown both"},
			{Name: reminderKeyword + "20261130T080000Z", Shown: "ReminderTime"},
			{Name: `\Answered, $Forwarded`, Shown: "LastVerbExecuted 1 and 3", Remark: "set by SmartReply and SmartForward"},
			{Name: `\Draft`, Shown: "IsDraft"},
			{Name: "$label1 to $label5", Shown: "Category Important, Work, Personal, To Do, Later", Remark: "what Thunderbird calls them"},
			{Name: "other keywords", Shown: "Category", Remark: "those that begin with $ and those that programs use among themselves, such as NonJunk, are not shown"},
			{Name: "text/plain, text/html, text/enriched", Shown: "Body", Remark: "charsets by their name, else UTF-8 or Windows' Latin; format=flowed is joined"},
			{Name: "text/calendar; method=REQUEST, CANCEL", Shown: "MeetingRequest"},
			{Name: "text/calendar; method=REPLY", Shown: "MessageClass IPM.Schedule.Meeting.Resp.Pos, .Tent, .Neg"},
			{Name: "text/calendar; method=COUNTER", Shown: "the same classes; MeetingRequest from 16.1 on", Remark: "Resp.Tent where it does not say whether the guest would come"},
			{Name: "text/calendar; method=REPLY with DELEGATED-TO", Shown: "MessageClass IPM.Schedule.Meeting.Notification.Forward and MeetingRequest", Remark: "from 16.1 on; before, IPM.Note"},
			{Name: "application/pkcs7-mime, multipart/signed", Shown: "MessageClass IPM.Note.SMIME, IPM.Note.SMIME.MultipartSigned", Remark: "byte for byte for phones with MIMESupport 1 or 2"},
			{Name: "multipart/report", Shown: "MessageClass REPORT.IPM.Note.NDR, .DR, .IPNRN"},
			{Name: "message/rfc822", Shown: "Attachment with Method 5"},
			{Name: "uuencode in a text", Shown: "Attachment", Remark: "the text is shown without it"},
			{Name: "application/ms-tnef (winmail.dat)", Shown: "Attachment", Remark: "as the file that it is, and beside it the files that are in it"},
			{Name: "every other part", Shown: "Attachment"},
		},
		Remarks: []string{
			"A message never changes: what a phone changes of one that is no draft are its flags. A draft that a phone edits (16.0 and 16.1) becomes a new message with the same Message-ID; header fields that ActiveSync has no words for, and files, stay as they are.",
			"What breaks the rules of MIME is shown as far as it can be read; of parts deeper than 100 levels, or beyond the first 1,000, the phone is shown the one that they stand in. A message of a kind that is not even text is named among the problems.",
		},
	}
}

const sent16 = eas.V160 // from which on phones write drafts by properties

// ofDrafts is a property that phones are shown, and write in drafts from 16.0
// on.
func ofDrafts(r fidelity.Row) []fidelity.Row {
	before, since := r, r
	before.Way, before.Until = fidelity.Shown, eas.V141
	since.Way, since.Since = fidelity.Both, sent16
	return []fidelity.Row{before, since}
}

var envelopeRows = concat(
	ofDrafts(fidelity.Row{Tag: tag.EmailTo, Stored: "To", Remark: "at most 32,768 characters of whole addresses"}),
	ofDrafts(fidelity.Row{Tag: tag.EmailCc, Stored: "Cc"}),
	[]fidelity.Row{{Tag: tag.Email2Bcc, Since: sent16, Stored: "Bcc", Remark: "at most 1,024 characters are shown; it is kept in drafts and in the copy of what was sent"}},
	ofDrafts(fidelity.Row{Tag: tag.EmailFrom, Stored: "From", Remark: "else Sender, else Return-Path; an address that is not the person's own is refused"}),
	[]fidelity.Row{{Tag: tag.Email2Sender, Way: fidelity.Shown, Since: eas.V140, Stored: "Sender", Remark: "where it is another one than From"}},
	ofDrafts(fidelity.Row{Tag: tag.EmailReplyTo, Stored: "Reply-To"}),
	ofDrafts(fidelity.Row{Tag: tag.EmailSubject, Stored: "Subject"}),
	ofDrafts(fidelity.Row{Tag: tag.EmailImportance, Stored: "Importance", Remark: "else X-Priority, Priority, X-MSMail-Priority"}),
	[]fidelity.Row{
		{Tag: tag.EmailDateReceived, Way: fidelity.Shown, Stored: "INTERNALDATE", Remark: "else Date, else Received"},
		{Tag: tag.EmailDisplayTo, Way: fidelity.Shown, Stored: "To", Remark: "the names"},
		{Tag: tag.EmailThreadTopic, Way: fidelity.Shown, Stored: "Thread-Topic", Remark: "else Subject without Re:, Fwd: and the like of many languages"},
		{Tag: tag.Email2ConversationId, Way: fidelity.Shown, Since: eas.V140, Stored: "References", Remark: "made of the first id in References, else In-Reply-To, Thread-Index, Message-ID"},
		{Tag: tag.Email2ConversationIndex, Way: fidelity.Shown, Since: eas.V140, Stored: "Thread-Index", Remark: "else made of Date and References"},
		{Tag: tag.EmailMessageClass, Way: fidelity.Shown, Stored: "Content-Type", Remark: "see below"},
		{Tag: tag.EmailContentClass, Way: fidelity.Shown, Since: eas.V120, Stored: "Content-Type"},
		{Tag: tag.EmailInternetCPID, Way: fidelity.Shown, Stored: "Content-Type;charset", Remark: "of the message; what a phone is sent is always UTF-8"},
	},
)

var flagRows = []fidelity.Row{
	{Tag: tag.EmailRead, Stored: `\Seen`},
	{Tag: tag.EmailFlag, Since: eas.V120, Stored: `\Flagged`, Remark: "an empty one, and Status 0, take the flag and its dates away"},
	{Tag: tag.EmailStatus, Since: eas.V120, Stored: `\Flagged`, Remark: "another value than 0, 1, 2 is refused with status 6"},
	{Tag: tag.EmailFlagType, Way: fidelity.Shown, Since: eas.V120, Remark: "always Flag for follow up"},
	{Tag: tag.TasksStartDate, Since: eas.V120, Stored: startKeyword},
	{Tag: tag.TasksUtcStartDate, Since: eas.V120, Stored: startKeyword, Remark: "where StartDate is absent"},
	{Tag: tag.TasksDueDate, Since: eas.V120, Stored: dueKeyword},
	{Tag: tag.TasksUtcDueDate, Since: eas.V120, Stored: dueKeyword, Remark: "where DueDate is absent"},
	{Tag: tag.TasksReminderSet, Since: eas.V120, Stored: reminderKeyword},
	{Tag: tag.TasksReminderTime, Since: eas.V120, Stored: reminderKeyword},
	{Tag: tag.TasksDateCompleted, Since: eas.V120, Stored: doneKeyword},
	{Tag: tag.EmailCompleteTime, Since: eas.V120, Stored: doneKeyword},
	{Tag: tag.TasksSubject, Way: fidelity.Foreign, Since: eas.V120, Remark: "IMAP has no place for another subject of a flag"},
	{Tag: tag.TasksOrdinalDate, Way: fidelity.Foreign, Since: eas.V120, Remark: "IMAP has no place for an order of flags"},
	{Tag: tag.TasksSubOrdinalDate, Way: fidelity.Foreign, Since: eas.V120, Remark: "IMAP has no place for an order of flags"},
	{Tag: tag.EmailCategories, Since: eas.V140, Stored: "keywords"},
	{Tag: tag.EmailCategory, Since: eas.V140, Stored: "keywords", Remark: "at most 300; what cannot stand in a keyword is written as in names of mailboxes (RFC 3501, section 5.1.3)"},
	{Tag: tag.Email2LastVerbExecuted, Way: fidelity.Shown, Since: eas.V140, Stored: `\Answered, $Forwarded`},
	{Tag: tag.Email2LastVerbExecutionTime, Way: fidelity.Foreign, Since: eas.V140, Remark: "IMAP keeps no time of its flags"},
	{Tag: tag.Email2IsDraft, Way: fidelity.Shown, Since: sent16, Stored: `\Draft`},
	{Tag: tag.Email2Send, Way: fidelity.Taken, Since: sent16, Remark: "the draft is sent"},
}

func concat(lists ...[]fidelity.Row) []fidelity.Row {
	var all []fidelity.Row
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
