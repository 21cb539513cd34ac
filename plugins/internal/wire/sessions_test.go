package wire

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A store counts the sessions that are open.
type store struct {
	opened, closed atomic.Int64
	err            error         // that Open answers
	slow           time.Duration // that Open takes
}

func (s *store) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s.opened.Add(1)
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
		return nil, backend.E(backend.Transient, "store", ctx.Err())
	}
	if s.err != nil {
		return nil, s.err
	}
	return &counted{store: s}, nil
}

func (s *store) Close() error { return nil }

type counted struct {
	backend.Session
	store *store
}

func (c *counted) Close() error { c.store.closed.Add(1); return nil }

func person(n int) backend.Credentials {
	return backend.Credentials{User: fmt.Sprint("user", n), Password: "secret"}
}

func nothing(backend.Session) error { return nil }

func TestSessions(t *testing.T) {
	denied := backend.E(backend.Denied, "store", nil)
	boom := errors.New("boom")
	tests := []struct {
		name           string
		do             func(t *testing.T, st *store, s *sessions)
		opened, closed int64 // before the sessions are closed
	}{
		{"one for many calls", func(t *testing.T, st *store, s *sessions) {
			for range 3 {
				want(t, s.with(t.Context(), person(1), nothing), nil)
			}
		}, 1, 0},
		{"one for calls at a time", func(t *testing.T, st *store, s *sessions) {
			st.slow = time.Second
			for range 3 {
				go func() { want(t, s.with(t.Context(), person(1), nothing), nil) }()
			}
			time.Sleep(2 * time.Second)
		}, 1, 0},
		{"another password is another person", func(t *testing.T, st *store, s *sessions) {
			other := person(1)
			other.User, other.Password = other.User+"s", "ecret" // the same letters in a row
			want(t, s.with(t.Context(), person(1), nothing), nil)
			want(t, s.with(t.Context(), other, nothing), nil)
		}, 2, 0},
		{"idle ones close", func(t *testing.T, st *store, s *sessions) {
			want(t, s.with(t.Context(), person(1), nothing), nil)
			time.Sleep(2 * sessionIdle)
		}, 1, 1},
		{"used ones stay", func(t *testing.T, st *store, s *sessions) {
			want(t, s.with(t.Context(), person(1), func(backend.Session) error { time.Sleep(3 * sessionIdle); return nil }), nil)
		}, 1, 0},
		{"denied in a call", func(t *testing.T, st *store, s *sessions) {
			want(t, s.with(t.Context(), person(1), func(backend.Session) error { return denied }), denied)
			synctest.Wait()
			if st.closed.Load() != 1 {
				t.Error("the session is still open after Denied")
			}
			want(t, s.with(t.Context(), person(1), nothing), nil)
		}, 2, 1},
		{"other errors do not matter", func(t *testing.T, st *store, s *sessions) {
			want(t, s.with(t.Context(), person(1), func(backend.Session) error { return boom }), boom)
			want(t, s.with(t.Context(), person(1), nothing), nil)
		}, 1, 0},
		{"denied at opening, for all who wait", func(t *testing.T, st *store, s *sessions) {
			st.err, st.slow = denied, time.Second
			for range 3 {
				go func() { want(t, s.with(t.Context(), person(1), nothing), denied) }()
			}
			time.Sleep(2 * time.Second)
		}, 1, 0},
		{"trouble at opening is not remembered", func(t *testing.T, st *store, s *sessions) {
			st.err = boom
			want(t, s.with(t.Context(), person(1), nothing), boom)
			st.err = nil
			want(t, s.with(t.Context(), person(1), nothing), nil)
		}, 2, 0},
		{"who gives up does not end it for others", func(t *testing.T, st *store, s *sessions) {
			st.slow = time.Minute
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			go func() { want(t, s.with(ctx, person(1), nothing), context.DeadlineExceeded) }()
			synctest.Wait()
			want(t, s.with(t.Context(), person(1), nothing), nil)
		}, 2, 0},
		{"asking anew replaces", func(t *testing.T, st *store, s *sessions) {
			for range 2 {
				_, err := s.replace(t.Context(), person(1))
				want(t, err, nil)
			}
			want(t, s.with(t.Context(), person(1), nothing), nil)
		}, 2, 1},
		{"asking anew and being denied ends it", func(t *testing.T, st *store, s *sessions) {
			want(t, s.with(t.Context(), person(1), nothing), nil)
			st.err = denied
			_, err := s.replace(t.Context(), person(1))
			want(t, err, denied)
		}, 2, 1},
		{"there is a limit", func(t *testing.T, st *store, s *sessions) {
			for n := range maxSessions + 10 {
				want(t, s.with(t.Context(), person(n), nothing), nil)
			}
		}, maxSessions + 10, 10},
		{"those of watches come on top", func(t *testing.T, st *store, s *sessions) {
			back := make([]func(error), maxSessions+10)
			for n := range back {
				var err error
				_, back[n], err = s.lend(t.Context(), person(n), true)
				want(t, err, nil)
			}
			want(t, s.with(t.Context(), person(-1), nothing), nil)
			want(t, s.with(t.Context(), person(-1), nothing), nil) // it was kept
			want(t, s.with(t.Context(), person(1), nothing), nil)  // it is shared
			for _, b := range back {
				b(nil)
			}
			if len(s.seats) != maxSessions || s.posted != 0 {
				t.Errorf("%d sessions are kept after the watches, %d of them for watches; want %d and none", len(s.seats), s.posted, maxSessions)
			}
		}, maxSessions + 11, 11},
		{"a watch is denied", func(t *testing.T, st *store, s *sessions) {
			_, one, err := s.lend(t.Context(), person(1), true)
			want(t, err, nil)
			_, two, err := s.lend(t.Context(), person(1), true)
			want(t, err, nil)
			one(denied)
			want(t, s.with(t.Context(), person(1), nothing), nil)
			two(nil)
			if s.posted != 0 {
				t.Errorf("%d sessions are counted for watches, want none", s.posted)
			}
		}, 2, 1},
		{"a panic leaves no user behind", func(t *testing.T, st *store, s *sessions) {
			func() {
				defer func() { recover() }()
				s.with(t.Context(), person(1), func(backend.Session) error { panic("boom") })
			}()
			time.Sleep(2 * sessionIdle)
		}, 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &store{}
				s := newSessions(st)
				test.do(t, st, s)
				synctest.Wait()
				if o, c := st.opened.Load(), st.closed.Load(); o != test.opened || c != test.closed {
					t.Errorf("%d sessions were opened and %d closed, want %d and %d", o, c, test.opened, test.closed)
				}
				st.err = nil
				live := int64(len(s.seats))
				before := st.closed.Load()
				s.close()
				if c := st.closed.Load(); c-before > live || len(s.seats) > 0 {
					t.Errorf("close left %d seats and closed %d of %d", len(s.seats), c-before, live)
				}
				err := s.with(t.Context(), person(1), nothing)
				if backend.KindOf(err) != backend.Transient {
					t.Errorf("a call after close: error = %v, want kind Transient", err)
				}
			})
		})
	}
}

func want(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error = %v, want %v", got, want)
	}
}
