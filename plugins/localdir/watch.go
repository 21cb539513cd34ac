package localdir

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// watches share one watcher of the file system among all sessions: systems
// allow a process 128 or so. The zero value is ready for use.
type watches struct {
	mu      sync.Mutex
	closed  bool
	fs      *fsnotify.Watcher // nil until somebody watches
	dirs    map[string]map[*listener]backend.CollectionID
	running sync.WaitGroup
}

// A listener is one call of Watch.
type listener struct {
	mu    sync.Mutex
	dirty map[backend.CollectionID]bool
	err   error         // watching broke
	woken chan struct{} // capacity 1
}

// tell notes that a collection may have changed, or that watching broke.
func (l *listener) tell(c backend.CollectionID, err error) {
	l.mu.Lock()
	l.dirty[c] = true
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

// Watch implements backend.Watcher. The empty CollectionID stands for the list
// of collections.
func (s *Session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	const op = "localdir: watch"
	l := &listener{dirty: make(map[backend.CollectionID]bool), woken: make(chan struct{}, 1)}
	for _, c := range cs {
		dir := filepath.Join(s.b.settings.Dir, s.user)
		if c != "" {
			f, err := s.open(ctx, op, c)
			if err != nil {
				return err
			}
			dir = filepath.Join(dir, f.directory)
			f.Close()
		}
		if err := s.b.watches.add(dir, l, c); err != nil {
			s.b.watches.remove(l)
			return backend.E(backend.Transient, op, err)
		}
	}
	defer s.b.watches.remove(l)
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

// add lets a listener hear of a directory.
func (w *watches) add(dir string, l *listener, c backend.CollectionID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	if w.fs == nil {
		fs, err := fsnotify.NewWatcher()
		if err != nil {
			return err
		}
		w.fs, w.dirs = fs, make(map[string]map[*listener]backend.CollectionID)
		w.running.Go(func() { w.run(fs) })
	}
	if w.dirs[dir] == nil {
		if err := w.fs.Add(dir); err != nil {
			return err
		}
		w.dirs[dir] = make(map[*listener]backend.CollectionID)
	}
	w.dirs[dir][l] = c
	return nil
}

// remove takes a listener out everywhere.
func (w *watches) remove(l *listener) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for dir, ls := range w.dirs {
		if _, ok := ls[l]; !ok {
			continue
		}
		if delete(ls, l); len(ls) == 0 {
			delete(w.dirs, dir)
			w.fs.Remove(dir) // fails if the directory is gone
		}
	}
}

// run hands events to the listeners until the watcher is closed.
func (w *watches) run(fs *fsnotify.Watcher) {
	for {
		select {
		case e, ok := <-fs.Events:
			if !ok {
				return
			}
			w.event(e)
		case err, ok := <-fs.Errors:
			if !ok {
				return
			}
			// Events were lost, in whichever directory.
			w.all(err)
		}
	}
}

func (w *watches) event(e fsnotify.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ls, ok := w.dirs[e.Name]; ok && e.Has(fsnotify.Remove|fsnotify.Rename) {
		for l, c := range ls {
			l.tell(c, errGone)
		}
		// One of the same name that comes later has to be added anew.
		delete(w.dirs, e.Name)
		w.fs.Remove(e.Name)
	}
	if e.Op == fsnotify.Chmod || !plainName(filepath.Base(e.Name)) && filepath.Base(e.Name) != metaFile {
		return
	}
	for l, c := range w.dirs[filepath.Dir(e.Name)] {
		l.tell(c, nil)
	}
}

// all ends all watching with an error, so that everybody begins anew.
func (w *watches) all(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ls := range w.dirs {
		for l, c := range ls {
			l.tell(c, err)
		}
	}
}

// close ends all watching and waits for it.
func (w *watches) close() error {
	w.all(errClosed)
	w.mu.Lock()
	fs := w.fs
	w.closed = true
	w.mu.Unlock()
	if fs == nil {
		return nil
	}
	err := fs.Close()
	w.running.Wait()
	return err
}
