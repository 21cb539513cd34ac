//go:build !unix

package notify

import (
	"errors"
	"net"

	"github.com/pushbridge/pushbridge/fcgi/socket"
)

var errNoSockets = errors.New("there are no unix sockets here")

func listen(socket.Place) (*net.UnixConn, error) { return nil, errNoSockets }

// Send sends a notice to the worker's socket.
func Send(string, Notice) error { return errNoSockets }
