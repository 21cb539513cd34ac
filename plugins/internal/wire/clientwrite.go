package wire

import (
	"context"
	"io"

	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Put stores an item.
func (s *Session) Put(ctx context.Context, c backend.CollectionID, it backend.Item) (backend.Item, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(it.Body) > backend.MaxItemSize {
		return backend.Item{}, tooLarge("plugin "+s.c.name+": Put", len(it.Body))
	}
	out, err := s.put(ctx, c, it)
	if err != nil {
		return present(err), s.c.fromStatus(ctx, "Put", err)
	}
	return s.answer("Put", out.GetId(), out.GetRevision())
}

func (s *Session) put(ctx context.Context, c backend.CollectionID, it backend.Item) (*pb.PutResponse, error) {
	stream, err := s.c.rpc.Put(ctx)
	if err != nil {
		return nil, err
	}
	part := &pb.PutRequest{
		Credentials: s.login(), Collection: []byte(c),
		Id: []byte(it.ID), Revision: []byte(it.Revision), MediaType: text(it.MediaType, maxName),
		Flags: backend.Flags(it.Flags),
	}
	for rest := it.Body; ; part = new(pb.PutRequest) {
		n := min(len(rest), chunkSize)
		part.Body, rest = rest[:n], rest[n:]
		err := stream.Send(part)
		if err == io.EOF { // the server has ended the call and says why
			break
		}
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			break
		}
	}
	return stream.CloseAndRecv()
}

// present is the item that stands in the way of a create.
func present(err error) backend.Item {
	s, _ := status.FromError(err)
	for _, d := range s.Details() {
		if p, ok := d.(*pb.PutResponse); ok {
			return backend.Item{ID: backend.ItemID(p.GetId()), Revision: backend.Revision(p.GetRevision())}
		}
	}
	return backend.Item{}
}

// answer checks what a writing call answers.
func (s *Session) answer(op string, id, rev []byte) (backend.Item, error) {
	if err := s.checkID(op, string(id)); err != nil {
		return backend.Item{}, err
	}
	return backend.Item{ID: backend.ItemID(id), Revision: backend.Revision(rev)}, nil
}

// Delete removes an item.
func (s *Session) Delete(ctx context.Context, c backend.CollectionID, id backend.ItemID, rev backend.Revision) error {
	_, err := s.c.rpc.Delete(ctx, &pb.DeleteRequest{
		Credentials: s.login(), Collection: []byte(c), Id: []byte(id), Revision: []byte(rev),
	})
	if err != nil {
		return s.c.fromStatus(ctx, "Delete", err)
	}
	return nil
}

// Move takes an item to another collection.
func (s *Session) Move(ctx context.Context, from backend.CollectionID, id backend.ItemID, to backend.CollectionID) (backend.Item, error) {
	out, err := s.c.rpc.Move(ctx, &pb.MoveRequest{Credentials: s.login(), From: []byte(from), Id: []byte(id), To: []byte(to)})
	if err != nil {
		return backend.Item{}, s.c.fromStatus(ctx, "Move", err)
	}
	return s.answer("Move", out.GetId(), out.GetRevision())
}

// Probe asks for the collections' tags.
func (s *Session) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	out, err := retry(ctx, func() (*pb.ProbeResponse, error) {
		return s.c.rpc.Probe(ctx, &pb.ProbeRequest{Credentials: s.login(), Collections: idBytes(cs)})
	})
	if err != nil {
		return nil, s.c.fromStatus(ctx, "Probe", err)
	}
	tags := make(map[backend.CollectionID]string, len(out.GetTags()))
	for _, t := range out.GetTags() {
		tags[backend.CollectionID(t.GetCollection())] = string(t.GetTag())
	}
	return tags, nil
}

// Schedules tells whether the store sends invitations.
func (s *Session) Schedules(ctx context.Context, c backend.CollectionID) (bool, error) {
	out, err := retry(ctx, func() (*pb.SchedulesResponse, error) {
		return s.c.rpc.Schedules(ctx, &pb.SchedulesRequest{Credentials: s.login(), Collection: []byte(c)})
	})
	if err != nil {
		return false, s.c.fromStatus(ctx, "Schedules", err)
	}
	return out.GetSchedules(), nil
}

func idBytes(cs []backend.CollectionID) [][]byte {
	list := make([][]byte, len(cs))
	for n, c := range cs {
		list[n] = []byte(c)
	}
	return list
}
