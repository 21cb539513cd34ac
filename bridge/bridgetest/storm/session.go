package storm

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

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
	inner := session{s, b.weather}
	if b.weather.world.mail != nil {
		return mailing{editing{inner}}, nil
	}
	if _, ok := backend.As[backend.FolderEditor](s); ok {
		return editing{inner}, nil
	}
	return inner, nil
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
	if p := s.weather.world.place(c); p != nil && !p.gone && s.weather.roll(ctx, 20) {
		s.weather.world.fault("the history of %s is forgotten", c)
		s.weather.world.shelf.Forget(c)
	}
	if s.weather.alone() && s.weather.roll(ctx, 40) {
		s.weather.unmount(c)
	}
	if next, err, hit := s.weather.unmounted(c, since); hit {
		return next, err
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
	if s.weather.roll(ctx, 15) {
		s.weather.world.fault("an item is too large for the server")
		s.weather.world.count(func(r *Report) { r.Refusals++ })
		return backend.Item{}, backend.E(backend.TooLarge, "storm: Put", errStorm)
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
