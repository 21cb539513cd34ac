package wire

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Bounds of what a plugin may say of messages.
const (
	// maxPath bounds a part's number: of four digits and a dot for each level.
	maxPath = 5 * backend.MaxPartDepth

	// maxPart bounds how large a part may be said to be, in bytes, so that sums of
	// them stay numbers.
	maxPart = 1 << 40

	// maxSearchText bounds each text that is searched for, in bytes.
	maxSearchText = 1 << 10
)

// Messages fetches messages, some hundreds of names per call.
func (s *Session) Messages(ctx context.Context, c backend.CollectionID, ids []backend.ItemID, limit int, yield func(backend.Message) error) error {
	return fetch(ctx, s, "Messages", ids, messageOf, yield, func(ctx context.Context, names [][]byte) (fetching, error) {
		return s.c.rpc.Messages(ctx, &pb.MessagesRequest{
			Credentials: s.login(), Collection: []byte(c), Ids: names, Limit: int64(limit),
		})
	})
}

// Messages sends messages as Get sends items.
func (s *Server) Messages(in *pb.MessagesRequest, stream grpc.ServerStreamingServer[pb.GetResponse]) error {
	return s.mailbox(stream.Context(), in.GetCredentials(), "Messages", func(m backend.Mailbox) error {
		out := itemSender{stream: stream, sent: time.Now()}
		limit := int(max(0, min(in.GetLimit(), backend.MaxItemSize)))
		add := func(m backend.Message) error { return out.add(messageToProto(m)) }
		if err := m.Messages(stream.Context(), backend.CollectionID(in.GetCollection()), itemIDs(in.GetIds()), limit, add); err != nil {
			return err
		}
		return out.flush()
	})
}

// messageToProto is the inverse of messageOf.
func messageToProto(m backend.Message) *pb.Fetched {
	p := fetchedToProto(backend.Fetched{Item: backend.Item{ID: m.ID, Revision: m.Revision, Body: m.Body, Flags: m.Flags}, Err: m.Err})
	if p.Error != nil {
		return p
	}
	p.Received, p.Size = seconds(m.Received), m.Size
	for _, l := range m.Left[:min(len(m.Left), backend.MaxParts)] {
		p.Left = append(p.Left, &pb.LeftPart{Path: text(l.Path, maxPath), Encoded: l.Encoded, Kept: l.Kept})
	}
	return p
}

func messageOf(p *pb.Fetched) backend.Message {
	f := fetchedOf(p)
	m := backend.Message{ID: f.ID, Revision: f.Revision, Flags: f.Flags, Body: f.Body, Err: f.Err}
	if m.Err != nil {
		return m
	}
	m.Received, m.Size = moment(p.GetReceived()), max(0, min(p.GetSize(), maxPart))
	for _, l := range p.GetLeft()[:min(len(p.GetLeft()), backend.MaxParts)] {
		encoded := max(0, min(l.GetEncoded(), maxPart))
		m.Left = append(m.Left, backend.LeftPart{Path: text(l.GetPath(), maxPath), Encoded: encoded, Kept: max(0, min(l.GetKept(), encoded))})
	}
	return m
}

// mailbox lends do the session's mailbox.
func (s *Server) mailbox(ctx context.Context, c *pb.Credentials, op string, do func(backend.Mailbox) error) error {
	return s.with(ctx, c, func(session backend.Session) error {
		m, ok := backend.As[backend.Mailbox](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": "+op, nil)
		}
		return do(m)
	})
}

// Part receives bytes of a part.
func (s *Session) Part(ctx context.Context, c backend.CollectionID, id backend.ItemID, path string, offset, length int64, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.c.rpc.Part(ctx, &pb.PartRequest{
		Credentials: s.login(), Collection: []byte(c), Id: []byte(id), Path: text(path, maxPath), Offset: offset, Length: length,
	})
	if err != nil {
		return s.c.fromStatus(ctx, "Part", err)
	}
	for {
		msg, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.c.fromStatus(ctx, "Part", err)
		}
		if _, err := w.Write(msg.GetData()); err != nil {
			return err
		}
	}
}

// Part sends bytes of a part.
func (s *Server) Part(in *pb.PartRequest, stream grpc.ServerStreamingServer[pb.PartResponse]) error {
	return s.mailbox(stream.Context(), in.GetCredentials(), "Part", func(m backend.Mailbox) error {
		return m.Part(stream.Context(), backend.CollectionID(in.GetCollection()), backend.ItemID(in.GetId()),
			in.GetPath(), in.GetOffset(), in.GetLength(), partSender{stream})
	})
}

// A partSender writes chunks to a stream, which copies them.
type partSender struct {
	stream grpc.ServerStreamingServer[pb.PartResponse]
}

func (p partSender) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		n := min(len(rest), chunkSize)
		if err := p.stream.Send(&pb.PartResponse{Data: rest[:n]}); err != nil {
			return len(data) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(data), nil
}

// SetFlags changes a message's flags.
func (s *Session) SetFlags(ctx context.Context, c backend.CollectionID, id backend.ItemID, set, clear []string) (backend.Revision, error) {
	for _, f := range append(append([]string(nil), set...), clear...) {
		if !backend.ValidFlag(f) {
			return "", backend.Errorf(backend.Invalid, "plugin "+s.c.name+": SetFlags", "%.70q is no flag", f)
		}
	}
	if len(set)+len(clear) > backend.MaxFlags {
		return "", backend.Errorf(backend.Invalid, "plugin "+s.c.name+": SetFlags", "%d flags, at most %d are allowed", len(set)+len(clear), backend.MaxFlags)
	}
	out, err := s.c.rpc.SetFlags(ctx, &pb.SetFlagsRequest{
		Credentials: s.login(), Collection: []byte(c), Id: []byte(id), Set: set, Clear: clear,
	})
	if err != nil {
		return "", s.c.fromStatus(ctx, "SetFlags", err)
	}
	return backend.Revision(out.GetRevision()), nil
}

// SetFlags changes a message's flags.
func (s *Server) SetFlags(ctx context.Context, in *pb.SetFlagsRequest) (*pb.SetFlagsResponse, error) {
	out := &pb.SetFlagsResponse{}
	err := s.mailbox(ctx, in.GetCredentials(), "SetFlags", func(m backend.Mailbox) error {
		rev, err := m.SetFlags(ctx, backend.CollectionID(in.GetCollection()), backend.ItemID(in.GetId()), flagsOf(in.GetSet()), flagsOf(in.GetClear()))
		out.Revision = []byte(rev)
		return err
	})
	return out, err
}

// Search finds messages.
func (s *Session) Search(ctx context.Context, q backend.Query) ([]backend.Found, error) {
	in := &pb.SearchRequest{
		Credentials: s.login(), Collections: idBytes(q.Collections),
		Text: text(q.Text, maxSearchText), From: text(q.From, maxSearchText), To: text(q.To, maxSearchText), Subject: text(q.Subject, maxSearchText),
		Since: seconds(q.Since), Before: seconds(q.Before), Limit: int64(q.Limit),
	}
	out, err := retry(ctx, func() (*pb.SearchResponse, error) { return s.c.rpc.Search(ctx, in) })
	if err != nil {
		return nil, s.c.fromStatus(ctx, "Search", err)
	}
	found := make([]backend.Found, 0, len(out.GetFound()))
	for _, f := range out.GetFound() {
		if err := errors.Join(s.checkID("Search", string(f.GetCollection())), s.checkID("Search", string(f.GetId()))); err != nil {
			return nil, backend.E(backend.Other, "plugin "+s.c.name+": Search", err)
		}
		found = append(found, backend.Found{
			Collection: backend.CollectionID(f.GetCollection()), ID: backend.ItemID(f.GetId()), Received: moment(f.GetReceived()),
		})
	}
	return backend.SortFound(found, q.Limit), nil
}

// Search finds messages.
func (s *Server) Search(ctx context.Context, in *pb.SearchRequest) (*pb.SearchResponse, error) {
	out := &pb.SearchResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		searcher, ok := backend.As[backend.Searcher](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Search", nil)
		}
		q := backend.Query{
			Collections: collectionIDs(in.GetCollections()),
			Text:        in.GetText(), From: in.GetFrom(), To: in.GetTo(), Subject: in.GetSubject(),
			Since: moment(in.GetSince()), Before: moment(in.GetBefore()), Limit: int(in.GetLimit()),
		}
		found, err := searcher.Search(ctx, q)
		size := 0
		for _, f := range backend.SortFound(found, q.Limit) {
			if size += len(f.Collection) + len(f.ID) + 24; size > MaxMessage-batchSize {
				break
			}
			out.Found = append(out.Found, &pb.Found{Collection: []byte(f.Collection), Id: []byte(f.ID), Received: seconds(f.Received)})
		}
		return err
	})
	return out, err
}
