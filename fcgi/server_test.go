package fcgi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// echo answers what it was asked.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s %d %s", r.Method, r.URL, r.ContentLength, body)
})

// quiet is for servers that are made to complain.
var quiet = slog.New(slog.DiscardHandler)

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRequestsHoweverTheyAreCut(t *testing.T) {
	addr := fcgitest.Serve(t, echo)
	body := strings.Repeat("0123456789", 10_000)
	want := fmt.Sprintf("POST /x?a=b+c/d== 100000 %s", body)
	for _, tt := range []struct {
		name string
		req  fcgitest.Request
	}{
		{"as nginx does", fcgitest.Request{}},
		{"records of a few bytes", fcgitest.Request{ParamSplit: 3, StdinSplit: 7}},
		{"the largest records", fcgitest.Request{StdinSplit: 65535}},
		{"padding", fcgitest.Request{ParamSplit: 5, StdinSplit: 1000, Padding: 255}},
		{"without a length", fcgitest.Request{Env: map[string]string{"CONTENT_LENGTH": ""}}},
		{"the highest id", fcgitest.Request{ID: 65535}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.URI, tt.req.Body = "/x?a=b+c/d==", []byte(body)
			if got := text(t, fcgitest.Do(t, addr, tt.req)); got != want {
				t.Errorf("answer has %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

func TestConnectionIsKeptIfAskedFor(t *testing.T) {
	addr := fcgitest.Serve(t, echo)
	c := fcgitest.Dial(t, addr)
	for i := range 5 {
		c.Send(fcgitest.Request{KeepConn: true, URI: fmt.Sprintf("/%d", i)})
		if got, want := text(t, c.Answer(1).Response), fmt.Sprintf("GET /%d 0 ", i); got != want {
			t.Errorf("answer %d = %q, want %q", i, got, want)
		}
	}
	c.Send(fcgitest.Request{})
	c.Answer(1)
	c.WantClosed() // nginx waits for this until its read timeout
}

func TestRequestsWovenTogether(t *testing.T) {
	release := make(chan struct{})
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		echo(w, r)
	}))
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{ID: 1, KeepConn: true, URI: "/slow", Body: []byte("one")})
	c.Send(fcgitest.Request{ID: 2, URI: "/fast", Body: []byte("two")})
	if got := text(t, c.Answer(2).Response); got != "POST /fast 3 two" {
		t.Errorf("answer 2 = %q", got)
	}
	// Request 2 wanted the connection closed, but request 1 still needs it.
	close(release)
	if got := text(t, c.Answer(1).Response); got != "POST /slow 3 one" {
		t.Errorf("answer 1 = %q", got)
	}
	c.WantClosed()
}

func TestAnswers(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 20_000)
	type answer struct {
		Status string
		Header http.Header
		Body   string
	}
	octets := []string{"application/octet-stream"}
	tests := []struct {
		name    string
		method  string
		handler http.HandlerFunc
		want    answer
	}{
		{"nothing at all", "POST", func(http.ResponseWriter, *http.Request) {},
			answer{"200 OK", http.Header{"Content-Length": {"0"}}, ""}},
		{"a length of zero", "POST", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(200)
		}, answer{"200 OK", http.Header{"Content-Length": {"0"}}, ""}},
		{"an empty write", "POST", func(w http.ResponseWriter, _ *http.Request) { w.Write(nil) },
			answer{"200 OK", http.Header{"Content-Length": {"0"}}, ""}},
		{"449", "POST", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(449) },
			answer{"449 Retry With", http.Header{"Content-Length": {"0"}}, ""}},
		{"a status without a name", "POST", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) },
			answer{"599 status code 599", http.Header{"Content-Length": {"0"}}, ""}},
		{"an untyped body is not sniffed", "POST", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
			answer{"200 OK", http.Header{"Content-Length": {"6"}, "Content-Type": octets}, "<html>"}},
		{"a type switched off", "POST", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "x")
		}, answer{"200 OK", http.Header{"Content-Length": {"1"}}, "x"}},
		{"several values", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Www-Authenticate"] = []string{"Basic", "Bearer"}
			w.WriteHeader(401)
		}, answer{"401 Unauthorized", http.Header{"Content-Length": {"0"}, "Www-Authenticate": {"Basic", "Bearer"}}, ""}},
		{"the first status counts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(404)
			w.WriteHeader(200)
		}, answer{"404 Not Found", http.Header{"Content-Length": {"0"}}, ""}},
		{"headers after the status are late", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("X-Late", "1")
		}, answer{"200 OK", http.Header{"Content-Length": {"0"}}, ""}},
		{"204", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		}, answer{"204 No Content", http.Header{}, ""}},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") },
			answer{"200 OK", http.Header{"Content-Length": {"5"}, "Content-Type": octets}, ""}},
		{"large, in one write", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) },
			answer{"200 OK", http.Header{"Content-Type": octets}, big}},
		{"large, its length told", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(big)))
			io.WriteString(w, big)
		}, answer{"200 OK", http.Header{"Content-Type": octets, "Content-Length": {fmt.Sprint(len(big))}}, big}},
		{"large, in many writes", "GET", func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(big); i += 1000 {
				io.WriteString(w, big[i:i+1000])
			}
		}, answer{"200 OK", http.Header{"Content-Type": octets}, big}},
		{"flushed", "GET", func(w http.ResponseWriter, _ *http.Request) {
			rc := http.NewResponseController(w)
			for _, s := range []string{"a", "b", "c"} {
				io.WriteString(w, s)
				if err := rc.Flush(); err != nil {
					panic(err)
				}
			}
		}, answer{"200 OK", http.Header{"Content-Type": octets}, "abc"}},
		{"flushed empty", "GET", func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush()
		}, answer{"200 OK", http.Header{}, ""}},
		{"longer than its length", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "ab")
			if _, err := io.WriteString(w, "c"); !errors.Is(err, http.ErrContentLength) {
				panic(err)
			}
		}, answer{"200 OK", http.Header{"Content-Length": {"2"}, "Content-Type": octets}, "ab"}},
		{"shorter than its length", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			io.WriteString(w, "ab")
		}, answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
		{"a line break in a value", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "b\r\nX-C: d")
			io.WriteString(w, "x")
		}, answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
		{"a line break in a name", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-A: b\r\nX-C"] = []string{"d"}
		}, answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
		{"a giant header", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", big)
			io.WriteString(w, "x")
		}, answer{"200 OK", http.Header{"Content-Type": octets, "X-A": {big}}, "x"}},
		{"connection headers are not ours", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Transfer-Encoding", "chunked")
			w.Header().Set("Status", "666")
		}, answer{"200 OK", http.Header{"Content-Length": {"0"}}, ""}},
		{"a panic", "GET", func(http.ResponseWriter, *http.Request) { panic("oops") },
			answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
		{"a panic with an answer begun", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "b")
			io.WriteString(w, "half")
			panic("oops")
		}, answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
		{"a status out of range", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(7) },
			answer{"500 Internal Server Error", http.Header{"Content-Length": {"0"}}, ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := fcgitest.Start(t, &fcgi.Server{Handler: tt.handler, Logger: quiet})
			resp := fcgitest.Do(t, addr, fcgitest.Request{Method: tt.method})
			got := answer{resp.Status, resp.Header, text(t, resp)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecordsOfAnAnswer(t *testing.T) {
	size := 1 << 20
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(bytes.Repeat([]byte("x"), size))
	}))
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{ID: 7})
	var stdout []byte
	for {
		r := c.ReadRecord()
		if r.ID != 7 {
			t.Fatalf("record of type %d for id %d, want 7", r.Type, r.ID)
		}
		if r.Type == fcgitest.EndRequest {
			break
		}
		stdout = append(stdout, r.Content...)
		if len(r.Content) == 0 {
			if next := c.ReadRecord(); next.Type != fcgitest.EndRequest {
				t.Errorf("record of type %d after the end of STDOUT, want END_REQUEST", next.Type)
			}
			break
		}
	}
	_, body, _ := bytes.Cut(stdout, []byte("\r\n\r\n"))
	if len(body) != size {
		t.Errorf("body has %d bytes, want %d", len(body), size)
	}
}

func TestPanicHurtsNobodyElse(t *testing.T) {
	var log bytes.Buffer
	release := make(chan struct{})
	addr := fcgitest.Start(t, &fcgi.Server{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/wait":
				<-release
			case "/late":
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
				panic("late")
			default:
				panic("early")
			}
		})})
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{ID: 1, KeepConn: true, URI: "/wait"})
	c.Send(fcgitest.Request{ID: 2, KeepConn: true, URI: "/panic"})
	if a := c.Answer(2); a.StatusCode != 500 {
		t.Errorf("a panic is answered %s, want 500", a.Status)
	}
	c.Send(fcgitest.Request{ID: 2, KeepConn: true, URI: "/late"})
	if a := c.Answer(2); a.AppStatus == 0 {
		t.Error("an answer that broke off ended with AppStatus 0, which says that all is well")
	}
	close(release)
	if a := c.Answer(1); a.StatusCode != 200 {
		t.Errorf("the other request is answered %s, want 200", a.Status)
	}
	// Alone on its connection, a broken answer must not end like a whole one.
	c.Send(fcgitest.Request{ID: 3, KeepConn: true, URI: "/late"})
	if a, err := c.TryAnswer(3); err == nil {
		t.Errorf("an answer that broke off ended with %+v, want the connection closed", a)
	}
	for _, want := range []string{"early", "late", "server_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not tell of %q:\n%s", want, &log)
		}
	}
}

func TestUnreadBodyHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/unread" {
			<-release
			return
		}
		h := sha256.New()
		io.Copy(h, r.Body)
		fmt.Fprintf(w, "%x", h.Sum(nil))
	}))
	body := bytes.Repeat([]byte("phone"), 1<<20)
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{ID: 1, KeepConn: true, URI: "/unread", Body: body})
	c.Send(fcgitest.Request{ID: 2, KeepConn: true, Body: body})
	if got, want := text(t, c.Answer(2).Response), fmt.Sprintf("%x", sha256.Sum256(body)); got != want {
		t.Errorf("the body of request 2 arrived changed: %s, want %s", got, want)
	}
	close(release)
	c.Answer(1)
}

func TestBodyAfterTheHandler(t *testing.T) {
	var kept io.ReadCloser
	s := &fcgi.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = r.Body })}
	addr := fcgitest.Start(t, s)
	fcgitest.Do(t, addr, fcgitest.Request{Body: []byte("abc")})
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("reading a body after its handler: error = %v, want %v\nIts memory belongs to another request by then.", err, http.ErrBodyReadAfterClose)
	}
}

func TestWaitingIsSeenInStats(t *testing.T) {
	s := &fcgi.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })}
	addr := fcgitest.Start(t, s)
	c := fcgitest.Dial(t, addr)
	c.Send(fcgitest.Request{ID: 1, KeepConn: true})
	c.Abort(1)
	c.Answer(1)
	if got := s.Stats(); got.Conns != 1 {
		t.Errorf("Stats = %+v, want one connection", got)
	}
	c.HangUp()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got != (fcgi.Stats{}) {
		t.Errorf("Stats after Shutdown = %+v, want nothing", got)
	}
}
