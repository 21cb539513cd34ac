package storm

import (
	"context"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// weathered does one thing in the weather: before and after it, something may go
// wrong.
func weathered[T any](ctx context.Context, s *weather, op memory.Op, do func() (T, error)) (T, error) {
	var none T
	if err := s.before(ctx, op); err != nil {
		return none, err
	}
	result, err := do()
	if err == nil {
		err = s.after(ctx, op)
	}
	if err != nil && backend.KindOf(err) != backend.Conflict { // which comes with what is there
		return none, err
	}
	return result, err
}

// whole says whether the store moves things as a whole; otherwise the bridge
// copies them and removes the first.
func (w *world) whole() bool { return w.options.Seed%3 != 0 }

func (s session) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	if !s.weather.world.whole() {
		return backend.Item{}, backend.Errorf(backend.Unsupported, "storm: Move", "not in this storm")
	}
	return weathered(ctx, s.weather, memory.OpMove, func() (backend.Item, error) { return s.Session.Move(ctx, from, id, to) })
}

// editor is what edits folders inside. The storm's own backend always does.
func (s session) editor() backend.FolderEditor {
	e, ok := backend.As[backend.FolderEditor](s.Session)
	if !ok {
		panic("storm: the backend does not edit folders")
	}
	return e
}

// An editing session is one whose backend edits folders.
type editing struct{ session }

func (s editing) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	return weathered(ctx, s.weather, memory.OpCreate, func() (backend.Collection, error) { return s.editor().CreateCollection(ctx, c) })
}

func (s editing) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	return weathered(ctx, s.weather, memory.OpUpdate, func() (backend.Collection, error) { return s.editor().UpdateCollection(ctx, c) })
}

func (s editing) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	_, err := weathered(ctx, s.weather, memory.OpRemove, func() (struct{}, error) { return struct{}{}, s.editor().DeleteCollection(ctx, id) })
	return err
}
