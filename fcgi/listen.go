package fcgi

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/pushbridge/pushbridge/fcgi/socket"
)

// DefaultSocketMode lets the socket's owner and group connect and nobody else:
// whoever can connect can claim to be any client.
const DefaultSocketMode = socket.DefaultMode

// ErrNotPassed says that whoever started this process has not passed the
// socket that Listen was to take.
var ErrNotPassed = errors.New("no socket was passed")

// Listen opens the listener that spec names:
//
//	unix:/run/x.sock                        a unix socket, mode 0660
//	unix:/run/x.sock?mode=0666&group=www    with another mode or group
//	tcp:127.0.0.1:9000                      TCP
//	systemd                                 the socket passed by systemd (LISTEN_FDS), the first one
//	systemd:NAME                            the one with FileDescriptorName=NAME
//	spawn-fcgi                              a listening socket as descriptor 0
//
// A unix socket that another process has left behind is replaced; one that
// somebody listens on is an error, as is a file that is no socket. Listeners
// have the longest backlog that the kernel allows (net.core.somaxconn); that
// of a passed socket was chosen by who opened it.
func Listen(spec string) (net.Listener, error) {
	kind, rest, _ := strings.Cut(spec, ":")
	switch kind {
	case "unix":
		l, err := listenUnix(rest)
		if err != nil {
			return nil, fmt.Errorf("fcgi: listen %q: %w", spec, err)
		}
		return l, nil
	case "tcp":
		if host, _, _ := net.SplitHostPort(rest); host == "" {
			return nil, fmt.Errorf("fcgi: listen %q: the host is missing; 127.0.0.1 is right unless the web server is elsewhere", spec)
		}
		l, err := net.Listen("tcp", rest)
		if err != nil {
			return nil, fmt.Errorf("fcgi: listen %q: %w", spec, err)
		}
		return l, nil
	case "systemd":
		l, err := listenSystemd(rest)
		if err != nil {
			return nil, fmt.Errorf("fcgi: listen %q: %w", spec, err)
		}
		return l, nil
	case "spawn-fcgi":
		l, err := listenStdin()
		if err != nil {
			return nil, fmt.Errorf("fcgi: listen %q: %w", spec, err)
		}
		return l, nil
	}
	return nil, fmt.Errorf("fcgi: listen %q: want unix:PATH, tcp:HOST:PORT, systemd or spawn-fcgi", spec)
}

// listenUnix opens what follows "unix:".
func listenUnix(text string) (net.Listener, error) {
	place, err := socket.Parse(text)
	if err != nil {
		return nil, err
	}
	listen := func() (net.Listener, error) { return net.Listen("unix", place.Path) }
	if place.Path[0] == '@' { // Linux's abstract names leave nothing behind and have no mode
		return listen()
	}
	return socket.Open("unix", place, listen)
}
