package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Wait is what a phone waits for.
type Wait struct {
	User   string // the account's name
	Device string // a later Wait of the same user and device replaces this one

	Topics []Topic

	// Heartbeat is how long to wait. Without one, Wait only checks.
	Heartbeat time.Duration

	// Check decides what of the topics, which are those of the wait, is news to
	// this phone; required. It is
	// called after subscribing and after every event, on the goroutine of
	// [Seat.Look], and answers nothing for what does not concern this phone (such
	// as its own changes). An error means "do not know" and does not end the
	// wait, unless it comes from [End]; Check is then asked again a little
	// later.
	Check func(context.Context, []Topic) ([]Topic, error)

	// Watch has a topic watched, at most once at a time whichever phone brought
	// it. Nil means that this phone brings none.
	Watch Watch
}

// A Watch begins to watch a topic: to call Publish when something may have
// changed, until stop is called, a while after the last phone left; stop may be
// nil. Where that ends by itself, w.Ended is told, and the next Sit begins anew;
// with recall all who wait for the topic come again, see Recall. Neither Watch nor
// stop may block or call the hub, and w.Ended may not be called before Watch has
// returned.
type Watch func(w *Watched) (stop func())

// An ending is an error of Check that ends the wait.
type ending struct{ err error }

func (e ending) Error() string { return e.err.Error() }
func (e ending) Unwrap() error { return e.err }

// End wraps an error of Check that is to end the wait, such as a password that
// is no longer right. The wait ends with err itself.
func End(err error) error { return ending{err} }

// A later is an error of Check that puts it off.
type later struct{ until time.Time }

func (l later) Error() string { return "hub: nothing wakes this phone before " + l.until.String() }

// Later is an error of Check for a phone that nothing is to wake before a time:
// Check is asked again then, and by events as ever.
func Later(until time.Time) error { return later{until} }

// A Seat is a phone that waits: subscribed, but without a goroutine. Whoever
// holds it looks, lets it rest while there is nothing, and looks again when it
// is woken:
//
//	s, err := h.Sit(w)
//	for err == nil {
//		var l hub.Look
//		if l, err = s.Look(ctx); l.Over { break }
//		s.Rest(wake) // and return; wake is called once
//	}
//	s.Leave()
//
// Its methods are called by one goroutine at a time.
type Seat struct {
	hub    *Hub
	user   *user
	device string
	topics []Topic // shared with the user's other seats
	check  func(context.Context, []Topic) ([]Topic, error)
	ends   time.Time     // when the heartbeat is over
	slow   time.Duration // until Check is asked again, after it failed; 0 after it did not

	// Guarded by hub.mu.
	old  bool        // a newer one of the same phone took over, or it left
	news bool        // something happened since the last Check
	over error       // the wait was ended: by a newer one, an order, the hub's end
	wake func(error) // while it rests
}

// errNews wakes a seat: something may have happened.
var errNews = errors.New("hub: something may have changed")

// Sit subscribes a phone to its topics, which are all of its user, and has them
// watched. The error is ErrShutdown. Leave ends what Sit begins.
func (h *Hub) Sit(w Wait) (*Seat, error) {
	s := &Seat{hub: h, device: w.Device, topics: w.Topics, check: w.Check, ends: time.Now().Add(w.Heartbeat)}
	if !h.join(s, w) {
		return nil, ErrShutdown
	}
	return s, nil
}

// A Look is what a phone finds when it looks up.
type Look struct {
	Over   bool      // the wait is over
	Topics []Topic   // what is news, if it is that what ended it
	Until  time.Time // when to look again, if nothing happens before
}

// Look asks whether the wait is over. It is with news, at the end of the
// heartbeat, with the error that ended it (ErrReplaced, ErrShutdown, that of an
// Order, or what Check gave to End), and with the cause of ctx.
func (s *Seat) Look(ctx context.Context) (Look, error) {
	for {
		err := s.begin()
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Look{Over: true}, err
		}
		if time.Until(s.ends) <= 0 {
			return Look{Over: true}, nil
		}
		l, err := s.look(ctx)
		if over := s.ended(); over != nil {
			return Look{Over: true}, over // whatever it found: its phone asks again
		}
		if l.Over || !s.stirred() {
			return l, err
		}
	}
}

// look checks once.
func (s *Seat) look(ctx context.Context) (Look, error) {
	topics, err := s.check(ctx, s.topics)
	if cause := context.Cause(ctx); cause != nil {
		return Look{Over: true}, cause
	}
	until := s.ends
	switch e, ends := errors.AsType[ending](err); {
	case ends:
		return Look{Over: true}, e.err
	case isLater(err, &until):
		s.slow = 0
	case err != nil:
		if s.slow == 0 { // once is enough
			s.hub.report(fmt.Errorf("hub: checking for news: %w", err))
		}
		s.slow = min(max(2*s.slow, firstRetry), lastRetry)
		if again := time.Now().Add(s.slow); again.Before(until) {
			until = again
		}
	case len(topics) > 0:
		return Look{Over: true, Topics: topics}, nil
	default:
		s.slow = 0
	}
	return Look{Until: until}, nil
}

// isLater tells whether Check puts it off, and until when if that is sooner.
func isLater(err error, until *time.Time) bool {
	l, ok := errors.AsType[later](err)
	if ok && l.until.Before(*until) {
		*until = l.until
	}
	return ok
}

// begin forgets what happened before the Check that follows, and answers what
// ended the wait.
func (s *Seat) begin() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.news = false
	return s.over
}

// ended answers what ended the wait.
func (s *Seat) ended() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.over
}

// stirred tells whether something happened since the last Check.
func (s *Seat) stirred() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.news
}

// Rest lets wake be called once: when there is a reason to look, which may be
// at once. It must not block and not call the hub.
func (s *Seat) Rest(wake func(why error)) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	switch {
	case s.over != nil:
		wake(s.over)
	case s.news:
		wake(errNews)
	default:
		s.wake = wake
	}
}

// Leave ends the wait. Leaving twice does nothing.
func (s *Seat) Leave() { s.hub.leave(s) }

// nudge tells a seat that something may have changed. hub.mu is held.
func (s *Seat) nudge() {
	s.news = true
	s.stir(errNews)
}

// end ends a seat's wait, if nothing did before. hub.mu is held.
func (s *Seat) end(err error) {
	if s.over == nil {
		s.over = err
		s.stir(err)
	}
}

func (s *Seat) stir(why error) {
	if wake := s.wake; wake != nil {
		s.wake = nil
		wake(why)
	}
}

// Wait holds its goroutine until the phone's wait is over.
//
// It answers the topics that Check named; nothing and no error when the
// heartbeat is over; ErrReplaced, ErrShutdown or the error of an Order; the
// cause of ctx if that ended; or the error that Check gave to End. Exactly one
// of them wins, and after it the phone is no longer counted as waiting.
func (h *Hub) Wait(ctx context.Context, w Wait) ([]Topic, error) {
	if w.Heartbeat <= 0 {
		l, err := (&Seat{hub: h, topics: w.Topics, check: w.Check}).look(ctx)
		return l.Topics, err
	}
	s, err := h.Sit(w)
	if err != nil {
		return nil, err
	}
	defer s.Leave()
	for {
		l, err := s.Look(ctx)
		if l.Over || err != nil {
			return l.Topics, err
		}
		woken := make(chan struct{})
		s.Rest(func(error) { close(woken) })
		again := time.NewTimer(time.Until(l.Until))
		select {
		case <-ctx.Done():
		case <-woken:
		case <-again.C:
		}
		again.Stop()
		s.awake()
	}
}

// awake undoes Rest.
func (s *Seat) awake() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.wake = nil
}

// join subscribes a seat and has its topics watched. It answers false if the
// hub is shutting down.
func (h *Hub) join(s *Seat, w Wait) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return false
	}
	u := h.users[w.User]
	if u == nil {
		u = &user{name: w.User}
		h.users[w.User] = u
	}
	s.user = u
	for _, o := range u.seats {
		if slices.Equal(o.topics, s.topics) {
			s.topics = o.topics
			break
		}
	}
	if old := h.seat(w.User, w.Device); old != nil {
		old.old = true
		h.waiting--
		old.end(ErrReplaced)
	}
	u.seats = append(u.seats, s)
	h.waiting++
	if u.topics == nil {
		u.topics = make([]topic, 0, len(s.topics)) // most phones of a person wait for the same ones
	}
	for _, name := range s.topics {
		t := u.topic(name.Folder)
		t.seats, t.left = t.seats+1, 0
		h.watch(u, t, w.Watch)
	}
	return true
}

// leave undoes join.
func (h *Hub) leave(s *Seat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.wake = nil
	u := s.user
	i := slices.Index(u.seats, s)
	if i < 0 {
		return // it left before
	}
	if u.seats = slices.Delete(u.seats, i, i+1); len(u.seats) == 0 {
		u.seats = nil
	}
	if !s.old {
		s.old = true
		h.waiting--
	}
	for _, name := range s.topics {
		t := u.topic(name.Folder)
		if t.seats--; t.seats == 0 {
			h.linger(u, t)
			h.tidy(u, name.Folder)
		}
	}
}
