package webdav

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/dirwatch"
)

// radicaleCollections is where people's collections lie in Radicale's
// filesystem_folder: USER/COLLECTION.
const radicaleCollections = "collection-root"

// radicaleProps is the file in a collection's directory that describes it.
const radicaleProps = ".Radicale.props"

// A radicale is the storage of a Radicale on this computer. Whoever may read it
// could read everybody's things; here nothing is read but that a file changed,
// and that in a person's own directory alone.
type radicale struct {
	root    string // with the collections of everybody
	watches dirwatch.Set
}

// newRadicale checks the setting; nil and no error if there is none.
func newRadicale(folder string) (*radicale, error) {
	if folder == "" {
		return nil, nil
	}
	if !filepath.IsAbs(folder) {
		return nil, fmt.Errorf("radicale_root is %.80q; write the whole path from /, which is filesystem_folder in Radicale's configuration", folder)
	}
	if info, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("radicale_root: %w; name filesystem_folder of Radicale's configuration, and let the user that pushbridge runs as read it", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("radicale_root: %s is not a directory", folder)
	}
	// Radicale writes to files whose names begin with a dot, and renames them;
	// what it keeps for itself keeps such a name.
	concerns := func(name string) bool { return plainName(name) || name == radicaleProps }
	return &radicale{root: filepath.Join(folder, radicaleCollections), watches: dirwatch.Set{Concerns: concerns}}, nil
}

func (r *radicale) close() error {
	if r == nil {
		return nil
	}
	return r.watches.Close()
}

// Extras are those that every session of the server has, whatever it holds, and
// those that settings give it.
func (s *Server) Extras() []backend.Extra {
	if s.radicale == nil {
		return []backend.Extra{backend.ExtraSubscribe}
	}
	return []backend.Extra{backend.ExtraSubscribe, backend.ExtraWatch, backend.ExtraWatchList}
}

// A Watched is a collection that somebody wants to hear of; an empty path means
// the list of collections.
type Watched struct {
	Path string // as CollectionPath answers it
	ID   backend.CollectionID
}

// Watch keeps the promise of [backend.Watcher] where the server's directory is
// known, for the person's own collections. Kind Unsupported means that others
// have to be polled.
func (c *Client) Watch(ctx context.Context, list []Watched, ready func(), changed func(backend.CollectionID)) error {
	dirs, err := c.watched(list)
	if err != nil {
		return err
	}
	return c.server.radicale.watches.Watch(ctx, c.opWatch(), dirs, ready, changed)
}

// Follow keeps the promise of [backend.Follower] as Watch does that of Watcher.
func (c *Client) Follow(list []Watched, f backend.Followed) (stop func(), ok bool) {
	dirs, err := c.watched(list)
	if err != nil {
		return nil, false // which Watch tells
	}
	return c.server.radicale.watches.Follow(c.opWatch(), dirs, f), true
}

func (c *Client) opWatch() string { return c.server.dialect.Name + ": watch" }

// watched are the directories of collections.
func (c *Client) watched(list []Watched) ([]dirwatch.Dir, error) {
	r := c.server.radicale
	if r == nil {
		return nil, backend.E(backend.Unsupported, c.opWatch(), errors.New("radicale_root is not set"))
	}
	dirs := make([]dirwatch.Dir, len(list))
	for i, w := range list {
		dir, err := r.directory(c.creds.User, w.Path)
		if err != nil {
			return nil, backend.E(backend.Unsupported, c.opWatch(), err)
		}
		dirs[i] = dirwatch.Dir{Path: dir, Collection: w.ID}
		if w.Path == "" {
			described, err := described(dir)
			if err != nil {
				return nil, backend.E(backend.Unsupported, c.opWatch(), err)
			}
			dirs[i].Grows, dirs[i].Inside = true, radicaleProps
			dirs = append(dirs, described...)
		}
	}
	return dirs, nil
}

// described are a person's directories of collections, in each of which a file
// says how it is called.
func described(home string) ([]dirwatch.Dir, error) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return nil, err
	}
	var dirs []dirwatch.Dir
	for _, e := range entries {
		if e.IsDir() && plainName(e.Name()) {
			dirs = append(dirs, dirwatch.Dir{Path: filepath.Join(home, e.Name()), Only: radicaleProps})
		}
	}
	return dirs, nil
}

// directory is where a person's collection lies. The path has the person's name
// before that of the collection, whatever comes before both on the server; one
// that has not is somebody else's.
func (r *radicale) directory(user, path string) (string, error) {
	if !plainName(user) {
		return "", errors.New("the person's name is none of a directory")
	}
	inside := user
	if path != "" {
		parts := strings.Split(strings.Trim(path, "/"), "/")
		if len(parts) < 2 {
			return "", errors.New("the collection is nobody's")
		}
		var names [2]string
		for i, part := range parts[len(parts)-2:] {
			name, err := url.PathUnescape(part)
			if err != nil || !plainName(name) {
				return "", errors.New("the path is none of a directory")
			}
			names[i] = name
		}
		if names[0] != user {
			return "", errors.New("the collection is somebody else's")
		}
		inside = filepath.Join(user, names[1])
	}
	// A root does not let links lead out of it.
	root, err := os.OpenRoot(r.root)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Stat(inside)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a directory", inside)
	}
	return filepath.Join(r.root, inside), nil
}

// plainName tells whether a name can be that of one visible file.
func plainName(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\x00") && filepath.IsLocal(name)
}
