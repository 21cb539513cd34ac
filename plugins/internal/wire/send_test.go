package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// A vanishing plugin goes away while it takes a message: after its first
// message, or after the last.
type vanishing struct {
	pb.UnimplementedBackendServer
	early bool
}

func (v vanishing) Send(stream grpc.ClientStreamingServer[pb.SendRequest, pb.SendResponse]) error {
	for {
		part, err := stream.Recv()
		if err != nil {
			return err
		}
		if v.early || part.GetLast() {
			return status.Error(codes.Unavailable, "gone")
		}
	}
}

// TestSendToAPluginThatGoesAway is about what may be tried again: a message of
// which the plugin has had the last byte may have been sent.
func TestSendToAPluginThatGoesAway(t *testing.T) {
	for _, tt := range []struct {
		name  string
		early bool
		want  backend.Kind
	}{{"before it has everything", true, backend.Transient}, {"after the last byte", false, backend.Other}} {
		t.Run(tt.name, func(t *testing.T) {
			listener := bufconn.Listen(MaxMessage)
			server := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage))
			pb.RegisterBackendServer(server, vanishing{early: tt.early})
			done := make(chan struct{})
			go func() { defer close(done); server.Serve(listener) }()
			defer func() { server.Stop(); <-done }()
			conn, err := grpc.NewClient("passthrough:///x", append(DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			s := NewClient("vanishing", conn).Session(backend.Credentials{User: "ann"}, []backend.Extra{backend.ExtraSend})
			body := bytes.NewReader(make([]byte, 6<<20)) // more than the windows between us take
			err = s.Send(t.Context(), backend.Envelope{From: "a@example.org", To: []string{"b@example.org"}}, body)
			if err == nil || backend.KindOf(err) != tt.want {
				t.Errorf("error %v (kind %q), want kind %q\nA message would be sent twice, or not at all.", err, backend.KindOf(err), tt.want)
			}
		})
	}
}

func TestReadChunk(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		give io.Reader
		size int
		last bool
		err  error
	}{
		{"nothing", bytes.NewReader(nil), 0, true, nil},
		{"less than a chunk", bytes.NewReader(make([]byte, 10)), 10, true, nil},
		{"just a chunk", bytes.NewReader(make([]byte, chunkSize)), chunkSize, false, nil},
		{"more", bytes.NewReader(make([]byte, chunkSize+1)), chunkSize, false, nil},
		{"broken", io.MultiReader(bytes.NewReader(make([]byte, 10)), failingReader{broken}), 0, false, broken},
		{"cut off", io.MultiReader(bytes.NewReader(make([]byte, 10)), failingReader{io.ErrUnexpectedEOF}), 0, false, io.ErrUnexpectedEOF},
	} {
		data, last, err := readChunk(tt.give)
		if len(data) != tt.size || last != tt.last || err != tt.err {
			t.Errorf("%s: %d bytes, last %t, error %v; want %d, %t, %v", tt.name, len(data), last, err, tt.size, tt.last, tt.err)
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }
