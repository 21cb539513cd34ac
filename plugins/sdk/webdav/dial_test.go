package webdav

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestDial(t *testing.T) {
	refused := errors.New("refused")
	for _, tc := range []struct {
		name      string
		address   string
		answers   int // the call that is answered, from 1
		err       error
		calls     int
		took      time.Duration
		gives     time.Duration // when the caller gives up; 0 means never
		cancelled bool
	}{
		{name: "at once", address: "127.0.0.1:5232", answers: 1, calls: 1},
		{name: "a full queue on this computer", address: "127.0.0.1:5232", answers: 3, calls: 3, took: 300 * time.Millisecond},
		{name: "a full queue in the house", address: "[fd00::1]:443", answers: 2, calls: 2, took: 100 * time.Millisecond},
		{name: "one that never has room", address: "10.0.0.1:80", answers: 6, calls: 6, took: 3100 * time.Millisecond},
		{name: "refused", address: "127.0.0.1:5232", answers: 1, err: refused, calls: 1},
		{name: "refused later", address: "127.0.0.1:5232", answers: 2, err: refused, calls: 2, took: 100 * time.Millisecond},
		{name: "far away", address: "192.0.2.1:443", answers: 2, calls: 1, gives: time.Minute, took: time.Minute, cancelled: true},
		{name: "the caller gives up", address: "127.0.0.1:5232", answers: 9, calls: 2, gives: 150 * time.Millisecond, took: 150 * time.Millisecond, cancelled: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.gives > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.gives)
					defer cancel()
				}
				calls, began := 0, time.Now()
				conn, err := dialWith(ctx, func(ctx context.Context, calling func(string)) (net.Conn, error) {
					calls++
					calling(tc.address)
					calling(tc.address) // of two addresses
					if calls < tc.answers {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					if tc.err != nil {
						return nil, tc.err
					}
					return &net.TCPConn{}, nil
				})
				if calls != tc.calls || time.Since(began) != tc.took {
					t.Errorf("%d calls in %v, want %d in %v", calls, time.Since(began), tc.calls, tc.took)
				}
				switch {
				case tc.cancelled:
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("error = %v, want that of the caller", err)
					}
				case !errors.Is(err, tc.err) || (conn != nil) != (tc.err == nil):
					t.Errorf("connection %v, error %v; want %v", conn, err, tc.err)
				}
			})
		})
	}
}

// TestDialReally connects to a real listener by name and address.
func TestDialReally(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c, err := dial(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		c.Close()
	}
}
