package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/telemetry/metrics"
)

// still is what there is where nothing happens.
type still struct{ held error }

func (still) Waiting() int                        { return 7 }
func (still) Connections() (_, _, _ int)          { return 3, 2, 1 }
func (still) Restarts(b string) (int, bool)       { return 4, b == "cal" }
func (s still) Held(context.Context) (int, error) { return 5, s.held }
func (still) Problems() int                       { return 6 }

func newMetrics(p metrics.Present) *metrics.Metrics {
	return metrics.New(metrics.Options{
		Version: "1.2", Commands: []string{"Sync", "Ping"}, Waits: []string{"Ping"}, Causes: []string{"change"},
		Backends: []string{"cal", "card"}, Present: p,
	})
}

// get asks the server of m.
func get(t *testing.T, m *metrics.Metrics, method, path string, ready error, log io.Writer) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	server := m.Server(func(context.Context) error { return ready }, slog.New(slog.NewTextHandler(log, nil)))
	server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCounts(t *testing.T) {
	m := newMetrics(still{})
	m.Request("Sync", 200, 3*time.Millisecond)
	m.Request("Sync", 204, -time.Second) // a clock that was put back
	m.Request("Rm-Rf\n", 501, time.Millisecond)
	m.Request("", 0, time.Millisecond)
	m.Woken("change")
	m.Latency("Ping", 200*time.Microsecond)
	m.Latency("Nothing", time.Second)
	m.Sent(3)
	m.Sent(4)
	m.Polled("cal", false, 2*time.Second, nil)
	m.Polled("cal", true, time.Second, errors.New("down"))
	m.Polled("", false, time.Second, nil)
	m.Heard("hook git", "cal")
	m.Heard("notify", "")
	text := body(t, get(t, m, "GET", "/metrics", nil, t.Output()))
	for _, line := range []string{
		`pushbridge_request_duration_seconds_count{command="Sync",status="2xx"} 2`,
		`pushbridge_request_duration_seconds_sum{command="Sync",status="2xx"} 0.003`,
		`pushbridge_request_duration_seconds_count{command="other",status="5xx"} 1`,
		`pushbridge_request_duration_seconds_count{command="other",status="none"} 1`,
		`pushbridge_waits_ended_total{cause="change"} 1`,
		`pushbridge_wake_latency_seconds_bucket{command="Ping",le="0.0001"} 0`,
		`pushbridge_wake_latency_seconds_bucket{command="Ping",le="0.00025"} 1`,
		`pushbridge_wake_latency_seconds_bucket{command="Ping",le="10"} 1`,
		`pushbridge_sync_rounds_total 2`,
		`pushbridge_sync_items_sent_total 7`,
		`pushbridge_watch_polls_total{backend="cal",reason="schedule"} 1`,
		`pushbridge_watch_polls_total{backend="cal",reason="event"} 1`,
		`pushbridge_watch_polls_total{backend="*",reason="schedule"} 1`,
		`pushbridge_watch_poll_errors_total{backend="cal"} 1`,
		`pushbridge_watch_poll_errors_total{backend="card"} 0`,
		`pushbridge_watch_poll_seconds_total{backend="cal"} 3`,
		`pushbridge_watch_events_total{backend="cal",source="hook git"} 1`,
		`pushbridge_watch_events_total{backend="*",source="notify"} 1`,
		`pushbridge_phones_waiting 7`,
		`pushbridge_fastcgi_connections 3`,
		`pushbridge_fastcgi_parked_connections 2`,
		`pushbridge_fastcgi_handlers 1`,
		`pushbridge_plugin_restarts_total{backend="cal"} 4`,
		`pushbridge_held_brakes 5`,
		`pushbridge_problems 6`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	for _, never := range []string{"Rm-Rf", `command="Nothing"`, `pushbridge_plugin_restarts_total{backend="card"}`} {
		if strings.Contains(text, never) {
			t.Errorf("there is %s", never)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestUnknownCause keeps phones and slips from making new series of causes.
func TestUnknownCause(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a cause that nobody has named is counted")
		}
	}()
	newMetrics(still{}).Woken("weather")
}

// TestPartlyUnknown tells all the rest where the state cannot be read.
func TestPartlyUnknown(t *testing.T) {
	var log strings.Builder
	r := get(t, newMetrics(still{held: errors.New("the disk is gone")}), "GET", "/metrics", nil, &log)
	text := body(t, r)
	if r.StatusCode != 200 || !strings.Contains(text, "pushbridge_phones_waiting 7\n") || strings.Contains(text, "\npushbridge_held_brakes ") {
		t.Errorf("status %d, want 200 and all but the brakes:\n%s", r.StatusCode, text)
	}
	if !strings.Contains(log.String(), "the disk is gone") {
		t.Errorf("the log does not say why:\n%s", log.String())
	}
}

func TestNobodyCounts(t *testing.T) {
	var m *metrics.Metrics
	m.Request("Sync", 200, time.Second)
	m.Woken("weather")
	m.Latency("Ping", time.Second)
	m.Sent(1)
	m.Polled("cal", true, time.Second, nil)
	m.Heard("notify", "")
	if r := get(t, m, "GET", "/metrics", nil, t.Output()); r.StatusCode != 404 {
		t.Errorf("status %d, want 404", r.StatusCode)
	}
	if r := get(t, m, "GET", "/healthz", nil, t.Output()); r.StatusCode != 200 {
		t.Errorf("status %d, want 200", r.StatusCode)
	}
}

func TestHealth(t *testing.T) {
	for _, tc := range []struct {
		name, method, path string
		ready              error
		status             int
		text               string
	}{
		{name: "alive", method: "GET", path: "/healthz", status: 200, text: "alive\n"},
		{name: "alive but not ready", method: "GET", path: "/healthz", ready: errors.New("no"), status: 200, text: "alive\n"},
		{name: "ready", method: "GET", path: "/readyz", status: 200, text: "ready\n"},
		{name: "not ready, for a reason of two lines", method: "GET", path: "/readyz", ready: errors.New("the state\n\tis gone"), status: 503, text: "the state is gone\n"},
		{name: "who only asks for the header", method: "HEAD", path: "/readyz", ready: errors.New("no"), status: 503, text: "no\n"},
		{name: "who wants to change something", method: "POST", path: "/readyz", status: 405, text: "Method Not Allowed\n"},
		{name: "somewhere else", method: "GET", path: "/", status: 404, text: "404 page not found\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := get(t, newMetrics(still{}), tc.method, tc.path, tc.ready, t.Output())
			if text := body(t, r); r.StatusCode != tc.status || text != tc.text {
				t.Errorf("status %d with %q, want %d with %q", r.StatusCode, text, tc.status, tc.text)
			}
		})
	}
}

// TestCheap counts without a new piece of memory for each request.
func TestCheap(t *testing.T) {
	m := newMetrics(still{})
	for name, count := range map[string]func(){
		"a request": func() { m.Request("Sync", 200, time.Millisecond) },
		"a wake":    func() { m.Woken("change"); m.Latency("Ping", time.Millisecond); m.Sent(1) },
		"a poll":    func() { m.Polled("cal", true, time.Millisecond, nil) },
		"an event":  func() { m.Heard("notify", "cal") },
	} {
		if n := testing.AllocsPerRun(1000, count); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
