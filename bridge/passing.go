package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// PassedKey is the environment variable in which a worker that makes room for
// its successor, in the same process, says which listeners it leaves open.
const PassedKey = "PUSHBRIDGE_PASSED_LISTENERS"

// passing is the value of PassedKey.
type passing struct {
	PID     int               `json:"pid"`     // children are not meant
	Sockets map[string]int    `json:"sockets"` // descriptors, by what the configuration calls the listener
	Came    map[string]string `json:"came"`    // descriptors of connections, as ranges writes them, by the same
}

// The names under which listeners are passed, before what the configuration
// says of them: who moves a listener has it opened anew.
const (
	passedFastCGI = "fastcgi "
	passedHTTP    = "http "
	passedAdmin   = "admin "
	passedMetrics = "metrics "
)

// A Passed is a set of listening sockets that outlive the worker which opened
// them. Connections wait in their backlogs until the next one accepts, or here
// once Receive was called.
type Passed struct {
	files map[string]*os.File
	paths []string // of those that a worker has made
	doors []*doorway
}

// Keep duplicates the sockets, so that closing the listeners loses no
// connection.
func (b *Bridge) Keep(l Listeners) (*Passed, error) {
	p := &Passed{files: map[string]*os.File{}}
	for _, s := range []struct {
		name string
		l    net.Listener
	}{
		{passedFastCGI + b.config.Listen, l.FastCGI}, {passedHTTP + b.config.HTTP, l.HTTP}, {passedAdmin + AdminListen(b.config), l.Admin},
		{passedMetrics + b.config.Metrics, l.Metrics},
	} {
		if s.l == nil {
			continue
		}
		socket, ok := s.l.(interface{ File() (*os.File, error) })
		if !ok {
			return nil, errors.Join(fmt.Errorf("bridge: a listener of type %T cannot be passed on", s.l), p.Close())
		}
		f, err := socket.File()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("bridge: keeping %s open: %w", s.name, err), p.Close())
		}
		if u, ok := s.l.(*net.UnixListener); ok && ownPath(s.name, u) {
			u.SetUnlinkOnClose(false) // the name is still that of the socket
			p.paths = append(p.paths, u.Addr().String())
		}
		p.files[s.name] = f
	}
	return p, nil
}

// Receive accepts connections for the next worker, and leaves them unread. A
// backlog has room for 4,096 at best, and phones that are let go all together
// come back all together; a web server that finds it full refuses them.
func (p *Passed) Receive() error {
	for name, f := range p.files {
		if !strings.HasPrefix(name, passedFastCGI) && !strings.HasPrefix(name, passedHTTP) {
			continue
		}
		l, err := net.FileListener(f)
		if err != nil {
			return fmt.Errorf("bridge: receiving for the next worker on %s: %w", name, err)
		}
		p.doors = append(p.doors, receive(name, l))
	}
	return nil
}

// Close gives the sockets up, and the connections that were accepted.
func (p *Passed) Close() error {
	var errs []error
	for _, d := range p.doors {
		for _, c := range d.stop() {
			errs = append(errs, c.Close())
		}
	}
	for _, f := range p.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Remove removes the names of the sockets that nobody takes over.
func (p *Passed) Remove() error {
	var errs []error
	for _, path := range p.paths {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// Environment is what the next program in this process has to find in its
// environment. From then on the descriptors are inherited by every program that
// this process becomes or starts, and are not p's any more. Who came may have
// taken all descriptors that there are: so the doors are shut first, and nothing
// is kept twice.
func (p *Passed) Environment() (string, error) {
	value := passing{PID: os.Getpid(), Sockets: map[string]int{}, Came: map[string]string{}}
	room := maxCame
	for _, d := range p.doors {
		text, err := d.pass(room)
		if err != nil {
			return "", fmt.Errorf("bridge: passing on who came to %s: %w", d.name, err)
		}
		value.Came[d.name], room = text, room-len(text)
	}
	for name, f := range p.files {
		fd, err := inheritable(f)
		if err != nil {
			return "", fmt.Errorf("bridge: passing on %s: %w", name, err)
		}
		value.Sockets[name] = fd
		if err := f.Close(); err != nil {
			return "", fmt.Errorf("bridge: passing on %s: %w", name, err)
		}
		delete(p.files, name)
	}
	text, err := json.Marshal(value)
	return PassedKey + "=" + string(text), err
}

// takePassed takes over the listeners that the worker before left open in this
// process. The variable is removed: they can be taken once.
func takePassed() (map[string]taken, error) {
	text, ok := os.LookupEnv(PassedKey)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(PassedKey); err != nil {
		return nil, err
	}
	var value passing
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, fmt.Errorf("bridge: %s: %w", PassedKey, err)
	}
	if value.PID != os.Getpid() {
		return nil, nil
	}
	all := map[string]taken{}
	for name, fd := range value.Sockets {
		t := taken{}
		var err error
		if t.listener, err = taking(fd, name); err == nil {
			t.came, err = takeConns(value.Came[name])
		}
		all[name] = t
		if err != nil {
			for _, t := range all {
				t.close()
			}
			return nil, fmt.Errorf("bridge: taking over %s: %w", name, err)
		}
	}
	return all, nil
}

// A taken is what was passed under one name.
type taken struct {
	listener net.Listener
	came     []net.Conn
}

func (t taken) close() {
	if t.listener != nil {
		t.listener.Close()
	}
	for _, c := range t.came {
		c.Close()
	}
}

// taking makes a listener of an inherited descriptor, which it closes.
func taking(fd int, name string) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), name)
	if f == nil {
		return nil, fmt.Errorf("%d is no descriptor", fd)
	}
	defer f.Close()
	l, err := net.FileListener(f)
	// A socket that a worker opened goes with the last worker; one that was
	// passed to it belongs to who opened it.
	if u, ok := l.(*net.UnixListener); ok && ownPath(name, u) {
		u.SetUnlinkOnClose(true)
	}
	return l, err
}

// ownPath tells whether a worker has made the file of a socket.
func ownPath(name string, l *net.UnixListener) bool {
	return (strings.HasPrefix(name, passedFastCGI+"unix:") || strings.HasPrefix(name, passedAdmin)) && !strings.HasPrefix(l.Addr().String(), "@")
}
