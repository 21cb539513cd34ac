package fcgi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

const activeSync = "/Microsoft-Server-ActiveSync"

// transports are the ways in which a phone may come to nginx.
var transports = []struct {
	name string
	opt  fcgitest.NginxOptions
}{
	{"HTTP", fcgitest.NginxOptions{}},
	{"HTTPS", fcgitest.NginxOptions{TLS: true}},
	{"HTTP2", fcgitest.NginxOptions{TLS: true, HTTP2: true}},
}

func TestThroughNginx(t *testing.T) {
	tests := []struct {
		name    string
		method  string
		uri     string
		header  http.Header
		body    []byte
		handler http.HandlerFunc
		status  int
		length  int64
		want    http.Header // all that the answer has besides Date and Server
	}{
		{name: "an empty answer keeps its length and has no type", method: "POST",
			handler: func(http.ResponseWriter, *http.Request) {},
			status:  200, length: 0, want: http.Header{"Content-Length": {"0"}}},
		{name: "449", method: "POST",
			handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(449) },
			status:  449, length: 0, want: http.Header{"Content-Length": {"0"}}},
		{name: "401 with a realm", method: "POST",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Basic realm="pushbridge"`)
				w.WriteHeader(401)
			},
			status: 401, want: http.Header{"Content-Length": {"0"}, "Www-Authenticate": {`Basic realm="pushbridge"`}}},
		{name: "503 is not replaced", method: "POST",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(503)
			},
			status: 503, want: http.Header{"Content-Length": {"0"}, "Retry-After": {"30"}}},
		{name: "OPTIONS", method: "OPTIONS",
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("MS-ASProtocolVersions", "14.1,16.1")
			},
			status: 200, want: http.Header{"Content-Length": {"0"}, "Ms-Asprotocolversions": {"14.1,16.1"}}},
		{name: "a panic", method: "POST",
			handler: func(http.ResponseWriter, *http.Request) { panic("oops") },
			status:  500, want: http.Header{"Content-Length": {"0"}}},
	}
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			var h http.Handler
			opt := tr.opt
			opt.Addr = fcgitest.Start(t, &fcgi.Server{Logger: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })})
			n := fcgitest.StartNginx(t, opt)
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					h = tt.handler
					req, err := http.NewRequest(tt.method, n.URL+activeSync, nil)
					if err != nil {
						t.Fatal(err)
					}
					resp, err := n.Client.Do(req)
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					delete(resp.Header, "Date")
					delete(resp.Header, "Server")
					delete(resp.Header, "Connection")
					if resp.StatusCode != tt.status || fmt.Sprint(resp.Header) != fmt.Sprint(tt.want) {
						t.Errorf("%s %v, want %d %v", resp.Status, resp.Header, tt.status, tt.want)
					}
				})
			}
		})
	}
}

// What nginx passes on arrives as the phone has sent it.
func TestWhatNginxPasses(t *testing.T) {
	seen := make(chan *http.Request, 1)
	addr := fcgitest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen <- &http.Request{Method: r.Method, RequestURI: r.RequestURI, URL: r.URL, Host: r.Host, Header: r.Header, TLS: r.TLS,
			RemoteAddr: r.RemoteAddr, ContentLength: r.ContentLength, Pattern: string(b)}
	}))
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			opt := tr.opt
			opt.Addr = addr
			n := fcgitest.StartNginx(t, opt)
			body := make([]byte, 100_000) // more than nginx keeps in memory
			const query = "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l+/9x%2B=="
			req, err := http.NewRequest("POST", n.URL, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Opaque: "//" + req.URL.Host + activeSync + "?" + query}
			if tr.opt.HTTP2 {
				req.URL.Opaque = activeSync + "?" + query
			}
			for name, value := range map[string]string{
				"Content-Type": "application/vnd.ms-sync.wbxml", "Authorization": "Basic YW5uOnc=", "User-Agent": "Phone/1",
				"MS-ASProtocolVersion": "16.1", "X-MS-PolicyKey": "123", "MS-ASAcceptMultiPart": "T", "Accept-Encoding": "gzip",
				"Proxy": "evil:80", "Cookie": "a=b", "X_MS_PolicyKey": "666", "X-Other": "x",
			} {
				req.Header.Set(name, value)
			}
			resp, err := n.Client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Fatalf("answer = %s\n%s", resp.Status, n.ErrorLog())
			}
			got := <-seen
			if got.URL.RawQuery != query || got.URL.Path != activeSync {
				t.Errorf("path %q, query %q, want %q, %q\nA phone's base64 must arrive as it was sent.", got.URL.Path, got.URL.RawQuery, activeSync, query)
			}
			want := http.Header{"Content-Type": {"application/vnd.ms-sync.wbxml"}, "Authorization": {"Basic YW5uOnc="}, "User-Agent": {"Phone/1"},
				"Ms-Asprotocolversion": {"16.1"}, "X-Ms-Policykey": {"123"}, "Ms-Asacceptmultipart": {"T"}, "Accept-Encoding": {"gzip"}}
			if fmt.Sprint(got.Header) != fmt.Sprint(want) {
				t.Errorf("headers %v\nwant %v", got.Header, want)
			}
			if got.ContentLength != int64(len(body)) || got.Pattern != string(body) {
				t.Errorf("body of %d bytes, length %d, want %d", len(got.Pattern), got.ContentLength, len(body))
			}
			if (got.TLS != nil) != tr.opt.TLS || "http://"+got.Host != n.URL && "https://"+got.Host != n.URL || !strings.HasPrefix(got.RemoteAddr, "127.0.0.1:") {
				t.Errorf("TLS %v, host %q, address %q", got.TLS != nil, got.Host, got.RemoteAddr)
			}
		})
	}
}

func TestPathsOfNginx(t *testing.T) {
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }))
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
	for path, ours := range map[string]bool{
		activeSync:                        true,
		activeSync + "?Cmd=Ping&User=ann": true,
		activeSync + "/x":                 false,
		"/autodiscover/autodiscover.xml":  true,
		"/Autodiscover/Autodiscover.xml":  true,
		"/AutoDiscover/AutoDiscover.xml":  true,
		"/autodiscover/autodiscover.json?Email=ann@example.com&Protocol=ActiveSync":   true,
		"/autodiscover/autodiscover.json/v1.0/ann@example.com?Protocol=ActiveSync":    true,
		"/Autodiscover/Autodiscover.json/v1.0/ann%40example.com?Protocol=ActiveSync&": true,
		"/autodiscover/autodiscover.xml.bak":                                          false,
		"/autodiscover/autodiscover.jsonp":                                            false,
		"/":                                                                           false,
	} {
		t.Run(path, func(t *testing.T) {
			resp, err := n.Client.Get(n.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := text(t, resp) == path; got != ours {
				t.Errorf("passed to us: %v, want %v (%s)", got, ours, resp.Status)
			}
		})
	}
}

func TestNginxTellsWhenThePhoneLeaves(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			h := newWaiter()
			opt := tr.opt
			opt.Addr = fcgitest.Serve(t, h)
			n := fcgitest.StartNginx(t, opt)
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			req, err := http.NewRequestWithContext(ctx, "POST", n.URL+activeSync+"?Cmd=Ping", strings.NewReader("ping"))
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if resp, err := n.Client.Do(req); err == nil {
					resp.Body.Close()
				}
			})
			<-h.entered
			hangUp()
			if got := <-h.left; got != fcgi.ErrHungUp {
				t.Errorf("context.Cause = %v, want %v", got, fcgi.ErrHungUp)
			}
			wg.Wait()
		})
	}
}

func TestShutdownAnswersPhonesThroughNginx(t *testing.T) {
	h := newWaiter()
	s := &fcgi.Server{Handler: h}
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: fcgitest.Start(t, s)})
	const phones = 50
	answers := make(chan string, phones)
	for range phones {
		go func() {
			resp, err := n.Client.Post(n.URL+activeSync, "application/vnd.ms-sync.wbxml", strings.NewReader("ping"))
			if err != nil {
				answers <- err.Error()
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			answers <- fmt.Sprint(resp.StatusCode, " ", string(b), " ", err)
		}()
	}
	for range phones {
		<-h.entered
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	want := fmt.Sprint(200, " ", fcgi.ErrShutdown, " ", nil)
	for range phones {
		if got := <-answers; got != want {
			t.Errorf("a phone got %q, want %q", got, want)
		}
	}
	if log := n.ErrorLog(); strings.Contains(log, "[error]") {
		t.Errorf("nginx complains:\n%s", log)
	}
}

func TestLargeThingsThroughNginx(t *testing.T) {
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		io.Copy(w, r.Body)
	}))
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
	body := bytes.Repeat([]byte("attachment"), 2<<20) // 20 MB
	for _, tt := range []struct {
		name string
		body io.Reader
	}{
		{"with a length", bytes.NewReader(body)},
		{"chunked", struct{ io.Reader }{bytes.NewReader(body)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := n.Client.Post(n.URL+activeSync, "message/rfc822", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			h := sha256.New()
			size, err := io.Copy(h, resp.Body)
			if err != nil || size != int64(len(body)) || [32]byte(h.Sum(nil)) != sha256.Sum256(body) {
				t.Errorf("%s, %d bytes back, %v; want the %d that were sent", resp.Status, size, err, len(body))
			}
		})
	}
}

// An answer that breaks off must not look whole to the phone.
func TestBrokenAnswerThroughNginx(t *testing.T) {
	addr := fcgitest.Start(t, &fcgi.Server{Logger: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 100_000))
		http.NewResponseController(w).Flush()
		panic("in the middle")
	})})
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
	resp, err := n.Client.Get(n.URL + activeSync)
	if err != nil {
		return // broken off before its header: just as clear
	}
	defer resp.Body.Close()
	if size, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("%s, %d bytes, no error: half an answer passes for a whole one", resp.Status, size)
	}
}

func TestSizesThatNginxRefuses(t *testing.T) {
	addr := fcgitest.Serve(t, echo)
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
	req, err := http.NewRequest("POST", n.URL+activeSync, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 65 << 20
	req.Body = io.NopCloser(io.LimitReader(zeros{}, req.ContentLength))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resp, err := n.Client.Do(req.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 65 MB: %s, want 413", resp.Status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The settings that the example recommends for outside of it go with it.
func TestRecommendedSettings(t *testing.T) {
	addr := fcgitest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, len(r.Header.Get("Authorization")))
	}))
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{
		Addr: addr,
		Main: "worker_shutdown_timeout 65m;",
		HTTP: `
			limit_conn_zone $http_authorization zone=pushbridge_login:1m;
			limit_req_zone $binary_remote_addr zone=pushbridge_addr:1m rate=20r/s;`,
		Server: `
			client_header_buffer_size 1k;
			large_client_header_buffers 4 64k;
			request_pool_size 1k;
			keepalive_timeout 120s;
			keepalive_requests 10000;
			underscores_in_headers off;
			limit_conn pushbridge_login 16;
			limit_req zone=pushbridge_addr burst=200 nodelay;`,
	})
	for _, tt := range []struct{ length, status int }{{100, 200}, {60_000, 200}, {65_600, 400}} {
		req, err := http.NewRequest("POST", n.URL+activeSync, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", strings.Repeat("k", tt.length))
		resp, err := n.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != tt.status || tt.status == 200 && text(t, resp) != fmt.Sprint(tt.length) {
			t.Errorf("Authorization of %d bytes: %s, want %d", tt.length, resp.Status, tt.status)
		}
	}
}
