//go:build unix

package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// listen holds a lock on the socket's directory while it looks and binds, so
// that of two processes that start at once one sees the other listen.
func listen(path string, mode fs.FileMode, group string) (*net.UnixConn, error) {
	gid := -1
	if group != "" {
		var err error
		if gid, err = groupID(group); err != nil {
			return nil, err
		}
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir.Name(), err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		return nil, err
	}
	if err = os.Lchown(path, -1, gid); err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		conn.Close()
		os.Remove(path)
		return nil, err
	}
	return conn, nil
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

// removeStale removes a socket at which nobody listens.
func removeStale(path string) error {
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
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: path})
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another process listens on %s: %w", path, syscall.EADDRINUSE)
	}
	return os.Remove(path)
}

// Send sends a notice to the worker's socket. It never waits: a socket that is
// full at the moment is an error.
func Send(path string, n Notice) error {
	if err := n.Check(); err != nil {
		return err
	}
	data, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	if len(data) > MaxDatagram {
		return fmt.Errorf("notify: the notice takes more than %d bytes", MaxDatagram)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	// The descriptor is non-blocking; to answer true is not to wait for it.
	writeErr := raw.Write(func(fd uintptr) bool {
		_, err = syscall.Write(int(fd), data)
		return true
	})
	if err = errors.Join(writeErr, err); err != nil {
		return fmt.Errorf("notify: %s: %w", path, err)
	}
	return nil
}
