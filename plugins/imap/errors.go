package imap

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/imap/imapconn"
)

// codes says what the codes of RFC 9051, section 7.1, and their relatives mean
// for the caller. What is not here is Other.
var codes = map[string]backend.Kind{
	"AUTHENTICATIONFAILED": backend.Denied, "AUTHORIZATIONFAILED": backend.Denied, "EXPIRED": backend.Denied,
	"UNAVAILABLE": backend.Transient, "INUSE": backend.Transient, "SERVERBUG": backend.Transient, "CONTACTADMIN": backend.Transient,
	"LIMIT":       backend.Transient, // of connections for one person, among others
	"NONEXISTENT": backend.NotFound, "TRYCREATE": backend.NotFound,
	"OVERQUOTA": backend.TooLarge, "TOOBIG": backend.TooLarge,
	"NOPERM": backend.ReadOnly, "READ-ONLY": backend.ReadOnly,
	"ALREADYEXISTS": backend.Conflict,
	"CANNOT":        backend.Invalid, "BADCHARSET": backend.Invalid,
}

// failure is the error of a call: what the server said, with the kind that
// tells what can be done about it, or what became of the connection.
func failure(op string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*imapconn.WriteError](err); ok {
		return e.Err
	}
	if _, ok := errors.AsType[*backend.Error](err); ok {
		return err
	}
	op = "imap: " + op
	status, ok := errors.AsType[*imapconn.StatusError](err)
	if !ok {
		return backend.E(backend.Transient, op, err) // the network's, or the end of a context
	}
	kind, known := codes[status.Code]
	switch {
	case known:
	case status.Command == "greeting":
		kind = backend.Transient
	case missingText(status.Text):
		kind = backend.NotFound
	case strings.Contains(strings.ToLower(status.Text), "permission denied"):
		kind = backend.ReadOnly
	case strings.Contains(strings.ToLower(status.Text), "quota"):
		kind = backend.TooLarge
	}
	return &backend.Error{Kind: kind, Op: op, Err: err}
}

// missingText tells whether a server without codes says that a mailbox is not
// there.
func missingText(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{"doesn't exist", "does not exist", "no such mailbox", "unknown mailbox", "mailbox not found", "not found"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// loginFailure is the error of a login. A NO without a code is Denied: older
// servers know no codes, and the others would use one for anything else.
func loginFailure(err error) error {
	status, ok := errors.AsType[*imapconn.StatusError](err)
	if !ok {
		return failure("login", err)
	}
	kind, known := codes[status.Code]
	if !known || kind == backend.Invalid {
		kind = backend.Denied
	}
	e := &backend.Error{Kind: kind, Op: "imap: login", Err: err}
	if kind == backend.Transient {
		e.RetryAfter = 30 * time.Second
	}
	return e
}

// ended is the error of a call whose context has ended, or nil.
func ended(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return backend.E(backend.Transient, "imap: "+op, errors.Join(ctx.Err(), context.Cause(ctx)))
}

// notFound is the error of a call for something that is not there.
func notFound(op, format string, args ...any) error {
	return backend.Errorf(backend.NotFound, "imap: "+op, format, args...)
}
