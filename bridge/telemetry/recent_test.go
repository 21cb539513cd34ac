package telemetry_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/telemetry"
)

// TestRecent remembers what says more than that all is well, and passes everything on.
func TestRecent(t *testing.T) {
	var out strings.Builder
	var recent telemetry.Recent
	l := slog.New(recent.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if got := recent.Since(0); len(got) != 0 {
		t.Errorf("before anything happened there is %v", got)
	}
	l.Debug("details")
	l.Info("listening", "http", "127.0.0.1:80")
	(&telemetry.Event{Command: "Ping", HTTP: 200}).Log(t.Context(), l)
	(&telemetry.Event{Command: "Ping", HTTP: 503}).Log(t.Context(), l)
	l.With("user", "ann").WithGroup("phone").With("id", "X").Warn("odd", "type", "T", slog.Group("more", "a", 1))
	l.Error(strings.Repeat("ä", 1000), "b", strings.Repeat("x", 100_000))
	var got []string
	for _, r := range recent.Since(0) {
		got = append(got, fmt.Sprintf("%d %v %.60s", r.Number, r.Level, r.Text))
		if len(r.Text) > 410 {
			t.Errorf("a line has %d bytes", len(r.Text))
		}
	}
	want := []string{"1 INFO listening http=127.0.0.1:80", "2 WARN request command=Ping http=503 in=0 out=0 took=0s",
		"3 WARN odd user=ann phone.id=X phone.type=T phone.more.a=1", "4 ERROR " + strings.Repeat("ä", 60)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := strings.Count(out.String(), "\n"); n != 6 {
		t.Errorf("%d lines were passed on, want 6:\n%.2000s", n, out.String())
	}
	if got := recent.Since(3); len(got) != 1 || got[0].Number != 4 {
		t.Errorf("behind 3 there is %v", got)
	}
	if got := recent.Since(99); len(got) != 4 {
		t.Errorf("whoever knows lines of an earlier worker is told %d", len(got))
	}
}

// TestRecentBounds logs from many sides, and reads meanwhile.
func TestRecentBounds(t *testing.T) {
	var recent telemetry.Recent
	l := slog.New(recent.Handler(slog.DiscardHandler))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 500 {
				slog.New(recent.Handler(slog.NewTextHandler(new(strings.Builder), nil))).Info("x", "i", i)
				recent.Since(0)
			}
		})
	}
	all.Wait()
	l.Info("nobody wants it, and it is not asked for")
	lines := recent.Since(0)
	if len(lines) != 200 || lines[199].Number != 2000 || lines[0].Number != 1801 {
		t.Errorf("%d lines, from %d to %d", len(lines), lines[0].Number, lines[len(lines)-1].Number)
	}
}
