//go:build !unix

package bridge

import (
	"errors"
	"syscall"
)

func inheritable(syscall.Conn) (int, error) {
	return 0, errors.New("sockets cannot be passed on here")
}
