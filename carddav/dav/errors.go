package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxErrorBody bounds what is read of a refusal, in bytes: enough for any
// precondition, too little to be a burden.
const maxErrorBody = 16 << 10

// maxRetryAfter bounds what a server may ask us to wait. A day is as good as
// never for a phone.
const maxRetryAfter = 24 * time.Hour

// What can go wrong beside a *StatusError, a *SyntaxError and the network.
// errors.Is finds these.
var (
	ErrGone            = errors.New("it is not there any more")
	ErrNoName          = errors.New("this names nothing")
	ErrTaken           = errors.New("the name is taken")
	ErrUIDTaken        = errors.New("the UID is taken")
	ErrTooLarge        = errors.New("it is too large")
	ErrOvertaken       = errors.New("it changed in between")
	ErrCut             = errors.New("the server cut its answer")
	ErrUnauthenticated = errors.New("the server let nobody in")
	ErrNoHome          = errors.New("the server offers no home")
)

// A StatusError says that a server refused a request.
type StatusError struct {
	Method string
	Path   string
	Code   int // HTTP status, not 2xx

	// Precondition is what the answer's body says was not met, as
	// {DAV:}valid-sync-token; empty if it does not say.
	// See RFC 4918, section 16.
	Precondition xml.Name

	Why        string        // more for a person, such as that a redirect was not followed
	RetryAfter time.Duration // 0 if the server did not say
}

// Missing tells that nothing is there, not even something that may not be
// seen.
func (e *StatusError) Missing() bool {
	return e.Code == http.StatusNotFound || e.Code == http.StatusGone
}

// Error says what was refused and with which status.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s %s: status %d", e.Method, e.Path, e.Code)
	if e.Precondition.Local != "" {
		text += " (" + e.Precondition.Local + ")"
	}
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

// UIDConflict tells whether the server refused to store an object because the
// collection has its UID under another name.
// See RFC 4791, section 5.3.2.1, and RFC 6352, section 6.3.2.1.
func (e *StatusError) UIDConflict() bool { return e.Precondition.Local == "no-uid-conflict" }

// Refusal turns an answer that is not 2xx into an error and closes it.
func Refusal(resp *http.Response) *StatusError {
	defer resp.Body.Close()
	e := &StatusError{
		Method:     resp.Request.Method,
		Path:       resp.Request.URL.EscapedPath(),
		Code:       resp.StatusCode,
		RetryAfter: retryAfter(resp.Header, time.Now()),
	}
	e.Precondition = precondition(io.LimitReader(resp.Body, maxErrorBody))
	return e
}

// precondition reads the first child of a DAV:error element.
func precondition(r io.Reader) xml.Name {
	d := xml.NewDecoder(r)
	d.CharsetReader = charsetReader
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return xml.Name{}
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 && (t.Name.Space != "DAV:" || t.Name.Local != "error") {
				return xml.Name{}
			}
			// sabre/dav puts elements of its own before the precondition.
			if depth == 2 && t.Name.Space != "http://sabredav.org/ns" {
				return t.Name
			}
		case xml.EndElement:
			depth--
		}
	}
}

// retryAfter reads seconds or a date. See RFC 9110, section 10.2.3.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// Ended answers what the caller's context says once it is over, with its cause
// if it has one; else err.
func Ended(ctx context.Context, err error) error {
	over := ctx.Err()
	if err == nil || over == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, over) {
		return fmt.Errorf("%w: %w", over, cause)
	}
	return over
}

// A NetworkError says that there is no answer, or not all of one. An HTTP
// client that tells so lets finding a principal end there, rather than at the
// next door.
type NetworkError struct{ Err error }

// Error says what the network did.
func (e *NetworkError) Error() string { return e.Err.Error() }

// Unwrap answers the cause.
func (e *NetworkError) Unwrap() error { return e.Err }
