package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// A Raw is an item as the server has it, or why it could not be read.
type Raw struct {
	Member
	Body []byte
	Err  error // of this one item
}

// MultiGet reads items by name, some dozens at a time, and calls yield once
// for each: Removed if it is gone, with Err if this one cannot be read. What
// one answer cannot tell, be it that its XML breaks in the middle because an
// item has characters that XML forbids, is fetched singly.
func (c *Client) MultiGet(ctx context.Context, collection string, ids []string, yield func(Raw) error) error {
	for chunk := range slices.Chunk(ids, multiGetSize) {
		missing := make(map[string]bool, len(chunk))
		for _, id := range chunk {
			if _, err := c.itemPath(collection, id); err != nil {
				if err := yield(Raw{Member: Member{ID: id, Removed: true}}); err != nil {
					return err
				}
				continue
			}
			missing[id] = true
		}
		asked := len(missing)
		if asked == 0 {
			continue
		}
		if err := c.multiGet(ctx, collection, chunk, missing, yield); err != nil {
			return err
		}
		if err := c.singly(ctx, collection, chunk, missing, asked, yield); err != nil {
			return err
		}
	}
	return nil
}

// singly gets what is missing of the asked items. If the server stumbles over
// some and not over others, those are unreadable; if it stumbles over all that
// were asked for, it is the server.
func (c *Client) singly(ctx context.Context, collection string, ids []string, missing map[string]bool, asked int, yield func(Raw) error) error {
	var stumbled []Raw
	for _, id := range ids {
		if !missing[id] {
			continue
		}
		delete(missing, id)
		raw, err := c.Get(ctx, collection, id)
		if e, ok := errors.AsType[*StatusError](err); ok && e.Code == http.StatusInternalServerError {
			raw.Err = err
			stumbled = append(stumbled, raw)
			continue
		}
		if err != nil {
			return err
		}
		if err := yield(raw); err != nil {
			return err
		}
	}
	if len(stumbled) == asked {
		return stumbled[0].Err
	}
	for _, raw := range stumbled {
		if err := yield(raw); err != nil {
			return err
		}
	}
	return nil
}

// multiGet asks for what is missing in one request, and takes out what came.
func (c *Client) multiGet(ctx context.Context, collection string, ids []string, missing map[string]bool, yield func(Raw) error) error {
	d := c.dialect
	body := d.Document(d.MultiGet, func(w *bytes.Buffer) {
		propElement(w, []xml.Name{ETagName, Name(d.Namespace, d.Data)})
		for _, id := range ids {
			if missing[id] {
				textElement(w, "href", collection+id)
			}
		}
	})
	var stop error
	// RFC 4791, section 7.9: the Depth header is ignored, 0 is polite.
	err := c.Report(ctx, collection, Depth0, body, func(r *Response) error {
		id, err := c.member(collection, r.Href)
		if err != nil {
			return err
		}
		if !missing[id] {
			return nil // not asked for, or told twice
		}
		raw := Raw{Member: Member{ID: id, Revision: r.ETag()}}
		data, ok := r.Get(d.Namespace, d.Data)
		switch {
		case r.Status == http.StatusNotFound || r.Status == http.StatusGone:
			raw = Raw{Member: Member{ID: id, Removed: true}}
		case ok && raw.Revision != "" && strings.TrimSpace(data.Text) != "":
			raw.Body = lines(data.Text)
		default:
			return nil // to be asked for singly
		}
		if len(raw.Body) > MaxItem {
			raw.Body, raw.Err = nil, tooLarge(id)
		}
		delete(missing, id)
		stop = yield(raw)
		return stop
	})
	switch {
	case err == nil:
		return nil
	case stop != nil:
		return stop
	case isGarbled(err), stumbles(err):
		return nil // the rest is asked for singly
	}
	return err
}

// isGarbled tells of an answer that came but cannot be read.
func isGarbled(err error) bool {
	_, ok := errors.AsType[*SyntaxError](err)
	return ok || errors.Is(err, ErrTooLarge)
}

// stumbles tells of a server that has no multiget, or that has an item which
// breaks it.
func stumbles(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && (e.Code == http.StatusInternalServerError || e.Code == http.StatusMethodNotAllowed ||
		e.Code == http.StatusNotImplemented || e.Precondition.Local == "supported-report")
}

func tooLarge(id string) error {
	return fmt.Errorf("item %q has more than %d bytes: %w", id, MaxItem, ErrTooLarge)
}

// lines restores the CRLF that an XML reader, as it must, has turned into LF
// unless the server escaped it. vCard and iCalendar have it at each line's
// end. See XML 1.0, section 2.11; RFC 6350, section 3.2; RFC 5545, section 3.1.
func lines(text string) []byte {
	text = strings.TrimLeft(text, " \t\r\n\ufeff")
	if strings.Contains(text, "\r") {
		return []byte(text)
	}
	b := make([]byte, 0, len(text)+strings.Count(text, "\n")+2)
	for line := range strings.Lines(text) {
		rest, ended := strings.CutSuffix(line, "\n")
		b = append(b, rest...)
		if ended {
			b = append(b, '\r', '\n')
		}
	}
	return b
}

// Get reads one item.
func (c *Client) Get(ctx context.Context, collection string, id string) (Raw, error) {
	raw := Raw{Member: Member{ID: id}}
	path, err := c.itemPath(collection, id)
	if err != nil {
		raw.Removed = true
		return raw, nil
	}
	resp, err := c.request(ctx, "GET", path, nil)
	if e, ok := errors.AsType[*StatusError](err); ok {
		switch {
		case e.Code == http.StatusForbidden:
			// It is there, and it is this item alone.
			raw.Err = err
			return raw, nil
		case e.Missing():
			raw.Removed = true
			return raw, nil
		}
	}
	if err != nil {
		return raw, err
	}
	defer resp.Body.Close()
	raw.Body, err = io.ReadAll(io.LimitReader(resp.Body, MaxItem+1))
	if err != nil {
		return raw, fmt.Errorf("GET %s: %w", path, Ended(ctx, err))
	}
	if len(raw.Body) > MaxItem {
		raw.Body, raw.Err = nil, tooLarge(id)
		return raw, nil
	}
	if resp.ContentLength < 0 && !bytes.HasSuffix(bytes.TrimSpace(raw.Body), []byte(c.dialect.End)) {
		// An answer of HTTP/1.0 that was cut looks like a whole one.
		return raw, fmt.Errorf("GET %s: %w", path, io.ErrUnexpectedEOF)
	}
	raw.Revision = strongETag(resp.Header)
	if raw.Revision == "" {
		m, err := c.Stat(ctx, collection, id)
		if err != nil {
			return raw, err
		}
		raw.Member = m
	}
	return raw, nil
}

// Stat asks for an item's revision; it may be Removed.
func (c *Client) Stat(ctx context.Context, collection string, id string) (Member, error) {
	path, err := c.itemPath(collection, id)
	if err != nil {
		return Member{ID: id, Removed: true}, nil
	}
	r, err := c.PropfindOne(ctx, path, ETagName)
	if e, ok := errors.AsType[*StatusError](err); ok && e.Missing() {
		return Member{ID: id, Removed: true}, nil
	}
	if err != nil {
		return Member{}, err
	}
	if r.ETag() == "" {
		return Member{}, &SyntaxError{Err: fmt.Errorf("PROPFIND %s: the item has no ETag", path)}
	}
	return Member{ID: id, Revision: r.ETag()}, nil
}

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
