package easserver_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
)

// ask sends one request with a password and answers what came back.
func ask(t *testing.T, method, url, password, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(bridgetest.User, password)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer
}

// TestWrongPasswords tries more of them than there may be, at both doors that
// ask for one, and looks at what phones are told.
func TestWrongPasswords(t *testing.T) {
	for _, tc := range []struct{ name, method, path string }{
		{"ActiveSync", http.MethodOptions, bridge.ActiveSyncPath},
		{"a command", http.MethodPost, bridge.ActiveSyncPath + "?Cmd=Ping&User=ann&DeviceId=D1&DeviceType=t"},
		{"Autodiscover", http.MethodPost, "/autodiscover/autodiscover.xml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.Throttle.User = 3 }})
			if r := ask(t, http.MethodOptions, h.URL+bridge.ActiveSyncPath, bridgetest.Password, ""); r.StatusCode != http.StatusOK {
				t.Fatalf("the right password: %d", r.StatusCode)
			}
			for i := range 6 {
				r := ask(t, tc.method, h.URL+tc.path, fmt.Sprint("guess", i), "")
				wait, _ := strconv.Atoi(r.Header.Get("Retry-After"))
				switch {
				case i < 3 && (r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == ""):
					t.Errorf("guess %d is answered %d, want 401 and how to log in", i, r.StatusCode)
				case i >= 3 && (r.StatusCode != http.StatusServiceUnavailable || wait < 100 || wait > 200):
					t.Errorf("guess %d is answered %d, Retry-After %q; want 503 and the third of the window", i, r.StatusCode, r.Header.Get("Retry-After"))
				}
			}
			if r := ask(t, tc.method, h.URL+tc.path, "guess0", ""); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("what is known to be wrong is answered %d, want 401: its owner has to notice", r.StatusCode)
			}
			if r := ask(t, http.MethodOptions, h.URL+bridge.ActiveSyncPath, bridgetest.Password, ""); r.StatusCode != http.StatusOK {
				t.Errorf("the right password is answered %d meanwhile, want 200", r.StatusCode)
			}
		})
	}
}

// TestCompressedBodies is about requests that could become larger than they are.
func TestCompressedBodies(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	url := h.URL + bridge.ActiveSyncPath + "?Cmd=Sync&User=ann&DeviceId=D1&DeviceType=t"
	for _, coding := range []string{"gzip", "deflate", "br", "identity, gzip", strings.Repeat("x", 10_000)} {
		if r := ask(t, http.MethodPost, url, bridgetest.Password, "\x1f\x8b", "Content-Encoding", coding); r.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("Content-Encoding %.20q is answered %d, want 415", coding, r.StatusCode)
		}
	}
	if r := ask(t, http.MethodPost, url, bridgetest.Password, "\x03\x01\x6a\x00", "Content-Encoding", "Identity"); r.StatusCode == http.StatusUnsupportedMediaType {
		t.Errorf("a body as it is is answered %d", r.StatusCode)
	}
}
