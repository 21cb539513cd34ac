package soak

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

const (
	// answerTime is how long any answer but a Ping's may take.
	answerTime = 2 * time.Minute

	// firstRead is the buffer in which a phone waits for an answer: all of a
	// Ping's, and the beginning of longer ones.
	firstRead = 512

	userAgent  = "pushbridge-phone"
	deviceType = "soak"
)

// errMine says why a server is left alone.
var errMine = errors.New("soak: thousands of phones are played only against this computer (127.0.0.0/8, ::1); if the server is yours, say --yes-this-is-my-server")

// A target is where the phones connect to.
type target struct {
	address  string // with the port
	host     string // for the request's header
	path     string
	tls      *tls.Config // nil without TLS
	loopback bool        // phones come from addresses of their own
}

// resolve finds the server and makes sure that it may be soaked.
func resolve(ctx context.Context, server string, mine, insecure bool) (target, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, fmt.Errorf("soak: %q is no server, as http://127.0.0.1:8080 is", server)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return target{}, fmt.Errorf("soak: %w", err)
	}
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() && !mine {
			return target{}, errMine
		}
	}
	a := addrs[0].Unmap()
	t := target{host: u.Host, path: easclient.Path, loopback: a.Is4() && a.IsLoopback()}
	port := u.Port()
	if u.Scheme == "https" {
		t.tls = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: insecure}
	}
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[t.tls != nil]
	}
	t.address = net.JoinHostPort(a.String(), port)
	return t, nil
}

// sourceAddress is where the nth phone is: each at an address of its own.
func sourceAddress(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(10 + n/62500%240), byte(n / 250 % 250), byte(1 + n%250)})
}

// A line is a phone's connection. It counts the bytes that pass, below TLS.
type line struct {
	target *target
	source netip.Addr
	auth   string // of the Authorization header

	mu     sync.Mutex // for conn
	conn   net.Conn
	closed bool

	up, down atomic.Int64
	first    [firstRead]byte
}

// A counted connection counts what passes.
type counted struct {
	net.Conn
	line *line
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.line.down.Add(int64(n))
	return n, err
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.line.up.Add(int64(n))
	return n, err
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// connect connects, unless there is a connection.
func (l *line) connect(ctx context.Context) (net.Conn, error) {
	l.mu.Lock()
	conn, closed := l.conn, l.closed
	l.mu.Unlock()
	if conn != nil || closed {
		if closed {
			return nil, net.ErrClosed
		}
		return conn, nil
	}
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: -1}
	if l.target.loopback && l.source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.source, 0))
	}
	conn, err := d.DialContext(ctx, "tcp", l.target.address)
	if err != nil {
		return nil, err
	}
	conn = counted{conn, l}
	if l.target.tls != nil {
		c := tls.Client(conn, l.target.tls)
		if err := c.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = c
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.conn = conn
	return conn, nil
}

func (l *line) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn != nil
}

// drop ends the connection; the next request makes another.
func (l *line) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// close ends it for good. It may be called while another goroutine waits for an
// answer.
func (l *line) close() {
	l.drop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// head is a request without its body. The query in base64 has the version and
// the policy key in it, which saves two headers. See [MS-ASHTTP] "Base64-Encoded
// Query Value".
func (l *line) head(q eas.Query, length int) ([]byte, error) {
	query, err := q.Encode()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 384)
	b = append(b, "POST "+l.target.path+"?"+query+" HTTP/1.1\r\nHost: "+l.target.host+"\r\nUser-Agent: "+userAgent+
		"\r\nAuthorization: "+l.auth+"\r\n"...)
	if length > 0 {
		b = append(b, "Content-Type: application/vnd.ms-sync.wbxml\r\n"...)
	}
	return append(b, "Content-Length: "+strconv.Itoa(length)+"\r\n\r\n"...), nil
}

// ask sends a request and answers the body of the answer. sent, if it is not nil,
// is called when the request is on its way.
func (l *line) ask(ctx context.Context, q eas.Query, body []byte, within time.Duration, sent func()) ([]byte, error) {
	fresh := !l.connected()
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	request, err := l.head(q, len(body))
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(within)) // an error shows at the next read
	if _, err = conn.Write(append(request, body...)); err == nil {
		if sent != nil {
			sent()
		}
		var answer []byte
		if answer, err = l.answer(conn); err == nil {
			return answer, nil
		}
	}
	if status := (*httpError)(nil); errors.As(err, &status) {
		return nil, err
	}
	l.drop()
	if !fresh && errors.Is(err, io.EOF) && ctx.Err() == nil {
		// The server closed a connection that was idle, as it may: once more.
		return l.ask(ctx, q, body, within, sent)
	}
	return nil, err
}

// An httpError is an answer other than 200.
type httpError struct{ status int }

func (e *httpError) Error() string { return fmt.Sprintf("HTTP %d", e.status) }

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// answer waits for an answer, in a small buffer of the phone's own, and reads it
// in a large one that all share.
func (l *line) answer(conn net.Conn) ([]byte, error) {
	n, err := conn.Read(l.first[:])
	if n == 0 {
		return nil, err
	}
	r := readers.Get().(*bufio.Reader)
	defer readers.Put(r)
	r.Reset(io.MultiReader(bytes.NewReader(l.first[:n]), conn))
	defer r.Reset(nil)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, wbxml.MaxDocument+1))
	if err != nil {
		return nil, err
	}
	if resp.Close || len(body) > wbxml.MaxDocument {
		l.drop()
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &httpError{resp.StatusCode}
	}
	return body, nil
}
