package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// fresh is a database in memory that is up to date and empty. Bringing one up to
// date takes a hundred times as long as copying it, and tests open thousands.
var fresh struct {
	sync.Mutex
	image []byte
}

// An imager is a connection of the driver's that gives out its database as bytes,
// and takes one for its own.
type imager interface {
	Serialize() ([]byte, error)
	Deserialize([]byte) error
}

// copyFresh makes a new database in memory like the one that was brought up to
// date first.
func copyFresh(ctx context.Context, db *sql.DB) error {
	fresh.Lock()
	defer fresh.Unlock()
	first := fresh.image == nil
	if first {
		if err := migrate(ctx, db); err != nil {
			return err
		}
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driver any) (err error) {
		image, ok := driver.(imager)
		if !ok {
			return fmt.Errorf("sqlite: a %T cannot be copied", driver)
		}
		if first {
			fresh.image, err = image.Serialize()
			return err
		}
		return image.Deserialize(fresh.image)
	})
}
