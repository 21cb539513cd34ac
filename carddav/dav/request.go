package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// maxRounds bounds how often a server may say that a sync-collection has
// more to tell. Servers that cut tell at least some dozens at a time.
const maxRounds = 1000

// multiGetSize is how many items one multiget names. Servers build the whole
// answer in memory; Radicale needs 25 ms for 100 events.
const multiGetSize = 64

// Depth is how far below its path a request looks. See RFC 4918, section 10.2.
type Depth int

// The depths that we ask for; none is infinite.
const (
	Depth0 Depth = 0 // the resource itself
	Depth1 Depth = 1 // and its members
)

// Name is a short way to write the name of a property or element.
func Name(space, local string) xml.Name { return xml.Name{Space: space, Local: local} }

// ETagName is the property of an item's revision.
var ETagName = Name(DAV, "getetag")

// request sends a request without a body, or with one that can be sent again.
func (c *Client) request(ctx context.Context, method, path string, body []byte, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body == nil {
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.URL = WithPath(c.root, path)
	req.Host = req.URL.Host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.http.Do(req)
}

// multistatus sends a question and reads the answer with ReadMultistatus.
func (c *Client) multistatus(ctx context.Context, method, path string, depth Depth, body []byte, yield func(*Response) error) (token string, err error) {
	resp, err := c.request(ctx, method, path, body,
		"Content-Type", `application/xml; charset="utf-8"`, "Depth", strconv.Itoa(int(depth)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMultiStatus {
		return "", &SyntaxError{Err: fmt.Errorf("%s %s: status %d in place of a multistatus", method, path, resp.StatusCode)}
	}
	var stop error
	token, err = ReadMultistatus(resp.Body, func(r *Response) error {
		stop = yield(r)
		return stop
	})
	if stop != nil {
		return "", stop
	}
	if err = Ended(ctx, err); err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	return token, nil
}

// Propfind asks for properties and calls yield for each resource.
// See RFC 4918, section 9.1.
func (c *Client) Propfind(ctx context.Context, path string, depth Depth, props []xml.Name, yield func(*Response) error) error {
	body := document(DAV, "propfind", func(w *bytes.Buffer) { propElement(w, props) })
	_, err := c.multistatus(ctx, "PROPFIND", path, depth, body, yield)
	return err
}

// PropfindOne asks for properties of one resource. The Response is yours.
func (c *Client) PropfindOne(ctx context.Context, path string, props ...xml.Name) (*Response, error) {
	var found *Response
	err := c.Propfind(ctx, path, Depth0, props, func(r *Response) error {
		if found != nil {
			return fmt.Errorf("PROPFIND %s: two responses to one question", path)
		}
		own := *r
		own.Properties = slices.Clone(r.Properties)
		found = &own
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, fmt.Errorf("PROPFIND %s: no response", path)
	case found.Status != 0 && found.Status/100 != 2:
		return nil, &StatusError{Method: "PROPFIND", Path: path, Code: found.Status, Precondition: found.Precondition}
	}
	return found, nil
}

// Report asks for a report whose body is a whole document.
func (c *Client) Report(ctx context.Context, path string, depth Depth, body []byte, yield func(*Response) error) error {
	_, err := c.multistatus(ctx, "REPORT", path, depth, body, yield)
	return err
}

// A Member is what a listing says of one item of a collection.
type Member struct {
	ID       string // its name in the collection, as a clean path has it
	Revision string // its ETag, byte for byte
	Removed  bool
}

// Sync tells what changed in a collection since a sync-token, and answers the
// next token. Without a token it tells everything, and nothing Removed.
//
// A server may tell a part and say so; Sync then asks for the rest. It never
// ends with a nil error before everything was told.
// See RFC 6578, sections 3.2 and 3.6.
func (c *Client) Sync(ctx context.Context, collection, token string, yield func(Member) error) (string, error) {
	first := token == ""
	for range maxRounds {
		next, more, err := c.syncRound(ctx, collection, token, func(m Member) error {
			if m.Removed && first {
				if token == "" {
					return nil // nobody has heard of it
				}
				return fmt.Errorf("REPORT %s: %w", collection, ErrOvertaken) // its first mention was told
			}
			return yield(m)
		})
		switch {
		case err != nil:
			return "", err
		case next == "":
			return "", &SyntaxError{Err: fmt.Errorf("REPORT %s: the answer has no sync-token", collection)}
		case !more:
			return next, nil
		case next == token:
			return "", fmt.Errorf("REPORT %s: %w and does not go on", collection, ErrCut)
		}
		token = next
	}
	return "", fmt.Errorf("REPORT %s: %w %d times", collection, ErrCut, maxRounds)
}

func (c *Client) syncRound(ctx context.Context, collection, token string, yield func(Member) error) (next string, more bool, err error) {
	body := document(DAV, "sync-collection", func(w *bytes.Buffer) {
		textElement(w, "sync-token", token)
		textElement(w, "sync-level", "1")
		propElement(w, []xml.Name{ETagName})
	})
	var unknown []string // items that came without an ETag
	// RFC 6578, section 3.2, wants Depth: 0 beside the sync-level.
	next, err = c.multistatus(ctx, "REPORT", collection, Depth0, body, func(r *Response) error {
		id, err := c.member(collection, r.Href)
		if err != nil {
			return err
		}
		switch {
		case id == "":
			if r.Status == http.StatusInsufficientStorage {
				more = true
				return nil
			}
			return c.responseError(r)
		case r.Status == http.StatusNotFound || r.Status == http.StatusGone:
			return yield(Member{ID: id, Removed: true})
		case r.Status != 0 && r.Status/100 != 2:
			return c.responseError(r)
		case id[len(id)-1] == '/':
			return nil // a collection inside the collection is no item
		case r.ETag() == "":
			unknown = append(unknown, id)
			return nil
		}
		return yield(Member{ID: id, Revision: r.ETag()})
	})
	if err != nil {
		return "", false, err
	}
	for _, id := range unknown {
		m, err := c.Stat(ctx, collection, id)
		if err != nil {
			return "", false, err
		}
		if err := yield(m); err != nil {
			return "", false, err
		}
	}
	return next, more, nil
}

// responseError is the error that one response of a listing has; nil if its
// status says that all is well.
func (c *Client) responseError(r *Response) error {
	if r.Status == 0 || r.Status/100 == 2 {
		return nil
	}
	return &StatusError{Method: "REPORT", Path: r.Href, Code: r.Status, Precondition: r.Precondition}
}

// List tells of every item of a collection by asking for its members. It is
// for servers without sync-collection: Radicale 3.1.8, which has that, needs
// half a minute for 10,000 members asked for like this.
func (c *Client) List(ctx context.Context, collection string, yield func(Member) error) error {
	props := []xml.Name{ETagName, Name(DAV, "resourcetype")}
	return c.Propfind(ctx, collection, Depth1, props, func(r *Response) error {
		if p, ok := r.Get(DAV, "resourcetype"); ok && p.Has(DAV, "collection") {
			return nil
		}
		return c.Listed(collection, r, yield)
	})
}

// Listed calls yield for an item that a complete listing has, such as the
// answer to a calendar-query. A response without an ETag is an error, for
// leaving it out would make the list shorter.
func (c *Client) Listed(collection string, r *Response, yield func(Member) error) error {
	id, err := c.member(collection, r.Href)
	switch {
	case err != nil:
		return err
	case r.Status == http.StatusNotFound || r.Status == http.StatusGone:
		return nil // it went while the server looked
	case r.Status != 0 && r.Status/100 != 2:
		return c.responseError(r) // 507 as well: the list is cut
	case id == "" || id[len(id)-1] == '/':
		return nil
	case r.ETag() == "":
		return fmt.Errorf("%s has no ETag", r.Href)
	}
	return yield(Member{ID: id, Revision: r.ETag()})
}

// document writes a whole XML document with one root element. Elements of
// DAV: have the prefix D, those of the root's namespace C.
func document(space, root string, inside func(*bytes.Buffer)) []byte {
	var w bytes.Buffer
	w.WriteString(xml.Header)
	name := "C:" + root
	if space == DAV {
		name = "D:" + root
		w.WriteString("<" + name + ` xmlns:D="DAV:">`)
	} else {
		w.WriteString("<" + name + ` xmlns:D="DAV:" xmlns:C="` + space + `">`)
	}
	inside(&w)
	w.WriteString("</" + name + ">")
	return w.Bytes()
}

// Document writes a report's document in the dialect's namespace. Elements of
// DAV: have the prefix D, the dialect's C.
func (d Dialect) Document(root string, inside func(*bytes.Buffer)) []byte {
	return document(d.Namespace, root, inside)
}

func propElement(w *bytes.Buffer, props []xml.Name) {
	w.WriteString("<D:prop>")
	for _, p := range props {
		if p.Space == DAV {
			w.WriteString("<D:" + p.Local + "/>")
		} else {
			w.WriteString("<" + p.Local + ` xmlns="` + p.Space + `"/>`)
		}
	}
	w.WriteString("</D:prop>")
}

func textElement(w *bytes.Buffer, local, text string) {
	w.WriteString("<D:" + local + ">")
	xml.EscapeText(w, []byte(text)) //nolint:errcheck // a bytes.Buffer takes everything
	w.WriteString("</D:" + local + ">")
}
