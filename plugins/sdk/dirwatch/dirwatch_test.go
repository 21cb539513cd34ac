package dirwatch

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// watch begins a Watch and answers what it tells, and a function that ends it
// and answers why it ended.
func watch(t *testing.T, s *Set, dirs ...Dir) (told chan backend.CollectionID, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told = make(chan backend.CollectionID, 1000)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, "test", dirs, func() { close(ready) }, func(c backend.CollectionID) { told <- c })
	}()
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
	}
	return told, func() error { cancel(); return <-ended }
}

// TestWatch tells two sessions of a directory that holds two collections of
// one of them.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	s := &Set{Concerns: func(name string) bool { return name[0] != '.' }}
	defer s.Close()
	one, endOne := watch(t, s, Dir{Path: dir, Collection: "events"}, Dir{Path: dir, Collection: "tasks"})
	two, endTwo := watch(t, s, Dir{Path: dir, Collection: "all"})
	for _, name := range []string{".hidden", "seen"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	heard := map[backend.CollectionID]bool{}
	for !heard["events"] || !heard["tasks"] {
		heard[<-one] = true
	}
	if c := <-two; c != "all" {
		t.Errorf("the other session was told of %q", c)
	}
	if err := endOne(); backend.KindOf(err) != backend.Transient {
		t.Errorf("a Watch that was ended: %v", err)
	}
	if err := os.Remove(dir + "/seen"); err != nil {
		t.Fatal(err)
	}
	<-two // it is still told
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := endTwo(); backend.KindOf(err) != backend.Transient {
		t.Errorf("a directory that went away: %v", err)
	}
	if len(s.dirs) != 0 {
		t.Errorf("%d directories are still watched", len(s.dirs))
	}
}

// TestBounds polls what is beyond the bound, and ends everybody at Close.
func TestBounds(t *testing.T) {
	s := &Set{Max: 1}
	first := t.TempDir()
	_, end := watch(t, s, Dir{Path: first, Collection: "a"})
	_, again := watch(t, s, Dir{Path: first, Collection: "b"}) // the same directory costs nothing
	_, refused := watch(t, s, Dir{Path: t.TempDir(), Collection: "c"})
	if err := refused(); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("beyond the bound: %v, want kind Unsupported", err)
	}
	_, none := watch(t, s, Dir{Path: filepath.Join(first, "none"), Collection: "d"})
	if err := none(); err == nil {
		t.Error("a directory that is not there is watched")
	}
	var ending sync.WaitGroup
	for _, f := range []func() error{end, again} {
		ending.Go(func() {
			if err := f(); err == nil {
				t.Error("it ended without a reason")
			}
		})
	}
	ending.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, closed := watch(t, s, Dir{Path: first, Collection: "a"})
	if err := closed(); backend.KindOf(err) != backend.Transient {
		t.Errorf("after Close: %v", err)
	}
}

// A follower notes what Follow tells.
type follower struct {
	ready chan struct{}
	told  chan backend.CollectionID
	ended chan error
}

func newFollower() *follower {
	return &follower{make(chan struct{}, 10), make(chan backend.CollectionID, 1000), make(chan error, 10)}
}

func (f *follower) Ready()                         { f.ready <- struct{}{} }
func (f *follower) Changed(c backend.CollectionID) { f.told <- c }
func (f *follower) Ended(err error)                { f.ended <- err }

// TestFollow is Watch without a goroutine: two follow the same directory, one of
// them stops, and then the directory goes away.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Set{}
	defer s.Close()
	one, two := newFollower(), newFollower()
	stopOne := s.Follow("test", []Dir{{Path: inside, Collection: "events"}, {Path: inside, Collection: "tasks"}}, one)
	stopTwo := s.Follow("test", []Dir{{Path: inside, Collection: "all"}, {Path: dir, Collection: "list"}}, two)
	<-one.ready
	<-two.ready
	if err := os.WriteFile(filepath.Join(inside, "seen"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	heard := map[backend.CollectionID]bool{}
	for !heard["events"] || !heard["tasks"] {
		heard[<-one.told] = true
	}
	if c := <-two.told; c != "all" {
		t.Errorf("the other one was told of %q", c)
	}
	stopOne()
	stopOne() // does no harm
	if err := os.RemoveAll(inside); err != nil {
		t.Fatal(err)
	}
	if err := <-two.ended; backend.KindOf(err) != backend.Transient {
		t.Errorf("a directory that went away: %v", err)
	}
	if len(one.ended) > 0 {
		t.Errorf("one that was stopped is told of the end: %v", <-one.ended)
	}
	stopTwo()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dirs) != 0 {
		t.Errorf("%d directories are still watched", len(s.dirs))
	}
}

// TestFollowBounds tells of the bound, and ends everybody at Close.
func TestFollowBounds(t *testing.T) {
	s := &Set{Max: 1}
	one, two, late := newFollower(), newFollower(), newFollower()
	defer s.Follow("test", []Dir{{Path: t.TempDir(), Collection: "one"}}, one)()
	defer s.Follow("test", []Dir{{Path: t.TempDir(), Collection: "two"}}, two)()
	if err := <-two.ended; backend.KindOf(err) != backend.Unsupported || len(two.ready) > 0 {
		t.Errorf("a directory too many: %v, want kind Unsupported", err)
	}
	s.Close()
	if err := <-one.ended; backend.KindOf(err) != backend.Transient {
		t.Errorf("after Close: %v, want kind Transient", err)
	}
	s.Follow("test", []Dir{{Path: t.TempDir(), Collection: "late"}}, late)()
	if err := <-late.ended; backend.KindOf(err) != backend.Transient {
		t.Errorf("a follower after Close: %v, want kind Transient", err)
	}
}

// TestFollowGrows has directories made, filled, renamed and removed in one that
// grows: all of it is told, and nothing of it is kept.
func TestFollowGrows(t *testing.T) {
	home := t.TempDir()
	old := filepath.Join(home, "old")
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Set{}
	defer s.Close()
	f := newFollower()
	stop := s.Follow("test", []Dir{{Path: home, Collection: "list", Grows: true, Inside: "name"}, {Path: old, Collection: "list", Only: "name"}, {Path: old, Collection: "old"}}, f)
	<-f.ready
	path := func(name string) string { return filepath.Join(home, name) }
	for range 3 { // what has gone and comes again is as new
		for _, do := range []func() error{
			func() error { return os.Mkdir(path("new"), 0o700) },
			func() error { return os.WriteFile(path("new/name"), nil, 0o600) },
			func() error { return os.Rename(path("new"), path("newer")) },
			func() error { return os.WriteFile(path("newer/name"), []byte("x"), 0o600) },
			func() error { return os.RemoveAll(path("newer")) },
		} {
			for len(f.told) > 0 {
				<-f.told
			}
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if c := <-f.told; c != "list" {
				t.Errorf("%q is told", c)
			}
		}
	}
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	if err := <-f.ended; backend.KindOf(err) != backend.Transient { // the collection's own directory
		t.Errorf("a directory that went away: %v", err)
	}
	heard := map[backend.CollectionID]bool{}
	for len(f.told) > 0 {
		heard[<-f.told] = true
	}
	if !heard["list"] {
		t.Error("that it went away is not told of the directory in which it was")
	}
	stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dirs) != 0 {
		t.Errorf("%d directories are still watched", len(s.dirs))
	}
}
