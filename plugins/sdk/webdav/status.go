package webdav

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

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxErrorBody bounds what is read of a refusal, in bytes: enough for any
// precondition, too little to be a burden.
const maxErrorBody = 16 << 10

// maxRetryAfter bounds what a server may ask us to wait. A day is as good as
// never for a phone.
const maxRetryAfter = 24 * time.Hour

// A StatusError says that a server refused a request.
type StatusError struct {
	Method string
	Path   string
	Code   int // HTTP status, not 2xx

	// Precondition is what the answer's body says was not met, as
	// {DAV:}valid-sync-token; empty if it does not say.
	// See RFC 4918, section 16.
	Precondition xml.Name

	Location   string        // of a redirect that was not followed, and why
	RetryAfter time.Duration // 0 if the server did not say
}

// Error says what was refused and with which status.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s %s: status %d", e.Method, e.Path, e.Code)
	if e.Precondition.Local != "" {
		text += " (" + e.Precondition.Local + ")"
	}
	if e.Location != "" {
		text += ": " + e.Location
	}
	return text
}

// UIDConflict tells whether the server refused to store an object because the
// collection has its UID under another name.
// See RFC 4791, section 5.3.2.1, and RFC 6352, section 6.3.2.1.
func (e *StatusError) UIDConflict() bool { return e.Precondition.Local == "no-uid-conflict" }

// writes are the methods that change something.
var writes = map[string]bool{"PUT": true, "DELETE": true, "MOVE": true, "MKCOL": true, "MKCALENDAR": true, "PROPPATCH": true}

// preconditions give kinds to what servers say in the body of a 403, 409 or
// 412. They are the same for every status: servers do not agree on one.
var preconditions = map[string]backend.Kind{
	"valid-sync-token":  backend.Expired,     // RFC 6578, section 3.2
	"supported-report":  backend.Unsupported, // RFC 3253, section 3.6
	"max-resource-size": backend.TooLarge,    // RFC 4791, section 5.3.2.1

	"no-uid-conflict":                            backend.Conflict,
	"supported-calendar-data":                    backend.Invalid,
	"valid-calendar-data":                        backend.Invalid,
	"valid-calendar-object-resource":             backend.Invalid,
	"supported-calendar-component":               backend.Invalid,
	"calendar-collection-location-ok":            backend.Invalid,
	"min-date-time":                              backend.Invalid,
	"max-date-time":                              backend.Invalid,
	"max-instances":                              backend.Invalid,
	"max-attendees-per-instance":                 backend.Invalid,
	"supported-address-data":                     backend.Invalid, // RFC 6352, section 6.3.2.1
	"valid-address-data":                         backend.Invalid,
	"addressbook-collection-location-ok":         backend.Invalid,
	"same-organizer-in-all-components":           backend.Invalid, // RFC 6638, section 3.2.4
	"allowed-organizer-scheduling-object-change": backend.Invalid,
	"allowed-attendee-scheduling-object-change":  backend.Invalid,
	"quota-not-exceeded":                         backend.Transient, // RFC 4331, section 6
	"sufficient-disk-space":                      backend.Transient,
	"number-of-matches-within-limits":            backend.TooLarge,
	"cannot-modify-protected-property":           backend.ReadOnly,
}

// Kind says what the caller can do about the refusal. This is the only place
// where statuses become kinds.
func (e *StatusError) Kind() backend.Kind {
	if kind, ok := preconditions[e.Precondition.Local]; ok && e.Code/100 == 4 {
		return kind
	}
	switch e.Code {
	case http.StatusUnauthorized:
		return backend.Denied
	case http.StatusForbidden:
		// The password was right, else it were 401, so asking for another
		// does not help: somebody stopped sharing this. RFC 3744, section
		// 7.1.1, has need-privileges for it, which few servers send.
		if writes[e.Method] {
			return backend.ReadOnly
		}
		return backend.NotFound
	case http.StatusNotFound, http.StatusGone:
		return backend.NotFound
	case http.StatusConflict:
		return backend.NotFound // the parent is missing: RFC 4918, sections 9.7.1 and 9.9.4
	case http.StatusPreconditionFailed:
		return backend.Conflict
	case http.StatusRequestEntityTooLarge:
		return backend.TooLarge
	case http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return backend.Invalid
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return backend.Unsupported
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusFailedDependency, http.StatusTooManyRequests:
		return backend.Transient
	}
	if e.Code/100 == 5 {
		return backend.Transient // 507 as well: somebody may make room
	}
	return backend.Other
}

// Error gives err, which came of talking to the server, its kind. op is what
// was being done. An error that has a kind stays what it is.
func (c *Client) Error(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*backend.Error](err); ok {
		return err
	}
	op = c.server.dialect.Name + ": " + op
	if e, ok := errors.AsType[*StatusError](err); ok {
		return &backend.Error{Kind: e.Kind(), Op: op, Err: err, RetryAfter: e.RetryAfter}
	}
	kind := backend.Other
	switch {
	case errors.Is(err, errTooBig):
		kind = backend.TooLarge
	case isNetwork(err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errRemovedMeanwhile),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind = backend.Transient
	}
	return backend.E(kind, op, err)
}

// refusal turns an answer that is not 2xx into an error and closes it.
func refusal(resp *http.Response) *StatusError {
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

// ended answers what the caller's context says once it is over, with its cause
// if it has one; else err.
func ended(ctx context.Context, err error) error {
	over := ctx.Err()
	if err == nil || over == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, over) {
		return fmt.Errorf("%w: %w", over, cause)
	}
	return over
}
