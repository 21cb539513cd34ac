package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// lookAtRest is how often one looks whether the worker is at rest. It costs
	// some microseconds.
	lookAtRest = 20 * time.Second

	// restful is how many bytes may be allocated between two looks at rest:
	// thousands of waiting phones come back once in an hour, with some 50 KB each.
	restful = 16 << 20

	// worthwhile is how much more the process has to hold than when it last gave
	// back, for the collection to be worth its processor time.
	worthwhile = 16 << 20

	// giveBackPause is the least time between two times. What was given back comes
	// anew from the operating system, page by page, so that a worker whose bursts
	// follow each other had better keep it.
	giveBackPause = 5 * time.Minute
)

// A giver gives memory back to the operating system when a burst of work is over.
// The runtime collects garbage while there is work, and keeps as much room as was
// garbage; at rest nothing makes it collect but a timer of two minutes, after which
// it gives back slowly, and not all. Where thousands of phones have just come, that
// is several times what they cost from then on.
type giver struct {
	allocated func() uint64 // bytes, since the process began
	occupied  func() uint64 // bytes, now
	free      func()

	before uint64 // what had been allocated at the look before
	after  uint64 // what was occupied when it had given back
	last   time.Time
}

func newGiver() *giver {
	g := &giver{allocated: allocated, occupied: occupied, free: debug.FreeOSMemory}
	g.before, g.after = g.allocated(), g.occupied()
	return g
}

// run gives back until the context ends.
func (g *giver) run(ctx context.Context) {
	looks := time.NewTicker(lookAtRest)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-looks.C:
			g.look(time.Now())
		}
	}
}

// look gives back if there is something, and nothing else to do.
func (g *giver) look(now time.Time) {
	total := g.allocated()
	rests := total-g.before <= restful
	g.before = total
	if !rests || !g.last.IsZero() && now.Sub(g.last) < giveBackPause || g.occupied() < g.after+worthwhile {
		return
	}
	g.free()
	g.before, g.after, g.last = g.allocated(), g.occupied(), now
}

// allocated is what was ever allocated in the heap.
func allocated() uint64 { return metric("/gc/heap/allocs:bytes") }

// occupied is what the Go runtime has of the operating system's memory.
func occupied() uint64 {
	return metric("/memory/classes/total:bytes") - metric("/memory/classes/heap/released:bytes")
}

func metric(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
