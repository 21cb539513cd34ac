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

// roll answers true so many times of a thousand, and never when it is calm.
func (s *weather) roll(ctx context.Context, permille int) bool {
	s.mu.Lock()
	calm := s.calm
	s.mu.Unlock()
	return !calm && chance(ctx, 1000) < permille
}

func chance(ctx context.Context, n int) int {
	g, _ := ctx.Value(gustKey{}).(*gust)
	if g == nil {
		panic("storm: a request without its chance")
	}
	return g.number(n)
}

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
	case s.dead():
		return storms(op)
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

// A stormy backend is one in bad weather.
type stormy struct {
	backend.Backend
	weather *weather
}

func (b stormy) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	if err := b.weather.before(ctx, memory.OpOpen); err != nil {
		return nil, err
	}
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := b.weather.after(ctx, memory.OpOpen); err != nil {
		s.Close()
		return nil, err
	}
	return session{s, b.weather}, nil
}

// Close leaves the backend open: it outlives the workers.
func (b stormy) Close() error { return nil }

type session struct {
	backend.Session
	weather *weather
}

func (s session) Collections(ctx context.Context) ([]backend.Collection, error) {
	if err := s.weather.before(ctx, memory.OpCollections); err != nil {
		return nil, err
	}
	list, err := s.Session.Collections(ctx)
	if err == nil {
		err = s.weather.after(ctx, memory.OpCollections)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

func (s session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	if err := s.weather.before(ctx, memory.OpChanges); err != nil {
		return "", err
	}
	if s.weather.roll(ctx, 20) {
		s.weather.world.fault("the history of %s is forgotten", c)
		s.weather.world.shelf.Forget(c)
	}
	breaks := -1
	if s.weather.roll(ctx, 30) {
		breaks = chance(ctx, 4)
	}
	next, err := s.Session.Changes(ctx, c, since, func(batch []backend.Change) error {
		if breaks >= 0 {
			batch = batch[:min(breaks, len(batch))]
		}
		if len(batch) == 0 {
			return nil
		}
		return yield(batch)
	})
	if err == nil && breaks >= 0 {
		s.weather.world.fault("the listing of %s breaks off", c)
		err = storms(memory.OpChanges)
	}
	if err == nil {
		err = s.weather.after(ctx, memory.OpChanges)
	}
	if err != nil {
		return "", err
	}
	return next, nil
}

func (s session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	if err := s.weather.before(ctx, memory.OpGet); err != nil {
		return err
	}
	breaks := -1
	if s.weather.roll(ctx, 30) {
		breaks = chance(ctx, 4)
	}
	n := 0
	err := s.Session.Get(ctx, c, ids, func(f backend.Fetched) error {
		if n++; breaks >= 0 && n > breaks {
			s.weather.world.fault("Get breaks off after %d", breaks)
			return storms(memory.OpGet)
		}
		if s.weather.roll(ctx, 10) {
			s.weather.world.fault("one item cannot be read")
			f = backend.Fetched{Item: backend.Item{ID: f.ID}, Err: storms(memory.OpGet)}
		}
		return yield(f)
	})
	if err != nil {
		return err
	}
	return s.weather.after(ctx, memory.OpGet)
}

func (s session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	if err := s.weather.before(ctx, memory.OpPut); err != nil {
		return backend.Item{}, err
	}
	stored, err := s.Session.Put(ctx, c, it)
	if err != nil {
		return stored, err
	}
	if err := s.weather.after(ctx, memory.OpPut); err != nil {
		return backend.Item{}, err
	}
	return stored, nil
}

func (s session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	if err := s.weather.before(ctx, memory.OpDelete); err != nil {
		return err
	}
	if err := s.Session.Delete(ctx, c, id, rev); err != nil {
		return err
	}
	return s.weather.after(ctx, memory.OpDelete)
}

// Unwrap is missing on purpose: whoever found the session inside would be out
// of the weather.
