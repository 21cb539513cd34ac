package fcgi

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// send writes records of r; with last among them the one that ends it. This is
// the one place that decides who ends a request: whoever calls it first with
// last. Records of a request that has ended are thrown away, and the error
// says why it ended.
func (c *conn) send(r *request, last bool, records ...[]byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if r.ended {
		return r.whyEnded()
	}
	if last {
		r.ended = true
		if !c.forget(r) {
			return ErrHungUp
		}
	}
	if err := c.write(records); err != nil {
		return err
	}
	if last {
		c.closeAfter(r)
	}
	return nil
}

// reply writes a management record.
func (c *conn) reply(record []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.write([][]byte{record})
}

// write writes records. After an error the connection is closed, which ends
// its reader and, through that, all its requests.
func (c *conn) write(records [][]byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(c.srv.writeTimeout()))
	var err error
	if len(records) == 1 {
		_, err = c.nc.Write(records[0])
	} else {
		bufs := net.Buffers(records)
		_, err = bufs.WriteTo(c.nc)
	}
	if err != nil {
		c.nc.Close()
		return ErrHungUp
	}
	return nil
}

// forget takes r off the list, so that its id is free before the web server
// can know that it is. It answers false when the connection is gone.
func (c *conn) forget(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	for i, x := range c.requests {
		if x == r {
			c.requests = append(c.requests[:i], c.requests[i+1:]...)
			break
		}
	}
	return true
}

// closeAfter closes the connection if r, which has just been answered, was the
// last to keep it open.
func (c *conn) closeAfter(r *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = c.closing || !r.keep
	if !c.mustClose() {
		return
	}
	if r.early {
		if h, ok := c.nc.(interface{ CloseWrite() error }); ok {
			h.CloseWrite()
			c.lingering = time.Now().Add(closeLinger)
			return // the reader does the rest; early answers are its own
		}
	}
	c.nc.Close()
}

// breakOff ends an answer of which a part is on its way so that nobody takes
// it for whole. nginx takes END_REQUEST for a good end whatever its status, and
// so it does the end of the connection; only a record that is none tells it
// that something went wrong. Where that would harm other requests of the
// connection, END_REQUEST with a status must do.
func (c *conn) breakOff(r *request) {
	c.mu.Lock()
	alone := len(c.requests) == 1
	c.mu.Unlock()
	if !alone {
		c.send(r, true, appendEndRequest(nil, r.id, 1, requestComplete))
		return
	}
	c.send(r, false, make([]byte, headerLen)) // of version 0
	c.nc.Close()
}

// refuse answers a request that has no handler.
func (c *conn) refuse(r *request, status int, ps protocolStatus) {
	text := http.StatusText(status)
	block := "Status: " + strconv.Itoa(status) + " " + text + "\r\nContent-Length: 0\r\n"
	if status == http.StatusServiceUnavailable {
		block += "Retry-After: " + strconv.Itoa(retryAfter) + "\r\n"
	}
	block += "\r\n"
	b := append(appendHeader(nil, typeStdout, r.id, len(block)), block...)
	c.send(r, true, appendEnd(b, r.id, 0, ps))
}

// retryAfter is when a client that was refused because there are too many may
// come back, in seconds.
const retryAfter = 30

func (r *request) whyEnded() error {
	if r.ctx != nil {
		if err := context.Cause(r.ctx); err != nil {
			return err
		}
	}
	return ErrHungUp
}
