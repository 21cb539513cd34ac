package easserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/fcgi"
)

// A wait is the answer of a command that has nothing to say yet. What then
// refers to is what a waiting phone costs.
type wait struct {
	topics    []hub.Topic
	heartbeat time.Duration
	push      *push // nil means that all topics wake the phone at any time

	// then answers when something changed, or when the wait ended otherwise; see
	// hub.Look.
	then func(ctx context.Context, news []hub.Topic, err error) (answer, error)
}

// A waiting is a request that waits without a goroutine.
type waiting struct {
	then   func(ctx context.Context, news []hub.Topic, err error) (answer, error) // see wait
	server *Server
	call   *call
	seat   *hub.Seat
	since  time.Time
	nudge  atomic.Int64 // when it was told to look, since then; 0 if it was not
}

// sit lets a call wait.
func (s *Server) sit(ctx context.Context, rec *recorder, c *call, wt *wait) error {
	c.arrival = waited[c.query.Command]
	w := &waiting{then: wt.then, server: s, call: c, since: time.Now()}
	s.sits(c)
	var err error
	w.seat, err = s.Hub.Sit(hub.Wait{
		User: c.phone.User, Device: c.phone.Device, Topics: slices.Clone(wt.topics), Heartbeat: wt.heartbeat,
		Check: s.pending(c, wt.push), Watch: s.watcher(c.account),
	})
	if err != nil {
		return w.over(ctx, rec, nil, err)
	}
	defer w.leave(rec)
	if err := s.Devices.Summons(ctx, c.deviceID(), c.version.String()); err != nil {
		return w.over(ctx, rec, nil, err)
	}
	return w.look(ctx, rec)
}

// look answers if there is a reason, and else lets the request rest until
// there may be one.
func (w *waiting) look(ctx context.Context, rec *recorder) error {
	l, err := w.seat.Look(ctx)
	if l.Over || err != nil {
		return w.over(ctx, rec, l.Topics, err)
	}
	d := fcgi.Detach(rec.ResponseWriter, l.Until, w.woken)
	if d == nil {
		return fmt.Errorf("easserver: %T cannot wait", rec.ResponseWriter)
	}
	rec.waits = true
	w.nudge.Store(0)
	w.seat.Rest(func(why error) { w.nudged(); d.End(why) })
	return nil
}

// woken goes on with the request.
func (w *waiting) woken(ctx context.Context, rw http.ResponseWriter, _ error) {
	rec := &recorder{ResponseWriter: rw, tape: w.call.tape}
	defer w.leave(rec)
	w.server.guarded(ctx, rec, w.call.event, w.call.start, func() {
		if err := w.look(ctx, rec); err != nil {
			w.server.refuse(ctx, rec, w.call.event, err)
		}
	})
}

// leave gives the seat up, unless the request waits on.
func (w *waiting) leave(rec *recorder) {
	if !rec.waits {
		w.seat.Leave()
	}
}

// over ends the wait.
func (w *waiting) over(ctx context.Context, rec *recorder, news []hub.Topic, err error) error {
	if w.seat != nil {
		w.seat.Leave() // what is answered now is no reason to be woken
	}
	if errors.Is(err, fcgi.ErrShutdown) {
		err = hub.ErrShutdown
	}
	w.call.park(w.since)
	w.server.ended(ctx, w.call, w.since, err)
	answered := w.wakes(news, err)
	message, err := w.then(ctx, news, err)
	if err != nil {
		err = refusal(err) // an order that ended the wait
	}
	err = w.server.conclude(rec, w.call, message, err)
	answered(err)
	return err
}

// guarded runs a request, or a part of it, keeps its panic from the others, and
// logs it in one line if it is answered.
func (s *Server) guarded(ctx context.Context, rec *recorder, event *telemetry.Event, start time.Time, run func()) {
	defer func() {
		if p := recover(); p != nil {
			// One command went wrong in a way that nobody foresaw; the other
			// phones get on with their day.
			event.Err = fmt.Errorf("easserver: panic: %v", p)
			s.Logger.Error("panic", "command", event.Command, "panic", p, "stack", string(debug.Stack()))
			rec.waits = false
			if rec.status == 0 {
				rec.fail(http.StatusInternalServerError, "internal error")
			}
		}
		if !rec.waits {
			rec.tape.End(rec.status, rec.doc)
			event.HTTP, event.Out, event.Took = rec.status, rec.bytes, time.Since(start)
			s.answered(event)
			event.Log(context.WithoutCancel(ctx), s.Logger)
		}
	}()
	run()
}
