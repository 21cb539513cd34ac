package admin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pushbridge/pushbridge/bridge/trace"
)

// The paths of the calls for recordings.
const (
	pathTrace  = "/v1/trace"
	pathTraced = "/v1/trace/fetch"
)

// A TraceRequest begins to record what a phone and the worker say.
type TraceRequest struct {
	User    string `json:"user"`
	Device  string `json:"device"`
	Seconds int    `json:"seconds"`
	Content bool   `json:"content,omitempty"` // with what people wrote
}

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
	return d, c.post(ctx, pathTrace, r, &d)
}

// Fetch asks for what was recorded since.
func (c *Client) Fetch(ctx context.Context, r FetchRequest) (t Traced, err error) {
	return t, c.post(ctx, pathTraced, r, &t)
}

func (s *Server) trace(_ context.Context, r *request) (any, error) {
	var req TraceRequest
	if err := r.take(&req); err != nil {
		return nil, err
	}
	r.of(req.User, req.Device, 0)
	r.note = append(r.note, slog.Int("seconds", req.Seconds), slog.Bool("content", req.Content))
	length := time.Duration(req.Seconds) * time.Second
	switch {
	case req.User == "" || req.Device == "":
		return nil, invalid("say whose phone and which: user and device")
	case req.Seconds < 1 || req.Seconds > int(trace.MaxTime/time.Second):
		return nil, invalid("a recording takes from a second to %v", trace.MaxTime)
	case s.Tracer == nil:
		return nil, &Error{Unknown, "This worker cannot record."}
	}
	switch err := s.Tracer.Start(trace.Phone{User: req.User, Device: req.Device}, length, req.Content); {
	case errors.Is(err, trace.ErrRunning):
		return nil, invalid("This phone is being recorded already; that ends by itself a minute after its recorder went.")
	case errors.Is(err, trace.ErrTooMany):
		return nil, invalid("%d phones are being recorded already; end one of them.", trace.MaxRecordings)
	case err != nil:
		return nil, err
	}
	return Done{Text: "Recording."}, nil
}

func (s *Server) traced(_ context.Context, r *request) (any, error) {
	var req FetchRequest
	if err := r.take(&req); err != nil {
		return nil, err
	}
	if s.Tracer == nil {
		return nil, &Error{Unknown, "This worker cannot record."}
	}
	p := trace.Phone{User: req.User, Device: req.Device}
	text, over, err := "", true, error(nil)
	if req.Stop {
		text, err = s.Tracer.Stop(p)
	} else {
		text, over, err = s.Tracer.Fetch(p)
	}
	if errors.Is(err, trace.ErrNone) {
		return nil, notFound("This phone is not being recorded; was the worker restarted?")
	}
	return Traced{Text: text, Over: over}, err
}
