package main

import (
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

const (
	// rateWindow is the time that rates are about, latencyWindow that of the wakes
	// whose latency is shown: there may be few of them.
	rateWindow    = 10 * time.Second
	latencyWindow = time.Minute

	// mostEvents bounds the events that are remembered.
	mostEvents = 200
)

// Samples are what a worker said lately, the oldest first.
type samples struct {
	list   []admin.Top
	events []admin.Event
	event  int64 // number of the last one
}

// add takes what the worker said last. What an earlier worker said counts for
// nothing.
func (s *samples) add(now admin.Top) {
	if n := len(s.list); n > 0 && !s.list[n-1].Started.Equal(now.Started) {
		s.list, s.event = nil, 0
	}
	for _, e := range now.Events {
		s.events, s.event = append(s.events, e), e.Number
	}
	if extra := len(s.events) - mostEvents; extra > 0 {
		s.events = slices.Delete(s.events, 0, extra)
	}
	now.Events = nil
	s.list = append(s.list, now)
	for len(s.list) > 2 && now.Now.Sub(s.list[1].Now) > latencyWindow {
		s.list = s.list[1:]
	}
}

func (s *samples) forgetEvents() { s.events = nil }

// before is the oldest sample of a time.
func (s *samples) before(window time.Duration) admin.Top {
	last := s.list[len(s.list)-1]
	for _, one := range s.list {
		if last.Now.Sub(one.Now) <= window {
			return one
		}
	}
	return last
}

// Figures are what top shows.
type figures struct {
	Version   string             `json:"version"`
	Started   time.Time          `json:"started"`
	Now       time.Time          `json:"now"`
	Phones    int                `json:"phones"` // in the register
	Waiting   int                `json:"waiting"`
	Syncing   int                `json:"syncing"`
	Holds     int                `json:"holds"`
	Problems  int                `json:"problems"`
	Requests  float64            `json:"requests_per_second"`
	Answers   map[string]float64 `json:"answers_per_second"` // by class of the status
	Woken     map[string]float64 `json:"woken_per_second"`   // by cause
	Rounds    float64            `json:"rounds_per_second"`
	Items     float64            `json:"items_per_second"`
	Wakes     uint64             `json:"wakes"` // whose latency is known
	Latency   map[string]float64 `json:"wake_latency_seconds"`
	Backends  []admin.Backend    `json:"backends"`
	Events    []admin.Event      `json:"events"`
	Trouble   string             `json:"trouble,omitempty"` // why the worker cannot be asked
	backends  bool               // they were asked
	sinceWhen time.Duration      // the time that Latency is about
}

// quantiles are those that are shown.
var quantiles = []struct {
	name string
	of   float64
}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}}

// figures works out what is shown.
func (s *samples) figures(st admin.Status, asked bool) figures {
	f := figures{Phones: st.Phones, Holds: st.Holds, Problems: st.Problems, Backends: some(st.Backends), backends: asked,
		Answers: map[string]float64{}, Woken: map[string]float64{}, Latency: map[string]float64{}, Events: some(s.events)}
	if len(s.list) == 0 {
		return f
	}
	now, then := s.list[len(s.list)-1], s.before(rateWindow)
	f.Version, f.Started, f.Now, f.Waiting, f.Syncing = now.Version, now.Started, now.Now, now.Waiting, now.Syncing
	seconds := now.Now.Sub(then.Now).Seconds()
	rate := func(now, then uint64) float64 {
		if seconds <= 0 || now < then {
			return 0
		}
		return float64(now-then) / seconds
	}
	for class, n := range now.Requests {
		f.Answers[class] = rate(n, then.Requests[class])
		f.Requests += f.Answers[class]
	}
	for cause, n := range now.Ended {
		f.Woken[cause] = rate(n, then.Ended[cause])
	}
	f.Rounds, f.Items = rate(now.Rounds, then.Rounds), rate(now.Items, then.Items)
	old := s.before(latencyWindow)
	f.sinceWhen = now.Now.Sub(old.Now)
	counts := difference(now.Latency.Counts, old.Latency.Counts)
	for _, n := range counts {
		f.Wakes += n
	}
	for _, q := range quantiles {
		if f.Wakes > 0 {
			f.Latency[q.name] = quantile(q.of, now.Latency.Bounds, counts)
		}
	}
	return f
}

// some is a list that is never null in JSON.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func difference(now, then []uint64) []uint64 {
	list := slices.Clone(now)
	for i := range min(len(list), len(then)) {
		if then[i] <= list[i] {
			list[i] -= then[i]
		}
	}
	return list
}

// quantile is about what a part of all were quicker than, as Prometheus' function
// histogram_quantile works it out: within a bucket they are taken to lie evenly.
// Of what is beyond all bounds the last bound is said.
func quantile(of float64, bounds []float64, counts []uint64) float64 {
	total := uint64(0)
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return 0
	}
	rank, low := of*float64(total), 0.0
	for i, n := range counts {
		if i >= len(bounds) {
			break
		}
		if n > 0 && rank <= float64(n) {
			return low + (bounds[i]-low)*rank/float64(n)
		}
		rank, low = rank-float64(n), bounds[i]
	}
	return low
}
