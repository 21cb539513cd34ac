package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// parallel calls do(0) to do(n-1) on several goroutines and answers their errors.
func parallel(workers, n int, do func(int) error) []error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for k := range next {
				errs[k] = do(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	wg.Wait()
	return errs
}

var concurrency = []promise{
	{"many may work at a time", concurrentWork},
	{"of two replacements one wins", concurrentReplace},
	{"of two creations one wins", concurrentCreate},
}

func concurrentWork(t *testing.T, w *world) {
	second := w.open(t)
	lives := 16
	if !w.first {
		lives = 4 // the kinds differ in their objects, not in who is served when
	}
	errs := parallel(8, lives, func(n int) error {
		s := w.s
		if n%2 == 1 {
			s = second
		}
		return liveOnce(t.Context(), s, w.c, w.kind)
	})
	if err := errors.Join(errs...); err != nil {
		t.Errorf("lives of items side by side: %v", err)
	}
}

// liveOnce creates, lists, reads, replaces and deletes one item.
func liveOnce(ctx context.Context, s backend.Session, c backend.CollectionID, k backend.CollectionKind) error {
	name := unique("life")
	it, err := s.Put(ctx, c, backend.Item{ID: backend.ItemID(name), MediaType: k.MediaType(), Body: sample(k, name, "first")})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	listed := false
	_, err = s.Changes(ctx, c, "", func(batch []backend.Change) error {
		for _, ch := range batch {
			listed = listed || ch.ID == it.ID
		}
		return nil
	})
	if err != nil || !listed {
		return fmt.Errorf("listed: %t, %w", listed, err)
	}
	read := false
	err = s.Get(ctx, c, []backend.ItemID{it.ID}, func(f backend.Fetched) error { read = true; return f.Err })
	if err != nil || !read {
		return fmt.Errorf("read: %t, %w", read, err)
	}
	if k != backend.Mail {
		if it, err = s.Put(ctx, c, backend.Item{ID: it.ID, Revision: it.Revision, MediaType: k.MediaType(), Body: sample(k, name, "second")}); err != nil {
			return fmt.Errorf("replace: %w", err)
		}
	}
	if err := s.Delete(ctx, c, it.ID, it.Revision); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

func concurrentReplace(t *testing.T, w *world) {
	w.needsChanges(t)
	it := w.create(t, "race")
	errs := parallel(4, 4, func(n int) error {
		_, err := w.s.Put(t.Context(), w.c, backend.Item{
			ID: it.id, Revision: it.rev, MediaType: w.kind.MediaType(), Body: sample(w.kind, it.name, fmt.Sprint("number ", n)),
		})
		return err
	})
	wantOneWinner(t, "replacements of one revision", errs)
}

func concurrentCreate(t *testing.T, w *world) {
	name := unique("race")
	var mu sync.Mutex
	ids := make(map[backend.ItemID]bool)
	errs := parallel(4, 4, func(int) error {
		it, err := w.s.Put(t.Context(), w.c, backend.Item{
			ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first"),
		})
		mu.Lock()
		defer mu.Unlock()
		ids[it.ID] = true
		return err
	})
	for id := range ids {
		w.removeLater(t, w.c, id)
	}
	wantOneWinner(t, "creations of one name", errs)
	if len(ids) != 1 {
		t.Errorf("the creations answer the IDs %v, want one and the same", ids)
	}
}

func wantOneWinner(t *testing.T, what string, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantKind(t, what, err, backend.Conflict, "The loser fetches the winner's revision and merges.")
		}
	}
	if won != 1 {
		t.Errorf("of %d %s at a time %d succeeded, want one\nThe others' changes would be lost in silence.", len(errs), what, won)
	}
}

var cancellation = []promise{
	{"no call works in an ended context", cancelledBefore},
	{"a listing that is cut off is an error or complete", cancelledListing},
}

func cancelledBefore(t *testing.T, w *world) {
	it := w.create(t, "cancel")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	name := unique("cancelled")
	calls := []struct {
		name string
		call func() error
	}{
		{"Open", func() error { _, err := w.Backend.Open(ctx, w.Credentials); return err }},
		{"Collections", func() error { _, err := w.s.Collections(ctx); return err }},
		{"Changes", func() error { _, _, err := w.tryList(ctx, w.c, ""); return err }},
		{"Get", func() error {
			return w.s.Get(ctx, w.c, []backend.ItemID{it.id}, func(backend.Fetched) error { return nil })
		}},
		{"Put", func() error {
			_, err := w.s.Put(ctx, w.c, backend.Item{ID: backend.ItemID(name), MediaType: w.kind.MediaType(), Body: sample(w.kind, name, "first")})
			return err
		}},
		{"Delete", func() error { return w.s.Delete(ctx, w.c, it.id, "") }},
	}
	for _, c := range calls {
		err := c.call()
		wantKind(t, c.name+" in an ended context", err, backend.Transient, "Whoever hung up must not be taken for a wrong password or a missing item.")
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s in an ended context: error = %v, want one that is context.Canceled", c.name, err)
		}
	}
	w.wantUntouched(t, it, "calls in an ended context")
}

func cancelledListing(t *testing.T, w *world) {
	it := w.create(t, "cut")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	found := false
	next, err := w.s.Changes(ctx, w.c, "", func(batch []backend.Change) error {
		cancel()
		for _, ch := range batch {
			found = found || ch.ID == it.id
		}
		return nil
	})
	if err != nil {
		wantKind(t, "a listing that is cut off", err, backend.Transient, "")
	} else if !found || next == "" {
		t.Errorf("a listing that was cut off answers no error, the item: %t, cursor %q\nA shorter list looks like deletions.", found, next)
	}
}
