package bridge

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin/notice"
	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/webhook"
)

// ActiveSyncPath is where phones look for an Exchange account. See [MS-ASHTTP]
// "Request-URI".
const ActiveSyncPath = "/Microsoft-Server-ActiveSync"

// routes tells the doors of the house apart. Phones write the paths with
// capital letters or without.
func (b *Bridge) routes(activeSync, autodiscover, hooks http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.ToLower(r.URL.Path)
		switch {
		case path == strings.ToLower(ActiveSyncPath), path == strings.ToLower(ActiveSyncPath)+"/":
			activeSync.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/autodiscover/"):
			autodiscover.ServeHTTP(w, r)
		case b.pushes != nil && strings.HasPrefix(r.URL.Path, davpush.Prefix):
			b.pushes.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, webhook.Prefix):
			hooks.ServeHTTP(w, r)
		case b.gate != nil && b.notices != nil && r.URL.Path == notice.ApprovePath:
			b.notices.ServeHTTP(w, r)
		case b.gate != nil && ofGate(r.URL.Path):
			b.gate.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "pushbridge serves phones at "+ActiveSyncPath+" and below /autodiscover/.\n")
		}
	})
}

// autodiscoverCommand stands for Autodiscover among the commands.
const autodiscoverCommand = "Autodiscover"

// logged writes a line for each request of Autodiscover; easserver writes
// those of ActiveSync.
func (b *Bridge) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		event := &telemetry.Event{Command: autodiscoverCommand, Agent: r.UserAgent(), HTTP: http.StatusOK, In: max(r.ContentLength, 0)}
		ctx := withAddress(telemetry.With(r.Context(), event), account.ClientAddress(r.RemoteAddr))
		next.ServeHTTP(&counter{w, event}, r.WithContext(ctx))
		event.Took = time.Since(began)
		b.metrics.Request(event.Command, event.HTTP, event.Took)
		event.Log(ctx, b.logger)
	})
}

// addressKey is under which a context has the address of the phone that asks.
type addressKey struct{}

func withAddress(ctx context.Context, a netip.Addr) context.Context {
	return context.WithValue(ctx, addressKey{}, a)
}

// addressOf is the address of the phone that asks; the zero Addr if it is not
// known.
func addressOf(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(addressKey{}).(netip.Addr)
	return a
}

// noted keeps for the log what a phone was not told.
func noted(r *http.Request, err error) {
	if event := telemetry.From(r.Context()); event != nil {
		event.Err = err
	}
}

// A counter notes what is answered.
type counter struct {
	http.ResponseWriter
	event *telemetry.Event
}

// WriteHeader implements http.ResponseWriter.
func (c *counter) WriteHeader(status int) {
	c.event.HTTP = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.event.Out += int64(n)
	return n, err
}
