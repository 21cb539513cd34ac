package backendtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// patience is how long a watcher may take to notice a change before the suite
// calls it missed; far more than any needs, on a busy machine, too.
const patience = 30 * time.Second

var watching = []promise{
	{"no change is missed", func(t *testing.T, w *world) { watchAll(t, w, w.watch) }},
	{"only what was asked for is told", func(t *testing.T, w *world) { watchOnly(t, w, w.watch) }},
	{"the end of the context ends it", watchEnds},
	{"a follower misses no change", func(t *testing.T, w *world) { watchAll(t, w, w.follow) }},
	{"a follower is told only what was asked for", func(t *testing.T, w *world) { watchOnly(t, w, w.follow) }},
	{"no change of the list is missed", func(t *testing.T, w *world) { watchList(t, w, w.watch) }},
	{"a follower misses no change of the list", func(t *testing.T, w *world) { watchList(t, w, w.follow) }},
}

// watcher is either way to watch.
type watcher func(t *testing.T, s backend.Session, cs ...backend.CollectionID) watch

// A watch is a call of Watch that goes on.
type watch struct {
	hints chan struct{} // capacity 1: at least one hint since the last receive
	end   func() error  // ends the call and answers its error
	told  func() []backend.CollectionID
}

// watch begins to watch and answers when that works, or skips.
func (w *world) watch(t *testing.T, s backend.Session, cs ...backend.CollectionID) watch {
	t.Helper()
	watcher, ok := backend.As[backend.Watcher](s)
	if !ok {
		t.Skip("the session is not a Watcher")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan struct{})
	hints := make(chan struct{}, 1)
	var (
		mu   sync.Mutex
		told []backend.CollectionID
		err  error
	)
	go func() {
		defer close(done)
		err = watcher.Watch(ctx, cs, func() { close(ready) }, func(c backend.CollectionID) {
			mu.Lock()
			told = append(told, c)
			mu.Unlock()
			select {
			case hints <- struct{}{}:
			default:
			}
		})
	}()
	end := func() error { cancel(); <-done; return err }
	t.Cleanup(func() { end() })
	select {
	case <-ready:
	case <-done:
		t.Fatalf("Watch ended before it was ready: %v", err)
	case <-time.After(patience):
		t.Fatal("Watch is not ready")
	}
	return watch{hints, end, func() []backend.CollectionID {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(told)
	}}
}

// A followed is told by a Follower.
type followed struct {
	ready chan struct{} // closed
	hints chan struct{} // capacity 1
	ended chan error    // capacity 1

	mu   sync.Mutex
	told []backend.CollectionID
}

func (f *followed) Ready()          { close(f.ready) }
func (f *followed) Ended(err error) { f.ended <- err }

func (f *followed) Changed(c backend.CollectionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, c)
	select {
	case f.hints <- struct{}{}:
	default:
	}
}

// follow is watch with a Follower.
func (w *world) follow(t *testing.T, s backend.Session, cs ...backend.CollectionID) watch {
	t.Helper()
	watcher, _ := backend.As[backend.Watcher](s)
	follower, ok := watcher.(backend.Follower)
	if !ok {
		t.Skip("the session is no Follower")
	}
	f := &followed{ready: make(chan struct{}), hints: make(chan struct{}, 1), ended: make(chan error, 1)}
	stop, ok := follower.Follow(cs, f)
	if !ok {
		t.Skip("the session does not follow now")
	}
	t.Cleanup(stop) // a second time, too
	select {
	case <-f.ready:
	case err := <-f.ended:
		t.Fatalf("Follow ended before it was ready: %v", err)
	case <-time.After(patience):
		t.Fatal("Follow is not ready")
	}
	return watch{f.hints, func() error { stop(); return nil }, func() []backend.CollectionID {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Clone(f.told)
	}}
}

func watchAll(t *testing.T, w *world, by watcher) {
	_, cursor := w.list(t, "")
	watch := by(t, w.open(t), w.c)
	want := make(map[backend.ItemID]backend.Change)
	note := func(it stored) { want[it.id] = backend.Change{ID: it.id, Revision: it.rev} }
	for n := range 10 {
		it := w.create(t, "watch")
		note(it)
		switch {
		case n%3 == 1:
			note(w.replace(t, it, "second"))
		case n%3 == 2:
			if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
				t.Fatalf("Delete: %v", err)
			}
			want[it.id] = backend.Change{ID: it.id, Removed: true}
		}
		if n == 4 {
			waitHint(t, watch) // so that some changes fall between hints
		}
	}
	known := make(map[backend.ItemID]backend.Change)
	for !covers(known, want) {
		waitHint(t, watch)
		var news map[backend.ItemID]backend.Change
		news, cursor = w.list(t, cursor)
		for id, ch := range news {
			known[id] = ch
		}
	}
}

// covers tells whether known has the last word on each item of want. An item
// that came and went between two looks need not have been seen.
func covers(known, want map[backend.ItemID]backend.Change) bool {
	for id, ch := range want {
		got, ok := known[id]
		if got != ch && (ok || !ch.Removed) {
			return false
		}
	}
	return true
}

func waitHint(t *testing.T, watch watch) {
	t.Helper()
	select {
	case <-watch.hints:
	case <-time.After(patience):
		t.Fatal("no hint comes for a change made after Watch was ready\nThe phone would wait until its heartbeat ends.")
	}
}

func watchOnly(t *testing.T, w *world, by watcher) {
	watch := by(t, w.open(t), w.c)
	w.create(t, "only")
	waitHint(t, watch)
	watch.end()
	for _, c := range watch.told() {
		if c != w.c {
			t.Errorf("Watch of %q tells of %q", w.c, c)
		}
	}
}

func watchList(t *testing.T, w *world, by watcher) {
	s := w.open(t)
	if l, ok := backend.As[backend.ListWatcher](s); !ok || !l.WatchesList() {
		t.Skip("the session does not watch the list of collections")
	}
	e := w.editor(t)
	old := w.make(t, "Old name")
	watch := by(t, s, "", old.ID)
	seen := 0
	told := func(what string) {
		t.Helper()
		for {
			list := watch.told()
			if slices.Contains(list[seen:], "") {
				seen = len(list)
				return
			}
			select {
			case <-watch.hints:
			case <-time.After(patience):
				t.Fatalf("no hint of the list comes after a collection was %s\nThe phone would learn of it hours later.", what)
			}
		}
	}
	renamed := old
	renamed.Name = "New name"
	if _, err := e.UpdateCollection(t.Context(), renamed); err != nil {
		t.Fatalf("UpdateCollection: %v", err)
	}
	told("renamed")
	made := w.make(t, "Another one")
	told("made")
	if err := e.DeleteCollection(t.Context(), made.ID); err != nil {
		t.Fatalf("DeleteCollection: %v", err)
	}
	told("removed")
}

func watchEnds(t *testing.T, w *world) {
	err := w.watch(t, w.open(t), w.c).end()
	wantKind(t, "Watch whose context ends", err, backend.Transient, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Watch whose context ends: error = %v, want one that is context.Canceled", err)
	}
}

var probing = []promise{
	{"the tag stays while nothing changes", probeStays},
	{"the tag changes with every change", probeChanges},
	{"a missing collection is absent", probeMissing},
}

// probe answers a collection's tag, or skips.
func (w *world) probe(t *testing.T, cs ...backend.CollectionID) map[backend.CollectionID]string {
	t.Helper()
	p, ok := backend.As[backend.Prober](w.s)
	if !ok {
		t.Skip("the session is not a Prober")
	}
	tags, err := p.Probe(t.Context(), cs)
	if err != nil {
		t.Fatalf("Probe: %v", err)
	}
	return tags
}

func probeStays(t *testing.T, w *world) {
	w.create(t, "probe")
	one, two := w.probe(t, w.c), w.probe(t, w.c)
	if one[w.c] == "" || one[w.c] != two[w.c] {
		t.Errorf("Probe answers %q and then %q, but nothing has changed\nEvery poll would cost a listing.", one[w.c], two[w.c])
	}
}

func probeChanges(t *testing.T, w *world) {
	tags := map[string]string{w.probe(t, w.c)[w.c]: "the beginning"}
	check := func(what string) {
		t.Helper()
		tag := w.probe(t, w.c)[w.c]
		if before, same := tags[tag]; same {
			t.Errorf("after %s the tag is %q, as after %s\nThe waiting phone would not hear of the change.", what, tag, before)
		}
		tags[tag] = what
	}
	it := w.create(t, "probe")
	check("creating")
	it = w.replace(t, it, "second")
	check("replacing")
	if err := w.s.Delete(t.Context(), w.c, it.id, it.rev); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	check("deleting")
}

func probeMissing(t *testing.T, w *world) {
	gone := missing(w.c)
	tags := w.probe(t, w.c, gone)
	if _, ok := tags[gone]; ok {
		t.Error("Probe answers a tag for a missing collection")
	}
	if tags[w.c] == "" {
		t.Error("Probe beside a missing collection has no tag for the one that is there")
	}
}

var scheduling = []promise{
	{"the answer stays", schedulesStays},
}

func schedulesStays(t *testing.T, w *world) {
	s, ok := backend.As[backend.Scheduler](w.s)
	if !ok {
		t.Skip("the session is not a Scheduler")
	}
	one, err1 := s.Schedules(t.Context(), w.c)
	two, err2 := s.Schedules(t.Context(), w.c)
	if err1 != nil || err2 != nil || one != two {
		t.Errorf("Schedules answers %v, %v and then %v, %v\nPeople would be invited twice, or by nobody.", one, err1, two, err2)
	}
}
