package storm_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
)

// regressions are mistakes that a storm finds, each with the seed and the number of
// steps that do: whoever makes one of them again hears of it by name.
//
// A seed means something to one script only. When the script changes, put the
// mistake back, look for a seed that finds it, and write that one down.
var regressions = []struct {
	name  string
	seed  uint64
	steps int
	was   string // what somebody noticed
}{
	{"a collection that shows empty is believed", 1023, 70, "phones were told that everything is gone"},
}

func TestRegressions(t *testing.T) {
	for _, r := range regressions {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if play(t, storm.Options{Seed: r.seed, Steps: r.steps}); t.Failed() {
				t.Logf("When this was wrong before, %s.", r.was)
			}
		})
	}
}
