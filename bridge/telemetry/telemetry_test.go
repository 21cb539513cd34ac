package telemetry_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/telemetry"
)

func TestEvent(t *testing.T) {
	for _, tc := range []struct {
		name  string
		event *telemetry.Event
		want  map[string]any // nil means that nothing is logged
	}{
		{
			name: "a Ping",
			event: &telemetry.Event{User: "ann", Phone: "ABC", Command: "Ping", Version: "16.1", Agent: "Apple-iPhone", HTTP: 200, Status: 2,
				In: 30, Out: 40, Took: time.Minute, Parked: 59 * time.Second},
			want: map[string]any{"level": "INFO", "user": "ann", "phone": "ABC", "command": "Ping", "version": "16.1", "agent": "Apple-iPhone",
				"http": 200.0, "status": 2.0, "in": 30.0, "out": 40.0, "took": 60e9, "parked": 59e9, "items": 3.0},
		},
		{
			name:  "a failure of ours",
			event: &telemetry.Event{HTTP: 500, Err: errors.New("boom")},
			want:  map[string]any{"level": "ERROR", "http": 500.0, "in": 0.0, "out": 0.0, "took": 0.0, "err": "boom", "items": 3.0},
		},
		{
			name:  "a backend that is down",
			event: &telemetry.Event{HTTP: 503},
			want:  map[string]any{"level": "WARN", "http": 503.0, "in": 0.0, "out": 0.0, "took": 0.0, "items": 3.0},
		},
		{
			name:  "a phone that hangs up",
			event: &telemetry.Event{HTTP: 499, Err: errors.New("gone")},
			want:  map[string]any{"level": "INFO", "http": 499.0, "in": 0.0, "out": 0.0, "took": 0.0, "err": "gone", "items": 3.0},
		},
		{
			name:  "a phone that talks too much",
			event: &telemetry.Event{HTTP: 200, Agent: strings.Repeat("ä", 1000)},
			want:  map[string]any{"level": "INFO", "http": 200.0, "agent": strings.Repeat("ä", 128) + "…", "in": 0.0, "out": 0.0, "took": 0.0, "items": 3.0},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			l, err := telemetry.New(&out, "info", "json")
			if err != nil {
				t.Fatal(err)
			}
			e := tc.event
			ctx := telemetry.With(t.Context(), e)
			telemetry.From(ctx).Add(slog.Int("items", 3))
			e.Log(ctx, l)
			if n := strings.Count(out.String(), "\n"); n != 1 {
				t.Errorf("%d lines, want one per request", n)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "time")
			delete(got, "msg")
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("logged otherwise (-want +got):\n%s", d)
			}
		})
	}
}

func TestLevels(t *testing.T) {
	var out strings.Builder
	l, err := telemetry.New(&out, "warn", "")
	if err != nil {
		t.Fatal(err)
	}
	(&telemetry.Event{HTTP: 200}).Log(t.Context(), l)
	if out.Len() > 0 {
		t.Errorf("logged %q below the level", out.String())
	}
	(&telemetry.Event{HTTP: 200, Err: errors.New("x")}).Log(t.Context(), l)
	if !strings.Contains(out.String(), "level=WARN") || !strings.Contains(out.String(), "err=x") {
		t.Errorf("logged %q, want the error", out.String())
	}
	for _, bad := range [][2]string{{"loud", "text"}, {"info", "xml"}} {
		if _, err := telemetry.New(&out, bad[0], bad[1]); err == nil {
			t.Errorf("level %q with format %q is accepted", bad[0], bad[1])
		}
	}
	for _, level := range []string{"", "debug", "info", "warn", "warning", "error"} {
		if _, err := telemetry.ParseLevel(level); err != nil {
			t.Errorf("level %q: %v", level, err)
		}
	}
	telemetry.From(t.Context()).Add(slog.Int("x", 1)) // nobody gathers
}
