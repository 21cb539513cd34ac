package fcgi

import (
	"io"
	"net/http"
	"sync"
)

// smallBody is how long a body may be to be kept in a slice of its own length
// instead of a borrowed chunk: a request that waits must not hold 16 KB for
// the forty bytes of its body.
const smallBody = 2 << 10

// A body is a request's STDIN. It is filled by the connection's reader and
// read, after that, by the handler; what was read is given back at once.
type body struct {
	mu     sync.Mutex
	chunks [][]byte // the last one is being filled
	off    int      // read so far of chunks[0]
	closed bool
	size   int64       // what was put in
	held   int64       // what the budget counts
	budget func(int64) // told of every byte taken and given back
}

// add appends a copy of p.
func (b *body) add(p []byte) {
	b.size += int64(len(p))
	b.take(int64(len(p)))
	if len(b.chunks) == 0 {
		if len(p) <= smallBody {
			b.chunks = append(b.chunks, append([]byte(nil), p...))
			return
		}
		b.chunks = append(b.chunks, bodyChunks.get())
	}
	for len(p) > 0 {
		last := &b.chunks[len(b.chunks)-1]
		if len(*last) == cap(*last) {
			b.chunks = append(b.chunks, bodyChunks.get())
			continue
		}
		n := min(len(p), cap(*last)-len(*last))
		*last = append(*last, p[:n]...)
		p = p[n:]
	}
}

func (b *body) take(n int64) {
	b.held += n
	if b.budget != nil {
		b.budget(n)
	}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n := 0
	for n < len(p) && len(b.chunks) > 0 {
		m := copy(p[n:], b.chunks[0][b.off:])
		n += m
		b.off += m
		if b.off == len(b.chunks[0]) {
			bodyChunks.put(b.chunks[0])
			b.take(-int64(b.off))
			b.chunks[0] = nil
			b.chunks, b.off = b.chunks[1:], 0
		}
	}
	if len(b.chunks) == 0 {
		b.chunks = nil
		if n == 0 {
			return 0, io.EOF
		}
	}
	return n, nil
}

// Close gives everything back. It is done for the handler when it returns.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, c := range b.chunks {
		bodyChunks.put(c)
	}
	b.chunks = nil
	b.take(-b.held)
	return nil
}
