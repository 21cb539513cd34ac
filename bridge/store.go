package bridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
)

const (
	// databaseFile is the embedded database inside the state directory.
	databaseFile = "pushbridge.db"

	// Memory in place of a state directory keeps the state in memory: phones
	// load everything again after a restart. For tests.
	Memory = sqlite.Memory
)

// openStore opens the state that the configuration names.
func openStore(ctx context.Context, state string) (*sqlstore.DB, error) {
	path := state
	if state != Memory {
		if err := os.MkdirAll(state, 0o700); err != nil {
			return nil, fmt.Errorf("bridge: the state directory: %w; create it, owned by the user that pushbridge runs as, or name another one in state = \"...\"", err)
		}
		path = filepath.Join(state, databaseFile)
	}
	db, err := sqlite.Open(ctx, path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("bridge: the state: %w; the user that pushbridge runs as has to own the directory and what is in it", err)
	}
	if err != nil {
		return nil, fmt.Errorf("bridge: the state: %w", err)
	}
	return db, nil
}
