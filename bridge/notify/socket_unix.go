//go:build unix

package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/pushbridge/pushbridge/fcgi/socket"
)

func listen(p socket.Place) (*net.UnixConn, error) {
	return socket.Open("unixgram", p, func() (*net.UnixConn, error) {
		return net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: p.Path})
	})
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
