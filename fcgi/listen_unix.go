//go:build unix

package fcgi

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// firstPassed is the first descriptor that systemd passes. See sd_listen_fds(3).
const firstPassed = 3

// listenUnix holds a lock on the socket's directory while it looks and binds,
// so that of two processes that start at once one sees the other listen.
func listenUnix(path string, mode fs.FileMode, group string) (net.Listener, error) {
	if path[0] == '@' { // Linux's abstract names leave nothing behind and have no mode
		return net.Listen("unix", path)
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
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := setAccess(path, mode, group); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on.
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
	// A socket with a full backlog makes us wait; it is anything but stale.
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		nc.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another process listens on %s: %w", path, syscall.EADDRINUSE)
	}
	return os.Remove(path)
}

func setAccess(path string, mode fs.FileMode, group string) error {
	if group != "" {
		gid, err := groupID(group)
		if err != nil {
			return err
		}
		if err := os.Lchown(path, -1, gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
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

// listenSystemd takes the passed socket of that name, or the first. The
// variables stay: other sockets may be asked for. They name our process, so
// that children do not believe them.
func listenSystemd(name string) (net.Listener, error) {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return nil, fmt.Errorf("%w: LISTEN_PID does not name this process", ErrNotPassed)
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%w: LISTEN_FDS is not a positive number", ErrNotPassed)
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for i := range n {
		if name == "" || i < len(names) && names[i] == name {
			return passed(firstPassed+i, "LISTEN_FD_"+strconv.Itoa(firstPassed+i))
		}
	}
	return nil, fmt.Errorf("%w under the name %q, but %q", ErrNotPassed, name, names)
}

// listenStdin takes a listening socket on descriptor 0, where spawn-fcgi and
// Apache's mod_fcgid put it. See FastCGI Specification, section 2.2.
func listenStdin() (net.Listener, error) {
	l, err := passed(0, "stdin")
	if err != nil {
		return nil, err
	}
	// passed has closed 0. Something must be there, or the next file that
	// anybody opens becomes the standard input of our children.
	if _, err := syscall.Open(os.DevNull, syscall.O_RDWR, 0); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// passed makes a listener of a descriptor, which it closes. The socket's file
// belongs to whoever opened it and is not removed.
func passed(fd int, name string) (net.Listener, error) {
	listening, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return nil, fmt.Errorf("%w: descriptor %d is not a socket: %w", ErrNotPassed, fd, err)
	}
	if listening == 0 {
		return nil, fmt.Errorf("descriptor %d is a socket that does not listen", fd)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return net.FileListener(f)
}
