package easserver

import (
	"context"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// single has requests of one phone that do the same thing wait for one another:
// one that came twice would otherwise be in its own way.
//
// A phone has an entry only while one of its requests is under way.
type single struct {
	mu  sync.Mutex
	all map[syncengine.Phone]*seat
}

type seat struct {
	taken chan struct{} // has one element while somebody has the seat
	users int           // who have it or wait for it; under single.mu
}

// enter waits until no other request of the phone is there. leave is to be called
// once if there is no error.
func (s *single) enter(ctx context.Context, p syncengine.Phone) (leave func(), err error) {
	s.mu.Lock()
	if s.all == nil {
		s.all = make(map[syncengine.Phone]*seat)
	}
	own := s.all[p]
	if own == nil {
		own = &seat{taken: make(chan struct{}, 1)}
		s.all[p] = own
	}
	own.users++
	s.mu.Unlock()
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; s.left(p, own) }, nil
	case <-ctx.Done():
		s.left(p, own)
		return nil, context.Cause(ctx)
	}
}

func (s *single) left(p syncengine.Phone, own *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(s.all, p)
	}
}
