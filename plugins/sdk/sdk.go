// Package sdk makes a backend a plugin: an author writes package main with one call of Main.
//
//	func main() {
//		sdk.Main("shelf", func(ctx context.Context, s backend.Settings) (backend.Backend, error) {
//			var c struct {
//				URL string `setting:"url,required"`
//			}
//			if err := s.Decode(&c); err != nil {
//				return nil, err
//			}
//			return shelf.New(c.URL)
//		})
//	}
//
// Package backend says what a backend promises; package backendtest tries it.
package sdk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
)

// Main serves a backend to the host that started this process, and returns
// when the host is done with it. A process that was started by a person says
// so and ends with status 1.
//
// open is called once, with the part of the configuration that belongs to the
// backend, untouched. What it complains of, the person who wrote the
// configuration reads; an error of kind Transient makes the host try again
// instead. The context is that of the start alone.
//
// The backend's sessions are kept open between calls of the same person for
// some minutes, so Open need not be cheap. A panic in a method ends that call
// alone. What the process writes with log/slog reaches the host's log.
func Main(name string, open func(ctx context.Context, s backend.Settings) (backend.Backend, error)) {
	log := slog.New(logHandler(os.Stderr))
	slog.SetDefault(log)
	if os.Getenv(wire.ParentKey) == wire.ParentStdin {
		// Whoever ends a whole process group means the host, which ends its
		// plugins when the last call is answered.
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		go exitWithParent(os.Stdin)
	}
	server := wire.NewServer(name, open)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{wire.MajorVersion: {wire.PluginName: &served{server: server}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, wire.ServerOptions(log)...)...)
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
	closeWithin(server, closeTime)
}

// closeTime is how long a backend may take to close; the host kills a plugin
// that takes two seconds to end.
const closeTime = 1500 * time.Millisecond

func closeWithin(server *wire.Server, limit time.Duration) {
	done := make(chan error, 1)
	go func() { done <- server.Close() }()
	select {
	case err := <-done:
		if err != nil {
			slog.Warn("closing the backend", "error", err)
		}
	case <-time.After(limit):
		slog.Warn("the backend takes too long to close")
	}
}

// exitWithParent ends the process when the host, which holds the other end of
// standard input, has gone without saying goodbye.
func exitWithParent(stdin io.Reader) {
	io.Copy(io.Discard, stdin)
	os.Exit(0)
}

// served is the plugin as go-plugin wants it.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	server *wire.Server
}

// GRPCServer registers the backend's service.
func (p *served) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	p.server.Register(s)
	return nil
}

// GRPCClient is the host's side and not here.
func (p *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("sdk: the host's side of a plugin is in package host")
}

// logHandler writes records as hclog does, from which go-plugin reads the
// level, the message and the time.
func logHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.LevelKey:
				return slog.String("@level", strings.ToLower(a.Value.String()))
			case slog.MessageKey:
				a.Key = "@message"
			case slog.TimeKey:
				return slog.String("@timestamp", a.Value.Time().Format(hclog.TimeFormat))
			}
			return a
		},
	})
}
