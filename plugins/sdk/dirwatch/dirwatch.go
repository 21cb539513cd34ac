// Package dirwatch is what backends upon directories share: it tells sessions of changes in theirs, through one watcher of the file system for all of them.
package dirwatch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// DefaultMax bounds the directories that one process watches. Linux allows a
// user 8192 watches on the smallest machines, and some 1 KB of the kernel's
// memory goes with each.
const DefaultMax = 8000

// A Set shares one watcher of the file system among all sessions: systems
// allow a process 128 or so. The zero value is ready for use.
type Set struct {
	// Concerns tells by a file's name, without its directory, whether a change
	// of it is one of the collection. Nil means that every name does.
	Concerns func(name string) bool

	// Max takes the place of DefaultMax.
	Max int

	mu      sync.Mutex
	closed  bool
	fs      *fsnotify.Watcher // nil until somebody watches
	dirs    map[string]map[*listener][]backend.CollectionID
	running sync.WaitGroup
}

// A Dir is a directory that holds a collection, or the list of them, which is
// the empty one.
type Dir struct {
	Path       string // clean
	Collection backend.CollectionID
}

// A listener is one call of Watch.
type listener struct {
	mu    sync.Mutex
	dirty map[backend.CollectionID]bool
	err   error         // watching broke
	woken chan struct{} // capacity 1
}

// tell notes that collections may have changed, or that watching broke.
func (l *listener) tell(cs []backend.CollectionID, err error) {
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

func (l *listener) take() (map[backend.CollectionID]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirty := l.dirty
	l.dirty = make(map[backend.CollectionID]bool)
	return dirty, l.err
}

var (
	errClosed = errors.New("the backend was closed")
	errGone   = errors.New("a watched directory went away")
)

// Watch keeps the promise of [backend.Watcher] for collections in directories.
// Kind Unsupported means that too many directories are watched already.
func (s *Set) Watch(ctx context.Context, op string, dirs []Dir, ready func(), changed func(backend.CollectionID)) error {
	l := &listener{dirty: make(map[backend.CollectionID]bool), woken: make(chan struct{}, 1)}
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

func kindOf(err error) backend.Kind {
	if k := backend.KindOf(err); k != backend.Other {
		return k
	}
	return backend.Transient
}

// add lets a listener hear of a directory.
func (s *Set) add(d Dir, l *listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.fs == nil {
		fs, err := fsnotify.NewWatcher()
		if err != nil {
			return err
		}
		s.fs, s.dirs = fs, make(map[string]map[*listener][]backend.CollectionID)
		s.running.Go(func() { s.run(fs) })
	}
	if s.dirs[d.Path] == nil {
		most := s.Max
		if most == 0 {
			most = DefaultMax
		}
		if len(s.dirs) >= most {
			return backend.E(backend.Unsupported, "dirwatch", fmt.Errorf("%d directories are watched already", most))
		}
		if err := s.fs.Add(d.Path); err != nil {
			return err
		}
		s.dirs[d.Path] = make(map[*listener][]backend.CollectionID)
	}
	if at := s.dirs[d.Path]; !slices.Contains(at[l], d.Collection) {
		at[l] = append(at[l], d.Collection)
	}
	return nil
}

// remove takes a listener out everywhere.
func (s *Set) remove(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for dir, ls := range s.dirs {
		if _, ok := ls[l]; !ok {
			continue
		}
		if delete(ls, l); len(ls) == 0 {
			delete(s.dirs, dir)
			s.fs.Remove(dir) // fails if the directory is gone
		}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if ls, ok := s.dirs[e.Name]; ok && e.Has(fsnotify.Remove|fsnotify.Rename) {
		for l, cs := range ls {
			l.tell(cs, errGone)
		}
		// One of the same name that comes later has to be added anew.
		delete(s.dirs, e.Name)
		s.fs.Remove(e.Name)
	}
	if e.Op == fsnotify.Chmod || s.Concerns != nil && !s.Concerns(filepath.Base(e.Name)) {
		return
	}
	for l, cs := range s.dirs[filepath.Dir(e.Name)] {
		l.tell(cs, nil)
	}
}

// all ends all watching with an error, so that everybody begins anew.
func (s *Set) all(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ls := range s.dirs {
		for l, cs := range ls {
			l.tell(cs, err)
		}
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
