// Package latency remembers how quickly waiting phones were woken during the last hour.
package latency

import (
	"math"
	"sync"
	"time"
)

// Minutes is how much is remembered.
const Minutes = 60

// The buckets of a minute grow by a fifth of a power of ten each, from 100 µs to
// 100 s: a figure is right to within a third.
const (
	buckets = 31
	least   = 100 * time.Microsecond
	perTen  = 5
)

// An Hour counts. The zero value is ready for use; it takes 16 KB, however many
// phones there are. Its methods may be called from many goroutines.
type Hour struct {
	mu      sync.Mutex
	minutes [Minutes]counts
}

// counts are those of one minute since 1970.
type counts struct {
	minute int64
	total  int
	of     [buckets]int
}

// A Minute is what there was in one.
type Minute struct {
	Start  time.Time
	Woken  int           // phones
	Median time.Duration // half of them were woken within it
	Slow   time.Duration // and 95 of 100 within this
}

// Add counts a phone that was woken.
func (h *Hour) Add(took time.Duration) { h.addAt(time.Now(), took) }

func (h *Hour) addAt(now time.Time, took time.Duration) {
	minute := now.Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	m := &h.minutes[minute%Minutes]
	if m.minute != minute {
		*m = counts{minute: minute}
	}
	m.total++
	m.of[bucket(took)]++
}

// bucket is the first whose bound is not below a time.
func bucket(d time.Duration) int {
	if d <= least {
		return 0
	}
	return min(int(math.Ceil(perTen*math.Log10(float64(d)/float64(least))-1e-9)), buckets-1)
}

// bound is the longest time of a bucket.
func bound(i int) time.Duration {
	return time.Duration(float64(least) * math.Pow(10, float64(i)/perTen)).Round(least / 10)
}

// Last is the last hour, minute by minute, and all of it together. The last minute
// is the present one.
func (h *Hour) Last(now time.Time) (minutes [Minutes]Minute, all Minute) {
	last := now.Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	var sum counts
	for i := range minutes {
		minute := last - Minutes + 1 + int64(i)
		m := counts{minute: minute}
		if kept := h.minutes[minute%Minutes]; kept.minute == minute {
			m = kept
		}
		minutes[i] = m.summary()
		sum.total += m.total
		for b, n := range m.of {
			sum.of[b] += n
		}
	}
	all = sum.summary()
	all.Start = minutes[0].Start
	return minutes, all
}

// summary says what counts mean.
func (c counts) summary() Minute {
	return Minute{time.Unix(c.minute*60, 0).UTC(), c.total, c.within(0.5), c.within(0.95)}
}

// within is the time in which a share of the phones was woken.
func (c counts) within(share float64) time.Duration {
	if c.total == 0 {
		return 0
	}
	want, seen := int(math.Ceil(share*float64(c.total))), 0
	for i, n := range c.of {
		if seen += n; seen >= want {
			return bound(i)
		}
	}
	return bound(buckets - 1)
}
