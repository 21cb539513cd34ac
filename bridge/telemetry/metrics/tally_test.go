package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/telemetry/metrics"
)

func TestTally(t *testing.T) {
	m := newMetrics(still{})
	m.Request("Sync", 200, time.Millisecond)
	m.Request("Ping", 204, time.Millisecond)
	m.Request("Ping", 503, time.Millisecond)
	m.Woken("change")
	m.Latency("Ping", 50*time.Microsecond)
	m.Latency("Ping", 3*time.Millisecond)
	m.Latency("Ping", time.Minute)
	m.Sent(4)
	m.Sent(0)
	got := m.Tally()
	if len(got.Wakes) != len(got.Bounds)+1 {
		t.Fatalf("there are %d bounds and %d counts", len(got.Bounds), len(got.Wakes))
	}
	wakes := map[float64]uint64{}
	for i, n := range got.Wakes[:len(got.Bounds)] {
		if n > 0 {
			wakes[got.Bounds[i]] = n
		}
	}
	if diff := cmp.Diff(map[float64]uint64{0.0001: 1, 0.005: 1}, wakes); diff != "" || got.Wakes[len(got.Bounds)] != 1 {
		t.Errorf("wakes took %v; %d longer than all bounds", got.Wakes, got.Wakes[len(got.Bounds)])
	}
	got.Bounds, got.Wakes = nil, nil
	want := metrics.Tally{Ended: map[string]uint64{"change": 1}, Requests: map[string]uint64{"2xx": 2, "5xx": 1}, Rounds: 2, Items: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if none := (*metrics.Metrics)(nil).Tally(); len(none.Requests) != 0 || len(none.Wakes) != len(none.Bounds)+1 {
		t.Errorf("where nobody counts it is %+v", none)
	}
}
