package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
	"github.com/pushbridge/pushbridge/plugins/internal/wire/wiretest"
)

// open answers a memory backend and a session of it behind the wire.
func open(t testing.TB) (*memory.Backend, backend.Session) {
	t.Helper()
	b := memory.New()
	b.AddUser(ann.User, ann.Password)
	s, err := wiretest.OverWire(t, b).Open(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

func TestErrorsSurvive(t *testing.T) {
	type test struct {
		name string
		give error
		want backend.Error
		text string
	}
	tests := []test{
		{
			"retry-after", &backend.Error{Kind: backend.Transient, Op: "dav: GET /", Err: errors.New("503"), RetryAfter: 90 * time.Second},
			backend.Error{Kind: backend.Transient, Op: "dav: GET /", RetryAfter: 90 * time.Second}, "dav: GET /: temporarily unavailable: 503",
		},
		{"without a cause", &backend.Error{Kind: backend.NotFound}, backend.Error{Kind: backend.NotFound}, "not found"},
		{"plain", errors.New("oops"), backend.Error{Kind: backend.Other}, "error: oops"},
		{
			"wrapped", fmt.Errorf("shelf: %w", backend.E(backend.Conflict, "op", nil)),
			backend.Error{Kind: backend.Conflict}, "conflict: shelf: op: conflict",
		},
		{"context", context.DeadlineExceeded, backend.Error{Kind: backend.Transient}, "temporarily unavailable: context deadline exceeded"},
		{"not UTF-8", errors.New("caf\xe9"), backend.Error{Kind: backend.Other}, "error: caf\uFFFD"},
		{"long", errors.New(strings.Repeat("é", 4000)), backend.Error{Kind: backend.Other}, "error: " + strings.Repeat("é", 1024)},
		{"unknown kind", backend.E(99, "op", nil), backend.Error{Kind: backend.Other, Op: "op"}, "op: error"},
		{
			"absurd wait", &backend.Error{Kind: backend.Transient, RetryAfter: 1 << 62},
			backend.Error{Kind: backend.Transient, RetryAfter: 24 * time.Hour}, "temporarily unavailable",
		},
	}
	for k := backend.Other; k <= backend.Unsupported; k++ {
		tests = append(tests, test{k.String(), backend.Errorf(k, "op", "why"), backend.Error{Kind: k, Op: "op"}, "op: " + k.String() + ": why"})
	}
	b, s := open(t)
	check := func(t *testing.T, method string, test test, err error) {
		t.Helper()
		e, ok := err.(*backend.Error)
		if !ok {
			t.Fatalf("%s: error = %v (%T), want a *backend.Error", method, err, err)
		}
		if e.Kind != test.want.Kind || e.Op != test.want.Op || e.RetryAfter != test.want.RetryAfter || e.Error() != test.text {
			t.Errorf("%s: error = %q (kind %v, op %q, retry %v), want %q (%v, %q, %v)",
				method, e.Error(), e.Kind, e.Op, e.RetryAfter, test.text, test.want.Kind, test.want.Op, test.want.RetryAfter)
		}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer b.Mend()
			b.Fail(memory.Failure{Op: memory.OpDelete, Err: test.give})
			check(t, "Delete", test, s.Delete(t.Context(), "contacts", "x", ""))
			b.Store(ann.User, "contacts", "x", []byte("body"))
			b.Fail(memory.Failure{Op: memory.OpChanges, Midway: true, After: 1, Err: test.give})
			_, err := s.Changes(t.Context(), "contacts", "", func([]backend.Change) error { return nil })
			check(t, "Changes that breaks off", test, err)
			b.Fail(memory.Failure{Op: memory.OpGet, Item: "x", Err: test.give})
			err = s.Get(t.Context(), "contacts", []backend.ItemID{"x"}, func(f backend.Fetched) error {
				check(t, "just one item", test, f.Err)
				return nil
			})
			if err != nil {
				t.Errorf("Get: %v", err)
			}
		})
	}
}

// connFunc is a connection whose calls all fail.
type connFunc func() error

func (f connFunc) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return f() }

func (f connFunc) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, f()
}

// What plugins in other languages and broken connections answer.
func TestBareStatuses(t *testing.T) {
	tests := []struct {
		code  codes.Code
		want  backend.Kind
		calls int // of a call that changes nothing
	}{
		{codes.Unavailable, backend.Transient, 2},
		{codes.DeadlineExceeded, backend.Transient, 1},
		{codes.Canceled, backend.Transient, 1},
		{codes.ResourceExhausted, backend.Transient, 1},
		{codes.Unimplemented, backend.Unsupported, 1},
		{codes.Internal, backend.Other, 1},
		{codes.Unknown, backend.Other, 1},
	}
	for _, test := range tests {
		t.Run(test.code.String(), func(t *testing.T) {
			calls := 0
			c := wire.NewClient("shelf", connFunc(func() error { calls++; return status.Error(test.code, "why") }))
			s := c.Session(ann, nil)
			_, err := s.Collections(t.Context())
			if backend.KindOf(err) != test.want || !strings.Contains(err.Error(), "plugin shelf: Collections") {
				t.Errorf("Collections: error = %v, want kind %v with the plugin's name", err, test.want)
			}
			if calls != test.calls {
				t.Errorf("Collections was asked %d times, want %d", calls, test.calls)
			}
			calls = 0
			if _, err := s.Put(t.Context(), "c", backend.Item{ID: "x", Body: []byte("x")}); backend.KindOf(err) != test.want || calls != 1 {
				t.Errorf("Put: error = %v after %d calls, want kind %v after one\nNobody knows whether the first try was stored.", err, calls, test.want)
			}
		})
	}
}
