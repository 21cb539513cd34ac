//go:build unix

package bridge

import (
	"os"

	"golang.org/x/sys/unix"
)

// inheritable lets a file survive the start of another program, and answers its
// descriptor.
func inheritable(f *os.File) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var cleared error
	err = conn.Control(func(d uintptr) {
		fd = int(d)
		_, cleared = unix.FcntlInt(d, unix.F_SETFD, 0)
	})
	if err == nil {
		err = cleared
	}
	return fd, err
}
