// Package memory is the reference backend: it keeps every promise of the contract without a disk, and fails on demand for the tests of others.
//
// Beside what the contract asks it has three doors for tests: [Backend.Store],
// [Backend.Remove] and their neighbours change things from outside, as another
// program on the same server would; [Backend.Fail] makes calls fail, wholly or
// midway; [Backend.Expire] forgets the history.
package memory

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Backend holds people with their collections. Its methods may be called
// from many goroutines. Make one with New.
type Backend struct {
	mu       sync.Mutex
	people   map[string]*person
	watchers map[*watcher]struct{}
	failures []*Failure
	held     []hold
	calls    map[Op]int
	epochs   int64
	mails    bool              // see Schedule
	busy     map[string][]byte // see SetFreeBusy
	sent     []Sent
	closed   bool
}

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Watcher = (*Session)(nil)
	_ backend.Prober  = (*Session)(nil)

	_ backend.Scheduler  = (*Session)(nil)
	_ backend.Identifier = (*Session)(nil)
	_ backend.FreeBusier = (*Session)(nil)

	_ backend.FolderEditor = (*Session)(nil)

	_ backend.Mailbox    = (*Session)(nil)
	_ backend.Sender     = (*Session)(nil)
	_ backend.Searcher   = (*Session)(nil)
	_ backend.Vacationer = (*Session)(nil)
)

type person struct {
	password    string
	collections map[backend.CollectionID]*collection
	order       []backend.CollectionID
	identity    backend.Identity
	vacation    backend.Vacation
}

// A collection remembers for each item, present or removed, the sequence
// number of its last change. The cursor is a sequence number and the epoch
// that it belongs to; a new epoch expires every cursor.
type collection struct {
	backend.Collection
	sequence int64
	epoch    int64
	items    map[backend.ItemID]*item
	log      []entry // every change, oldest first; those that a later one overtook go now and then
}

type entry struct {
	id       backend.ItemID
	sequence int64
}

type item struct {
	sequence int64
	revision backend.Revision
	body     []byte // never written to again
	removed  bool

	flags    []string // of a message, as backend.Flags answers them
	received time.Time
}

// New answers a backend without people.
func New() *Backend {
	return &Backend{
		people:   make(map[string]*person),
		watchers: make(map[*watcher]struct{}),
		calls:    make(map[Op]int),
		busy:     make(map[string][]byte),
	}
}

// Settings are what Open reads from a configuration.
type Settings struct {
	Users map[string]string `setting:"users,required"` // passwords by name
}

// Open answers a backend with the people of the settings, each with the
// DefaultCollections. It is what a plugin process of this backend runs.
func Open(_ context.Context, settings backend.Settings) (backend.Backend, error) {
	var s Settings
	if err := settings.Decode(&s); err != nil {
		return nil, err
	}
	b := New()
	for name, password := range s.Users {
		b.AddUser(name, password)
	}
	return b, nil
}

// DefaultCollections is one collection of each kind.
func DefaultCollections() []backend.Collection {
	return []backend.Collection{
		{ID: "contacts", Kind: backend.Contacts, Name: "Contacts", Default: true},
		{ID: "calendar", Kind: backend.Events, Name: "Calendar", Default: true, Colour: "#3366cc"},
		{ID: "tasks", Kind: backend.Tasks, Name: "Tasks", Default: true},
		{ID: "notes", Kind: backend.Notes, Name: "Notes", Default: true},
		{ID: "inbox", Kind: backend.Mail, Name: "Inbox", Default: true, Role: backend.RoleInbox},
	}
}

// MailCollections are folders for mail of each role.
func MailCollections() []backend.Collection {
	return []backend.Collection{
		{ID: "inbox", Kind: backend.Mail, Name: "Inbox", Default: true, Role: backend.RoleInbox},
		{ID: "drafts", Kind: backend.Mail, Name: "Drafts", Role: backend.RoleDrafts},
		{ID: "sent", Kind: backend.Mail, Name: "Sent", Role: backend.RoleSent},
		{ID: "trash", Kind: backend.Mail, Name: "Trash", Role: backend.RoleTrash},
		{ID: "junk", Kind: backend.Mail, Name: "Junk", Role: backend.RoleJunk},
		{ID: "archive", Kind: backend.Mail, Name: "Archive", Role: backend.RoleArchive},
	}
}

// AddUser adds a person with these collections, or with the
// DefaultCollections if none are named. It replaces a person of that name.
func (b *Backend) AddUser(name, password string, collections ...backend.Collection) {
	if len(collections) == 0 {
		collections = DefaultCollections()
	}
	b.mu.Lock()
	b.people[name] = &person{password: password, collections: make(map[backend.CollectionID]*collection)}
	b.mu.Unlock()
	for _, c := range collections {
		b.SetCollection(name, c)
	}
}

// SetPassword changes a person's password; sessions opened with the old one
// are Denied from now on.
func (b *Backend) SetPassword(name, password string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.person(name).password = password
}

// Open answers a session if the password is right, else kind Denied.
func (b *Backend) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	if err := b.begin(ctx, OpOpen, "", c); err != nil {
		return nil, err
	}
	return &Session{b: b, credentials: c}, nil
}

// Close makes every later call fail with kind Transient and ends watching.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for w := range b.watchers {
		w.wake()
	}
	return nil
}

// person answers a person who must be there: these are the doors of tests,
// where a wrong name is a mistake in the program.
func (b *Backend) person(name string) *person {
	p := b.people[name]
	if p == nil {
		panic(fmt.Sprintf("memory: no user %q", name))
	}
	return p
}

var (
	errClosed   = errors.New("the backend is closed")
	errPassword = errors.New("wrong user or password")
)

// begin is the first step of every call: it counts the call and refuses it if
// the context, the credentials or a Failure say so.
func (b *Backend) begin(ctx context.Context, op Op, c backend.CollectionID, who backend.Credentials) error {
	if err := ctx.Err(); err != nil {
		return backend.E(backend.Transient, "memory: "+string(op), err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[op]++
	if b.closed {
		return backend.E(backend.Transient, "memory: "+string(op), errClosed)
	}
	if err := b.failing(op, c); err != nil {
		return err
	}
	p := b.people[who.User]
	if p == nil || subtle.ConstantTimeCompare([]byte(p.password), []byte(who.Password)) == 0 {
		return backend.E(backend.Denied, "memory: "+string(op), errPassword)
	}
	return nil
}

// put writes an item and tells those who watch. b.mu is held.
func (b *Backend) put(user string, c *collection, id backend.ItemID, body []byte) backend.Revision {
	it := &item{body: slices.Clone(body)}
	if c.Kind == backend.Mail {
		it.received = time.Now().Truncate(time.Second)
		if old := c.present(id); old != nil {
			it.flags, it.received = old.flags, old.received
		}
	}
	return b.set(user, c, id, it)
}

// set gives an item its next revision and tells those who watch. b.mu is held.
func (b *Backend) set(user string, c *collection, id backend.ItemID, it *item) backend.Revision {
	c.sequence++
	it.sequence, it.revision = c.sequence, backend.Revision(fmt.Sprintf("%d-%d", c.epoch, c.sequence))
	c.items[id] = it
	c.note(id)
	b.changed(user, c.ID)
	return it.revision
}

// remove marks an item as removed and tells those who watch. b.mu is held.
func (b *Backend) remove(user string, c *collection, id backend.ItemID) {
	c.sequence++
	c.items[id] = &item{sequence: c.sequence, removed: true}
	c.note(id)
	b.changed(user, c.ID)
}

// note writes the present change of an item into the log. b.mu is held.
func (c *collection) note(id backend.ItemID) {
	c.log = append(c.log, entry{id, c.sequence})
	if len(c.log) > 2*len(c.items)+16 {
		c.log = slices.DeleteFunc(c.log, func(e entry) bool { return !c.current(e) })
	}
}

// current tells whether an entry is the last change of its item. b.mu is held.
func (c *collection) current(e entry) bool {
	it := c.items[e.id]
	return it != nil && it.sequence == e.sequence
}

// nextEpoch answers an epoch that no collection had. b.mu is held.
func (b *Backend) nextEpoch() int64 {
	b.epochs++
	return b.epochs
}

// number answers a number that nothing else has. b.mu is held.
func (b *Backend) number() string { return strconv.FormatInt(b.nextEpoch(), 10) }
