package fcgi

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A parked is a connection whose only request waits: a descriptor that the
// poller looks after, without a goroutine and without buffers. While the
// request goes on, parked is the net.Conn that its answer is written to.
type parked struct {
	srv *Server
	id  uint16 // of the request

	mu       sync.Mutex
	fd       int // -1 when it is closed or real
	gen      int32
	d        *Detached // while it waits
	leaving  *Detached // what unpark was called for
	conn     *conn     // while it goes on
	real     net.Conn  // once a write would have had to wait
	deadline time.Time // for writing
	closed   bool
}

// parkable tells whether the connection has a descriptor that can be polled.
func parkable(nc net.Conn) bool {
	switch nc.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}

// park moves the connection, on its reading goroutine, to the poller. It
// answers false if the reader has to stay.
func (c *conn) park() bool {
	c.mu.Lock()
	r := c.parking
	c.parking = nil
	d := r.detached
	c.mu.Unlock()
	if p := c.srv.parkConn(c, r, d); p != nil {
		if !p.rest(unix.EPOLL_CTL_ADD, d) {
			p.resume(d)
		}
		return true
	}
	c.mu.Lock()
	c.canPark = false
	c.mu.Unlock()
	if !d.rest(r) {
		r.resume(d)
	}
	return false
}

// parkConn takes the descriptor out of the hands of the runtime's poller.
func (s *Server) parkConn(c *conn, r *request, d *Detached) *parked {
	if s.poller.start() != nil {
		return nil
	}
	sc, err := c.nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	fd := -1
	if sc.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }) != nil || err != nil {
		return nil
	}
	p := &parked{srv: s, id: r.id, fd: fd, d: d}
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		unix.Close(fd)
		return nil
	}
	delete(s.conns, c)
	s.parked[p] = struct{}{}
	s.mu.Unlock()
	s.poller.register(fd, p)
	c.nc.Close()
	return p
}

// again lets the request of c wait once more. An event is looked at before or
// after it as a whole: one that found d, and not yet that it rests, would take
// the connection away while d is still the caller's, and both would go on.
func (p *parked) again(c *conn, d *Detached) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.d, p.conn = d, nil
	if p.restHere(unix.EPOLL_CTL_MOD, d) {
		return true
	}
	p.d, p.conn = nil, c
	return false
}

// rest leaves d to p and the poller. It answers false if the waiting has ended
// already. No event is looked at in between: one that gives the connection its
// reader back takes d away from p.
func (p *parked) rest(op int, d *Detached) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restHere(op, d)
}

// restHere is rest; p.mu is held.
func (p *parked) restHere(op int, d *Detached) bool {
	if p.fd < 0 || p.srv.poller.arm(op, p.fd, p.gen) != nil {
		d.End(ErrHungUp)
	}
	return d.rest(p)
}

// resume implements carrier.
func (p *parked) resume(d *Detached) { go p.goOn(d) }

// goOn runs what comes after the waiting.
func (p *parked) goOn(d *Detached) {
	c := &conn{srv: p.srv, nc: p, running: 1, refs: 1, bare: true}
	r := &request{conn: c, id: p.id}
	c.requests = []*request{r}
	p.mu.Lock()
	p.d, p.conn = nil, c
	p.mu.Unlock()
	if p.srv.isDraining() {
		c.mu.Lock()
		c.startDraining()
		c.mu.Unlock()
	}
	c.resumed(r, d)
}

// event is what the poller says: something came, or the web server hung up.
// Nothing is read: that is for the reader, and nobody reads what comes while
// the answer is made.
func (p *parked) event() {
	p.mu.Lock()
	d, c := p.d, p.conn
	if p.fd < 0 {
		p.mu.Unlock()
		return
	}
	var one [1]byte
	n, _, err := unix.Recvfrom(p.fd, one[:], unix.MSG_DONTWAIT|unix.MSG_PEEK)
	again := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
	if again {
		p.srv.poller.arm(unix.EPOLL_CTL_MOD, p.fd, p.gen)
	}
	// An event that was told before d came to rest, and found nothing to do, is
	// told once more.
	told := d != nil && d == p.leaving
	if n > 0 {
		p.leaving = d
	}
	p.mu.Unlock()
	switch {
	case again, told:
	case (err != nil || n == 0) && d != nil:
		d.End(ErrHungUp)
	case err != nil || n == 0:
		c.lose()
	case d != nil:
		go p.unpark(d)
	}
}

// lose tells a request that goes on without a reader that its web server hung up.
func (c *conn) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for _, r := range c.requests {
		r.end(ErrHungUp)
	}
}

// unpark gives the connection a reader again, because something was sent on it
// that has to be understood: an ABORT_REQUEST, or another request.
func (p *parked) unpark(d *Detached) {
	if !d.rest(nil) {
		return // its answer is being made, and ends the connection
	}
	p.mu.Lock()
	err := p.promote()
	nc := p.real
	p.real, p.closed = nil, true
	p.mu.Unlock()
	if err != nil {
		d.End(ErrHungUp)
		p.resume(d)
		return
	}
	c := &conn{srv: p.srv, nc: nc, running: 1, refs: 2}
	c.demux.sink = c
	r := &request{conn: c, id: p.id, cancel: func(error) {}, detached: d}
	c.requests = []*request{r}
	p.srv.unparked(p, c)
	if !d.rest(r) {
		r.resume(d)
	}
	c.read()
}

// promote hands the descriptor back to the runtime. p.mu is held.
func (p *parked) promote() error {
	fd := p.fd
	p.fd = -1
	if fd < 0 {
		return net.ErrClosed
	}
	p.srv.poller.forget(fd, p, false)
	f := os.NewFile(uintptr(fd), "fcgi")
	defer f.Close()
	var err error
	p.real, err = net.FileConn(f)
	return err
}

// Write implements net.Conn. What does not fit into the socket at once is
// written as by any other connection.
func (p *parked) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	for p.fd >= 0 && n < len(b) && err == nil {
		var m int
		m, err = unix.Write(p.fd, b[n:])
		switch {
		case err == nil:
			n += m
		case errors.Is(err, unix.EINTR):
			err = nil
		case errors.Is(err, unix.EAGAIN):
			err = p.promote()
		}
	}
	real, deadline := p.real, p.deadline
	p.mu.Unlock()
	if err != nil || n == len(b) {
		return n, err
	}
	if real == nil {
		return n, net.ErrClosed
	}
	real.SetWriteDeadline(deadline)
	m, err := real.Write(b[n:])
	return n + m, err
}

// Close implements net.Conn. The place among the server's connections is free
// when the request has ended, too.
func (p *parked) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return net.ErrClosed
	}
	p.closed = true
	if p.fd >= 0 {
		p.srv.poller.forget(p.fd, p, true)
		p.fd = -1
	}
	if p.real != nil {
		p.real.Close()
	}
	d := p.d
	p.mu.Unlock()
	if d != nil {
		d.End(ErrHungUp)
	}
	return nil
}

// drain tells the request to hurry.
func (p *parked) drain() {
	p.mu.Lock()
	d, c := p.d, p.conn
	p.mu.Unlock()
	if d != nil {
		d.End(ErrShutdown)
	}
	if c != nil {
		c.drain()
	}
}

// SetWriteDeadline implements net.Conn.
func (p *parked) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}

// Read implements net.Conn; nobody reads.
func (p *parked) Read([]byte) (int, error) { return 0, net.ErrClosed }

// SetReadDeadline implements net.Conn.
func (p *parked) SetReadDeadline(time.Time) error { return nil }

// SetDeadline implements net.Conn.
func (p *parked) SetDeadline(t time.Time) error { return p.SetWriteDeadline(t) }

// LocalAddr implements net.Conn.
func (p *parked) LocalAddr() net.Addr { return &net.UnixAddr{} }

// RemoteAddr implements net.Conn.
func (p *parked) RemoteAddr() net.Addr { return &net.UnixAddr{} }
