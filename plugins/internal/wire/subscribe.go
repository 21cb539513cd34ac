package wire

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// Subscribe asks for Web Push messages. It may be asked again: the resource is
// the subscription.
func (s *Session) Subscribe(ctx context.Context, c backend.CollectionID, sub backend.PushSubscription) (backend.PushRegistration, error) {
	out, err := retry(ctx, func() (*pb.SubscribeResponse, error) {
		return s.c.rpc.Subscribe(ctx, &pb.SubscribeRequest{
			Credentials: s.login(), Collection: []byte(c), Resource: sub.Resource,
			PublicKey: sub.PublicKey, Auth: sub.Auth, Expires: seconds(sub.Expires),
		})
	})
	if err != nil {
		return backend.PushRegistration{}, s.c.fromStatus(ctx, "Subscribe", err)
	}
	return backend.PushRegistration{ServerKey: out.GetServerKey(), Expires: moment(out.GetExpires())}, nil
}

// Subscribe asks the store for Web Push messages.
func (s *Server) Subscribe(ctx context.Context, in *pb.SubscribeRequest) (*pb.SubscribeResponse, error) {
	out := &pb.SubscribeResponse{}
	err := s.with(ctx, in.GetCredentials(), func(session backend.Session) error {
		sub, ok := backend.As[backend.Subscriber](session)
		if !ok {
			return backend.E(backend.Unsupported, s.name+": Subscribe", nil)
		}
		given, err := sub.Subscribe(ctx, backend.CollectionID(in.GetCollection()), backend.PushSubscription{
			Resource: in.GetResource(), PublicKey: in.GetPublicKey(), Auth: in.GetAuth(), Expires: moment(in.GetExpires()),
		})
		out.ServerKey, out.Expires = given.ServerKey, seconds(given.Expires)
		return err
	})
	return out, err
}

// seconds and moment have 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func moment(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}
