package bridge

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxCame bounds the list of connections that are passed on, in bytes: the
// kernel takes no environment variable above 128 KB. As descriptors are given
// in order, a hundred thousand connections are few ranges.
const maxCame = 100 << 10

// outOfDescriptors is how long a doorway waits when it cannot accept: those
// that its worker has let go become free meanwhile.
const outOfDescriptors = 5 * time.Millisecond

// A doorway accepts connections for somebody who is not there yet.
type doorway struct {
	name     string
	listener net.Listener
	ended    chan struct{}

	mu   sync.Mutex
	came []net.Conn
	shut bool
}

// receive accepts until stop is called.
func receive(name string, l net.Listener) *doorway {
	d := &doorway{name: name, listener: l, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		for d.one() {
		}
	}()
	return d
}

// one accepts a connection, and tells whether there is to be another.
func (d *doorway) one() bool {
	c, err := d.listener.Accept()
	switch {
	case err == nil:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.came = append(d.came, c)
		return true
	case errors.Is(err, net.ErrClosed):
		return false
	}
	time.Sleep(outOfDescriptors)
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.shut
}

// stop ends the accepting, and answers whom nobody has taken.
func (d *doorway) stop() []net.Conn {
	d.mu.Lock()
	d.shut = true
	d.mu.Unlock()
	d.listener.Close()
	<-d.ended
	came := d.came
	d.came = nil
	return came
}

// pass ends the accepting and makes the connections survive the start of
// another program, as many as can be said in so many bytes. The others are
// closed.
func (d *doorway) pass(room int) (string, error) {
	var fds []int
	for _, c := range d.stop() {
		fd, err := inheritable(c.(syscall.Conn))
		c.Close() // so that no two descriptors are needed for all at once
		if err != nil {
			return "", err
		}
		fds = append(fds, fd)
	}
	text, said := ranges(fds, room)
	for _, fd := range fds[said:] {
		os.NewFile(uintptr(fd), "connection").Close()
	}
	return text, nil
}

// ranges writes numbers in their order, such as 7-9,12, and answers how many
// fit into so many bytes.
func ranges(numbers []int, room int) (text string, said int) {
	var b strings.Builder
	for said < len(numbers) {
		first, n := numbers[said], 1
		for said+n < len(numbers) && numbers[said+n] == first+n {
			n++
		}
		part := strconv.Itoa(first)
		if n > 1 {
			part += "-" + strconv.Itoa(first+n-1)
		}
		if b.Len() > 0 {
			part = "," + part
		}
		if b.Len()+len(part) > room {
			break
		}
		b.WriteString(part)
		said += n
	}
	return b.String(), said
}

// takeConns makes connections of the descriptors that ranges wrote. Those that
// cannot be taken are closed: whoever was there is gone.
func takeConns(text string) ([]net.Conn, error) {
	fds, err := numbers(text)
	if err != nil {
		return nil, err
	}
	var conns []net.Conn
	for _, fd := range fds {
		f := os.NewFile(uintptr(fd), "connection")
		if c, err := net.FileConn(f); err == nil {
			conns = append(conns, c)
		}
		f.Close()
	}
	return conns, nil
}

// numbers reads what ranges wrote.
func numbers(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(to)
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no list of descriptors", text)
		}
		for n := first; n <= last; n++ {
			all = append(all, n)
		}
	}
	return all, nil
}

// A cameBefore is a listener whose connections were accepted by the worker
// before.
type cameBefore struct {
	of     net.Listener
	conns  chan net.Conn // closed
	closed chan struct{}
	once   sync.Once
}

func newCameBefore(of net.Listener, came []net.Conn) *cameBefore {
	l := &cameBefore{of: of, conns: make(chan net.Conn, len(came)), closed: make(chan struct{})}
	for _, c := range came {
		l.conns <- c
	}
	close(l.conns)
	return l
}

// Accept answers those who came, and then waits for Close.
func (l *cameBefore) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close closes those whom nobody has accepted.
func (l *cameBefore) Close() error {
	l.once.Do(func() { close(l.closed) })
	for c := range l.conns {
		c.Close()
	}
	return nil
}

func (l *cameBefore) Addr() net.Addr { return l.of.Addr() }
