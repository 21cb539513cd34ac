package backend

import (
	"context"
	"slices"
	"time"
)

// An Extra names an optional ability of a session. The names travel between
// processes at the handshake and are therefore append-only.
type Extra string

// The extras there are.
const (
	ExtraWatch Extra = "watch" // the session is a Watcher
	ExtraProbe Extra = "probe" // the session is a Prober

	ExtraWatchList Extra = "watch-list" // the session is a ListWatcher

	ExtraSchedule Extra = "schedule" // the session is a Scheduler

	ExtraIdentity     Extra = "identity" // the session is an Identifier
	ExtraFreeBusy     Extra = "freebusy" // the session is a FreeBusier
	ExtraFolderEditor Extra = "folders"  // the session is a FolderEditor

	ExtraSubscribe Extra = "subscribe" // the session is a Subscriber

	ExtraMail     Extra = "mail"     // the session is a Mailbox
	ExtraSend     Extra = "send"     // the session is a Sender
	ExtraSearch   Extra = "search"   // the session is a Searcher
	ExtraVacation Extra = "vacation" // the session is a Vacationer
)

// A Watcher is a Session that notices changes by itself. A Session that is
// not a Watcher is polled.
type Watcher interface {
	Session

	// Watch calls changed whenever one of the collections may have changed
	// since Watch began, from one goroutine, until the context ends or watching
	// breaks; it answers why. Every change made after ready was called is
	// noticed; several may be told at once, and a hint without a change behind
	// it is harmless. ready is called once, as soon as watching works.
	Watch(ctx context.Context, cs []CollectionID, ready func(), changed func(CollectionID)) error
}

// A ListWatcher is a Watcher that may tell of the list of collections as well. Of
// any other one, whoever wants to know has to ask for the list.
type ListWatcher interface {
	Watcher

	// WatchesList tells whether Watch, given the empty CollectionID among
	// others, promises the same of the list of the person's collections: one
	// has come, has gone, or is described otherwise. It answers from memory.
	WatchesList() bool
}

// A Follower is a Watcher that can do without a goroutine for each who watches.
// It is no extra of its own: a Watcher that is none is watched with Watch.
type Follower interface {
	Watcher

	// Follow begins what Watch does, and returns; f is told what comes of it.
	// False means that it has to be done with Watch this time, and that f is
	// told nothing.
	//
	// stop ends it and frees what it holds, after f was told of the end, too. It
	// does not wait: what f is being told meanwhile may still arrive.
	Follow(cs []CollectionID, f Followed) (stop func(), ok bool)
}

// Followed is told by a Follower, at times before Follow has returned. Its
// methods must not block, nor call the Follower.
type Followed interface {
	Ready()               // once, as soon as watching works
	Changed(CollectionID) // it may have changed
	Ended(error)          // watching broke; said once, and last
}

// A Prober is a Session that can be asked cheaply whether a collection
// changed. A Session that is not a Prober is asked for its Changes instead.
type Prober interface {
	Session

	// Probe answers an opaque tag for each collection. As long as a
	// collection's tag is the same, nothing in it has changed; a new tag
	// without a change behind it is harmless. A collection that is gone is
	// absent from the answer.
	Probe(ctx context.Context, cs []CollectionID) (map[CollectionID]string, error)
}

// A Scheduler is a Session of a store that may itself tell people of meetings:
// it sends the invitations when an event with guests is put, and the answer
// when a guest's is. A Session that is not a Scheduler tells nobody.
type Scheduler interface {
	Session

	// Schedules tells whether the store does that for events which are put
	// into a collection. It is asked before an event is written, and answers
	// from memory where it can.
	Schedules(ctx context.Context, c CollectionID) (bool, error)
}

// An Identity is what a store knows of the person whose session it is.
type Identity struct {
	Name      string   // what people call the person; empty if the store does not know
	Addresses []string // mail addresses, the preferred one first
}

// An Identifier is a Session of a store that knows under which mail addresses
// people are invited. Of the person of any other Session the address is what the
// configuration makes of the login.
type Identifier interface {
	Session

	// Identity answers what the store knows now. No addresses are no error.
	Identity(ctx context.Context) (Identity, error)
}

// MaxFreeBusy bounds what a store tells of one person's time, in bytes; years of
// a full calendar fit.
const MaxFreeBusy = 256 << 10

// A FreeBusier is a Session of a store that tells when other people are busy, as
// far as the person may know. Where a Session is not one, nothing is known of
// others.
type FreeBusier interface {
	Session

	// FreeBusy answers text/calendar with a VFREEBUSY for each of the mail
	// addresses (at most MaxBatch) of which the store tells something between
	// two moments. An address that it does not know, or of which it may not
	// tell, is absent. Unsupported means that this store tells of nobody.
	FreeBusy(ctx context.Context, addresses []string, from, to time.Time) (map[string][]byte, error)
}

// A Subscriber is a Session of a store that sends Web Push messages (RFC 8030,
// RFC 8291) when something changes, to whoever asks for them. A Session that is
// not a Subscriber is polled.
type Subscriber interface {
	Session

	// Subscribe asks for a message at each change in a collection, except for
	// those that sessions of this backend make themselves where the store can
	// leave them out. The same resource again renews the subscription. Kind
	// Unsupported means that the store sends none for this collection.
	Subscribe(ctx context.Context, c CollectionID, s PushSubscription) (PushRegistration, error)
}

// A PushSubscription is where messages are to go, and for whom they are
// encrypted.
type PushSubscription struct {
	Resource  string // an absolute URL
	PublicKey []byte // of P-256, in uncompressed form
	Auth      []byte // the authentication secret
	Expires   time.Time
}

// A PushRegistration is what a store made of a PushSubscription.
type PushRegistration struct {
	// ServerKey is with which the store signs its messages (RFC 8292): of P-256,
	// in uncompressed form. Empty means that it does not.
	ServerKey []byte

	Expires time.Time // zero means as was asked for
}

// Extras lists the extras of a session, looking through wrappers.
func Extras(s Session) []Extra {
	var list []Extra
	for _, has := range []func(Session) (Extra, bool){
		extraOf[Watcher], extraOf[ListWatcher], extraOf[Prober], extraOf[Scheduler], extraOf[Identifier], extraOf[FreeBusier], extraOf[FolderEditor],
		extraOf[Subscriber], extraOf[Mailbox], extraOf[Sender], extraOf[Searcher], extraOf[Vacationer],
	} {
		if extra, ok := has(s); ok {
			list = append(list, extra)
		}
	}
	return list
}

// extraOf tells whether a session has the extra whose interface is T.
func extraOf[T Session](s Session) (Extra, bool) {
	_, ok := As[T](s)
	return nameOf[T](), ok
}

// nameOf answers the extra whose interface is T, or nothing.
func nameOf[T Session]() Extra {
	switch any((*T)(nil)).(type) {
	case *Watcher:
		return ExtraWatch
	case *ListWatcher:
		return ExtraWatchList
	case *Prober:
		return ExtraProbe
	case *Scheduler:
		return ExtraSchedule
	case *Identifier:
		return ExtraIdentity
	case *FreeBusier:
		return ExtraFreeBusy
	case *FolderEditor:
		return ExtraFolderEditor
	case *Subscriber:
		return ExtraSubscribe
	case *Mailbox:
		return ExtraMail
	case *Sender:
		return ExtraSend
	case *Searcher:
		return ExtraSearch
	case *Vacationer:
		return ExtraVacation
	}
	return ""
}

// An unwrapper is a session that adds behaviour to another one.
type unwrapper interface{ Unwrap() Session }

// An extrasLister is a session, such as the stub of one in another process,
// whose methods say more than it can do.
type extrasLister interface{ Extras() []Extra }

// As finds an extra in a session or in what the session wraps.
func As[T Session](s Session) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok && offers[T](s) {
			return t, true
		}
		w, ok := s.(unwrapper)
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	var none T
	return none, false
}

// offers tells whether a session that lists its extras lists the one whose
// interface is T.
func offers[T Session](s Session) bool {
	l, ok := s.(extrasLister)
	if !ok {
		return true
	}
	want := nameOf[T]()
	return want == "" || slices.Contains(l.Extras(), want)
}

// A Declarer is a Backend that says which extras its sessions may have, before
// anyone has opened one. A Backend in a plugin whose sessions have extras has
// to be one: the host offers what was declared, and polls otherwise. A session
// that lacks a declared extra after all answers Unsupported to it.
type Declarer interface {
	Backend
	Extras() []Extra
}

// Declared lists the extras that a backend declares.
func Declared(b Backend) []Extra {
	if d, ok := b.(Declarer); ok {
		return d.Extras()
	}
	return nil
}

// An Addressee is a Backend that may want to know where phones are. A session
// of one that does is used for phones at the address of its Credentials alone;
// every other backend shares a person's session between all places.
type Addressee interface {
	Backend
	WantsAddress() bool
}

// WantsAddress tells whether a backend wants to know where phones are.
func WantsAddress(b Backend) bool {
	a, ok := b.(Addressee)
	return ok && a.WantsAddress()
}

// A Resumer is a Backend that can make a session for credentials which it
// accepted minutes ago, without asking the store once more. Sessions of a
// Resumer are closed seconds after their last call, so that they need not keep
// a password in memory for longer; those of any other backend, minutes after.
type Resumer interface {
	Backend

	// Resume keeps the promises of Open, except that it need not notice that
	// the store would say no: the session's calls do. It answers nil and no
	// error if it has to be asked with Open after all.
	Resume(ctx context.Context, c Credentials) (Session, error)
}
