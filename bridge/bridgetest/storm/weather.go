package storm

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// The weather decides, at every call of the backend, what goes wrong.
type weather struct {
	world *world

	mu      sync.Mutex
	calm    bool
	crowded int    // how many things happen at once beside the script
	state   string // of a worker that was killed and not yet started again
	hangUp  func() // of the phone whose request is under way; nil if it stays
	patient int    // how many more calls the phone waits before it hangs up
	outage  outage // that lasts
	emptied map[backend.CollectionID]emptiness
}

// crowd says that more, or less, than one thing happens at a time.
func (s *weather) crowd(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crowded += n
}

// crowds tells whether more than one thing happens at a time.
func (s *weather) crowds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crowded > 0
}

// still turns the faults off, or on again.
func (s *weather) still(calm bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm = calm || s.world.options.Calm
}

// suffer begins an outage, or ends the one there is.
func (s *weather) suffer(o outage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = o
}

func (s *weather) suffers(o outage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outage == o
}

// settle says that the bridge knows what there is.
func (s *weather) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.emptied)
}

// calmed tells whether nothing goes wrong.
func (s *weather) calmed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calm
}

// A gust is the chance of one request, so that what befalls it does not depend
// on what happens beside it.
type gust struct {
	mu  sync.Mutex
	rng *rand.Rand
}

type gustKey struct{}

func withGust(ctx context.Context, g *gust) context.Context {
	return context.WithValue(ctx, gustKey{}, g)
}

// number is a number below n.
func (g *gust) number(n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rng.IntN(n)
}

// roll answers true so many times of a thousand, and never when it is calm. Who
// asks without being asked by a phone, as those who watch for phones that wait,
// has no chance of its own, and good weather.
func (s *weather) roll(ctx context.Context, permille int) bool {
	s.mu.Lock()
	calm := s.calm
	s.mu.Unlock()
	g, _ := ctx.Value(gustKey{}).(*gust)
	return !calm && g != nil && g.number(1000) < permille
}

// chance is a number below n, after a roll.
func chance(ctx context.Context, n int) int { return ctx.Value(gustKey{}).(*gust).number(n) }

// alone tells whether nothing but the one request is under way.
func (s *weather) alone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crowded == 0 && s.state == ""
}

// kill ends the worker here: nothing that it does from now on is ever seen.
func (s *weather) kill(where string, op memory.Op) {
	s.world.fault("the worker is killed %s %s", where, op)
	s.world.count(func(r *Report) { r.Kills++ })
	state := s.world.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

// killed answers the state that a kill left, once.
func (s *weather) killed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	s.state = ""
	return state
}

func (s *weather) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != ""
}

// impatience lets the phone hang up after some calls.
func (s *weather) impatience(calls int, hangUp func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patient, s.hangUp = calls, hangUp
}

func (s *weather) waits() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangUp == nil {
		return
	}
	if s.patient--; s.patient < 0 {
		s.hangUp()
		s.hangUp = nil
	}
}

var errStorm = errors.New("the storm")

func storms(op memory.Op) error {
	return backend.E(backend.Transient, "storm: "+string(op), errStorm)
}

// before is what happens at the door of the backend.
func (s *weather) before(ctx context.Context, op memory.Op) error {
	s.waits()
	lone := s.alone() && op != memory.OpOpen // which the bridge asks in a goroutine of its own
	switch {
	case s.dead(), s.suffers(down), s.suffers(noRoom) && op == memory.OpPut:
		return storms(op)
	case s.suffers(locked):
		return backend.E(backend.Denied, "storm: "+string(op), errStorm)
	case lone && s.roll(ctx, 40):
		s.world.note("  meanwhile, before %s:", op)
		s.world.desktopActs()
	case lone && s.roll(ctx, 12):
		s.kill("before", op)
		return storms(op)
	case lone && s.roll(ctx, 8):
		s.world.stumble()
	case s.roll(ctx, 30):
		s.world.fault("%s is slow", op)
		s.world.pass(time.Duration(1+chance(ctx, 40)) * time.Second)
	case s.roll(ctx, 35):
		s.world.fault("%s fails", op)
		return storms(op)
	}
	return nil
}

// after is what happens on the way back; an error hides what was done.
func (s *weather) after(ctx context.Context, op memory.Op) error {
	lone := s.alone() && op != memory.OpOpen
	switch {
	case s.dead():
		return storms(op)
	case lone && s.roll(ctx, 12):
		s.kill("after", op)
		return storms(op)
	case s.roll(ctx, 25):
		s.world.fault("%s succeeds and says that it failed", op)
		return storms(op)
	}
	return nil
}
