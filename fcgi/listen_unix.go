//go:build unix

package fcgi

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstPassed is the first descriptor that systemd passes. See sd_listen_fds(3).
const firstPassed = 3

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
