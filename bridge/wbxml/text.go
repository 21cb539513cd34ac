package wbxml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text writes a document as XML, indented, for logs and tests. Names gives a
// tag's name with the namespace of its page before a colon, "AirSync:Sync", or
// "" if it knows none. Opaque data is preceded by a comment with its length, and
// is shown as base64 where it is not text. The error is a *SyntaxError.
func Text(doc []byte, names func(Tag) string) (string, error) {
	d, err := NewDecoder(doc)
	if err != nil {
		return "", err
	}
	w := textWriter{names: names}
	for {
		t, err := d.Next()
		if errors.Is(err, io.EOF) {
			return w.String() + "\n", nil
		}
		if err != nil {
			return "", err
		}
		w.write(t, d.Depth())
	}
}

type textWriter struct {
	strings.Builder
	names  func(Tag) string
	spaces []string // namespaces of the open elements
	locals []string // and their names
	last   Kind
	empty  bool // the last token was a Start with Empty
}

func (w *textWriter) write(t Token, depth int) {
	switch t.Kind {
	case Start:
		if depth > 1 {
			w.newline(depth - 1)
		}
		w.start(t)
	case End:
		last := len(w.locals) - 1
		if w.last == End {
			w.newline(depth)
		}
		if w.empty {
			w.WriteString("/>")
		} else {
			fmt.Fprintf(w, "</%s>", w.locals[last])
		}
		w.locals, w.spaces = w.locals[:last], w.spaces[:last]
	case Chars:
		w.characters(string(t.Data))
	case Opaque:
		fmt.Fprintf(w, "<!--opaque %d-->", len(t.Data))
		if printable(t.Data) {
			w.characters(string(t.Data))
		} else {
			w.WriteString(base64.StdEncoding.EncodeToString(t.Data))
		}
	}
	w.last, w.empty = t.Kind, t.Kind == Start && t.Empty
}

func (w *textWriter) newline(depth int) {
	w.WriteByte('\n')
	for range depth {
		w.WriteString("  ")
	}
}

func (w *textWriter) start(t Token) {
	name := w.names(t.Tag)
	switch {
	case t.Tag&tokenMask == Literal:
		name = "literal:" + t.Name
	case name == "":
		name = fmt.Sprintf("unknown:%02X-%02X", t.Tag.Page(), t.Tag.Token())
	}
	space, local, ok := strings.Cut(name, ":")
	if !ok {
		space, local = "", name
	}
	local = xmlName(local)
	w.WriteString("<" + local)
	if len(w.spaces) == 0 && space != "" || len(w.spaces) > 0 && w.spaces[len(w.spaces)-1] != space {
		w.WriteString(` xmlns="`)
		w.characters(space)
		w.WriteByte('"')
	}
	if !t.Empty {
		w.WriteByte('>')
	}
	w.spaces, w.locals = append(w.spaces, space), append(w.locals, local)
}

func (w *textWriter) characters(s string) {
	for _, r := range s {
		switch {
		case r == '<':
			w.WriteString("&lt;")
		case r == '>':
			w.WriteString("&gt;")
		case r == '&':
			w.WriteString("&amp;")
		case r == '"':
			w.WriteString("&quot;")
		case r == '\r':
			w.WriteString("&#13;")
		case xmlChar(r):
			w.WriteRune(r)
		default:
			w.WriteRune(utf8.RuneError)
		}
	}
}

func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !xmlChar(r) {
			return false
		}
	}
	return true
}

// xmlChar tells whether XML 1.0 allows a character.
func xmlChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}

// xmlName makes a name of what a literal tag calls itself.
func xmlName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, s)
	if s == "" || s[0] < 'A' {
		return "_" + s
	}
	return s
}
