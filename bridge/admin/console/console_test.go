package console_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
)

// Whoever is not signed in is sent to where one does, and comes back to the page.
func TestNobodyIsSignedIn(t *testing.T) {
	h := build(t, nil)
	for _, tc := range []struct {
		name, path string
		status     int
		location   string
	}{
		{"the overview", "/admin/", 303, "/admin/signin?next=%2Fadmin%2F"},
		{"a phone", "/admin/device?user=ann&device=A%26B", 303, "/admin/signin?next=%2Fadmin%2Fdevice%3Fuser%3Dann%26device%3DA%2526B"},
		{"no page at all", "/admin/nothing", 303, "/admin/signin?next=%2Fadmin%2Fnothing"},
		{"a stream", "/admin/events?view=overview", 401, ""},
		{"what anybody may have", "/admin/assets/console.css", 200, ""},
		{"two slashes, which lead elsewhere", "/admin//evil.example", 307, "/admin/evil.example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := h.get(t, tc.path)
			if got := w.Header().Get("Location"); w.Code != tc.status || got != tc.location {
				t.Errorf("the answer is %d to %q, want %d to %q", w.Code, got, tc.status, tc.location)
			}
		})
	}
}

// Every answer forbids the browser what no page needs.
func TestEveryAnswerIsGuarded(t *testing.T) {
	h := build(t, nil)
	h.phone(t, "ann", "A", nil)
	for _, path := range []string{"/admin/", "/admin/devices", "/admin/device?user=ann&device=A", "/admin/device?user=ann&device=B", "/admin/nothing", "/admin/assets/console.css", "/admin/assets/nothing"} {
		w := h.get(t, path, admin.DeviceAdministrator)
		csp := w.Header().Get("Content-Security-Policy")
		for _, word := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, word) {
				t.Errorf("%s: the policy is %q, want %q", path, csp, word)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "nonce") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is answered with %v", path, w.Header())
		}
		if w.Code == http.StatusOK && !strings.Contains(path, "assets") && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", path, w.Header().Get("Cache-Control"))
		}
	}
}

// What comes from another site changes nothing.
func TestOrdersOfOtherSites(t *testing.T) {
	h := build(t, nil)
	h.phone(t, "ann", "A", nil)
	for _, site := range []string{"cross-site", "same-site"} {
		r, err := http.NewRequest(http.MethodPost, "/admin/confirm", strings.NewReader("do=block&user=ann&device=A"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site)
		if w := h.ask(t, r, admin.DeviceAdministrator); w.Code != http.StatusForbidden {
			t.Errorf("%s is answered %d", site, w.Code)
		}
	}
	if p, err := admin.OpDevices.Do(t.Context(), h.admin, boss, admin.UserRequest{}); err != nil || p[0].Blocked != "" {
		t.Errorf("the phone is %+v, %v", p, err)
	}
}

// A brokenGate cannot find out who asks.
type brokenGate struct{}

func (brokenGate) Actor(*http.Request) (admin.Actor, error) {
	return admin.Actor{}, errors.New("the disk is gone")
}

// TestWhoAsksIsNotKnown: a state that cannot be read sends nobody away to sign in, which
// would not work either, and is in the log.
func TestWhoAsksIsNotKnown(t *testing.T) {
	h := build(t, nil)
	var log bytes.Buffer
	h.Console = console.New(console.Options{Server: h.admin, Gate: brokenGate{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w := h.get(t, "/admin/devices", admin.ReadOnly)
	if w.Code != http.StatusInternalServerError || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("it is answered %d, to %q:\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	if !strings.Contains(log.String(), "the disk is gone") {
		t.Errorf("the log says %q", log.String())
	}
}
