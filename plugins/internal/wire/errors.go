package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// statusCodes are for those who look at the calls with the tools of gRPC; the
// kind itself travels in the details.
var statusCodes = map[backend.Kind]codes.Code{
	backend.NotFound:    codes.NotFound,
	backend.Conflict:    codes.Aborted,
	backend.Expired:     codes.OutOfRange,
	backend.Denied:      codes.Unauthenticated,
	backend.Transient:   codes.Unavailable,
	backend.TooLarge:    codes.ResourceExhausted,
	backend.ReadOnly:    codes.PermissionDenied,
	backend.Invalid:     codes.InvalidArgument,
	backend.Unsupported: codes.Unimplemented,
}

// errorToProto flattens an error; text is what Err said.
func errorToProto(err error) *pb.Error {
	out := &pb.Error{Kind: pb.Kind(backend.KindOf(err)), RetryAfterMs: uint64(max(0, backend.RetryAfter(err).Milliseconds()))}
	if e, ok := err.(*backend.Error); ok {
		out.Op = text(e.Op, maxName)
		if e.Err != nil {
			out.Text = text(e.Err.Error(), maxText)
		}
		return out
	}
	out.Text = text(err.Error(), maxText)
	return out
}

// errorOf is the inverse of errorToProto. A kind that this side does not know
// is Other.
func errorOf(e *pb.Error) *backend.Error {
	out := &backend.Error{
		Kind: backend.Kind(e.GetKind()), Op: e.GetOp(),
		RetryAfter: time.Duration(min(e.GetRetryAfterMs(), maxRetryAfterMS)) * time.Millisecond,
	}
	if _, known := pb.Kind_name[int32(e.GetKind())]; !known {
		out.Kind = backend.Other
	}
	if e.GetText() != "" {
		out.Err = errors.New(e.GetText())
	}
	return out
}

// maxRetryAfterMS bounds the wait that a plugin may ask for: a day.
const maxRetryAfterMS = 24 * 60 * 60 * 1000

// toStatus is what a call of the server fails with. details come beside the error.
func toStatus(err error, details ...protoadapt.MessageV1) error {
	if err == nil {
		return nil
	}
	e := errorToProto(err)
	code, ok := statusCodes[backend.Kind(e.Kind)]
	if !ok {
		code = codes.Unknown
	}
	s := status.New(code, backend.Kind(e.Kind).String())
	if with, err := s.WithDetails(append([]protoadapt.MessageV1{e}, details...)...); err == nil {
		s = with
	}
	return s.Err()
}

// fromStatus is what a call of the client fails with: what the plugin said,
// or what became of the connection.
func (c *Client) fromStatus(ctx context.Context, op string, err error) *backend.Error {
	op = "plugin " + c.name + ": " + op
	if ctx.Err() != nil {
		return ended(ctx, op)
	}
	if e, ok := errors.AsType[*backend.Error](err); ok {
		return e // from the connection itself, which may be the supervisor's
	}
	s, _ := status.FromError(err)
	for _, d := range s.Details() {
		if e, ok := d.(*pb.Error); ok {
			return errorOf(e)
		}
	}
	kind := backend.Other
	switch s.Code() {
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted:
		kind = backend.Transient
	case codes.Unimplemented:
		kind = backend.Unsupported
	}
	return backend.Errorf(kind, op, "%s: %s", s.Code(), s.Message())
}

// ended is the error of a context, with its cause.
func ended(ctx context.Context, op string) *backend.Error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause != err {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return backend.E(backend.Transient, op, err)
}

// lost tells whether a call failed because the plugin went away, so that
// asking again may help.
func lost(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	s, ok := status.FromError(err)
	return ok && s.Code() == codes.Unavailable && len(s.Details()) == 0
}
