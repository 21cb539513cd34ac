package localdir

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// newDirectoryMode are the permissions of a new collection.
	newDirectoryMode = 0o750

	// gone begins the names of directories that are being removed.
	gone = ".gone-"
)

var _ backend.FolderEditor = (*Session)(nil)

// CreateCollection implements backend.FolderEditor. The directory has the name
// that the host chose, and its metaFile what people call it.
func (s *Session) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	const op = "localdir: make a collection"
	if err := ctx.Err(); err != nil {
		return backend.Collection{}, backend.E(backend.Transient, op, err)
	}
	directory := string(c.ID)
	switch c.Kind {
	case backend.Contacts, backend.Events, backend.Tasks, backend.Notes:
	case backend.Mail:
		if directory = mailDirectory + "/." + directory; s.b.settings.Mail {
			break
		}
		fallthrough
	default:
		return backend.Collection{}, backend.Errorf(backend.Unsupported, op, "no collections of kind %.40q", c.Kind)
	}
	if !newName(backend.ItemID(c.ID)) {
		return backend.Collection{}, backend.Errorf(backend.Invalid, op, "%.80q is not a name for a new collection", c.ID)
	}
	if err := checkName(op, c.Name); err != nil {
		return backend.Collection{}, err
	}
	home, err := s.home(op)
	if err != nil {
		return backend.Collection{}, err
	}
	defer home.Close()
	made := s.makeDirectory(home, directory, Meta{Kind: string(c.Kind), Name: c.Name, Colour: c.Colour})
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return backend.Collection{}, failure(op, made)
	}
	id := c.ID
	if c.Kind == backend.Mail {
		id = mailFolderID(directory)
	}
	f, err := s.open(ctx, op, id)
	if err != nil {
		return backend.Collection{}, err
	}
	defer f.Close()
	if made != nil {
		return f.collection(), backend.Errorf(backend.Conflict, op, "%q is there already", c.ID)
	}
	return f.collection(), nil
}

func checkName(op, name string) error {
	if name == "" || backend.CollectionName(name) != name {
		return backend.Errorf(backend.Invalid, op, "a collection cannot be called %.80q", name)
	}
	return nil
}

// makeDirectory makes a directory with its metaFile beside the others and gives
// it its name when it is complete.
func (s *Session) makeDirectory(home *os.Root, name string, m Meta) error {
	if _, err := home.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return err
	}
	from := path.Join(path.Dir(name), draft+rand.Text())
	if err := home.Mkdir(from, newDirectoryMode); err != nil {
		return err
	}
	defer home.RemoveAll(from) // gone already if it was renamed
	text, err := toml.Marshal(m)
	if err != nil {
		return err
	}
	file, err := home.OpenFile(from+"/"+metaFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, newMode)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	// Onto a directory with something in it nothing can be renamed.
	if err := home.Rename(from, name); err != nil {
		if _, there := home.Lstat(name); there == nil {
			return fs.ErrExist
		}
		return err
	}
	return syncDirectory(home)
}

// UpdateCollection implements backend.FolderEditor. It changes the lines of the
// metaFile that say the name and the colour, and no others.
func (s *Session) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	const op = "localdir: rename a collection"
	if err := checkName(op, c.Name); err != nil {
		return backend.Collection{}, err
	}
	f, end, err := s.begin(ctx, op, c.ID)
	if err != nil {
		return backend.Collection{}, err
	}
	defer end()
	m := f.meta
	m.Name = c.Name
	if c.Colour != "" {
		m.Colour = c.Colour
	}
	if m != f.meta {
		text, err := f.rewritten(m)
		if err == nil {
			err = f.write(metaFile, text, newMode, func(from string) error { return f.Rename(from, metaFile) })
		}
		if err != nil {
			return backend.Collection{}, failure(op, err)
		}
		f.meta = m
	}
	return f.collection(), nil
}

// rewritten is the metaFile with other values in it.
func (f *folder) rewritten(m Meta) ([]byte, error) {
	var old []byte
	file, err := f.Open(metaFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		defer file.Close()
		if old, err = io.ReadAll(io.LimitReader(file, maxMeta+1)); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	for line := range bytes.Lines(old) {
		key, _, _ := strings.Cut(string(line), "=")
		switch strings.TrimSpace(key) {
		case "name", "colour":
		default:
			b.Write(bytes.TrimRight(line, "\r\n"))
			b.WriteByte('\n')
		}
	}
	for _, v := range []struct{ key, value string }{{"name", m.Name}, {"colour", m.Colour}} {
		if v.value == "" {
			continue
		}
		text, err := toml.Marshal(map[string]string{v.key: v.value})
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	var is Meta
	if err := toml.Unmarshal(b.Bytes(), &is); err != nil || is != m {
		return toml.Marshal(m) // of a form that is not written line by line
	}
	return b.Bytes(), nil
}

// DeleteCollection implements backend.FolderEditor. A directory in which there
// is something else than items and what we keep beside them stays.
func (s *Session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	const op = "localdir: remove a collection"
	f, end, err := s.begin(ctx, op, id)
	if err != nil {
		return err
	}
	defer end()
	entries, err := fs.ReadDir(f.FS(), ".")
	if err != nil {
		return failure(op, err)
	}
	if f.directory == mailDirectory {
		return backend.Errorf(backend.Unsupported, op, "the inbox stays")
	}
	for _, e := range entries {
		if n := e.Name(); f.kind == backend.Mail && (e.IsDir() && (n == "cur" || n == "new" || n == "tmp") || n == keywordsFile) {
			continue
		}
		if n := e.Name(); n != metaFile && n != lockName && !strings.HasPrefix(n, draft) && !(e.Type().IsRegular() && isItem(n, f.kind)) {
			return backend.Errorf(backend.Unsupported, op, "there is %.80q in %.80q, which is no item", n, f.directory)
		}
	}
	home, err := s.home(op)
	if err != nil {
		return err
	}
	defer home.Close()
	away := path.Join(path.Dir(f.directory), gone+rand.Text())
	if err := home.Rename(f.directory, away); err != nil {
		return failure(op, err)
	}
	s.b.drop(f.place)
	if err := errors.Join(syncDirectory(home), home.RemoveAll(away)); err != nil {
		return failure(op, fmt.Errorf("clearing away: %w", err))
	}
	return nil
}

// drop forgets a collection that is gone.
func (b *Backend) drop(p place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.indexes, p)
}
