package bridge

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/telemetry"
)

// ActiveSyncPath is where phones look for an Exchange account. See [MS-ASHTTP]
// "Request-URI".
const ActiveSyncPath = "/Microsoft-Server-ActiveSync"

// routes tells the doors of the house apart. Phones write the paths with
// capital letters or without.
func (b *Bridge) routes(activeSync, autodiscover http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.ToLower(r.URL.Path)
		switch {
		case path == strings.ToLower(ActiveSyncPath), path == strings.ToLower(ActiveSyncPath)+"/":
			activeSync.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/autodiscover/"):
			autodiscover.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "pushbridge serves phones at "+ActiveSyncPath+" and below /autodiscover/.\n")
		}
	})
}

// logged writes a line for each request of Autodiscover; easserver writes
// those of ActiveSync.
func (b *Bridge) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		event := &telemetry.Event{Command: "Autodiscover", Agent: r.UserAgent(), HTTP: http.StatusOK, In: max(r.ContentLength, 0)}
		ctx := telemetry.With(r.Context(), event)
		next.ServeHTTP(&counter{w, event}, r.WithContext(ctx))
		event.Took = time.Since(began)
		event.Log(ctx, b.logger)
	})
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
