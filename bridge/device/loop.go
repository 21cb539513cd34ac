package device

import (
	"context"
	"time"
)

// A Loop is a circle that a phone goes in about provisioning. Phones are known
// to do each of these day and night, at the cost of their battery and our
// servers.
type Loop string

// The loops.
const (
	// LoopDeaf: it is told to provision, and asks for anything but the policy. It
	// is told that it is not provisionable instead, for LoopPause.
	LoopDeaf Loop = "told to provision, it does not ask for the policy"

	// LoopKeyless: it accepts the policy, and does not send the key that it was
	// given. It is served without: it said that it applied the policy.
	LoopKeyless Loop = "it accepts the policy again and again, and never sends its key"

	// LoopRefuses: it refuses the policy, and asks for it anew. It is told that it
	// does not comply, for LoopPause.
	LoopRefuses Loop = "it refuses the policy again and again"
)

const (
	// LoopWindow is the time in which turns are counted: a person who tries twice
	// is no loop.
	LoopWindow = 10 * time.Minute

	// MaxTold is how often a phone may be told to provision in a window: several
	// requests under way at a time are told so before it begins.
	MaxTold = 20

	// MaxAccepts and MaxRefuses are how often a phone may end provisioning in a
	// window.
	MaxAccepts = 5
	MaxRefuses = 5

	// MaxAsks is how often a phone may ask for the policy in a window, whatever
	// it does afterwards.
	MaxAsks = 30

	// LoopPause is how long a phone is refused that is deaf or refuses; then it
	// may try again, for its owner may have updated it.
	LoopPause = time.Hour
)

// Turns counts what a phone does about provisioning within a window.
type Turns struct {
	Since                         time.Time // when the window began
	Told, Asks, Accepts, Refusals int

	Loop      Loop
	LoopSince time.Time
}

// window begins a new one if the last one is over.
func (t *Turns) window(now time.Time) {
	if now.Sub(t.Since).Abs() >= LoopWindow {
		t.Since, t.Told, t.Asks, t.Accepts, t.Refusals = now, 0, 0, 0, 0
	}
}

// loop is the loop that the phone is in.
func (t Turns) loop(now time.Time) Loop {
	if t.Loop != LoopKeyless && now.Sub(t.LoopSince).Abs() >= LoopPause {
		return ""
	}
	return t.Loop
}

func (t *Turns) enter(l Loop, now time.Time) { t.Loop, t.LoopSince = l, now }

func (t *Turns) told(now time.Time) {
	t.window(now)
	if t.Told++; t.Told > MaxTold && t.loop(now) == "" {
		t.enter(LoopDeaf, now)
	}
}

// asks notes that the phone asks for the policy, and tells whether it may have
// it.
func (t *Turns) asks(now time.Time) bool {
	t.window(now)
	t.Told = 0
	if t.Loop == LoopDeaf {
		t.enter("", now)
	}
	t.Asks++
	return t.Asks <= MaxAsks
}

func (t *Turns) acknowledged(now time.Time, refused bool) {
	t.window(now)
	switch {
	case refused:
		if t.Refusals++; t.Refusals > MaxRefuses {
			t.enter(LoopRefuses, now)
		}
	case t.Accepts+1 > MaxAccepts:
		t.Accepts++
		t.enter(LoopKeyless, now)
	default:
		t.Accepts++
		if t.Loop == LoopRefuses {
			t.enter("", now)
		}
	}
}

// turn changes a phone's record, and reports a loop that begins. What change
// counted is kept where it answers ErrLoop.
func (r *Register) turn(ctx context.Context, id ID, change func(*Phone, time.Time) error) error {
	var began, loop bool
	p, err := r.Store.Update(ctx, id, func(p *Phone, _ bool) error {
		now := time.Now()
		before := p.Policy.Turns.loop(now)
		err := change(p, now)
		if loop = err == ErrLoop; loop {
			err = nil // it is the count that says so next time
		}
		after := p.Policy.Turns.loop(now)
		began = after != "" && after != before
		return err
	})
	if err != nil {
		return err
	}
	if began && r.Looping != nil {
		r.Looping(p)
	}
	if loop {
		return ErrLoop
	}
	return nil
}
