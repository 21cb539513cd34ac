package fcgi

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// begin implements sink.
func (c *conn) begin(id, role uint16, flags uint8) (*request, error) {
	r := &request{conn: c, id: id, keep: flags&flagKeepConn != 0}
	c.mu.Lock()
	for _, x := range c.requests {
		if x.id == id {
			c.mu.Unlock()
			return nil, errBusyID
		}
	}
	unfinished := c.running
	for _, x := range c.requests {
		if x.cancel == nil { // not running yet
			unfinished++
		}
	}
	c.requests = append(c.requests, r)
	c.mu.Unlock()
	switch {
	case role != roleResponder:
		r.early = true
		c.send(r, true, appendEndRequest(nil, id, 0, unknownRole))
		return nil, nil
	case unfinished >= c.srv.maxReqs():
		r.early = true
		c.refuse(r, http.StatusServiceUnavailable, overloaded)
		return nil, nil
	}
	r.deadline = time.Now().Add(c.srv.readTimeout())
	r.body.budget = func(n int64) { c.srv.buffered.Add(n) }
	if c.overloaded {
		r.refusal = http.StatusServiceUnavailable
	}
	return r, nil
}

// params implements sink.
func (c *conn) params(r *request, piece []byte) {
	if r.refusal != 0 {
		return
	}
	if len(piece) > c.srv.maxParams()-len(r.params) {
		r.refuse(http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	if r.params == nil {
		r.params = paramsBuffers.get()
	}
	r.params = append(r.params, piece...)
}

// paramsEnd implements sink.
func (c *conn) paramsEnd(r *request) {
	if r.refusal != 0 {
		return
	}
	req, err := newRequest(r.params)
	if r.params != nil {
		paramsBuffers.put(r.params)
		r.params = nil
	}
	if err != nil {
		c.srv.logger().Warn("fcgi: request refused", "err", err)
		r.refuse(http.StatusBadRequest)
		return
	}
	r.http = req
	if req.ContentLength > c.srv.maxBody() {
		r.refuse(http.StatusRequestEntityTooLarge)
	}
}

// stdin implements sink.
func (c *conn) stdin(r *request, piece []byte) {
	if r.refusal != 0 {
		return
	}
	n := int64(len(piece))
	switch {
	case n > c.srv.maxBody()-r.body.size:
		r.refuse(http.StatusRequestEntityTooLarge)
	case c.srv.buffered.Load()+n > c.srv.maxBuffered():
		r.refuse(http.StatusServiceUnavailable)
	case r.http.ContentLength >= 0 && n > r.http.ContentLength-r.body.size:
		c.srv.logger().Warn("fcgi: request refused", "err", "body longer than CONTENT_LENGTH")
		r.refuse(http.StatusBadRequest)
	default:
		r.body.add(piece)
	}
}

// complete implements sink.
func (c *conn) complete(r *request) {
	if r.refusal == 0 && r.http.ContentLength > r.body.size {
		c.srv.logger().Warn("fcgi: request refused", "err", "body shorter than CONTENT_LENGTH")
		r.refuse(http.StatusBadRequest)
	}
	if r.refusal != 0 {
		status := requestComplete
		if c.overloaded {
			status = overloaded
		}
		c.refuse(r, r.refusal, status)
		return
	}
	r.http.ContentLength = r.body.size
	if r.body.size > 0 {
		r.http.Body = &r.body
	} else {
		r.http.Body = http.NoBody
	}
	c.start(r)
}

// abort implements sink. An id that we do not know has been answered already.
func (c *conn) abort(id uint16) {
	c.mu.Lock()
	var r *request
	for _, x := range c.requests {
		if x.id == id {
			r = x
			r.end(ErrAborted)
		}
	}
	running := r != nil && r.cancel != nil
	c.mu.Unlock()
	if r == nil {
		return
	}
	if !running {
		r.release()
		r.early = true
	}
	c.send(r, true, appendEndRequest(nil, id, 1, requestComplete))
}

// getValues implements sink. See FastCGI Specification, section 4.1: only
// names that we know are answered, each once.
func (c *conn) getValues(names []byte) {
	values := map[string]int{
		"FCGI_MAX_CONNS":  c.srv.maxConns(),
		"FCGI_MAX_REQS":   maxReqs(c.srv.maxConns(), c.srv.maxReqs()),
		"FCGI_MPXS_CONNS": 1,
	}
	var out []byte
	for name := range pairs(names) {
		if v, ok := values[string(name)]; ok {
			out = appendPair(out, string(name), strconv.Itoa(v))
			delete(values, string(name))
		}
	}
	c.reply(append(appendHeader(nil, typeGetValuesResult, 0, len(out)), out...))
}

// maxReqs multiplies without leaving the int of a 32-bit machine.
func maxReqs(conns, perConn int) int {
	return int(min(int64(conns)*int64(perConn), math.MaxInt32))
}

// unknownType implements sink.
func (c *conn) unknownType(typ uint8) { c.reply(appendUnknownType(nil, typ)) }
