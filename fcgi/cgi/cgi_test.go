package cgi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/cgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// env is what a web server says of a request with a body.
func env(length int, more ...string) []string {
	return append([]string{
		"PATH=/bin", "HOME=/root", "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=POST", "SERVER_PROTOCOL=HTTP/1.1",
		"REQUEST_URI=/Microsoft-Server-ActiveSync?Cmd=Sync&User=a+b", "QUERY_STRING=Cmd=Sync&User=a+b", "CONTENT_TYPE=application/vnd.ms-sync.wbxml",
		"CONTENT_LENGTH=" + strconv.Itoa(length), "REMOTE_ADDR=192.0.2.7", "REMOTE_PORT=4711", "HTTPS=on", "HTTP_HOST=mail.example.org",
		"HTTP_PROXY=http://evil.example.org", "REMOTE_USER=claimed",
	}, more...)
}

// What the web server says reaches the worker, and nothing else does.
func TestRequest(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20_000)
	tests := []struct {
		name string
		env  []string
		body string
		auth string
	}{
		{"without a body", env(0, "HTTP_AUTHORIZATION=Basic eA=="), "", "Basic eA=="},
		{"Authorization after Apache's redirect", env(0, "REDIRECT_HTTP_AUTHORIZATION=Basic eQ=="), "", "Basic eQ=="},
		{"the request's own before that of a redirect", env(0, "REDIRECT_HTTP_AUTHORIZATION=Basic eQ==", "HTTP_AUTHORIZATION=Basic eA=="), "", "Basic eA=="},
		{"a body of many records", env(len(long)), long, ""},
		{"a long header", env(1, "HTTP_AUTHORIZATION=Negotiate "+long[:60_000]), "x", "Negotiate " + long[:60_000]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != tt.body {
					t.Errorf("the worker reads %d bytes, %v, want %d", len(body), err, len(tt.body))
				}
				if got := r.Header.Get("Authorization"); got != tt.auth {
					t.Errorf("Authorization is %.40q, want %.40q", got, tt.auth)
				}
				if r.Host != "mail.example.org" || r.RemoteAddr != "192.0.2.7:4711" || r.TLS == nil || r.URL.RawQuery != "Cmd=Sync&User=a+b" || r.Header.Get("Proxy") != "" {
					t.Errorf("the worker sees %s %s from %s, TLS %v, %v", r.Host, r.RequestURI, r.RemoteAddr, r.TLS != nil, r.Header)
				}
				w.Header().Set("MS-ASProtocolVersions", "14.1")
				w.WriteHeader(http.StatusTeapot)
				io.WriteString(w, tt.body)
			}))
			var out, log bytes.Buffer
			// The web server delivers in pieces as it likes, and does not close the pipe.
			in := io.MultiReader(iotest.HalfReader(strings.NewReader(tt.body)), iotest.ErrReader(errors.New("read past the body")))
			if err := cgi.Handle(t.Context(), cgi.Request{Addr: addr, Env: tt.env, Stdin: in, Stdout: &out, Stderr: &log}); err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(out.String(), "\r\n\r\n")
			if !strings.Contains(head, "Status: 418 ") || !strings.Contains(head, "14.1") || body != tt.body {
				t.Errorf("the answer is %q and %d bytes, want 418 and %d", head, len(body), len(tt.body))
			}
		})
	}
}

// An answer goes out as it comes, not when it is whole.
func TestAnswerStreams(t *testing.T) {
	seen := make(chan struct{})
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first")
		http.NewResponseController(w).Flush()
		<-seen
		io.WriteString(w, "second")
	}))
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := cgi.Handle(t.Context(), cgi.Request{Addr: addr, Env: env(0), Stdin: strings.NewReader(""), Stdout: w, Stderr: io.Discard})
		w.Close()
		done <- err
	}()
	var got strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(got.String(), "first"); {
		if _, err := r.Read(b); err != nil {
			t.Fatalf("after %q: %v", got.String(), err)
		}
		got.Write(b)
	}
	close(seen)
	if rest, err := io.ReadAll(r); err != nil || string(rest) != "second" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Each failure has an answer for the phone and a sentence for the log, neither
// of which says what was asked.
func TestFailures(t *testing.T) {
	raw := func(t *testing.T, answer []byte) string { // a server that reads a little, says something, and closes
		addr := "unix:" + fcgitest.SocketPath(t)
		l, err := fcgi.Listen(addr)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			nc, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadAtLeast(nc, make([]byte, 4096), 16)
			nc.Write(answer)
			nc.(*net.UnixConn).CloseWrite()
			io.Copy(io.Discard, nc)
			nc.Close()
		}()
		t.Cleanup(func() { l.Close(); <-served })
		return addr
	}
	end := func(status byte) []byte {
		return fcgitest.Record{Type: fcgitest.EndRequest, ID: 1, Content: []byte{0, 0, 0, 0, status, 0, 0, 0}}.Append(nil)
	}
	tests := []struct {
		name   string
		addr   func(*testing.T) string
		env    []string
		status string // what the answer begins with
		says   string
	}{
		{"no socket", func(t *testing.T) string { return "unix:" + fcgitest.SocketPath(t) }, env(6), "Status: 503 ", "does \"pushbridge serve\" run"},
		{"nobody listens", func(*testing.T) string { return "tcp:127.0.0.1:1" }, env(6), "Status: 503 ", "no worker listens"},
		{"no address", func(*testing.T) string { return "/run/x.sock" }, env(6), "Status: 503 ", "neither unix:"},
		{"no web server", func(t *testing.T) string { return raw(t, nil) }, []string{"PATH=/bin"}, "Status: 400 ", "REQUEST_METHOD"},
		{"a length that is none", func(t *testing.T) string { return raw(t, nil) }, env(6, "CONTENT_LENGTH=-6"), "Status: 400 ", "CONTENT_LENGTH"},
		{"a body that breaks off", func(t *testing.T) string { return raw(t, nil) }, env(7), "Status: 400 ", "broke the request's body off"},
		{"a worker that dies", func(t *testing.T) string { return raw(t, nil) }, env(6), "Status: 503 ", "broke off"},
		{"a worker with too much to do", func(t *testing.T) string { return raw(t, end(fcgitest.Overloaded)) }, env(6), "Status: 503 ", "too many requests"},
		{"a worker that does not know the role", func(t *testing.T) string { return raw(t, end(fcgitest.UnknownRole)) }, env(6), "Status: 503 ", "not FastCGI"},
		{"a worker that says nothing", func(t *testing.T) string { return raw(t, end(fcgitest.RequestComplete)) }, env(6), "Status: 503 ", "not FastCGI"},
		{"another kind of server", func(t *testing.T) string { return raw(t, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, env(6), "Status: 503 ", "not FastCGI"},
		{"an answer that breaks off", func(t *testing.T) string {
			return raw(t, fcgitest.Record{Type: fcgitest.Stdout, ID: 1, Content: []byte("Status: 200 OK\r\n\r\nha")}.Append(nil))
		}, env(6), "Status: 200 OK\r\n\r\nha", "broke off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, log bytes.Buffer
			err := cgi.Handle(t.Context(), cgi.Request{Addr: tt.addr(t), Env: tt.env, Stdin: strings.NewReader("secret"), Stdout: &out, Stderr: &log})
			if !strings.HasPrefix(out.String(), tt.status) {
				t.Errorf("the answer is %q, want %q", &out, tt.status)
			}
			if strings.HasPrefix(tt.status, "Status: 503") != strings.Contains(out.String(), "\r\nRetry-After: 30\r\n") {
				t.Errorf("the answer is %q; Retry-After belongs to 503", &out)
			}
			if _, ok := errors.AsType[*cgi.Error](err); !ok || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v, want an *Error with %q", err, tt.says)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "a+b")) {
				t.Errorf("the error %q tells of the request", err)
			}
		})
	}
}

// Whoever ends the program while a phone waits makes the worker notice.
func TestHangsUp(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan error, 1)
	addr := fcgitest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		left <- context.Cause(r.Context())
	}))
	why := errors.New("ended by the web server")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-arrived
		cancel(why)
	}()
	var out bytes.Buffer
	err := cgi.Handle(ctx, cgi.Request{Addr: addr, Env: env(0), Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard})
	if cause := <-left; !errors.Is(err, why) || !errors.Is(cause, fcgi.ErrHungUp) || out.Len() > 0 {
		t.Errorf("it ends with %v and answers %q, and the worker is told %v", err, &out, cause)
	}
}
