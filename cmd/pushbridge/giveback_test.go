package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestGivesBackAtRest has a worker busy and at rest, and says when it gives memory
// back.
func TestGivesBackAtRest(t *testing.T) {
	const megabyte = 1 << 20
	type spell struct {
		length time.Duration
		work   uint64 // allocated in each second
		holds  uint64 // at the end of it, unless it is given back
		gives  int    // how often it has given back by then, in all
	}
	const base = 20 * megabyte
	for _, tc := range []struct {
		name   string
		spells []spell
	}{
		{"nothing happens", []spell{{time.Hour, 0, base, 0}}},
		{"phones come", []spell{{3 * time.Minute, 50 * megabyte, 90 * megabyte, 0}, {time.Minute, 0, 90 * megabyte, 1}, {time.Hour, 0, base, 1}}},
		{"too little is held", []spell{{time.Minute, 50 * megabyte, base + 15*megabyte, 0}, {time.Hour, 0, base + 15*megabyte, 0}}},
		{"phones come back now and then", []spell{{time.Minute, 50 * megabyte, 90 * megabyte, 0}, {time.Hour, megabyte / 2, 90 * megabyte, 1}}},
		{"it is busy all the time", []spell{{time.Hour, megabyte, 90 * megabyte, 0}}},
		{"a second burst follows soon", []spell{
			{time.Minute, 50 * megabyte, 90 * megabyte, 0}, {time.Minute, 0, 90 * megabyte, 1},
			{time.Minute, 50 * megabyte, 90 * megabyte, 1}, {2 * time.Minute, 0, 90 * megabyte, 1},
			{3 * time.Minute, 0, 90 * megabyte, 2}, {time.Hour, 0, base, 2},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var total, gives, holds atomic.Uint64
				holds.Store(base)
				g := &giver{
					allocated: total.Load, occupied: holds.Load,
					free:  func() { gives.Add(1); holds.Store(base) },
					after: base,
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); g.run(ctx) }()
				for i, s := range tc.spells {
					given := gives.Load()
					for range s.length / time.Second {
						time.Sleep(time.Second - time.Millisecond)
						synctest.Wait()
						if total.Add(s.work); s.work > 0 && gives.Load() == given {
							holds.Store(s.holds)
						}
						time.Sleep(time.Millisecond)
						synctest.Wait()
					}
					if gives.Load() != uint64(s.gives) {
						t.Errorf("after spell %d it has given back %d times, want %d", i, gives.Load(), s.gives)
					}
				}
				cancel()
				<-done
			})
		})
	}
}

// TestOccupied has the figures that the decision rests on say what they are to say.
func TestOccupied(t *testing.T) {
	before := allocated()
	kept := make([]byte, 8<<20)
	if got := allocated() - before; got < uint64(len(kept)) {
		t.Errorf("%d bytes were allocated, want at least %d", got, len(kept))
	}
	if got := occupied(); got < uint64(len(kept)) {
		t.Errorf("%d bytes are occupied, want at least %d", got, len(kept))
	}
	kept[0] = 1
}
