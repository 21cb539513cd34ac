package soak

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// perDouble is how finely latencies are told apart: by 1/16 of a doubling,
	// which is 4 %.
	perDouble = 16

	// slots reach from a microsecond to 2^36 of them, which are 19 hours.
	slots = 36 * perDouble

	// maxKinds bounds the kinds of failures that are told apart.
	maxKinds = 32
)

// A histogram counts latencies. The zero value is ready.
type histogram struct {
	counts [slots]atomic.Int64
	most   atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	us := float64(max(d, time.Microsecond)) / float64(time.Microsecond)
	h.counts[min(slots-1, int(math.Log2(us)*perDouble))].Add(1)
	for {
		most := h.most.Load()
		if int64(d) <= most || h.most.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

// A spread is what a histogram says.
type spread struct {
	n             int64
	p50, p99, max time.Duration
}

// read answers what was counted; since is what was counted before and is taken
// off, which is replaced by what is counted now. Nil takes nothing off.
func (h *histogram) read(since *[slots]int64) spread {
	var counts [slots]int64
	s := spread{max: time.Duration(h.most.Load())}
	for i := range counts {
		c := h.counts[i].Load()
		counts[i] = c
		if since != nil {
			counts[i], since[i] = c-since[i], c
		}
		s.n += counts[i]
	}
	s.p50, s.p99 = quantile(&counts, s.n, 0.50, s.max), quantile(&counts, s.n, 0.99, s.max)
	if since != nil {
		s.max = quantile(&counts, s.n, 1, s.max)
	}
	return s
}

// quantile is the upper end of the slot where a share of all is reached.
func quantile(counts *[slots]int64, n int64, share float64, most time.Duration) time.Duration {
	want, seen := int64(math.Ceil(float64(n)*share)), int64(0)
	for i, c := range counts {
		if seen += c; seen >= want && n > 0 {
			return min(most, time.Duration(math.Exp2(float64(i+1)/perDouble)*float64(time.Microsecond)))
		}
	}
	return 0
}

// A tally is what is counted. The zero value is ready.
type tally struct {
	ping, item histogram // from an edit to the Ping's answer, and to the item on the phone
	woken      atomic.Int64
	edits      atomic.Int64
	late       atomic.Int64 // edits that were not made, because those before took too long
	missed     int          // phones that lack the last edit at the end

	idles, idleUp, idleDown atomic.Int64 // whole heartbeats, and their bytes

	mu     sync.Mutex
	failed map[string]int
}

// idle counts a Ping that nothing ended before its heartbeat, and its bytes.
func (t *tally) idle(up, down int64) {
	t.idles.Add(1)
	t.idleUp.Add(up)
	t.idleDown.Add(down)
}

func (t *tally) fail(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = make(map[string]int)
	}
	if _, ok := t.failed[kind]; !ok && len(t.failed) >= maxKinds {
		kind = "others"
	}
	t.failed[kind]++
}

// failures says what went wrong, the most frequent first.
func (t *tally) failures() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kinds := slices.SortedFunc(maps.Keys(t.failed), func(a, b string) int {
		return cmp.Or(t.failed[b]-t.failed[a], strings.Compare(a, b))
	})
	for i, k := range kinds {
		kinds[i] = fmt.Sprintf("%d x %s", t.failed[k], k)
	}
	if len(kinds) == 0 {
		return "none"
	}
	return strings.Join(kinds, "; ")
}

func (t *tally) failedTimes() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.failed {
		n += c
	}
	return n
}
