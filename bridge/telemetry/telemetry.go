// Package telemetry sets up logging and gathers the one line that each request leaves in the log.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// New builds a logger that writes to w. format is "text" (also if empty) or
// "json"; level is "debug", "info" (also if empty), "warn" or "error".
func New(w io.Writer, level, format string) (*slog.Logger, error) {
	l, err := ParseLevel(level)
	if err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: l}
	switch strings.ToLower(format) {
	case "", "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("telemetry: %q is not a log format (text, json)", format)
}

// ParseLevel reads a level of the log; the empty one is info.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("telemetry: %q is not a log level (debug, info, warn, error)", s)
}

// An Event is what one request leaves in the log: who asked for what and what
// the answer was, never what people wrote. Whoever handles the request fills
// it in; the top handler logs it when the request ends. Its exported fields
// belong to the goroutine that handles the request.
type Event struct {
	User, Phone, Command string
	Version              string // of the protocol
	Agent                string // the phone's User-Agent

	HTTP   int           // the HTTP status
	Status int           // what the phone was told: the command's status; 0 if it has none
	In     int64         // bytes of the request's body
	Out    int64         // bytes of the answer's body
	Took   time.Duration // the whole request, waiting included
	Parked time.Duration // the part of it spent waiting for a change
	Err    error         // what the phone was not told

	mu    sync.Mutex
	extra []slog.Attr
}

// Add notes a further fact, such as a number of items. It may be called from
// any goroutine, and on a nil Event.
func (e *Event) Add(a ...slog.Attr) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.extra = append(e.extra, a...)
}

// Level is how much attention the event deserves: a failure of ours is an
// error, a refused request a warning.
func (e *Event) Level() slog.Level {
	switch {
	case e.HTTP >= 500 && e.HTTP != 501 && e.HTTP != 503:
		return slog.LevelError
	case e.HTTP == 499: // the phone hung up, as phones do
		return slog.LevelInfo
	case e.Err != nil || e.HTTP == 503 || e.HTTP == 400:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Log writes the line.
func (e *Event) Log(ctx context.Context, l *slog.Logger) {
	level := e.Level()
	if !l.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 16)
	for _, a := range [...]struct{ key, value string }{
		{"command", e.Command}, {"user", e.User}, {"phone", e.Phone},
		{"version", e.Version}, {"agent", e.Agent},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, short(a.value)))
		}
	}
	attrs = append(attrs, slog.Int("http", e.HTTP))
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	attrs = append(attrs, slog.Int64("in", e.In), slog.Int64("out", e.Out), slog.Duration("took", e.Took))
	if e.Parked > 0 {
		attrs = append(attrs, slog.Duration("parked", e.Parked))
	}
	e.mu.Lock()
	attrs = append(attrs, e.extra...)
	e.mu.Unlock()
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	l.LogAttrs(ctx, level, requestMessage, attrs...)
}

// requestMessage begins the line of a request.
const requestMessage = "request"

// maxValue bounds what a phone says of itself in the log, in bytes, so that no
// phone can fill the disk with one line.
const maxValue = 256

func short(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "") + "…"
}

type key struct{}

// With gives a context an Event for everybody further down to fill in.
func With(ctx context.Context, e *Event) context.Context { return context.WithValue(ctx, key{}, e) }

// From is the context's Event, or nil, on which Add does nothing.
func From(ctx context.Context) *Event {
	e, _ := ctx.Value(key{}).(*Event)
	return e
}
