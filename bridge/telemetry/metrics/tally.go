package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A Tally is what was counted so far, for who looks at it now.
type Tally struct {
	Ended    map[string]uint64 // waits, by cause
	Requests map[string]uint64 // answers, by class of the HTTP status
	Rounds   uint64            // answers to Sync that told of something
	Items    uint64            // in them

	// How long it took from word of a change to the answer: up to Bounds[i] seconds
	// and more than the bound before, Wakes[i] times; beyond all bounds, the last one
	// of Wakes.
	Bounds []float64
	Wakes  []uint64
}

// Tally answers what was counted so far.
func (m *Metrics) Tally() Tally {
	t := Tally{Ended: map[string]uint64{}, Requests: map[string]uint64{}, Bounds: wakeBuckets, Wakes: make([]uint64, len(wakeBuckets)+1)}
	if m == nil {
		return t
	}
	for cause, c := range m.woken {
		t.Ended[cause] = uint64(read(c).GetCounter().GetValue())
	}
	for _, o := range m.latency {
		h, before := read(o.(prometheus.Metric)).GetHistogram(), uint64(0)
		for i, b := range h.GetBucket() {
			t.Wakes[i] += b.GetCumulativeCount() - before
			before = b.GetCumulativeCount()
		}
		t.Wakes[len(wakeBuckets)] += h.GetSampleCount() - before
	}
	t.Rounds, t.Items = uint64(read(m.rounds).GetCounter().GetValue()), uint64(read(m.sent).GetCounter().GetValue())
	all := make(chan prometheus.Metric)
	go func() { // which ends when all of it is taken
		defer close(all)
		m.requests.Collect(all)
	}()
	for one := range all {
		d := read(one)
		for _, l := range d.GetLabel() {
			if l.GetName() == "status" {
				t.Requests[l.GetValue()] += d.GetHistogram().GetSampleCount()
			}
		}
	}
	return t
}

// read is a metric as Prometheus has it.
func read(m prometheus.Metric) *dto.Metric {
	d := new(dto.Metric)
	if err := m.Write(d); err != nil {
		panic(fmt.Sprintf("metrics: %v", err)) // ours have no labels that could be wrong
	}
	return d
}
