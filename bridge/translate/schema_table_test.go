package translate_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// A value says what is wrong with the content of an element in a version; "" if
// nothing is.
type value func(content string, v eas.Version) string

func anyText(content string, _ eas.Version) string { return "" }

func atMost(characters int) value {
	return func(content string, _ eas.Version) string {
		if n := utf8.RuneCountInString(content); n > characters {
			return fmt.Sprintf("%d characters, at most %d are allowed", n, characters)
		}
		return ""
	}
}

func between(lo, hi int) value {
	return func(content string, _ eas.Version) string {
		if n, err := strconv.Atoi(content); err != nil || n < lo || n > hi {
			return fmt.Sprintf("not a number between %d and %d", lo, hi)
		}
		return ""
	}
}

var boolean = between(0, 1)

func oneOf(values ...string) value {
	return func(content string, _ eas.Version) string {
		if !slices.Contains(values, content) {
			return fmt.Sprintf("none of %q", values)
		}
		return ""
	}
}

func moment(layout string) value {
	return func(content string, _ eas.Version) string {
		if _, err := time.Parse(layout, content); err != nil {
			return "not of the form " + layout
		}
		return ""
	}
}

// The two forms of moments. See [MS-ASDTYPE] "dateTime" and "Compact DateTime".
var (
	dashes  = moment("2006-01-02T15:04:05.000Z")
	compact = moment("20060102T150405Z")
)

func zone(content string, _ eas.Version) string {
	if _, err := tz.ParseBlob(content); err != nil || content == "" {
		return fmt.Sprint("no zone: ", err)
	}
	return ""
}

func picture(content string, _ eas.Version) string {
	if _, err := base64.StdEncoding.DecodeString(content); err != nil || len(content) > 48<<10 { // [MS-ASCNTC] "Picture"
		return fmt.Sprintf("%d bytes, %v", len(content), err)
	}
	return ""
}

func busyStatus(content string, v eas.Version) string {
	if v >= eas.V160 {
		return between(0, 4)(content, v) // 4, working elsewhere, is new there
	}
	return between(0, 3)(content, v)
}

// A rule is what the documents say of an element beside its versions, which are
// those of the sheet.
type rule struct {
	value    value
	children bool // it has elements in it and no content
	many     bool // it may stand several times in its parent
	most     int  // children; 0 means any number
}

// rules are those of the elements that have more to them than being a text. See
// [MS-ASCAL], [MS-ASTASK], [MS-ASCNTC], [MS-ASNOTE] and [MS-ASAIRS], under the
// names of the elements.
var rules = map[wbxml.Tag]rule{
	tag.CalendarTimezone: {value: zone}, tag.CalendarAllDayEvent: {value: boolean}, tag.CalendarBusyStatus: {value: busyStatus},
	tag.CalendarDtStamp: {value: compact}, tag.CalendarStartTime: {value: compact}, tag.CalendarEndTime: {value: compact},
	tag.CalendarSensitivity: {value: between(0, 3)}, tag.CalendarUID: {value: atMost(300)},
	tag.CalendarMeetingStatus: {value: oneOf("0", "1", "3", "5", "7", "9", "11", "13", "15")},
	tag.CalendarReminder:      {value: between(0, 1<<31-1)},
	tag.CalendarAttendees:     {children: true}, tag.CalendarAttendee: {children: true, many: true},
	tag.CalendarAttendeeStatus: {value: oneOf("0", "2", "3", "4", "5")}, tag.CalendarAttendeeType: {value: between(1, 3)},
	tag.CalendarCategories: {children: true, most: 300}, tag.CalendarCategory: {value: anyText, many: true},
	tag.CalendarRecurrence: {children: true}, tag.CalendarType: {value: oneOf("0", "1", "2", "3", "5", "6")},
	tag.CalendarInterval: {value: between(1, 999)}, tag.CalendarOccurrences: {value: between(1, 999)}, tag.CalendarUntil: {value: compact},
	tag.CalendarDayOfWeek: {value: between(1, 127)}, tag.CalendarDayOfMonth: {value: between(1, 31)}, tag.CalendarWeekOfMonth: {value: between(1, 5)},
	tag.CalendarMonthOfYear: {value: between(1, 12)}, tag.CalendarFirstDayOfWeek: {value: between(0, 6)},
	tag.CalendarCalendarType: {value: between(0, 23)}, tag.CalendarIsLeapMonth: {value: boolean},
	tag.CalendarExceptions: {children: true, most: 1000}, tag.CalendarException: {children: true, many: true},
	tag.CalendarDeleted: {value: boolean}, tag.CalendarExceptionStartTime: {value: compact}, tag.AirSyncBaseInstanceId: {value: compact},
	tag.CalendarResponseRequested: {value: boolean}, tag.CalendarDisallowNewTimeProposal: {value: boolean},
	tag.CalendarResponseType: {value: between(0, 5)}, tag.CalendarAppointmentReplyTime: {value: compact},

	tag.TasksImportance: {value: between(0, 2)}, tag.TasksSensitivity: {value: between(0, 3)}, tag.TasksComplete: {value: boolean},
	tag.TasksDateCompleted: {value: dashes}, tag.TasksStartDate: {value: dashes}, tag.TasksUtcStartDate: {value: dashes},
	tag.TasksDueDate: {value: dashes}, tag.TasksUtcDueDate: {value: dashes}, tag.TasksReminderSet: {value: boolean}, tag.TasksReminderTime: {value: dashes},
	tag.TasksCategories: {children: true, most: 300}, tag.TasksCategory: {value: anyText, many: true},
	tag.TasksRecurrence: {children: true}, tag.TasksType: {value: oneOf("0", "1", "2", "3", "5", "6")}, tag.TasksStart: {value: dashes},
	tag.TasksUntil: {value: dashes}, tag.TasksOccurrences: {value: between(1, 255)}, tag.TasksInterval: {value: between(1, 999)},
	tag.TasksDayOfWeek: {value: between(1, 127)}, tag.TasksDayOfMonth: {value: between(1, 31)}, tag.TasksWeekOfMonth: {value: between(1, 5)},
	tag.TasksMonthOfYear: {value: between(1, 12)}, tag.TasksRegenerate: {value: boolean}, tag.TasksDeadOccur: {value: boolean},
	tag.TasksFirstDayOfWeek: {value: between(0, 6)}, tag.TasksCalendarType: {value: between(0, 23)}, tag.TasksIsLeapMonth: {value: boolean},

	tag.ContactsBirthday: {value: dashes}, tag.ContactsAnniversary: {value: dashes}, tag.ContactsPicture: {value: picture},
	tag.ContactsCategories: {children: true, most: 300}, tag.ContactsCategory: {value: anyText, many: true},
	tag.ContactsChildren: {children: true, most: 300}, tag.ContactsChild: {value: anyText, many: true},

	tag.NotesCategories: {children: true, most: 300}, tag.NotesCategory: {value: anyText, many: true},
	tag.NotesLastModifiedDate: {value: compact}, tag.NotesMessageClass: {value: func(content string, _ eas.Version) string {
		if !strings.HasPrefix(content, "IPM.StickyNote") {
			return "not IPM.StickyNote"
		}
		return ""
	}},

	tag.AirSyncBaseBody: {children: true}, tag.AirSyncBaseType: {value: between(1, 4)}, tag.AirSyncBaseEstimatedDataSize: {value: between(0, 1<<31-1)},
	tag.AirSyncBaseTruncated: {value: boolean}, tag.AirSyncBaseNativeBodyType: {value: between(1, 3)}, tag.AirSyncBasePreview: {value: atMost(translate.MaxPreview)},
	tag.AirSyncBaseAttachments: {children: true}, tag.AirSyncBaseAttachment: {children: true, many: true}, tag.AirSyncBaseMethod: {value: between(1, 6)},
	tag.AirSyncBaseIsInline: {value: boolean}, tag.AirSyncBaseFileReference: {value: anyText}, tag.AirSyncBaseLocation: {children: true},
}

// needs are the children that an element has to have.
var needs = map[wbxml.Tag][]wbxml.Tag{
	tag.CalendarAttendee: {tag.CalendarEmail, tag.CalendarName}, tag.CalendarRecurrence: {tag.CalendarType},
	tag.TasksRecurrence: {tag.TasksType, tag.TasksStart}, tag.AirSyncBaseBody: {tag.AirSyncBaseType},
	tag.AirSyncBaseAttachment: {tag.AirSyncBaseFileReference, tag.AirSyncBaseMethod},
}

// A recurring names the elements of a Recurrence in one of the two classes.
type recurring struct{ typ, day, days, week, month, until, occurrences wbxml.Tag }

var recurrences = map[wbxml.Tag]recurring{
	tag.CalendarRecurrence: {tag.CalendarType, tag.CalendarDayOfMonth, tag.CalendarDayOfWeek, tag.CalendarWeekOfMonth, tag.CalendarMonthOfYear, tag.CalendarUntil, tag.CalendarOccurrences},
	tag.TasksRecurrence:    {tag.TasksType, tag.TasksDayOfMonth, tag.TasksDayOfWeek, tag.TasksWeekOfMonth, tag.TasksMonthOfYear, tag.TasksUntil, tag.TasksOccurrences},
}

// parts says which elements a Recurrence of a type has, and no others; a daily
// one may name weekdays. See [MS-ASCAL] "Type".
func (r recurring) parts(typ string) (has, lacks []wbxml.Tag) {
	has = map[string][]wbxml.Tag{
		"0": {}, "1": {r.days}, "2": {r.day}, "3": {r.days, r.week}, "5": {r.day, r.month}, "6": {r.days, r.week, r.month},
	}[typ]
	for _, t := range []wbxml.Tag{r.day, r.days, r.week, r.month} {
		if !slices.Contains(has, t) && !(typ == "0" && t == r.days) {
			lacks = append(lacks, t)
		}
	}
	return has, lacks
}
