package watch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// TestDue looks at a time that was named in advance, though nothing tells that
// anything happened, and does not look more often because of it.
func TestDue(t *testing.T) {
	for _, tc := range []struct {
		name    string
		session func(*world) backend.Session
		due     time.Duration
		most    int // refreshes in two hours
	}{
		{"polled", func(*world) backend.Session { return nil }, time.Hour, 100},
		{"with a tag that stays the same", func(w *world) backend.Session { return prober{w: w} }, time.Hour, 2},
		{"with a tag that stays the same, and soon", func(w *world) backend.Session { return prober{w: w} }, 20 * time.Second, 2},
		{"with events that do not come", func(w *world) backend.Session { return watcher{w: w} }, time.Hour + 3*time.Minute, 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				watcher := w.watcher(tc.session(w))
				settled := time.Duration(0)
				watcher.Due = func(context.Context) (time.Duration, bool) {
					return tc.due - time.Since(w.start), settled == 0
				}
				watcher.Refresh = func(ctx context.Context) (bool, error) {
					if now := time.Since(w.start); settled == 0 && now >= tc.due {
						settled = now
					}
					return w.refresh(ctx)
				}
				if err := watcher.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Run ended with %v", err)
				}
				if settled < tc.due || settled > tc.due+2*watch.DefaultMin {
					t.Errorf("what was due after %v was looked at after %v", tc.due, settled)
				}
				if len(w.refreshed) > tc.most {
					t.Errorf("it was refreshed %d times, want at most %d", len(w.refreshed), tc.most)
				}
			})
		})
	}
}
