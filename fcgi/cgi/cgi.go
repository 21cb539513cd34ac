// Package cgi hands one CGI request to a FastCGI server, for web servers that do not speak FastCGI.
//
// The request's meta-variables become parameters, standard input becomes STDIN,
// and the answer, which has the form that CGI wants already, goes to standard
// output as it comes. See RFC 3875, and FastCGI Specification, section 6.2.
package cgi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// RetryAfter is what a client is told to wait when no worker can be reached:
// longer than a restart takes.
const RetryAfter = 30 * time.Second

// A Request is one run of a CGI program.
type Request struct {
	// Addr is the FastCGI server, "unix:/path" or "tcp:host:port". Required.
	Addr string

	// Env is the environment, as os.Environ has it.
	Env []string

	// Stdin has the body. One that has SetReadDeadline is no longer waited for
	// when the context ends; any other one is read to its end.
	Stdin io.Reader

	Stdout io.Writer // takes the answer
	Stderr io.Writer // takes what the FastCGI server has to say
}

// An Error is why a request was not handed over, or not answered whole. Its
// text has nothing of the request.
type Error struct {
	text string
	err  error
}

func (e *Error) Error() string { return "cgi: " + e.text }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.err }

// Handle carries the request out. Where no answer comes it answers for itself,
// with 503 and Retry-After, so that the error is for the web server's log only;
// an answer that breaks off is left broken. When the context ends, as it should
// when the web server ends the program or closes standard output, it hangs up,
// which tells the worker that the client is gone.
func Handle(ctx context.Context, r Request) error {
	params, length, err := parameters(r.Env)
	if err != nil {
		answer(r.Stdout, "400 Bad Request", 0, "The request cannot be read.")
		return err
	}
	nc, err := dial(ctx, r.Addr)
	if err != nil {
		answer(r.Stdout, "503 Service Unavailable", RetryAfter, "pushbridge does not run at the moment; try again later.")
		return err
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() {
		nc.Close()
		if d, ok := r.Stdin.(interface{ SetReadDeadline(time.Time) error }); ok {
			d.SetReadDeadline(time.Unix(1, 0)) // one that cannot is read to its end
		}
	})
	defer stop()
	sent := send(nc, params, r.Stdin, length)
	began, err := receive(bufio.NewReader(nc), r.Stdout, r.Stderr)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	if err == nil {
		return nil // also if not all was sent: a server may answer early
	}
	var body *bodyError
	switch {
	case began:
	case errors.As(sent, &body):
		answer(r.Stdout, "400 Bad Request", 0, "The request broke off.")
		return &Error{sent.Error(), sent}
	default:
		answer(r.Stdout, "503 Service Unavailable", RetryAfter, "pushbridge does not answer at the moment; try again later.")
	}
	if sent != nil {
		err = errors.Join(sent, err)
	}
	return &Error{fmt.Sprintf("the worker at %s broke off: %v", r.Addr, err), err}
}

// dial connects, and says what to do where it cannot.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	network, address, ok := strings.Cut(addr, ":")
	if !ok || network != "unix" && network != "tcp" {
		return nil, &Error{text: fmt.Sprintf("%q is neither unix:/path nor tcp:host:port", addr)}
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, address)
	switch {
	case err == nil:
		return nc, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &Error{fmt.Sprintf("no worker listens at %s: does \"pushbridge serve\" run, and does its \"listen\" name this socket?", addr), err}
	case errors.Is(err, fs.ErrPermission):
		return nil, &Error{fmt.Sprintf("this user may not open %s: give the socket to the web server's group with listen = \"%s?group=www-data\"", addr, addr), err}
	}
	return nil, &Error{fmt.Sprintf("the worker at %s cannot be reached: %v", addr, err), err}
}

// answer writes an answer of our own.
func answer(w io.Writer, status string, retry time.Duration, text string) {
	var b strings.Builder
	fmt.Fprintf(&b, "Status: %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n", status, len(text)+1)
	if retry > 0 {
		fmt.Fprintf(&b, "Retry-After: %d\r\n", int(retry/time.Second))
	}
	fmt.Fprintf(&b, "\r\n%s\n", text)
	io.WriteString(w, b.String()) // who has closed it does not read it
}

// variables are those of RFC 3875, section 4.1, that a FastCGI server for
// ActiveSync has a use for, and what web servers add to them. Those whose
// names begin with HTTP_ are headers and are passed, too.
var variables = map[string]bool{
	"AUTH_TYPE": false, "REMOTE_USER": false, // what the client claims
	"CONTENT_LENGTH": true, "CONTENT_TYPE": true, "HTTPS": true, "PATH_INFO": true, "QUERY_STRING": true,
	"REMOTE_ADDR": true, "REMOTE_PORT": true, "REQUEST_METHOD": true, "REQUEST_SCHEME": true, "REQUEST_URI": true,
	"SCRIPT_NAME": true, "SERVER_NAME": true, "SERVER_PORT": true, "SERVER_PROTOCOL": true,
}

// redirected is how Apache names Authorization after an internal redirect.
const redirected = "REDIRECT_HTTP_AUTHORIZATION"

// parameters are what the server is told, and the length of the body.
func parameters(env []string) (params []byte, length int64, err error) {
	values := make(map[string]string)
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if variables[name] || strings.HasPrefix(name, "HTTP_") && name != "HTTP_PROXY" {
			values[name] = value
			continue
		}
		if name == redirected && values["HTTP_AUTHORIZATION"] == "" {
			values["HTTP_AUTHORIZATION"] = value
		}
	}
	if values["REQUEST_METHOD"] == "" {
		return nil, 0, &Error{text: "there is no REQUEST_METHOD: a web server runs this program, with the variables of RFC 3875"}
	}
	if text := values["CONTENT_LENGTH"]; text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return nil, 0, &Error{text: "CONTENT_LENGTH is not a length"}
		}
		length = int64(n)
	}
	for name, value := range values {
		params = appendPair(params, name, value)
	}
	return params, length, nil
}
