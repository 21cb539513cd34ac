package webdav

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// dialTime is how long a connection may take, as with net/http.
	dialTime = 30 * time.Second

	// A server nearby answers a call within a few milliseconds, or its queue is
	// full: that of a Python server such as Radicale holds five, and what comes
	// then is dropped without a word. TCP asks again after a second (RFC 6298);
	// we do after firstCall, and then after twice as long each time up to
	// lastCall, when TCP takes over.
	firstCall = 100 * time.Millisecond
	lastCall  = 1600 * time.Millisecond
)

// errUnheard is why a call ends that a server nearby has not answered.
var errUnheard = errors.New("the server does not answer the call")

// dial connects to a server, and is quick about it where the server is near and
// busy.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime, KeepAlive: dialTime}
	return dialWith(ctx, func(ctx context.Context, calling func(address string)) (net.Conn, error) {
		d := d
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			calling(address)
			return nil
		}
		return d.DialContext(ctx, network, address)
	})
}

// dialWith calls with once, which says whom it calls, until there is an answer.
func dialWith(ctx context.Context, once func(ctx context.Context, calling func(address string)) (net.Conn, error)) (net.Conn, error) {
	for wait := firstCall; wait <= lastCall; wait *= 2 {
		conn, err := within(ctx, wait, once)
		if !errors.Is(err, errUnheard) {
			return conn, err
		}
	}
	return once(ctx, func(string) {})
}

// within ends a call to a server nearby that is not answered in time.
func within(ctx context.Context, wait time.Duration, once func(context.Context, func(string)) (net.Conn, error)) (net.Conn, error) {
	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var began sync.Once // of several addresses of one name
	var timer *time.Timer
	conn, err := once(call, func(address string) {
		if isNear(address) {
			began.Do(func() { timer = time.AfterFunc(wait, func() { cancel(errUnheard) }) })
		}
	})
	began.Do(func() {}) // from now on there is no other timer
	if timer != nil {
		timer.Stop()
	}
	if err != nil && context.Cause(call) == errUnheard {
		return nil, errUnheard
	}
	return conn, err
}

// isNear tells whether an address with a port is on this computer or in a
// private network.
func isNear(address string) bool {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	a := ap.Addr().Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}
