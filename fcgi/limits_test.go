package fcgi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

func TestLimitsOfARequest(t *testing.T) {
	addr := fcgitest.Start(t, &fcgi.Server{Handler: echo, Logger: quiet, MaxParams: 1000, MaxBody: 5000})
	tests := []struct {
		name string
		req  fcgitest.Request
		want int
	}{
		{"a body of the length allowed", fcgitest.Request{Body: make([]byte, 5000)}, 200},
		{"a body one byte longer", fcgitest.Request{Body: make([]byte, 5001)}, 413},
		{"the same without a length", fcgitest.Request{Body: make([]byte, 5001), Env: map[string]string{"CONTENT_LENGTH": ""}}, 413},
		{"a length that only says so", fcgitest.Request{Env: map[string]string{"CONTENT_LENGTH": "5001"}}, 413},
		{"the longest length there is", fcgitest.Request{Env: map[string]string{"CONTENT_LENGTH": "9223372036854775807"}}, 413},
		{"a body longer than said", fcgitest.Request{Body: make([]byte, 9), Env: map[string]string{"CONTENT_LENGTH": "8"}}, 400},
		{"a body shorter than said", fcgitest.Request{Body: make([]byte, 9), Env: map[string]string{"CONTENT_LENGTH": "10"}}, 400},
		{"a body said to be empty", fcgitest.Request{Body: make([]byte, 9), Env: map[string]string{"CONTENT_LENGTH": "0"}}, 400},
		{"a nonsense length", fcgitest.Request{Env: map[string]string{"CONTENT_LENGTH": "+5"}}, 400},
		{"parameters too long", fcgitest.Request{Header: http.Header{"X-A": {strings.Repeat("x", 1000)}}}, 431},
		{"the same in pieces", fcgitest.Request{Header: http.Header{"X-A": {strings.Repeat("x", 1000)}}, ParamSplit: 10}, 431},
		{"parameters too long with a body", fcgitest.Request{Header: http.Header{"X-A": {strings.Repeat("x", 1000)}}, Body: make([]byte, 1<<20)}, 431},
		{"no method", fcgitest.Request{More: []string{"", ""}, Env: map[string]string{"REQUEST_METHOD": ""}}, 400},
		{"two Authorizations", fcgitest.Request{More: []string{"HTTP_AUTHORIZATION", "a", "HTTP_AUTHORIZATION", "b"}}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := fcgitest.Dial(t, addr)
			tt.req.KeepConn = true
			c.Send(tt.req)
			if a := c.Answer(1); a.StatusCode != tt.want {
				t.Errorf("answer = %s, want %d", a.Status, tt.want)
			}
			c.Send(fcgitest.Request{})
			if a := c.Answer(1); a.StatusCode != 200 {
				t.Errorf("the next request on the connection: %s, want 200", a.Status)
			}
		})
	}
}

func TestLimitOfBuffered(t *testing.T) {
	h := newWaiter()
	addr := fcgitest.Start(t, &fcgi.Server{Handler: h, MaxBuffered: 100_000})
	first := fcgitest.Dial(t, addr)
	first.Send(fcgitest.Request{Body: make([]byte, 60_000)})
	<-h.entered
	second := fcgitest.Dial(t, addr)
	second.Send(fcgitest.Request{KeepConn: true, Body: make([]byte, 60_000)})
	if a := second.Answer(1); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("a body too many: %s, Retry-After %q, want 503 and a time", a.Status, a.Header.Get("Retry-After"))
	}
	first.Abort(1)
	<-h.left
	// The first body is given back when its handler has returned.
	for {
		second.Send(fcgitest.Request{KeepConn: true, Body: make([]byte, 60_000), StdinSplit: 60_000})
		select {
		case <-h.entered:
			second.HangUp()
			return
		case <-answered(second):
		}
	}
}

// answered reads an answer in the background.
func answered(c *fcgitest.Conn) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.TryAnswer(1)
	}()
	return done
}

func TestLimitOfRequestsPerConnection(t *testing.T) {
	h := newWaiter()
	addr := fcgitest.Start(t, &fcgi.Server{Handler: h, MaxReqsPerConn: 3})
	c := fcgitest.Dial(t, addr)
	for id := range uint16(3) {
		c.Send(fcgitest.Request{ID: id + 1, KeepConn: true})
		<-h.entered
	}
	for id := range uint16(100) {
		c.Send(fcgitest.Request{ID: id + 4, KeepConn: true})
		a := c.Answer(id + 4)
		if a.ProtocolStatus != fcgitest.Overloaded || a.StatusCode != 503 {
			t.Fatalf("request %d: %s, protocol status %d, want 503 and OVERLOADED", id+4, a.Status, a.ProtocolStatus)
		}
	}
	c.HangUp()
	for range 3 {
		<-h.left
	}
}

// Aborting makes an id free at once, but not the handler's place.
func TestAbortedHandlersCount(t *testing.T) {
	release := make(chan struct{})
	stubborn := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	addr := fcgitest.Start(t, &fcgi.Server{Handler: stubborn, MaxReqsPerConn: 3})
	c := fcgitest.Dial(t, addr)
	for range 3 {
		c.Send(fcgitest.Request{KeepConn: true})
		c.Abort(1)
		c.Answer(1)
	}
	c.Send(fcgitest.Request{KeepConn: true})
	if a := c.Answer(1); a.ProtocolStatus != fcgitest.Overloaded {
		t.Errorf("protocol status = %d, want OVERLOADED\nBegin and abort must not start goroutines without end.", a.ProtocolStatus)
	}
	close(release)
}

func TestLimitOfConnections(t *testing.T) {
	h := newWaiter()
	s := &fcgi.Server{Handler: h, MaxConns: 2}
	addr := fcgitest.Start(t, s)
	var conns []*fcgitest.Conn
	for range 2 {
		c := fcgitest.Dial(t, addr)
		c.Send(fcgitest.Request{})
		<-h.entered
		conns = append(conns, c)
	}
	extra := fcgitest.Dial(t, addr)
	extra.Send(fcgitest.Request{Body: make([]byte, 100_000)})
	a := extra.Answer(1)
	if a.ProtocolStatus != fcgitest.Overloaded || a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("one connection too many: %s, protocol status %d, want 503 with Retry-After and OVERLOADED", a.Status, a.ProtocolStatus)
	}
	extra.WantClosed()
	conns[0].HangUp()
	<-h.left
	conns[1].Abort(1)
	<-h.left
}

func TestManagement(t *testing.T) {
	addr := fcgitest.Start(t, &fcgi.Server{Handler: echo, MaxConns: 1000, MaxReqsPerConn: 5})
	tests := []struct {
		name  string
		asked []string
		want  map[string]string
	}{
		{"everything", []string{"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"},
			map[string]string{"FCGI_MAX_CONNS": "1000", "FCGI_MAX_REQS": "5000", "FCGI_MPXS_CONNS": "1"}},
		{"one", []string{"FCGI_MPXS_CONNS"}, map[string]string{"FCGI_MPXS_CONNS": "1"}},
		{"one twice and an unknown one", []string{"FCGI_MPXS_CONNS", "FCGI_MPXS_CONNS", "FCGI_FOO"}, map[string]string{"FCGI_MPXS_CONNS": "1"}},
		{"nothing", nil, map[string]string{}},
	}
	c := fcgitest.Dial(t, addr)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var content []byte
			for _, name := range tt.asked {
				content = fcgitest.AppendPair(content, name, "")
			}
			c.SendRecord(fcgitest.Record{Type: fcgitest.GetValues, Content: content, Padding: 3})
			rec := c.ReadRecord()
			got := map[string]string{}
			for b := rec.Content; len(b) > 0; { // all names and values are short
				n, v := int(b[0]), int(b[1])
				got[string(b[2:2+n])] = string(b[2+n : 2+n+v])
				b = b[2+n+v:]
			}
			if diff := cmp.Diff(tt.want, got); rec.Type != fcgitest.GetValuesResult || rec.ID != 0 || diff != "" {
				t.Errorf("type %d, id %d, values (-want +got):\n%s", rec.Type, rec.ID, diff)
			}
		})
	}
	c.SendRecord(fcgitest.Record{Type: 99, Content: []byte("what?")})
	if rec := c.ReadRecord(); rec.Type != fcgitest.UnknownType || rec.ID != 0 || len(rec.Content) != 8 || rec.Content[0] != 99 {
		t.Errorf("an unknown type is answered %+v, want UNKNOWN_TYPE 99", rec)
	}
}

func TestUnknownRoles(t *testing.T) {
	addr := fcgitest.Serve(t, echo)
	for _, role := range []uint16{fcgitest.Authorizer, fcgitest.Filter, 4, 65535, 256} {
		t.Run(fmt.Sprint(role), func(t *testing.T) {
			c := fcgitest.Dial(t, addr)
			c.Send(fcgitest.Request{Role: role, KeepConn: true})
			if a := c.Answer(1); a.ProtocolStatus != fcgitest.UnknownRole || a.Response != nil {
				t.Errorf("%+v, want UNKNOWN_ROLE and no answer", a)
			}
			c.Send(fcgitest.Request{Role: role})
			c.Answer(1)
			c.WantClosed()
		})
	}
}

// FuzzServer: whatever bytes arrive, every handler ends, and so does Shutdown.
func FuzzServer(f *testing.F) {
	f.Add(fcgitest.Request{KeepConn: true, Body: []byte("abc")}.Records())
	f.Add(append(fcgitest.Request{ID: 2, KeepConn: true}.Begun(), fcgitest.Request{Role: 3}.Records()...))
	f.Add(fcgitest.Record{Type: fcgitest.GetValues, Content: []byte{1, 0, 'x'}}.Append(nil))
	f.Add(fcgitest.Record{Type: fcgitest.AbortRequest, ID: 1}.Append(fcgitest.Request{Body: []byte("abc")}.Records()))
	f.Fuzz(func(t *testing.T, stream []byte) {
		s := &fcgi.Server{Handler: echo, Logger: quiet, MaxReqsPerConn: 4, MaxBody: 1 << 16}
		l := newPipes()
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		c := l.dial(t)
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			c.Drain()
		}()
		c.TryWrite(stream)
		c.HangUp()
		<-drained
		if err := s.Shutdown(context.Background()); err != nil || s.Stats() != (fcgi.Stats{}) {
			t.Errorf("Shutdown: %v, %+v left", err, s.Stats())
		}
		<-served
	})
}
