package wire

import (
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/protoadapt"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Get sends items in batches, and the large ones in parts.
func (s *Server) Get(in *pb.GetRequest, stream grpc.ServerStreamingServer[pb.GetResponse]) error {
	return s.with(stream.Context(), in.GetCredentials(), func(session backend.Session) error {
		ids := itemIDs(in.GetIds())
		out := itemSender{stream: stream, sent: time.Now()}
		add := func(f backend.Fetched) error { return out.add(fetchedToProto(f)) }
		if err := session.Get(stream.Context(), backend.CollectionID(in.GetCollection()), ids, add); err != nil {
			return err
		}
		return out.flush()
	})
}

// maxLinger is how long an item waits for others to share its message, for
// stores that take their time over each.
const maxLinger = 100 * time.Millisecond

// An itemSender gathers items into messages.
type itemSender struct {
	stream  grpc.ServerStreamingServer[pb.GetResponse]
	pending []*pb.Fetched
	size    int
	sent    time.Time
}

// fetchedToProto is the inverse of fetchedOf.
func fetchedToProto(f backend.Fetched) *pb.Fetched {
	p := &pb.Fetched{Id: []byte(f.ID)}
	switch {
	case f.Err != nil:
		p.Error = errorToProto(f.Err)
	case len(f.Body) > backend.MaxItemSize:
		p.Error = errorToProto(tooLarge("wire: Get", len(f.Body)))
	default:
		p.Revision, p.MediaType, p.Body = []byte(f.Revision), text(f.MediaType, maxName), f.Body
		p.Flags = backend.Flags(f.Flags)
	}
	return p
}

// sizeOf is about how many bytes of a message an item takes.
func sizeOf(p *pb.Fetched) int {
	size := len(p.Body) + len(p.Id) + len(p.Revision) + len(p.GetError().GetText()) + 64
	for _, f := range p.Flags {
		size += len(f) + 2
	}
	for _, l := range p.Left {
		size += len(l.Path) + 24
	}
	return size
}

func (o *itemSender) add(p *pb.Fetched) error {
	size := sizeOf(p)
	if len(o.pending) > 0 && (o.size+size > batchSize || len(o.pending) == backend.MaxBatch) {
		if err := o.flush(); err != nil {
			return err
		}
	}
	for len(p.Body) > chunkSize {
		rest := p.Body[chunkSize:]
		p.Body, p.More = p.Body[:chunkSize], true
		o.pending = append(o.pending, p)
		if err := o.flush(); err != nil {
			return err
		}
		p = &pb.Fetched{Body: rest}
		size = len(rest)
	}
	o.pending = append(o.pending, p)
	o.size += size
	if o.size >= batchSize || time.Since(o.sent) >= maxLinger {
		return o.flush()
	}
	return nil
}

func (o *itemSender) flush() error {
	if len(o.pending) == 0 {
		return nil
	}
	err := o.stream.Send(&pb.GetResponse{Items: o.pending})
	o.pending, o.size, o.sent = nil, 0, time.Now()
	return err
}

func tooLarge(op string, size int) *backend.Error {
	return backend.Errorf(backend.TooLarge, op, "%d bytes, the limit is %d", size, backend.MaxItemSize)
}

// An itemReceiver puts the parts of items together again.
type itemReceiver struct {
	begun *pb.Fetched // whose body goes on in the next message
}

var errParts = errors.New("the parts of an item do not fit together")

// receive calls yield for each item that a message completes.
func (r *itemReceiver) receive(msg *pb.GetResponse, yield func(*pb.Fetched) error) error {
	for n, p := range msg.GetItems() {
		if r.begun != nil {
			if len(p.GetId()) > 0 {
				return errParts
			}
			if size := len(r.begun.Body) + len(p.GetBody()); size > backend.MaxItemSize {
				return tooLarge("wire: Get", size) // not an item's error: who sends this does not keep the protocol
			}
			r.begun.Body = append(r.begun.Body, p.GetBody()...)
			r.begun.More = p.GetMore()
			p = r.begun
		}
		r.begun = nil
		if p.GetMore() {
			if n != len(msg.GetItems())-1 {
				return errParts
			}
			r.begun = p
			return nil
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// end tells whether everything that began has ended.
func (r *itemReceiver) end() error {
	if r.begun != nil {
		return errParts
	}
	return nil
}

func fetchedOf(p *pb.Fetched) backend.Fetched {
	f := backend.Fetched{Item: backend.Item{ID: backend.ItemID(p.GetId())}}
	if p.GetError() != nil {
		f.Err = errorOf(p.GetError())
		return f
	}
	f.Revision, f.MediaType, f.Body = backend.Revision(p.GetRevision()), p.GetMediaType(), p.GetBody()
	f.Flags = flagsOf(p.GetFlags())
	return f
}

// receiveBody appends what follows the first message of a Put.
func receiveBody(stream grpc.ClientStreamingServer[pb.PutRequest, pb.PutResponse], body []byte) ([]byte, error) {
	for {
		next, err := stream.Recv()
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		if size := len(body) + len(next.GetBody()); size > backend.MaxItemSize {
			return nil, tooLarge("wire: Put", size)
		}
		body = append(body, next.GetBody()...)
	}
}

func itemIDs(in [][]byte) []backend.ItemID {
	list := make([]backend.ItemID, len(in))
	for n, id := range in {
		list[n] = backend.ItemID(id)
	}
	return list
}

func collectionIDs(in [][]byte) []backend.CollectionID {
	list := make([]backend.CollectionID, len(in))
	for n, c := range in {
		list[n] = backend.CollectionID(c)
	}
	return list
}

func protoV1(m protoadapt.MessageV2) protoadapt.MessageV1 { return protoadapt.MessageV1Of(m) }
