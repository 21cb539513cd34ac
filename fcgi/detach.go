package fcgi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// ErrDeadline says that the time which a detached request was to wait is over.
var ErrDeadline = errors.New("fcgi: the request has waited long enough")

// errDetached is what a handler hears that writes after it has detached its answer.
var errDetached = errors.New("fcgi: the answer is detached")

// A Then goes on with a request that waited, on a goroutine of its own. cause
// is what End was told, [ErrDeadline], or one of the reasons for which a
// context ends. It answers on w as a handler does, or detaches w once more. ctx
// ends when a handler's would.
type Then func(ctx context.Context, w http.ResponseWriter, cause error)

// A Detached is a request that waits without a goroutine. Exactly one party
// ends its waiting.
type Detached struct {
	then Then
	due  time.Time // zero if there is no deadline
	head bool      // the answer has no body

	mu      sync.Mutex
	ended   bool
	cause   error
	carrier carrier // nil before the handler has returned

	place place // on the wheel
}

// A carrier holds what a detached request is to be answered with.
type carrier interface {
	// resume goes on with the request. It does not block and takes no lock.
	resume(d *Detached)
}

// A detacher is a response that can wait without its handler.
type detacher interface {
	detach(deadline time.Time, then Then) *Detached
}

// Detach lets the request that w answers wait without a goroutine. The handler
// writes nothing, and returns; then goes on when somebody calls End, at the
// deadline (a zero one never comes; it is kept to the second, never early),
// when the client has gone, or when the server is shut down. What then refers
// to is what a waiting request costs, so it should not be the http.Request.
//
// w may be wrapped, with a method Unwrap as [http.ResponseController] wants
// it. The answer is nil if w cannot be detached: because something was written,
// or because its server cannot; see [Waitable].
func Detach(w http.ResponseWriter, deadline time.Time, then Then) *Detached {
	for {
		switch x := w.(type) {
		case detacher:
			return x.detach(deadline, then)
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return nil
		}
	}
}

// End ends the waiting and lets the request go on with cause. It answers
// whether it was this call that did so. It never blocks, and may come before
// the handler has returned.
func (d *Detached) End(cause error) bool {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return false
	}
	d.ended, d.cause = true, cause
	c := d.carrier
	d.mu.Unlock()
	if c != nil {
		c.resume(d)
	}
	return true
}

// rest leaves d to c. It answers false if the waiting has ended already: then
// the caller goes on with it.
func (d *Detached) rest(c carrier) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.carrier = c
	}
	return !d.ended
}

// detach implements detacher.
func (w *response) detach(deadline time.Time, then Then) *Detached {
	if w.status != 0 || w.detached != nil {
		return nil
	}
	d := &Detached{then: then, due: deadline, head: w.req.Method == http.MethodHead}
	w.detached = d
	c := w.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	w.r.detached = d
	if cause := context.Cause(w.r.ctx); cause != nil {
		d.End(cause)
	}
	return d
}

// settle lets the request wait where it costs least. Where its waiting is over
// already, it goes on with it until it is answered or really waits. It answers
// false when the request is answered.
func (c *conn) settle(r *request, d *Detached) (waits bool) {
	for d != nil {
		c.srv.wheel.add(d)
		if c.leave(r, d) {
			return true
		}
		d = c.goOn(r, d)
	}
	return false
}

// leave answers false if the waiting is over.
func (c *conn) leave(r *request, d *Detached) bool {
	if p, ok := c.nc.(*parked); ok && p.again(c, d) {
		return true
	}
	c.mu.Lock()
	if c.canPark && !r.keep && len(c.requests) == 1 && c.running == 1 && !c.draining && !c.gone {
		c.parking = r // the reader takes it from here
		c.wake()
		c.mu.Unlock()
		return true
	}
	c.mu.Unlock()
	return d.rest(r)
}

// resume implements carrier, for a request whose connection has its reader.
// What it holds of the connection it held while it waited, too.
func (r *request) resume(d *Detached) { go r.conn.resumed(r, d) }

// resumed is the goroutine of a request whose waiting has ended.
func (c *conn) resumed(r *request, d *Detached) {
	c.srv.countHandlers(1)
	c.after(r, c.goOn(r, d))
}

// after is the end of a handler: of one that has answered, if d is nil.
func (c *conn) after(r *request, d *Detached) {
	waits := c.settle(r, d)
	c.srv.countHandlers(-1)
	if !waits {
		c.done()
	}
}

// goOn runs what comes after the waiting, and answers the request's next
// waiting, or nil.
func (c *conn) goOn(r *request, d *Detached) *Detached {
	c.srv.wheel.remove(d)
	ctx, cancel := context.WithCancelCause(context.Background())
	c.mu.Lock()
	r.ctx, r.cancel, r.detached = ctx, cancel, nil
	switch {
	case d.cause == ErrHungUp, d.cause == ErrAborted:
		cancel(d.cause)
	case r.over != nil:
		cancel(r.over)
	case c.gone:
		cancel(ErrHungUp)
	case c.draining:
		cancel(ErrShutdown)
	}
	c.mu.Unlock()
	req := afterwards
	if d.head {
		req = afterwardsHead
	}
	return c.run(r, req, func(w *response) { d.then(ctx, w, d.cause) })
}

// What is left of the http.Request of one that waited: nothing.
var (
	afterwards     = &http.Request{Method: http.MethodPost, URL: new(url.URL)}
	afterwardsHead = &http.Request{Method: http.MethodHead, URL: new(url.URL)}
)
