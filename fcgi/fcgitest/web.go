package fcgitest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

// A Transport is an http.RoundTripper that speaks FastCGI to Addr, on a
// connection of its own for each request. When a request's context ends, or its
// answer's body is closed early, it hangs up.
type Transport struct {
	Addr string
}

// RoundTrip implements http.RoundTripper.
func (tr Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := fromHTTP(req)
	if err != nil {
		return nil, err
	}
	nc, err := dial(req.Context(), tr.Addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(req.Context(), func() { nc.Close() })
	fail := func(err error) (*http.Response, error) {
		stop()
		nc.Close()
		if cause := context.Cause(req.Context()); cause != nil {
			err = cause
		}
		return nil, err
	}
	if _, err := nc.Write(r.Records()); err != nil {
		return fail(err)
	}
	out := &stdout{nc: nc, stop: stop, r: bufio.NewReader(nc)}
	resp, err := readResponse(bufio.NewReader(out))
	if err != nil {
		return fail(err)
	}
	resp.Request = req
	resp.Body = struct {
		io.Reader
		io.Closer
	}{resp.Body, out}
	return resp, nil
}

// fromHTTP reads the whole of a request, as a buffering web server does.
func fromHTTP(req *http.Request) (Request, error) {
	r := Request{Method: req.Method, URI: req.URL.RequestURI(), Header: req.Header.Clone(), Env: map[string]string{}}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	delete(r.Header, "Content-Length")
	if req.Body != nil {
		defer req.Body.Close()
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return Request{}, err
		}
		r.Body = body
		r.Env["CONTENT_LENGTH"] = strconv.Itoa(len(body))
	}
	r.Env["HTTP_HOST"] = req.Host
	if req.Host == "" {
		r.Env["HTTP_HOST"] = req.URL.Host
	}
	if host, port, err := net.SplitHostPort(req.RemoteAddr); err == nil {
		r.Env["REMOTE_ADDR"], r.Env["REMOTE_PORT"] = host, port
	}
	if req.TLS != nil || req.URL.Scheme == "https" {
		r.Env["HTTPS"] = "on"
	}
	return r, nil
}

// A stdout reads the STDOUT of the only request of a connection. An answer
// that breaks off is io.ErrUnexpectedEOF.
type stdout struct {
	nc    net.Conn
	stop  func() bool
	r     *bufio.Reader
	piece []byte
	ended bool
}

func (s *stdout) Read(p []byte) (int, error) {
	for len(s.piece) == 0 {
		if s.ended {
			return 0, io.EOF
		}
		rec, err := ReadRecord(s.r)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		switch rec.Type {
		case Stdout:
			s.piece = rec.Content
		case EndRequest:
			s.ended = true
		}
	}
	n := copy(p, s.piece)
	s.piece = s.piece[n:]
	return n, nil
}

func (s *stdout) Close() error {
	s.stop()
	return s.nc.Close()
}

// WebServer starts a miniature web server that passes every request on to the
// FastCGI server at addr and hangs up on it when its client goes away.
func WebServer(t testing.TB, addr string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		resp, err := Transport{Addr: addr}.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		if resp.Header["Content-Type"] == nil {
			w.Header()["Content-Type"] = nil
		}
		w.WriteHeader(resp.StatusCode)
		rc := http.NewResponseController(w)
		buf := make([]byte, 32<<10)
		for {
			n, err := resp.Body.Read(buf)
			if _, werr := w.Write(buf[:n]); werr != nil {
				return
			}
			rc.Flush()
			if err == io.EOF {
				return
			}
			if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}
