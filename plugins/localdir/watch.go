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

// Watch implements backend.Watcher. The empty CollectionID stands for the list
// of collections.
func (s *Session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	const op = "localdir: watch"
	dirs := make([]dirwatch.Dir, len(cs))
	for i, c := range cs {
		dirs[i] = dirwatch.Dir{Path: filepath.Join(s.b.settings.Dir, s.user), Collection: c}
		if c != "" {
			f, err := s.open(ctx, op, c)
			if err != nil {
				return err
			}
			dirs[i].Path = filepath.Join(dirs[i].Path, f.directory)
			if f.kind == backend.Mail {
				dirs = append(dirs, f.mailDirs(dirs[i].Path, c)...)
			}
			f.Close()
		}
	}
	return s.b.watches.Watch(ctx, op, dirs, ready, changed)
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
