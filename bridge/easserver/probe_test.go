package easserver_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// An answer that is looked at on its way begins before it is whole, and ends when
// whoever sees the beginning says so.
func TestProbe(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Backend.AddUser(neighbour, bridgetest.Password)
	ask := func(user, query string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.URL+"/Microsoft-Server-ActiveSync?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, bridgetest.Password)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	lines := func(r *http.Response) func() string {
		in := bufio.NewScanner(r.Body)
		return func() string { in.Scan(); return in.Text() }
	}
	first := lines(ask(bridgetest.User, eas.ProbeStream+"=one"))
	if got, want := first(), eas.ProbeFrom+"127.0.0.1"; got != want {
		t.Errorf("it begins with %q, want %q", got, want)
	}
	// Those who wait are told apart, and nobody waits twice.
	for _, other := range []struct{ user, query string }{
		{neighbour, eas.ProbeRelease + "=one"}, {bridgetest.User, eas.ProbeRelease + "=two"}, {bridgetest.User, eas.ProbeRelease + "=" + strings.Repeat("one", 100)},
		{bridgetest.User, eas.ProbeStream + "=one"}, {bridgetest.User, ""},
	} {
		if r := ask(other.user, other.query); r.StatusCode != http.StatusOK || r.ContentLength != 0 || r.Header.Get("MS-ASProtocolVersions") == "" {
			t.Errorf("OPTIONS with %.60q as %s is answered %d with %d bytes, want an ordinary answer", other.query, other.user, r.StatusCode, r.ContentLength)
		}
	}
	ask(bridgetest.User, eas.ProbeRelease+"=one")
	if got := first(); got != eas.ProbeReleased {
		t.Errorf("it ends with %q, want %q", got, eas.ProbeReleased)
	}
	var open []func() string
	for i := range 16 {
		open = append(open, lines(ask(bridgetest.User, eas.ProbeStream+"=many"+strings.Repeat("x", i))))
	}
	if r := ask(bridgetest.User, eas.ProbeStream+"=more"); r.ContentLength != 0 {
		t.Error("a seventeenth probe waits, too")
	}
	for i := range open {
		ask(bridgetest.User, eas.ProbeRelease+"=many"+strings.Repeat("x", i))
		open[i]()
		if got := open[i](); got != eas.ProbeReleased {
			t.Errorf("the probe %d ends with %q", i, got)
		}
	}
	if n := h.Backend.Calls(memory.OpCollections); n != 0 {
		t.Errorf("the backend was asked %d times for collections", n)
	}
}
