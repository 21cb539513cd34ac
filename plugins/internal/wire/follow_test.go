package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// A heard notes what a Follower tells.
type heard struct {
	ready   chan struct{}
	changed chan backend.CollectionID
	ended   chan error
}

func newHeard() *heard {
	return &heard{ready: make(chan struct{}, 10), changed: make(chan backend.CollectionID, 100), ended: make(chan error, 10)}
}

func (h *heard) Ready()                         { h.ready <- struct{}{} }
func (h *heard) Changed(c backend.CollectionID) { h.changed <- c }
func (h *heard) Ended(err error)                { h.ended <- err }

// patience is far beyond what anything here takes, on a busy machine, too.
const patience = time.Minute

func next[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, what)
		panic("unreachable")
	}
}

func follower(t *testing.T, s backend.Session) backend.Follower {
	t.Helper()
	w, ok := backend.As[backend.Watcher](s)
	f, is := w.(backend.Follower)
	if !ok || !is {
		t.Fatal("the session is no Follower")
	}
	return f
}

// TestFollowOfMany has many people watch, each of whom hears of their own
// changes alone, and leaves nothing behind.
func TestFollowOfMany(t *testing.T) {
	for name, old := range map[string]wiretest.Old{"one call for all": wiretest.None, "a call for each": wiretest.Plugin} {
		t.Run(name, func(t *testing.T) {
			const people = 50
			b := memory.New()
			over := wiretest.OverWireOf(t, b, old)
			user := func(n int) string { return fmt.Sprint("user", n) }
			all, stops := make([]*heard, people), make([]func(), people)
			for n := range people {
				b.AddUser(user(n), "secret", memory.DefaultCollections()...)
				s, err := over.Open(t.Context(), backend.Credentials{User: user(n), Password: "secret"})
				if err != nil {
					t.Fatal(err)
				}
				all[n] = newHeard()
				stop, ok := follower(t, s).Follow([]backend.CollectionID{"calendar", "contacts"}, all[n])
				if !ok {
					t.Fatal("the session does not follow")
				}
				stops[n] = stop
			}
			for n, h := range all {
				next(t, fmt.Sprintf("%s watches", user(n)), h.ready)
			}
			for n, h := range all {
				b.Store(user(n), "contacts", "new", []byte("BEGIN:VCARD\r\nEND:VCARD\r\n"))
				if c := next(t, fmt.Sprintf("%s hears of a change", user(n)), h.changed); c != "contacts" {
					t.Errorf("%s hears of %q", user(n), c)
				}
			}
			for n, h := range all {
				stops[n]()
				stops[n]() // does no harm
				if len(h.changed) > 0 || len(h.ended) > 0 {
					t.Errorf("%s is told %d changes and %d ends more", user(n), len(h.changed), len(h.ended))
				}
			}
			for end := time.Now().Add(patience); b.Watching() > 0; time.Sleep(time.Millisecond) { // gives way; the condition decides
				if time.Now().After(end) {
					t.Fatalf("%d watches go on after all were ended", b.Watching())
				}
			}
		})
	}
}

// A fragile connection breaks its streams when it is told to, and may know no
// Watches.
type fragile struct {
	grpc.ClientConnInterface
	calls atomic.Int32 // of Watches
	old   atomic.Bool
	cut   chan struct{}
}

func (f *fragile) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if method == pb.Backend_Watches_FullMethodName {
		if f.calls.Add(1); f.old.Load() {
			return nil, status.Error(codes.Unimplemented, "an old plugin")
		}
	}
	s, err := f.ClientConnInterface.NewStream(ctx, d, method, opts...)
	return &cutStream{s, f.cut}, err
}

type cutStream struct {
	grpc.ClientStream
	cut chan struct{}
}

func (s *cutStream) RecvMsg(m any) error {
	got := make(chan error, 1)
	go func() { got <- s.ClientStream.RecvMsg(m) }()
	select {
	case err := <-got:
		return err
	case <-s.cut:
		return status.Error(codes.Unavailable, "the plugin has ended")
	}
}

// TestFollowOfABrokenCall tells everybody when the call breaks, and has them
// watched again when they come again, whatever plugin there is then.
func TestFollowOfABrokenCall(t *testing.T) {
	b := memory.New()
	b.AddUser(ann.User, ann.Password, memory.DefaultCollections()...)
	f := &fragile{cut: make(chan struct{})}
	client := wiretest.ServeThrough(t, wire.NewServer("test", func(context.Context, backend.Settings) (backend.Backend, error) { return b, nil }),
		func(cc grpc.ClientConnInterface) grpc.ClientConnInterface { f.ClientConnInterface = cc; return f })
	s, err := client.Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	for round, tc := range []struct {
		old   bool
		calls int32 // of Watches
	}{{false, 1}, {false, 2}, {true, 3}, {false, 4}} {
		f.old.Store(tc.old)
		all := []*heard{newHeard(), newHeard(), newHeard()}
		for _, h := range all {
			if _, ok := follower(t, s).Follow([]backend.CollectionID{"contacts"}, h); !ok {
				t.Fatal("the session does not follow")
			}
		}
		for _, h := range all {
			next(t, "they watch", h.ready)
		}
		b.Store(ann.User, "contacts", "new", fmt.Append(nil, round))
		for _, h := range all {
			next(t, "they hear of a change", h.changed)
		}
		if n := f.calls.Load(); n != tc.calls {
			t.Errorf("round %d: Watches was called %d times in all, want %d", round, n, tc.calls)
		}
		for range map[bool]int{false: 1, true: len(all)}[tc.old] {
			f.cut <- struct{}{}
		}
		for _, h := range all {
			if err := next(t, "they hear of the end", h.ended); backend.KindOf(err) != backend.Transient {
				t.Errorf("round %d: the end is %v, want kind Transient", round, err)
			}
		}
	}
	client.Close()
	if _, ok := follower(t, s).Follow([]backend.CollectionID{"contacts"}, newHeard()); ok {
		t.Error("a client that was closed follows")
	}
	w, _ := backend.As[backend.Watcher](s)
	if err := w.Watch(t.Context(), []backend.CollectionID{"contacts"}, func() {}, func(backend.CollectionID) {}); backend.KindOf(err) != backend.Transient {
		t.Errorf("Watch of a client that was closed: %v, want kind Transient", err)
	}
}

// TestFollowOfTooMuch refuses what would end the call for all.
func TestFollowOfTooMuch(t *testing.T) {
	_, s := open(t)
	ids := make([]backend.CollectionID, 600)
	for n := range ids {
		ids[n] = backend.CollectionID(fmt.Sprint(n, strings.Repeat("x", 1000)))
	}
	if _, ok := follower(t, s).Follow(ids, newHeard()); ok {
		t.Error("names of more than half a MiB are sent")
	}
	w, _ := backend.As[backend.Watcher](s)
	if err := w.Watch(t.Context(), ids, func() {}, func(backend.CollectionID) {}); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("Watch of them: %v, want kind Unsupported", err)
	}
}

// TestSlowListener lets one who is told of a change take long: the others hear
// of theirs.
func TestSlowListener(t *testing.T) {
	b, s := open(t)
	w, _ := backend.As[backend.Watcher](s)
	ctx, cancel := context.WithCancel(t.Context())
	ready, told, proceed, ended := make(chan struct{}), make(chan struct{}, 10), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.Watch(ctx, []backend.CollectionID{"contacts"}, func() { close(ready) }, func(backend.CollectionID) { told <- struct{}{}; <-proceed })
	}()
	next(t, "it watches", ready)
	h := newHeard()
	stop, _ := follower(t, s).Follow([]backend.CollectionID{"contacts"}, h)
	defer stop()
	next(t, "another one watches", h.ready)
	b.Store(ann.User, "contacts", "one", []byte("1"))
	next(t, "it is told", told)
	next(t, "another one is told", h.changed)
	b.Store(ann.User, "contacts", "two", []byte("2"))
	next(t, "another one is told while it takes its time", h.changed)
	close(proceed)
	next(t, "it is told again", told)
	cancel()
	if err := next(t, "it ends", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}
