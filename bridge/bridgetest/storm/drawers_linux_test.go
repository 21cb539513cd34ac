package storm_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

// drawers is a shelf of files on which collections come and go.
type drawers struct{ storm.Directory }

var _ storm.Registry = drawers{}

func (drawers) Backend() backend.Backend    { return nil }
func (drawers) Forget(backend.CollectionID) {}
func (drawers) Stumble() string             { return "" }
func (drawers) Recover() error              { return nil }

// metaFile is where localdir reads what a collection is.
const metaFile = ".collection.toml"

func (d drawers) path(id backend.CollectionID, more ...string) string {
	return filepath.Join(append([]string{string(d.Directory), string(id)}, more...)...)
}

// SetCollection makes a directory that is complete when it has its name, or says what it is called from
// now on, in one go.
func (d drawers) SetCollection(c backend.Collection) error {
	text, err := toml.Marshal(localdir.Meta{Kind: string(c.Kind), Name: c.Name, ReadOnly: c.ReadOnly})
	if err != nil {
		return err
	}
	if _, err := os.Stat(d.path(c.ID)); err == nil {
		next := d.path(c.ID, ".next")
		if err := os.WriteFile(next, text, 0o600); err != nil {
			return err
		}
		return os.Rename(next, d.path(c.ID, metaFile))
	}
	draft := d.path(".made-" + c.ID)
	if err := os.Mkdir(draft, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(draft, metaFile), text, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, d.path(c.ID))
}

// RemoveCollection takes a directory away with all that is in it, in one go.
func (d drawers) RemoveCollection(id backend.CollectionID) error {
	gone := d.path(".removed-" + id)
	err := os.Rename(d.path(id), gone)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, os.RemoveAll(gone))
}

// Collections reads what the directories are.
func (d drawers) Collections() ([]backend.Collection, error) {
	entries, err := os.ReadDir(string(d.Directory))
	if err != nil {
		return nil, err
	}
	var list []backend.Collection
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		id := backend.CollectionID(e.Name())
		var m localdir.Meta
		text, err := os.ReadFile(d.path(id, metaFile))
		if err == nil {
			err = toml.Unmarshal(text, &m)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // those of which the name says all have none
			return nil, err
		}
		list = append(list, backend.Collection{ID: id, Kind: backend.CollectionKind(m.Kind), Name: m.Name, ReadOnly: m.ReadOnly})
	}
	return list, nil
}
