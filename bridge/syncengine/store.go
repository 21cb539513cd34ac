package syncengine

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Store keeps everything that the engine knows. Its methods may be called
// from many goroutines, and from many processes on one database. What the
// methods of Reader answer outside of an Update is committed.
type Store interface {
	Reader

	// Update runs change in one transaction: all that it writes comes true, or
	// nothing if it answers an error, which comes back. Nobody else updates
	// what belongs to the user meanwhile, and what change reads is the newest.
	// change may be called more than once, and uses nothing of the Store but
	// the Writer. It answers the first error that it meets and asks nothing
	// more: the database may have given the transaction up, and would take what
	// comes next for good.
	Update(ctx context.Context, user string, change func(Writer) error) error
}

// A Reader reads.
type Reader interface {
	FolderReader
	ItemReader
	HoldReader
	PartnershipReader
	AnswerReader
	ShownReader
	MoveReader
}

// A Writer reads and writes inside a transaction.
type Writer interface {
	Reader
	FolderWriter
	ItemWriter
	HoldWriter
	PartnershipWriter
	AnswerWriter
	ShownWriter
	MoveWriter
}

// A FolderRecord is a folder that is there or was there once.
type FolderRecord struct {
	Folder
	Order int  // its place in the backend's listing
	Gone  bool // the backend does not list it any more
}

// A FolderReader finds folders.
type FolderReader interface {
	// Folders lists all folders of a user, those that are gone too, in the order of their IDs.
	Folders(ctx context.Context, user string) ([]FolderRecord, error)

	// Folder finds one; ErrNoFolder if the user has none with this ID, gone or not.
	Folder(ctx context.Context, user string, id FolderID) (FolderRecord, error)

	// FoldersAmong lists those of a user's folders, gone or not, that have one of
	// these IDs, in no certain order. It costs as many questions as there are
	// times MaxAmong IDs, begun ones included.
	FoldersAmong(ctx context.Context, user string, ids []FolderID) ([]FolderRecord, error)
}

// MaxAmong is how many folders one question to the store is about: more than
// most phones wait for, and the place for the folders themselves, see
// [PartnershipReader].
const MaxAmong = 8

// A FolderWriter stores folders.
type FolderWriter interface {
	// SaveFolder creates a folder of f.User if its ID is 0, and answers the new
	// ID, which was never used before; else it replaces the folder of that ID.
	SaveFolder(ctx context.Context, f FolderRecord) (FolderID, error)
}

// A Mirror is what is known of a folder's items as a whole. The zero Mirror is
// that of a folder which was never listed.
type Mirror struct {
	Cursor   backend.Cursor // where the next listing begins
	Sequence int64          // of the last change
	Numbers  Number         // the last number given to an item
	Touches  int64          // how many times a phone's command wrote to an item
	Doubt    int64          // since when items of the folder are held, see HoldRecord; 0 if none are
	Zone     string         // Options.Zone when phones were shown the items; empty if nobody asked then
}

// An Item is one row of a folder's mirror.
type Item struct {
	Number   Number
	ID       backend.ItemID
	Revision backend.Revision
	Sequence int64 // of its last change
	Revised  int64 // of the last change that was more than the passing of time
	Removed  bool
	Touched  int64 // Mirror.Touches after a command wrote it last; 0 if none did, -1 if a phone looked for it in vain since
	Known    bool  // whether Facts are those of this revision
	Facts          // Forever and not done unless Known
}

// An End is a place in the order in which a folder's items end.
type End struct {
	Ends   int64
	Number Number
}

// Compare is negative, zero or positive as e comes before, at or after o.
func (e End) Compare(o End) int {
	switch {
	case e.Ends < o.Ends, e.Ends == o.Ends && e.Number < o.Number:
		return -1
	case e == o:
		return 0
	}
	return 1
}

// An ItemReader reads the mirror of a folder.
type ItemReader interface {
	Mirror(ctx context.Context, f FolderID) (Mirror, error)

	// Item finds an item, removed or not; ErrNoItem if there never was one.
	Item(ctx context.Context, f FolderID, n Number) (Item, error)

	// ItemsNamed finds the items with these IDs (at most backend.MaxBatch),
	// removed or not, in no certain order.
	ItemsNamed(ctx context.Context, f FolderID, ids []backend.ItemID) ([]Item, error)

	// ItemsAfter lists items whose Sequence is greater than after, removed or
	// not, in that order.
	ItemsAfter(ctx context.Context, f FolderID, after int64, limit int) ([]Item, error)

	// ItemsEnding lists items that are there, are Known, whose Sequence is at
	// most upTo and whose End lies in [from, to): in the order of their Ends,
	// or backwards.
	ItemsEnding(ctx context.Context, f FolderID, from, to End, backwards bool, upTo int64, limit int) ([]Item, error)

	// ItemsDone lists items that are there, are Known and Done, whose Sequence
	// is at most upTo and whose Number is greater than after, in that order; or
	// those whose Number is at most after, in the other.
	ItemsDone(ctx context.Context, f FolderID, after Number, backwards bool, upTo int64, limit int) ([]Item, error)

	// ItemsUnknown lists items that are there, not Known, and whose Sequence is
	// at most upTo.
	ItemsUnknown(ctx context.Context, f FolderID, upTo int64, limit int) ([]Item, error)

	// ItemsDue lists items that are there and have a Due that is at most by, the
	// earliest first.
	ItemsDue(ctx context.Context, f FolderID, by int64, limit int) ([]Item, error)

	// Numbers calls yield with every item that is there and its Touched. yield
	// must not use the store.
	Numbers(ctx context.Context, f FolderID, yield func(n Number, touched int64)) error
}

// An ItemWriter changes the mirror of a folder.
type ItemWriter interface {
	SaveMirror(ctx context.Context, f FolderID, m Mirror) error

	// SaveItems creates or replaces items by Number; at most backend.MaxBatch.
	SaveItems(ctx context.Context, f FolderID, items []Item) error

	// SaveFacts makes the facts of an item Known if they are not, and it still
	// has the revision and is there.
	SaveFacts(ctx context.Context, f FolderID, n Number, rev backend.Revision, facts Facts) error

	// RemoveItems marks items as removed; the first one's Sequence and Revised
	// are first, the next one's first+1 and so on. They are not due any more.
	RemoveItems(ctx context.Context, f FolderID, numbers []Number, first int64) error

	// PurgeItems deletes the rows of removed items that every partnership with
	// the folder has left behind, in its present state and in the one before.
	PurgeItems(ctx context.Context, f FolderID) error
}

// A HoldRecord names the items that a listing missed and that are not removed
// before they are believed to be gone. There is one for each folder whose
// Mirror.Doubt is not 0.
type HoldRecord struct {
	Folder  FolderID
	Since   int64  // Unix seconds
	Items   int    // how many are held
	Of      int    // how many items the folder had then
	Numbers []byte // of the items, in the engine's own encoding

	User, Name string // of the folder; only Holds fills them in
}

// A HoldReader reads holds.
type HoldReader interface {
	// Hold finds the hold of a folder; its Folder is 0 if there is none.
	Hold(ctx context.Context, f FolderID) (HoldRecord, error)

	// Holds lists the holds of all users' folders that are there, without
	// their Numbers, the oldest first.
	Holds(ctx context.Context) ([]HoldRecord, error)
}

// A HoldWriter stores holds.
type HoldWriter interface {
	SaveHold(ctx context.Context, h HoldRecord) error
	DeleteHold(ctx context.Context, f FolderID) error
}

// A Partnership is what one phone has been told of one folder, or, with folder
// 0, of the folders. The states are in the engine's own encoding.
type Partnership struct {
	Folder FolderID
	Present
	Before  Before
	Results []byte // of the commands in the round from Before to Present
}

// Present is the state after the last round.
type Present struct {
	Key        Key
	Position   int64 // in the mirror's sequence
	Unfinished bool  // there is news that does not lie behind the position
	State      []byte
}

// Before is the state that led to the present one. Its Key is empty if there
// is none.
type Before struct {
	Key      Key
	Position int64
	State    []byte
}

// A Standing says how far a phone is behind.
type Standing struct {
	Position   int64 // the partnership's
	Sequence   int64 // the mirror's
	Unfinished bool
}

// A FolderStanding is the Standing of a phone and a folder.
type FolderStanding struct {
	Folder FolderID
	Standing
	Told []byte // the present state of folder 0; nil for others
}

// A PartnershipReader reads partnerships.
type PartnershipReader interface {
	// Partnership finds one, or answers ErrUnknown.
	Partnership(ctx context.Context, p Phone, f FolderID) (Partnership, error)

	// PresentState is the Present of Partnership without the rest.
	PresentState(ctx context.Context, p Phone, f FolderID) (Present, error)

	// Standing compares a partnership with the mirror in one question;
	// ErrUnknown if there is no partnership.
	Standing(ctx context.Context, p Phone, f FolderID) (Standing, error)

	// Standings are the Standing of each of these folders that there is a
	// partnership with, in no certain order, and Told of folder 0, if that is
	// among them. It costs as many questions as FoldersAmong.
	Standings(ctx context.Context, p Phone, ids []FolderID) ([]FolderStanding, error)

	// Foremost is the greatest position of a present partnership with the
	// folder; 0 if there is none.
	Foremost(ctx context.Context, f FolderID) (int64, error)
}

// A PartnershipWriter stores partnerships.
type PartnershipWriter interface {
	SavePartnership(ctx context.Context, p Phone, s Partnership) error

	// SavePresent replaces the Present of a partnership that there is.
	SavePresent(ctx context.Context, p Phone, f FolderID, s Present) error

	// DeletePartnership is no error if there is none.
	DeletePartnership(ctx context.Context, p Phone, f FolderID) error

	// DeletePartnerships deletes all of a phone, with its answers and moves.
	DeletePartnerships(ctx context.Context, p Phone) error
}

// An Answer is what a request got.
type Answer struct {
	Request []byte // names the request, 32 bytes
	Led     []byte // the keys that it led to, in the engine's own encoding
	Body    []byte
}

// An AnswerReader reads answers.
type AnswerReader interface {
	// Answer finds the answer to a request; its Request is nil if there is none.
	Answer(ctx context.Context, p Phone, request []byte) (Answer, error)

	// Answers lists a phone's answers without their bodies, the oldest first.
	Answers(ctx context.Context, p Phone) ([]Answer, error)
}

// An AnswerWriter stores answers.
type AnswerWriter interface {
	SaveAnswer(ctx context.Context, p Phone, a Answer) error
	DeleteAnswer(ctx context.Context, p Phone, request []byte) error
}
