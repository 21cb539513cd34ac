package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
)

// A NewCollection says what to make.
type NewCollection struct {
	// Method and Root are what the dialect makes collections with: MKCALENDAR
	// and its element, or MKCOL and {DAV:}mkcol. See RFC 4791, section 5.3.1,
	// and RFC 5689.
	Method string
	Root   xml.Name

	Name   string                // what people call it
	Colour string                // "#rrggbb", or empty
	More   func(w *bytes.Buffer) // writes further properties; nil writes none
}

// Make makes a collection under a name in the person's first home set. If
// something is there under the name, nothing changes: the error is ErrTaken, and
// the path is that of what is there.
func (c *Client) Make(ctx context.Context, home Home, segment string, n NewCollection) (path string, err error) {
	path = home.Sets[0] + EscapeSegment(segment) + "/"
	body := document(n.Root.Space, n.Root.Local, func(w *bytes.Buffer) {
		w.WriteString("<D:set><D:prop>")
		if n.More != nil {
			n.More(w)
		}
		textElement(w, "displayname", n.Name)
		if n.Colour != "" {
			w.WriteString(c.colourElement(n.Colour))
		}
		w.WriteString("</D:prop></D:set>")
	})
	resp, err := c.request(ctx, n.Method, path, body, "Content-Type", `application/xml; charset="utf-8"`)
	if err == nil {
		defer resp.Body.Close()
		err = c.outcome(ctx, resp, path)
	}
	e, ok := errors.AsType[*StatusError](err)
	if !ok || e.Code/100 != 4 {
		return path, err
	}
	// Servers do not agree on how they say that the name is taken: 405, 403 or
	// 409, some with the precondition {DAV:}resource-must-be-null.
	if _, found := c.PropfindOne(ctx, path, Name(DAV, "resourcetype")); found == nil {
		return path, fmt.Errorf("%w: %w", ErrTaken, err)
	}
	return path, err
}

// Describe asks what a collection is, as Collections says it.
func (c *Client) Describe(ctx context.Context, home Home, path string, more ...xml.Name) (Collection, *Response, error) {
	r, err := c.PropfindOne(ctx, path, append(more, collectionProps...)...)
	if err != nil {
		return Collection{}, nil, err
	}
	kind, ok := r.Get(DAV, "resourcetype")
	if !ok || !kind.Has(c.dialect.Namespace, c.dialect.Resource) {
		return Collection{}, nil, fmt.Errorf("PROPFIND %s: it is no %s", path, c.dialect.Resource)
	}
	found, err := c.describe(home, r)
	return found, r, err
}

// Rename gives a collection a name, and a colour if it is not empty. See RFC
// 4918, section 9.2.
func (c *Client) Rename(ctx context.Context, path, name, colour string) error {
	err := c.proppatch(ctx, path, func(w *bytes.Buffer) { textElement(w, "displayname", name) })
	if err != nil || colour == "" {
		return err
	}
	return c.proppatch(ctx, path, func(w *bytes.Buffer) { w.WriteString(c.colourElement(colour)) })
}

// colourElement is the property in which the dialect's servers keep a colour.
func (c *Client) colourElement(colour string) string {
	name, space := "calendar-color", AppleICal
	if c.dialect.Resource == "addressbook" {
		name, space = "addressbook-color", InfIT
	}
	return "<" + name + ` xmlns="` + space + `">` + colour + "</" + name + ">"
}

// proppatch sets one property.
func (c *Client) proppatch(ctx context.Context, path string, property func(*bytes.Buffer)) error {
	body := document(DAV, "propertyupdate", func(w *bytes.Buffer) {
		w.WriteString("<D:set><D:prop>")
		property(w)
		w.WriteString("</D:prop></D:set>")
	})
	_, err := c.multistatus(ctx, "PROPPATCH", path, Depth0, body, func(r *Response) error {
		if r.Status != 0 && r.Status/100 != 2 {
			return &StatusError{Method: "PROPPATCH", Path: path, Code: r.Status, Precondition: r.Precondition}
		}
		for _, p := range r.Properties {
			if p.Status/100 != 2 {
				return &StatusError{Method: "PROPPATCH", Path: path, Code: p.Status}
			}
		}
		return nil
	})
	return err
}

// DeleteCollection removes a collection with all that is in it; ErrGone if it is
// not there. See RFC 4918, section 9.6.1.
func (c *Client) DeleteCollection(ctx context.Context, path string) error {
	resp, err := c.request(ctx, http.MethodDelete, path, nil)
	if err == nil {
		defer resp.Body.Close()
		err = c.outcome(ctx, resp, path)
	}
	if e, ok := errors.AsType[*StatusError](err); ok && e.Missing() {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}
