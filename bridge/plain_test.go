package bridge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections never leave the process.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// trickle writes a text byte by byte, until nobody takes it any more.
func trickle(w io.Writer, text string, pause time.Duration) {
	for i := range len(text) {
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// echo reads the body and answers it, after a wait if the path asks for one.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/wait" {
		select {
		case <-time.After(59 * time.Minute):
		case <-r.Context().Done():
			http.Error(w, context.Cause(r.Context()).Error(), 499)
			return
		}
	}
	w.Write(body)
}

// TestPlainServer is about phones, and others, that are slow.
func TestPlainServer(t *testing.T) {
	const post = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
	for _, tc := range []struct {
		name   string
		send   func(c net.Conn)
		answer string        // the status line's number; empty if there is no answer
		after  time.Duration // when the answer comes, or the end of the connection
	}{
		{"a quick request", func(c net.Conn) { io.WriteString(c, strings.Replace(post, "%s", "/", 1)+"hello") }, "200", 0},
		{"a body that takes its time", func(c net.Conn) {
			io.WriteString(c, strings.Replace(post, "%s", "/", 1))
			trickle(c, "hello", 10*time.Second)
		}, "200", 40 * time.Second},
		{"a wait after a body", func(c net.Conn) { io.WriteString(c, strings.Replace(post, "%s", "/wait", 1)+"hello") }, "200", 59 * time.Minute},
		{"a wait without a body", func(c net.Conn) { io.WriteString(c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n") }, "200", 59 * time.Minute},
		{"a header that trickles", func(c net.Conn) { trickle(c, "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 1000), time.Second) }, "", headerTimeout},
		{"a body that trickles", func(c net.Conn) {
			io.WriteString(c, strings.Replace(post, "%s", "/", 1))
			trickle(c, "hello", 30*time.Second)
		}, "400", bodyTimeout},
		{"a body that stops", func(c net.Conn) { io.WriteString(c, strings.Replace(post, "%s", "/", 1)+"hell") }, "400", bodyTimeout},
		{"a flood of headers", func(c net.Conn) {
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n"+strings.Repeat("X-Flood: "+strings.Repeat("x", 100)+"\r\n", 1000))
		}, "431", 0},
		{"nothing", func(net.Conn) {}, "", headerTimeout},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := plainServer(http.HandlerFunc(echo))
				s.ErrorLog = log.New(io.Discard, "", 0)
				l := make(pipes)
				served := make(chan error, 1)
				go func() { served <- s.Serve(l) }()
				mine, theirs := net.Pipe()
				l <- theirs
				start := time.Now()
				sent := make(chan struct{})
				go func() { defer close(sent); tc.send(mine) }()
				line, err := bufio.NewReader(mine).ReadString('\n')
				took := time.Since(start)
				status := ""
				if f := strings.Fields(line); err == nil && len(f) > 1 {
					status = f[1]
				}
				if status != tc.answer || took != tc.after {
					t.Errorf("status %q (%v) after %v, want %q after %v", status, err, took, tc.answer, tc.after)
				}
				mine.Close()
				<-sent
				close(l)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if err := <-served; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				time.Sleep(time.Second) // net/http gives a refused phone half a second to read why
			})
		})
	}
}

// TestAnswersAreTaken is about a phone that asks and never reads: the answer
// does not wait for it for ever.
func TestAnswersAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		ended := make(chan struct{})
		s := plainServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			start := time.Now()
			piece := make([]byte, 64<<10)
			for range 1000 {
				if _, err := w.Write(piece); err != nil {
					took = time.Since(start)
					return
				}
			}
			t.Error("somebody took the answer")
		}))
		l := make(pipes)
		served := make(chan struct{})
		go func() { defer close(served); s.Serve(l) }()
		mine, theirs := net.Pipe()
		defer mine.Close()
		l <- theirs
		io.WriteString(mine, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-ended
		if took != writeTimeout {
			t.Errorf("writing ended after %v, want %v", took, writeTimeout)
		}
		close(l)
		s.Close()
		<-served
	})
}

// TestRoutes tries paths that are not quite those that phones ask for.
func TestRoutes(t *testing.T) {
	door := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) })
	}
	routes := new(Bridge).routes(door("eas"), door("autodiscover"), door("hooks"))
	for path, want := range map[string]string{
		"/Microsoft-Server-ActiveSync":                     "eas",
		"/microsoft-server-activesync":                     "eas",
		"/Microsoft-Server-ActiveSync/":                    "eas",
		"/Microsoft-Server-ActiveSync?Cmd=Sync":            "eas",
		"/Autodiscover/Autodiscover.xml":                   "autodiscover",
		"/autodiscover/../Microsoft-Server-ActiveSync":     "autodiscover", // which knows no such page
		"/Microsoft-Server-ActiveSync/x":                   "",
		"/hooks/calendar":                                  "hooks",
		"/hooks":                                           "",
		"/Microsoft-Server-ActiveSync/../":                 "",
		"/Microsoft-Server-ActiveSync%2f":                  "eas",
		"/Microsoft-Server-ActiveSync%2f..%2fautodiscover": "",
		"//Microsoft-Server-ActiveSync":                    "",
		"/x/Microsoft-Server-ActiveSync":                   "",
		"/autodiscover":                                    "",
		"/":                                                "",
		"/%00":                                             "",
		"/" + strings.Repeat("x", 100_000):                 "",
		"/Microsoft-Server-ActiveSync\u212a":               "",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if path, query, _ := strings.Cut(path, "?"); true {
			u, err := url.Parse("http://x" + path)
			if err != nil {
				t.Fatal(err)
			}
			r.URL, r.URL.RawQuery = u, query
		}
		routes.ServeHTTP(w, r)
		got := w.Body.String()
		if w.Code == http.StatusNotFound {
			got = ""
		}
		if got != want {
			t.Errorf("%.80q leads to %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"", "*"} { // CONNECT, and OPTIONS * of RFC 9110
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.URL.Path = path
		if routes.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("path %q: status %d, want 404", path, w.Code)
		}
	}
}
