//go:build unix

package bridge

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// inheritable answers a second descriptor of a file or a connection, which
// survives the start of another program, and which nobody else will close.
func inheritable(f syscall.Conn) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var failed error
	if err := conn.Control(func(d uintptr) { fd, failed = unix.FcntlInt(d, unix.F_DUPFD, 0) }); err != nil {
		return 0, err
	}
	return fd, failed
}
