package wire

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Send sends a message. A plugin that goes away before it has the last byte
// has not sent it; after that nobody knows.
func (s *Session) Send(ctx context.Context, m backend.Envelope, r io.Reader) error {
	op := "plugin " + s.c.name + ": Send"
	if len(m.To) == 0 || len(m.To) > backend.MaxRecipients {
		return backend.Errorf(backend.Invalid, op, "%d recipients, 1 to %d are allowed", len(m.To), backend.MaxRecipients)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.c.rpc.Send(ctx)
	if err != nil {
		return s.c.fromStatus(ctx, "Send", err)
	}
	in := &pb.SendRequest{Credentials: s.login(), From: text(m.From, maxAddress), Size: m.Size}
	for _, to := range m.To {
		if len(to) > maxAddress {
			return backend.Errorf(backend.Invalid, op, "the address %.70q is too long", to)
		}
		in.To = append(in.To, text(to, maxAddress))
	}
	whole, err := sendAll(stream, in, r)
	if e, ok := errors.AsType[*readError](err); ok {
		return e.err
	}
	if err == nil {
		_, err = stream.CloseAndRecv()
	}
	switch {
	case err == nil:
		return nil
	case whole && !saysWhy(err):
		return backend.E(backend.Other, op, s.c.fromStatus(ctx, "Send", err))
	}
	return s.c.fromStatus(ctx, "Send", err)
}

// A readError is what the source of a message says.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// sendAll sends what r has, and answers whether the last of it was handed over.
func sendAll(stream grpc.ClientStreamingClient[pb.SendRequest, pb.SendResponse], part *pb.SendRequest, r io.Reader) (bool, error) {
	for ; ; part = new(pb.SendRequest) {
		var err error
		if part.Data, part.Last, err = readChunk(r); err != nil {
			return false, &readError{err}
		}
		if err := stream.Send(part); err == io.EOF { // the server has ended the call and says why
			return part.Last, nil
		} else if err != nil {
			return part.Last, err
		}
		if part.Last {
			return true, nil
		}
	}
}

// readChunk reads up to chunkSize bytes and tells whether they are the last.
// (io.ReadFull would not tell the end from a source that broke off.)
func readChunk(r io.Reader) (data []byte, last bool, err error) {
	data = make([]byte, chunkSize) // a message that was sent may not be touched again
	for n := 0; ; {
		m, err := r.Read(data[n:])
		n += m
		switch {
		case err == io.EOF:
			return data[:n], true, nil
		case err != nil:
			return nil, false, err
		case n == len(data):
			return data, false, nil
		}
	}
}

// saysWhy tells whether an error comes from the plugin itself.
func saysWhy(err error) bool {
	s, _ := status.FromError(err)
	for _, d := range s.Details() {
		if _, ok := d.(*pb.Error); ok {
			return true
		}
	}
	return false
}

// Send takes a message in parts.
func (s *Server) Send(stream grpc.ClientStreamingServer[pb.SendRequest, pb.SendResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	err = s.with(stream.Context(), first.GetCredentials(), func(session backend.Session) error {
		sender, ok := backend.As[backend.Sender](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Send", nil)
		}
		m := backend.Envelope{From: first.GetFrom(), To: first.GetTo(), Size: first.GetSize()}
		return sender.Send(stream.Context(), m, &sendReader{stream: stream, data: first.GetData(), last: first.GetLast()})
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(&pb.SendResponse{})
}

// A sendReader reads the parts of a message.
type sendReader struct {
	stream grpc.ClientStreamingServer[pb.SendRequest, pb.SendResponse]
	data   []byte
	last   bool
}

func (r *sendReader) Read(p []byte) (int, error) {
	for len(r.data) == 0 {
		if r.last {
			return 0, io.EOF
		}
		next, err := r.stream.Recv()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		r.data, r.last = next.GetData(), next.GetLast()
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

// Vacation asks what is set for the time when the person is away.
func (s *Session) Vacation(ctx context.Context) (backend.Vacation, error) {
	out, err := retry(ctx, func() (*pb.VacationResponse, error) {
		return s.c.rpc.Vacation(ctx, &pb.VacationRequest{Credentials: s.login()})
	})
	if err != nil {
		return backend.Vacation{}, s.c.fromStatus(ctx, "Vacation", err)
	}
	return backend.Vacation{
		Enabled: out.GetEnabled(), From: moment(out.GetFrom()), Until: moment(out.GetUntil()), Text: text(out.GetText(), backend.MaxVacationText),
	}, nil
}

// SetVacation sets what people are told while the person is away.
func (s *Session) SetVacation(ctx context.Context, v backend.Vacation) error {
	if len(v.Text) > backend.MaxVacationText {
		return tooLarge("plugin "+s.c.name+": SetVacation", len(v.Text))
	}
	_, err := s.c.rpc.SetVacation(ctx, &pb.SetVacationRequest{
		Credentials: s.login(), Enabled: v.Enabled, From: seconds(v.From), Until: seconds(v.Until), Text: text(v.Text, backend.MaxVacationText),
	})
	if err != nil {
		return s.c.fromStatus(ctx, "SetVacation", err)
	}
	return nil
}

// vacationer lends do the session's vacationer.
func (s *Server) vacationer(ctx context.Context, c *pb.Credentials, op string, do func(backend.Vacationer) error) error {
	return s.with(ctx, c, func(session backend.Session) error {
		v, ok := backend.As[backend.Vacationer](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": "+op, nil)
		}
		return do(v)
	})
}

// Vacation answers what is set.
func (s *Server) Vacation(ctx context.Context, in *pb.VacationRequest) (*pb.VacationResponse, error) {
	out := &pb.VacationResponse{}
	err := s.vacationer(ctx, in.GetCredentials(), "Vacation", func(v backend.Vacationer) error {
		is, err := v.Vacation(ctx)
		out.Enabled, out.From, out.Until, out.Text = is.Enabled, seconds(is.From), seconds(is.Until), text(is.Text, backend.MaxVacationText)
		return err
	})
	return out, err
}

// SetVacation sets it.
func (s *Server) SetVacation(ctx context.Context, in *pb.SetVacationRequest) (*pb.SetVacationResponse, error) {
	err := s.vacationer(ctx, in.GetCredentials(), "SetVacation", func(v backend.Vacationer) error {
		return v.SetVacation(ctx, backend.Vacation{
			Enabled: in.GetEnabled(), From: moment(in.GetFrom()), Until: moment(in.GetUntil()), Text: in.GetText(),
		})
	})
	return &pb.SetVacationResponse{}, err
}
