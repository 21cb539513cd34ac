//go:build !unix

package fcgi

import (
	"errors"
	"io/fs"
	"net"
)

func listenUnix(path string, _ fs.FileMode, _ string) (net.Listener, error) {
	return net.Listen("unix", path)
}

func listenSystemd(string) (net.Listener, error) {
	return nil, errors.New("there is no systemd here")
}

func listenStdin() (net.Listener, error) {
	return nil, errors.New("sockets cannot be passed as descriptor 0 here")
}
