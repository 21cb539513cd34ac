package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// presentTime bounds how long a scrape waits for the state.
const presentTime = 5 * time.Second

// Present answers what there is at the moment of a scrape.
type Present interface {
	Waiting() int                             // phones
	Connections() (all, parked, handlers int) // of the FastCGI server
	Restarts(backend string) (n int, ok bool) // of its plugin; false if it has none
	Held(ctx context.Context) (int, error)    // large deletions that are not believed yet
	Problems() int                            // objects that cannot be shown
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

var (
	waitingDesc  = describe("phones_waiting", "Phones that wait for a change.")
	connsDesc    = describe("fastcgi_connections", "Connections of web servers.")
	parkedDesc   = describe("fastcgi_parked_connections", "Those connections among them that wait without a goroutine.")
	handlersDesc = describe("fastcgi_handlers", "Requests of web servers that are being answered.")
	restartsDesc = describe("plugin_restarts_total", "How often the plugin of a backend was started again.", "backend")
	heldDesc     = describe("held_brakes", "Large deletions that are held until they are confirmed or released.")
	problemsDesc = describe("problems", "Objects that cannot be shown to phones.")
)

// present collects what is not counted but asked for.
type present struct {
	of       Present
	backends []string
}

// Describe implements prometheus.Collector.
func (p *present) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waitingDesc, connsDesc, parkedDesc, handlersDesc, restartsDesc, heldDesc, problemsDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (p *present) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, n int) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	all, parked, handlers := p.of.Connections()
	gauge(waitingDesc, p.of.Waiting())
	gauge(connsDesc, all)
	gauge(parkedDesc, parked)
	gauge(handlersDesc, handlers)
	gauge(problemsDesc, p.of.Problems())
	for _, b := range p.backends {
		if n, ok := p.of.Restarts(b); ok {
			to <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, float64(n), b)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), presentTime)
	defer cancel()
	if n, err := p.of.Held(ctx); err != nil {
		to <- prometheus.NewInvalidMetric(heldDesc, err) // the others are told all the same
	} else {
		gauge(heldDesc, n)
	}
}
