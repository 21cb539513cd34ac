package mail

import (
	"bytes"
	"mime"
	"strconv"
	"strings"
)

// Limits on what is read of a message. What goes beyond is not looked into and
// shown as what it stands in: a part of a thousand is a file like any other.
const (
	maxDepth  = 100     // multiparts and messages inside each other: deeper ones are made to harm
	maxParts  = 1000    // more than anybody attaches
	maxFields = 1000    // of one header
	maxHeader = 1 << 20 // bytes of one header: a thousand recipients take a tenth of it
	maxScans  = 32      // as often as that a message may be looked through for boundaries: one of a thousand multiparts without them is made to harm
)

// A part is a node of a message's MIME tree. Its slices share the message's
// memory.
type part struct {
	path        string // as IMAP numbers parts, RFC 9051, section 6.4.5.1; "" for a message itself
	header      header
	start       int    // of the header in the whole message
	content     int    // of the body in the whole message
	body        []byte // as it is transferred
	mediaType   string // in lower case, never empty
	params      map[string]string
	disposition string // in lower case, "" if there is none
	filename    string
	encoding    string  // in lower case, "" if there is none
	children    []*part // of a multipart, or the message inside a message/rfc822
	left        *Left   // if the body is not all here
	closed      bool    // a multipart with its last boundary
	related     bool    // stands beside a text that shows it
	within      *part   // the text in which it stands, for a file of uuencode
}

func (p *part) multipart() bool { return strings.HasPrefix(p.mediaType, "multipart/") }

// embedded tells whether the part is a message that was looked into.
func (p *part) embedded() bool { return !p.multipart() && len(p.children) > 0 }

// size is how many bytes are transferred for the body.
func (p *part) size() int64 {
	if p.left != nil {
		return p.left.Encoded
	}
	return int64(len(p.body))
}

// A parser goes once through a message. It never fails: whatever is missing
// ends where something else begins.
type parser struct {
	all        []byte
	at         int
	boundaries []string // of the multiparts that are open
	depth      int
	parts      int
	scanned    int // bytes that were looked through for boundaries
}

// An ending says why a part ended: at a boundary of the multipart with that
// number among the open ones, or at the end of the message with -1.
type ending struct {
	level   int
	closing bool
}

var endOfMessage = ending{level: -1}

// parse reads a message.
func parse(message []byte) *part {
	if bytes.IndexByte(message, '\n') < 0 && bytes.IndexByte(message, '\r') >= 0 {
		message = bytes.ReplaceAll(message, []byte{'\r'}, []byte{'\n'}) // as some programs wrote before 2001
	}
	p := &parser{all: message}
	root := &part{}
	p.entity(root, "text/plain")
	root.number("")
	return root
}

// entity reads a header and the body under it.
func (p *parser) entity(e *part, usual string) ending {
	p.parts++
	e.start = p.at
	e.header = p.readHeader()
	e.content = p.at
	e.describe(usual)
	var end ending
	switch {
	case p.depth >= maxDepth || p.parts >= maxParts:
		end = p.leaf(e)
	case e.multipart():
		end = p.multipart(e)
	case (e.mediaType == "message/rfc822" || e.mediaType == "message/global") && identity(e.encoding):
		p.depth++
		inner := &part{}
		e.children = []*part{inner}
		end = p.entity(inner, "text/plain")
		p.depth--
		e.body = p.all[e.content:max(e.content, inner.content+len(inner.body))]
	default:
		end = p.leaf(e)
	}
	return end
}

// leaf reads up to the next boundary.
func (p *parser) leaf(e *part) ending {
	bodyEnd, end := p.boundary()
	e.body = p.all[e.content:max(bodyEnd, e.content)]
	return end
}

func (p *parser) multipart(e *part) ending {
	boundary := e.params["boundary"]
	if boundary == "" || !p.occurs(boundary) {
		if boundary = p.guess(); boundary == "" {
			end := p.leaf(e)
			e.mediaType, e.params = "text/plain", nil // its text, at least
			return end
		}
	}
	usual := "text/plain"
	if e.mediaType == "multipart/digest" {
		usual = "message/rfc822"
	}
	p.depth++
	p.boundaries = append(p.boundaries, boundary)
	mine := len(p.boundaries) - 1
	bodyEnd, end := p.boundary()
	for end.level == mine && !end.closing {
		child := &part{}
		e.children = append(e.children, child)
		if end = p.entity(child, usual); p.parts > maxParts {
			break
		}
	}
	p.boundaries = p.boundaries[:mine]
	p.depth--
	if end.level == mine { // closed, or too many parts
		e.closed = end.closing
		bodyEnd, end = p.boundary() // behind the epilogue
	} else if n := len(e.children); n > 0 {
		last := e.children[n-1]
		bodyEnd = last.content + len(last.body)
	}
	e.body = p.all[e.content:max(bodyEnd, e.content)]
	return end
}

// boundary goes behind the next boundary of an open multipart, and answers
// where the body in front of it ends: the line break before it belongs to it.
// See RFC 2046, section 5.1.1.
func (p *parser) boundary() (bodyEnd int, end ending) {
	for at := p.at; ; {
		line := at
		if at == 0 || p.all[at-1] != '\n' || !bytes.HasPrefix(p.all[at:], dashes) {
			i := bytes.Index(p.all[at:], nextDashes)
			if i < 0 || len(p.boundaries) == 0 {
				p.at = len(p.all)
				return p.at, endOfMessage
			}
			line = at + i + 1
		}
		next := len(p.all)
		if i := bytes.IndexByte(p.all[line:], '\n'); i >= 0 {
			next = line + i + 1
		}
		if end, ok := p.match(p.all[line:next]); ok {
			p.at = next
			return lineBreakBefore(p.all, line), end
		}
		at = next
	}
}

var (
	dashes     = []byte("--")
	nextDashes = []byte("\n--")
)

// match compares a line with the boundaries of the open multiparts, the inner
// ones first.
func (p *parser) match(line []byte) (ending, bool) {
	text := bytes.TrimRight(line[len(dashes):], " \t\r\n")
	for i := len(p.boundaries) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(text, []byte(p.boundaries[i]))
		switch {
		case !ok:
		case len(rest) == 0:
			return ending{i, false}, true
		case string(rest) == "--":
			return ending{i, true}, true
		}
	}
	return ending{}, false
}

// occurs tells whether a boundary is ever used from here on.
func (p *parser) occurs(boundary string) bool {
	if p.scanned >= maxScans*len(p.all) {
		return false
	}
	rest := p.all[max(p.at-1, 0):]
	n := bytes.Index(rest, []byte("\n--"+boundary))
	if n < 0 {
		p.scanned += len(rest)
		return false
	}
	p.scanned += n
	return true
}

// guess takes the first line that looks like a boundary for one, where the
// header names none or another one.
func (p *parser) guess() string {
	rest := p.all[p.at:]
	for range 20 {
		line, more, _ := bytes.Cut(rest, []byte{'\n'})
		text := strings.TrimRight(string(line), " \t\r")
		if b, ok := strings.CutPrefix(text, "--"); ok && len(b) > 3 && len(b) <= 70 && !strings.HasSuffix(b, "--") && strings.Trim(b, "-=_*") != "" {
			if field := more[:min(len(more), len("content-"))]; bytes.EqualFold(field, []byte("content-")) {
				return b
			}
		}
		rest = more
	}
	return ""
}

// lineBreakBefore is where the line break in front of a line begins.
func lineBreakBefore(all []byte, line int) int {
	if line > 0 && all[line-1] == '\n' {
		line--
		if line > 0 && all[line-1] == '\r' {
			line--
		}
	}
	return line
}

// identity tells whether an encoding leaves the bytes as they are.
func identity(encoding string) bool {
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// describe reads what the header says of the body.
func (e *part) describe(usual string) {
	e.mediaType, e.params = contentType(e.header.get("Content-Type"))
	if e.mediaType == "" {
		e.mediaType, e.params = usual, nil
	}
	disposition, params := parameters(e.header.get("Content-Disposition"))
	e.disposition = strings.ToLower(disposition)
	e.filename = params["filename"]
	if e.filename == "" {
		e.filename = e.params["name"]
	}
	e.encoding, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(string(e.header.get("Content-Transfer-Encoding")))), ";")
	e.encoding = strings.Trim(strings.TrimSpace(e.encoding), `"`)
	if e.multipart() {
		e.encoding = "" // any other is forbidden, and none is used: RFC 2045, section 6.4
	}
}

// contentType reads the type; "" for what is none.
func contentType(raw []byte) (string, map[string]string) {
	kind, params := parameters(raw)
	kind = strings.ToLower(strings.TrimSpace(kind))
	main, sub, ok := strings.Cut(kind, "/")
	if !ok || main == "" || sub == "" || strings.ContainsAny(kind, " \t<>@,\"()=") || len(kind) > 200 {
		if kind == "text" {
			return "text/plain", params
		}
		return "", nil
	}
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		return "application/octet-stream", params
	}
	return kind, params
}

// number gives the parts their numbers. See RFC 9051, section 6.4.5.1.
func (e *part) number(path string) {
	e.path = path
	under := func(i int) string {
		if path == "" {
			return strconv.Itoa(i)
		}
		return path + "." + strconv.Itoa(i)
	}
	switch {
	case e.multipart():
		for i, child := range e.children {
			child.number(under(i + 1))
		}
	case path == "":
		e.number("1") // a message that is no multipart is its own first part
	case e.embedded():
		if inner := e.children[0]; inner.multipart() {
			inner.number(path)
		} else {
			inner.number(under(1)) // in vain if it is a message again: it has that number, too
		}
	}
}
