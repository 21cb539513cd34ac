package fcgi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What the zero values of a Server's limits mean.
const (
	// DefaultMaxParams is more than nginx can send: it puts all parameters of
	// a request into one record of at most 65535 bytes.
	DefaultMaxParams = 64 << 10

	// DefaultMaxBody lets a mail with large attachments pass.
	DefaultMaxBody = 64 << 20

	// DefaultMaxBuffered is four of the longest bodies at the same time.
	DefaultMaxBuffered = 256 << 20

	// DefaultMaxConns leaves room for 100,000 waiting phones; the limit of
	// open files usually binds first.
	DefaultMaxConns = 128 << 10

	// DefaultMaxReqsPerConn bounds what a multiplexing web server may begin on
	// one connection. nginx, Apache and lighttpd begin one.
	DefaultMaxReqsPerConn = 64

	// DefaultReadTimeout is long for a web server that has buffered the
	// request, and short enough to get rid of one that stalls.
	DefaultReadTimeout = time.Minute

	// DefaultWriteTimeout is longer than the 60 s after which nginx gives up
	// on a slow client.
	DefaultWriteTimeout = 2 * time.Minute
)

const (
	// spareConns are accepted above MaxConns to tell their requests that we
	// are overloaded; when they are taken too, connections wait in the
	// listener's backlog.
	spareConns = 64

	// drainLinger is how long Shutdown waits for the request of a connection
	// that was accepted but has said nothing yet: its bytes are on the way.
	drainLinger = time.Second

	// drainBatch is how many waiting requests are told of a shutdown at a time,
	// and breath how long the next ones wait for them at most.
	drainBatch = 256
	breath     = 50 * time.Millisecond

	// closeLinger is how long a connection that we have answered early is
	// still read, so that closing does not destroy the answer under way.
	closeLinger = time.Second
)

// A Server serves Handler to web servers. Handler is required; every other
// zero value has a meaning, and none may be changed once Serve was called.
type Server struct {
	Handler http.Handler

	MaxParams      int   // bytes of a request's parameters, more is answered 431; 0 means DefaultMaxParams
	MaxBody        int64 // bytes of a request's body, more is answered 413; 0 means DefaultMaxBody
	MaxBuffered    int64 // bytes of all bodies not yet read, more is answered 503; 0 means DefaultMaxBuffered
	MaxConns       int   // connections, requests on more are answered 503 with OVERLOADED; 0 means DefaultMaxConns
	MaxReqsPerConn int   // unfinished requests on one connection, more are answered 503 with OVERLOADED; 0 means DefaultMaxReqsPerConn

	ReadTimeout  time.Duration // from BEGIN_REQUEST to the end of STDIN, after it 408; 0 means DefaultReadTimeout
	WriteTimeout time.Duration // for the web server to take one record; 0 means DefaultWriteTimeout

	Logger *slog.Logger // nil means slog.Default

	buffered atomic.Int64 // bytes of bodies held

	mu        sync.Mutex
	draining  bool
	listeners map[net.Listener]struct{}
	serving   int // calls of Serve
	conns     map[*conn]struct{}
	parked    map[*parked]struct{}
	requests  int           // handlers running
	slots     chan struct{} // a token per connection, spare ones included
	stopped   chan struct{} // closed when draining
	left      chan struct{} // closed when nothing is left after draining

	wheel  wheel  // of the deadlines of detached requests
	poller poller // of the connections that wait without a goroutine
}

// Stats are counts of the present moment.
type Stats struct {
	Conns    int // open connections, and closed ones whose handlers still run
	Parked   int // those among them that wait without a goroutine
	Handlers int // handlers running; detached requests have none
}

// Stats counts what there is now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Conns: len(s.conns) + len(s.parked), Parked: len(s.parked), Handlers: s.requests}
}

// Serve accepts connections from l and serves them until Shutdown or Close,
// and then answers ErrServerClosed; any other error comes from l. It closes l.
// It may be called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	if s.Handler == nil {
		panic("fcgi: Server.Handler is required")
	}
	defer l.Close()
	slots, ok := s.addListener(l)
	if !ok {
		return ErrServerClosed
	}
	defer s.removeListener(l)
	var backoff time.Duration
	for {
		select {
		case slots <- struct{}{}:
		case <-s.stopped:
			return ErrServerClosed
		}
		nc, err := l.Accept()
		if err != nil {
			<-slots
			if s.isDraining() {
				return ErrServerClosed
			}
			var ne net.Error
			//lint:ignore SA1019 there is no other word for "out of descriptors, try again"
			if !errors.As(err, &ne) || !ne.Temporary() {
				return err
			}
			backoff = min(max(2*backoff, 5*time.Millisecond), time.Second)
			s.logger().Error("fcgi: accept", "err", err, "again_in", backoff)
			time.Sleep(backoff)
			continue
		}
		backoff = 0
		c := s.add(nc)
		go c.read()
	}
}

func (s *Server) addListener(l net.Listener) (slots chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, false
	}
	if s.listeners == nil {
		s.listeners = make(map[net.Listener]struct{})
		s.conns = make(map[*conn]struct{})
		s.parked = make(map[*parked]struct{})
		s.slots = make(chan struct{}, s.maxConns()+spareConns)
		s.stopped = make(chan struct{})
	}
	s.listeners[l] = struct{}{}
	s.serving++
	return s.slots, true
}

func (s *Server) removeListener(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	s.serving--
	s.checkLeft()
}

func (s *Server) add(nc net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &conn{srv: s, nc: nc, fresh: true, refs: 1, canPark: parkable(nc)}
	if s.draining {
		c.startDraining()
	}
	c.demux.sink = c
	c.overloaded = len(s.conns)+len(s.parked) >= s.maxConns()
	c.began = time.Now()
	s.conns[c] = struct{}{}
	return c
}

// unparked is told that p and its request have ended, or that p has become c,
// which is to be read.
func (s *Server) unparked(p *parked, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.parked[p]; !ok {
		return
	}
	delete(s.parked, p)
	if c == nil {
		<-s.slots
		s.checkLeft()
		return
	}
	s.conns[c] = struct{}{}
	if s.draining {
		go c.drain()
	}
}

// remove forgets a connection whose reader and handlers have all ended.
func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	<-s.slots
	s.checkLeft()
}

func (s *Server) countHandlers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests += n
}

// checkLeft tells the callers of Shutdown when nothing is left.
func (s *Server) checkLeft() {
	if s.left != nil && s.serving == 0 && len(s.conns)+len(s.parked) == 0 {
		close(s.left)
		s.left = nil
	}
}

func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// Shutdown ends the server without losing an answer: it closes the listeners
// and the idle connections, cancels the contexts of all requests with cause
// ErrShutdown, and waits until their handlers have answered and every
// connection is closed. It answers the context's cause when that ends first;
// what is left then goes on, and Close cuts it off.
func (s *Server) Shutdown(ctx context.Context) error {
	left, conns, waiting := s.drain()
	for _, c := range conns {
		c.drain()
	}
	for i, p := range waiting {
		if i%drainBatch == drainBatch-1 {
			s.catchBreath(ctx)
		}
		p.drain()
	}
	select {
	case <-left:
		s.poller.stop()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// catchBreath lets those answer who were told to, up to breath: a hundred
// thousand phones that are answered at once take as much memory as they did
// not while they waited, and all come back at once.
func (s *Server) catchBreath(ctx context.Context) {
	deadline := time.After(breath)
	for s.Stats().Handlers >= drainBatch {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Close ends the server at once: listeners and connections are closed, the
// contexts of all requests end with cause ErrShutdown, answers are lost. It
// does not wait for handlers; a Shutdown after it does.
func (s *Server) Close() error {
	_, conns, waiting := s.drain()
	for _, p := range waiting {
		p.drain()
		p.Close()
	}
	for _, c := range conns {
		c.drain()
		c.nc.Close()
	}
	s.poller.stop()
	return nil
}

// drain stops accepting. It answers a channel that is closed when nothing is
// left, and the connections there are.
func (s *Server) drain() (<-chan struct{}, []*conn, []*parked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining && s.stopped != nil {
		close(s.stopped)
	}
	s.draining = true
	for l := range s.listeners {
		l.Close()
	}
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	waiting := make([]*parked, 0, len(s.parked))
	for p := range s.parked {
		waiting = append(waiting, p)
	}
	if s.left == nil {
		s.left = make(chan struct{})
	}
	left := s.left
	s.checkLeft()
	return left, conns, waiting
}

func (s *Server) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

func (s *Server) maxParams() int     { return orDefault(s.MaxParams, DefaultMaxParams) }
func (s *Server) maxBody() int64     { return orDefault(s.MaxBody, DefaultMaxBody) }
func (s *Server) maxBuffered() int64 { return orDefault(s.MaxBuffered, DefaultMaxBuffered) }
func (s *Server) maxConns() int      { return orDefault(s.MaxConns, DefaultMaxConns) }
func (s *Server) maxReqs() int       { return orDefault(s.MaxReqsPerConn, DefaultMaxReqsPerConn) }
func (s *Server) readTimeout() time.Duration {
	return orDefault(s.ReadTimeout, DefaultReadTimeout)
}
func (s *Server) writeTimeout() time.Duration {
	return orDefault(s.WriteTimeout, DefaultWriteTimeout)
}
