package localdir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// draft begins the names of files that are being written.
	draft = ".draft-"

	// lockTimeout bounds how long a writer waits for others.
	lockTimeout = 10 * time.Second

	// newMode are the permissions of a new item.
	newMode = 0o640
)

// begin opens a collection for writing; end closes it.
func (s *Session) begin(ctx context.Context, op string, c backend.CollectionID) (f *folder, end func(), err error) {
	f, err = s.open(ctx, op, c)
	if err != nil {
		return nil, nil, err
	}
	if f.readOnly() {
		f.Close()
		return nil, nil, backend.Errorf(backend.ReadOnly, op, "collection %.80q", c)
	}
	f.writing.Lock()
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	l, err := lock(ctx, f.Root)
	if err != nil {
		f.writing.Unlock()
		f.Close()
		return nil, nil, failure(op, fmt.Errorf("locking: %w", err))
	}
	f.sweep()
	return f, func() {
		l.Close()
		f.writing.Unlock()
		f.Close()
	}, nil
}

// sweep removes what writers left behind that were killed. It is called with
// the lock held, so that every draft is an old one.
func (f *folder) sweep() {
	if f.swept {
		return
	}
	f.swept = true
	entries, _ := fs.ReadDir(f.FS(), ".") // what stays behind is not seen, and hurts nobody
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), draft) {
			f.Remove(e.Name())
		}
	}
}

// Put implements backend.Session.
func (s *Session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	const op = "localdir: put"
	if len(it.Body) > backend.MaxItemSize {
		return backend.Item{}, backend.E(backend.TooLarge, op, errTooLarge)
	}
	f, end, err := s.begin(ctx, op, c)
	if err != nil {
		return backend.Item{}, err
	}
	defer end()
	if it.MediaType != f.kind.MediaType() || len(it.Body) == 0 {
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "%d bytes of %.80q for a collection of %s", len(it.Body), it.MediaType, f.kind)
	}
	switch {
	case f.kind == backend.Mail && it.Revision != "":
		return backend.Item{}, backend.Errorf(backend.Unsupported, op, "messages do not change")
	case f.kind == backend.Mail:
		return f.createLetter(op, it)
	case it.Revision == "":
		return f.create(op, it)
	}
	return f.replace(op, it)
}

// create writes a new file, or answers the one that is there.
func (f *folder) create(op string, it backend.Item) (backend.Item, error) {
	if !newName(it.ID) {
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "%.80q is not a name for a new item", it.ID)
	}
	name := string(it.ID) + extension(f.kind)
	there, err := f.read(name)
	switch {
	case err == nil:
		return backend.Item{ID: backend.ItemID(idOf(name)), Revision: revisionOf(there)}, backend.Errorf(backend.Conflict, op, "%q is there already", name)
	case !errors.Is(err, fs.ErrNotExist):
		return backend.Item{}, failure(op, err)
	}
	err = f.write(name, it.Body, newMode, func(from string) error {
		// A link, unlike a new name, does not replace what somebody else put
		// there this moment.
		err := f.Link(from, name)
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) {
			return f.Rename(from, name) // a file system without links
		}
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		there, _ := f.read(name)
		return backend.Item{ID: backend.ItemID(idOf(name)), Revision: revisionOf(there)}, backend.Errorf(backend.Conflict, op, "%q is there already", name)
	}
	return f.stored(op, name, it.Body, err)
}

// replace writes a file in place of a revision.
func (f *folder) replace(op string, it backend.Item) (backend.Item, error) {
	name, info, err := f.check(op, it.ID, it.Revision)
	if err != nil {
		return backend.Item{}, err
	}
	err = f.write(name, it.Body, info.Mode().Perm(), func(from string) error {
		now, err := f.Lstat(name)
		if err != nil || stampOf(now) != stampOf(info) {
			return errMoved
		}
		return f.Rename(from, name)
	})
	if errors.Is(err, errMoved) {
		return backend.Item{}, backend.E(backend.Conflict, op, err)
	}
	return f.stored(op, name, it.Body, err)
}

// errMoved means that another program changed a file meanwhile.
var errMoved = errors.New("another program was faster")

// check finds the file with an ID and makes sure that it has a revision.
func (f *folder) check(op string, id backend.ItemID, rev backend.Revision) (string, os.FileInfo, error) {
	name, ok := fileName(string(id))
	if !ok || !isItem(name, f.kind) {
		return "", nil, backend.Errorf(backend.NotFound, op, "no item %.80q", id)
	}
	info, err := f.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", nil, backend.Errorf(backend.NotFound, op, "no item %.80q", id)
	}
	if err != nil {
		return "", nil, failure(op, err)
	}
	if rev == "" {
		return name, info, nil
	}
	is, err := f.examine(newHasher(), name, time.Now())
	switch {
	case err != nil:
		return "", nil, failure(op, err)
	case is.removed:
		return "", nil, backend.Errorf(backend.NotFound, op, "no item %.80q", id)
	case is.revision != rev:
		return "", nil, backend.Errorf(backend.Conflict, op, "%q is at another revision", name)
	}
	return name, info, nil
}

// write writes a file beside the collection's items, makes sure that it is on
// the disk, and lets place give it its name.
func (f *folder) write(name string, body []byte, mode os.FileMode, place func(from string) error) error {
	return f.writeIn("", body, mode, place)
}

// writeIn is write with the directory in which the file is written: "tmp/".
func (f *folder) writeIn(directory string, body []byte, mode os.FileMode, place func(from string) error) error {
	from := directory + draft + rand.Text()
	file, err := f.OpenFile(from, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer f.Remove(from) // gone already if it was renamed
	_, err = file.Write(body)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := place(from); err != nil {
		return err
	}
	return syncDirectory(f.Root)
}

// stored notes what was written, so that it is not taken for news of somebody
// else's.
func (f *folder) stored(op, name string, body []byte, err error) (backend.Item, error) {
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	rev := revisionOf(body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(name, entry{revision: rev}) // without a stamp: the next look reads the file
	return backend.Item{ID: backend.ItemID(idOf(name)), Revision: rev}, nil
}

// Delete implements backend.Session.
func (s *Session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	const op = "localdir: delete"
	f, end, err := s.begin(ctx, op, c)
	if err != nil {
		return err
	}
	defer end()
	if f.kind == backend.Mail {
		return f.removeLetter(op, id, rev)
	}
	name, _, err := f.check(op, id, rev)
	if err != nil {
		return err
	}
	return f.remove(op, name)
}

func (f *folder) remove(op, name string) error {
	err := f.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return backend.Errorf(backend.NotFound, op, "no item %.80q", name)
	}
	if err == nil {
		err = syncDirectory(f.Root)
	}
	if err != nil {
		return failure(op, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(name, entry{removed: true})
	return nil
}

// Move implements backend.Session. The item is in both collections for a
// moment, and keeps its name unless another item has it.
func (s *Session) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	const op = "localdir: move"
	if from == to {
		return s.unmoved(ctx, op, from, id)
	}
	// Always in the same order, lest two moves wait for each other.
	first, second := min(from, to), max(from, to)
	a, endA, err := s.begin(ctx, op, first)
	if err != nil {
		return backend.Item{}, err
	}
	defer endA()
	b, endB, err := s.begin(ctx, op, second)
	if err != nil {
		return backend.Item{}, err
	}
	defer endB()
	if first != from {
		a, b = b, a
	}
	if a.kind != b.kind {
		return backend.Item{}, backend.Errorf(backend.Invalid, op, "from a collection of %s to one of %s", a.kind, b.kind)
	}
	if a.kind == backend.Mail {
		return s.moveLetter(op, a, b, id)
	}
	name, info, err := a.check(op, id, "")
	if err != nil {
		return backend.Item{}, err
	}
	body, err := a.read(name)
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	target := name
	for {
		err = b.write(target, body, info.Mode().Perm(), func(draft string) error { return b.Link(draft, target) })
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		base := strings.TrimSuffix(name, filepath.Ext(name))
		target = base[:min(len(base), maxFileName-40)] + "-" + strings.ToLower(rand.Text()) + extension(b.kind)
	}
	out, err := b.stored(op, target, body, err)
	if err != nil {
		return backend.Item{}, err
	}
	if err := a.remove(op, name); err != nil && backend.KindOf(err) != backend.NotFound {
		return backend.Item{}, err
	}
	return out, nil
}

// unmoved answers the item that is to go where it is.
func (s *Session) unmoved(ctx context.Context, op string, c backend.CollectionID, id backend.ItemID) (backend.Item, error) {
	f, err := s.open(ctx, op, c)
	if err != nil {
		return backend.Item{}, err
	}
	defer f.Close()
	if f.kind == backend.Mail {
		name, l, err := f.letter(op, id, "")
		return backend.Item{ID: backend.ItemID(idOf(name)), Revision: l.revision()}, err
	}
	name, _, err := f.check(op, id, "")
	if err != nil {
		return backend.Item{}, err
	}
	body, err := f.read(name)
	if err != nil {
		return backend.Item{}, failure(op, err)
	}
	return backend.Item{ID: id, Revision: revisionOf(body)}, nil
}
