package fcgitest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
)

// A Conn is a web server's connection to a FastCGI server. Its methods end the
// test when something goes wrong, and must be called from the test's goroutine.
type Conn struct {
	t    testing.TB
	nc   net.Conn
	r    *bufio.Reader
	open map[uint16]*Answer // answers that have begun
	done map[uint16]*Answer // answers that ended while another was waited for
}

// An Answer is an answer together with how FastCGI ended it.
type Answer struct {
	*http.Response        // nil if there was no STDOUT
	AppStatus      uint32 // of END_REQUEST
	ProtocolStatus uint8  // of END_REQUEST: RequestComplete, Overloaded...
	Stdout, Stderr []byte // as they came
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	network, address, ok := strings.Cut(addr, ":")
	if !ok {
		return nil, fmt.Errorf("fcgitest: address %q is neither unix:PATH nor tcp:HOST:PORT", addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Dial connects. The connection is closed when the test ends.
func Dial(t testing.TB, addr string) *Conn {
	t.Helper()
	nc, err := dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return NewConn(t, nc)
}

// NewConn makes a Conn of an open connection.
func NewConn(t testing.TB, nc net.Conn) *Conn {
	return &Conn{t: t, nc: nc, r: bufio.NewReader(nc), open: map[uint16]*Answer{}, done: map[uint16]*Answer{}}
}

// Send sends a request.
func (c *Conn) Send(r Request) {
	c.t.Helper()
	c.Write(r.Records())
}

// Write sends bytes.
func (c *Conn) Write(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatalf("fcgitest: send: %v", err)
	}
}

// TryWrite is Write with an error, for peers that may have closed.
func (c *Conn) TryWrite(b []byte) error {
	_, err := c.nc.Write(b)
	return err
}

// Drain reads and forgets whatever comes until the connection ends.
func (c *Conn) Drain() { io.Copy(io.Discard, c.r) }

// SendRecord sends a record.
func (c *Conn) SendRecord(r Record) {
	c.t.Helper()
	c.Write(r.Append(nil))
}

// Abort sends ABORT_REQUEST.
func (c *Conn) Abort(id uint16) {
	c.t.Helper()
	c.SendRecord(Record{Type: AbortRequest, ID: id})
}

// HangUp closes the connection, as nginx does when its client has gone.
func (c *Conn) HangUp() { c.nc.Close() }

// CloseWrite closes our sending half.
func (c *Conn) CloseWrite() {
	c.t.Helper()
	if err := c.nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatalf("fcgitest: half close: %v", err)
	}
}

// ReadRecord reads the next record.
func (c *Conn) ReadRecord() Record {
	c.t.Helper()
	rec, err := ReadRecord(c.r)
	if err != nil {
		c.t.Fatalf("fcgitest: next record: %v", err)
	}
	return rec
}

// WantClosed reads until the other side closes, and fails the test if a record
// comes instead.
func (c *Conn) WantClosed() {
	c.t.Helper()
	if rec, err := ReadRecord(c.r); err == nil {
		c.t.Fatalf("fcgitest: got a record of type %d for id %d, want the connection closed", rec.Type, rec.ID)
	}
}

// Answer reads until END_REQUEST of the request with this id. Answers of other
// requests are kept for their turn.
func (c *Conn) Answer(id uint16) *Answer {
	c.t.Helper()
	a, err := c.answer(id)
	if err != nil {
		c.t.Fatalf("fcgitest: answer to request %d: %v", id, err)
	}
	return a
}

// TryAnswer is Answer with an error, for answers that may break off.
func (c *Conn) TryAnswer(id uint16) (*Answer, error) { return c.answer(id) }

func (c *Conn) answer(id uint16) (*Answer, error) {
	for {
		if a := c.done[id]; a != nil {
			delete(c.done, id)
			return a, nil
		}
		rec, err := ReadRecord(c.r)
		if err != nil {
			return nil, err
		}
		a := c.open[rec.ID]
		if a == nil {
			a = new(Answer)
			c.open[rec.ID] = a
		}
		switch rec.Type {
		case Stdout:
			a.Stdout = append(a.Stdout, rec.Content...)
		case Stderr:
			a.Stderr = append(a.Stderr, rec.Content...)
		case EndRequest:
			if err := a.end(rec.Content); err != nil {
				return nil, err
			}
			delete(c.open, rec.ID)
			c.done[rec.ID] = a
		default:
			return nil, fmt.Errorf("a record of type %d", rec.Type)
		}
	}
}

func (a *Answer) end(content []byte) error {
	if len(content) != 8 {
		return fmt.Errorf("END_REQUEST of %d bytes", len(content))
	}
	a.AppStatus = binary.BigEndian.Uint32(content)
	a.ProtocolStatus = content[4]
	if a.Stdout == nil {
		return nil
	}
	var err error
	a.Response, err = readResponse(bufio.NewReader(bytes.NewReader(a.Stdout)))
	return err
}

// readResponse reads a CGI answer as strictly as a web server would.
// See RFC 3875, section 6.
func readResponse(r *bufio.Reader) (*http.Response, error) {
	h, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("header block: %w", err)
	}
	resp := &http.Response{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header(h), ContentLength: -1}
	resp.Status = h.Get("Status")
	code, _, _ := strings.Cut(resp.Status, " ")
	if resp.StatusCode, err = strconv.Atoi(code); err != nil || len(code) != 3 {
		return nil, fmt.Errorf("header Status is %q", resp.Status)
	}
	delete(resp.Header, "Status")
	if v := h.Get("Content-Length"); v != "" {
		if resp.ContentLength, err = strconv.ParseInt(v, 10, 64); err != nil {
			return nil, errors.New("header Content-Length is " + v)
		}
	}
	resp.Body = io.NopCloser(r)
	return resp, nil
}

// Do sends a request on a connection of its own and reads the answer whole.
func Do(t testing.TB, addr string, r Request) *http.Response {
	t.Helper()
	c := Dial(t, addr)
	c.Send(r)
	a := c.Answer(r.id())
	c.nc.Close()
	if a.Response == nil {
		t.Fatalf("fcgitest: no answer, END_REQUEST says %d", a.ProtocolStatus)
	}
	return a.Response
}
