package account_test

import (
	"context"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// following is a backend whose sessions are Followers.
type following struct {
	backend.Backend
	f backend.Followed // who follows
}

func (b *following) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := b.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return followingSession{s.(backend.Watcher), b}, nil
}

type followingSession struct {
	backend.Watcher
	b *following
}

func (s followingSession) Follow(_ []backend.CollectionID, f backend.Followed) (func(), bool) {
	s.b.f = f
	return func() {}, true
}

// TestDeniedWhileFollowing lets the verdict fall when the backend says no to
// somebody who waits, and asks it no more.
func TestDeniedWhileFollowing(t *testing.T) {
	m := memory.New()
	m.AddUser("ann", "secret")
	b := &following{Backend: m}
	a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: b}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ann, err := a.Login(t.Context(), "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ann.Session(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	w, _ := backend.As[backend.Watcher](s)
	f, ok := w.(backend.Follower)
	if !ok {
		t.Fatal("the session is not a Follower")
	}
	heard := &endings{}
	if _, ok := f.Follow([]backend.CollectionID{"contacts"}, heard); !ok {
		t.Fatal("the session does not follow")
	}
	b.f.Changed("contacts")
	b.f.Ended(backend.E(backend.Denied, "x", nil))
	if len(heard.changed) != 1 || backend.KindOf(heard.err) != backend.Denied {
		t.Errorf("%v and %v were heard, want a change and kind Denied", heard.changed, heard.err)
	}
	if _, ok := f.Follow([]backend.CollectionID{"contacts"}, heard); ok {
		t.Error("after the backend said no, the session follows")
	}
	if err := w.Watch(t.Context(), []backend.CollectionID{"contacts"}, func() {}, func(backend.CollectionID) {}); backend.KindOf(err) != backend.Denied {
		t.Errorf("after the backend said no, Watch says %v, want kind %v", err, backend.Denied)
	}
}

type endings struct {
	changed []backend.CollectionID
	err     error
}

func (e *endings) Ready()                         {}
func (e *endings) Changed(c backend.CollectionID) { e.changed = append(e.changed, c) }
func (e *endings) Ended(err error)                { e.err = err }
