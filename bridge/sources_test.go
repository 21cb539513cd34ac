package bridge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/watch"
)

func TestWhereNoticesArrive(t *testing.T) {
	for _, tc := range []struct{ name, notify, state, listen, socket string }{
		{"by default", "", "/var/lib/pushbridge", "unixgram:/var/lib/pushbridge/notify.sock?mode=0600", "/var/lib/pushbridge/notify.sock"},
		{"without a directory", "", bridge.Memory, "", ""},
		{"switched off", "off", "/var/lib/pushbridge", "", ""},
		{"for a group", "unixgram:/run/n.sock?group=radicale", "/s", "unixgram:/run/n.sock?group=radicale", "/run/n.sock"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := config.File{Notify: tc.notify, State: tc.state}
			if listen, socket := bridge.NotifyListen(f), bridge.NotifySocket(f); listen != tc.listen || socket != tc.socket {
				t.Errorf("it is %q at %q, want %q at %q", listen, socket, tc.listen, tc.socket)
			}
		})
	}
}

// TestPushResources are there if the configuration says where servers reach us.
func TestPushResources(t *testing.T) {
	for url, want := range map[string]int{"": http.StatusNotFound, "https://mail.example.org": http.StatusGone} {
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.WebDAVPush = url }})
		resp, err := http.Post(h.URL+"/hooks/push/nobody-knows", "application/xml", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("webdav_push = %q: %s, want %d", url, resp.Status, want)
		}
	}
}

// TestHooksConcernNobodyElse sends word of all sorts; none of it makes the
// worker believe that a backend can be relied on, or fails.
func TestHooksConcernNobodyElse(t *testing.T) {
	const secret = "a secret of some length"
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Hooks = []config.Hook{{Name: "any", Kind: "generic", Secret: secret}}
	}})
	for _, tc := range []struct {
		body   string
		status int
	}{
		{`{"user":"ann"}`, http.StatusNoContent},
		{`{"user":"nobody","path":"/nobody/book/"}`, http.StatusNoContent},
		{`{"path":"/bob/contacts/x.vcf"}`, http.StatusNoContent},
		{`{"backend":"none","user":"ann"}`, http.StatusNoContent},
		{`{"path":"/ann/../bob"}`, http.StatusBadRequest},
		{`{"user":7}`, http.StatusBadRequest},
	} {
		r, err := http.NewRequest("POST", h.URL+"/hooks/any", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %s, want %d", tc.body, resp.Status, tc.status)
		}
	}
	if h.Bridge.Desk().Trusted(watch.Hint{Backend: "memory"}) {
		t.Error("what nobody waited for made the source be relied on")
	}
}
