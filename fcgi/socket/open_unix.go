//go:build unix

package socket

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Open has bind make a socket of a network at a place. One that another process
// has left behind is replaced; one at which somebody listens is an error, as is a
// file that is no socket. It holds a lock on the socket's directory while it looks
// and binds, so that of two processes that start at once one sees the other listen.
func Open[L io.Closer](network string, p Place, bind func() (L, error)) (l L, err error) {
	gid := -1
	if p.Group != "" {
		if gid, err = groupID(p.Group); err != nil {
			return l, err
		}
	}
	dir, err := os.Open(filepath.Dir(p.Path))
	if err != nil {
		return l, err
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return l, fmt.Errorf("lock %s: %w", dir.Name(), err)
	}
	if err := removeStale(network, p.Path); err != nil {
		return l, err
	}
	bound, err := bind()
	if err != nil {
		return l, err
	}
	if err = os.Lchown(p.Path, -1, gid); err == nil {
		err = os.Chmod(p.Path, p.Mode)
	}
	if err != nil {
		bound.Close()
		os.Remove(p.Path) // where Close did not
		return l, err
	}
	return bound, nil
}

// removeStale removes a socket at which nobody listens.
func removeStale(network, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is not a socket", path)
	}
	// A socket with a full backlog makes us wait; it is anything but stale.
	nc, err := net.DialTimeout(network, path, time.Second)
	if err == nil {
		nc.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another process listens on %s: %w", path, syscall.EADDRINUSE)
	}
	return os.Remove(path)
}

func groupID(group string) (int, error) {
	if gid, err := strconv.Atoi(group); err == nil {
		return gid, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
