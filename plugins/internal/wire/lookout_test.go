package wire

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// A hostStream is the host's end of a call of Watches, which takes one answer
// each time that the test does.
type hostStream struct {
	grpc.ServerStream
	ctx context.Context
	in  chan *pb.WatchesRequest
	out chan *pb.WatchesResponse
}

func (h *hostStream) Context() context.Context { return h.ctx }

func (h *hostStream) Recv() (*pb.WatchesRequest, error) {
	select {
	case in, ok := <-h.in:
		if !ok {
			return nil, io.EOF
		}
		return in, nil
	case <-h.ctx.Done():
		return nil, h.ctx.Err()
	}
}

func (h *hostStream) Send(out *pb.WatchesResponse) error {
	select {
	case h.out <- out:
		return nil
	case <-h.ctx.Done():
		return h.ctx.Err()
	}
}

// A tower is a store whose sessions are Followers, of which the test tells.
type tower struct {
	store
	panics bool // when it is to follow

	mu       sync.Mutex
	followed map[string]backend.Followed // by who follows
	stopped  int
}

func (w *tower) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := w.store.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &towerSession{counted: s.(*counted), w: w, user: c.User}, nil
}

func (w *tower) of(user string) backend.Followed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.followed[user]
}

type towerSession struct {
	*counted
	w    *tower
	user string
}

func (s *towerSession) Watch(context.Context, []backend.CollectionID, func(), func(backend.CollectionID)) error {
	panic("it is a Follower")
}

func (s *towerSession) Follow(_ []backend.CollectionID, f backend.Followed) (func(), bool) {
	if s.w.panics {
		panic("boom")
	}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.followed == nil {
		s.w.followed = make(map[string]backend.Followed)
	}
	s.w.followed[s.user] = f
	f.Ready()
	return func() {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		s.w.stopped++
		delete(s.w.followed, s.user)
	}, true
}

// look opens a call of Watches of a store. The last answers its error.
func look(t *testing.T, b backend.Backend) (*sessions, *hostStream, func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	h := &hostStream{ctx: ctx, in: make(chan *pb.WatchesRequest), out: make(chan *pb.WatchesResponse)}
	s := NewServer("test", nil)
	s.backend, s.sessions = b, newSessions(b)
	over := make(chan error, 1)
	go func() { over <- s.Watches(h) }()
	return s.sessions, h, func() error {
		cancel()
		err := <-over
		s.sessions.close()
		return err
	}
}

func begins(n int) *pb.WatchesRequest {
	return &pb.WatchesRequest{Number: uint64(n), Credentials: credentialsToProto(person(n)), Collections: [][]byte{[]byte("c")}}
}

// TestWatchesAreFair lets one person have many changes while the host takes
// nothing, and another one: that one is told of with the second message.
func TestWatchesAreFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &tower{}
		_, h, end := look(t, w)
		for n := range 2 {
			h.in <- begins(n)
			if out := <-h.out; !out.GetReady() || out.GetNumber() != uint64(n) {
				t.Fatalf("the answer is %v, want that watch %d is ready", out, n)
			}
		}
		synctest.Wait()
		noisy, quiet := w.of("user0"), w.of("user1")
		noisy.Changed("first") // which the sender holds in its hand
		synctest.Wait()
		const many = 2*backend.MaxBatch + 10
		for range 3 {
			for n := range many {
				noisy.Changed(backend.CollectionID(fmt.Sprint("c", n)))
			}
		}
		quiet.Changed("")
		quiet.Ended(backend.Errorf(backend.Expired, "test", "over"))
		var told []string
		for range 5 {
			out := <-h.out
			told = append(told, fmt.Sprint(out.GetNumber(), " ", len(out.GetCollections()), " ", out.GetEnded().GetKind()))
		}
		if want := []string{"0 1 OTHER", "0 256 OTHER", "1 1 EXPIRED", "0 256 OTHER", "0 10 OTHER"}; !slices.Equal(told, want) {
			t.Errorf("the host is told %q, want %q", told, want)
		}
		end()
		if w.stopped != 2 || w.closed.Load() != 2 {
			t.Errorf("%d watches were stopped and %d sessions closed, want both", w.stopped, w.closed.Load())
		}
	})
}

// TestWatchesEnd is about what becomes of one watch of several.
func TestWatchesEnd(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(*tower)
		do      func(t *testing.T, w *tower, h *hostStream)
		kind    pb.Kind // of the end that the host is told
		silent  bool    // it is told none
	}{
		{"by the host", nil, func(t *testing.T, w *tower, h *hostStream) {
			h.in <- &pb.WatchesRequest{Number: 1, End: true}
			h.in <- &pb.WatchesRequest{Number: 77, End: true} // there is none
		}, 0, true},
		{"by the backend", nil, func(t *testing.T, w *tower, h *hostStream) {
			w.of("user1").Ended(backend.E(backend.Denied, "test", nil))
			w.of("user1").Ended(nil) // what comes later does not count
		}, pb.Kind_DENIED, false},
		{"without a reason", nil, func(t *testing.T, w *tower, h *hostStream) { w.of("user1").Ended(nil) }, pb.Kind_TRANSIENT, false},
		{"since the login is wrong", func(w *tower) { w.err = backend.E(backend.Denied, "test", nil) }, nil, pb.Kind_DENIED, false},
		{"by a panic", func(w *tower) { w.panics = true }, nil, pb.Kind_OTHER, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &tower{}
				s, h, end := look(t, w)
				h.in <- begins(0)
				<-h.out
				if tc.prepare != nil {
					tc.prepare(w)
				}
				h.in <- begins(1)
				if tc.do != nil {
					<-h.out
					synctest.Wait()
					tc.do(t, w, h)
				}
				if !tc.silent {
					if out := <-h.out; out.GetNumber() != 1 || out.GetEnded() == nil || out.GetEnded().GetKind() != tc.kind {
						t.Errorf("the host is told %v, want the end of watch 1 of kind %v", out, tc.kind)
					}
				}
				synctest.Wait()
				if w.of("user1") != nil {
					t.Error("the backend still watches")
				}
				if s.posted != 1 {
					t.Errorf("%d sessions are in use, want the other one", s.posted)
				}
				w.of("user0").Changed("c")
				if out := <-h.out; out.GetNumber() != 0 || len(out.GetCollections()) != 1 {
					t.Errorf("of the other watch the host is told %v", out)
				}
				end()
			})
		})
	}
}

// TestWatchesAreBounded refuses one watch too many, and opens only so many
// sessions at a time.
func TestWatchesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &tower{store: store{slow: time.Second}}
		_, h, end := look(t, w)
		go func() {
			for n := range maxOpening + 1 {
				h.in <- begins(n)
			}
		}()
		time.Sleep(time.Second / 2)
		if n := w.opened.Load(); n != maxOpening {
			t.Errorf("%d sessions are being opened, want %d", n, maxOpening)
		}
		for range maxOpening + 1 {
			if out := <-h.out; !out.GetReady() {
				t.Errorf("the host is told %v", out)
			}
		}
		end()
	})
	l := &lookout{name: "test", posts: make(map[uint64]*post), woken: make(chan struct{}, 1)}
	for n := range uint64(maxWatches) {
		l.posts[n] = nil
	}
	l.begin(t.Context(), begins(maxWatches+1))
	if _, out := l.next(); out.GetEnded().GetKind() != pb.Kind_TRANSIENT {
		t.Errorf("one watch too many is answered %v", out)
	}
}
