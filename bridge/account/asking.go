package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// maxVerifying bounds how many logins are verified at a time, so that somebody
	// who tries names cannot drown a backend. Those beyond wait for their turn.
	maxVerifying = 256

	// maxQueued bounds the requests that wait for their turn. It is what
	// nginx.conf.example says of the sockets' backlogs: as many phones as may knock at
	// once may wait inside, for some 20 KB each. Those beyond are told to come back
	// after askingPause.
	maxQueued   = 16 << 10
	askingPause = 10 * time.Second

	// maxQueueing bounds how long a request waits for its turn; then it is told to
	// come back after askingPause, too. A phone waits about half a minute for an
	// answer, of which this leaves a part for the answer. With verifyTimeout it stays
	// below 60 s, where web servers give up that are not told to wait for longer.
	maxQueueing = 20 * time.Second

	// maxCallers bounds the requests that wait for the same question: more than a
	// person has phones, unless somebody invents them.
	maxCallers = 256
)

// errDown means that the program ends.
var errDown = errors.New("shutting down")

// A question is for everybody who waits for done: first for its turn, and then for
// the backend.
type question struct {
	done     chan struct{}
	standing *standing
	err      error

	// The rest is under Accounts.mu.
	callers int     // requests that wait
	ticket  ticket  // none when it has its turn
	asked   *asking // nil when it has its turn
}

// An asking is what a question needs when its turn comes. It has the password.
type asking struct {
	ctx         context.Context
	key         key
	credentials backend.Credentials
	from        Caller
	trusted     bool // passes the throttle
}

// ask has the question put to the backend, once for everybody who has it, and
// waits for the answer. Who leaves before the question has its turn gives up the
// place; a question that is being asked is asked to the end.
func (a *Accounts) ask(ctx context.Context, k key, c backend.Credentials, from Caller, trusted bool) (*standing, error) {
	q, waits, err := a.question(&asking{context.WithoutCancel(ctx), k, c, from, trusted})
	if err != nil {
		return nil, err
	}
	var enough <-chan time.Time
	if waits {
		patience := time.NewTimer(maxQueueing)
		defer patience.Stop()
		enough = patience.C
	}
	for {
		select {
		case <-q.done:
			return q.standing, q.err
		case <-ctx.Done():
			a.leave(q)
			return nil, backend.E(backend.Transient, "account: login", context.Cause(ctx))
		case <-enough:
			if a.giveUp(q) {
				return nil, busy("it was not this one's turn for %v, with %d logins being verified at a time", maxQueueing, maxVerifying)
			}
		}
	}
}

// busy is what those are told who cannot wait.
func busy(form string, args ...any) error {
	return &backend.Error{Kind: backend.Transient, Op: "account: login", RetryAfter: askingPause, Err: fmt.Errorf(form, args...)}
}

// question finds the question that is under way or waits, or begins it. Somebody
// whose credentials nobody has to ask about does not come here.
func (a *Accounts) question(as *asking) (q *question, waits bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return nil, false, backend.E(backend.Transient, "account: login", errDown)
	}
	if q := a.asking[as.key]; q != nil {
		return q, q.asked != nil, a.join(q)
	}
	c, in := as.credentials, laneOf(as.credentials.User, as.from, as.trusted)
	waits = a.verifying >= maxVerifying
	if waits && !a.queue.admits(in) {
		return nil, false, busy("%d requests wait for their turn already", a.queue.waiting)
	}
	if !as.trusted {
		if wait := a.throttle.take(c.User, as.from); wait > 0 {
			return nil, false, throttled(wait)
		}
	}
	q = &question{done: make(chan struct{}), callers: 1, asked: as}
	a.asking[as.key] = q
	if waits {
		a.queue.add(q, in)
	} else {
		a.begin(q)
	}
	return q, waits, nil
}

func throttled(wait time.Duration) error {
	return &backend.Error{Kind: backend.Transient, Op: "account: login", RetryAfter: wait, Err: ErrThrottled}
}

// join adds a request to a question. a.mu is held.
func (a *Accounts) join(q *question) error {
	if q.callers >= maxCallers {
		return busy("%d requests ask the same", q.callers)
	}
	if q.asked != nil {
		if !a.queue.admits(q.ticket.line.lane) {
			return busy("%d requests wait for their turn already", a.queue.waiting)
		}
		a.queue.join(q)
	}
	q.callers++
	return nil
}

// leave takes a request away. A question that nobody waits for any more gives up its
// place.
func (a *Accounts) leave(q *question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left(q)
}

// giveUp is leave for one that has waited for long. It answers false, and changes
// nothing, if the question has got its turn meanwhile.
func (a *Accounts) giveUp(q *question) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.asked == nil {
		return false
	}
	a.left(q)
	return true
}

// left is leave with a.mu held.
func (a *Accounts) left(q *question) {
	q.callers--
	if as := q.asked; as != nil && a.queue.leave(q) {
		a.forget(q)
	}
}

// forget ends a question that had no turn, which leaves what the throttle took from
// its user. a.mu is held.
func (a *Accounts) forget(q *question) {
	as := q.asked
	q.asked = nil
	delete(a.asking, as.key)
	if !as.trusted {
		a.throttle.give(as.credentials.User, as.from)
	}
}

// turnAway ends a question that had no turn and is out of the queue. a.mu is held.
func (a *Accounts) turnAway(q *question, err error) {
	a.forget(q)
	q.err = err
	close(q.done)
}

// takeTurns begins the questions whose turn has come. Those of an address from where
// too many wrong passwords came while they waited get none. a.mu is held.
func (a *Accounts) takeTurns() {
	for a.verifying < maxVerifying {
		q := a.queue.next()
		if q == nil {
			return
		}
		as := q.asked
		if !as.trusted {
			if wait := a.throttle.overdrawn(as.credentials.User, as.from); wait > 0 {
				a.turnAway(q, throttled(wait))
				continue
			}
		}
		a.begin(q)
	}
}

// begin asks the backend on a goroutine of its own. a.mu is held.
func (a *Accounts) begin(q *question) {
	as := q.asked
	q.asked = nil
	a.verifying++
	a.running.Go(func() {
		ctx, cancel := context.WithTimeout(as.ctx, verifyTimeout)
		defer cancel()
		c, from := as.credentials, as.from
		var wrong bool
		q.standing, wrong, q.err = a.verify(ctx, as.key, c)
		switch {
		case wrong && as.trusted:
			a.throttle.charge(c.User, from)
		case wrong:
			a.throttle.settle(c.User, from)
		case !wrong && !as.trusted:
			a.throttle.give(c.User, from)
		}
		a.mu.Lock()
		delete(a.asking, as.key)
		a.verifying--
		a.takeTurns()
		a.mu.Unlock()
		close(q.done)
	})
}
