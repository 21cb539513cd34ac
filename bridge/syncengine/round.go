package syncengine

import (
	"context"
	"errors"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

var errLater = errors.New("syncengine: not built yet")

// New builds an engine. It panics if Options lack a Store.
func New(o Options) *Engine {
	if o.Store == nil {
		panic("syncengine: Options.Store is required")
	}
	return &Engine{Options: o}
}

// An Engine answers what is news to whom. Its methods may be called from many
// goroutines at a time.
type Engine struct {
	Options
}

// SetFolders takes complete lists of the named backends' collections; folders
// of backends that are not named stay as they are. It tells whether anything
// that a phone can see is different now. A collection that vanishes and comes
// back gets its old FolderID. One writable folder of each kind is the Default:
// the store's own first choice, else the first listed; it stays the Default as
// long as it exists.
func (e *Engine) SetFolders(ctx context.Context, user string, listings []Listing) (changed bool, err error) {
	return false, errLater
}

// Folders lists what the user has, parents before their children.
func (e *Engine) Folders(ctx context.Context, user string) ([]Folder, error) {
	return nil, errLater
}

// Folder finds one of the user's folders; ErrNoFolder if it is gone, never was
// or is somebody else's.
func (e *Engine) Folder(ctx context.Context, user string, id FolderID) (Folder, error) {
	return Folder{}, errLater
}

// Hierarchy answers a FolderSync and remembers the answer before it returns.
// NoKey tells every folder as Added; the present key tells what is different
// and, if nothing is, answers the same key; the key before (its answer was
// lost) tells the difference from that earlier state. Every other key is
// ErrInvalidKey. show may hide folders from this phone.
func (e *Engine) Hierarchy(ctx context.Context, p Phone, key Key, show ...func(Folder) bool) (HierarchyRound, error) {
	return HierarchyRound{}, errLater
}

// HierarchyPending tells whether Hierarchy would have something to tell under
// the present key; true if the phone never asked.
func (e *Engine) HierarchyPending(ctx context.Context, p Phone, show ...func(Folder) bool) (bool, error) {
	return false, errLater
}

// Refresh asks s what changed in f since the last time and tells whether the
// mirror got something new. A caller that arrives while a refresh of the
// folder is under way shares the next one with all who wait. A listing that
// fails removes nothing, and its error comes back.
func (e *Engine) Refresh(ctx context.Context, f Folder, s Source) (changed bool, err error) {
	return false, errLater
}

// Begin opens a round for the key that the phone sent. NoKey is an Initial
// round; a key that is neither the present one nor the one before is
// ErrInvalidKey. Nothing is written before Commit, except to the mirror.
func (e *Engine) Begin(ctx context.Context, p Phone, f Folder, key Key, s Source) (*Round, error) {
	return nil, errLater
}

// Pending tells whether a Sync of the folder would have news for the phone, by
// a compare of two numbers where nothing happened. ErrUnknown if the phone
// never synchronized the folder. News of which only the passing of time is the
// cause does not count.
func (e *Engine) Pending(ctx context.Context, p Phone, id FolderID) (bool, error) {
	return false, errLater
}

// Commit makes the rounds of one request come true together, and keeps the
// answer for a repetition of the request; ErrKeyMoved, and nothing is changed,
// if another request came first. request names the request (a hash of what it
// means, keys included). It is to be called with all rounds of a request, the
// ones that are not Dirty too, and goes on when the context ends.
func (e *Engine) Commit(ctx context.Context, p Phone, request, answer []byte, rounds ...*Round) error {
	return errLater
}

// Replay finds the answer that a request got before, as long as every
// partnership in it is still in the state that the answer led to.
func (e *Engine) Replay(ctx context.Context, p Phone, request []byte) (answer []byte, ok bool, err error) {
	return nil, false, errLater
}

// Forget ends the partnership of a phone and a folder, if there is one.
func (e *Engine) Forget(ctx context.Context, p Phone, id FolderID) error { return errLater }

// ForgetPhone ends all that is remembered of a phone.
func (e *Engine) ForgetPhone(ctx context.Context, p Phone) error { return errLater }

// A Round is one phone's Sync of one folder, from its key to the next. It
// belongs to one goroutine.
type Round struct {
	Folder   Folder
	Initial  bool // the phone begins anew; the answer has a key and no items
	Repeated bool // the key before came again: the state is what it was then
}

// Settings are what the server wanted to remember, in its own encoding; they
// roll back with the partnership. Nil if nothing was set.
func (r *Round) Settings() []byte { return nil }

// SetSettings replaces the Settings.
func (r *Round) SetSettings(b []byte) {}

// Filter is what the phone wanted to see last.
func (r *Round) Filter() Filter { return Filter{} }

// SetFilter says what the phone wants to see from now on. It does not make the
// round Dirty; the news that comes of it does. Call it before Peek.
func (r *Round) SetFilter(f Filter) {}

// Key is the key that the answer carries: a new one if the round is Dirty,
// else the one that the phone sent.
func (r *Round) Key() Key { return NoKey }

// Dirty tells whether the answer needs a new key: the round is Initial or
// Repeated, commands were applied, news was taken or the settings changed.
func (r *Round) Dirty() bool { return false }

// Lookup finds an item that the phone names. ErrNoItem if the phone does not
// hold it or it is gone (then row.Removed is set). conflict tells that the
// item's revision is not the one that this phone was told last.
func (r *Round) Lookup(ctx context.Context, n Number) (row Row, conflict bool, err error) {
	return Row{}, false, errLater
}

// NextName is the name for an item that the phone adds: the same whenever the
// phone sends the same ClientId with the same key again, and no other's.
func (r *Round) NextName(clientID string) string { return "" }

// Earlier tells what became of an Add in the round that this one repeats. The
// phone repeats the Add, too: so the item counts as held from here on.
func (r *Round) Earlier(clientID string) (Result, bool) { return Result{}, false }

// Added says that the phone's item was created, or that its create met its own
// first try. The body of it, where given, spares reading the item's facts. The
// phone holds the item and it is no news to it in this revision.
func (r *Round) Added(ctx context.Context, clientID string, it backend.Item) (Number, error) {
	return 0, errLater
}

// Changed says that the phone's change of an item led to a revision.
func (r *Round) Changed(ctx context.Context, n Number, rev backend.Revision) error { return errLater }

// Deleted says that the phone's deletion of an item was carried out, or that
// the item was gone before.
func (r *Round) Deleted(ctx context.Context, n Number) error { return errLater }

// Peek answers the next news in order, at most limit, without taking it.
func (r *Round) Peek(ctx context.Context, limit int) ([]News, error) { return nil, errLater }

// Told says that a piece of news is in the answer, in a revision that may be
// newer than the news said. News is told or skipped in Peek's order; anything
// else panics.
func (r *Round) Told(n News, rev backend.Revision) {}

// Skip says that a piece of news could not be sent; the round goes on behind
// it. The phone holds the item if it held it before.
func (r *Round) Skip(n News) {}

// More tells whether there is news that is neither told nor skipped.
func (r *Round) More(ctx context.Context) (bool, error) { return false, errLater }

// Estimate counts the news, up to EstimateLimit. Items of which a filter does
// not know enough count.
func (r *Round) Estimate(ctx context.Context) (int, error) { return 0, errLater }
