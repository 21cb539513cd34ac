package storm

import (
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/outbox"
)

// mostThought bounds how long after the mail system took a mail the worker is killed:
// meanwhile it keeps a copy, and marks what the mail answers.
const mostThought = 40 * time.Millisecond

// judges decides what becomes of a mail that a Worker gave to the mail system whole,
// and at times kills the worker before it hears of that, or just then.
func (m *mailroom) judges(body []byte) Fate {
	w := m.world
	p, _ := m.piece(subjectOf(body))
	if p == nil {
		w.problem("a mail %q is sent, which nobody wrote", subjectOf(body))
		return Taken
	}
	switch n := m.roll(); {
	case n < 25:
		w.fault("the mail system refuses a mail")
		return Refused
	case n < 50:
		w.fault("the mail system takes no mail now")
		return Deferred
	case n < 90:
		w.fault("the mail system takes no mail, and nobody hears that")
		return m.given(p, 0, true)
	case n < 140 && w.strike():
		return m.given(p, 0, true)
	case n < 190:
		w.fault("the mail system takes a mail, and nobody hears that")
		return m.given(p, 1, true)
	case n < 250 && w.strike():
		return m.given(p, 1, true)
	case n < 400:
		at := m.number(int(mostThought))
		w.striking.Go(func() {
			time.Sleep(time.Duration(at)) // any moment will do
			w.strike()
		})
	}
	return m.given(p, 1, false)
}

// given notes that the mail system was given a mail, and whether nobody hears what
// became of it.
func (m *mailroom) given(p *piece, taken int, unheard bool) Fate {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.outcome(p)
	o.taken += taken
	o.given++
	if unheard {
		o.unsure++
		return Unheard
	}
	return Taken
}

// roll is a number below 1000, or 1000 if it is calm.
func (m *mailroom) roll() int {
	if m.world.weather.calmed() {
		return 1000
	}
	return m.number(1000)
}

func (m *mailroom) number(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.IntN(n)
}

// harmed notes that something went wrong with what sends and keeps mail.
func (m *mailroom) harmed() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures++
}

// doubts tells whether the bridge may not know what came of a mail. m.mu is held.
func (m *mailroom) doubts(o *outcome) bool {
	return o.unsure > 0 || o.begun && !o.clean && m.failures > o.harm
}

// begins notes that a phone sends a mail by way of a Worker, of which nobody sees from
// outside how far it is when it is killed: it notes that all of a mail was given away
// before the mail system has the end.
func (m *mailroom) begins(p *piece) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o := m.outcome(p); !o.begun && m.world.options.Worker != nil {
		o.begun, o.harm = true, m.failures
	}
}

// An Ager is a Worker for which time can pass while it is stopped.
type Ager interface {
	Age(time.Duration) error
}

// outlast lets so much time pass that no worker that was killed can still be at a mail.
func (w *world) outlast() {
	if w.options.Worker == nil {
		w.pass(outbox.SendTime)
		return
	}
	if w.mail == nil {
		return
	}
	w.note("no worker that was killed is at a mail any more")
	w.close()
	if err := w.options.Worker.(Ager).Age(2 * outbox.SendTime); err != nil {
		w.problem("letting time pass: %v", err)
	}
	w.open()
}

// A target is a Worker while one request, and nothing else, is under way.
type target struct {
	mu       sync.Mutex
	exposed  bool
	stricken bool
}

// strike kills a Worker that is exposed, and tells whether it did.
func (w *world) strike() bool {
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	if !w.target.exposed || w.weather.calmed() { // it may have become calm since somebody wanted to
		return false
	}
	w.target.exposed, w.target.stricken = false, true
	w.fault("the worker is killed over a mail")
	w.count(func(r *Report) { r.Kills++ })
	if err := w.options.Worker.Kill(); err != nil {
		w.t.Errorf("killing the worker: %v", err)
	}
	w.mail.harmed()
	return true
}

// expose lets a Worker be killed from now on, or no longer, and tells whether it was.
func (w *world) expose(exposed bool) (stricken bool) {
	w.target.mu.Lock()
	defer w.target.mu.Unlock()
	stricken = w.target.stricken
	w.target.exposed, w.target.stricken = exposed, false
	return stricken
}
