// Package wiretest runs a backend through the plugin protocol inside the test's own process.
package wiretest

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
)

// OverWire answers b as the host sees it: through both translations and gRPC.
// Sessions come from Open, as they do from b itself. It closes b with the test.
func OverWire(t testing.TB, b backend.Backend) backend.Backend {
	t.Helper()
	return &over{Client: Serve(t, wire.NewServer("wiretest", func(context.Context, backend.Settings) (backend.Backend, error) { return b, nil })), b: b}
}

// Serve answers a configured client of a server.
func Serve(t testing.TB, server *wire.Server) *wire.Client {
	t.Helper()
	client := Connect(t, server)
	if _, err := client.Configure(t.Context(), nil); err != nil {
		t.Fatalf("Configure: %v", err)
	}
	return client
}

// Connect answers a client of a server that is not configured yet.
func Connect(t testing.TB, server *wire.Server) *wire.Client {
	t.Helper()
	listener := bufconn.Listen(wire.MaxMessage)
	g := grpc.NewServer(wire.ServerOptions(slog.New(slog.DiscardHandler))...)
	server.Register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///wiretest", append(wire.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(func() {
		conn.Close()
		g.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := server.Close(); err != nil {
			t.Errorf("Close of the backend: %v", err)
		}
	})
	return wire.NewClient("wiretest", conn)
}

// over declares the extras that the backend declares, as the host does.
type over struct {
	*wire.Client
	b backend.Backend
}

func (o *over) Extras() []backend.Extra { return backend.Declared(o.b) }
