// Package translate holds what the translations between standard formats and ActiveSync properties share.
//
// Its children (contact, calendar, task, note, mail) are pure functions: bytes in a
// standard format on one side, [eas.Properties] on the other. Each of them has
//
//	FromX(object []byte, o translate.Options) (eas.Properties, error)    what a phone is shown
//	Merge(object []byte, sent eas.Properties, o translate.Options) ([]byte, error)    a phone's edit
//	New(uid string, sent eas.Properties, o translate.Options) ([]byte, error)    a phone's new item
//
// with X the format (VCard, ICalendar); a message never changes, so that mail has
// others. Merge changes the content lines of the
// properties that the phone changed and keeps every other byte; it follows that
// Merge(x, FromX(x)) = x.
package translate

import (
	"errors"
	"math"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// ErrUnreadable means that an object is not in its format and cannot be shown
// to a phone. It concerns this one object only.
var ErrUnreadable = errors.New("translate: the object cannot be read")

// ErrNotShown means that an object is in order but nothing that phones have a
// place for, such as a vCard that describes a group. It is no failure: a phone
// is simply not told of it.
var ErrNotShown = errors.New("translate: the object is not shown to phones")

// ErrInvalid means that what a phone sent contradicts itself or the
// specification, so that nothing can be stored. The phone is told Sync status 6.
var ErrInvalid = errors.New("translate: the phone's item is invalid")

// Options tell a translation for whom it works. Now is required; every other
// field has a useful zero value.
type Options struct {
	// Version is the protocol version that the phone speaks; 0 means 16.1.
	Version eas.Version

	// Body says how the phone wants notes and descriptions.
	Body Body

	// Mail says more about how the phone wants messages.
	Mail Mail

	// Zone is the person's own time zone: it decides where an object or a
	// phone leaves the choice open. Nil means UTC.
	Zone *time.Location

	// Calendar is the time zone of the calendar itself that an object is in; it
	// goes before the person's. Nil means that it has none.
	Calendar *time.Location

	// Self are the person's mail addresses, to tell an organizer from a guest.
	Self []string

	// Schedules says that the calendar server itself mails invitations and
	// answers (RFC 6638, section 2: calendar-auto-schedule in its DAV header),
	// so that it has to be told where a phone does that.
	Schedules bool

	// Mailless says that no mail of phones goes out here: up to 14.1 they cannot
	// mail invitations and answers themselves.
	Mailless bool

	// Item is the ServerId under which the phone knows the item. The
	// FileReferences of its attachments begin with it; without it no
	// attachments are shown. See FileReference.
	Item string

	// Ghosted tells whether the absence of a property in what a phone sent
	// means "unchanged". Where it does not, absence means removal. Nil means
	// that nothing is ghosted. See [MS-ASCMD] "Supported" and "Ghosted
	// Properties".
	Ghosted func(wbxml.Tag) bool

	// BirthdayHour is the hour of the day, in UTC, at which this phone expects
	// birthdays and anniversaries, so that it shows them on their day: 0 for
	// most. What a phone sends is understood at any hour.
	BirthdayHour int

	// EmptyPictureRemoves: an empty Picture from this phone takes a contact's
	// photo away. Most phones send one with every edit and mean nothing by it.
	EmptyPictureRemoves bool

	// FileAs is what a contact is filed under that does not say so itself.
	FileAs FileAs

	// Since is from when on the phone wants to see events; zero means that it
	// said nothing, or wants all.
	Since time.Time

	// Now is written into the time stamps of what changes, and says what of a
	// series is still to come.
	Now time.Time
}

// FileAs is a rule for the name under which a phone files a contact. See
// [MS-ASCNTC] "FileAs".
type FileAs int

// The rules. What they need may be missing; then the formatted name counts.
const (
	FileAsFormatted FileAs = iota // as the contact is called: Dr. Jane Doe
	FileAsLastFirst               // Doe, Jane
	FileAsFirstLast               // Jane Doe
	FileAsCompany                 // Example Ltd.
)

// Absent tells what it means that a property is missing from what a phone
// sent: true if it is to be kept.
func (o Options) Absent(t wbxml.Tag) (keep bool) { return o.Ghosted != nil && o.Ghosted(t) }

// Location is the calendar's zone, or else the person's, never nil.
func (o Options) Location() *time.Location {
	if o.Calendar != nil {
		return o.Calendar
	}
	return o.Person()
}

// Person is the person's zone, never nil.
func (o Options) Person() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// ProtocolVersion is Version, or 16.1 where none is set.
func (o Options) ProtocolVersion() eas.Version {
	if o.Version == 0 {
		return eas.V161
	}
	return o.Version
}

// A BodyType is the format of a body. See [MS-ASAIRS] "Type (Body)".
type BodyType int

// The body types. Contacts, events, tasks and notes have no MIME.
const (
	PlainText BodyType = 1
	HTML      BodyType = 2
	RTF       BodyType = 3
	MIME      BodyType = 4
)

// A Body says how a phone wants the text of notes and descriptions. The zero
// value is plain text without a limit.
type Body struct {
	// Type is what the phone prefers of what we have; 0 means PlainText.
	Type BodyType

	// Truncate is the length in bytes (UTF-8) after which the text is cut on a
	// rune boundary; -1 means 0 bytes, 0 means no limit.
	Truncate int

	// AllOrNone leaves a text out that is longer than Truncate, instead of
	// cutting it. See [MS-ASAIRS] "AllOrNone".
	AllOrNone bool

	// Omit leaves bodies out altogether: a phone that speaks 12.0 or later and
	// sent no BodyPreference gets only their size.
	Omit bool

	// Preview is the length in characters of the preview that a phone wants, 0
	// to MaxPreview. It gets one, from 14.0 on, where it does not get the text
	// itself in plain. See [MS-ASAIRS] "Preview (Body)".
	Preview int
}

// MaxPreview is the largest Preview. See [MS-ASAIRS] "Preview
// (BodyPreference)".
const MaxPreview = 255

// Facts are what the filters of a phone need to know of an object, and until
// when what a phone was shown of it holds.
type Facts struct {
	Ends int64 // Unix seconds after which nothing of it happens any more; Forever if it recurs without end
	Done bool  // a task that is completed
	Due  int64 // Unix seconds, later than now, from which on phones are shown something else of the same object; 0 if there is no such moment
}

// Forever is the end of what has no end.
const Forever = int64(math.MaxInt64)
