package gate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// TestKeyOfFactorIsGone says what to do, but only to those who know the password.
func TestKeyOfFactorIsGone(t *testing.T) {
	box, err := recovery.Read(strings.NewReader(strings.Repeat("0f", 32)))
	if err != nil {
		t.Fatal(err)
	}
	store := new(rostertest.Memory)
	before := roster.New(roster.Options{Store: store, Cost: rostertest.Cheap, Seal: box})
	rostertest.Add(t, before, "jane", "helpdesk")
	secret, _, err := before.BeginFactor(t.Context(), "jane", "test")
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := before.ConfirmFactor(t.Context(), "jane", code, roster.Caller{}); err != nil {
		t.Fatal(err)
	}
	h := open(t, func(o *gate.Options) { o.Roster = roster.New(roster.Options{Store: store, Cost: rostertest.Cheap}) })
	b := h.browser()
	for password, want := range map[string]struct {
		status int
		says   string
	}{
		rostertest.Password: {http.StatusServiceUnavailable, "drop your second factor"},
		"not the password":  {http.StatusForbidden, "That is not right"},
	} {
		a := b.signIn("/admin/", fields("jane", password))
		if page := text(t, a); a.StatusCode != want.status || !strings.Contains(page, want.says) || len(b.cookies) > 0 {
			t.Errorf("with %q it is answered %s\n%s", password, a.Status, page)
		}
	}
}
