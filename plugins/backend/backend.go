// Package backend is the contract between pushbridge and the stores that hold people's contacts, events, tasks, notes and mail.
//
// An author of a backend writes a [Backend] whose sessions speak standard
// formats only: bytes of text/vcard, text/calendar or message/rfc822 together
// with an ID and a Revision. ActiveSync never appears here. The suite in
// package backendtest runs every promise of this page against an
// implementation; joining it is one call.
package backend

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

type (
	// A CollectionID names a collection for as long as it exists. It is opaque
	// to pushbridge, at most MaxIDLength bytes long and unique in a session.
	CollectionID string

	// An ItemID names an item inside its collection. It is opaque to
	// pushbridge, at most MaxIDLength bytes long, and is never given to
	// another item while the first one exists.
	ItemID string

	// A Revision is one state of an item. It changes whenever the item's bytes
	// change, or those of a message's flags, and is compared for equality only.
	// DAV calls it an ETag.
	Revision string

	// A Cursor marks a point in the history of a collection. It is opaque to
	// pushbridge; the empty Cursor is the point before everything. DAV calls
	// it a sync-token.
	Cursor string
)

// Limits that every implementation may rely on and the host enforces.
const (
	// MaxIDLength bounds collection and item IDs, in bytes.
	MaxIDLength = 2048

	// MaxItemSize bounds an item's body, in bytes. Larger items are reported
	// with kind TooLarge and do not fail their neighbours.
	MaxItemSize = 32 << 20

	// MaxZone bounds the Zone of a collection, in bytes. The rules of today are
	// 500; those of a century are more than anybody needs.
	MaxZone = 8 << 10

	// MaxBatch is how many changes or items a batch carries at most.
	MaxBatch = 256
)

// Credentials are what a person typed into the phone. They travel with every
// call and are never stored.
type Credentials struct {
	User     string
	Password string

	// Address is where the phone is that asks, or that waits and is asked for.
	// The zero Addr means that it is not known. It proves nothing; it is for
	// stores that count failed logins by where they come from, see Addressee.
	Address netip.Addr
}

// String shows the user and hides the password.
func (c Credentials) String() string { return c.User + ":***" }

// GoString hides the password from %#v, too.
func (c Credentials) GoString() string { return "backend.Credentials{" + c.String() + "}" }

// LogValue hides the password from log/slog.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText hides the password from encoding/json and its like.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// A Backend is one configured store: a server, or a directory.
type Backend interface {
	// Open asks the store whether the credentials are right and answers a
	// session of that person. Kind Denied means that the store said no; a
	// store that cannot be asked is Transient, never Denied.
	//
	// Open is called often; an implementation that needs several requests to
	// find its way remembers what it found, not the password.
	Open(ctx context.Context, c Credentials) (Session, error)

	// Close ends what the backend keeps running. Sessions must not be used
	// after it.
	Close() error
}

// CollectionKind is what a collection holds. The values travel between
// processes and are therefore append-only.
type CollectionKind string

// The kinds of collections with the media type of their items.
const (
	Contacts CollectionKind = "contacts" // text/vcard
	Events   CollectionKind = "events"   // text/calendar with VEVENT
	Tasks    CollectionKind = "tasks"    // text/calendar with VTODO
	Notes    CollectionKind = "notes"    // text/calendar with VJOURNAL
	Mail     CollectionKind = "mail"     // message/rfc822
)

// MediaType is the media type of the items in collections of kind k.
func (k CollectionKind) MediaType() string {
	switch k {
	case Contacts:
		return "text/vcard"
	case Events, Tasks, Notes:
		return "text/calendar"
	case Mail:
		return "message/rfc822"
	}
	return ""
}

// A Collection is an address book, a calendar, a task list, a notebook or a
// mail folder.
type Collection struct {
	ID       CollectionID
	Kind     CollectionKind
	Name     string       // what people call it
	Parent   CollectionID // empty at the top
	Default  bool         // the store's own first choice for its kind
	ReadOnly bool
	Colour   string // "#rrggbb", or empty
	Owner    string // who shares it, empty if it is the person's own
	Role     Role   // of a mail folder

	// Zone is the time zone of a calendar's own, in which its events without
	// one take place: a TZID, or the VTIMEZONE that explains it, of at most
	// MaxZone bytes. Empty if it has none. See RFC 4791, section 5.2.2.
	Zone string
}

// A Change says that an item is there in a revision, or is gone.
type Change struct {
	ID       ItemID
	Revision Revision // empty if Removed
	Removed  bool

	// Received is when the store got a message, in whole seconds; zero if it is
	// not known, for other items, and if Removed.
	Received time.Time
}

// An Item is one contact, event, task, note or message.
type Item struct {
	ID       ItemID
	Revision Revision

	// MediaType is one of those that CollectionKind.MediaType lists.
	MediaType string
	Body      []byte

	// Flags are those of a message, see the function of that name.
	Flags []string
}

// A Fetched is an item, or the reason why just this one could not be read.
type Fetched struct {
	Item       // only the ID is set if Err is not nil
	Err  error // an *Error, or nil
}

// A Session is one person's view of a Backend. Its methods may be called from
// many goroutines at a time, and answer an *Error when they fail. When the
// context ends they end early with one of kind Transient that wraps the
// context's error.
type Session interface {
	// Collections lists every collection that the person may read. The list
	// is complete, or it is an error.
	Collections(ctx context.Context) ([]Collection, error)

	// Changes calls yield with what is new in a collection since a cursor, in
	// batches of at most MaxBatch, and answers the cursor for the next call,
	// which is never empty.
	// An empty cursor asks for everything: each item once, none Removed.
	//
	// A listing is complete or it is an error, never a shorter list. After an
	// error the caller discards what yield was given. An ID may come twice in
	// one call only if the later mention is the newer one. A Removed change
	// for an item that the caller never heard of is harmless.
	//
	// A cursor that the store no longer knows is kind Expired; the caller
	// then asks with the empty one. A missing collection is NotFound. An error
	// of yield ends the listing and comes back unchanged. yield is called on
	// the caller's goroutine.
	Changes(ctx context.Context, c CollectionID, since Cursor, yield func([]Change) error) (Cursor, error)

	// Get calls yield once for each of the named items that exists, in no
	// certain order. A vanished item is simply absent; an unreadable one comes
	// with Err set and does not fail its neighbours. An error of Get itself
	// means that the unmentioned items are unknown, not absent. An item's bytes
	// belong to the receiver from then on.
	Get(ctx context.Context, c CollectionID, ids []ItemID, yield func(Fetched) error) error

	// Put stores it.
	//
	// With an empty Revision it creates an item. ID is then a name that the
	// host chose (1 to 64 letters, digits, '-' and '_'); the store derives the
	// lasting ID from it, always in the same way. If an item of that derivation
	// exists already, Put changes nothing and answers kind Conflict together
	// with the ID and Revision of the item that is there: this is how a
	// repeated create meets its own first try.
	//
	// With a Revision it replaces that very revision of item ID, or changes
	// nothing and fails with kind Conflict (another revision is there) or
	// NotFound (none is).
	//
	// The answer has the lasting ID and the new Revision, and no Body. The
	// bytes are stored as they are; a store that must alter them answers the
	// altered item's revision.
	Put(ctx context.Context, c CollectionID, it Item) (Item, error)

	// Delete removes an item. With a Revision it removes that very revision,
	// or fails with Conflict; with an empty one it removes any. NotFound means
	// that it was gone before.
	Delete(ctx context.Context, c CollectionID, id ItemID, rev Revision) error

	// Move takes an item to another collection of the same kind, without a
	// moment in which it is in neither, and answers its ID and Revision there
	// (no Body). Unsupported if the store cannot.
	Move(ctx context.Context, from CollectionID, id ItemID, to CollectionID) (Item, error)

	// Close releases what the session holds.
	Close() error
}
