package dav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// maxUID bounds the UID that is looked for, in bytes. RFC 7986, section 5.3,
// advises 255 at most for iCalendar; vCards have URIs.
const maxUID = 1024

// CreateUnique is Create for a collection whose members must have different
// UIDs. If another member has the object's UID, the error is ErrTaken and the
// Member is that one, which find looks up; if it cannot be found the error is
// ErrUIDTaken.
func (c *Client) CreateUnique(ctx context.Context, collection, name string, body []byte, find func(ctx context.Context, collection, uid string) (Member, error)) (Member, error) {
	m, err := c.Create(ctx, collection, name, body)
	e, ok := errors.AsType[*StatusError](err)
	if !ok || !e.UIDConflict() || m.ID != "" {
		return m, err
	}
	if uid := UID(body); uid != "" {
		there, findErr := find(ctx, collection, uid)
		if findErr != nil {
			return Member{}, findErr
		}
		if !there.Removed {
			return there, fmt.Errorf("%w: %w", ErrTaken, err)
		}
	}
	return Member{}, fmt.Errorf("%w: %w", ErrUIDTaken, err)
}

// WithUID reads the items that a server thinks have a UID and answers the one
// that has it; Removed if none does. Servers compare in ways of their own.
func (c *Client) WithUID(ctx context.Context, collection, uid string, candidates []string) (Member, error) {
	found := Member{Removed: true}
	err := c.MultiGet(ctx, collection, candidates, func(raw Raw) error {
		if !raw.Removed && raw.Err == nil && UID(raw.Body) == uid {
			found = raw.Member
		}
		return nil
	})
	return found, err
}

// UID is the value of the first UID property of a vCard or iCalendar object,
// or empty. See RFC 6350, section 6.7.6, and RFC 5545, section 3.8.4.7.
func UID(body []byte) string {
	var value strings.Builder
	inside := false
	for line := range bytes.Lines(body) {
		line = bytes.TrimRight(line, "\r\n")
		if inside {
			// A folded line goes on behind a space or tab.
			if len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
				break
			}
			value.Write(line[1:])
		} else if v, ok := uidLine(line); ok {
			inside = true
			value.Write(v)
		}
		if value.Len() > maxUID {
			return ""
		}
	}
	return strings.TrimSpace(value.String())
}

// uidLine tells whether a line is a UID property, with or without a group and
// parameters, and answers its value.
func uidLine(line []byte) ([]byte, bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return nil, false
	}
	name, _, _ = bytes.Cut(name, []byte(";"))
	if dot := bytes.LastIndexByte(name, '.'); dot >= 0 {
		name = name[dot+1:]
	}
	return value, bytes.EqualFold(name, []byte("UID"))
}
