package storm_test

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// A river lies before a server, and connections over it break.
type river struct {
	address string
	server  string
	office  *postOffice

	mu     sync.Mutex
	calm   bool
	chance *rand.Rand
	open   map[net.Conn]bool
	closed bool
}

// spring starts a river before a server.
func spring(t *testing.T, server string, o *postOffice) *river {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &river{address: l.Addr().String(), server: server, office: o, calm: true, chance: rand.New(rand.NewPCG(2, 2)), open: make(map[net.Conn]bool)}
	var flowing sync.WaitGroup
	flowing.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			flowing.Go(func() { r.cross(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.dry()
		flowing.Wait()
	})
	return r
}

func (r *river) still(calm bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calm = calm
}

// dry ends all connections.
func (r *river) dry() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.open {
		c.Close()
	}
}

// holds keeps a connection, unless all have ended.
func (r *river) holds(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	r.open[c] = true
	return true
}

func (r *river) lets(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
	c.Close()
}

// breaks tells, for each piece that comes across, whether the connection breaks here.
func (r *river) breaks() bool {
	r.mu.Lock()
	breaks := !r.calm && !r.closed && r.chance.IntN(1000) < breaksOften
	r.mu.Unlock()
	if breaks {
		r.office.postmaster().Broken("the connection to Dovecot breaks")
	}
	return breaks
}

// breaksOften is of how many pieces in a thousand that cross a river a connection
// does not live to see the next one.
const breaksOften = 4

// cross brings what is said from one side to the other.
func (r *river) cross(client net.Conn) {
	defer r.lets(client)
	if !r.holds(client) {
		return
	}
	server, err := net.DialTimeout("tcp", r.server, patience)
	if err != nil {
		return
	}
	defer r.lets(server)
	if !r.holds(server) {
		return
	}
	var flowing sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		flowing.Go(func() {
			defer client.Close()
			defer server.Close()
			piece := make([]byte, 16<<10)
			for {
				n, err := way[0].Read(piece)
				if err != nil || r.breaks() {
					return
				}
				if _, err := way[1].Write(piece[:n]); err != nil {
					return
				}
			}
		})
	}
	flowing.Wait()
}
