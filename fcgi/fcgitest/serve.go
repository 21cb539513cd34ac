package fcgitest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/fcgi"
)

// shutdownPatience is how long handlers may take to answer at a test's end.
// It is reached only by a test that is wrong.
const shutdownPatience = 30 * time.Second

// SocketPath answers a path for a unix socket. t.TempDir will not do: it
// contains the test's name, and the path of a socket has room for 107 bytes.
func SocketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fcgi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// Serve serves h on a unix socket until the test ends, and answers the
// socket's address.
func Serve(t testing.TB, h http.Handler) (addr string) {
	t.Helper()
	return Start(t, &fcgi.Server{Handler: h})
}

// Start lets s serve on a unix socket until the test ends, and answers the
// socket's address. At the end every handler must answer its Shutdown.
func Start(t testing.TB, s *fcgi.Server) (addr string) {
	t.Helper()
	addr = "unix:" + SocketPath(t)
	l, err := fcgi.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("fcgitest: Shutdown: %v, with %+v left\nEvery handler must end when its context does.", err, s.Stats())
			s.Close()
		}
		if err := <-served; !errors.Is(err, fcgi.ErrServerClosed) {
			t.Errorf("fcgitest: Serve: %v, want ErrServerClosed", err)
		}
	})
	return addr
}
