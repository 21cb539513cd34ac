package wire

import (
	"context"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Bounds of what a plugin may say of people.
const (
	// maxAddresses is how many mail addresses of one person are taken.
	maxAddresses = 64

	// maxAddress is the length of a mail address, in bytes. See RFC 5321,
	// section 4.5.3.1.3, which counts the angle brackets.
	maxAddress = 254
)

// Identity asks who the person is.
func (s *Session) Identity(ctx context.Context) (backend.Identity, error) {
	out, err := retry(ctx, func() (*pb.IdentityResponse, error) {
		return s.c.rpc.Identity(ctx, &pb.IdentityRequest{Credentials: s.login()})
	})
	if err != nil {
		return backend.Identity{}, s.c.fromStatus(ctx, "Identity", err)
	}
	id := backend.Identity{Name: text(out.GetName(), maxName)}
	for _, a := range out.GetAddresses() {
		if len(a) > 0 && len(a) <= maxAddress && len(id.Addresses) < maxAddresses {
			id.Addresses = append(id.Addresses, a)
		}
	}
	return id, nil
}

// FreeBusy asks when people are busy.
func (s *Session) FreeBusy(ctx context.Context, addresses []string, from, to time.Time) (map[string][]byte, error) {
	if len(addresses) > backend.MaxBatch {
		return nil, backend.Errorf(backend.Invalid, "plugin "+s.c.name+": FreeBusy", "%d addresses, at most %d are allowed", len(addresses), backend.MaxBatch)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := &pb.FreeBusyRequest{Credentials: s.login(), From: from.Unix(), To: to.Unix()}
	for _, a := range addresses {
		in.Addresses = append(in.Addresses, text(a, maxAddress))
	}
	found, err := retry(ctx, func() (map[string][]byte, error) { return s.freeBusy(ctx, in) })
	if err != nil {
		return nil, s.c.fromStatus(ctx, "FreeBusy", err)
	}
	return found, nil
}

func (s *Session) freeBusy(ctx context.Context, in *pb.FreeBusyRequest) (map[string][]byte, error) {
	stream, err := s.c.rpc.FreeBusy(ctx, in)
	if err != nil {
		return nil, err
	}
	asked := make(map[string]bool, len(in.Addresses))
	for _, a := range in.Addresses {
		asked[a] = true
	}
	found := make(map[string][]byte)
	for {
		msg, err := stream.Recv()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if asked[msg.GetAddress()] && len(msg.GetCalendar()) <= backend.MaxFreeBusy {
			found[msg.GetAddress()] = msg.GetCalendar()
		}
	}
}

// Identity answers who the person is.
func (s *Server) Identity(ctx context.Context, in *pb.IdentityRequest) (*pb.IdentityResponse, error) {
	out := &pb.IdentityResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		i, ok := backend.As[backend.Identifier](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Identity", nil)
		}
		id, err := i.Identity(ctx)
		out.Name = text(id.Name, maxName)
		for _, a := range id.Addresses {
			if len(a) <= maxAddress && len(out.Addresses) < maxAddresses {
				out.Addresses = append(out.Addresses, text(a, maxAddress))
			}
		}
		return err
	})
	return out, err
}

// FreeBusy sends a message for each person of whom the store tells.
func (s *Server) FreeBusy(in *pb.FreeBusyRequest, stream grpc.ServerStreamingServer[pb.FreeBusyResponse]) error {
	return s.with(stream.Context(), in.GetCredentials(), func(session backend.Session) error {
		f, ok := backend.As[backend.FreeBusier](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": FreeBusy", nil)
		}
		found, err := f.FreeBusy(stream.Context(), in.GetAddresses(), time.Unix(in.GetFrom(), 0), time.Unix(in.GetTo(), 0))
		if err != nil {
			return err
		}
		for a, calendar := range found {
			if len(calendar) > backend.MaxFreeBusy {
				continue // nothing is told in place of a part
			}
			if err := stream.Send(&pb.FreeBusyResponse{Address: text(a, maxAddress), Calendar: calendar}); err != nil {
				return err
			}
		}
		return nil
	})
}
