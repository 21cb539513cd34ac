package gate_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// What is forged, too large, or no JSON is refused, and nothing is done.
func TestForgedBodies(t *testing.T) {
	h := open(t, nil)
	b := h.in("/admin/", "device-administrator", rostertest.Password)
	for _, tc := range []struct{ what, path, kind, body string }{
		{"too large", "/admin/api/v1/wipe", jsonType, `{"user":"` + strings.Repeat("a", 100_000) + `","device":"P"}`},
		{"two objects", "/admin/api/v1/wipe", jsonType, `{"user":"ann","device":"P"}{"user":"bob","device":"P"}`},
		{"a field that nobody knows", "/admin/api/v1/wipe", jsonType, `{"user":"ann","device":"P","roles":["x"]}`},
		{"an actor of one's own", "/admin/api/v1/wipe", jsonType, `{"user":"ann","device":"P","Actor":{"Roles":["server-administrator"]}}`},
		{"no JSON", "/admin/api/v1/wipe", jsonType, `user=ann&device=P`},
		{"a form", "/admin/api/v1/wipe", form, `{"user":"ann","device":"P"}`},
		{"a form that hides JSON", "/admin/api/v1/wipe", "text/plain", `{"user":"ann","device":"P"}`},
		{"no type", "/admin/api/v1/wipe", "", `{"user":"ann","device":"P"}`},
		{"a large form", "/admin/signin", form, "name=" + strings.Repeat("a", 100_000)},
		{"a form with a bad escape", "/admin/signin", form, "name=%zz"},
	} {
		if a := b.send("POST", tc.path, tc.kind, tc.body); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is answered %s: %s", tc.what, a.Status, text(t, a))
		}
	}
	if a := b.send("GET", "/admin/api/v1/wipe?user=ann&device=P", "", ""); a.StatusCode != http.StatusBadRequest {
		t.Errorf("an order by GET is answered %s", a.Status)
	}
	if a := b.send("PUT", "/admin/signin", form, ""); a.StatusCode < 400 {
		t.Errorf("PUT is answered %s", a.Status)
	}
	if p, err := h.phones.Phone(t.Context(), device.ID{User: "ann", Device: "P"}); err != nil || p.Wipe.State != "" {
		t.Errorf("the phone is to be erased: %+v, %v", p.Wipe, err)
	}
}

// Names that people type come back as text, and in no other way.
func TestMarkupInForms(t *testing.T) {
	h := open(t, nil)
	const evil = `"><script>alert(1)</script>`
	for _, prefix := range []string{"/admin/", "/my/"} {
		f := fields(evil, "x")
		f.Set("next", prefix+evil)
		for _, a := range []*http.Response{h.browser().signIn(prefix, f), h.browser().send("GET", prefix+"signin?next="+url.QueryEscape(prefix+evil), "", "")} {
			if said := text(t, a); strings.Contains(said, "<script") {
				t.Errorf("%s: %s", prefix, said)
			}
		}
	}
}

func TestOwnersGuess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		for i := range 20 {
			a := h.browser().signIn("/my/", fields("ann", "guess"))
			want := http.StatusForbidden
			if i >= roster.Limits.Address {
				want = http.StatusTooManyRequests
			}
			if a.StatusCode != want || (want == http.StatusTooManyRequests) != (a.Header.Get("Retry-After") != "") {
				t.Fatalf("guess %d is answered %s", i+1, a.Status)
			}
		}
		if n := len(h.audit.Records); n != roster.Limits.Address {
			t.Errorf("the audit has %d entries: guesses are to fill it no further than they are looked at", n)
		}
		time.Sleep(roster.Limits.Window)
		h.in("/my/", "ann", "secret")
		b := h.browser()
		if a := b.signIn("/my/", fields("late", "x")); a.StatusCode != http.StatusServiceUnavailable || len(b.cookies) > 0 {
			t.Errorf("while the backend is asleep: %s", a.Status)
		}
	})
}

// Without TLS, for trials, browsers have to take the cookie, too.
func TestTrial(t *testing.T) {
	h := open(t, func(o *gate.Options) {
		o.URL = &url.URL{Scheme: "http", Host: host + ":80"}
		o.Login = nil
	})
	a := h.browser().signIn("/admin/", fields("read-only", rostertest.Password))
	if set := a.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "pushbridge-admin=") || strings.Contains(set, "Secure") || !strings.Contains(set, "HttpOnly; SameSite=Strict") {
		t.Errorf("the cookie is %q", set)
	}
	if h.Owners() != nil || h.browser().signIn("/my/", fields("ann", "secret")).StatusCode != http.StatusNotFound {
		t.Error("owners sign in where they may not")
	}
}
