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
