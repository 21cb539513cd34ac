package calendar

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

// Sheet says what becomes of each property of an event. The tests hold it
// against what this package does.
func Sheet() fidelity.Class {
	const rrule, guests = "RRULE", "ATTENDEE"
	rows := []fidelity.Row{
		{Tag: tag.CalendarTimezone, Stored: "DTSTART;TZID, VTIMEZONE", Remark: "found by its rule in the event's year; the event's own zone stays where it still fits, then the calendar's and the person's are preferred; all-day events have none from 16.0 on"},
		{Tag: tag.CalendarAllDayEvent, Stored: "DTSTART;VALUE=DATE"},
		{Tag: tag.CalendarStartTime, Stored: "DTSTART", Remark: "in the form that is there: UTC, floating, zoned, date"},
		{Tag: tag.CalendarEndTime, Stored: "DTEND, DURATION", Remark: "whichever is there"},
		{Tag: tag.CalendarDtStamp, Way: fidelity.Shown, Stored: "DTSTAMP", Remark: "written anew with each edit"},
		{Tag: tag.CalendarSubject, Stored: "SUMMARY"},
		{Tag: tag.CalendarLocation, Until: eas.V141, Stored: "LOCATION", Remark: "GEO and Apple's map data of another place go with it"},
		{Tag: tag.CalendarCategories, Stored: "CATEGORIES"},
		{Tag: tag.CalendarCategory, Stored: "CATEGORIES", Remark: "at most 300; more are refused with status 6"},
		{Tag: tag.CalendarSensitivity, Stored: "CLASS", Remark: "personal is stored as PRIVATE and comes back as private"},
		{Tag: tag.CalendarBusyStatus, Stored: "TRANSP, X-MICROSOFT-CDO-BUSYSTATUS", Remark: "tentative also by STATUS, and where the person has not accepted; free where it is called off; working elsewhere is stored as free"},
		{Tag: tag.CalendarReminder, Stored: "VALARM", Remark: "the first DISPLAY or AUDIO alarm up to a year before the start, whichever way it says so; all others are kept"},
		{Tag: tag.CalendarUID, Until: eas.V141, Stored: "UID", Remark: "the phone's, of a new event"},
		{Tag: tag.CalendarUID, Way: fidelity.Shown, Since: eas.V160, Stored: "UID"},
		{Tag: tag.CalendarClientUid, Way: fidelity.Taken, Since: eas.V160, Stored: "UID", Remark: "of a new event"},
		{Tag: tag.CalendarOrganizerName, Stored: "ORGANIZER;CN", Remark: "taken of a new event; an edit does not change who organizes"},
		{Tag: tag.CalendarOrganizerEmail, Stored: "ORGANIZER", Remark: "as its name"},
		{Tag: tag.CalendarAttendees, Stored: guests, Remark: "an empty list uninvites nobody; a guest's edit is not taken; those without a mail address are kept and not shown"},
		{Tag: tag.CalendarAttendee, Stored: guests, Remark: "at most 10,000; more are refused with status 6"},
		{Tag: tag.CalendarEmail, Stored: guests},
		{Tag: tag.CalendarName, Stored: "ATTENDEE;CN", Remark: "the address where there is no name"},
		{Tag: tag.CalendarAttendeeStatus, Since: eas.V120, Stored: "ATTENDEE;PARTSTAT"},
		{Tag: tag.CalendarAttendeeType, Since: eas.V120, Stored: "ATTENDEE;ROLE, CUTYPE"},
		{Tag: tag.CalendarMeetingStatus, Stored: "ORGANIZER, ATTENDEE, STATUS", Remark: "it follows from them; taken is the cancelling of one's own meeting"},
		{Tag: tag.CalendarResponseRequested, Since: eas.V140, Stored: "ATTENDEE;RSVP", Remark: "of one's own meeting, of all guests"},
		{Tag: tag.CalendarResponseType, Way: fidelity.Shown, Since: eas.V140, Stored: "ATTENDEE;PARTSTAT", Remark: "the person's own; MeetingResponse changes it"},
		{Tag: tag.CalendarAppointmentReplyTime, Way: fidelity.Shown, Since: eas.V140, Stored: replyTime},
		{Tag: tag.CalendarDisallowNewTimeProposal, Since: eas.V140, Stored: "X-MICROSOFT-DISALLOW-COUNTER", Remark: "of one's own meeting"},
		{Tag: tag.CalendarOnlineMeetingConfLink, Way: fidelity.Shown, Since: eas.V141, Stored: "CONFERENCE", Remark: "sip and conf addresses"},
		{Tag: tag.CalendarOnlineMeetingExternalLink, Way: fidelity.Shown, Since: eas.V141, Stored: "X-GOOGLE-CONFERENCE, X-MICROSOFT-SKYPETEAMSMEETINGURL, CONFERENCE", Remark: "before 14.1 under the description"},

		{Tag: tag.CalendarRecurrence, Stored: rrule, Remark: "a series that ActiveSync has no words for is shown as an expansion, or where two of its occurrences fall on one day as the next one alone; its edit is refused with status 6"},
		{Tag: tag.CalendarType, Stored: rrule},
		{Tag: tag.CalendarInterval, Stored: rrule},
		{Tag: tag.CalendarUntil, Stored: rrule, Remark: "the start of the last occurrence"},
		{Tag: tag.CalendarOccurrences, Stored: rrule, Remark: "beats Until where a phone sends both"},
		{Tag: tag.CalendarDayOfWeek, Stored: rrule},
		{Tag: tag.CalendarDayOfMonth, Stored: rrule},
		{Tag: tag.CalendarWeekOfMonth, Stored: rrule},
		{Tag: tag.CalendarMonthOfYear, Stored: rrule},
		{Tag: tag.CalendarCalendarType, Since: eas.V140, Stored: rrule, Remark: "0; another calendar than the Gregorian is refused with status 6"},
		{Tag: tag.CalendarIsLeapMonth, Way: fidelity.Taken, Since: eas.V140, Remark: "0; a leap month is refused with status 6"},
		{Tag: tag.CalendarFirstDayOfWeek, Since: eas.V141, Stored: "RRULE, WKST"},
	}
	rows = append(rows, exceptionRows()...)
	rows = append(rows, placeRows()...)
	rows = append(rows, attachmentRows()...)
	return fidelity.Class{
		Name: "Calendar", Document: "[MS-ASCAL]", Format: "iCalendar's VEVENT",
		Pages: []uint8{tag.CalendarSubject.Page()},
		Rows:  append(rows, translate.BodyRows(oldBody, "DESCRIPTION")...),
		Stored: []fidelity.Property{
			{Name: "SUMMARY", Shown: "Subject"},
			{Name: "DESCRIPTION", Shown: "Body"},
			{Name: "X-ALT-DESC, STYLED-DESCRIPTION, DESCRIPTION;ALTREP=data:", Shown: "Body of Type 2", Remark: "an edit as plain text takes the HTML away, for it says something else then"},
			{Name: "URL", Shown: "Body", Remark: "under the description, unless that names it or is HTML; a phone's edit does not change it"},
			{Name: "DTSTART, DTEND, DURATION", Shown: "StartTime, EndTime, AllDayEvent, Timezone", Remark: "a TZID is known by its IANA name, by the end of a path, by its name at Windows, or by its VTIMEZONE; what has none, and dates, are in the calendar's zone, or else in the person's"},
			{Name: "RRULE", Shown: "Recurrence"},
			{Name: "EXDATE", Shown: "Exception with Deleted"},
			{Name: "RECURRENCE-ID", Shown: "Exception", Remark: "of an event without its series: a single event"},
			{Name: "RDATE, EXRULE, several RRULE, RECURRENCE-ID;RANGE=THISANDFUTURE", Shown: "an expansion, read-only"},
			{Name: "ORGANIZER, ATTENDEE", Shown: "OrganizerName, OrganizerEmail, Attendees, MeetingStatus, ResponseType", Remark: "SCHEDULE-AGENT names the one who mails"},
			{Name: "STATUS", Shown: "MeetingStatus, BusyStatus", Remark: "cancelled, tentative"},
			{Name: "TRANSP, X-MICROSOFT-CDO-BUSYSTATUS", Shown: "BusyStatus"},
			{Name: "CLASS", Shown: "Sensitivity", Remark: "what we do not know is private"},
			{Name: "CATEGORIES", Shown: "Categories"},
			{Name: "LOCATION, GEO, X-APPLE-STRUCTURED-LOCATION", Shown: "Location"},
			{Name: "VALARM", Shown: "Reminder", Remark: "the first one that shows or plays something before the start"},
			{Name: "ATTACH", Shown: "Attachments", Remark: "from 16.0 on"},
			{Name: "CONFERENCE, X-GOOGLE-CONFERENCE, X-MICROSOFT-SKYPETEAMSMEETINGURL", Shown: "OnlineMeetingExternalLink, OnlineMeetingConfLink"},
			{Name: "SEQUENCE, CREATED, LAST-MODIFIED", Remark: "SEQUENCE counts, LAST-MODIFIED follows an edit"},
			{Name: "PRIORITY, COMMENT, CONTACT, RELATED-TO, RESOURCES, COLOR, IMAGE, X-, everything else"},
		},
		Remarks: []string{"In 16.x a phone edits one occurrence by its InstanceId, and a new time or rule of a series drops its exceptions ([MS-ASCAL] \"Exceptions\")."},
	}
}

// exceptionRows are of what tells an exception; the rest of its children are
// those of an event.
func exceptionRows() []fidelity.Row {
	const stored = "RECURRENCE-ID, EXDATE"
	return []fidelity.Row{
		{Tag: tag.CalendarExceptions, Until: eas.V141, Stored: stored, Remark: "what a phone leaves out of them is kept"},
		{Tag: tag.CalendarExceptions, Way: fidelity.Shown, Since: eas.V160, Stored: stored},
		{Tag: tag.CalendarException, Until: eas.V141, Stored: stored, Remark: "the latest 256 are shown"},
		{Tag: tag.CalendarException, Way: fidelity.Shown, Since: eas.V160, Stored: stored},
		{Tag: tag.CalendarDeleted, Until: eas.V141, Stored: "EXDATE"},
		{Tag: tag.CalendarDeleted, Way: fidelity.Shown, Since: eas.V160, Stored: "EXDATE"},
		{Tag: tag.CalendarExceptionStartTime, Until: eas.V141, Stored: "RECURRENCE-ID"},
		{Tag: tag.AirSyncBaseInstanceId, Way: fidelity.Shown, Since: eas.V160, Stored: "RECURRENCE-ID", Remark: "beside ServerId it names the occurrence that a phone edits or deletes"},
	}
}

func placeRows() []fidelity.Row {
	rows := []fidelity.Row{{Tag: tag.AirSyncBaseLocation, Since: eas.V160, Stored: "LOCATION", Remark: "name and address"}}
	for _, p := range placeParts {
		row := fidelity.Row{Tag: p.tag, Since: eas.V160, Stored: ownLocation + ";" + p.param, Remark: "beside LOCATION, as long as that stays"}
		switch p.tag {
		case tag.AirSyncBaseDisplayName:
			row.Stored, row.Remark = "LOCATION; ATTACH;FILENAME", "of a place, and of a file"
		case tag.AirSyncBaseLatitude, tag.AirSyncBaseLongitude:
			row.Stored, row.Remark = "GEO", ""
		}
		rows = append(rows, row)
	}
	return rows
}

func attachmentRows() []fidelity.Row {
	const since = eas.V160
	rows := []fidelity.Row{
		{Tag: tag.AirSyncBaseAttachments, Way: fidelity.Shown, Since: since, Stored: "ATTACH", Remark: "what is added and deleted is stored; the mere list changes nothing"},
		{Tag: tag.AirSyncBaseAttachment, Way: fidelity.Shown, Since: since, Stored: "ATTACH", Remark: "a link is a small page that leads there"},
		{Tag: tag.AirSyncBaseFileReference, Way: fidelity.Shown, Since: since, Remark: "the item and the content's digest"},
		{Tag: tag.AirSyncBaseMethod, Way: fidelity.Shown, Since: since, Remark: "1"},
		{Tag: tag.AirSyncBaseIsInline, Way: fidelity.Shown, Since: since, Remark: "0"},
		{Tag: tag.AirSyncBaseAdd, Way: fidelity.Taken, Since: since, Stored: "ATTACH", Remark: "at most 100 of 8 MB; more are refused with status 6; without Content nothing is added"},
		{Tag: tag.AirSyncBaseDelete, Way: fidelity.Taken, Since: since, Stored: "ATTACH"},
		{Tag: tag.AirSyncBaseContent, Way: fidelity.Taken, Since: since, Stored: "ATTACH;VALUE=BINARY"},
		{Tag: tag.AirSyncBaseContentType, Way: fidelity.Taken, Since: since, Stored: "ATTACH;FMTTYPE"},
		{Tag: tag.AirSyncBaseClientId, Way: fidelity.Taken, Since: since, Remark: "answered with the FileReference"},
	}
	for _, t := range []fidelity.Row{{Tag: tag.CalendarAttachment}, {Tag: tag.CalendarAttachments}, {Tag: tag.CalendarAttName}, {Tag: tag.CalendarAttSize},
		{Tag: tag.CalendarAttOid}, {Tag: tag.CalendarAttMethod}, {Tag: tag.CalendarAttRemoved}, {Tag: tag.CalendarDisplayName}} {
		t.Way, t.Remark = fidelity.Foreign, "an early draft's attachments; no document describes them"
		rows = append(rows, t)
	}
	return rows
}
