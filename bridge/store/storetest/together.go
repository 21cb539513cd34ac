package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// outcomes are the ways in which an Update of updatesTogether goes.
var outcomes = []struct {
	name  string
	after error // what change answers
	panic bool
	leave bool // the caller's context ends while it waits
}{
	{name: "good"},
	{name: "refused", after: errors.New("no")},
	{name: "panic", panic: true},
	{name: "left", leave: true},
}

// updatesTogether lets many users write while one keeps the database busy. A
// store may do such Updates in one transaction; each is atomic and durable on
// its own all the same, whatever becomes of the others.
func updatesTogether(t *testing.T, s syncengine.Store) {
	const users = 40
	busy, free := make(chan struct{}), make(chan struct{})
	var all, started sync.WaitGroup
	all.Go(func() {
		err := s.Update(t.Context(), "first", func(w syncengine.Writer) error {
			busy <- struct{}{}
			<-free
			return saveNamed(t.Context(), w, "first")
		})
		if err != nil {
			t.Errorf("the first update: %v", err)
		}
	})
	<-busy
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for i := range users {
		started.Add(1)
		all.Go(func() {
			how, user := outcomes[i%len(outcomes)], fmt.Sprint("user ", i)
			on := t.Context()
			if how.leave {
				on = ctx
			}
			started.Done()
			err := attempt(func() error {
				return s.Update(on, user, func(w syncengine.Writer) error {
					if err := saveNamed(t.Context(), w, user); err != nil {
						return err
					}
					if how.panic {
						panic(how.name)
					}
					return how.after
				})
			})
			// At once, not only when all is over: what an Update answers is true.
			list, read := s.Folders(t.Context(), user)
			if read != nil {
				t.Errorf("%s: %v", how.name, read)
			}
			if (err == nil) != (len(list) == 1) || !how.leave && (err == nil) != (how.name == "good") {
				t.Errorf("an update that goes like %q answers %v and leaves %v", how.name, err, list)
			}
		})
	}
	started.Wait()
	leave()
	close(free)
	all.Wait()
	if list, err := s.Folders(t.Context(), "first"); err != nil || len(list) != 1 {
		t.Errorf("the first update left %v, %v", list, err)
	}
	update(t, s, ann, func(w syncengine.Writer) error { return saveNamed(t.Context(), w, ann) })
}

// errPanic is what attempt answers for a panic.
var errPanic = errors.New("it panicked")

func attempt(work func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return work()
}

// saveNamed makes a folder of a user.
func saveNamed(ctx context.Context, w syncengine.Writer, user string) error {
	_, err := w.SaveFolder(ctx, syncengine.FolderRecord{Folder: syncengine.Folder{User: user, Backend: "dav", Collection: "/x/"}})
	return err
}
