package storm_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
)

var (
	seed  = flag.Uint64("storm.seed", 0, "play this seed alone")
	steps = flag.Int("storm.steps", storm.DefaultSteps, "play so many steps")
	span  = flag.Duration("storm.for", 0, "how long TestLong goes on")
)

// seeds are those of every day: 1 to this.
const seeds = 24

func play(t *testing.T, o storm.Options) (r storm.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { r = storm.Run(t, o) })
	return r
}

func TestStorm(t *testing.T) {
	if *seed != 0 {
		t.Log(play(t, storm.Options{Seed: *seed, Steps: *steps}))
		return
	}
	for n := range uint64(seeds) {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Parallel()
			t.Log(play(t, storm.Options{Seed: n + 1, Steps: *steps}))
		})
	}
}

// Nothing is wrong with the script itself.
func TestCalm(t *testing.T) {
	for n := range uint64(4) {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Log(play(t, storm.Options{Seed: n + 1, Steps: *steps, Calm: true}))
		})
	}
}

func TestLong(t *testing.T) {
	if *span == 0 {
		t.Skip("-storm.for is not set")
	}
	var sum storm.Report
	begin, seeds := time.Now(), uint64(0)
	for first := max(*seed, 1000); time.Since(begin) < *span && !t.Failed(); seeds++ {
		t.Run(fmt.Sprint(first+seeds), func(t *testing.T) {
			r := play(t, storm.Options{Seed: first + seeds, Steps: *steps})
			sum.Add(r)
		})
	}
	t.Logf("%d seeds in %v: %v", seeds, time.Since(begin).Round(time.Second), sum)
}
