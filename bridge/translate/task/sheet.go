package task

import (
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
)

// Sheet says what becomes of each property of a task. The tests hold it
// against what this package does.
func Sheet() fidelity.Class {
	const rrule = "RRULE"
	return fidelity.Class{
		Name: "Tasks", Document: "[MS-ASTASK]", Format: "iCalendar's VTODO",
		Pages: []uint8{tag.TasksSubject.Page()},
		Rows: append([]fidelity.Row{
			{Tag: tag.TasksSubject, Stored: "SUMMARY"},
			{Tag: tag.TasksImportance, Stored: "PRIORITY", Remark: "1 to 4 high, 5 and none normal, 6 to 9 low; written as 1, 5, 9 where the class changes"},
			{Tag: tag.TasksSensitivity, Stored: "CLASS", Remark: "personal is stored as PRIVATE and comes back as private"},
			{Tag: tag.TasksCategories, Stored: "CATEGORIES"},
			{Tag: tag.TasksCategory, Stored: "CATEGORIES", Remark: "at most 300; more are refused with status 6"},
			{Tag: tag.TasksStartDate, Stored: "DTSTART", Remark: "as the person's clock shows it; it decides where both are sent"},
			{Tag: tag.TasksUtcStartDate, Stored: "DTSTART"},
			{Tag: tag.TasksDueDate, Stored: "DUE", Remark: "or DTSTART and DURATION; due before the start is refused with status 6"},
			{Tag: tag.TasksUtcDueDate, Stored: "DUE"},
			{Tag: tag.TasksComplete, Stored: "STATUS, PERCENT-COMPLETE", Remark: "COMPLETED and 100; opened again NEEDS-ACTION"},
			{Tag: tag.TasksDateCompleted, Stored: "COMPLETED", Remark: "where the phone sends none, the time of its request"},
			{Tag: tag.TasksReminderSet, Stored: "VALARM", Remark: "the first DISPLAY or AUDIO alarm; all others are kept"},
			{Tag: tag.TasksReminderTime, Stored: "VALARM, TRIGGER"},
			{Tag: tag.TasksRecurrence, Stored: rrule, Remark: "a rule that ActiveSync cannot say, or whose days are others where the person is, is kept and not shown; a phone's rule for such a task is refused with status 6"},
			{Tag: tag.TasksType, Stored: rrule},
			{Tag: tag.TasksStart, Stored: "DTSTART", Remark: "where the task has no dates of its own"},
			{Tag: tag.TasksUntil, Stored: rrule},
			{Tag: tag.TasksOccurrences, Stored: rrule, Remark: "a rule with more than 255 is kept and not shown"},
			{Tag: tag.TasksInterval, Stored: rrule},
			{Tag: tag.TasksDayOfMonth, Stored: rrule},
			{Tag: tag.TasksDayOfWeek, Stored: rrule},
			{Tag: tag.TasksWeekOfMonth, Stored: rrule},
			{Tag: tag.TasksMonthOfYear, Stored: rrule},
			{Tag: tag.TasksRegenerate, Stored: regenerate, Remark: "iCalendar cannot say it; other programs let the task come back on its days"},
			{Tag: tag.TasksDeadOccur, Way: fidelity.Taken, Remark: "an occurrence that is done with is a task of its own, which does not recur"},
			{Tag: tag.TasksCalendarType, Since: eas.V140, Stored: rrule, Remark: "0; another calendar than the Gregorian is refused with status 6"},
			{Tag: tag.TasksIsLeapMonth, Way: fidelity.Taken, Since: eas.V140, Remark: "0; a leap month is refused with status 6"},
			{Tag: tag.TasksFirstDayOfWeek, Since: eas.V141, Stored: "RRULE, WKST"},
			{Tag: tag.TasksOrdinalDate, Since: eas.V120, Stored: ordinal},
			{Tag: tag.TasksSubOrdinalDate, Since: eas.V120, Stored: subOrdinal},
		}, translate.BodyRows(oldBody, "DESCRIPTION")...),
		Stored: []fidelity.Property{
			{Name: "SUMMARY", Shown: "Subject"},
			{Name: "DESCRIPTION", Shown: "Body"},
			{Name: "X-ALT-DESC, STYLED-DESCRIPTION, DESCRIPTION;ALTREP=data:", Shown: "Body of Type 2", Remark: "an edit as plain text takes the HTML away, for it says something else then"},
			{Name: "DTSTART", Shown: "StartDate, UtcStartDate", Remark: "without DUE also as the due date, for phones take a start only with it"},
			{Name: "DUE, DURATION", Shown: "DueDate, UtcDueDate"},
			{Name: "STATUS, COMPLETED, PERCENT-COMPLETE", Shown: "Complete, DateCompleted", Remark: "how much of it is done is kept and not shown"},
			{Name: "PRIORITY", Shown: "Importance"},
			{Name: "CLASS", Shown: "Sensitivity"},
			{Name: "CATEGORIES", Shown: "Categories"},
			{Name: "RRULE", Shown: "Recurrence"},
			{Name: "VALARM", Shown: "ReminderSet, ReminderTime", Remark: "the first that shows or plays something"},
			{Name: "RELATED-TO", Remark: "subtasks are shown beside their tasks"},
			{Name: "RDATE, EXDATE, EXRULE, RECURRENCE-ID", Remark: "a task with them is shown without its recurrence"},
			{Name: "ATTACH, ATTENDEE, ORGANIZER, LOCATION, GEO, URL, COMMENT, CONTACT, RESOURCES, X-, everything else"},
		},
		Remarks: []string{"Each collection that holds VTODO is a task folder of its own."},
	}
}
