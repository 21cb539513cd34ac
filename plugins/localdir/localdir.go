// Package localdir serves the .vcf and .ics files of a directory, and Maildirs in it, as a backend.
//
// Each person has a directory, DIR/USER, and in it one for each collection
// with a file for each item, as vdirsyncer and others keep them. Other
// programs may change the files at any time; what they do is noticed at once,
// through inotify where there is one.
//
// A file .collection.toml says what a collection is; see [Meta]. Without one,
// the directory's name or else its files tell the kind. Names that begin with
// a dot, files of other sorts, links, and directories inside of collections are
// not looked at. Where mail is switched on, a person's directory DIR/USER/Maildir
// is mail, and people of the same directory can send each other some.
package localdir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/dirwatch"
)

// Settings are the configuration of the backend.
type Settings struct {
	// Dir has a directory for each user. Required.
	Dir string `setting:"dir,required"`

	// Users are the passwords by name, plain or hashed as [Hash] does it.
	Users map[string]string `setting:"users"`

	// UsersFile has a line NAME:PASSWORD for each user, plain or hashed; it is
	// read at each login, so that it may change. Lines that begin with # are
	// comments.
	UsersFile string `setting:"users_file"`

	// Mail serves the Maildir in a person's directory, and delivers what people
	// send to each other.
	Mail bool `setting:"mail"`
}

// maxUsersFile bounds the file with the users, in bytes.
const maxUsersFile = 16 << 20

// A Backend serves one directory.
type Backend struct {
	settings Settings
	watches  dirwatch.Set

	mu      sync.Mutex
	indexes map[place]*index
}

// A place is a collection's directory.
type place struct{ user, directory string }

var _ backend.Declarer = (*Backend)(nil)

// Open builds the backend. The directory need not be there yet.
func Open(_ context.Context, settings backend.Settings) (backend.Backend, error) {
	var s Settings
	if err := settings.Decode(&s); err != nil {
		return nil, backend.E(backend.Invalid, "localdir: settings", err)
	}
	if len(s.Users) == 0 && s.UsersFile == "" {
		return nil, backend.Errorf(backend.Invalid, "localdir: settings", `nobody may log in: set users = { ann = "password" } or users_file`)
	}
	for name := range s.Users {
		if !plainName(name) {
			return nil, backend.Errorf(backend.Invalid, "localdir: settings", "users.%.80q cannot be the name of a directory", name)
		}
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, backend.E(backend.Invalid, "localdir: settings", err)
	}
	s.Dir = dir
	return &Backend{settings: s, watches: dirwatch.Set{Concerns: concerns}, indexes: make(map[place]*index)}, nil
}

// Extras implements backend.Declarer.
func (b *Backend) Extras() []backend.Extra {
	extras := []backend.Extra{backend.ExtraWatch, backend.ExtraProbe, backend.ExtraFolderEditor}
	if b.settings.Mail {
		extras = append(extras, backend.ExtraMail, backend.ExtraSend, backend.ExtraSearch)
	} else {
		extras = append(extras, backend.ExtraWatchList)
	}
	return extras
}

// Open checks the password.
func (b *Backend) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	const op = "localdir: login"
	if err := ctx.Err(); err != nil {
		return nil, backend.E(backend.Transient, op, err)
	}
	want, known, err := b.password(c.User)
	if err != nil {
		return nil, backend.E(backend.Transient, op, err)
	}
	if !matches(want, c.Password) || !known || want == "" || !plainName(c.User) {
		return nil, backend.Errorf(backend.Denied, op, "wrong user or password")
	}
	return &Session{b: b, user: c.User}, nil
}

// password finds the password of a user.
func (b *Backend) password(user string) (string, bool, error) {
	if p, ok := b.settings.Users[user]; ok || b.settings.UsersFile == "" {
		return p, ok, nil
	}
	f, err := os.Open(b.settings.UsersFile)
	if err != nil {
		return "", false, fmt.Errorf("users_file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxUsersFile))
	for lines.Scan() {
		name, password, ok := strings.Cut(lines.Text(), ":")
		if ok && name == user && !strings.HasPrefix(name, "#") {
			return password, true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", false, fmt.Errorf("users_file: %w", err)
	}
	return "", false, nil
}

// Close ends all watching.
func (b *Backend) Close() error { return b.watches.Close() }

// index is the memory of a collection.
func (b *Backend) index(p place) *index {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.indexes[p]
	if x == nil {
		x = newIndex()
		b.indexes[p] = x
	}
	return x
}

// A Session is one person's view of the directory.
type Session struct {
	b    *Backend
	user string
}

// Close implements backend.Session.
func (s *Session) Close() error { return nil }

// home opens the person's directory. Nothing that is done through it can leave
// it, whatever links there are inside. One that is missing is more likely a
// disk that is not mounted than a person without anything.
func (s *Session) home(op string) (*os.Root, error) {
	r, err := os.OpenRoot(filepath.Join(s.b.settings.Dir, s.user))
	if err != nil {
		return nil, backend.E(backend.Transient, op, err)
	}
	return r, nil
}

// A folder is an open collection. The caller closes it.
type folder struct {
	*os.Root
	place
	kind backend.CollectionKind
	meta Meta
	*index
}

// directory is the directory of a collection with an ID.
func (s *Session) directory(id string) (string, bool) {
	if directory, ok := mailFolder(id); ok && s.b.settings.Mail {
		return directory, true
	}
	return fileName(id)
}

// open opens a collection.
func (s *Session) open(ctx context.Context, op string, c backend.CollectionID) (*folder, error) {
	if err := ctx.Err(); err != nil {
		return nil, backend.E(backend.Transient, op, err)
	}
	name, ok := s.directory(string(c))
	if !ok {
		return nil, backend.Errorf(backend.NotFound, op, "no collection %.80q", c)
	}
	home, err := s.home(op)
	if err != nil {
		return nil, err
	}
	defer home.Close()
	p := place{s.user, name}
	f, err := openFolder(home, p, s.b.index(p))
	switch {
	case errors.Is(err, errNoCollection):
		return nil, backend.Errorf(backend.NotFound, op, "no collection %.80q", c)
	case err != nil:
		return nil, failure(op, err)
	}
	return f, nil
}
