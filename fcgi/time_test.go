package fcgi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A pipes is a net.Listener of connections in memory, for tests with a clock
// of their own.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipes) dial(t testing.TB) *fcgitest.Conn {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return fcgitest.NewConn(t, ours)
}

// inBubble runs f with a server whose time is free.
func inBubble(t *testing.T, s *fcgi.Server, f func(*testing.T, *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		f(t, l)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
	})
}

func TestSlowRequestsAreGivenUp(t *testing.T) {
	inBubble(t, &fcgi.Server{Handler: echo, ReadTimeout: 10 * time.Second}, func(t *testing.T, l *pipes) {
		start := time.Now()
		c := l.dial(t)
		c.Write(fcgitest.Request{KeepConn: true, Body: []byte("x")}.Begun())
		if a := c.Answer(1); a.StatusCode != http.StatusRequestTimeout || time.Since(start) != 10*time.Second {
			t.Errorf("half a request is answered %s after %v, want 408 after 10 s", a.Status, time.Since(start))
		}
		// The connection itself is fine, and the late rest does no harm.
		c.SendRecord(fcgitest.Record{Type: fcgitest.Stdin, ID: 1})
		time.Sleep(time.Hour)
		c.Send(fcgitest.Request{})
		if got := text(t, c.Answer(1).Response); got != "GET / 0 " {
			t.Errorf("the next answer = %q", got)
		}
	})
}

func TestSlowDripIsGivenUp(t *testing.T) {
	inBubble(t, &fcgi.Server{Handler: echo, ReadTimeout: 10 * time.Second}, func(t *testing.T, l *pipes) {
		start := time.Now()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		for _, b := range (fcgitest.Record{Type: fcgitest.Data, ID: 9, Content: make([]byte, 1000)}).Append(nil) {
			if _, err := ours.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if got := time.Since(start); got > 12*time.Second {
			t.Errorf("a record that comes byte by byte was read for %v, want 10 s", got)
		}
		ours.Close()
	})
}

func TestSilentConnectionIsClosed(t *testing.T) {
	inBubble(t, &fcgi.Server{Handler: echo, ReadTimeout: 10 * time.Second}, func(t *testing.T, l *pipes) {
		start := time.Now()
		l.dial(t).WantClosed()
		if got := time.Since(start); got != 10*time.Second {
			t.Errorf("a silent connection was closed after %v, want 10 s", got)
		}
	})
}

// A timeout of one request must not touch one that waits on the same connection.
func TestTimeoutSparesTheNeighbour(t *testing.T) {
	wait := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(59 * time.Minute):
			io.WriteString(w, "heartbeat")
		}
	})
	inBubble(t, &fcgi.Server{Handler: wait, ReadTimeout: 10 * time.Second}, func(t *testing.T, l *pipes) {
		c := l.dial(t)
		c.Send(fcgitest.Request{ID: 1, KeepConn: true})
		c.Write(fcgitest.Request{ID: 2, KeepConn: true, Body: []byte("x")}.Begun())
		if a := c.Answer(2); a.StatusCode != http.StatusRequestTimeout {
			t.Errorf("half a request is answered %s, want 408", a.Status)
		}
		if got := text(t, c.Answer(1).Response); got != "heartbeat" {
			t.Errorf("the neighbour's answer = %q, want its heartbeat", got)
		}
		c.HangUp()
	})
}

func TestPeerThatNeverReadsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan error, 1)
		s := &fcgi.Server{WriteTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			left <- err
		})}
		l := newPipes()
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		start := time.Now()
		c := l.dial(t)
		c.Send(fcgitest.Request{})
		if err := <-left; !errors.Is(err, fcgi.ErrHungUp) || time.Since(start) != time.Minute {
			t.Errorf("Write ended after %v with %v, want %v after a minute", time.Since(start), err, fcgi.ErrHungUp)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
	})
}

// A connection that was accepted just before a shutdown has its request on the
// way: it is waited for, but not for long.
func TestShutdownWaitsForTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fcgi.Server{Handler: echo}
		l := newPipes()
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		silent, late := l.dial(t), l.dial(t)
		synctest.Wait()
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { s.Shutdown(context.Background()) })
		time.Sleep(100 * time.Millisecond)
		late.Send(fcgitest.Request{KeepConn: true})
		if got := text(t, late.Answer(1).Response); got != "GET / 0 " {
			t.Errorf("answer = %q", got)
		}
		late.WantClosed()
		silent.WantClosed()
		wg.Wait()
		if got := time.Since(start); got != time.Second {
			t.Errorf("Shutdown waited %v for a silent connection, want 1 s", got)
		}
		<-served
	})
}

func TestAcceptGoesOnWhenDescriptorsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fcgi.Server{Handler: echo, Logger: quiet}
		l := &failing{pipes: newPipes(), left: 10}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		c := l.dial(t)
		c.Send(fcgitest.Request{})
		if got := text(t, c.Answer(1).Response); got != "GET / 0 " {
			t.Errorf("answer = %q", got)
		}
		s.Shutdown(t.Context())
		<-served
	})
}

// A failing listener has no descriptors a few times.
type failing struct {
	*pipes
	left int
}

func (l *failing) Accept() (net.Conn, error) {
	if l.left--; l.left >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", errTemporary{})}
	}
	return l.pipes.Accept()
}

type errTemporary struct{}

func (errTemporary) Error() string   { return "too many open files" }
func (errTemporary) Temporary() bool { return true }
func (errTemporary) Timeout() bool   { return false }
