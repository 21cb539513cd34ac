package graceful_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/graceful"
)

// A met listener says whom it has accepted.
type met struct {
	net.Listener
	accepted chan struct{}
}

// Accept implements net.Listener.
func (m met) Accept() (net.Conn, error) {
	c, err := m.Listener.Accept()
	if err == nil {
		m.accepted <- struct{}{}
	}
	return c, err
}

// newServer answers everything with 200.
func newServer() *graceful.Server {
	return graceful.New(&http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
}

// TestEndAnswersWhoWasAccepted ends a server at which somebody has connected and
// asks only then.
func TestEndAnswersWhoWasAccepted(t *testing.T) {
	for _, tc := range []struct {
		name      string
		listeners int
	}{
		{"at its listener", 1},
		{"at each of its listeners", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer()
			served := make(chan error, tc.listeners)
			closing := make([]chan struct{}, tc.listeners)
			callers := make([]net.Conn, tc.listeners)
			for i := range tc.listeners {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				closing[i] = make(chan struct{})
				m := met{closer{l, closing[i]}, make(chan struct{}, 1)}
				go func() { served <- s.Serve(m) }()
				if callers[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
					t.Fatal(err)
				}
				defer callers[i].Close()
				<-m.accepted
			}
			ended := make(chan error, 1)
			go func() { ended <- s.End(t.Context()) }()
			for _, c := range closing {
				<-c // now it ends
			}
			for _, c := range callers {
				ask(t, c)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			for range tc.listeners {
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("Serve answers %v", err)
				}
			}
		})
	}
}

// ask asks, and wants an answer.
func ask(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the answer is %v, %v", resp, err)
	}
}

// A closer says when it is closed for the first time.
type closer struct {
	net.Listener
	closing chan struct{}
}

// Close implements net.Listener.
func (c closer) Close() error {
	err := c.Listener.Close()
	if err == nil {
		close(c.closing)
	}
	return err
}

// TestEndBeforeServe ends a server that nobody has let serve, and one that is
// let serve afterwards.
func TestEndBeforeServe(t *testing.T) {
	s := newServer()
	if err := s.End(t.Context()); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve answers %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}
