package wire

import (
	"context"

	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// CreateCollection makes a collection.
func (s *Session) CreateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	out, err := s.c.rpc.CreateCollection(ctx, &pb.EditCollectionRequest{Credentials: s.login(), Collection: collectionToProto(c)})
	if err != nil {
		return collectionThere(err), s.c.fromStatus(ctx, "CreateCollection", err)
	}
	return s.edited("CreateCollection", out)
}

// UpdateCollection renames a collection.
func (s *Session) UpdateCollection(ctx context.Context, c backend.Collection) (backend.Collection, error) {
	out, err := s.c.rpc.UpdateCollection(ctx, &pb.EditCollectionRequest{Credentials: s.login(), Collection: collectionToProto(c)})
	if err != nil {
		return backend.Collection{}, s.c.fromStatus(ctx, "UpdateCollection", err)
	}
	return s.edited("UpdateCollection", out)
}

// DeleteCollection removes a collection.
func (s *Session) DeleteCollection(ctx context.Context, id backend.CollectionID) error {
	_, err := s.c.rpc.DeleteCollection(ctx, &pb.DeleteCollectionRequest{Credentials: s.login(), Collection: []byte(id)})
	if err != nil {
		return s.c.fromStatus(ctx, "DeleteCollection", err)
	}
	return nil
}

// edited checks what an edit of a collection answers.
func (s *Session) edited(op string, out *pb.CollectionResponse) (backend.Collection, error) {
	if err := s.checkID(op, string(out.GetCollection().GetId())); err != nil {
		return backend.Collection{}, err
	}
	return collectionOf(out.GetCollection()), nil
}

// collectionThere is the collection that stands in the way of a create.
func collectionThere(err error) backend.Collection {
	s, _ := status.FromError(err)
	for _, d := range s.Details() {
		if p, ok := d.(*pb.CollectionResponse); ok {
			return collectionOf(p.GetCollection())
		}
	}
	return backend.Collection{}
}

// edit lends do the session's editor of folders.
func (s *Server) edit(ctx context.Context, c *pb.Credentials, op string, do func(backend.FolderEditor) error) error {
	return s.with(ctx, c, func(session backend.Session) error {
		e, ok := backend.As[backend.FolderEditor](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": "+op, nil)
		}
		return do(e)
	})
}

// CreateCollection makes a collection.
func (s *Server) CreateCollection(ctx context.Context, in *pb.EditCollectionRequest) (*pb.CollectionResponse, error) {
	var made backend.Collection
	var makeErr error
	err := s.edit(ctx, in.GetCredentials(), "CreateCollection", func(e backend.FolderEditor) error {
		made, makeErr = e.CreateCollection(ctx, collectionOf(in.GetCollection()))
		return makeErr
	})
	out := &pb.CollectionResponse{Collection: collectionToProto(made)}
	if makeErr != nil && made.ID != "" {
		return nil, toStatus(makeErr, protoV1(out))
	}
	return out, err
}

// UpdateCollection renames a collection.
func (s *Server) UpdateCollection(ctx context.Context, in *pb.EditCollectionRequest) (*pb.CollectionResponse, error) {
	out := &pb.CollectionResponse{}
	err := s.edit(ctx, in.GetCredentials(), "UpdateCollection", func(e backend.FolderEditor) error {
		c, err := e.UpdateCollection(ctx, collectionOf(in.GetCollection()))
		out.Collection = collectionToProto(c)
		return err
	})
	return out, err
}

// DeleteCollection removes a collection.
func (s *Server) DeleteCollection(ctx context.Context, in *pb.DeleteCollectionRequest) (*pb.DeleteCollectionResponse, error) {
	err := s.edit(ctx, in.GetCredentials(), "DeleteCollection", func(e backend.FolderEditor) error {
		return e.DeleteCollection(ctx, backend.CollectionID(in.GetCollection()))
	})
	return &pb.DeleteCollectionResponse{}, err
}
