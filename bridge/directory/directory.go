// Package directory finds people by name, address or number in address books, which it keeps an index of in memory.
//
// A book is indexed when somebody first looks for a person in it, from the
// contract's Changes and Get, and brought up to date by what changed since. Of
// each card a few lines are kept; photos and certificates stay at the backend
// and are read when they are wanted. Nothing is written down: what the index
// forgets is read again.
//
// A person's own books are found by that person alone. The books that an
// administrator names, see [Shared], are found by everybody.
package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Defaults of Options.
const (
	// DefaultFresh is how long a book is believed to be as it was. People type a
	// name letter by letter, and each letter is a question.
	DefaultFresh = time.Minute

	// DefaultIdle is how long a book is kept that nobody asks.
	DefaultIdle = time.Hour

	// DefaultPerOwner bounds the index of one person's books, in bytes, and that
	// of the shared ones: some 100,000 cards.
	DefaultPerOwner = 64 << 20

	// DefaultTotal bounds all of it, in bytes. Beyond it the books that were not
	// asked for longest go.
	DefaultTotal = 256 << 20
)

// A Place names an address book.
type Place struct {
	Owner      string // the account whose own book it is; empty for one that is shared
	Backend    string // the name in the configuration
	Collection backend.CollectionID
}

// IsShared tells whether everybody may look into the book.
func (p Place) IsShared() bool { return p.Owner == "" }

// A Source is where a book is read from. backend.Session is one.
type Source interface {
	Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error)
	Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error
}

var _ Source = backend.Session(nil)

// Options bound a Directory. The zero value means the defaults.
type Options struct {
	Fresh, Idle     time.Duration
	PerOwner, Total int

	// Shared are the books for everybody; nil means none.
	Shared *Shared

	// Cut is called once for a book that is too large to be kept whole. Nil
	// means that nobody listens.
	Cut func(Place)
}

// A Directory keeps indexes of books. Its methods may be called from many
// goroutines at a time. Make one with New.
type Directory struct {
	o Options

	mu    sync.Mutex
	books map[Place]*book
}

// New makes an empty directory.
func New(o Options) *Directory {
	if o.Fresh == 0 {
		o.Fresh = DefaultFresh
	}
	if o.Idle == 0 {
		o.Idle = DefaultIdle
	}
	if o.PerOwner == 0 {
		o.PerOwner = DefaultPerOwner
	}
	if o.Total == 0 {
		o.Total = DefaultTotal
	}
	return &Directory{o: o, books: make(map[Place]*book)}
}

// Shared are the books for everybody; nil if there are none.
func (d *Directory) Shared() *Shared { return d.o.Shared }

// Refresh brings the index of a book up to date, unless that was done a moment
// ago. One that ends early, by its context or by an error of the source, leaves
// what it read until then, and the next one goes on from there.
func (d *Directory) Refresh(ctx context.Context, p Place, s Source) error {
	b := d.book(p)
	if err := b.refresh(ctx, s, d.o.Fresh, func() bool { return d.spent(p.Owner) >= d.o.PerOwner }); err != nil {
		return fmt.Errorf("directory: refreshing %q: %w", p.Collection, err)
	}
	if b.reportCut() && d.o.Cut != nil {
		d.o.Cut(p)
	}
	d.tidy(p)
	return nil
}

// book finds or begins the index of a place.
func (d *Directory) book(p Place) *book {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.books[p]
	if b == nil {
		b = newBook(p)
		d.books[p] = b
	}
	b.used = time.Now()
	return b
}

// spent is how many bytes the books of an owner take.
func (d *Directory) spent(owner string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for p, b := range d.books {
		if p.Owner == owner {
			n += b.size()
		}
	}
	return n
}

// tidy drops books that nobody asked for long, and then, while all are too
// large together, those that were not asked for longest; never the one in use.
func (d *Directory) tidy(inUse Place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	total := 0
	for p, b := range d.books {
		if p != inUse && time.Since(b.used) > d.o.Idle {
			delete(d.books, p)
			continue
		}
		total += b.size()
	}
	for total > d.o.Total {
		var oldest *book
		for p, b := range d.books {
			if p != inUse && (oldest == nil || b.used.Before(oldest.used)) {
				oldest = b
			}
		}
		if oldest == nil {
			return
		}
		total -= oldest.size()
		delete(d.books, oldest.place)
	}
}

// Forget drops the index of a book.
func (d *Directory) Forget(p Place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.books, p)
}

// Size is how many people and bytes are kept.
func (d *Directory) Size() (people, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.books {
		people += b.count()
		bytes += b.size()
	}
	return people, bytes
}

// at finds the indexes of places, as far as there are any, and keeps them as they
// are until release. complete tells whether they have everything.
func (d *Directory) at(places []Place) (list []*book, complete bool, release func()) {
	d.mu.Lock()
	for _, p := range places {
		if b := d.books[p]; b != nil && !slices.Contains(list, b) {
			b.used = time.Now()
			list = append(list, b)
		}
	}
	d.mu.Unlock()
	// In the same order by everybody: who waits for one while holding another
	// must not be waited for.
	locked := slices.SortedFunc(slices.Values(list), func(a, b *book) int { return comparePlaces(a.place, b.place) })
	complete = len(list) == len(places)
	for _, b := range locked {
		b.mu.RLock()
		complete = complete && b.complete && !b.cut
	}
	return list, complete, func() {
		for _, b := range locked {
			b.mu.RUnlock()
		}
	}
}

func comparePlaces(a, b Place) int {
	return cmp.Or(strings.Compare(a.Owner, b.Owner), strings.Compare(a.Backend, b.Backend), strings.Compare(string(a.Collection), string(b.Collection)))
}
