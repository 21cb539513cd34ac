package host_test

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/host"
)

// A shelf is a memory backend for plugins that misbehave; what it does is in
// the user's name.
type shelf struct {
	*memory.Backend
}

func openShelf(context.Context, backend.Settings) (backend.Backend, error) {
	slog.Warn("a warning", "shelf", 3)
	os.NewFile(2, "stderr").WriteString("a plain line\n{\"@message\":5}\n")
	b := memory.New()
	b.AddUser("ann", "secret")
	return &shelf{Backend: b}, nil
}

func (s *shelf) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	switch c.User {
	case "panic":
		panic("the shelf falls")
	case "silent":
		<-ctx.Done()
		return nil, ctx.Err()
	case "deaf":
		select {}
	case "exit":
		os.Exit(1)
	}
	return s.Backend.Open(ctx, backend.Credentials{User: "ann", Password: "secret"})
}

func TestPanicEndsOneCall(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "shelf", nil))
	_, err := p.Open(t.Context(), backend.Credentials{User: "panic"})
	if err == nil || backend.KindOf(err) != backend.Other || !strings.Contains(err.Error(), "the shelf falls") {
		t.Errorf("Open that panics: error = %v, want kind Other with the panic's text", err)
	}
	if _, err := p.Open(t.Context(), ann); err != nil {
		t.Errorf("Open after a panic: %v", err)
	}
	if p.Restarts() != 0 {
		t.Error("the plugin was restarted for a panic in one call")
	}
}

func TestSilentPluginIsTransient(t *testing.T) {
	p := start(t, host.Options{CallTimeout: 200 * time.Millisecond}, spec(t, "shelf", nil))
	for _, user := range []string{"silent", "deaf"} {
		t.Run(user, func(t *testing.T) {
			_, err := p.Open(t.Context(), backend.Credentials{User: user})
			if backend.KindOf(err) != backend.Transient {
				t.Errorf("Open that gets no answer: error = %v, want kind Transient", err)
			}
			_, err = p.Session(backend.Credentials{User: user}).Changes(t.Context(), "contacts", "", func([]backend.Change) error { return nil })
			if backend.KindOf(err) != backend.Transient {
				t.Errorf("Changes that gets no answer: error = %v, want kind Transient", err)
			}
		})
	}
	if _, err := p.Open(t.Context(), ann); err != nil {
		t.Errorf("Open beside silent calls: %v", err)
	}
}

func TestCancellationReachesThePlugin(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "shelf", nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Open(ctx, backend.Credentials{User: "deaf"})
	if backend.KindOf(err) != backend.Transient || ctx.Err() == nil {
		t.Errorf("Open in an ended context: error = %v, want kind Transient at once", err)
	}
}

// A plugin that dies at every touch is not restarted without end: the circuit
// opens and calls fail fast, saying when to come again.
func TestDyingPluginOpensTheCircuit(t *testing.T) {
	p := start(t, host.Options{Patience: 100 * time.Millisecond}, spec(t, "shelf", nil))
	for range 20 {
		_, err := p.Open(t.Context(), backend.Credentials{User: "exit"})
		if backend.KindOf(err) != backend.Transient {
			t.Fatalf("Open that kills the plugin: error = %v, want kind Transient", err)
		}
		if backend.RetryAfter(err) > 0 {
			return
		}
	}
	t.Error("after twenty deaths in a row calls are still let through, want RetryAfter")
}

func TestCallsAreLimited(t *testing.T) {
	p := start(t, host.Options{MaxCalls: 1, Patience: 50 * time.Millisecond}, spec(t, "shelf", nil))
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := p.Open(ctx, backend.Credentials{User: "silent"})
		first <- err
	}()
	for {
		// Until the first call has the one place, this one gets it.
		_, err := p.Open(t.Context(), ann)
		if err == nil {
			continue
		}
		if backend.KindOf(err) != backend.Transient || backend.RetryAfter(err) == 0 {
			t.Errorf("a call too many: error = %v, want kind Transient with a time to come again", err)
		}
		break
	}
	cancel()
	<-first
	if _, err := p.Open(t.Context(), ann); err != nil {
		t.Errorf("Open after the other call has ended: %v", err)
	}
}
