package localdir

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// settled is how old a file's time stamps must be before they are taken as
	// proof that its content is the one that was read. Two writes within one
	// tick of the file system's clock have the same stamps; the coarsest clock
	// in use, FAT's, ticks every two seconds.
	settled = 3 * time.Second

	// maxGraves bounds how many removed items are remembered per collection.
	// When there are more, older cursors expire.
	maxGraves = 20_000

	// readers is how many files are read side by side when a collection is
	// looked at for the first time.
	readers = 8
)

// An index remembers which files a collection had and in which order they
// changed, so that a cursor is a number. It lives as long as the process.
type index struct {
	writing sync.Mutex // held while a file is written
	swept   bool       // drafts of an earlier run are gone; guarded by writing

	mu     sync.Mutex
	kind   backend.CollectionKind
	epoch  string // a cursor of another epoch is Expired
	last   int64  // the sequence number of the last change
	oldest int64  // cursors before it are Expired
	items  map[string]*entry
	log    []logged // ascending; some are superseded
	graves int
	looks  int // how often the directory was looked at

}

// An entry is the last thing known of a file.
type entry struct {
	revision backend.Revision
	stamp    stamp
	sure     bool // the stamp was settled when the content was read
	sequence int64
	removed  bool
	look     int       // the last one that saw the file
	received time.Time // of a message
}

type logged struct {
	sequence int64
	name     string
}

func newIndex() *index {
	return &index{epoch: rand.Text(), items: make(map[string]*entry)}
}

func (x *index) remember(k backend.CollectionKind) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.kind = k
}

func (x *index) remembered() backend.CollectionKind {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.kind
}

// forget makes all cursors expire.
func (x *index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.epoch, x.last, x.oldest, x.graves = rand.Text(), 0, 0, 0
	x.items, x.log = make(map[string]*entry), nil
}

// note writes down a file's state. x.mu is held.
func (x *index) note(name string, e entry) {
	was, known := x.items[name]
	if known && !was.removed && !e.removed && was.revision == e.revision || e.removed && (!known || was.removed) {
		if known { // nothing new but the stamp
			e.sequence = was.sequence
			*was = e
		}
		return
	}
	x.last++
	e.sequence = x.last
	switch {
	case e.removed:
		x.graves++
	case known && was.removed:
		x.graves--
	}
	x.items[name] = &e
	x.log = append(x.log, logged{x.last, name})
	if x.graves > maxGraves {
		x.clear()
	}
	if len(x.log) > 2*len(x.items)+1000 {
		x.compact()
	}
}

// clear forgets removed items. x.mu is held.
func (x *index) clear() {
	for name, e := range x.items {
		if e.removed {
			delete(x.items, name)
		}
	}
	x.graves, x.oldest = 0, x.last
	x.compact()
}

// compact drops what is superseded from the log. x.mu is held.
func (x *index) compact() {
	x.log = slices.DeleteFunc(x.log, func(l logged) bool {
		e, ok := x.items[l.name]
		return !ok || e.sequence != l.sequence
	})
}

// cursor is the present point in the history. x.mu is held.
func (x *index) cursor() backend.Cursor {
	return backend.Cursor(x.epoch + "." + strconv.FormatInt(x.last, 10))
}

// since lists what happened after a cursor. x.mu is held.
func (x *index) since(c backend.Cursor) ([]backend.Change, error) {
	from := int64(0)
	if c != "" {
		epoch, number, _ := strings.Cut(string(c), ".")
		var err error
		if from, err = strconv.ParseInt(number, 10, 64); err != nil || epoch != x.epoch || from > x.last || from < x.oldest {
			return nil, errExpired
		}
	}
	start, _ := slices.BinarySearchFunc(x.log, from+1, func(l logged, n int64) int { return int(l.sequence - n) })
	list := make([]backend.Change, 0, len(x.log)-start)
	for _, l := range x.log[start:] {
		e, ok := x.items[l.name]
		if !ok || e.sequence != l.sequence || c == "" && e.removed {
			continue
		}
		list = append(list, backend.Change{ID: backend.ItemID(idOf(l.name)), Revision: e.revision, Removed: e.removed, Received: e.received})
	}
	return list, nil
}

var errExpired = errors.New("the cursor is of an earlier run, or too old")

// look brings the index up to date with the directory. x.mu is held, so that
// what is written meanwhile is noted after what is seen now.
func (f *folder) look(ctx context.Context) error {
	if f.kind == backend.Mail {
		return f.lookMail(ctx)
	}
	names, err := f.list()
	if err != nil {
		return err
	}
	now := time.Now()
	f.looks++
	var unread []string
	for i, name := range names {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := f.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // it went while we looked
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			continue
		}
		e, known := f.items[name]
		if !known || e.removed || !e.sure || e.stamp != stampOf(info) {
			unread = append(unread, name)
		} else {
			e.look = f.looks
		}
	}
	slices.Sort(unread)
	found, err := f.readAll(ctx, unread, now)
	if err != nil {
		return err
	}
	for i, name := range unread {
		if !found[i].removed {
			found[i].look = f.looks
			f.note(name, found[i])
		}
	}
	for name, e := range f.items {
		if !e.removed && e.look != f.looks {
			f.note(name, entry{removed: true})
		}
	}
	return nil
}

// list names the files that may be items.
func (f *folder) list() ([]string, error) {
	d, err := f.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(n string) bool { return !isItem(n, f.kind) }), nil
}

// readAll works out the revisions of files, several at a time.
func (f *folder) readAll(ctx context.Context, names []string, now time.Time) ([]entry, error) {
	found := make([]entry, len(names))
	errs := make([]error, min(readers, runtime.GOMAXPROCS(0), len(names)))
	var all sync.WaitGroup
	for w := range errs {
		all.Go(func() {
			h := newHasher()
			for i := w; i < len(names); i += len(errs) {
				if errs[w] = ctx.Err(); errs[w] != nil {
					return
				}
				if found[i], errs[w] = f.examine(h, names[i], now); errs[w] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return found, errors.Join(errs...)
}

// A hasher works out revisions without a new buffer for each.
type hasher struct{ buffer []byte }

func newHasher() *hasher { return &hasher{make([]byte, 64<<10)} }

// examine works out the state of a file. One that cannot be read, or is too
// large to be read, is there nevertheless: its revision comes of its stamp.
func (f *folder) examine(h *hasher, name string, now time.Time) (entry, error) {
	file, err := f.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return entry{removed: true}, nil
	}
	if err != nil {
		info, err := f.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return entry{removed: true}, nil
		} else if err != nil {
			return entry{}, err
		}
		return unreadable(info, now), nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return entry{}, err
	}
	if !info.Mode().IsRegular() {
		return entry{removed: true}, nil
	}
	if info.Size() > backend.MaxItemSize {
		return unreadable(info, now), nil
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{file}, h.buffer); err != nil {
		return unreadable(info, now), nil
	}
	e := entry{revision: asRevision(sum.Sum(nil)), stamp: stampOf(info)}
	e.sure = e.stamp.settled(now)
	return e, nil
}

func unreadable(info os.FileInfo, now time.Time) entry {
	s := stampOf(info)
	return entry{revision: backend.Revision(fmt.Sprintf("unread-%d-%d-%d-%d", s.size, s.modified, s.changed, s.inode)), stamp: s, sure: s.settled(now)}
}

// revisionOf is the revision of an item with this content.
func revisionOf(body []byte) backend.Revision {
	sum := sha256.Sum256(body)
	return asRevision(sum[:])
}

func asRevision(sum []byte) backend.Revision {
	return backend.Revision(base64.RawURLEncoding.EncodeToString(sum[:18]))
}

// A stamp is what tells, without reading it, that a file is as before.
type stamp struct {
	size, modified, changed int64
	inode                   uint64
}

// settled tells whether a later write is sure to leave another stamp.
func (s stamp) settled(now time.Time) bool {
	limit := now.Add(-settled).UnixNano()
	return s.modified < limit && s.changed < limit
}
