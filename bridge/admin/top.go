package admin

import (
	"context"
	"time"
)

// An Activity is what a worker does at this moment, and what it did since it
// began.
type Activity struct {
	Waiting int `json:"waiting"` // phones that wait for a change
	Syncing int `json:"syncing"` // phones that are being answered

	Ended    map[string]uint64 `json:"ended"`    // waits, by what ended them
	Requests map[string]uint64 `json:"requests"` // answers, by class of the HTTP status: "2xx"
	Rounds   uint64            `json:"rounds"`   // answers to Sync that told of something
	Items    uint64            `json:"items"`    // in them
	Latency  Latency           `json:"latency"`  // from word of a change to the answer

	Events []Event `json:"events"` // of the worker's log, the oldest first
}

// Latency says how often something took how long: up to Bounds[i] seconds, and
// more than the bound before, Counts[i] times. The last one of Counts is for what
// took longer than all bounds.
type Latency struct {
	Bounds []float64 `json:"bounds"`
	Counts []uint64  `json:"counts"`
}

// An Event is a line of the worker's log that says more than that a request was
// answered as it should be.
type Event struct {
	Number int64     `json:"number"`
	Time   time.Time `json:"time"`
	Level  string    `json:"level"`
	Text   string    `json:"text"`
}

// A TopRequest asks what a worker does.
type TopRequest struct {
	After int64 `json:"after"` // the number of the last event that is known
}

// A Top is what a worker does at this moment. What is counted begins at Started.
type Top struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Now     time.Time `json:"now"` // on the worker's clock
	Activity
}

func (s *Server) top(_ context.Context, _ *visit, r TopRequest) (Top, error) {
	t := Top{Version: s.Version, Started: s.started, Now: time.Now()}
	if s.Activity != nil {
		t.Activity = s.Activity(r.After)
	} else {
		t.Waiting = s.Waiting.Waiting()
	}
	return t, nil
}
