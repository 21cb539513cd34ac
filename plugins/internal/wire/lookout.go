package wire

import (
	"context"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

const (
	// maxWatches bounds the watches in one call of Watches: as many as there may
	// be people with a waiting phone. Each costs either side some hundred bytes,
	// and this one a goroutine where the backend is no Follower.
	maxWatches = 100_000

	// maxOpening bounds the sessions that are opened at a time so that somebody
	// can watch: after a restart thousands come at once, and each may have to log
	// in to the store.
	maxOpening = 32
)

// A lookout is one call of Watches: it watches for many people, and tells the
// host of each in turn.
type lookout struct {
	name     string
	sessions *sessions
	opening  chan struct{} // a place for each session that is being opened
	woken    chan struct{} // capacity 1: the line is not empty
	running  sync.WaitGroup

	mu    sync.Mutex
	posts map[uint64]*post
	line  []*post // those with something to tell, each of them once
}

// A post is one watch. lookout.mu guards all but the first two fields.
type post struct {
	lookout *lookout
	number  uint64

	cancel   context.CancelFunc // of its goroutine; nil if it has none
	stop     func()             // ends Follow; nil if it does not follow
	giveBack func(error)        // the session, if it follows

	dirty  []backend.CollectionID // to be told of, none of them twice
	ready  bool                   // to be told
	err    error                  // to be told, last
	queued bool                   // in the line
	gone   bool                   // nothing is told any more
}

var _ backend.Followed = (*post)(nil)

// Watches watches for many people until the host has enough.
func (s *Server) Watches(stream grpc.BidiStreamingServer[pb.WatchesRequest, pb.WatchesResponse]) error {
	s.mu.Lock()
	sessions := s.sessions
	s.mu.Unlock()
	if sessions == nil {
		return toStatus(backend.E(backend.Transient, "wire", errNotConfigured))
	}
	l := &lookout{
		name: s.name, sessions: sessions, posts: make(map[uint64]*post),
		opening: make(chan struct{}, maxOpening), woken: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(stream.Context())
	l.running.Go(func() { l.tell(ctx, stream) })
	err := l.receive(ctx, stream)
	cancel()
	for _, p := range l.all() {
		l.release(p)
	}
	l.running.Wait()
	return err
}

// receive begins and ends watches as the host says.
func (l *lookout) receive(ctx context.Context, stream grpc.BidiStreamingServer[pb.WatchesRequest, pb.WatchesResponse]) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		p := l.posts[in.GetNumber()]
		l.mu.Unlock()
		switch {
		case in.GetEnd():
			if p != nil {
				l.release(p)
			}
		case p != nil:
			return toStatus(backend.Errorf(backend.Invalid, l.name+": Watches", "watch %d exists", in.GetNumber()))
		default:
			l.begin(ctx, in)
		}
	}
}

func (l *lookout) all() []*post {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*post, 0, len(l.posts))
	for _, p := range l.posts {
		list = append(list, p)
	}
	return list
}

// begin begins a watch.
func (l *lookout) begin(ctx context.Context, in *pb.WatchesRequest) {
	p := &post{lookout: l, number: in.GetNumber()}
	ctx, p.cancel = context.WithCancel(ctx)
	l.mu.Lock()
	full := len(l.posts) >= maxWatches
	l.posts[p.number] = p // also to be told that it has ended
	l.mu.Unlock()
	if full {
		p.Ended(backend.Errorf(backend.Transient, l.name+": Watches", "%d watches are too many", maxWatches))
		return
	}
	credentials, ids := credentialsOf(in.GetCredentials()), collectionIDs(in.GetCollections())
	l.running.Go(func() {
		if stays, err := p.watch(ctx, credentials, ids); !stays {
			p.Ended(err)
		}
	})
}

// watch watches, and answers why it is over; or that it goes on without the
// goroutine.
func (p *post) watch(ctx context.Context, c backend.Credentials, ids []backend.CollectionID) (stays bool, err error) {
	l := p.lookout
	op := l.name + ": Watch"
	defer func() {
		if x := recover(); x != nil {
			slog.Error("panic in a backend's method", "method", "Watch", "panic", x, "stack", string(debug.Stack()))
			stays, err = false, backend.Errorf(backend.Other, op, "panic: %v", x)
		}
	}()
	session, giveBack, err := l.lend(ctx, c)
	if err != nil {
		return false, err
	}
	defer func() {
		if !stays { // also when Watch panics
			giveBack(err)
		}
	}()
	w, ok := backend.As[backend.Watcher](session)
	if !ok {
		return false, backend.E(backend.Unsupported, op, nil)
	}
	if f, ok := w.(backend.Follower); ok {
		if stop, ok := f.Follow(ids, p); ok {
			return p.follows(ctx, stop, giveBack)
		}
	}
	if err = w.Watch(ctx, ids, p.Ready, p.Changed); err == nil {
		err = backend.Errorf(backend.Transient, op, "watching has ended")
	}
	return false, err
}

// lend lends the session, when it is this one's turn.
func (l *lookout) lend(ctx context.Context, c backend.Credentials) (backend.Session, func(error), error) {
	select {
	case l.opening <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, backend.E(backend.Transient, l.name+": Watch", ctx.Err())
	}
	defer func() { <-l.opening }()
	return l.sessions.lend(ctx, c, true)
}

// follows lets the goroutine go, unless the watch is over already.
func (p *post) follows(ctx context.Context, stop func(), giveBack func(error)) (stays bool, err error) {
	p.lookout.mu.Lock()
	over, why := p.gone, p.err
	if !over {
		p.stop, p.giveBack = stop, giveBack
		p.cancel() // what a context costs is not needed any more
		p.cancel = nil
	}
	p.lookout.mu.Unlock()
	if !over {
		return true, nil
	}
	stop()
	if why == nil {
		why = backend.E(backend.Transient, p.lookout.name+": Watch", ctx.Err())
	}
	return false, why
}

// release ends a watch and frees what it holds.
func (l *lookout) release(p *post) {
	l.mu.Lock()
	if p.gone {
		l.mu.Unlock()
		return
	}
	p.gone, p.dirty = true, nil
	delete(l.posts, p.number)
	cancel, stop, giveBack, err := p.cancel, p.stop, p.giveBack, p.err
	p.cancel, p.stop, p.giveBack = nil, nil, nil
	l.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if stop != nil {
		stop()
		giveBack(err)
	}
}

// Ready has the host told that the watch works.
func (p *post) Ready() { p.note(func() { p.ready = true }) }

// Changed has the host told of a collection.
func (p *post) Changed(c backend.CollectionID) {
	p.note(func() {
		if !slices.Contains(p.dirty, c) {
			p.dirty = append(p.dirty, c)
		}
	})
}

// Ended has the host told that the watch is over.
func (p *post) Ended(err error) {
	if err == nil {
		err = backend.Errorf(backend.Transient, p.lookout.name+": Watch", "watching has ended")
	}
	p.note(func() {
		if p.err == nil {
			p.err = err
		}
	})
}

// note puts a post into the line, with something to tell.
func (p *post) note(what func()) {
	l := p.lookout
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.gone {
		return
	}
	what()
	if !p.queued {
		p.queued = true
		l.line = append(l.line, p)
	}
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// tell tells the host what there is, one message of each post in turn. What
// happens while the host is slow to take it is gathered.
func (l *lookout) tell(ctx context.Context, stream grpc.BidiStreamingServer[pb.WatchesRequest, pb.WatchesResponse]) {
	for {
		p, out := l.next()
		if p == nil {
			select {
			case <-l.woken:
				continue
			case <-ctx.Done():
				return
			}
		}
		if out.Ended != nil {
			l.release(p)
		}
		if err := stream.Send(out); err != nil {
			return // which ends receive, too
		}
	}
}

// next is what is to be told next; nil if there is nothing.
func (l *lookout) next() (*post, *pb.WatchesResponse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.line) > 0 {
		p := l.line[0]
		l.line[0] = nil
		l.line = l.line[1:]
		p.queued = false
		if p.gone {
			continue
		}
		n := min(len(p.dirty), backend.MaxBatch)
		out := &pb.WatchesResponse{Number: p.number, Ready: p.ready, Collections: idBytes(p.dirty[:n])}
		p.ready, p.dirty = false, p.dirty[n:]
		switch {
		case len(p.dirty) > 0:
			p.queued = true
			l.line = append(l.line, p)
		case p.err != nil:
			out.Ended = errorToProto(p.err)
			fallthrough
		default:
			p.dirty = nil
		}
		return p, out
	}
	l.line = nil
	return nil, nil
}
