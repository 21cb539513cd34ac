// Package mailpart finds the parts of messages without decoding them, for stores that keep whole messages.
//
// What it answers is what an IMAP server would say of the same message: the
// numbers of parts are those of RFC 9051, section 6.4.5.1.
package mailpart

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Part is a message, or a part of one. Offsets count from the beginning of
// the message that Parse was given.
type Part struct {
	// Path is the part's number; the root's is empty.
	Path string

	// Start is where the header begins, Body where it has ended with its empty
	// line, and End where the part ends.
	Start, Body, End int

	Type       string // the media type in small letters: "text/plain" if there is none
	Attachment bool   // whether Content-Disposition says so
	Parts      []*Part
}

// Parse finds the parts of a message. There is no message that it cannot read;
// what is no multipart, or is too large a one, is a leaf.
func Parse(message []byte) *Part {
	p := parser{message: message}
	root := p.part("", 0, len(message), 0, "text/plain")
	return root
}

type parser struct {
	message []byte
	count   int
}

// part reads the part between two offsets.
func (p *parser) part(path string, start, end, depth int, standard string) *Part {
	p.count++
	part := &Part{Path: path, Start: start, Body: start + headerLength(p.message[start:end]), End: end, Type: standard}
	contentType := field(p.message[part.Start:part.Body], "Content-Type")
	if mediaType, _, _ := strings.Cut(contentType, ";"); strings.Count(mediaType, "/") == 1 {
		part.Type = strings.ToLower(strings.TrimSpace(mediaType))
	}
	disposition, _, _ := strings.Cut(field(p.message[part.Start:part.Body], "Content-Disposition"), ";")
	part.Attachment = strings.EqualFold(strings.TrimSpace(disposition), "attachment")
	boundary := parameter(contentType, "boundary")
	if !strings.HasPrefix(part.Type, "multipart/") || boundary == "" || depth >= backend.MaxPartDepth {
		return part
	}
	ranges := p.split(part.Body, end, boundary)
	if p.count+len(ranges) > backend.MaxParts {
		return part
	}
	standard = "text/plain"
	if part.Type == "multipart/digest" { // RFC 2046, section 5.1.5
		standard = "message/rfc822"
	}
	for n, r := range ranges {
		part.Parts = append(part.Parts, p.part(join(path, n+1), r[0], r[1], depth+1, standard))
	}
	return part
}

func join(path string, n int) string {
	if path == "" {
		return strconv.Itoa(n)
	}
	return path + "." + strconv.Itoa(n)
}

// split finds what is between the delimiter lines of a multipart. See RFC 2046,
// section 5.1.1. A missing last delimiter is as if it stood at the end.
func (p *parser) split(start, end int, boundary string) [][2]int {
	var ranges [][2]int
	delimiter := []byte("--" + boundary)
	from := -1 // where the current part begins
	for at := start; at < end && len(ranges) <= backend.MaxParts; {
		n := bytes.Index(p.message[at:end], delimiter)
		if n < 0 {
			break
		}
		line := at + n
		after := line + len(delimiter)
		at = after
		if line > start && p.message[line-1] != '\n' {
			continue
		}
		rest := p.message[after:end]
		if eol := bytes.IndexByte(rest, '\n'); eol >= 0 {
			rest, at = rest[:eol], after+eol+1
		} else {
			at = end
		}
		tail := string(bytes.TrimRight(rest, " \t\r"))
		if tail != "" && tail != "--" {
			at = after
			continue // another boundary that begins like this one
		}
		if from >= 0 {
			ranges = append(ranges, [2]int{from, max(from, lineEnd(p.message, line))})
		}
		from = at
		if tail == "--" {
			return ranges
		}
	}
	if from >= 0 {
		ranges = append(ranges, [2]int{from, end})
	}
	return ranges
}

// lineEnd is where the line before the one at an offset ends, without its line
// end, which belongs to the delimiter.
func lineEnd(message []byte, at int) int {
	if at > 0 && message[at-1] == '\n' {
		at--
	}
	if at > 0 && message[at-1] == '\r' {
		at--
	}
	return at
}

// headerLength is how long the header at the beginning is, with the empty line
// that ends it.
func headerLength(part []byte) int {
	for at := 0; at < len(part); {
		eol := bytes.IndexByte(part[at:], '\n')
		if eol < 0 {
			break
		}
		if line := part[at : at+eol]; len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return at + eol + 1
		}
		at += eol + 1
	}
	return len(part)
}

// IsLeaf tells whether a part has no parts.
func (p *Part) IsLeaf() bool { return len(p.Parts) == 0 }

// Leaves lists the leaf parts. The body of a message that is no multipart has
// the path "1".
func (p *Part) Leaves() []*Part {
	if p.IsLeaf() {
		if p.Path == "" {
			alone := *p
			alone.Path = "1"
			return []*Part{&alone}
		}
		return []*Part{p}
	}
	var list []*Part
	for _, part := range p.Parts {
		list = append(list, part.Leaves()...)
	}
	return list
}

// Find answers where the bytes of a part are, or false.
func Find(message []byte, path string) (start, end int, ok bool) {
	if path == "" {
		return 0, len(message), true
	}
	root, offset := Parse(message), 0
	steps := strings.Split(path, ".")
	if len(steps) > backend.MaxPartDepth {
		return 0, 0, false
	}
	for n, step := range steps {
		k, err := strconv.Atoi(step)
		switch {
		case err != nil || k < 1:
			return 0, 0, false
		case root.IsLeaf() && k == 1 && root.Start == 0: // the body of a message
			root = &Part{Start: -1, Body: root.Body, End: root.End, Type: root.Type}
		case k > len(root.Parts):
			return 0, 0, false
		default:
			root = root.Parts[k-1]
		}
		if n < len(steps)-1 && root.Type == "message/rfc822" {
			inner := message[offset+root.Body : offset+root.End]
			offset += root.Body
			root = Parse(inner)
		}
	}
	return offset + root.Body, offset + root.End, true
}

// Range answers length bytes from offset on, or those that there are. A
// negative length is as many as there are.
func Range(body []byte, offset, length int64) []byte {
	body = body[min(max(offset, 0), int64(len(body))):]
	if length >= 0 {
		body = body[:min(length, int64(len(body)))]
	}
	return body
}
