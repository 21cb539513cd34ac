package fcgi_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A waiter is a handler that waits until its context ends, then answers the
// cause. entered and left tell when and why.
type waiter struct {
	entered, left chan error
}

func newWaiter() *waiter {
	return &waiter{entered: make(chan error, 100), left: make(chan error, 100)}
}

func (h *waiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.entered <- nil
	<-r.Context().Done()
	cause := context.Cause(r.Context())
	fmt.Fprint(w, cause)
	h.left <- cause
}

func TestWhyWaitingEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(*fcgitest.Conn)
		want error
	}{
		{"the connection is closed", (*fcgitest.Conn).HangUp, fcgi.ErrHungUp},
		{"half of it is closed", (*fcgitest.Conn).CloseWrite, fcgi.ErrHungUp},
		{"the request is aborted", func(c *fcgitest.Conn) { c.Abort(1) }, fcgi.ErrAborted},
		{"rubbish comes", func(c *fcgitest.Conn) { c.Write([]byte("GET / HTTP/1.1\r\n\r\n")) }, fcgi.ErrHungUp},
	}
	for _, network := range []string{"unix", "tcp"} {
		for _, tt := range tests {
			t.Run(tt.name+" over "+network, func(t *testing.T) {
				h := newWaiter()
				s := &fcgi.Server{Handler: h, Logger: quiet}
				addr := fcgitest.Start(t, s)
				if network == "tcp" {
					addr = listenTCP(t, s)
				}
				c := fcgitest.Dial(t, addr)
				c.Send(fcgitest.Request{KeepConn: true, Body: []byte("ping")})
				<-h.entered
				tt.end(c)
				if got := <-h.left; got != tt.want {
					t.Errorf("context.Cause = %v, want %v", got, tt.want)
				}
			})
		}
	}
}

func listenTCP(t *testing.T, s *fcgi.Server) string {
	l, err := fcgi.Listen("tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
	})
	return "tcp:" + l.Addr().String()
}

func TestAbortIsAlwaysAnswered(t *testing.T) {
	h := newWaiter()
	addr := fcgitest.Serve(t, h)
	c := fcgitest.Dial(t, addr)

	c.Send(fcgitest.Request{ID: 1, KeepConn: true})
	<-h.entered
	c.Abort(1)
	if a := c.Answer(1); a.ProtocolStatus != fcgitest.RequestComplete || a.Response != nil {
		t.Errorf("abort of a waiting request: %+v, want REQUEST_COMPLETE and no answer", a)
	}
	<-h.left // what it writes must not turn up in the next answers

	c.Write(fcgitest.Request{ID: 1, KeepConn: true, Body: []byte("half")}.Begun())
	c.Abort(1)
	if a := c.Answer(1); a.Response != nil {
		t.Errorf("abort of a request that is being read: %+v, want no answer", a)
	}

	c.Abort(1) // of one that has ended: no answer, no harm
	c.Send(fcgitest.Request{ID: 1})
	<-h.entered
	c.Abort(1)
	c.Answer(1)
	c.WantClosed()
}

// A hang-up ends every request of the connection and none of another.
func TestHangUpEndsAllOfOneConnection(t *testing.T) {
	h := newWaiter()
	addr := fcgitest.Serve(t, h)
	c, other := fcgitest.Dial(t, addr), fcgitest.Dial(t, addr)
	for id := range uint16(10) {
		c.Send(fcgitest.Request{ID: id + 1, KeepConn: true})
		<-h.entered
	}
	other.Send(fcgitest.Request{})
	<-h.entered
	c.HangUp()
	for range 10 {
		if got := <-h.left; got != fcgi.ErrHungUp {
			t.Errorf("context.Cause = %v, want %v", got, fcgi.ErrHungUp)
		}
	}
	select {
	case got := <-h.left:
		t.Errorf("a request of another connection ended: %v", got)
	default:
	}
}

func TestShutdownAnswersThoseWhoWait(t *testing.T) {
	h := newWaiter()
	s := &fcgi.Server{Handler: h}
	addr := fcgitest.Start(t, s)
	var conns []*fcgitest.Conn
	for i := range 20 {
		c := fcgitest.Dial(t, addr)
		c.Send(fcgitest.Request{KeepConn: i%2 == 0})
		<-h.entered
		conns = append(conns, c)
	}
	// One more is in the middle of its body: it still comes to its handler.
	late := fcgitest.Dial(t, addr)
	late.Write(fcgitest.Request{Body: []byte("late"), Env: map[string]string{"CONTENT_LENGTH": ""}}.Begun())
	late.SendRecord(fcgitest.Record{Type: fcgitest.GetValues})
	late.ReadRecord() // the server has read all that was sent

	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	for _, c := range conns {
		if got := text(t, c.Answer(1).Response); got != fcgi.ErrShutdown.Error() {
			t.Errorf("answer = %q, want that of the shutdown", got)
		}
		c.WantClosed()
	}
	late.SendRecord(fcgitest.Record{Type: fcgitest.Stdin, ID: 1})
	if got := text(t, late.Answer(1).Response); got != fcgi.ErrShutdown.Error() {
		t.Errorf("late answer = %q, want that of the shutdown", got)
	}
	late.WantClosed()
	wg.Wait()
	if nc, err := net.Dial("unix", addr[len("unix:"):]); err == nil {
		nc.Close()
		t.Error("somebody still listens after Shutdown")
	}
}

func TestShutdownClosesIdleConnections(t *testing.T) {
	s := &fcgi.Server{Handler: echo}
	addr := fcgitest.Start(t, s)
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{KeepConn: true})
	c.Answer(1)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.WantClosed()
}

func TestShutdownGivesUpAndCloseCutsOff(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{})
	s := &fcgi.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	})}
	addr := fcgitest.Start(t, s)
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{})
	<-entered
	why := errors.New("no patience")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if err := s.Shutdown(ctx); err != why {
		t.Errorf("Shutdown = %v, want the context's cause", err)
	}
	s.Close()
	c.WantClosed()
	close(release)
}

func TestServeAfterShutdown(t *testing.T) {
	s := &fcgi.Server{Handler: echo}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown of a server that never served: %v", err)
	}
	if err := s.Serve(newPipes()); !errors.Is(err, fcgi.ErrServerClosed) {
		t.Errorf("Serve after Shutdown = %v, want %v", err, fcgi.ErrServerClosed)
	}
}
