package gate_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// behindNginx serves a house through a real nginx, over TLS.
func behindNginx(t *testing.T) (*house, *fcgitest.Nginx) {
	t.Helper()
	h := open(t, func(o *gate.Options) { o.URL = &url.URL{Scheme: "https", Host: "127.0.0.1"} })
	addr := "unix:" + filepath.Join(t.TempDir(), "s")
	l, err := fcgi.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &fcgi.Server{Handler: h, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, fcgi.ErrServerClosed) {
			t.Error(err)
		}
	})
	return h, fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr, TLS: true})
}

// ask sends a request through nginx as a browser does.
func ask(t *testing.T, n *fcgitest.Nginx, method, path, body string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, n.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	a, err := n.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Body.Close() })
	return a
}

// TestBehindNginx signs in, calls, and is kept out, with the configuration that is
// recommended.
func TestBehindNginx(t *testing.T) {
	h, n := behindNginx(t)
	forged := http.Header{"X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"}, "Remote-Addr": {"203.0.113.9"}}
	with := func(more ...string) http.Header {
		header := forged.Clone()
		for i := 0; i < len(more); i += 2 {
			header.Set(more[i], more[i+1])
		}
		return header
	}
	if a := ask(t, n, "GET", "/admin", "", with()); a.StatusCode/100 != 3 || a.Header.Get("Location") != "/admin/" {
		t.Errorf("/admin is answered %s, %s", a.Status, a.Header.Get("Location"))
	}
	if a := ask(t, n, "GET", "/admin/signin", "", with()); a.StatusCode != http.StatusOK || a.Header.Get("Content-Security-Policy") != gate.Policy {
		t.Errorf("the page is answered %s, %v", a.Status, a.Header)
	}
	credentials := fields("device-administrator", rostertest.Password).Encode()
	if a := ask(t, n, "POST", "/admin/signin", credentials, with("Content-Type", form, "Origin", "https://evil.example")); a.StatusCode != http.StatusForbidden {
		t.Errorf("signing in for another site is answered %s", a.Status)
	}
	a := ask(t, n, "POST", "/admin/signin", credentials, with("Content-Type", form, "Origin", n.URL))
	if a.StatusCode != http.StatusSeeOther || len(a.Cookies()) != 1 {
		t.Fatalf("signing in is answered %s: %s", a.Status, text(t, a))
	}
	cookie := a.Cookies()[0].Name + "=" + a.Cookies()[0].Value
	for _, tc := range []struct {
		what   string
		header http.Header
		want   int
	}{
		{"from another site", with("Content-Type", jsonType, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		{"as a form", with("Content-Type", form, "Cookie", cookie), http.StatusBadRequest},
		{"without a session", with("Content-Type", jsonType), http.StatusUnauthorized},
		{"from this site", with("Content-Type", jsonType, "Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Origin", n.URL), http.StatusOK},
		{"with a token", with("Content-Type", jsonType, "Authorization", "Bearer "+h.token("device-administrator")), http.StatusOK},
	} {
		if a := ask(t, n, "POST", "/admin/api/v1/resync", `{"user":"ann","device":"P"}`, tc.header); a.StatusCode != tc.want {
			t.Errorf("a call %s is answered %s: %s", tc.what, a.Status, text(t, a))
		}
	}
	for _, r := range h.audit.Records {
		if r.Address != "127.0.0.1" {
			t.Errorf("the audit has %+v, want the address that nginx saw", r)
		}
	}
}
