package backend

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Kind of error is what the caller can do about it. The numbers travel
// between processes and are therefore append-only.
type Kind int

// The kinds of errors.
const (
	Other       Kind = iota // nothing in particular
	NotFound                // ask for something else
	Conflict                // fetch the current revision and try again
	Expired                 // start again without a cursor
	Denied                  // ask the person to log in
	Transient               // try again later
	TooLarge                // send less
	ReadOnly                // do not write here
	Invalid                 // send something else: the store refuses this content
	Unsupported             // do not ask for this
)

var kindNames = [...]string{
	Other: "error", NotFound: "not found", Conflict: "conflict", Expired: "cursor expired",
	Denied: "access denied", Transient: "temporarily unavailable", TooLarge: "too large",
	ReadOnly: "read-only", Invalid: "invalid content", Unsupported: "unsupported",
}

// String says the kind in words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// An Error is what every method of a Session and a Backend fails with. It
// crosses the process boundary with all of its fields (Err as text).
type Error struct {
	Kind Kind
	Op   string // what was being done: "caldav: PUT /ann/team/1.ics"
	Err  error  // the cause, or nil

	// RetryAfter is how long to wait before trying again, where the store
	// said so. Only for Transient; 0 means that it did not say.
	RetryAfter time.Duration
}

// Error says what was being done, the kind and the cause.
func (e *Error) Error() string {
	text := e.Kind.String()
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap answers the cause.
func (e *Error) Unwrap() error { return e.Err }

// E builds an *Error.
func E(kind Kind, op string, err error) *Error { return &Error{Kind: kind, Op: op, Err: err} }

// Errorf builds an *Error with a formatted cause.
func Errorf(kind Kind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// KindOf tells what the caller of a failed call can do. A context that ended
// is Transient; nil and unknown errors are Other.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return Other
}

// RetryAfter is the waiting time that an error asks for, or 0.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
