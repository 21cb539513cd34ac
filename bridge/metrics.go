package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
	"github.com/pushbridge/pushbridge/bridge/telemetry/metrics"
	"github.com/pushbridge/pushbridge/plugins/host"
)

// newMetrics builds the counters.
func (b *Bridge) newMetrics(version string) *metrics.Metrics {
	var names []string
	for _, named := range b.backends {
		names = append(names, named.Name)
	}
	return metrics.New(metrics.Options{
		Version: version, Commands: append(easserver.Commands(), autodiscoverCommand),
		Waits: easserver.WaitCommands(), Causes: easserver.Causes(), Backends: names, Present: present{b},
	})
}

// counting tells those who count for Prometheus, if anybody does, and who remembers
// the last hour for the console.
type counting struct {
	*metrics.Metrics
	hour *latency.Hour
}

// Latency implements easserver.Counts.
func (c counting) Latency(command string, took time.Duration) {
	c.hour.Add(took)
	c.Metrics.Latency(command, took)
}

// activity says what the worker does.
func (b *Bridge) activity(after int64) admin.Activity {
	t := b.metrics.Tally()
	a := admin.Activity{Waiting: b.hub.Waiting(), Syncing: b.devices.Presence.Busy(), Ended: t.Ended, Requests: t.Requests,
		Rounds: t.Rounds, Items: t.Items, Latency: admin.Latency{Bounds: t.Bounds, Counts: t.Wakes}, Events: []admin.Event{}}
	for _, l := range b.recent.Since(after) {
		a.Events = append(a.Events, admin.Event{Number: l.Number, Time: l.Time, Level: l.Level.String(), Text: l.Text})
	}
	return a
}

// looks counts what the desk does.
type looks struct{ *metrics.Metrics }

// Happened implements watch.Counts.
func (l looks) Happened(backend string) { l.Heard(sourceOwn, backend) }

// present is the bridge as its metrics see it.
type present struct{ *Bridge }

// Connections implements metrics.Present.
func (p present) Connections() (all, parked, handlers int) {
	worker := p.worker.Load()
	if worker == nil {
		return 0, 0, 0
	}
	s := worker.Stats()
	return s.Conns, s.Parked, s.Handlers
}

// Restarts implements metrics.Present.
func (p present) Restarts(backend string) (n int, ok bool) {
	for _, named := range p.backends {
		if named.Name == backend {
			plugin, ok := named.Backend.(*host.Plugin)
			if ok {
				n = plugin.Restarts()
			}
			return n, ok
		}
	}
	return 0, false
}

// Held implements metrics.Present.
func (p present) Held(ctx context.Context) (int, error) {
	held, err := p.engine.Held(ctx)
	return len(held), err
}

// Problems implements metrics.Present.
func (p present) Problems() int { return p.problems.Count() }

// errEnding is why a worker that ends is not ready.
var errEnding = errors.New("ending: the next worker answers")

// ready tells why no phone should be sent here now; nil if it may.
func (b *Bridge) ready(ctx context.Context) error {
	if b.ending.Load() {
		return errEnding
	}
	if _, err := b.engine.Held(ctx); err != nil {
		return fmt.Errorf("the state cannot be read: %w", err)
	}
	return nil
}
