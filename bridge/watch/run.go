package watch

import (
	"context"
	"time"
)

type run struct{ Watcher }

func newRun(w Watcher) *run {
	if w.Min == 0 {
		w.Min = DefaultMin
	}
	if w.Max == 0 {
		w.Max = DefaultMax
	}
	return &run{w}
}

func (r *run) loop(ctx context.Context) error {
	for {
		changed, err := r.Refresh(ctx)
		if err == nil && changed {
			r.Publish()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(r.Min):
		}
	}
}
