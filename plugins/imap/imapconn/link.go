package imapconn

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A Link is a network connection whose reads and writes take no longer than a
// while, and which can be cut from another goroutine.
type Link struct {
	net.Conn
	mu      sync.Mutex
	timeout time.Duration
	cut     bool
}

// NewLink wraps a connection whose other side may be silent for a while.
func NewLink(nc net.Conn, patience time.Duration) *Link { return &Link{Conn: nc, timeout: patience} }

var errCut = errors.New("the connection was cut")

func (l *Link) extend(set func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return errCut
	}
	return set(time.Now().Add(l.timeout))
}

// Read reads what has come, or waits for it.
func (l *Link) Read(p []byte) (int, error) {
	if err := l.extend(l.SetReadDeadline); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

// Write writes.
func (l *Link) Write(p []byte) (int, error) {
	if err := l.extend(l.SetWriteDeadline); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// Sever makes reads and writes fail, also those that go on.
func (l *Link) Sever() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	l.SetDeadline(time.Unix(1, 0))
}

// SetPatience sets how long the server may be silent, and answers how long it
// could be before.
func (l *Link) SetPatience(timeout time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.timeout
	l.timeout = timeout
	return before
}

// IsCut tells whether Sever was called.
func (l *Link) IsCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}
