// Package graceful serves HTTP and ends without hanging up on anybody who was accepted.
package graceful

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// askPatience is how long End waits for those who are connected and ask
// nothing. A request on this computer takes a few milliseconds.
const askPatience = 3 * time.Second

// A Server answers requests, and ends without leaving one of them unanswered.
// http.Server alone hangs up on whoever was accepted, but not yet read, when
// Shutdown begins.
type Server struct {
	*http.Server

	mu        sync.Mutex
	listeners []net.Listener
	serving   sync.WaitGroup // over when every Serve has returned: nobody accepts any more
	busy      map[net.Conn]struct{}
	quiet     chan struct{} // closed when nobody is busy, if somebody waits for that
	ended     bool
}

// New lets s end so. Its ConnState is taken.
func New(s *http.Server) *Server {
	g := &Server{Server: s}
	s.ConnState = g.track
	return g
}

// Serve answers those whom l accepts until End, and then answers
// http.ErrServerClosed; any other error comes from l. It may be called for several
// listeners.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		l.Close()
		return http.ErrServerClosed
	}
	s.listeners = append(s.listeners, l)
	s.serving.Add(1) // not after End, which waits
	s.mu.Unlock()
	defer s.serving.Done()
	err := s.Server.Serve(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && errors.Is(err, net.ErrClosed) {
		return http.ErrServerClosed
	}
	return err
}

// track is the server's ConnState: who is connected is busy until a request is
// answered.
func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew, http.StateActive:
		if s.busy == nil {
			s.busy = make(map[net.Conn]struct{})
		}
		s.busy[c] = struct{}{}
	default:
		delete(s.busy, c)
	}
	if len(s.busy) == 0 && s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
}

// End accepts nobody any more, answers those who were accepted, and ends. Those
// who come later wait at the socket, if somebody else has it, too.
func (s *Server) End(ctx context.Context) error {
	s.mu.Lock()
	s.ended = true
	listeners := s.listeners
	s.mu.Unlock()
	if len(listeners) == 0 {
		return s.Shutdown(ctx)
	}
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	s.serving.Wait()
	patient, enough := context.WithTimeout(ctx, askPatience)
	defer enough()
	select {
	case <-s.whenQuiet():
	case <-patient.Done():
	}
	return errors.Join(append(errs, s.Shutdown(ctx))...)
}

// whenQuiet is closed when nobody is busy.
func (s *Server) whenQuiet() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	quiet := make(chan struct{})
	if len(s.busy) == 0 {
		close(quiet)
	} else {
		s.quiet = quiet
	}
	return quiet
}
