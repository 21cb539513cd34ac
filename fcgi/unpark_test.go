package fcgi_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// TestAbortWhileComingToRest lets the web server abort requests that are about
// to be left to the poller, and others that are woken at the same time and want
// to wait once more: each wait ends once, and nothing of the connection is left.
func TestAbortWhileComingToRest(t *testing.T) {
	h := newShelf()
	var waits, ends atomic.Int32
	h.answer = func(_ context.Context, w http.ResponseWriter, cause error) {
		ends.Add(1)
		if cause == errNews {
			if d := fcgi.Detach(w, time.Time{}, h.then); d != nil {
				waits.Add(1)
			}
		}
	}
	s := &fcgi.Server{Handler: h, Logger: quiet}
	addr := fcgitest.Start(t, s)
	for i := range 200 {
		c := fcgitest.Dial(t, addr)
		c.Send(fcgitest.Request{})
		waits.Add(1)
		d := <-h.detached
		if i%2 == 0 {
			go d.End(errNews)
		}
		c.Abort(1)
		c.Answer(1)
		c.WantClosed()
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if waits.Load() != ends.Load() {
		t.Errorf("%d waits ended %d times", waits.Load(), ends.Load())
	}
}

// TestCloseIsNotTheEnd closes a server one of whose requests goes on after it
// waited: Shutdown still waits for that.
func TestCloseIsNotTheEnd(t *testing.T) {
	h := newShelf()
	going, release := make(chan struct{}), make(chan struct{})
	h.answer = func(context.Context, http.ResponseWriter, error) { close(going); <-release }
	s := &fcgi.Server{Handler: h, Logger: quiet}
	c := fcgitest.Dial(t, fcgitest.Start(t, s))
	c.Send(fcgitest.Request{})
	d := <-h.detached
	resting(t, s, 1)
	d.End(errNews)
	<-going
	s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v while a request goes on", err)
	}
	close(release)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(h.causes); n != 1 {
		t.Errorf("%d requests have ended when Shutdown has, want 1", n)
	}
}
