package admin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/trace"
)

// A TraceRequest begins to record what a phone and the worker say.
type TraceRequest struct {
	User    string `json:"user"`
	Device  string `json:"device"`
	Seconds int    `json:"seconds"`
	Content bool   `json:"content,omitempty"` // with what people wrote
}

func (r TraceRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// A FetchRequest asks for what was recorded since the last one.
type FetchRequest struct {
	User   string `json:"user"`
	Device string `json:"device"`
	Stop   bool   `json:"stop,omitempty"` // and ends it
}

// A Traced is a piece of a recording.
type Traced struct {
	Text string `json:"text"`
	Over bool   `json:"over"` // it was the last one
}

// Trace begins to record a phone. A recording that is not fetched for a minute
// ends.
func (c *Client) Trace(ctx context.Context, r TraceRequest) (d Done, err error) {
	return d, c.post(ctx, OpTrace.Path, r, &d)
}

// Fetch asks for what was recorded since.
func (c *Client) Fetch(ctx context.Context, r FetchRequest) (t Traced, err error) {
	return t, c.post(ctx, OpTraced.Path, r, &t)
}

func (s *Server) trace(_ context.Context, v *visit, req TraceRequest) (done Done, err error) {
	v.note = append(v.note, slog.Int("seconds", req.Seconds), slog.Bool("content", req.Content))
	v.changed(nil, req)
	length := time.Duration(req.Seconds) * time.Second
	switch {
	case req.User == "" || req.Device == "":
		return done, invalid("say whose phone and which: user and device")
	case req.Seconds < 1 || req.Seconds > int(trace.MaxTime/time.Second):
		return done, invalid("a recording takes from a second to %v", trace.MaxTime)
	case s.Tracer == nil:
		return done, &Error{Unknown, "This worker cannot record."}
	}
	switch err := s.Tracer.Start(trace.Phone{User: req.User, Device: req.Device}, length, req.Content); {
	case errors.Is(err, trace.ErrRunning):
		return done, invalid("This phone is being recorded already; that ends by itself a minute after its recorder went.")
	case errors.Is(err, trace.ErrTooMany):
		return done, invalid("%d phones are being recorded already; end one of them.", trace.MaxRecordings)
	case err != nil:
		return done, err
	}
	return Done{Text: "Recording."}, nil
}

func (s *Server) traced(_ context.Context, _ *visit, req FetchRequest) (none Traced, err error) {
	if s.Tracer == nil {
		return none, &Error{Unknown, "This worker cannot record."}
	}
	p := trace.Phone{User: req.User, Device: req.Device}
	text, over := "", true
	if req.Stop {
		text, err = s.Tracer.Stop(p)
	} else {
		text, over, err = s.Tracer.Fetch(p)
	}
	if errors.Is(err, trace.ErrNone) {
		return none, notFound("This phone is not being recorded; was the worker restarted?")
	}
	return Traced{Text: text, Over: over}, err
}
