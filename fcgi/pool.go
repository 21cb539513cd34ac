package fcgi

import "sync"

const (
	// readBuffer is what a connection borrows while bytes arrive. It holds a
	// phone's whole request, and a large upload in few reads.
	readBuffer = 16 << 10

	// writeBuffer is what an answer borrows until it is sent. Most answers
	// fit and leave in one write.
	writeBuffer = 16 << 10

	// bodyChunk is how bodies are kept until their handler reads them.
	bodyChunk = 16 << 10

	// paramsBuffer is what a request borrows for its parameters; few are longer.
	paramsBuffer = 4 << 10
)

// A buffers lends byte slices of one capacity. Slices that grew are not taken
// back, so that one giant does not stay in memory for good.
type buffers struct {
	size int
	pool sync.Pool
}

func (p *buffers) get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, p.size)
}

func (p *buffers) put(b []byte) {
	if cap(b) == p.size {
		p.pool.Put(&b)
	}
}

var (
	readBuffers   = buffers{size: readBuffer}
	writeBuffers  = buffers{size: writeBuffer}
	bodyChunks    = buffers{size: bodyChunk}
	paramsBuffers = buffers{size: paramsBuffer}
)
