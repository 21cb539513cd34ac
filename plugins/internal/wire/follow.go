package wire

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

var _ backend.Follower = (*Session)(nil)

var _ backend.ListWatcher = (*Session)(nil)

// WatchesList tells what the plugin declared.
func (s *Session) WatchesList() bool { return slices.Contains(s.extras, backend.ExtraWatchList) }

// Follow watches through the one call of Watches that all people share, or with
// a call of its own if the plugin knows no Watches.
func (s *Session) Follow(cs []backend.CollectionID, f backend.Followed) (func(), bool) {
	stop, err := s.c.follow(s, cs, f)
	return stop, err == nil
}

// Watch tells of changes.
func (s *Session) Watch(ctx context.Context, cs []backend.CollectionID, ready func(), changed func(backend.CollectionID)) error {
	if ctx.Err() != nil {
		return ended(ctx, "plugin "+s.c.name+": Watch")
	}
	k := &keeper{woken: make(chan struct{}, 1)}
	stop, err := s.c.follow(s, cs, k)
	if err != nil {
		return err
	}
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ended(ctx, "plugin "+s.c.name+": Watch")
		case <-k.woken:
		}
		works, dirty, err := k.take()
		if works {
			ready()
		}
		for _, c := range dirty {
			changed(c)
		}
		if err != nil {
			return err
		}
	}
}

// A keeper keeps what a call of Watch is to tell: its caller may take its time.
type keeper struct {
	woken chan struct{} // capacity 1

	mu    sync.Mutex
	ready bool
	dirty []backend.CollectionID // none of them twice
	err   error
}

func (k *keeper) note(what func()) {
	k.mu.Lock()
	what()
	k.mu.Unlock()
	select {
	case k.woken <- struct{}{}:
	default: // it has not looked yet
	}
}

// Ready implements backend.Followed.
func (k *keeper) Ready() { k.note(func() { k.ready = true }) }

// Changed implements backend.Followed.
func (k *keeper) Changed(c backend.CollectionID) {
	k.note(func() {
		if !slices.Contains(k.dirty, c) {
			k.dirty = append(k.dirty, c)
		}
	})
}

// Ended implements backend.Followed.
func (k *keeper) Ended(err error) { k.note(func() { k.err = err }) }

func (k *keeper) take() (ready bool, dirty []backend.CollectionID, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ready, dirty, err = k.ready, k.dirty, k.err
	k.ready, k.dirty = false, nil
	return ready, dirty, err
}

// followings are those who watch through one call of Watches, or, if the plugin
// knows none, each through a call of its own.
type followings struct {
	c     *Client
	woken chan struct{} // capacity 1: there is something to send

	mu   sync.Mutex
	live map[uint64]*following
	last uint64       // number that was given
	out  []*following // that are to begin or to end
}

// A following is one watch. followings.mu guards it.
type following struct {
	in      *followings
	session *Session // whose credentials go with it; nil when it is over
	ids     []backend.CollectionID
	f       backend.Followed
	number  uint64
	begun   bool               // the plugin knows of it
	ready   bool               // f knows that it works
	cancel  context.CancelFunc // of a call of its own; nil if it has none
}

var errClientClosed = errors.New("the plugin was closed")

// follow begins to watch. It waits for nothing.
func (c *Client) follow(s *Session, cs []backend.CollectionID, f backend.Followed) (stop func(), err error) {
	op := "plugin " + c.name + ": Watch"
	fl := &following{session: s, ids: cs, f: f}
	if proto.Size(fl.request()) > MaxMessage/2 { // which would end the watches of all
		return nil, backend.Errorf(backend.Unsupported, op, "the names of %d collections are too long", len(cs))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, backend.E(backend.Transient, op, errClientClosed)
	}
	if c.ctx == nil {
		c.ctx, c.stop = context.WithCancel(context.Background())
	}
	if c.follows == nil {
		fs := &followings{c: c, live: make(map[uint64]*following), woken: make(chan struct{}, 1)}
		c.follows = fs
		if !c.single {
			ctx := c.ctx
			c.running.Go(func() { fs.run(ctx) })
		}
	}
	fs := c.follows
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.live) >= maxWatches {
		return nil, backend.Errorf(backend.Transient, op, "%d watches are too many", maxWatches)
	}
	fs.last++
	fl.in, fl.number = fs, fs.last
	fs.live[fl.number] = fl
	if c.single {
		fl.alone()
	} else {
		fs.send(fl)
	}
	return fl.stop, nil
}

// endWatches ends all watches and waits for that.
func (c *Client) endWatches() {
	c.mu.Lock()
	c.closed = true
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	c.running.Wait()
}

// send has the plugin told about a watch. fs.mu is held.
func (fs *followings) send(fl *following) {
	fs.out = append(fs.out, fl)
	select {
	case fs.woken <- struct{}{}:
	default: // it has not looked yet
	}
}

// stop ends a watch, and drops the credentials.
func (fl *following) stop() {
	fs := fl.in
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fl.session == nil {
		return
	}
	fl.over()
	if fl.begun {
		fs.send(fl)
	}
	if fl.cancel != nil {
		fl.cancel()
	}
}

// over forgets a watch. fs.mu is held.
func (fl *following) over() {
	delete(fl.in.live, fl.number)
	fl.session, fl.ids = nil, nil
}

// request begins the watch, or ends it if it is over.
func (fl *following) request() *pb.WatchesRequest {
	if fl.session == nil {
		return &pb.WatchesRequest{Number: fl.number, End: true}
	}
	return &pb.WatchesRequest{Number: fl.number, Credentials: fl.session.login(), Collections: idBytes(fl.ids)}
}

// A watching is a call of Watches.
type watching = grpc.BidiStreamingClient[pb.WatchesRequest, pb.WatchesResponse]

// run makes the call. Its end is the end of all watches, unless it turns out that
// each has to have its own call.
func (fs *followings) run(ctx context.Context) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	c := fs.c
	stream, err := c.rpc.Watches(call)
	if err == nil {
		var sending sync.WaitGroup
		sending.Go(func() { fs.sends(call, stream) })
		err = fs.receive(stream)
		cancel()
		sending.Wait()
	}
	c.mu.Lock()
	if s, _ := status.FromError(err); s.Code() == codes.Unimplemented && len(s.Details()) == 0 {
		c.single = true
		fs.mu.Lock()
		for _, fl := range fs.live {
			fl.alone()
		}
		fs.out = nil
		fs.mu.Unlock()
		c.mu.Unlock()
		return
	}
	c.follows = nil // who comes from now on makes a new call
	c.mu.Unlock()
	why := c.fromStatus(ctx, "Watch", err)
	for _, f := range fs.end() {
		f.Ended(why)
	}
}

// end forgets all watches, and answers who is to be told.
func (fs *followings) end() (told []backend.Followed) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, fl := range fs.live {
		told = append(told, fl.f)
		fl.over()
	}
	return told
}

// sends tells the plugin of watches that begin and end.
func (fs *followings) sends(ctx context.Context, stream watching) {
	for {
		out := fs.next()
		if out == nil {
			select {
			case <-fs.woken:
				continue
			case <-ctx.Done():
				return
			}
		}
		if err := stream.Send(out); err != nil {
			return // which ends receive, too
		}
	}
}

// next is what is to be sent next; nil if there is nothing.
func (fs *followings) next() *pb.WatchesRequest {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for len(fs.out) > 0 {
		fl := fs.out[0]
		fs.out[0] = nil
		fs.out = fs.out[1:]
		if fl.session == nil && !fl.begun {
			continue
		}
		fl.begun = true
		return fl.request()
	}
	fs.out = nil
	return nil
}

// receive passes on what the plugin tells, until the call ends.
func (fs *followings) receive(stream watching) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return backend.Errorf(backend.Transient, "plugin "+fs.c.name+": Watch", "watching has ended")
		}
		if err != nil {
			return err
		}
		fs.mu.Lock()
		fl := fs.live[in.GetNumber()]
		if fl == nil { // it was ended meanwhile
			fs.mu.Unlock()
			continue
		}
		f, ready := fl.f, in.GetReady() && !fl.ready
		fl.ready = fl.ready || ready
		if in.GetEnded() != nil {
			fl.over()
		}
		fs.mu.Unlock()
		if ready {
			f.Ready()
		}
		for _, c := range in.GetCollections() {
			f.Changed(backend.CollectionID(c))
		}
		if in.GetEnded() != nil {
			f.Ended(errorOf(in.GetEnded()))
		}
	}
}

// alone watches with a call of its own. The mutexes of the client and of the
// followings are held.
func (fl *following) alone() {
	if fl.cancel != nil {
		return
	}
	fs := fl.in
	c, s, ids := fs.c, fl.session, fl.ids
	ctx, cancel := context.WithCancel(c.ctx)
	fl.cancel = cancel
	c.running.Go(func() {
		defer cancel()
		err := s.watchAlone(ctx, ids, fl.f)
		fs.mu.Lock()
		over := fl.session == nil
		fl.over()
		fs.mu.Unlock()
		if lost(ctx, err) {
			// Who comes next may find another plugin, of another version.
			c.mu.Lock()
			if c.follows == fs {
				c.follows, c.single = nil, false
			}
			c.mu.Unlock()
		}
		if !over {
			fl.f.Ended(c.fromStatus(ctx, "Watch", err))
		}
	})
}

// watchAlone is Watch of plugins that know no Watches.
func (s *Session) watchAlone(ctx context.Context, cs []backend.CollectionID, f backend.Followed) error {
	stream, err := s.c.rpc.Watch(ctx, &pb.WatchRequest{Credentials: s.login(), Collections: idBytes(cs)})
	if err != nil {
		return err
	}
	for begun := false; ; {
		msg, err := stream.Recv()
		if err == io.EOF {
			return backend.Errorf(backend.Transient, "plugin "+s.c.name+": Watch", "watching has ended")
		}
		if err != nil {
			return err
		}
		if len(msg.GetCollection()) == 0 && !begun {
			begun = true
			f.Ready()
			continue
		}
		f.Changed(backend.CollectionID(msg.GetCollection()))
	}
}
