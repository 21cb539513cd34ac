package webdav

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/pushbridge/pushbridge/carddav/dav"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// others are the kinds of errors that are no refusals, in the order in which
// they are looked for.
var others = []struct {
	is   error
	kind backend.Kind
}{
	{dav.ErrGone, backend.NotFound},
	{dav.ErrNoName, backend.NotFound},
	{dav.ErrNoHome, backend.NotFound},
	{dav.ErrTaken, backend.Conflict},
	{dav.ErrUIDTaken, backend.Invalid},
	{dav.ErrTooLarge, backend.TooLarge},
	{dav.ErrUnauthenticated, backend.Denied},
	{dav.ErrOvertaken, backend.Transient},
	{dav.ErrCut, backend.Transient},
}

// Error gives err, which came of talking to a server, its kind. op is what
// was being done. An error that has a kind stays what it is.
func Error(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*backend.Error](err); ok {
		return err
	}
	for _, o := range others {
		if errors.Is(err, o.is) {
			return backend.E(o.kind, op, err)
		}
	}
	if e, ok := errors.AsType[*dav.StatusError](err); ok {
		return &backend.Error{Kind: statusKind(e), Op: op, Err: err, RetryAfter: e.RetryAfter}
	}
	if _, ok := errors.AsType[*dav.NetworkError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return backend.E(backend.Transient, op, err)
	}
	return backend.E(backend.Other, op, err)
}

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

// statusKind says what the caller can do about a refusal. This is the only
// place where statuses become kinds.
func statusKind(e *dav.StatusError) backend.Kind {
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
