// Package dirwatch is what backends upon directories share: it tells sessions of changes in theirs, through one watcher of the file system for all of them.
package dirwatch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// DefaultMax bounds the directories that one process watches where Linux does
// not allow more than twice as many; else half of what it allows is taken. A user
// may watch 8192 on the smallest machines, and 1 % of the memory on others, of
// which some 1 KB goes with each.
const DefaultMax = 8000

// A Set shares one watcher of the file system among all sessions: systems
// allow a process 128 or so. The zero value is ready for use.
type Set struct {
	// Concerns tells by a file's name, without its directory, whether a change
	// of it is one of the collection. Nil means that every name does.
	Concerns func(name string) bool

	// Max bounds the directories; 0 means what DefaultMax says.
	Max int

	mu      sync.Mutex
	closed  bool
	fs      *fsnotify.Watcher // nil until somebody watches
	dirs    map[string][]ear
	running sync.WaitGroup
}

// A Dir is a directory that holds a collection, or the list of them, which is
// the empty one.
type Dir struct {
	Path       string // clean
	Collection backend.CollectionID
	Only       string // a file's name: others do not matter; empty means that all do

	// Grows has directories watched, too, that are made in it later, each as if it
	// had been given with Inside for its Only.
	Grows  bool
	Inside string
}

// A listener is one call of Watch or Follow.
type listener interface {
	// tell notes that collections may have changed, or that watching broke.
	// Set.mu is not held.
	tell(cs []backend.CollectionID, err error)

	// hears are the directories at which it listens. Set.mu guards them.
	hears() *[]Dir
}

// places are those of a listener.
type places struct{ dirs []Dir }

func (p *places) hears() *[]Dir { return &p.dirs }

// An ear is a listener at a directory, for one collection.
type ear struct {
	listener
	collection backend.CollectionID
	only       string // see Dir
	grows      bool   // likewise
	inside     string // likewise
}

// A waiter is the listener of a call of Watch.
type waiter struct {
	places

	mu    sync.Mutex
	dirty map[backend.CollectionID]bool
	err   error         // watching broke
	woken chan struct{} // capacity 1
}

func (l *waiter) tell(cs []backend.CollectionID, err error) {
	l.mu.Lock()
	for _, c := range cs {
		l.dirty[c] = true
	}
	if l.err == nil {
		l.err = err
	}
	l.mu.Unlock()
	select {
	case l.woken <- struct{}{}:
	default: // it has not looked yet
	}
}

func (l *waiter) take() (map[backend.CollectionID]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirty := l.dirty
	l.dirty = make(map[backend.CollectionID]bool)
	return dirty, l.err
}

// A teller is the listener of a call of Follow.
type teller struct {
	places

	f    backend.Followed
	op   string
	over atomic.Bool
}

func (l *teller) tell(cs []backend.CollectionID, err error) {
	if l.over.Load() {
		return
	}
	for _, c := range cs {
		l.f.Changed(c)
	}
	if err != nil && l.over.CompareAndSwap(false, true) {
		l.f.Ended(backend.E(kindOf(err), l.op, err))
	}
}

var (
	errClosed = errors.New("the backend was closed")
	errGone   = errors.New("a watched directory went away")
)

// Watch keeps the promise of [backend.Watcher] for collections in directories.
// Kind Unsupported means that too many directories are watched already.
func (s *Set) Watch(ctx context.Context, op string, dirs []Dir, ready func(), changed func(backend.CollectionID)) error {
	l := &waiter{dirty: make(map[backend.CollectionID]bool), woken: make(chan struct{}, 1)}
	defer s.remove(l)
	for _, d := range dirs {
		if err := s.add(d, l); err != nil {
			return backend.E(kindOf(err), op, err)
		}
	}
	ready()
	for {
		select {
		case <-ctx.Done():
			return backend.E(backend.Transient, op, ctx.Err())
		case <-l.woken:
		}
		dirty, err := l.take()
		for c := range dirty {
			changed(c)
		}
		if err != nil {
			return backend.E(backend.Transient, op, err)
		}
	}
}

// Follow keeps the promise of [backend.Follower] as Watch does that of Watcher.
func (s *Set) Follow(op string, dirs []Dir, f backend.Followed) (stop func()) {
	l := &teller{f: f, op: op}
	for _, d := range dirs {
		if err := s.add(d, l); err != nil {
			l.tell(nil, err)
			break
		}
	}
	if !l.over.Load() {
		f.Ready()
	}
	return func() {
		l.over.Store(true)
		s.remove(l)
	}
}

func kindOf(err error) backend.Kind {
	if k := backend.KindOf(err); k != backend.Other {
		return k
	}
	return backend.Transient
}

// add lets a listener hear of a directory.
func (s *Set) add(d Dir, l listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.join(d, l)
}

// join is add with s.mu held.
func (s *Set) join(d Dir, l listener) error {
	if s.closed {
		return errClosed
	}
	if s.fs == nil {
		fs, err := fsnotify.NewWatcher()
		if err != nil {
			return err
		}
		s.fs, s.dirs = fs, make(map[string][]ear)
		if s.Max == 0 {
			s.Max = max(DefaultMax, allowed()/2)
		}
		s.running.Go(func() { s.run(fs) })
	}
	if s.dirs[d.Path] == nil {
		if len(s.dirs) >= s.Max {
			return backend.E(backend.Unsupported, "dirwatch", fmt.Errorf("%d directories are watched already", s.Max))
		}
		if err := s.fs.Add(d.Path); errors.Is(err, syscall.ENOSPC) {
			return backend.E(backend.Unsupported, "dirwatch", fmt.Errorf("the system allows no more (fs.inotify.max_user_watches): %w", err))
		} else if err != nil {
			return err
		}
	}
	if e := (ear{l, d.Collection, d.Only, d.Grows, d.Inside}); !slices.Contains(s.dirs[d.Path], e) {
		s.dirs[d.Path] = append(s.dirs[d.Path], e)
		at := l.hears()
		*at = append(*at, d)
	}
	return nil
}

// enter lets an ear hear of a directory that was made in its own, if it still
// listens there.
func (s *Set) enter(path string, e ear) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.dirs[filepath.Dir(path)], e) {
		return nil
	}
	err = s.join(Dir{Path: path, Collection: e.collection, Only: e.inside}, e.listener)
	if errors.Is(err, fs.ErrNotExist) { // it has gone already
		return nil
	}
	return err
}

// allowed is how many directories Linux lets a user watch; 0 if that is not
// known.
func allowed() int {
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// remove takes a listener out everywhere.
func (s *Set) remove(l listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := l.hears()
	dirs := *at
	*at = nil
	for _, d := range dirs {
		at, ok := s.dirs[d.Path]
		if !ok {
			continue
		}
		if at = slices.DeleteFunc(at, func(e ear) bool { return e.listener == l }); len(at) > 0 {
			s.dirs[d.Path] = at
			continue
		}
		delete(s.dirs, d.Path)
		s.fs.Remove(d.Path) // fails if the directory is gone
	}
}

// run hands events to the listeners until the watcher is closed.
func (s *Set) run(fs *fsnotify.Watcher) {
	for {
		select {
		case e, ok := <-fs.Events:
			if !ok {
				return
			}
			s.event(e)
		case err, ok := <-fs.Errors:
			if !ok {
				return
			}
			// Events were lost, in whichever directory.
			s.all(err)
		}
	}
}

func (s *Set) event(e fsnotify.Event) {
	name := filepath.Base(e.Name)
	s.mu.Lock()
	here := slices.Clone(s.dirs[filepath.Dir(e.Name)])
	var gone []ear
	if e.Has(fsnotify.Remove | fsnotify.Rename) {
		gone = s.leave(e.Name, here)
	}
	s.mu.Unlock()
	if e.Op == fsnotify.Chmod || s.Concerns != nil && !s.Concerns(name) {
		here = nil
	}
	for _, ear := range here {
		var err error
		if ear.grows && e.Has(fsnotify.Create) { // before it is told: whoever looks then finds what was missed
			err = s.enter(e.Name, ear)
		}
		if err != nil || ear.only == "" || ear.only == name {
			ear.tell([]backend.CollectionID{ear.collection}, err)
		}
	}
	// Last: who is told that it is over is told nothing more.
	for _, e := range gone {
		e.tell([]backend.CollectionID{e.collection}, errGone)
	}
}

// leave forgets a directory that has gone: one of the same name that comes later
// has to be added anew. It answers for whom watching is over because nobody does
// that; above are those who listen in the directory in which it was. s.mu is held.
func (s *Set) leave(path string, above []ear) (over []ear) {
	gone, ok := s.dirs[path]
	if !ok {
		return nil
	}
	delete(s.dirs, path)
	s.fs.Remove(path) // fails, since it has gone
	for _, g := range gone {
		at := g.hears()
		*at = slices.DeleteFunc(*at, func(d Dir) bool { return d.Path == path })
		if !slices.ContainsFunc(above, func(e ear) bool { return e.grows && e.listener == g.listener && e.collection == g.collection }) {
			over = append(over, g)
		}
	}
	return over
}

// all ends all watching with an error, so that everybody begins anew.
func (s *Set) all(err error) {
	s.mu.Lock()
	var ears []ear
	for _, at := range s.dirs {
		ears = append(ears, at...)
	}
	s.mu.Unlock()
	for _, e := range ears {
		e.tell([]backend.CollectionID{e.collection}, err)
	}
}

// Close ends all watching and waits for it.
func (s *Set) Close() error {
	s.all(errClosed)
	s.mu.Lock()
	fs := s.fs
	s.closed = true
	s.mu.Unlock()
	if fs == nil {
		return nil
	}
	err := fs.Close()
	s.running.Wait()
	return err
}
