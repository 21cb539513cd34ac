package fcgi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// A conn is a connection from a web server. One goroutine reads it for as long
// as it is open; each handler has its own.
type conn struct {
	srv *Server
	nc  net.Conn

	// Of the reading goroutine.
	demux demux
	idle  [headerLen]byte // what is read into while nothing is expected
	began time.Time       // when the connection was accepted, or began to stall in mid-record

	mu         sync.Mutex
	requests   []*request // not ended: being read or in their handlers
	running    int        // handlers running, also of requests that have ended
	refs       int        // the reading goroutine and the handlers
	fresh      bool       // nothing was read yet
	stalled    bool       // in the middle of a record of no request
	overloaded bool       // one connection too many: refuse its requests
	draining   bool       // close when no request is left
	closing    bool       // close when no request is left, because one said so
	gone       bool       // the reader has ended
	lingering  time.Time  // when reading on after an early answer ends; zero if it does not
	drainEnd   time.Time  // when a fresh connection is given up in a shutdown
	canPark    bool       // a request that waits may leave this connection to the poller
	parking    *request   // the one that is about to
	bare       bool       // it has no reader: it is a parked one whose request goes on
	deadline   time.Time  // as set on nc

	writing sync.Mutex // held while records are written, and to end a request
}

// read reads the connection until it ends.
func (c *conn) read() {
	err := c.readAll()
	for err == errPark {
		if c.park() {
			return
		}
		err = c.readAll()
	}
	c.hangUp()
	c.stay()
	switch {
	case err == nil:
	case isProtocolError(err):
		c.srv.logger().Warn("fcgi: connection closed", "err", err)
	default:
		c.srv.logger().Debug("fcgi: connection closed", "err", err)
	}
	c.unref()
}

func isProtocolError(err error) bool {
	return errors.Is(err, errVersion) || errors.Is(err, errBegin) || errors.Is(err, errBusyID) || errors.Is(err, errOrder)
}

// readAll feeds the demux. A buffer is borrowed only while more bytes are due:
// between requests, and while they wait in their handlers, a record's header
// is read into the connection itself.
func (c *conn) readAll() error {
	var buf []byte
	defer func() {
		if buf != nil {
			readBuffers.put(buf)
		}
	}()
	for {
		if !c.schedule() {
			return nil
		}
		if c.mayPark() {
			return errPark
		}
		p := c.idle[:]
		if c.demux.midRecord() || c.demux.reading != nil {
			if buf == nil {
				buf = readBuffers.get()
			}
			p = buf[:cap(buf)]
		} else if buf != nil {
			readBuffers.put(buf)
			buf = nil
		}
		n, err := c.nc.Read(p)
		if n > 0 && !c.isLingering() {
			if err := c.demux.feed(p[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !c.expire(time.Now()) {
				return fmt.Errorf("fcgi: reading: %w", err)
			}
		default:
			return err
		}
		c.noteRead(n)
	}
}

// errPark says that the connection's only request waits and that there is
// nothing to read for.
var errPark = errors.New("fcgi: the connection can wait by itself")

// mayPark tells whether a request wants to leave the connection to the poller,
// and can.
func (c *conn) mayPark() bool {
	c.mu.Lock()
	wanted := c.parking != nil
	can := len(c.requests) == 1 && !c.draining
	c.mu.Unlock()
	if !wanted {
		return false
	}
	if can && !c.demux.midRecord() && len(c.demux.reading) == 0 {
		return true
	}
	c.stay()
	return false
}

// stay lets a request wait with the connection's reader that wanted to leave it.
func (c *conn) stay() {
	c.mu.Lock()
	r := c.parking
	c.parking = nil
	var d *Detached
	if r != nil {
		d = r.detached
	}
	c.mu.Unlock()
	if d != nil && !d.rest(r) {
		r.resume(d)
	}
}

func (c *conn) isLingering() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.lingering.IsZero()
}

func (c *conn) noteRead(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 {
		c.fresh = false
	}
	stalled := c.demux.midRecord() && c.demux.reading == nil
	if stalled && !c.stalled {
		c.began = time.Now()
	}
	c.stalled = stalled
}

// schedule sets the deadline for the next read: a request must be complete in
// time, one that waits in its handler may do so for ever. It answers false
// when the connection has nothing to read for.
func (c *conn) schedule() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A request is off the list before its answer is written: while a handler
	// runs, it is the answer's writer that closes the connection.
	if c.draining && len(c.requests) == 0 && c.running == 0 && !c.fresh && !c.demux.midRecord() && c.lingering.IsZero() {
		return false
	}
	var d time.Time
	switch {
	case !c.lingering.IsZero():
		d = c.lingering
	case c.fresh && c.draining:
		d = c.drainEnd
	case c.demux.reading != nil:
		d = c.demux.reading[0].deadline // the oldest is the first to expire
	case c.fresh, c.stalled:
		d = c.began.Add(c.srv.readTimeout())
	}
	if d != c.deadline {
		c.deadline = d
		c.nc.SetReadDeadline(d)
	}
	return true
}

// expire answers the requests whose time to arrive is over. It answers false
// when the connection itself is over.
func (c *conn) expire(now time.Time) bool {
	c.mu.Lock()
	over := false
	switch {
	case !c.lingering.IsZero():
		over = !now.Before(c.lingering)
	case c.fresh && c.draining:
		over = !now.Before(c.drainEnd)
	case c.fresh, c.stalled:
		over = !now.Before(c.began.Add(c.srv.readTimeout()))
	}
	c.mu.Unlock()
	if over {
		return false
	}
	for len(c.demux.reading) > 0 && !now.Before(c.demux.reading[0].deadline) {
		r := c.demux.reading[0]
		c.demux.drop(r)
		r.release()
		r.early = true
		c.refuse(r, http.StatusRequestTimeout, requestComplete)
	}
	return true
}

// mustClose reports whether no request is left and one wanted it so.
func (c *conn) mustClose() bool {
	return (c.closing || c.draining) && len(c.requests) == 0
}

// hangUp ends every request of a connection that is closed.
func (c *conn) hangUp() {
	c.nc.Close()
	c.mu.Lock()
	c.gone = true
	requests := c.requests
	c.requests = nil
	for _, r := range requests {
		r.end(ErrHungUp)
	}
	c.mu.Unlock()
	for _, r := range c.demux.reading {
		r.release()
	}
	c.demux.reading = nil
}

// drain closes the connection as soon as its requests are answered, and tells
// them to hurry.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startDraining()
	for _, r := range c.requests {
		r.end(ErrShutdown)
	}
	c.wake()
}

// wake makes the reader look at what is to do, and set its deadline anew.
// c.mu is held.
func (c *conn) wake() {
	c.deadline = time.Unix(1, 0)
	c.nc.SetReadDeadline(c.deadline)
}

func (c *conn) startDraining() {
	c.draining = true
	c.drainEnd = time.Now().Add(drainLinger)
}

func (c *conn) unref() {
	c.mu.Lock()
	c.refs--
	last := c.refs == 0
	c.mu.Unlock()
	switch {
	case !last:
	case c.bare:
		c.nc.Close()
		c.srv.unparked(c.nc.(*parked), nil)
	default:
		c.srv.remove(c)
	}
}

// start runs the handler of a complete request.
func (c *conn) start(r *request) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c.mu.Lock()
	r.ctx, r.cancel = ctx, cancel
	if c.draining {
		cancel(ErrShutdown)
	}
	c.running++
	c.refs++
	c.mu.Unlock()
	c.srv.countHandlers(1)
	go c.handle(r)
}

func (c *conn) handle(r *request) { c.after(r, c.serve(r)) }

// done is the end of a handler that has answered.
func (c *conn) done() {
	c.mu.Lock()
	c.running--
	if c.draining && c.running == 0 {
		c.wake() // it waited for this handler
	}
	c.mu.Unlock()
	c.unref()
}

// serve calls the handler.
func (c *conn) serve(r *request) *Detached {
	req := r.http.WithContext(r.ctx)
	r.http = nil
	return c.run(r, req, func(w *response) { c.srv.Handler.ServeHTTP(w, req) })
}

// run lets a handler, or what comes after its waiting, answer, and finishes the
// answer. If the handler has detached it, the detached one comes back.
func (c *conn) run(r *request, req *http.Request, handler func(*response)) (d *Detached) {
	w := newResponse(c, r, req)
	cancel := r.cancel
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				c.srv.logger().Error("fcgi: panic in a handler", "method", req.Method, "path", req.URL.Path,
					"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
			if w.detached != nil {
				w.detached.End(errFinished) // nothing comes of it
				w.detached = nil
			}
			w.fail()
		}
		r.release()
		cancel(nil)
	}()
	handler(w)
	if w.detached == nil {
		w.finish()
	}
	return w.detached
}
