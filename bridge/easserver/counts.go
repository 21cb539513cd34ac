package easserver

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/fcgi"
)

// Counts are told what the server answers. They must not block.
type Counts interface {
	// Request is told of an answer: to which command, with which HTTP status,
	// and how long it took without waiting for a change. The command is what the
	// phone wrote, if it is none of Commands.
	Request(command string, status int, took time.Duration)

	// Woken is told of a wait that ended, for one of Causes.
	Woken(cause string)

	// Latency is told how long it took from word of a change, to a phone that
	// waited by one of WaitCommands, until it was answered.
	Latency(command string, took time.Duration)

	// Sent is told how many items an answer to Sync told of.
	Sent(items int)
}

// The causes that end a wait.
const (
	CauseChange    = "change"        // in what the phone waits for
	CauseHeartbeat = "heartbeat"     // it is over
	CauseNewer     = "newer_request" // of the same phone
	CauseRecalled  = "recalled"      // to log in and be watched anew
	CauseHangUp    = "hang_up"       // by the phone, its network or the web server
	CauseOrder     = "order"         // of an administrator, or of the policy
	CauseShutdown  = "shutdown"      // of the worker
	CauseError     = "error"
)

// Causes lists the causes that end a wait.
func Causes() []string {
	return []string{CauseChange, CauseHeartbeat, CauseNewer, CauseRecalled, CauseHangUp, CauseOrder, CauseShutdown, CauseError}
}

// Commands lists what is answered: the commands, and OPTIONS.
func Commands() []string {
	list := []string{http.MethodOptions}
	for c := range maps.Keys(commands) {
		list = append(list, string(c))
	}
	slices.Sort(list)
	return list
}

// WaitCommands lists the commands that wait for changes.
func WaitCommands() []string { return []string{string(eas.CmdPing), string(eas.CmdSync)} }

// uncounted are Counts of nobody.
type uncounted struct{}

func (uncounted) Request(string, int, time.Duration) {}
func (uncounted) Woken(string)                       {}
func (uncounted) Latency(string, time.Duration)      {}
func (uncounted) Sent(int)                           {}

// answered counts a request that is answered.
func (s *Server) answered(e *telemetry.Event) {
	s.Counts.Request(e.Command, e.HTTP, e.Took-e.Parked)
}

// causeOf is why a wait ended, by what hub.Look says.
func causeOf(news []hub.Topic, err error) string {
	switch {
	case err == nil && len(news) > 0:
		return CauseChange
	case err == nil:
		return CauseHeartbeat
	case errors.Is(err, hub.ErrRecalled):
		return CauseRecalled
	case err == hub.ErrReplaced: //nolint:errorlint // wrapped it is not another request that took over
		return CauseNewer
	case errors.Is(err, hub.ErrReplaced):
		return CauseOrder
	case errors.Is(err, hub.ErrShutdown):
		return CauseShutdown
	case errors.Is(err, fcgi.ErrHungUp), errors.Is(err, fcgi.ErrAborted), errors.Is(err, context.Canceled):
		return CauseHangUp
	}
	if _, order := errors.AsType[*inBand](refusal(err)); order {
		return CauseOrder
	}
	return CauseError
}

// nudged notes when word came of a change, or of anything else that ends the
// wait.
func (w *waiting) nudged() { w.nudge.Store(int64(time.Since(w.since))) }

// wakes counts the end of a wait. It answers what to do when the phone is
// answered.
func (w *waiting) wakes(news []hub.Topic, err error) (answered func(error)) {
	cause := causeOf(news, err)
	w.server.Counts.Woken(cause)
	told := time.Duration(w.nudge.Load())
	if cause != CauseChange || told == 0 {
		return func(error) {} // found by looking, not told
	}
	return func(err error) {
		if err == nil {
			w.server.Counts.Latency(string(w.call.query.Command), time.Since(w.since)-told)
		}
	}
}
