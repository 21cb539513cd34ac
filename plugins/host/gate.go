package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// maxWatches bounds the calls of Watch in a plugin that knows no Watches; there
// is one for each account with a waiting phone.
const maxWatches = 10_000

// breakTime is how long a broken connection may take to show.
const breakTime = 100 * time.Millisecond

// A gate is a connection to a plugin that outlives the plugin's processes. It
// limits the calls, gives each a deadline, and makes those wait that come
// while the plugin is being restarted.
type gate struct {
	name     string
	timeout  time.Duration
	patience time.Duration
	calls    chan struct{} // a place for each running call
	watches  chan struct{} // and for each running Watch

	mu      sync.Mutex
	conn    *grpc.ClientConn // nil while the plugin is down
	change  chan struct{}    // closed when conn or next changes
	suspect chan struct{}    // capacity 1: a call lost its connection
	next    time.Time        // of the next attempt to start, while conn is nil
	closed  bool
}

var _ grpc.ClientConnInterface = (*gate)(nil)

func newGate(name string, o Options) *gate {
	return &gate{
		name: name, timeout: o.CallTimeout, patience: o.Patience,
		calls: make(chan struct{}, o.MaxCalls), watches: make(chan struct{}, maxWatches),
		change: make(chan struct{}), suspect: make(chan struct{}, 1),
	}
}

// open lets calls through to a new process.
func (g *gate) open(conn *grpc.ClientConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn = conn
	g.announce()
}

// shut keeps calls back until open; next is when the plugin will be started
// again.
func (g *gate) shut(next time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn, g.next = nil, next
	g.announce()
}

// close makes all further calls fail.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conn, g.closed = nil, true
	g.announce()
}

func (g *gate) announce() {
	close(g.change)
	g.change = make(chan struct{})
}

var errDown = errors.New("the plugin is not running")

// unavailable is the error of a call that did not reach the plugin. Waits of
// less than a second are not worth a round over the network.
func (g *gate) unavailable(err error, after time.Duration) error {
	if after > 0 {
		after = max(time.Second, after.Round(time.Second))
	}
	return &backend.Error{Kind: backend.Transient, Op: "plugin " + g.name, Err: err, RetryAfter: after}
}

// connection answers the running process's connection, or waits for one.
func (g *gate) connection(ctx context.Context) (*grpc.ClientConn, error) {
	var late <-chan time.Time
	for {
		g.mu.Lock()
		conn, change, next, closed := g.conn, g.change, g.next, g.closed
		g.mu.Unlock()
		if conn != nil {
			return conn, nil
		}
		if closed {
			return nil, g.unavailable(errClosed, 0)
		}
		wait := time.Until(next)
		if wait > g.patience {
			return nil, g.unavailable(errDown, wait)
		}
		if late == nil {
			timer := time.NewTimer(g.patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-change:
		case <-late:
			return nil, g.unavailable(errDown, max(wait, g.patience))
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var (
	errBusy    = errors.New("too many calls at a time")
	errTimeout = errors.New("the plugin does not answer")
)

// enter takes a place for a call. leave gives it back.
func (g *gate) enter(ctx context.Context, places chan struct{}) (conn *grpc.ClientConn, leave func(), err error) {
	select {
	case places <- struct{}{}:
	default:
		timer := time.NewTimer(g.patience)
		defer timer.Stop()
		select {
		case places <- struct{}{}:
		case <-timer.C:
			return nil, nil, g.unavailable(errBusy, g.patience)
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	leave = sync.OnceFunc(func() { <-places })
	if conn, err = g.connection(ctx); err != nil {
		leave()
		return nil, nil, err
	}
	return conn, leave, nil
}

// lost looks at the error of a call, and if the connection is no more keeps the
// next call from meeting it, too: it may be some milliseconds before the end of
// the process is known. It answers what became of the call.
func (g *gate) lost(ctx context.Context, conn *grpc.ClientConn, err error) error {
	state := conn.GetState()
	if status.Code(err) == codes.Canceled && state == connectivity.Shutdown && ctx.Err() == nil {
		return status.Error(codes.Unavailable, "the plugin has ended") // the supervisor was faster
	}
	if status.Code(err) != codes.Unavailable || len(status.Convert(err).Details()) > 0 {
		return err
	}
	// Either the connection breaks, of which the state tells a moment later,
	// or the plugin chose this word for an error of its own.
	brief, cancel := context.WithTimeout(ctx, breakTime)
	defer cancel()
	if state == connectivity.Ready && !conn.WaitForStateChange(brief, state) {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != conn {
		return err
	}
	g.conn, g.next = nil, time.Now()
	g.announce()
	select {
	case g.suspect <- struct{}{}:
	default:
	}
	return err
}

// Invoke makes a call with one answer.
func (g *gate) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	conn, leave, err := g.enter(ctx, g.calls)
	if err != nil {
		return err
	}
	defer leave()
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	err = conn.Invoke(limited, method, in, out, opts...)
	if err == nil {
		return nil
	}
	if limited.Err() != nil && ctx.Err() == nil {
		return g.unavailable(fmt.Errorf("%w for %v", errTimeout, g.timeout), 0)
	}
	return g.lost(ctx, conn, err)
}

// NewStream begins a call with many messages. Whoever calls it ends the
// context when done; that gives the place back.
func (g *gate) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	places, timeout := g.calls, g.timeout
	if method == pb.Backend_Watch_FullMethodName || method == pb.Backend_Watches_FullMethodName {
		places, timeout = g.watches, 0
	}
	conn, leave, err := g.enter(ctx, places)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, leave)
	limited, cancel := context.WithCancelCause(ctx)
	stream, err := conn.NewStream(limited, desc, method, opts...)
	if err != nil {
		err = g.lost(ctx, conn, err)
		cancel(nil)
		leave()
		return nil, err
	}
	return &watched{ClientStream: stream, g: g, conn: conn, timeout: timeout, ctx: limited, cancel: cancel}, nil
}

// A watched stream ends when the plugin is silent for too long. The time that
// the caller takes over a message does not count.
type watched struct {
	grpc.ClientStream
	g       *gate
	conn    *grpc.ClientConn
	timeout time.Duration // 0 means for ever
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// RecvMsg receives a message.
func (w *watched) RecvMsg(m any) error {
	return w.within(func() error { return w.ClientStream.RecvMsg(m) })
}

// SendMsg sends a message, for which the plugin must have room.
func (w *watched) SendMsg(m any) error {
	return w.within(func() error { return w.ClientStream.SendMsg(m) })
}

func (w *watched) within(do func() error) error {
	if w.timeout > 0 {
		timer := time.AfterFunc(w.timeout, func() { w.cancel(errTimeout) })
		defer timer.Stop()
	}
	err := do()
	if err == nil {
		return nil
	}
	if context.Cause(w.ctx) == errTimeout {
		return w.g.unavailable(fmt.Errorf("%w for %v", errTimeout, w.timeout), 0)
	}
	return w.g.lost(w.ctx, w.conn, err)
}
