package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// Bounds of a multistatus. A list of items may be as long as it likes, because
// it is not kept; each part of it may not.
const (
	// maxDepth bounds element nesting. An answer to our questions needs
	// eight levels (multistatus, response, propstat, prop,
	// supported-report-set, supported-report, report, name).
	maxDepth = 32

	// maxResponse bounds one response element, in bytes: the biggest item
	// there may be, and half as much for escapes such as &#13;.
	maxResponse = MaxItem + MaxItem/2

	// maxResponses bounds the responses of one answer, for a server that never
	// ends. It is a hundred times what Radicale can list in a minute.
	maxResponses = 1_000_000

	// maxElements bounds the elements inside the properties of one response.
	// The longest are sets of privileges and reports, with some fifty.
	maxElements = 4096

	// maxTail bounds what is read behind the end of the document, to learn
	// whether the connection broke.
	maxTail = 64 << 10
)

// DAV is the namespace of WebDAV itself.
const DAV = "DAV:"

// A SyntaxError says where and why an answer of the server could not be read.
type SyntaxError struct {
	Offset int64 // in the decoded document, near the offending byte
	Err    error
}

// Error says where and why.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("multistatus at byte %d: %v", e.Offset, e.Err)
}

// Unwrap answers the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// ReadMultistatus calls yield for each response of a multistatus and answers
// its sync-token, if it has one. A Response is only valid until yield returns.
//
// A document that is cut anywhere before its end is an error, as is one that
// is not a multistatus. An error of yield ends the reading and comes back
// unchanged. The memory needed does not depend on the number of responses.
func ReadMultistatus(r io.Reader, yield func(*Response) error) (token string, err error) {
	return readMultistatus(r, maxResponse, yield)
}

func readMultistatus(r io.Reader, limit int64, yield func(*Response) error) (token string, err error) {
	bounded := &boundedReader{r: r, left: limit}
	m := multistatusReader{bounded: bounded, xml: xml.NewDecoder(bounded)}
	m.xml.CharsetReader = charsetReader
	root, err := m.root()
	if err != nil {
		return "", m.wrap(err)
	}
	if root != (xml.Name{Space: DAV, Local: "multistatus"}) {
		return "", m.wrap(fmt.Errorf("the document is a %q", root.Local))
	}
	responses := 0
	for {
		bounded.left = limit
		e, more, err := m.child()
		if err != nil {
			return "", m.wrap(err)
		}
		if !more {
			break
		}
		switch e.Name {
		case xml.Name{Space: DAV, Local: "response"}:
			if responses++; responses > maxResponses {
				return "", m.wrap(fmt.Errorf("more than %d responses", maxResponses))
			}
			m.response.reset()
			if err := m.readResponse(); err != nil {
				return "", m.wrap(err)
			}
			if err := yield(&m.response); err != nil {
				return "", err
			}
		case xml.Name{Space: DAV, Local: "sync-token"}:
			if token, err = m.text(); err != nil {
				return "", m.wrap(err)
			}
		default:
			if err := m.skip(); err != nil {
				return "", m.wrap(err)
			}
		}
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(r, maxTail)); err != nil {
		return "", err
	}
	return token, nil
}

// A multistatusReader walks through a document one element at a time.
type multistatusReader struct {
	xml      *xml.Decoder
	bounded  *boundedReader
	depth    int
	response Response
}

// wrap gives an error its place. What the transport said stays recognisable.
func (m *multistatusReader) wrap(err error) error {
	if m.bounded.err != nil && m.bounded.err != io.EOF {
		return m.bounded.err
	}
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok && strings.HasPrefix(e.Msg, "unexpected EOF") {
		err = io.ErrUnexpectedEOF
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("multistatus ends early, after %d bytes: %w", m.xml.InputOffset(), io.ErrUnexpectedEOF)
	}
	return &SyntaxError{Offset: m.xml.InputOffset(), Err: err}
}

func (m *multistatusReader) root() (xml.Name, error) {
	for {
		token, err := m.xml.Token()
		if err != nil {
			return xml.Name{}, err
		}
		if e, ok := token.(xml.StartElement); ok {
			m.depth++
			return e.Name, nil
		}
	}
}

// child goes to the next child of the present element; more is false at its
// end, which is then behind us.
func (m *multistatusReader) child() (e xml.StartElement, more bool, err error) {
	for {
		token, err := m.xml.Token()
		if err != nil {
			return e, false, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if m.depth++; m.depth > maxDepth {
				return e, false, fmt.Errorf("elements are nested more than %d deep", maxDepth)
			}
			return t, true, nil
		case xml.EndElement:
			m.depth--
			return e, false, nil
		}
	}
}

// skip goes behind the end of the present element.
func (m *multistatusReader) skip() error {
	for {
		_, more, err := m.child()
		if err != nil || !more {
			return err
		}
		if err := m.skip(); err != nil {
			return err
		}
	}
}

// text reads the present element's text and goes behind its end.
func (m *multistatusReader) text() (string, error) {
	text, err := m.content(nil)
	return strings.TrimSpace(text), err
}

// content reads the present element's own text, tells of each element inside
// it, and goes behind its end.
func (m *multistatusReader) content(inside func(xml.StartElement) error) (string, error) {
	var first string
	var rest bytes.Buffer
	for {
		token, err := m.xml.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			// Mostly there is one piece.
			switch {
			case first == "":
				first = string(t)
			default:
				if rest.Len() == 0 {
					rest.WriteString(first)
				}
				rest.Write(t)
			}
		case xml.StartElement:
			if m.depth++; m.depth > maxDepth {
				return "", fmt.Errorf("elements are nested more than %d deep", maxDepth)
			}
			if inside == nil {
				err = m.skip()
			} else {
				err = inside(t)
			}
			if err != nil {
				return "", err
			}
		case xml.EndElement:
			m.depth--
			if rest.Len() > 0 {
				return rest.String(), nil
			}
			return first, nil
		}
	}
}

// readResponse reads a response element. See RFC 4918, section 14.24.
func (m *multistatusReader) readResponse() error {
	for {
		e, more, err := m.child()
		if err != nil {
			return err
		}
		if !more {
			if m.response.Href == "" {
				return errors.New("a response has no href")
			}
			return nil
		}
		switch e.Name {
		case xml.Name{Space: DAV, Local: "href"}:
			href, err := m.text()
			if err != nil {
				return err
			}
			if m.response.Href != "" {
				// It may name several resources with one status, which
				// only answers to DELETE and COPY do.
				return errors.New("a response has two hrefs")
			}
			m.response.Href = href
		case xml.Name{Space: DAV, Local: "status"}:
			if m.response.Status, err = m.status(); err != nil {
				return err
			}
		case xml.Name{Space: DAV, Local: "propstat"}:
			if err := m.readPropstat(); err != nil {
				return err
			}
		case xml.Name{Space: DAV, Local: "error"}:
			if _, err := m.content(func(e xml.StartElement) error {
				m.response.Precondition = e.Name
				return m.skip()
			}); err != nil {
				return err
			}
		default:
			if err := m.skip(); err != nil {
				return err
			}
		}
	}
}

// readPropstat reads properties and the status that they share. The status
// may come first or last.
func (m *multistatusReader) readPropstat() error {
	begin, status := len(m.response.Properties), 0
	for {
		e, more, err := m.child()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch e.Name {
		case xml.Name{Space: DAV, Local: "prop"}:
			_, err = m.content(m.readProperty)
		case xml.Name{Space: DAV, Local: "status"}:
			status, err = m.status()
		default:
			err = m.skip()
		}
		if err != nil {
			return err
		}
	}
	if status == 0 {
		return errors.New("a propstat has no status")
	}
	for i := begin; i < len(m.response.Properties); i++ {
		m.response.Properties[i].Status = status
	}
	return nil
}

func (m *multistatusReader) readProperty(start xml.StartElement) error {
	p := Property{Name: start.Name}
	var inside func(xml.StartElement) error
	inside = func(e xml.StartElement) error {
		if len(p.Elements) >= maxElements {
			return fmt.Errorf("property %s has more than %d elements", start.Name.Local, maxElements)
		}
		at := len(p.Elements)
		p.Elements = append(p.Elements, Element{Name: e.Name})
		for _, a := range e.Attr {
			if a.Name.Local == "name" && a.Name.Space == "" {
				p.Elements[at].Attr = a.Value
			}
		}
		text, err := m.content(inside)
		p.Elements[at].Text = text
		return err
	}
	var err error
	p.Text, err = m.content(inside)
	if len(m.response.Properties) >= maxElements {
		return fmt.Errorf("a response has more than %d properties", maxElements)
	}
	m.response.Properties = append(m.response.Properties, p)
	return err
}

// status reads "HTTP/1.1 200 OK". The words may be missing, and are with some
// servers.
func (m *multistatusReader) status() (int, error) {
	line, err := m.text()
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/") {
		return 0, fmt.Errorf("%q is not a status", line)
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil || code < 100 || code > 999 {
		return 0, fmt.Errorf("%q is not a status", line)
	}
	return code, nil
}

// A boundedReader fails once more bytes than left were read, and remembers
// how its reader failed.
type boundedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.err = ErrTooLarge
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err != nil {
		b.err = err
	}
	return n, err
}

// charsetReader decodes what is not UTF-8 and says so.
func charsetReader(label string, in io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(label)
	if err != nil {
		return nil, fmt.Errorf("charset %q: %w", label, err)
	}
	return e.NewDecoder().Reader(in), nil
}
