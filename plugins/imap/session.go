package imap

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// A session is one person's view of the server.
type session struct {
	store       *store
	credentials backend.Credentials
	person      *person
	mine        chan struct{} // a place for each of the person's connections
	noProbe     atomic.Bool   // the server counts no changes

	mu     sync.Mutex
	free   []*conn
	closed bool
}

var (
	_ backend.Watcher      = (*session)(nil)
	_ backend.Prober       = (*session)(nil)
	_ backend.FolderEditor = (*session)(nil)
	_ backend.Mailbox      = (*session)(nil)
	_ backend.Searcher     = (*session)(nil)
	_ backend.Sender       = (*session)(nil)
	_ backend.Vacationer   = (*session)(nil)
)

// A conn is a connection of a session.
type conn struct {
	*imapconn.Conn
	used    time.Time
	qresync bool // enabled: what is gone is told by UID
}

// Extras are those of the store that this server supports.
func (s *session) Extras() []backend.Extra {
	var list []backend.Extra
	for _, e := range s.store.Extras() {
		if e != backend.ExtraProbe || !s.noProbe.Load() {
			list = append(list, e)
		}
	}
	return list
}

// String names the person and hides the password.
func (s *session) String() string { return "imap: session of " + s.credentials.User }

// GoString hides the password from %#v, too.
func (s *session) GoString() string { return "imap.session{" + s.credentials.User + "}" }

// Close logs out. Connections in use are closed when they are given back.
func (s *session) Close() error {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	for _, c := range free {
		s.drop(c)
	}
	return nil
}

// fresh is for how long a connection is used again without a look whether the
// server still knows it.
const fresh = 5 * time.Second

var errBusy = errors.New("all connections to the mail server are in use")

// take answers a connection that is logged in, for one call.
func (s *session) take(ctx context.Context) (*conn, error) {
	if err := s.enter(ctx, s.mine); err != nil {
		return nil, err
	}
	for {
		s.mu.Lock()
		var c *conn
		if n := len(s.free); n > 0 {
			c, s.free = s.free[n-1], s.free[:n-1]
		}
		s.mu.Unlock()
		if c == nil {
			break
		}
		if time.Since(c.used) < fresh {
			return c, nil
		}
		if _, err := c.Run(ctx, imapconn.NewCommand("NOOP"), nil); err == nil {
			return c, nil
		}
		s.hangUp(c)
	}
	if err := s.enter(ctx, s.store.slots); err != nil {
		<-s.mine
		return nil, err
	}
	c, err := s.login(ctx)
	if err != nil {
		<-s.store.slots
		<-s.mine
		return nil, err
	}
	return c, nil
}

// enter takes a place, or waits for one.
func (s *session) enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx, "connect")
	case <-timer.C:
		return &backend.Error{Kind: backend.Transient, Op: "imap: connect", Err: errBusy, RetryAfter: patience}
	}
}

// give gives a connection back.
func (s *session) give(c *conn) {
	defer func() { <-s.mine }()
	c.used = time.Now()
	s.mu.Lock()
	if !c.Broken() && !s.closed {
		s.free = append(s.free, c)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.drop(c)
}

// drop ends a connection with a word.
func (s *session) drop(c *conn) {
	c.Logout()
	<-s.store.slots
}

// hangUp ends a connection whose server may be gone.
func (s *session) hangUp(c *conn) {
	c.Close()
	<-s.store.slots
}

// login opens a connection.
func (s *session) login(ctx context.Context) (*conn, error) {
	if err := s.store.logins.wait(ctx); err != nil {
		return nil, failure("login", err)
	}
	ic, err := s.store.connect(ctx)
	if err != nil {
		return nil, failure("connect to "+s.store.hosts.imap.address, err)
	}
	if err := ic.Login(ctx, s.credentials.User, s.credentials.Password); err != nil {
		ic.Close()
		if e := ended(ctx, "login"); e != nil {
			return nil, e
		}
		return nil, loginFailure(err)
	}
	c := &conn{Conn: ic}
	if ic.Has("QRESYNC") && ic.Has("ENABLE") { // RFC 7162, section 3.2.3
		_, err := ic.Run(ctx, imapconn.NewCommand("ENABLE QRESYNC"), nil)
		c.qresync = err == nil
	}
	if ic.Broken() {
		ic.Close()
		return nil, backend.Errorf(backend.Transient, "imap: login", "the connection broke")
	}
	s.noProbe.Store(!ic.Has("CONDSTORE") && !ic.Has("QRESYNC"))
	return c, nil
}

// connect opens a connection that is as secure as the settings want it.
func (s *store) connect(ctx context.Context) (*imapconn.Conn, error) {
	h := s.hosts.imap
	nc, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	c, err := imapconn.New(ctx, nc, s.Timeout, h.wrap())
	if err != nil {
		return nil, err
	}
	err = c.Capabilities(ctx)
	if err == nil && h.security == startTLS {
		if !c.Has("STARTTLS") {
			err = fmt.Errorf("the server offers no STARTTLS; write imaps:// if it speaks TLS from the first byte, or imap+plain:// to do without")
		} else if err = c.StartTLS(ctx, h.tls); err == nil {
			err = c.Capabilities(ctx)
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// with lends do a connection.
func (s *session) with(ctx context.Context, op string, do func(*conn) error) error {
	if err := ended(ctx, op); err != nil {
		return err
	}
	c, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer s.give(c)
	err = do(c)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*yieldError](err); ok {
		return e.err
	}
	if _, ok := errors.AsType[*imapconn.WriteError](err); !ok {
		if e := ended(ctx, op); e != nil {
			return e
		}
	}
	return failure(op, err)
}

// A yieldError is what the caller's function said. It ends the connection, for
// the rest of the answer is still to come.
type yieldError struct{ err error }

func (e *yieldError) Error() string { return e.err.Error() }

// inFolder lends do a connection on which a folder is selected. If the folder is
// not where it was, the list of folders is read again.
func (s *session) inFolder(ctx context.Context, op string, id backend.CollectionID, how selecting, do func(*conn) error) error {
	return s.with(ctx, op, func(c *conn) error {
		f, err := s.folder(ctx, c, id, how == anew)
		if err != nil {
			return err
		}
		if err = c.open(ctx, f, how); backend.KindOf(failure(op, err)) == backend.NotFound {
			if f, err = s.folder(ctx, c, id, true); err == nil {
				err = c.open(ctx, f, how)
			}
		}
		if err != nil {
			return err
		}
		return do(c)
	})
}

// selecting is how a folder is selected.
type selecting int

const (
	reading selecting = iota // as it was selected before, if it was
	writing                  // for writing
	anew                     // for a look at its present state
)

// open selects a folder. On one that is selected already the server may show a
// state of before, so that new messages would seem not to be there, until it had
// an occasion to tell of them.
func (c *conn) open(ctx context.Context, f folder, how selecting) error {
	if c.Selected.Name == f.wire && (how == reading || how == writing && c.Selected.Writable) {
		_, err := c.Run(ctx, imapconn.NewCommand("NOOP"), nil)
		return err
	}
	return c.Select(ctx, f.wire, how == writing)
}

// keyedLocks lock one thing of many. The zero value is ready for use.
type keyedLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// lock waits for its turn and answers how to end it.
func (k *keyedLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		k.mu.Lock()
		held := k.held[key]
		if held == nil {
			if k.held == nil {
				k.held = make(map[string]chan struct{})
			}
			mine := make(chan struct{})
			k.held[key] = mine
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				delete(k.held, key)
				k.mu.Unlock()
				close(mine)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ended(ctx, "Put")
		}
	}
}
