package fcgi

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// DefaultSocketMode lets the socket's owner and group connect and nobody else:
// whoever can connect can claim to be any client.
const DefaultSocketMode fs.FileMode = 0o660

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
		path, mode, group, err := unixSpec(rest)
		if err != nil {
			return nil, fmt.Errorf("fcgi: listen %q: %w", spec, err)
		}
		l, err := listenUnix(path, mode, group)
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

// unixSpec takes apart what follows "unix:".
func unixSpec(s string) (path string, mode fs.FileMode, group string, err error) {
	path, query, _ := strings.Cut(s, "?")
	if path == "" {
		return "", 0, "", errors.New("the path of the socket is missing")
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, "", err
	}
	mode = DefaultSocketMode
	for key, values := range options {
		switch v := values[len(values)-1]; key {
		case "mode":
			n, err := strconv.ParseUint(v, 8, 9)
			if err != nil {
				return "", 0, "", fmt.Errorf("mode %q is not an octal mode like 0660", v)
			}
			mode = fs.FileMode(n)
		case "group":
			group = v
		default:
			return "", 0, "", fmt.Errorf("unknown option %q, want mode or group", key)
		}
	}
	return path, mode, group, nil
}
