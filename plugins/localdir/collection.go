package localdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// metaFile says what a collection is.
const metaFile = ".collection.toml"

// maxMeta bounds metaFile, and how much of an item is read to tell its kind,
// in bytes.
const maxMeta = 64 << 10

// Meta is the content of a file .collection.toml. Every key may be left out.
type Meta struct {
	Kind     string `toml:"kind"`      // contacts, events, tasks, notes
	Name     string `toml:"name"`      // what people call it; the directory's name if empty
	Colour   string `toml:"colour"`    // "#rrggbb"
	ReadOnly bool   `toml:"read_only"` // phones may not change it
	Default  bool   `toml:"default"`   // the first choice for its kind
	TimeZone string `toml:"time_zone"` // of a calendar: "Europe/Berlin"
}

// kindsByName are the directories whose name tells what they hold. The first
// of each kind is its default.
var kindsByName = map[string]backend.CollectionKind{
	"contacts": backend.Contacts, "addressbook": backend.Contacts, "people": backend.Contacts,
	"calendar": backend.Events, "events": backend.Events,
	"tasks": backend.Tasks, "todo": backend.Tasks,
	"notes": backend.Notes, "journal": backend.Notes,
}

// defaults are the directories that are the first choice for their kind.
var defaults = []string{"contacts", "calendar", "tasks", "notes"}

// errNoCollection means that a directory is none, or not there.
var errNoCollection = errors.New("no collection")

// Collections lists the directories that are collections.
func (s *Session) Collections(ctx context.Context) ([]backend.Collection, error) {
	const op = "localdir: collections"
	home, err := s.home(op)
	if err != nil {
		return nil, err
	}
	defer home.Close()
	entries, err := fs.ReadDir(home.FS(), ".")
	if err != nil {
		return nil, failure(op, err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && plainName(e.Name()) && e.Name() != mailDirectory {
			names = append(names, e.Name())
		}
	}
	if s.b.settings.Mail {
		mail, err := mailFolders(home)
		if err != nil {
			return nil, failure(op, err)
		}
		names = append(names, mail...)
	}
	var list []backend.Collection
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, backend.E(backend.Transient, op, err)
		}
		p := place{s.user, name}
		f, err := openFolder(home, p, s.b.index(p))
		switch {
		case errors.Is(err, errNoCollection):
			continue
		case err != nil:
			return nil, failure(op, fmt.Errorf("%.80q: %w", name, err))
		}
		list = append(list, f.collection())
		f.Close()
	}
	return list, nil
}

// collection describes an open folder.
func (f *folder) collection() backend.Collection {
	if f.kind == backend.Mail {
		return f.mailCollection()
	}
	c := backend.Collection{
		ID: backend.CollectionID(idOf(f.directory)), Kind: f.kind, Name: f.meta.Name, Colour: f.meta.Colour,
		Default: f.meta.Default || slices.Contains(defaults, f.directory), ReadOnly: f.readOnly(),
	}
	if len(f.meta.TimeZone) <= backend.MaxZone && f.kind == backend.Events {
		c.Zone = f.meta.TimeZone
	}
	if c.Name == "" {
		c.Name = strings.ToValidUTF8(f.directory, "?")
	}
	return c
}

// readOnly tells whether nothing may be written.
func (f *folder) readOnly() bool { return f.meta.ReadOnly || !writable(f.Root) }

// openFolder opens a directory if it is a collection, else errNoCollection.
func openFolder(home *os.Root, p place, x *index) (*folder, error) {
	info, err := home.Lstat(p.directory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoCollection
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, errNoCollection
	}
	root, err := home.OpenRoot(p.directory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoCollection
	case err != nil:
		return nil, err
	}
	f := &folder{Root: root, place: p, index: x}
	if err := f.identify(); err != nil {
		root.Close()
		return nil, err
	}
	return f, nil
}

// identify finds out what the folder holds.
func (f *folder) identify() error {
	if err := f.readMeta(); err != nil {
		return err
	}
	if isMail(f.directory) {
		f.kind = backend.Mail
		return nil
	}
	kind := backend.CollectionKind(f.meta.Kind)
	if kind == "" {
		kind = kindsByName[strings.ToLower(f.directory)]
	}
	if kind == "" {
		kind = f.index.remembered()
	}
	if kind == "" {
		var err error
		if kind, err = f.guess(); err != nil {
			return err
		}
	}
	if kind == "" {
		return errNoCollection
	}
	f.kind = kind
	f.index.remember(kind)
	return nil
}

func (f *folder) readMeta() error {
	file, err := f.Open(metaFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMeta+1))
	if err != nil {
		return err
	}
	if len(data) > maxMeta {
		return fmt.Errorf("%s is larger than %d bytes", metaFile, maxMeta)
	}
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&f.meta); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			return fmt.Errorf("%s: unknown keys:\n%s", metaFile, strict.String())
		}
		return fmt.Errorf("%s: %w", metaFile, err)
	}
	switch k := backend.CollectionKind(f.meta.Kind); {
	case isMail(f.directory) && (k == "" || k == backend.Mail):
		return nil
	case slices.Contains([]backend.CollectionKind{"", backend.Contacts, backend.Events, backend.Tasks, backend.Notes}, k):
		return nil
	default:
		return fmt.Errorf("%s: kind is %.40q; write one of contacts, events, tasks, notes", metaFile, k)
	}
}

// guess looks at the first item to tell the kind of a collection; empty if
// there is none.
func (f *folder) guess() (backend.CollectionKind, error) {
	entries, err := fs.ReadDir(f.FS(), ".")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		switch {
		case !e.Type().IsRegular():
		case isItem(e.Name(), backend.Contacts):
			return backend.Contacts, nil
		case isItem(e.Name(), backend.Events):
			if k := f.component(e.Name()); k != "" {
				return k, nil
			}
		}
	}
	return "", nil
}

// component is the kind of a file's first component.
func (f *folder) component(name string) backend.CollectionKind {
	file, err := f.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	data, _ := io.ReadAll(io.LimitReader(file, maxMeta))
	for line := range bytes.Lines(data) {
		switch strings.ToUpper(string(bytes.TrimSpace(line))) {
		case "BEGIN:VEVENT":
			return backend.Events
		case "BEGIN:VTODO":
			return backend.Tasks
		case "BEGIN:VJOURNAL":
			return backend.Notes
		}
	}
	return ""
}
