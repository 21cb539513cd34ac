package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// A Server answers the calls of one host with a backend.
type Server struct {
	pb.UnimplementedBackendServer
	name string
	make func(context.Context, backend.Settings) (backend.Backend, error)

	mu       sync.Mutex
	backend  backend.Backend // nil until configured
	sessions *sessions
}

// NewServer answers a server for a plugin of this name. make is called once,
// when the host hands over the settings.
func NewServer(name string, make func(context.Context, backend.Settings) (backend.Backend, error)) *Server {
	return &Server{name: name, make: make}
}

// Register makes r answer the calls with s.
func (s *Server) Register(r grpc.ServiceRegistrar) { pb.RegisterBackendServer(r, s) }

// Close closes the sessions and the backend.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.backend == nil {
		return nil
	}
	s.sessions.close()
	return s.backend.Close()
}

// ServerOptions are what a gRPC server for a Server needs. A panic in a
// backend's method goes to log and ends that call alone.
func ServerOptions(log *slog.Logger) []grpc.ServerOption {
	caught := func(method string, err *error) {
		if p := recover(); p != nil {
			log.Error("panic in a backend's method", "method", method, "panic", p, "stack", string(debug.Stack()))
			*err = toStatus(backend.Errorf(backend.Other, method, "panic: %v", p))
		}
	}
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.InitialWindowSize(MaxMessage),
		grpc.InitialConnWindowSize(4 * MaxMessage),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
			defer caught(info.FullMethod, &err)
			return handle(ctx, in)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
			defer caught(info.FullMethod, &err)
			return handle(srv, stream)
		}),
	}
}

// Configure makes the backend.
func (s *Server) Configure(ctx context.Context, in *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.backend != nil {
		return nil, toStatus(backend.Errorf(backend.Unsupported, "wire: Configure", "the plugin is configured already"))
	}
	settings, err := unmarshalSettings(in.GetSettings())
	if err != nil {
		return nil, toStatus(backend.E(backend.Invalid, "wire: Configure", err))
	}
	b, err := s.make(ctx, settings)
	if backend.KindOf(err) == backend.Transient {
		return nil, toStatus(err)
	}
	if err != nil {
		return &pb.ConfigureResponse{Complaint: text(err.Error(), batchSize)}, nil
	}
	s.backend = b
	s.sessions = newSessions(b)
	return &pb.ConfigureResponse{
		Name: text(s.name, maxName), Extras: extraNames(backend.Declared(b)), MinorVersion: MinorVersion,
	}, nil
}

var errNotConfigured = errors.New("the plugin is not configured yet")

// with lends do the session that a call's credentials are for.
func (s *Server) with(ctx context.Context, c *pb.Credentials, do func(backend.Session) error) error {
	s.mu.Lock()
	sessions := s.sessions
	s.mu.Unlock()
	if sessions == nil {
		return toStatus(backend.E(backend.Transient, "wire", errNotConfigured))
	}
	return toStatus(sessions.with(ctx, credentialsOf(c), do))
}

// Open asks the store about the credentials.
func (s *Server) Open(ctx context.Context, in *pb.OpenRequest) (*pb.OpenResponse, error) {
	s.mu.Lock()
	sessions := s.sessions
	s.mu.Unlock()
	if sessions == nil {
		return nil, toStatus(backend.E(backend.Transient, "wire", errNotConfigured))
	}
	extras, err := sessions.replace(ctx, credentialsOf(in.GetCredentials()))
	if err != nil {
		return nil, toStatus(err)
	}
	return &pb.OpenResponse{Extras: extraNames(extras)}, nil
}

// Collections sends the collections in batches.
func (s *Server) Collections(in *pb.CollectionsRequest, stream grpc.ServerStreamingServer[pb.CollectionsResponse]) error {
	return s.with(stream.Context(), in.GetCredentials(), func(session backend.Session) error {
		list, err := session.Collections(stream.Context())
		if err != nil {
			return err
		}
		out, size := &pb.CollectionsResponse{}, 0
		for _, c := range list {
			p := collectionToProto(c)
			if n := len(c.ID) + len(c.Parent) + len(p.Name) + len(p.Zone) + 200; size+n > batchSize || len(out.Collections) == backend.MaxBatch {
				if err := stream.Send(out); err != nil {
					return err
				}
				out, size = &pb.CollectionsResponse{}, 0
			}
			out.Collections = append(out.Collections, p)
			size += len(c.ID) + len(c.Parent) + len(p.Name) + len(p.Zone) + 200
		}
		return stream.Send(out)
	})
}

// Changes sends a listing in batches and the cursor with the last of them.
func (s *Server) Changes(in *pb.ChangesRequest, stream grpc.ServerStreamingServer[pb.ChangesResponse]) error {
	return s.with(stream.Context(), in.GetCredentials(), func(session backend.Session) error {
		out, size := &pb.ChangesResponse{}, 0
		add := func(batch []backend.Change) error {
			for _, ch := range batch {
				n := len(ch.ID) + len(ch.Revision) + 16
				if size+n > batchSize && size > 0 || len(out.Changes) == backend.MaxBatch {
					if err := stream.Send(out); err != nil {
						return err
					}
					out, size = &pb.ChangesResponse{}, 0
				}
				out.Changes = append(out.Changes, changeToProto(ch))
				size += n
			}
			return nil
		}
		cursor, err := session.Changes(stream.Context(), backend.CollectionID(in.GetCollection()), backend.Cursor(in.GetSince()), add)
		if err != nil {
			return err
		}
		if cursor == "" {
			return backend.Errorf(backend.Other, s.name+": Changes", "the backend answers no cursor")
		}
		out.Cursor = []byte(cursor)
		return stream.Send(out)
	})
}

// Put takes an item in parts.
func (s *Server) Put(stream grpc.ClientStreamingServer[pb.PutRequest, pb.PutResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	item := backend.Item{
		ID: backend.ItemID(first.GetId()), Revision: backend.Revision(first.GetRevision()),
		MediaType: first.GetMediaType(), Body: first.GetBody(), Flags: flagsOf(first.GetFlags()),
	}
	if item.Body, err = receiveBody(stream, item.Body); err != nil {
		return toStatus(err)
	}
	var out backend.Item
	var putErr error
	err = s.with(stream.Context(), first.GetCredentials(), func(session backend.Session) error {
		out, putErr = session.Put(stream.Context(), backend.CollectionID(first.GetCollection()), item)
		return putErr
	})
	answer := &pb.PutResponse{Id: []byte(out.ID), Revision: []byte(out.Revision)}
	if putErr != nil && out.ID != "" {
		return toStatus(putErr, protoV1(answer))
	}
	if err != nil {
		return err
	}
	return stream.SendAndClose(answer)
}

// Delete removes an item.
func (s *Server) Delete(ctx context.Context, in *pb.DeleteRequest) (*pb.DeleteResponse, error) {
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		return session.Delete(ctx, backend.CollectionID(in.GetCollection()), backend.ItemID(in.GetId()), backend.Revision(in.GetRevision()))
	})
	return &pb.DeleteResponse{}, err
}

// Move takes an item to another collection.
func (s *Server) Move(ctx context.Context, in *pb.MoveRequest) (*pb.MoveResponse, error) {
	out := &pb.MoveResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		it, err := session.Move(ctx, backend.CollectionID(in.GetFrom()), backend.ItemID(in.GetId()), backend.CollectionID(in.GetTo()))
		out.Id, out.Revision = []byte(it.ID), []byte(it.Revision)
		return err
	})
	return out, err
}

// Watch sends hints until the host has enough.
func (s *Server) Watch(in *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	return s.with(stream.Context(), in.GetCredentials(), func(session backend.Session) error {
		w, ok := backend.As[backend.Watcher](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Watch", nil)
		}
		ctx, cancel := context.WithCancelCause(stream.Context())
		defer cancel(nil)
		var sending sync.Mutex // ready may come from another goroutine than changed
		send := func(c backend.CollectionID) {
			sending.Lock()
			defer sending.Unlock()
			if err := stream.Send(&pb.WatchResponse{Collection: []byte(c)}); err != nil {
				cancel(fmt.Errorf("wire: the host is gone: %w", err))
			}
		}
		err := w.Watch(ctx, collectionIDs(in.GetCollections()), func() { send("") }, send)
		if err == nil {
			err = backend.Errorf(backend.Transient, s.name+": Watch", "watching has ended")
		}
		return err
	})
}

// Schedules tells whether the store sends invitations.
func (s *Server) Schedules(ctx context.Context, in *pb.SchedulesRequest) (*pb.SchedulesResponse, error) {
	out := &pb.SchedulesResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		sch, ok := backend.As[backend.Scheduler](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Schedules", nil)
		}
		var err error
		out.Schedules, err = sch.Schedules(ctx, backend.CollectionID(in.GetCollection()))
		return err
	})
	return out, err
}

// Probe answers the collections' tags.
func (s *Server) Probe(ctx context.Context, in *pb.ProbeRequest) (*pb.ProbeResponse, error) {
	out := &pb.ProbeResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		p, ok := backend.As[backend.Prober](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Probe", nil)
		}
		tags, err := p.Probe(ctx, collectionIDs(in.GetCollections()))
		for c, tag := range tags {
			out.Tags = append(out.Tags, &pb.Tag{Collection: []byte(c), Tag: []byte(tag)})
		}
		return err
	})
	return out, err
}
