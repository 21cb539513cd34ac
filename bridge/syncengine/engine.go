// Package syncengine remembers what every phone has been told and works out what is news to it.
//
// Two tables carry everything. The mirror, per (user, folder), is shared by all
// of a person's phones: one row per item with a small stable [Number], the
// backend's ID and revision, and the sequence number of its last change. A
// partnership, per (user, device, folder), is a [Key], a position in the
// mirror's sequence and the set of numbers that the phone holds. News is what
// lies behind the position: held and visible is a Change, not held and visible
// an Add, held and gone a Delete, held and out of the filter a SoftDelete. The
// cost of a round follows what changed, never what exists.
//
// Beside its present state each partnership keeps the one that led to it, so
// that a phone whose answer was lost can ask again. See [MS-ASCMD] "Handling
// Status Errors": clients repeat a request that failed, and the server
// recognises the repetition and sends the same answer.
package syncengine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Phone is one device of one user. The device's ID alone says nothing: two
// people may use one device, and one device may hold two accounts.
type Phone struct {
	User   string // the account's name
	Device string // the DeviceId of the protocol
}

// A FolderID is the lasting number of a collection; it is the phone's ServerId
// of the folder.
type FolderID int64

// String writes the ID as the phone sees it.
func (f FolderID) String() string {
	if f.Merged() {
		return f.mergedName()
	}
	return strconv.FormatInt(int64(f), 10)
}

// ParseFolderID reads what String wrote, and nothing else: a folder that has two
// names could stand twice in a request.
func ParseFolderID(s string) (FolderID, error) {
	if m := parseMerged(s); m != 0 {
		return m, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || FolderID(n).String() != s {
		return 0, fmt.Errorf("%w: %.70q is not a folder's ServerId", ErrNoFolder, s)
	}
	return FolderID(n), nil
}

// A Number is the lasting number of an item in its folder. It is never used
// again for another item.
type Number uint32

// ServerID writes the phone's name for an item of a folder: "5:123".
func ServerID(f FolderID, n Number) string {
	return f.String() + ":" + strconv.FormatUint(uint64(n), 10)
}

// ParseServerID reads what ServerID wrote, and nothing else.
func ParseServerID(s string) (FolderID, Number, error) {
	folder, number, ok := strings.Cut(s, ":")
	f, err1 := ParseFolderID(folder)
	n, err2 := strconv.ParseUint(number, 10, 32)
	if !ok || err1 != nil || err2 != nil || n == 0 || f.Merged() || ServerID(f, Number(n)) != s {
		return 0, 0, fmt.Errorf("%w: %.70q is not an item's ServerId", ErrNoItem, s)
	}
	return f, Number(n), nil
}

// A Folder is a collection as phones know it.
type Folder struct {
	ID         FolderID
	User       string // whose folder list it is in
	Backend    string // the name in the configuration
	Collection backend.CollectionID
	Kind       backend.CollectionKind
	Name       string
	Parent     FolderID // 0 at the top

	// Default: the one folder of its kind that phones treat as the main one, or of
	// its Role, where phones know the role.
	Default  bool
	ReadOnly bool
	Colour   string
	Owner    string
	Role     backend.Role // of a mail folder
	Zone     string       // the time zone of a calendar's own; empty if it has none
}

// A Key is a SyncKey: "0", or the name of a series and the number of a round in it.
type Key string

// NoKey is what a phone sends that begins anew.
const NoKey Key = "0"

// Errors that callers tell apart.
var (
	ErrInvalidKey = errors.New("syncengine: the key is neither the present one nor the one before") // Sync 3, FolderSync 9
	ErrNoFolder   = errors.New("syncengine: no such folder")                                        // Sync 8 or 12
	ErrNoItem     = errors.New("syncengine: no such item")                                          // Sync 8
	ErrUnknown    = errors.New("syncengine: the phone never synchronized this folder")
	ErrKeyMoved   = errors.New("syncengine: another request of this phone was faster") // Sync 16
	ErrNoHold     = errors.New("syncengine: nothing of this folder is held")
)

// Facts are what has to be known of an item beside its revision.
type Facts struct {
	Ends int64 // Unix seconds after which nothing of it happens; Forever if there is no such moment
	Done bool  // a completed task
	Due  int64 // Unix seconds from which on phones are shown something else, though the item is the same; 0 if there is no such moment
}

// Forever is the end of what has no end. An item whose facts cannot be read
// has it, so that no filter hides it.
const Forever = int64(math.MaxInt64)

// A Filter says what of a folder a phone wants. The zero value wants all.
type Filter struct {
	Since time.Time // items that ended before are out; zero means no limit
	Open  bool      // completed tasks are out
}

// Options tell New what to build with. Store is required.
type Options struct {
	Store Store

	// Describe reads an item's facts, for folders of the kinds that have
	// filters (events, tasks). Nil, or an error, means Facts{Ends: Forever}.
	Describe func(Folder, backend.Item) (Facts, error)

	// Zone names the time zone in which items of a folder are that say none;
	// empty for folders in which there are none of such. Where it becomes another
	// one, those which Floats tells of are a Change to whoever holds them. Nil
	// means that there are none.
	Zone   func(Folder) string
	Floats func(backend.Item) bool

	// Ages tells of which kinds there are items with Facts.Due. Nil means of
	// none.
	Ages func(backend.CollectionKind) bool

	// Changed is called after a refresh, a write, a Release or a Resync that
	// made something new to a phone, with the folder (0 for the hierarchy);
	// never while a lock is held. Nil means that nobody listens.
	Changed func(user string, f FolderID)

	// Prefer tells of the folders that an administrator wants to be the Default
	// of their kind; the first one is. Nil, or none, leaves it to the rule of
	// SetFolders.
	Prefer func(Folder) bool

	// Brake says when a deletion of many items is not believed at once.
	Brake Brake

	// Braked is called when a Hold begins and when it ends; never while a lock
	// is held. Nil means that nobody listens.
	Braked func(Hold, HoldEvent)
}

// An Engine answers what is news to whom. Its methods may be called from many
// goroutines at a time.
type Engine struct {
	store    Store
	describe func(Folder, backend.Item) (Facts, error)
	zone     func(Folder) string
	floats   func(backend.Item) bool
	ages     func(backend.CollectionKind) bool
	changed  func(user string, f FolderID)
	brake    Brake
	braked   func(Hold, HoldEvent)
	prefer   func(Folder) bool
	flights  flights
}

// New builds an engine.
func New(o Options) *Engine {
	if o.Store == nil {
		panic("syncengine: Options.Store is required")
	}
	if o.Ages == nil {
		o.Ages = func(backend.CollectionKind) bool { return false }
	}
	if o.Zone == nil || o.Floats == nil {
		o.Zone = func(Folder) string { return "" }
	}
	return &Engine{
		store: o.Store, describe: o.Describe, zone: o.Zone, floats: o.Floats, ages: o.Ages, changed: o.Changed,
		brake: o.Brake.filled(), braked: o.Braked, prefer: o.Prefer,
	}
}

// An Op is what a piece of news tells the phone.
type Op int

// The operations.
const (
	Add Op = iota + 1
	Change
	Delete
	SoftDelete
)

// News is one thing that a phone does not know yet.
type News struct {
	Op       Op
	Number   Number
	ID       backend.ItemID
	Revision backend.Revision // empty for Delete and SoftDelete

	after  progress // how far the round is when this is told
	passed []Number // what the phone was found to know already, on the way here
	again  bool     // it could not be told before
}

// A Row is the mirror's knowledge of an item.
type Row struct {
	Number   Number
	ID       backend.ItemID
	Revision backend.Revision
	Removed  bool
	Told     backend.Revision // what the asking phone was told last; empty if that revision is gone and forgotten
}

// A Listing is the complete list of one backend's collections.
type Listing struct {
	Backend     string
	Collections []backend.Collection
}

// A HierarchyRound is what a phone is told of folders. Parents come before
// their children.
type HierarchyRound struct {
	Key     Key
	Added   []Folder
	Updated []Folder
	Deleted []FolderID
}

// A Result is what came of a command that a phone sent in a round; it is
// remembered for the case that the answer is lost.
type Result struct {
	ClientID string           `json:"c,omitempty"` // of an Add
	Number   Number           `json:"n"`
	Revision backend.Revision `json:"r,omitempty"` // what it led to; empty for a Delete
}

// A Source is where a folder's items are read from. backend.Session is one.
type Source interface {
	Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error)
	Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error
}

var _ Source = backend.Session(nil)
