package webdav_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav"
)

func redirect(code int, to string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Location", to)
		w.WriteHeader(code)
	}
}

func TestRedirects(t *testing.T) {
	var stranger atomic.Int32
	elsewhere := serve(t, script{"REPORT " + book: func(_ http.ResponseWriter, r *http.Request, _ string) {
		stranger.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the password went to another server")
		}
	}})
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := serve(t, script{
				"REPORT " + book: redirect(code, "/new/people/"),
				"REPORT /new/people/": func(w http.ResponseWriter, r *http.Request, body string) {
					if user, password, _ := r.BasicAuth(); user != "ann" || password != "secret" {
						t.Error("the password does not follow on the same server")
					}
					if !strings.Contains(body, "sync-collection") || r.Header.Get("Depth") != "0" {
						t.Errorf("the question is lost on its way: %q", body)
					}
					multistatus(item(book+"one.vcf", `"1"`)+token("t1"))(w, r, body)
				},
			})
			if got, _, err := changes(t.Context(), f.client(t, "/"), "", nil); err != nil || got == "" {
				t.Errorf("Changes = %q, %v", got, err)
			}
			f = serve(t, script{"REPORT " + book: redirect(code, elsewhere.URL+book)})
			_, _, err := changes(t.Context(), f.client(t, "/"), "", nil)
			if err == nil || !strings.Contains(err.Error(), "not on the configured server") {
				t.Errorf("a redirect to another server: %v", err)
			}
			f = serve(t, script{"REPORT " + book: redirect(code, book)})
			if _, _, err = changes(t.Context(), f.client(t, "/"), "", nil); err == nil {
				t.Error("a redirect in a circle is no error")
			}
		})
	}
	if stranger.Load() > 0 {
		t.Error("the other server was asked")
	}
}

func TestPutFollowsRedirect(t *testing.T) {
	f := serve(t, script{
		"PUT " + book + "new.vcf": redirect(308, "/b/new.vcf"),
		"PUT /b/new.vcf": func(w http.ResponseWriter, r *http.Request, body string) {
			if body != ann || r.Header.Get("If-None-Match") != "*" {
				t.Errorf("body %q, condition %q", body, r.Header.Get("If-None-Match"))
			}
			created(`"1"`)(w, r, body)
		},
	})
	if _, err := f.client(t, "/").Create(t.Context(), book, "new", []byte(ann)); err != nil {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for _, tc := range []struct {
		name, value string
		min, max    time.Duration
	}{
		{"seconds", "120", 2 * time.Minute, 2 * time.Minute},
		{"a date", date, 30 * time.Minute, time.Hour},
		{"the past", "Mon, 02 Jan 2006 15:04:05 GMT", 0, 0},
		{"for ever", "99999999", 24 * time.Hour, 24 * time.Hour},
		{"nonsense", "soon", 0, 0},
		{"negative", "-5", 0, 0},
		{"none", "", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, script{"REPORT " + book: func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Retry-After", tc.value)
				w.WriteHeader(http.StatusServiceUnavailable)
			}})
			_, _, err := changes(t.Context(), f.client(t, "/"), "", nil)
			wantKind(t, err, backend.Transient)
			if got := backend.RetryAfter(err); got < tc.min || got > tc.max {
				t.Errorf("RetryAfter = %v, want %v to %v", got, tc.min, tc.max)
			}
		})
	}
}

func TestSilentServer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before string // is sent before the silence
	}{{"no answer", ""}, {"half an answer", "HTTP/1.1 207 x\r\nContent-Length: 9999\r\n\r\n<d:multistatus xmlns:d='DAV:'>"}} {
		t.Run(tc.name, func(t *testing.T) {
			over := make(chan struct{})
			f := serve(t, script{"REPORT " + book: func(w http.ResponseWriter, _ *http.Request, _ string) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				io.WriteString(conn, tc.before)
				<-over
				conn.Close()
			}})
			t.Cleanup(func() { close(over) })
			s, err := webdav.NewServer(dialect, backend.Settings{"url": f.URL, "timeout": "50ms"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, _, err = changes(t.Context(), s.Client(backend.Credentials{}), "", nil)
			wantKind(t, err, backend.Transient)
			if errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, but nobody cancelled", err)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	f := serve(t, nil)
	c := f.client(t, "/")
	f.Close()
	_, err := c.Login(t.Context())
	wantKind(t, err, backend.Transient)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the password: %v", err)
	}
}

func TestCause(t *testing.T) {
	why := errors.New("the phone hung up")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := serve(t, script{"REPORT " + book: func(_ http.ResponseWriter, r *http.Request, _ string) {
		cancel(why)
		<-r.Context().Done()
	}}).client(t, "/")
	_, _, err := changes(ctx, c, "", nil)
	wantKind(t, err, backend.Transient)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Errorf("error = %v, want one that is context.Canceled and says why", err)
	}
}

// TestConcurrency sends more requests than may wait at a time.
func TestConcurrency(t *testing.T) {
	var now, most atomic.Int32
	full := make(chan struct{})
	var once sync.Once
	c := serve(t, script{"REPORT " + book: func(w http.ResponseWriter, r *http.Request, body string) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n == webdav.MaxConcurrent {
			once.Do(func() { close(full) })
		}
		<-full // nobody is answered before as many wait as may
		now.Add(-1)
		multistatus(token("t1"))(w, r, body)
	}}).client(t, "/")
	var wg sync.WaitGroup
	for range 3 * webdav.MaxConcurrent {
		wg.Go(func() {
			if _, _, err := changes(t.Context(), c, "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != webdav.MaxConcurrent {
		t.Errorf("%d requests waited at a time, want %d", most.Load(), webdav.MaxConcurrent)
	}
}

func TestOwnAuthority(t *testing.T) {
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		multistatus(token("t1"))(w, r, "")
	}))
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of being mistrusted
	ts.StartTLS()
	defer ts.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		settings backend.Settings
		trusted  bool
	}{
		{"unknown", backend.Settings{"url": ts.URL}, false},
		{"known", backend.Settings{"url": ts.URL, "ca_file": file}, true},
	} {
		s, err := webdav.NewServer(dialect, tc.settings)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = changes(t.Context(), s.Client(backend.Credentials{}), "", nil)
		if tc.trusted && err != nil {
			t.Errorf("%s: %v", tc.name, err)
		} else if !tc.trusted {
			wantKind(t, err, backend.Transient)
		}
		s.Close()
	}
}

func TestSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		settings backend.Settings
		want     string // in the error
	}{
		{"nothing", backend.Settings{}, "url must be set"},
		{"no host", backend.Settings{"url": "/dav"}, "want https://host/path"},
		{"another scheme", backend.Settings{"url": "ftp://x/"}, "want https://host/path"},
		{"a password", backend.Settings{"url": "https://a:geheim@x/"}, "user name"},
		{"a query", backend.Settings{"url": "https://x/?a=b"}, "without ?"},
		{"dots", backend.Settings{"url": "https://x/a/../b/"}, "leaves its place"},
		{"an unknown key", backend.Settings{"url": "https://x/", "insecure_skip_verify": true}, "insecure_skip_verify is not known"},
		{"no such file", backend.Settings{"url": "https://x/", "ca_file": empty + "x"}, "ca_file"},
		{"an empty file", backend.Settings{"url": "https://x/", "ca_file": empty}, "no PEM certificate"},
		{"a template without a user", backend.Settings{"url": "https://x/", "path_template": "dav/"}, "{user}"},
		{"a template that climbs", backend.Settings{"url": "https://x/", "path_template": "../{user}/"}, "leaves its place"},
		{"a wrong timeout", backend.Settings{"url": "https://x/", "timeout": 30}, "timeout"},
	} {
		_, err := webdav.NewServer(dialect, tc.settings)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want one with %q", tc.name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error has the password: %v", tc.name, err)
		}
	}
	if _, err := webdav.NewServer(dialect, backend.Settings{"url": "https://x", "timeout": "90s", "path_template": "{user}/"}); err != nil {
		t.Errorf("good settings: %v", err)
	}
}
