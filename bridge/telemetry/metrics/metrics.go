// Package metrics counts what the worker does, for Prometheus, without a word of users, phones or addresses.
//
// All methods of a nil *Metrics do nothing, so that who counts need not ask
// whether anybody wants to know.
package metrics

import (
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// namespace begins the name of every metric that is not of the runtime or the
// process.
const namespace = "pushbridge"

const (
	// Other stands for every command that nobody knows: what phones send must
	// not make new series.
	Other = "other"

	// Any stands for the backend of what concerns all of them, such as the list
	// of a person's folders. No backend can have that name.
	Any = "*"
)

// wakeBuckets are in seconds, from 100 µs to 10 s.
var wakeBuckets = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// requestBuckets are in seconds: a phone's first Sync of a large folder takes
// long, nearly everything else a few milliseconds.
var requestBuckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// Options tell New what there is. Present is required.
type Options struct {
	Version  string   // of the program
	Commands []string // that have a series of their own; any other is Other
	Waits    []string // those among them that wait for changes
	Causes   []string // that end a wait
	Backends []string // their names
	Present  Present
}

// Metrics are all counters of a worker. The methods may be called from many
// goroutines at a time.
type Metrics struct {
	registry *prometheus.Registry

	commands map[string]string
	requests *prometheus.HistogramVec
	woken    map[string]prometheus.Counter  // by cause
	latency  map[string]prometheus.Observer // by command
	rounds   prometheus.Counter
	sent     prometheus.Counter

	polls, pollErrors, pollSeconds, events *prometheus.CounterVec
}

// New builds the counters, all of them at 0.
func New(o Options) *Metrics {
	if o.Present == nil {
		panic("metrics: Present is required")
	}
	m := &Metrics{registry: prometheus.NewRegistry(), commands: make(map[string]string)}
	for _, c := range o.Commands {
		m.commands[c] = c
	}
	m.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "request_duration_seconds", Buckets: requestBuckets,
		Help: "How long requests took, without the time in which they waited for a change, by command and class of the HTTP status.",
	}, []string{"command", "status"})
	m.rounds = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "sync_rounds_total", Help: "Answers to Sync that told phones of something.",
	})
	m.sent = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "sync_items_sent_total", Help: "Items that were added, changed or removed in answers to Sync.",
	})
	m.registry.MustRegister(m.requests, m.rounds, m.sent, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build(o.Version), &present{of: o.Present, backends: o.Backends})
	m.makeWaits(o.Waits, o.Causes)
	m.makeWatch(o.Backends)
	return m
}

// makeWaits makes the counters of waits.
func (m *Metrics) makeWaits(commands, causes []string) {
	woken := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "waits_ended_total", Help: "Waits of phones that ended, by cause.",
	}, []string{"cause"})
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "wake_latency_seconds", Buckets: wakeBuckets,
		Help: "Time from word of a change that wakes a phone to its answer, written by the worker, by the command that waited.",
	}, []string{"command"})
	m.registry.MustRegister(woken, latency)
	m.woken, m.latency = make(map[string]prometheus.Counter), make(map[string]prometheus.Observer)
	for _, cause := range causes {
		m.woken[cause] = woken.WithLabelValues(cause)
	}
	for _, c := range commands {
		m.latency[c] = latency.WithLabelValues(c)
	}
}

// makeWatch makes the counters of what is watched.
func (m *Metrics) makeWatch(backends []string) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.polls = counter("watch_polls_total", "Questions to backends whether something changed, by collection asked about and whether an event led to them.", "backend", "reason")
	m.pollErrors = counter("watch_poll_errors_total", "Those questions among them that failed.", "backend")
	m.pollSeconds = counter("watch_poll_seconds_total", "Time in which backends answered those questions.", "backend")
	m.events = counter("watch_events_total", "Word of changes that was heard, by backend and source.", "backend", "source")
	for _, b := range backends { // so that a rate is known from the first failure on
		m.polls.WithLabelValues(b, reason(false))
		m.polls.WithLabelValues(b, reason(true))
		m.pollErrors.WithLabelValues(b)
		m.pollSeconds.WithLabelValues(b)
	}
}

// build is a gauge that is always 1.
func build(version string) prometheus.Collector {
	if version == "" {
		version = "unknown"
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "What program this is; the value is always 1.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}

// Request counts an answer that took so long to find, waits not included.
func (m *Metrics) Request(command string, status int, took time.Duration) {
	if m == nil {
		return
	}
	known, ok := m.commands[command]
	if !ok {
		known = Other
	}
	m.requests.WithLabelValues(known, class(status)).Observe(max(took, 0).Seconds())
}

// class is that of an HTTP status.
func class(status int) string {
	if c := status / 100; c >= 1 && c <= 5 {
		return classes[c]
	}
	return classes[0]
}

var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// Woken counts a wait that ended for one of Options.Causes.
func (m *Metrics) Woken(cause string) {
	if m == nil {
		return
	}
	c, ok := m.woken[cause]
	if !ok {
		panic("metrics: no cause of a wait's end: " + strconv.Quote(cause))
	}
	c.Inc()
}

// Latency counts how long it took from word of a change to the answer of a
// command that waited.
func (m *Metrics) Latency(command string, took time.Duration) {
	if m == nil {
		return
	}
	if o, ok := m.latency[command]; ok {
		o.Observe(took.Seconds())
	}
}

// Sent counts the items of a round.
func (m *Metrics) Sent(items int) {
	if m == nil {
		return
	}
	m.rounds.Inc()
	m.sent.Add(float64(items))
}

// Polled counts a question about a collection. An empty backend means Any; told
// says that an event led to it.
func (m *Metrics) Polled(backend string, told bool, cost time.Duration, err error) {
	if m == nil {
		return
	}
	backend = anyIfEmpty(backend)
	m.polls.WithLabelValues(backend, reason(told)).Inc()
	m.pollSeconds.WithLabelValues(backend).Add(max(cost, 0).Seconds())
	if err != nil {
		m.pollErrors.WithLabelValues(backend).Inc()
	}
}

func reason(told bool) string {
	if told {
		return "event"
	}
	return "schedule"
}

// Heard counts word of a change from a source that the configuration or the
// program names. An empty backend means Any.
func (m *Metrics) Heard(source, backend string) {
	if m == nil {
		return
	}
	m.events.WithLabelValues(anyIfEmpty(backend), source).Inc()
}

func anyIfEmpty(backend string) string {
	if backend == "" {
		return Any
	}
	return backend
}
