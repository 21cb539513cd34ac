package fcgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

var errNews = errors.New("news")

// A shelf is a handler that detaches every request and keeps what it got.
type shelf struct {
	deadline time.Duration // 0 means none
	detached chan *fcgi.Detached
	causes   chan error
	answer   func(ctx context.Context, w http.ResponseWriter, cause error)
}

func newShelf() *shelf {
	return &shelf{detached: make(chan *fcgi.Detached, 20000), causes: make(chan error, 20000)}
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	var deadline time.Time
	if s.deadline > 0 {
		deadline = time.Now().Add(s.deadline)
	}
	s.detached <- fcgi.Detach(w, deadline, s.then)
}

func (s *shelf) then(ctx context.Context, w http.ResponseWriter, cause error) {
	if s.answer != nil {
		s.answer(ctx, w, cause)
	} else {
		fmt.Fprint(w, cause)
	}
	s.causes <- cause
}

// resting waits until the request lies where it costs least.
func resting(t testing.TB, s *fcgi.Server, n int) {
	t.Helper()
	for range 20000 {
		if st := s.Stats(); st.Handlers == 0 && (runtime.GOOS != "linux" || st.Parked >= n) {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond / 4)
	}
	t.Fatalf("the requests do not come to rest: %+v", s.Stats())
}

// TestDetached ends waiting requests in every way, on connections that are
// parked and on those that keep their reader.
func TestDetached(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   func(c *fcgitest.Conn, d *fcgi.Detached, s *fcgi.Server)
		cause error
		heard bool // the web server gets the answer
	}{
		{"somebody ends it", func(_ *fcgitest.Conn, d *fcgi.Detached, _ *fcgi.Server) { d.End(errNews) }, errNews, true},
		{"the connection is closed", func(c *fcgitest.Conn, _ *fcgi.Detached, _ *fcgi.Server) { c.HangUp() }, fcgi.ErrHungUp, false},
		{"half of it is closed", func(c *fcgitest.Conn, _ *fcgi.Detached, _ *fcgi.Server) { c.CloseWrite() }, fcgi.ErrHungUp, false},
		{"the request is aborted", func(c *fcgitest.Conn, _ *fcgi.Detached, _ *fcgi.Server) { c.Abort(1) }, fcgi.ErrAborted, false},
		{"rubbish comes", func(c *fcgitest.Conn, _ *fcgi.Detached, _ *fcgi.Server) { c.Write([]byte("GET / HTTP/1.1\r\n\r\n")) }, fcgi.ErrHungUp, false},
		{"shutdown", func(_ *fcgitest.Conn, _ *fcgi.Detached, s *fcgi.Server) { s.Shutdown(context.Background()) }, fcgi.ErrShutdown, true},
		{"close", func(_ *fcgitest.Conn, _ *fcgi.Detached, s *fcgi.Server) { s.Close() }, fcgi.ErrShutdown, false},
	} {
		for _, keep := range []bool{false, true} {
			for _, network := range []string{"unix", "tcp"} {
				t.Run(fmt.Sprintf("%s over %s, keep %v", tc.name, network, keep), func(t *testing.T) {
					h := newShelf()
					s := &fcgi.Server{Handler: h, Logger: quiet}
					addr := fcgitest.Start(t, s)
					if network == "tcp" {
						addr = listenTCP(t, s)
					}
					c := fcgitest.Dial(t, addr)
					c.Send(fcgitest.Request{KeepConn: keep, Body: []byte("ping")})
					d := <-h.detached
					n := 1
					if keep {
						n = 0
					}
					resting(t, s, n)
					tc.end(c, d, s)
					if got := <-h.causes; got != tc.cause {
						t.Errorf("the request went on with %v, want %v", got, tc.cause)
					}
					if tc.heard {
						if got := text(t, c.Answer(1).Response); got != tc.cause.Error() {
							t.Errorf("answer = %q, want %q", got, tc.cause)
						}
						if !keep {
							c.WantClosed()
						}
					}
					if d.End(errNews) {
						t.Error("the waiting could be ended twice")
					}
				})
			}
		}
	}
}

// TestDetachedAbortIsAnswered lets a web server abort a request that is parked.
func TestDetachedAbortIsAnswered(t *testing.T) {
	h := newShelf()
	s := &fcgi.Server{Handler: h}
	c := fcgitest.Dial(t, fcgitest.Start(t, s))
	c.Send(fcgitest.Request{})
	<-h.detached
	resting(t, s, 1)
	c.Abort(1)
	if a := c.Answer(1); a.ProtocolStatus != fcgitest.RequestComplete || a.Response != nil {
		t.Errorf("abort of a waiting request: %+v, want REQUEST_COMPLETE and no answer", a)
	}
	c.WantClosed()
	<-h.causes
}

// TestDetachedBeforeTheHandlerReturns ends the waiting before it begins.
func TestDetachedBeforeTheHandlerReturns(t *testing.T) {
	for _, keep := range []bool{false, true} {
		addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			d := fcgi.Detach(w, time.Time{}, func(_ context.Context, w http.ResponseWriter, cause error) { fmt.Fprint(w, cause) })
			if fcgi.Detach(w, time.Time{}, nil) != nil {
				t.Error("an answer was detached twice")
			}
			d.End(errNews)
			if _, err := io.WriteString(w, "rest"); err == nil {
				t.Error("the handler could write what it had let go")
			}
		}))
		c := fcgitest.Dial(t, addr)
		c.Send(fcgitest.Request{KeepConn: keep})
		if got := text(t, c.Answer(1).Response); got != "news" {
			t.Errorf("answer = %q", got)
		}
	}
}

// TestDetachedAgain lets a request wait several times before it is answered.
func TestDetachedAgain(t *testing.T) {
	for _, keep := range []bool{false, true} {
		h := newShelf()
		rounds := 0
		h.answer = func(ctx context.Context, w http.ResponseWriter, cause error) {
			if cause != errNews {
				return
			}
			if rounds++; rounds < 5 {
				h.detached <- fcgi.Detach(w, time.Time{}, h.then)
				return
			}
			fmt.Fprint(w, rounds)
		}
		s := &fcgi.Server{Handler: h}
		addr := fcgitest.Start(t, s)
		c := fcgitest.Dial(t, addr)
		c.Send(fcgitest.Request{KeepConn: keep})
		for range 5 {
			d := <-h.detached
			resting(t, s, 0)
			d.End(errNews)
			<-h.causes
		}
		if got := text(t, c.Answer(1).Response); got != "5" {
			t.Errorf("answer = %q", got)
		}
		if keep { // the connection is as good as before
			rounds = 4
			c.Send(fcgitest.Request{KeepConn: true})
			(<-h.detached).End(errNews)
			c.Answer(1)
		} else { // hung up in its second waiting
			rounds = 0
			c := fcgitest.Dial(t, addr)
			c.Send(fcgitest.Request{})
			(<-h.detached).End(errNews)
			<-h.detached
			c.HangUp()
			<-h.causes
			if got := <-h.causes; got != fcgi.ErrHungUp {
				t.Errorf("the second waiting ended with %v", got)
			}
		}
	}
}

// TestDetachedLargeAnswer writes more than a socket holds to a web server that
// takes its time.
func TestDetachedLargeAnswer(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	h := newShelf()
	h.answer = func(_ context.Context, w http.ResponseWriter, _ error) { w.Write(large) }
	s := &fcgi.Server{Handler: h}
	c := fcgitest.Dial(t, fcgitest.Start(t, s))
	c.Send(fcgitest.Request{})
	d := <-h.detached
	resting(t, s, 1)
	d.End(errNews)
	if got := text(t, c.Answer(1).Response); got != string(large) {
		t.Errorf("the answer of %d bytes arrived with %d, or others", len(large), len(got))
	}
	c.WantClosed()
}

// TestDetachedPanic lets what comes after the waiting panic.
func TestDetachedPanic(t *testing.T) {
	for _, keep := range []bool{false, true} {
		h := newShelf()
		h.answer = func(context.Context, http.ResponseWriter, error) { panic("on purpose") }
		c := fcgitest.Dial(t, fcgitest.Start(t, &fcgi.Server{Handler: h, Logger: quiet}))
		c.Send(fcgitest.Request{KeepConn: keep})
		(<-h.detached).End(errNews)
		if a := c.Answer(1); a.StatusCode != http.StatusInternalServerError {
			t.Errorf("a panic is answered %v, want 500", a.Status)
		}
	}
}

// TestDetachedContext tells a request that goes on why it is in vain.
func TestDetachedContext(t *testing.T) {
	h := newShelf()
	going := make(chan struct{})
	h.answer = func(ctx context.Context, _ http.ResponseWriter, _ error) {
		close(going)
		<-ctx.Done()
		h.causes <- context.Cause(ctx)
	}
	s := &fcgi.Server{Handler: h}
	c := fcgitest.Dial(t, fcgitest.Start(t, s))
	c.Send(fcgitest.Request{})
	d := <-h.detached
	resting(t, s, 1)
	d.End(errNews)
	<-going
	c.HangUp()
	if got := <-h.causes; got != fcgi.ErrHungUp {
		t.Errorf("context.Cause = %v, want %v", got, fcgi.ErrHungUp)
	}
}

// TestDetachedDeadline keeps deadlines to the second, with a clock of its own,
// for requests of any length.
func TestDetachedDeadline(t *testing.T) {
	for _, wait := range []time.Duration{time.Second, 59 * time.Minute, 3 * time.Hour, 90*time.Second + 1} {
		h := newShelf()
		h.deadline = wait
		inBubble(t, &fcgi.Server{Handler: h}, func(t *testing.T, l *pipes) {
			time.Sleep(time.Second / 3)
			c := l.dial(t)
			start := time.Now()
			c.Send(fcgitest.Request{})
			if got := text(t, c.Answer(1).Response); got != fcgi.ErrDeadline.Error() {
				t.Errorf("answer = %q", got)
			}
			if took := time.Since(start); took < wait || took > wait+time.Second {
				t.Errorf("a wait of %v took %v", wait, took)
			}
		})
	}
}

// TestDeadlinesOfMany checks the wheel with many who come and go.
func TestDeadlinesOfMany(t *testing.T) {
	h := newShelf()
	inBubble(t, &fcgi.Server{Handler: h}, func(t *testing.T, l *pipes) {
		var all sync.WaitGroup
		for i := range 200 {
			h.deadline = time.Duration(60+i*37%1000) * time.Second
			c := l.dial(t)
			c.Send(fcgitest.Request{})
			d := <-h.detached
			synctest.Wait()
			if i%3 == 0 {
				all.Go(func() {
					time.Sleep(30 * time.Second)
					d.End(errNews)
				})
			}
		}
		all.Wait()
		time.Sleep(2000 * time.Second)
		news, late := 0, 0
		for range 200 {
			switch <-h.causes {
			case errNews:
				news++
			case fcgi.ErrDeadline:
				late++
			}
		}
		if news != 67 || late != 133 {
			t.Errorf("%d were ended and %d had their deadline, want 67 and 133", news, late)
		}
	})
}

// TestOneEnds lets everybody end the same waiting at once.
func TestOneEnds(t *testing.T) {
	h := newShelf()
	s := &fcgi.Server{Handler: h, Logger: quiet}
	addr := fcgitest.Start(t, s)
	for i := range 200 {
		nc, err := net.Dial("unix", addr[len("unix:"):])
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(fcgitest.Request{}.Records())
		d := <-h.detached
		var ends atomic.Int32
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if d.End(errNews) {
					ends.Add(1)
				}
			})
		}
		if i%2 == 0 {
			nc.Close()
		}
		all.Wait()
		if cause := <-h.causes; (cause == errNews) != (ends.Load() == 1) || ends.Load() > 1 {
			t.Errorf("%d ended it, and it went on with %v", ends.Load(), cause)
		}
		nc.Close()
	}
}

// TestNothingIsLeft lets thousands wait, be answered, hang up and come back,
// and then looks for what is left.
func TestNothingIsLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are counted in /proc")
	}
	h := newShelf()
	s := &fcgi.Server{Handler: h, Logger: quiet}
	addr := fcgitest.Start(t, s)
	count := func() (fds int) {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	fds, goroutines := 0, 0
	for round := range 4 {
		var conns []net.Conn
		var waiting []*fcgi.Detached
		for range 500 {
			nc, err := net.Dial("unix", addr[len("unix:"):])
			if err != nil {
				t.Fatal(err)
			}
			nc.Write(fcgitest.Request{}.Records())
			conns, waiting = append(conns, nc), append(waiting, <-h.detached)
		}
		resting(t, s, 500)
		if n := runtime.NumGoroutine(); n > 100 {
			t.Errorf("%d goroutines for 500 waiting requests", n)
		}
		for i, nc := range conns {
			if i%2 == 0 {
				nc.Close()
			} else {
				waiting[i].End(errNews)
			}
		}
		for range conns {
			<-h.causes
		}
		for _, nc := range conns {
			io.Copy(io.Discard, nc)
			nc.Close()
		}
		for range 20000 {
			if s.Stats() == (fcgi.Stats{}) {
				break
			}
			time.Sleep(time.Millisecond / 4)
		}
		if st := s.Stats(); st != (fcgi.Stats{}) {
			t.Fatalf("%+v is left", st)
		}
		if round == 0 {
			fds, goroutines = count(), runtime.NumGoroutine()
		}
	}
	if n := count(); n > fds+2 {
		t.Errorf("%d descriptors are open, %d after the first round", n, fds)
	}
	if n := runtime.NumGoroutine(); n > goroutines+5 {
		t.Errorf("%d goroutines are left, %d after the first round", n, goroutines)
	}
}

// TestWaitable lets requests wait under another server than ours.
func TestWaitable(t *testing.T) {
	h := newShelf()
	web := httptest.NewServer(fcgi.Waitable(h))
	defer web.Close()
	get := func(ctx context.Context) (string, error) {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, web.URL, nil)
		resp, err := web.Client().Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	go func() { (<-h.detached).End(errNews) }()
	if got, err := get(t.Context()); got != "news" || err != nil {
		t.Errorf("answer = %q, %v", got, err)
	}
	<-h.causes
	h.deadline = time.Millisecond
	if got, err := get(t.Context()); got != fcgi.ErrDeadline.Error() || err != nil {
		t.Errorf("answer = %q, %v", got, err)
	}
	<-h.causes
	<-h.detached
	h.deadline = 0
	ctx, hangUp := context.WithCancel(t.Context())
	go func() { <-h.detached; hangUp() }()
	get(ctx)
	if got := <-h.causes; !errors.Is(got, context.Canceled) {
		t.Errorf("a client that hung up ended it with %v", got)
	}
	// Our own responses pass through.
	c := fcgitest.Dial(t, fcgitest.Serve(t, fcgi.Waitable(h)))
	c.Send(fcgitest.Request{})
	(<-h.detached).End(errNews)
	if got := text(t, c.Answer(1).Response); !strings.Contains(got, "news") {
		t.Errorf("answer = %q", got)
	}
}
