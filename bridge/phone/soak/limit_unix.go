//go:build unix

package soak

import (
	"fmt"
	"syscall"
)

// raiseLimit makes room for so many connections, or says how to.
func raiseLimit(need int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("soak: the limit of open files: %w", err)
	}
	want := uint64(need)
	if uint64(l.Cur) >= want {
		return nil
	}
	was := l
	l.Cur = want
	if uint64(l.Max) < want {
		l.Max = want // which root may
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("soak: %d files may be open and so many phones need %d: run it as root, or raise the limit first (ulimit -n %d; in /etc/security/limits.conf \"nofile\"), or play fewer phones in each of several processes", was.Max, need, need)
	}
	return nil
}
