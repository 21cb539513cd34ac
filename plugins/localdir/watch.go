package localdir

import (
	"context"
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
			f.Close()
		}
	}
	return s.b.watches.Watch(ctx, op, dirs, ready, changed)
}
