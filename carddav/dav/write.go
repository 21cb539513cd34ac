package dav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// strongETag is the ETag header, or nothing if it is weak: a proxy that
// compresses weakens what passes it, so the property has another one.
func strongETag(h http.Header) string {
	etag := strings.TrimSpace(h.Get("ETag"))
	if strings.HasPrefix(etag, "W/") {
		return ""
	}
	return etag
}

// Create stores an item under a new name, which gets the dialect's suffix. If
// the name is taken nothing changes: the error is ErrTaken, and the Member is
// what has the name. If the collection has the object's UID under
// another name, the error is a *StatusError with UIDConflict, and the Member
// is empty.
func (c *Client) Create(ctx context.Context, collection, name string, body []byte) (Member, error) {
	id := EscapeSegment(name) + c.dialect.Suffix
	m, err := c.put(ctx, collection, id, body, "If-None-Match", "*")
	e, ok := errors.AsType[*StatusError](err)
	if !ok || e.Code != http.StatusPreconditionFailed && !e.UIDConflict() {
		return m, err
	}
	// Some servers look for the UID before they look for the name.
	there, statErr := c.Stat(ctx, collection, id)
	switch {
	case statErr != nil:
		return Member{}, statErr
	case there.Removed && e.Precondition.Local == "":
		// It went between the two requests; the next try may succeed.
		return Member{}, fmt.Errorf("%w: %w", ErrOvertaken, err)
	case there.Removed:
		return Member{}, err
	}
	return there, fmt.Errorf("%w: %w", ErrTaken, err)
}

// Replace stores another revision of an item in the place of that very one. A
// *StatusError with 412 means that another is there, ErrGone that none is.
func (c *Client) Replace(ctx context.Context, collection string, id string, old string, body []byte) (Member, error) {
	m, err := c.put(ctx, collection, id, body, "If-Match", old)
	return m, c.orGone(ctx, collection, id, err)
}

// orGone turns a failed condition into ErrGone if the item is not there any more:
// for a condition that is not met, both are 412.
func (c *Client) orGone(ctx context.Context, collection string, id string, err error) error {
	e, ok := errors.AsType[*StatusError](err)
	if !ok || e.Code != http.StatusPreconditionFailed && e.Code != http.StatusConflict {
		return err
	}
	if m, statErr := c.Stat(ctx, collection, id); statErr == nil && m.Removed {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if e.UIDConflict() {
		// The new bytes have another UID than the old ones.
		return fmt.Errorf("%w: %w", ErrUIDTaken, err)
	}
	return err
}

func (c *Client) put(ctx context.Context, collection string, id string, body []byte, condition ...string) (Member, error) {
	path, err := c.itemPath(collection, id)
	if err != nil {
		return Member{}, err
	}
	if len(body) > MaxItem {
		return Member{}, tooLarge(id)
	}
	if body == nil {
		body = []byte{} // none at all would be sent without a length
	}
	resp, err := c.request(ctx, "PUT", path, body, append(condition, "Content-Type", c.dialect.ContentType)...)
	if err != nil {
		return Member{}, err
	}
	defer resp.Body.Close()
	if err := c.outcome(ctx, resp, path); err != nil {
		return Member{}, err
	}
	m := Member{ID: id, Revision: strongETag(resp.Header)}
	if m.Revision != "" {
		return m, nil
	}
	// A server that alters what it stores must not answer an ETag; nor do
	// lazy ones. See RFC 4791, section 5.3.4.
	return c.stored(ctx, collection, id)
}

// stored asks for the revision of what was stored just now.
func (c *Client) stored(ctx context.Context, collection string, id string) (Member, error) {
	m, err := c.Stat(ctx, collection, id)
	if err == nil && m.Removed {
		return Member{}, fmt.Errorf("%s%s was stored and is gone again: %w", collection, id, ErrOvertaken)
	}
	return m, err
}

// Delete removes that very revision of an item, or any if old is empty.
func (c *Client) Delete(ctx context.Context, collection string, id string, old string) error {
	path, err := c.itemPath(collection, id)
	if err != nil {
		return err
	}
	var condition []string
	if old != "" {
		condition = []string{"If-Match", old}
	}
	resp, err := c.request(ctx, "DELETE", path, nil, condition...)
	if err != nil {
		return c.orGone(ctx, collection, id, err)
	}
	defer resp.Body.Close()
	return c.orGone(ctx, collection, id, c.outcome(ctx, resp, path))
}

// Move takes an item to another collection under the same name, or one made
// of the name and a number if that is taken. See RFC 4918, section 9.9.
func (c *Client) Move(ctx context.Context, from string, id string, to string) (Member, error) {
	path, err := c.itemPath(from, id)
	if err != nil {
		return Member{}, err
	}
	name, suffix := id, ""
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		name, suffix = name[:dot], name[dot:]
	}
	next := id
	for try := 1; ; try++ {
		err = c.move(ctx, path, to+next)
		e, ok := errors.AsType[*StatusError](err)
		if !ok || e.Code != http.StatusPreconditionFailed || e.UIDConflict() || try == maxNames {
			break
		}
		next = fmt.Sprintf("%s-%d%s", name, try, suffix)
	}
	if err != nil {
		return Member{}, err
	}
	return c.stored(ctx, to, next)
}

// maxNames bounds how many names a moved item is offered. Names are random;
// the first one that is taken is an accident, the third is a mistake.
const maxNames = 3

func (c *Client) move(ctx context.Context, from, to string) error {
	resp, err := c.request(ctx, "MOVE", from, nil,
		"Destination", WithPath(c.root, to).String(), "Overwrite", "F")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.outcome(ctx, resp, from)
}

// outcome reads the little that a server says after a write. A multistatus
// may say that nothing was written: Radicale answers one to each DELETE, and
// Xandikos one to a PUT that it refuses. See RFC 4918, section 9.6.1.
func (c *Client) outcome(ctx context.Context, resp *http.Response, path string) error {
	if resp.StatusCode != http.StatusMultiStatus {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody))
		return Ended(ctx, err)
	}
	method := resp.Request.Method
	_, err := ReadMultistatus(resp.Body, func(r *Response) error {
		if r.Status == 0 || r.Status/100 == 2 {
			return nil
		}
		return &StatusError{Method: method, Path: path, Code: r.Status, Precondition: r.Precondition}
	})
	return Ended(ctx, err)
}
