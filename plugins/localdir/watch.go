package localdir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/dirwatch"
)

// concerns tells by a file's name whether it is one of a collection's, or says
// what the collection is.
func concerns(name string) bool { return plainName(name) || name == metaFile }

var (
	_ backend.Follower    = (*Session)(nil)
	_ backend.ListWatcher = (*Session)(nil)
)

// WatchesList implements backend.ListWatcher. A new folder of mail is not seen.
func (s *Session) WatchesList() bool { return !s.b.settings.Mail }

// opWatch is for errors.
const opWatch = "localdir: watch"

// Watch implements backend.Watcher. The empty CollectionID stands for the list
// of collections.
func (s *Session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	dirs, err := s.watched(ctx, cs)
	if err != nil {
		return err
	}
	return s.b.watches.Watch(ctx, opWatch, dirs, ready, changed)
}

// Follow implements backend.Follower.
func (s *Session) Follow(cs []backend.CollectionID, f backend.Followed) (func(), bool) {
	dirs, err := s.watched(context.Background(), cs)
	if err != nil {
		return nil, false // which Watch tells
	}
	return s.b.watches.Follow(opWatch, dirs, f), true
}

// watched are the directories of collections.
func (s *Session) watched(ctx context.Context, cs []backend.CollectionID) ([]dirwatch.Dir, error) {
	dirs := make([]dirwatch.Dir, len(cs))
	for i, c := range cs {
		dirs[i] = dirwatch.Dir{Path: filepath.Join(s.b.settings.Dir, s.user), Collection: c}
		if c == "" {
			described, err := s.described(dirs[i].Path)
			if err != nil {
				return nil, err
			}
			dirs[i].Grows = true // what a new directory is, a first file tells, or a metaFile
			dirs = append(dirs, described...)
		} else {
			f, err := s.open(ctx, opWatch, c)
			if err != nil {
				return nil, err
			}
			dirs[i].Path = filepath.Join(dirs[i].Path, f.directory)
			if f.kind == backend.Mail {
				dirs = append(dirs, f.mailDirs(dirs[i].Path, c)...)
			}
			f.Close()
		}
	}
	return dirs, nil
}

// described are the directories in which the list of collections may change: by a
// metaFile, or by a first file that tells the kind of what is no collection yet.
func (s *Session) described(path string) ([]dirwatch.Dir, error) {
	home, err := s.home(opWatch)
	if err != nil {
		return nil, err
	}
	defer home.Close()
	entries, err := fs.ReadDir(home.FS(), ".")
	if err != nil {
		return nil, failure(opWatch, err)
	}
	var dirs []dirwatch.Dir
	for _, e := range entries {
		if !e.IsDir() || !plainName(e.Name()) || e.Name() == mailDirectory {
			continue
		}
		d := dirwatch.Dir{Path: filepath.Join(path, e.Name()), Only: metaFile}
		p := place{s.user, e.Name()}
		f, err := openFolder(home, p, s.b.index(p))
		switch {
		case errors.Is(err, errNoCollection):
			d.Only = ""
		case err == nil:
			f.Close()
		}
		dirs = append(dirs, d)
	}
	return dirs, nil
}

// mailDirs are the directories of a mail folder in which messages are. One that
// is not there yet is made, for otherwise nobody would hear of the first one.
func (f *folder) mailDirs(path string, c backend.CollectionID) []dirwatch.Dir {
	var dirs []dirwatch.Dir
	for _, name := range []string{"new", "cur"} {
		if err := f.Mkdir(name, newDirectoryMode); err == nil || errors.Is(err, fs.ErrExist) {
			dirs = append(dirs, dirwatch.Dir{Path: filepath.Join(path, name), Collection: c})
		}
	}
	return dirs
}
