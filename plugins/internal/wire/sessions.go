package wire

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

const (
	// maxSessions bounds the sessions kept open for later calls; each may
	// hold connections to the store. Those that a watch keeps in use come on top:
	// calls may as well share them.
	maxSessions = 512

	// sessionIdle is how long a session is kept without a call, and how long
	// it is known that the store accepted somebody. Phones that wait are polled
	// for more often than that.
	sessionIdle = 5 * time.Minute

	// sessionLinger is how long a session is kept without a call that can be
	// made again without asking the store: it has a password in memory. The
	// requests with which a phone follows up on another come within seconds.
	sessionLinger = 15 * time.Second
)

// sessions keeps opened sessions, so that credentials that come with every
// call are cheap. It knows people by a keyed hash and keeps no password.
type sessions struct {
	open    func(context.Context, backend.Credentials) (backend.Session, error)
	resume  func(context.Context, backend.Credentials) (backend.Session, error) // nil if the backend is no Resumer
	address bool                                                                // sessions belong to a place, too
	key     []byte

	mu     sync.Mutex
	seats  map[digest]*seat
	posted int // seats that a watch keeps in use
	closed bool

	stop    context.CancelFunc
	calls   sync.WaitGroup // that use or open a session; grows only while not closed
	running sync.WaitGroup // sweep, and sessions that are closing; grows only during calls
}

type digest [sha256.Size]byte

// A seat is the place of one person's session.
type seat struct {
	digest  digest
	opening chan struct{} // capacity 1, full while someone opens the session

	// Written by the one who fills opening.
	session backend.Session
	denied  error // what the store said against the credentials
	known   bool  // the store accepted the credentials while the seat was here

	// Guarded by sessions.mu.
	users   int // calls that use the seat
	watches int // of them, those that watch
	last    time.Time
	gone    bool // no longer in seats; closed when the last user leaves
}

var errServerClosed = errors.New("the plugin is shutting down")

func newSessions(b backend.Backend) *sessions {
	ctx, stop := context.WithCancel(context.Background())
	s := &sessions{
		open: b.Open, address: backend.WantsAddress(b),
		key: make([]byte, sha256.Size), seats: make(map[digest]*seat), stop: stop,
	}
	if r, ok := b.(backend.Resumer); ok {
		s.resume = r.Resume
	}
	rand.Read(s.key) // never fails
	s.running.Go(func() { s.sweep(ctx) })
	return s
}

func (s *sessions) digest(c backend.Credentials) digest {
	h := hmac.New(sha256.New, s.key)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(c.User)))) // so that no password continues a name
	h.Write([]byte(c.User))
	place := c.Address.AsSlice()
	h.Write([]byte{byte(len(place))})
	h.Write(place)
	h.Write([]byte(c.Password))
	return digest(h.Sum(nil))
}

// with lends do the person's session. Many calls share one; kind Denied from
// any of them ends it for later ones.
func (s *sessions) with(ctx context.Context, c backend.Credentials, do func(backend.Session) error) error {
	session, giveBack, err := s.lend(ctx, c, false)
	if err != nil {
		return err
	}
	defer func() { giveBack(err) }() // also when do panics
	err = do(session)
	return err
}

// lend lends a person's session until it is given back, with what became of the
// call. A watch keeps it for as long as somebody waits.
func (s *sessions) lend(ctx context.Context, c backend.Credentials, watch bool) (_ backend.Session, giveBack func(error), err error) {
	c = s.placed(c)
	st, err := s.sit(s.digest(c), watch)
	if err != nil {
		return nil, nil, err
	}
	back := func(err error) {
		defer s.calls.Done()
		s.rise(st, watch, err)
	}
	lent := false
	defer func() {
		if !lent { // also when Open panics
			back(err)
		}
	}()
	if err = s.fill(ctx, st, c); err != nil {
		return nil, nil, err
	}
	lent = true
	return st.session, back, nil
}

// placed leaves out the address if it does not matter, so that a person's
// phones share a session.
func (s *sessions) placed(c backend.Credentials) backend.Credentials {
	if !s.address {
		c.Address = netip.Addr{}
	}
	return c
}

// sit finds a person's seat or makes one.
func (s *sessions) sit(d digest, watch bool) (*seat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, backend.E(backend.Transient, "wire: session", errServerClosed)
	}
	st := s.seats[d]
	if st == nil {
		st = s.place(d, watch)
	}
	if st.users++; watch {
		if st.watches++; st.watches == 1 && !st.gone {
			s.posted++
		}
	}
	s.calls.Add(1)
	return st, nil
}

// place makes a seat. If all are taken by running calls, the new one is not
// kept. s.mu is held.
func (s *sessions) place(d digest, watch bool) *seat {
	st := &seat{digest: d, opening: make(chan struct{}, 1)}
	if !watch && len(s.seats)-s.posted >= maxSessions && !s.displace() {
		st.gone = true
		return st
	}
	s.seats[d] = st
	return st
}

// displace takes away the seat that was used longest ago, if there is one that
// nobody uses. s.mu is held.
func (s *sessions) displace() bool {
	var oldest *seat
	for _, st := range s.seats {
		if st.users == 0 && (oldest == nil || st.last.Before(oldest.last)) {
			oldest = st
		}
	}
	if oldest == nil {
		return false
	}
	s.remove(oldest)
	return true
}

// fill opens the seat's session unless that was done. One caller opens, the
// others wait; if it fails they try themselves, except when the store has
// said no to these credentials.
func (s *sessions) fill(ctx context.Context, st *seat, c backend.Credentials) error {
	select {
	case st.opening <- struct{}{}:
	case <-ctx.Done():
		return backend.E(backend.Transient, "wire: session", ctx.Err())
	}
	defer func() { <-st.opening }()
	if st.denied != nil {
		return st.denied
	}
	if st.session != nil {
		return nil
	}
	session, err := s.make(ctx, st, c)
	if err != nil {
		if backend.KindOf(err) == backend.Denied {
			st.denied = err
		}
		return err
	}
	st.session, st.known = session, true
	return nil
}

// make opens a session, without asking the store if it may.
func (s *sessions) make(ctx context.Context, st *seat, c backend.Credentials) (backend.Session, error) {
	if st.known && s.resume != nil {
		if session, err := s.resume(ctx, c); session != nil || err != nil {
			return session, err
		}
	}
	return s.open(ctx, c)
}

// rise ends a call's use of a seat.
func (s *sessions) rise(st *seat, watch bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.users--
	st.last = time.Now()
	if watch {
		if st.watches--; st.watches == 0 && !st.gone {
			if s.posted--; len(s.seats)-s.posted > maxSessions {
				s.displace()
			}
		}
	}
	if backend.KindOf(err) == backend.Denied && !st.gone {
		s.remove(st)
		return
	}
	if st.gone && st.users == 0 {
		s.vacate(st)
	}
}

// remove takes a seat away; running calls finish on it. s.mu is held.
func (s *sessions) remove(st *seat) {
	st.gone = true
	if s.seats[st.digest] == st {
		delete(s.seats, st.digest)
		if st.watches > 0 {
			s.posted--
		}
	}
	if st.users == 0 {
		s.vacate(st)
	}
}

// vacate closes a seat's session on the side: that may talk to the store, and
// s.mu is held. The seat has no users left.
func (s *sessions) vacate(st *seat) {
	if session := st.session; session != nil {
		st.session = nil
		s.running.Go(func() { session.Close() })
	}
}

// replace opens a new session in any case, because the caller wants to know
// whether the store still accepts the credentials, and keeps it.
func (s *sessions) replace(ctx context.Context, c backend.Credentials) ([]backend.Extra, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, backend.E(backend.Transient, "wire: session", errServerClosed)
	}
	s.calls.Add(1)
	s.mu.Unlock()
	defer s.calls.Done()
	c = s.placed(c)
	d := s.digest(c)
	session, err := s.open(ctx, c)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if old := s.seats[d]; old != nil && backend.KindOf(err) == backend.Denied {
			s.remove(old)
		}
		return nil, err
	}
	extras := backend.Extras(session)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.seats[d]; old != nil {
		s.remove(old)
	}
	st := s.place(d, false)
	st.session, st.known, st.last = session, true, time.Now()
	if st.gone || s.closed {
		s.remove(st)
	}
	return extras, nil
}

// sweep closes sessions that nobody uses any more.
func (s *sessions) sweep(ctx context.Context) {
	tick := time.NewTicker(sessionLinger / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		for _, st := range s.seats {
			switch idle := time.Since(st.last); {
			case st.users > 0:
			case idle >= sessionIdle:
				s.remove(st)
			case idle >= sessionLinger && s.resume != nil:
				s.vacate(st)
			}
		}
		s.mu.Unlock()
	}
}

// close closes all sessions, each when its calls have ended, and waits.
func (s *sessions) close() {
	s.stop()
	s.mu.Lock()
	s.closed = true
	for _, st := range s.seats {
		s.remove(st)
	}
	s.mu.Unlock()
	s.calls.Wait()
	s.running.Wait()
}
