//go:build unix

package localdir

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// writable tells whether files can be made in a directory.
func writable(r *os.Root) bool {
	d, err := r.Open(".")
	if err != nil {
		return false
	}
	defer d.Close()
	// Without a flag faccessat asks for the real user, which is ours.
	return unix.Faccessat(int(d.Fd()), ".", unix.W_OK|unix.X_OK, 0) == nil
}

const (
	// lockName is the file whose lock writers of a collection hold, in this
	// and in other processes of ours.
	lockName = ".lock"

	// lockPause is the time between two tries to get the lock: there is no way
	// to wait for it that ends with a context.
	lockPause = 5 * time.Millisecond
)

// lock keeps other processes of ours from writing to a collection until the
// file is closed.
func lock(ctx context.Context, r *os.Root) (*os.File, error) {
	f, err := r.OpenFile(lockName, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// syncDirectory makes sure that names in a directory survive a crash.
func syncDirectory(r *os.Root) error {
	d, err := r.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) { // some file systems cannot, and need not
		return err
	}
	return nil
}
