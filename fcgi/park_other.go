//go:build !linux

package fcgi

import "net"

// Elsewhere a connection whose request waits keeps the goroutine that reads it.

type parked struct{ net.Conn }

type poller struct{}

func (*poller) stop() {}

func parkable(net.Conn) bool { return false }

func (c *conn) park() bool { return false }

func (p *parked) again(*conn, *Detached) bool { return false }

func (p *parked) drain() {}
