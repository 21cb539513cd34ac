package bridge_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// A phone's owner changes the password: as soon as a backend refuses the old one,
// nobody is signed in any more who came with it.
func TestOwnerChangesPassword(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Web.URL, o.Config.Web.Owners = "https://mail.example.org", true
	}})
	p := bridgetest.Checked(t, phone.New(h.Client(eas.V161, "ANNSPHONE"), phone.Settings{}))
	bridgetest.Sync(t, p)
	ask := func(method, path string, form url.Values, cookies []*http.Cookie) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), method, "https://mail.example.org"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.Bridge.Handler().ServeHTTP(w, r)
		return w.Result()
	}
	me := ask(http.MethodPost, "/my/signin", url.Values{"name": {bridgetest.User}, "password": {bridgetest.Password}}, nil).Cookies()
	if a := ask(http.MethodGet, "/my/", nil, me); a.StatusCode != http.StatusOK {
		t.Fatalf("who signed in is answered %s", a.Status)
	}
	h.Backend.SetPassword(bridgetest.User, "another one")
	if _, err := p.Sync(t.Context()); err == nil {
		t.Error("the phone synchronizes with the old password")
	}
	// It ends behind the phone's request.
	for deadline := time.Now().Add(time.Minute); ask(http.MethodGet, "/my/", nil, me).StatusCode != http.StatusSeeOther; time.Sleep(time.Millisecond) { // gives way
		if time.Now().After(deadline) {
			t.Fatal("the session goes on")
		}
	}
}

// TestFactorsUnderRecoveryKeys looks for the secret of a second factor in the state.
func TestFactorsUnderRecoveryKeys(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(strings.Repeat("0f", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, tc := range map[string]struct {
		keys  string
		plain bool
	}{"with keys": {keys, false}, "without": {"", true}, "the file is lost": {keys + ".lost", true}} {
		t.Run(what, func(t *testing.T) {
			state := t.TempDir()
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.State, o.Config.Policy.RecoveryKeys = state, tc.keys }})
			rostertest.Add(t, h.Bridge.Roster(), "jane", "helpdesk")
			secret, _, err := h.Bridge.Roster().BeginFactor(t.Context(), "jane", "test")
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(state, "*"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range files {
				text, err := os.ReadFile(f)
				found = found || err == nil && strings.Contains(string(text), secret)
			}
			if found != tc.plain {
				t.Errorf("the secret can be read in %v: %t", files, found)
			}
		})
	}
}
