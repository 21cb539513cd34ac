package latency

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)

func TestNothing(t *testing.T) {
	minutes, all := new(Hour).Last(noon)
	if all.Woken != 0 || all.Median != 0 || !all.Start.Equal(noon.Add(-30*time.Second-59*time.Minute)) || minutes[Minutes-1].Start != noon.Add(-30*time.Second) {
		t.Errorf("an hour without phones is %+v, its last minute %+v", all, minutes[Minutes-1])
	}
}

// What is older than an hour is forgotten, minute by minute.
func TestForgets(t *testing.T) {
	h := new(Hour)
	for i := range 2 * Minutes {
		h.addAt(noon.Add(time.Duration(i)*time.Minute), time.Millisecond)
	}
	now := noon.Add((2*Minutes - 1) * time.Minute)
	for _, tc := range []struct {
		name  string
		after time.Duration
		woken int
	}{{"at once", 0, 60}, {"ten minutes later", 10 * time.Minute, 50}, {"an hour later", time.Hour, 0}, {"after the clock was set back", -time.Minute, 59}} {
		t.Run(tc.name, func(t *testing.T) {
			if _, all := h.Last(now.Add(tc.after)); all.Woken != tc.woken {
				t.Errorf("%d phones, want %d", all.Woken, tc.woken)
			}
		})
	}
}

// The figures are never below the true ones, and at most one bucket above.
func TestFiguresAgainstSorting(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		h, all := new(Hour), []time.Duration{}
		for range 1 + dice.IntN(300) {
			d := time.Duration(float64(50*time.Microsecond) * float64(1+dice.IntN(100_000)))
			all = append(all, d)
			h.addAt(noon, d)
		}
		slices.Sort(all)
		_, got := h.Last(noon)
		for _, q := range []struct {
			share float64
			got   time.Duration
		}{{0.5, got.Median}, {0.95, got.Slow}} {
			at := int(q.share * float64(len(all)))
			if float64(at) == q.share*float64(len(all)) {
				at--
			}
			truth := max(all[at], least)
			if q.got < truth-least || float64(q.got) > 1.6*float64(truth)+float64(least) {
				t.Fatalf("%v of %d phones took at most %v, and it says %v", q.share, len(all), truth, q.got)
			}
		}
	}
}
