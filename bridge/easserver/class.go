package easserver

import (
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/contact"
	"github.com/pushbridge/pushbridge/bridge/translate/mail"
	"github.com/pushbridge/pushbridge/bridge/translate/note"
	"github.com/pushbridge/pushbridge/bridge/translate/task"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A class is what the protocol calls a kind of collection, and how its items
// are translated. See [MS-ASCMD] "Class (Sync)".
type class struct {
	name string
	page uint8       // the code page of its properties
	min  eas.Version // the first version that knows the class

	// The types of the one main folder and of those beside it.
	mainFolder, otherFolder eas.FolderType

	show  func(object []byte, o translate.Options) (eas.Properties, error)
	merge func(object []byte, sent eas.Properties, o translate.Options) ([]byte, error)
	make  func(uid string, sent eas.Properties, o translate.Options) ([]byte, error)

	// mergeInstance and deleteInstance edit one occurrence of a series, from
	// 16.0 on; nil where the class has no series.
	mergeInstance  func(object []byte, instance string, sent eas.Properties, o translate.Options) ([]byte, error)
	deleteInstance func(object []byte, instance string, o translate.Options) ([]byte, error)

	// attachment reads a file of an item, and attached names those that a phone
	// added, from 16.0 on; nil where phones know of none.
	attachment func(object []byte, part string) (translate.Attachment, error)
	attached   func(sent eas.Properties, o translate.Options) eas.Properties

	// respond writes an answer to an invitation; nil where nobody is invited.
	respond func(object []byte, a calendar.Answer, o translate.Options) ([]byte, error)

	// notices lists what guests are to be told of what becomes of an item; nil where
	// nobody is invited.
	notices func(before, after []byte, o translate.Options) ([]calendar.Notice, error)

	// message, state and flags are show for messages, of a whole one and of its flags
	// alone, and the flags that a phone's edit sets and clears; nil in other classes,
	// and show, merge and make are nil in this one.
	message func(m mail.Message, o translate.Options) (eas.Properties, error)
	state   func(flags []string, o translate.Options) eas.Properties
	flags   func(flags []string, sent eas.Properties, o translate.Options) (set, clear []string, err error)

	facts  func(object []byte, o translate.Options) (translate.Facts, error) // nil: no filter needs any
	ages   bool                                                              // what phones are shown of an item may change by itself
	filter func(filterType int, now time.Time) syncengine.Filter

	// ghostedFrom is the version from which all properties are ghosted,
	// whatever Supported says; 0 means never. See [MS-ASCMD] "Supported".
	ghostedFrom eas.Version
}

// classes lists what we can synchronize.
var classes = guardedAll(map[backend.CollectionKind]*class{
	backend.Contacts: {
		name: "Contacts", page: tag.ContactsFirstName.Page(), min: eas.V25, mainFolder: eas.FolderContacts, otherFolder: eas.FolderUserContacts,
		show: contact.FromVCard, merge: contact.Merge, make: contact.New,
		filter: everything,
	},
	backend.Events: {
		name: "Calendar", page: tag.CalendarSubject.Page(), min: eas.V25, mainFolder: eas.FolderCalendar, otherFolder: eas.FolderUserCalendar,
		show: calendar.FromICalendar, merge: calendar.Merge, make: calendar.New,
		mergeInstance: calendar.MergeInstance, deleteInstance: calendar.DeleteInstance,
		attachment: calendar.Attachment, attached: calendar.Attached, respond: calendar.Respond, notices: calendar.Notices,
		facts: calendar.Facts, ages: true, filter: sinceFilter, ghostedFrom: eas.V160,
	},
	backend.Tasks: {
		name: "Tasks", page: tag.TasksSubject.Page(), min: eas.V25, mainFolder: eas.FolderTasks, otherFolder: eas.FolderUserTasks,
		show: task.FromICalendar, merge: task.Merge, make: task.New,
		facts: task.Facts, filter: openFilter,
	},
	backend.Notes: {
		name: "Notes", page: tag.NotesSubject.Page(), min: eas.V140, mainFolder: eas.FolderNotes, otherFolder: eas.FolderUserNotes,
		show: note.FromICalendar, merge: note.Merge, make: note.New,
		filter: everything,
	},
	backend.Mail: {
		name: "Email", page: tag.EmailSubject.Page(), min: eas.V25, mainFolder: eas.FolderInbox, otherFolder: eas.FolderUserMail,
		message: mail.FromMessage, state: mail.State, flags: mail.Change,
		filter: receivedFilter,
	},
})

// shown tells whether phones are shown items of the class.
func (k *class) shown() bool { return k.show != nil || k.message != nil }

// everything is the filter of classes that have none: contacts and notes
// ignore FilterType.
func everything(int, time.Time) syncengine.Filter { return syncengine.Filter{} }

// MaxFilterType is the last FilterType that there is. What a class has no use
// for filters nothing: phones send one for all their folders. See [MS-ASCMD]
// "FilterType (Sync)".
const MaxFilterType = 8

// spans are the filters by time. See [MS-ASCMD] "FilterType (Sync)".
var spans = map[int]func(now time.Time) time.Time{
	1: func(now time.Time) time.Time { return now.AddDate(0, 0, -1) },
	2: func(now time.Time) time.Time { return now.AddDate(0, 0, -3) },
	3: func(now time.Time) time.Time { return now.AddDate(0, 0, -7) },
	4: func(now time.Time) time.Time { return now.AddDate(0, 0, -14) },
	5: func(now time.Time) time.Time { return now.AddDate(0, -1, 0) },
	6: func(now time.Time) time.Time { return now.AddDate(0, -3, 0) },
	7: func(now time.Time) time.Time { return now.AddDate(0, -6, 0) },
}

// sinceFilter is the filter of calendars: 0 and 4 to 7 by the letter, and 1 to
// 3, which phones send for mail, are taken at their word. It moves at midnight
// UTC, so that the window is the same for a whole day.
func sinceFilter(filterType int, now time.Time) syncengine.Filter {
	span, ok := spans[filterType]
	if !ok {
		return syncengine.Filter{}
	}
	return syncengine.Filter{Since: span(now.UTC().Truncate(24 * time.Hour))}
}

// receivedFilter is the filter of mail: what was received longer ago is out. 6 and
// 7, which phones send for calendars, are taken at their word.
func receivedFilter(filterType int, now time.Time) syncengine.Filter {
	span, ok := spans[filterType]
	if !ok {
		return syncengine.Filter{}
	}
	return syncengine.Filter{Since: span(now.UTC())}
}

// openFilter is the filter of tasks: all, or those not completed.
func openFilter(filterType int, _ time.Time) syncengine.Filter {
	return syncengine.Filter{Open: filterType == 8}
}

// ghosted answers which properties a phone's edit may leave out without
// meaning their removal. See [MS-ASCMD] "Supported": no such element means
// that nothing is ghosted; otherwise what it does not list is.
func (k *class) ghosted(v eas.Version, supported []wbxml.Tag, listed bool) func(wbxml.Tag) bool {
	if k.ghostedFrom != 0 && v >= k.ghostedFrom {
		return func(wbxml.Tag) bool { return true }
	}
	if !listed {
		return nil
	}
	kept := make(map[wbxml.Tag]bool, len(supported))
	for _, t := range supported {
		kept[t] = true
	}
	return func(t wbxml.Tag) bool { return !kept[t] }
}

// Ages tells of which kinds there are items of which phones are shown something
// else as time goes by.
func Ages(kind backend.CollectionKind) bool { return classes[kind] != nil && classes[kind].ages }
