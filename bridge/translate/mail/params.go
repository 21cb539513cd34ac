package mail

import (
	"bytes"
	"strconv"
	"strings"
)

// maxParams is more parameters than any field has.
const maxParams = 100

// parameters reads a value with parameters behind it, as Content-Type and
// Content-Disposition have them, in whatever way they are written: RFC 2231
// with pieces and charsets, RFC 2047 in quotes though that is forbidden, raw
// bytes, blanks without quotes. The names are in lower case.
func parameters(raw []byte) (value string, params map[string]string) {
	pieces := split(raw, ";")
	if len(pieces) == 0 {
		return "", nil
	}
	value = strings.TrimSpace(string(withoutComments(pieces[0])))
	params = map[string]string{}
	rest := map[string][]continuation{}
	for _, piece := range pieces[1:min(len(pieces), maxParams)] {
		name, v, ok := bytes.Cut(piece, []byte{'='})
		key := strings.ToLower(strings.TrimSpace(string(name)))
		if !ok || key == "" {
			continue
		}
		v = unquote(v)
		base, number, extended := continuedName(key)
		if number < 0 && !extended {
			if _, twice := params[key]; !twice {
				params[key] = text(v)
			}
			continue
		}
		rest[base] = append(rest[base], continuation{max(number, 0), extended, v})
	}
	for name, list := range rest {
		params[name] = join(list) // it says more than the plain one beside it
	}
	return value, params
}

// A continuation is a piece of a parameter. See RFC 2231, section 3.
type continuation struct {
	number   int
	extended bool // in percents
	value    []byte
}

// continuedName takes name*3* apart: -1 if there is no number.
func continuedName(key string) (base string, number int, extended bool) {
	base, rest, ok := strings.Cut(key, "*")
	if !ok {
		return key, -1, false
	}
	rest, extended = strings.CutSuffix(rest, "*")
	if rest == "" && !extended {
		return base, -1, true // name*
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 || n >= maxParams {
		return base, -1, true
	}
	return base, n, extended
}

func join(list []continuation) string {
	byNumber := map[int]continuation{}
	for _, c := range list {
		if _, twice := byNumber[c.number]; !twice {
			byNumber[c.number] = c
		}
	}
	var b []byte
	charset := ""
	for i := range maxParams {
		c, ok := byNumber[i]
		if !ok {
			break
		}
		v := c.value
		if c.extended {
			if i == 0 {
				if parts := bytes.SplitN(v, []byte{'\''}, 3); len(parts) == 3 {
					charset, v = string(parts[0]), parts[2]
				}
			}
			v = percents(v)
		}
		b = append(b, v...)
	}
	if charset == "" {
		return text(b)
	}
	return clean(decodeCharset(b, charset, ""))
}

func percents(v []byte) []byte {
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '%' && i+2 < len(v) {
			if n, err := strconv.ParseUint(string(v[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(n))
				i += 2
				continue
			}
		}
		out = append(out, v[i])
	}
	return out
}

// unquote takes the quotes off a value, and the backslashes where they quote
// something: some programs write paths in there.
func unquote(v []byte) []byte {
	v = bytes.TrimSpace(v)
	if len(v) < 2 || v[0] != '"' {
		return bytes.TrimSpace(withoutComments(v))
	}
	out := make([]byte, 0, len(v))
	for i := 1; i < len(v); i++ {
		switch {
		case v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\'):
			i++
		case v[i] == '"':
			return out
		}
		out = append(out, v[i])
	}
	return out
}

// withoutComments leaves what stands in parentheses out. See RFC 5322, section
// 3.2.2.
func withoutComments(v []byte) []byte {
	if bytes.IndexByte(v, '(') < 0 {
		return v
	}
	out := make([]byte, 0, len(v))
	depth := 0
	for _, c := range v {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			out = append(out, c)
		}
	}
	if depth > 0 {
		return v // an opening one that never closes is no comment
	}
	return out
}

// split cuts at any of some characters that do not stand in quotes, comments
// or angle brackets.
func split(v []byte, at string) [][]byte {
	var list [][]byte
	begin := 0
	s := scanner{}
	for i := 0; i < len(v); i++ {
		switch inside := s.inside(v, i); {
		case inside:
		case strings.IndexByte(at, v[i]) >= 0:
			list = append(list, v[begin:i])
			begin = i + 1
		case v[i] == '=':
			if _, n := wordAt(v[i:]); n > 0 {
				i += n - 1 // some programs leave commas in there
			}
		}
	}
	if s.broken() { // a quote that never closes would swallow the rest
		return bytes.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(at, r) })
	}
	return append(list, v[begin:])
}

// A scanner knows what of a structured field stands in quotes, comments or
// angle brackets.
type scanner struct {
	quoted, angle bool
	comments      int
	escaped       bool
}

func (s *scanner) broken() bool { return s.quoted || s.comments > 0 || s.angle }

// inside goes on by one character.
func (s *scanner) inside(v []byte, i int) bool {
	c := v[i]
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\' && (s.quoted || s.comments > 0):
		s.escaped = true
	case s.quoted:
		s.quoted = c != '"'
	case c == '(' && !s.angle:
		s.comments++
	case s.comments > 0:
		if c == ')' {
			s.comments--
		}
	case c == '"':
		s.quoted = true
	case c == '<':
		s.angle = true
	case c == '>':
		s.angle = false
		return true
	default:
		return s.angle
	}
	return true
}
