package memory

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A watcher collects hints for one call of Watch. Its fields are guarded by
// Backend.mu, except for the channel.
type watcher struct {
	user   string
	wanted map[backend.CollectionID]bool
	dirty  map[backend.CollectionID]bool
	woken  chan struct{} // capacity 1
}

func (w *watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // it is awake already
	}
}

// changed notes a hint for everyone who watches the collection. b.mu is held.
func (b *Backend) changed(user string, c backend.CollectionID) {
	for w := range b.watchers {
		if w.user == user && w.wanted[c] {
			w.dirty[c] = true
			w.wake()
		}
	}
}

// Watch tells of changes until ctx ends or the backend closes.
func (s *Session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	if err := s.b.begin(ctx, OpWatch, "", s.credentials); err != nil {
		return err
	}
	w := &watcher{
		user:   s.credentials.User,
		wanted: make(map[backend.CollectionID]bool),
		dirty:  make(map[backend.CollectionID]bool),
		woken:  make(chan struct{}, 1),
	}
	for _, c := range cs {
		w.wanted[c] = true
	}
	s.b.mu.Lock()
	s.b.watchers[w] = struct{}{}
	s.b.mu.Unlock()
	defer func() {
		s.b.mu.Lock()
		defer s.b.mu.Unlock()
		delete(s.b.watchers, w)
	}()
	ready()
	for {
		select {
		case <-ctx.Done():
			return backend.E(backend.Transient, "memory: Watch", context.Cause(ctx))
		case <-w.woken:
		}
		s.b.mu.Lock()
		dirty, closed, broken := w.dirty, s.b.closed, s.b.broken(OpWatch)
		w.dirty = make(map[backend.CollectionID]bool)
		s.b.mu.Unlock()
		for c := range dirty {
			changed(c)
		}
		if closed {
			return backend.E(backend.Transient, "memory: Watch", errClosed)
		}
		if broken != nil {
			return broken.Err
		}
	}
}

// Probe answers the collections' cursors.
func (s *Session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	if err := s.b.begin(ctx, OpProbe, "", s.credentials); err != nil {
		return nil, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	tags := make(map[backend.CollectionID]string, len(cs))
	for _, id := range cs {
		if c, err := s.locate(OpProbe, id); err == nil {
			tags[id] = string(c.cursor(c.sequence))
		}
	}
	return tags, nil
}

// Extras says that sessions have every extra.
func (b *Backend) Extras() []backend.Extra {
	return []backend.Extra{
		backend.ExtraWatch, backend.ExtraProbe, backend.ExtraSchedule, backend.ExtraIdentity, backend.ExtraFreeBusy, backend.ExtraFolderEditor,
		backend.ExtraMail, backend.ExtraSend, backend.ExtraSearch, backend.ExtraVacation,
	}
}

// Schedules tells what Schedule said. Collections that hold no events have
// nobody to invite.
func (s *Session) Schedules(ctx context.Context, id backend.CollectionID) (bool, error) {
	if err := s.b.begin(ctx, OpSchedules, id, s.credentials); err != nil {
		return false, err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	c, err := s.locate(OpSchedules, id)
	return err == nil && s.b.mails && c.Kind == backend.Events, err
}
