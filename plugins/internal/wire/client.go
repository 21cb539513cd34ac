package wire

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// A Client is a backend.Backend on the other side of a connection.
type Client struct {
	name string
	rpc  pb.BackendClient

	mu      sync.Mutex
	ctx     context.Context // of all watches; nil before the first
	stop    context.CancelFunc
	follows *followings // who watches; nil if nobody does
	single  bool        // the plugin knows no Watches
	closed  bool
	running sync.WaitGroup // calls for watches; grows only while not closed
}

var (
	_ backend.Backend = (*Client)(nil)
	_ backend.Watcher = (*Session)(nil)
	_ backend.Prober  = (*Session)(nil)

	_ backend.Scheduler  = (*Session)(nil)
	_ backend.Identifier = (*Session)(nil)
	_ backend.FreeBusier = (*Session)(nil)

	_ backend.FolderEditor = (*Session)(nil)
	_ backend.Subscriber   = (*Session)(nil)

	_ backend.Mailbox    = (*Session)(nil)
	_ backend.Sender     = (*Session)(nil)
	_ backend.Searcher   = (*Session)(nil)
	_ backend.Vacationer = (*Session)(nil)
)

// NewClient answers a client that calls through cc; name is for errors.
func NewClient(name string, cc grpc.ClientConnInterface) *Client {
	return &Client{name: name, rpc: pb.NewBackendClient(cc)}
}

// DialOptions are what a connection for a Client needs.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)),
		grpc.WithInitialWindowSize(MaxMessage),
		grpc.WithInitialConnWindowSize(4 * MaxMessage),
	}
}

// Configure hands over the settings. It fails with a *Complaint if the plugin
// refuses them.
func (c *Client) Configure(ctx context.Context, settings backend.Settings) (Info, error) {
	data, err := marshalSettings(settings)
	if err != nil {
		return Info{}, &Complaint{Text: err.Error()}
	}
	out, err := c.rpc.Configure(ctx, &pb.ConfigureRequest{Settings: data})
	if err != nil {
		return Info{}, c.fromStatus(ctx, "Configure", err)
	}
	if out.GetComplaint() != "" {
		return Info{}, &Complaint{Text: out.GetComplaint()}
	}
	return Info{Name: out.GetName(), Extras: extrasOf(out.GetExtras()), MinorVersion: int(out.GetMinorVersion())}, nil
}

// Open asks the store about the credentials.
func (c *Client) Open(ctx context.Context, cred backend.Credentials) (backend.Session, error) {
	s := c.Session(cred, nil)
	out, err := retry(ctx, func() (*pb.OpenResponse, error) {
		return c.rpc.Open(ctx, &pb.OpenRequest{Credentials: s.login()})
	})
	if err != nil {
		return nil, c.fromStatus(ctx, "Open", err)
	}
	s.extras = extrasOf(out.GetExtras())
	return s, nil
}

// Close ends all watches. The connection belongs to whoever made it.
func (c *Client) Close() error {
	c.endWatches()
	return nil
}

// Session answers a session without a call. It offers these extras.
func (c *Client) Session(cred backend.Credentials, extras []backend.Extra) *Session {
	return &Session{c: c, extras: extras, credentials: cred}
}

// A Session is a person's session on the other side of the connection.
type Session struct {
	c           *Client
	credentials backend.Credentials
	extras      []backend.Extra
}

// login is what goes with each call. It is made anew, because a session is kept for
// each person who waits, and the message is three times as large.
func (s *Session) login() *pb.Credentials { return credentialsToProto(s.credentials) }

// String names the plugin and the person, and hides the password.
func (s *Session) String() string {
	return "plugin " + s.c.name + ": session of " + s.credentials.User
}

// GoString hides the password from %#v, too.
func (s *Session) GoString() string { return "wire.Session{" + s.String() + "}" }

// Extras lists what the session really can do, for [backend.As].
func (s *Session) Extras() []backend.Extra { return s.extras }

// Close does nothing. The server closes its own session when it was idle.
func (s *Session) Close() error { return nil }

// retry calls a second time if the plugin went away during the first. It is
// for calls that change nothing.
func retry[T any](ctx context.Context, call func() (T, error)) (T, error) {
	out, err := call()
	if lost(ctx, err) {
		return call()
	}
	return out, err
}

// checkID refuses IDs that are missing or over the limit of the contract.
func (s *Session) checkID(op, id string) error {
	if id == "" || len(id) > backend.MaxIDLength {
		return backend.Errorf(backend.Other, "plugin "+s.c.name+": "+op,
			"the plugin answers an ID of %d bytes; 1 to %d are allowed", len(id), backend.MaxIDLength)
	}
	return nil
}

// Collections lists the collections.
func (s *Session) Collections(ctx context.Context) ([]backend.Collection, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list, err := retry(ctx, func() ([]backend.Collection, error) { return s.collections(ctx) })
	if err != nil {
		return nil, s.c.fromStatus(ctx, "Collections", err)
	}
	return list, nil
}

func (s *Session) collections(ctx context.Context) ([]backend.Collection, error) {
	stream, err := s.c.rpc.Collections(ctx, &pb.CollectionsRequest{Credentials: s.login()})
	if err != nil {
		return nil, err
	}
	var list []backend.Collection
	for {
		msg, err := stream.Recv()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if len(list) > maxCollections {
			return nil, backend.Errorf(backend.TooLarge, "plugin "+s.c.name+": Collections", "more than %d collections", maxCollections)
		}
		for _, p := range msg.GetCollections() {
			if err := s.checkID("Collections", string(p.GetId())); err != nil {
				return nil, err
			}
			list = append(list, collectionOf(p))
		}
	}
}

// maxCollections bounds one person's collections, which are held in memory at
// once; nobody scrolls through that many on a phone.
const maxCollections = 10_000

// Changes lists what is new.
func (s *Session) Changes(ctx context.Context, c backend.CollectionID, since backend.Cursor, yield func([]backend.Change) error) (backend.Cursor, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	y := yielding[[]backend.Change]{yield: yield}
	in := &pb.ChangesRequest{Credentials: s.login(), Collection: []byte(c), Since: []byte(since)}
	cursor, err := s.changes(ctx, in, &y)
	if lost(ctx, err) && !y.begun {
		cursor, err = s.changes(ctx, in, &y)
	}
	if err != nil {
		return "", y.fromStatus(ctx, s.c, "Changes", err)
	}
	return cursor, nil
}

func (s *Session) changes(ctx context.Context, in *pb.ChangesRequest, y *yielding[[]backend.Change]) (backend.Cursor, error) {
	stream, err := s.c.rpc.Changes(ctx, in)
	if err != nil {
		return "", err
	}
	for {
		msg, err := stream.Recv()
		if err == io.EOF {
			return "", backend.Errorf(backend.Transient, "plugin "+s.c.name+": Changes", "the listing ends without a cursor")
		}
		if err != nil {
			return "", err
		}
		batch := make([]backend.Change, len(msg.GetChanges()))
		for n, p := range msg.GetChanges() {
			if err := s.checkID("Changes", string(p.GetId())); err != nil {
				return "", err
			}
			batch[n] = changeOf(p)
		}
		if len(msg.GetCursor()) > maxCursor {
			return "", backend.Errorf(backend.Other, "plugin "+s.c.name+": Changes", "the plugin answers a cursor of %d bytes", len(msg.GetCursor()))
		}
		for len(batch) > 0 {
			n := min(len(batch), backend.MaxBatch)
			if err := y.call(batch[:n]); err != nil {
				return "", err
			}
			batch = batch[n:]
		}
		if len(msg.GetCursor()) > 0 {
			return backend.Cursor(msg.GetCursor()), nil
		}
	}
}

// Get fetches items, some hundreds of names per call.
func (s *Session) Get(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, yield func(backend.Fetched) error) error {
	return fetch(ctx, s, "Get", ids, fetchedOf, yield, func(ctx context.Context, names [][]byte) (fetching, error) {
		return s.c.rpc.Get(ctx, &pb.GetRequest{Credentials: s.login(), Collection: []byte(c), Ids: names})
	})
}

// fetching is what Get and Messages are answered with.
type fetching = grpc.ServerStreamingClient[pb.GetResponse]

// fetch makes the calls that a list of names takes, and makes something of
// each item that comes.
func fetch[T any](ctx context.Context, s *Session, op string, ids []backend.ItemID, of func(*pb.Fetched) T, yield func(T) error,
	call func(context.Context, [][]byte) (fetching, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		n := min(len(ids), namesPerCall)
		names := make([][]byte, n)
		for k, id := range ids[:n] {
			names[k] = []byte(id)
		}
		y := yielding[T]{yield: yield}
		once := func() error {
			ctx, cancel := context.WithCancel(ctx) // ends this stream before the next begins
			defer cancel()
			stream, err := call(ctx, names)
			if err != nil {
				return err
			}
			return receive(stream, func(p *pb.Fetched) error { return y.call(of(p)) })
		}
		err := once()
		if lost(ctx, err) && !y.begun {
			err = once()
		}
		if err != nil {
			return y.fromStatus(ctx, s.c, op, err)
		}
		if ids = ids[n:]; len(ids) == 0 {
			return nil
		}
	}
}

// receive calls yield for each item of a stream.
func receive(stream fetching, yield func(*pb.Fetched) error) error {
	var parts itemReceiver
	for {
		msg, err := stream.Recv()
		if err == io.EOF {
			return parts.end()
		}
		if err != nil {
			return err
		}
		if err := parts.receive(msg, yield); err != nil {
			return err
		}
	}
}

// yielding remembers what became of the caller's function, so that its error
// comes back unchanged and no call is repeated after it was told something.
type yielding[T any] struct {
	yield func(T) error
	begun bool
	err   error
}

func (y *yielding[T]) call(t T) error {
	y.begun = true
	y.err = y.yield(t)
	return y.err
}

func (y *yielding[T]) fromStatus(ctx context.Context, c *Client, op string, err error) error {
	if y.err != nil {
		return y.err
	}
	return c.fromStatus(ctx, op, err)
}
