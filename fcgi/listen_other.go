//go:build !unix

package fcgi

import (
	"errors"
	"net"
)

func listenSystemd(string) (net.Listener, error) {
	return nil, errors.New("there is no systemd here")
}

func listenStdin() (net.Listener, error) {
	return nil, errors.New("sockets cannot be passed as descriptor 0 here")
}
