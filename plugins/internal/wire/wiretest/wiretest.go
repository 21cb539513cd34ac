// Package wiretest runs a backend through the plugin protocol inside the test's own process.
package wiretest

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// OverWire answers b as the host sees it: through both translations and gRPC.
// Sessions come from Open, as they do from b itself. It closes b with the test.
func OverWire(t testing.TB, b backend.Backend) backend.Backend {
	t.Helper()
	return OverWireOf(t, b, None)
}

// An Old is a side of the wire that knows no Watches, as before minor version 6.
type Old int

// Which side is old.
const (
	None Old = iota
	Plugin
	Host
)

// OverWireOf is OverWire with an old side.
func OverWireOf(t testing.TB, b backend.Backend, old Old) backend.Backend {
	t.Helper()
	server := wire.NewServer("wiretest", func(context.Context, backend.Settings) (backend.Backend, error) { return b, nil })
	register, through := server.Register, func(cc grpc.ClientConnInterface) grpc.ClientConnInterface { return cc }
	switch old {
	case Plugin:
		register = func(r grpc.ServiceRegistrar) { server.Register(oldPlugin{r}) }
	case Host:
		through = func(cc grpc.ClientConnInterface) grpc.ClientConnInterface { return oldHost{cc} }
	}
	return &over{Client: configured(t, connect(t, server, register, through)), b: b}
}

// oldPlugin registers a server without Watches.
type oldPlugin struct{ grpc.ServiceRegistrar }

func (r oldPlugin) RegisterService(d *grpc.ServiceDesc, impl any) {
	old := *d
	old.Streams = slices.DeleteFunc(slices.Clone(d.Streams), func(s grpc.StreamDesc) bool {
		return strings.HasSuffix(pb.Backend_Watches_FullMethodName, "/"+s.StreamName)
	})
	r.ServiceRegistrar.RegisterService(&old, impl)
}

// oldHost is a connection on which nobody calls Watches.
type oldHost struct{ grpc.ClientConnInterface }

func (c oldHost) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if method == pb.Backend_Watches_FullMethodName {
		return nil, status.Error(codes.Unimplemented, "an old host does not call this")
	}
	return c.ClientConnInterface.NewStream(ctx, d, method, opts...)
}

// Serve answers a configured client of a server.
func Serve(t testing.TB, server *wire.Server) *wire.Client {
	t.Helper()
	return configured(t, Connect(t, server))
}

func configured(t testing.TB, client *wire.Client) *wire.Client {
	t.Helper()
	if _, err := client.Configure(t.Context(), nil); err != nil {
		t.Fatalf("Configure: %v", err)
	}
	return client
}

// ServeThrough is Serve with a connection of the test's own upon the real one.
func ServeThrough(t testing.TB, server *wire.Server, through func(grpc.ClientConnInterface) grpc.ClientConnInterface) *wire.Client {
	t.Helper()
	return configured(t, connect(t, server, server.Register, through))
}

// Connect answers a client of a server that is not configured yet.
func Connect(t testing.TB, server *wire.Server) *wire.Client {
	t.Helper()
	return connect(t, server, server.Register, func(cc grpc.ClientConnInterface) grpc.ClientConnInterface { return cc })
}

func connect(t testing.TB, server *wire.Server, register func(grpc.ServiceRegistrar), through func(grpc.ClientConnInterface) grpc.ClientConnInterface) *wire.Client {
	t.Helper()
	listener := bufconn.Listen(wire.MaxMessage)
	g := grpc.NewServer(wire.ServerOptions(slog.New(slog.DiscardHandler))...)
	register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///wiretest", append(wire.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	client := wire.NewClient("wiretest", through(conn))
	t.Cleanup(func() {
		client.Close()
		conn.Close()
		g.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := server.Close(); err != nil {
			t.Errorf("Close of the backend: %v", err)
		}
	})
	return client
}

// over declares the extras that the backend declares, as the host does.
type over struct {
	*wire.Client
	b backend.Backend
}

func (o *over) Extras() []backend.Extra { return backend.Declared(o.b) }
