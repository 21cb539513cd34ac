package mail

import (
	"bytes"
	"strings"
)

// An address is a mailbox of RFC 5322, section 3.4, as far as it could be read.
type address struct {
	name string // as people see it, "" if there is none
	addr string // such as ann@example.org; may be anything in a bad message
}

// String is the address as phones are shown it.
func (a address) String() string {
	switch {
	case a.name == "":
		return a.addr
	case a.addr == "":
		return a.name
	}
	return `"` + strings.ReplaceAll(strings.ReplaceAll(a.name, `\`, ``), `"`, `'`) + `" <` + a.addr + ">"
}

// shown is the name of the address for people.
func (a address) shown() string {
	if a.name != "" {
		return a.name
	}
	return a.addr
}

// maxAddresses bounds a list of addresses: nobody reads more.
const maxAddresses = 10_000

// addresses reads the addresses in all fields of some name. It reads what it
// can: groups, comments, names without quotes, semicolons for commas.
func (h header) addresses(name, charset string) []address {
	var list []address
	for _, v := range h.all(name) {
		for _, piece := range split(withoutGroups(v), ",;") {
			if a, ok := readAddress(piece, charset); ok && len(list) < maxAddresses {
				list = append(list, a)
			}
		}
	}
	return list
}

// withoutGroups turns the names of groups into nothing. See RFC 5322, section
// 3.4.
func withoutGroups(v []byte) []byte {
	if bytes.IndexByte(v, ':') < 0 {
		return v
	}
	out := bytes.Clone(v)
	s := scanner{}
	begin := 0
	for i := 0; i < len(out); i++ {
		if s.inside(out, i) {
			continue
		}
		switch out[i] {
		case '=':
			if _, n := wordAt(out[i:]); n > 0 {
				i += n - 1
			}
		case ',', ';':
			begin = i + 1
		case ':':
			if bytes.IndexByte(out[begin:i], '@') < 0 {
				for j := begin; j <= i; j++ {
					out[j] = ' '
				}
			}
			begin = i + 1
		}
	}
	return out
}

func readAddress(v []byte, charset string) (address, bool) {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return address{}, false
	}
	open := angle(v)
	if open < 0 {
		bare := bytes.TrimSpace(withoutComments(v))
		a := address{addr: bareAddress(bare)}
		if bytes.IndexByte(bare, '@') < 0 && bytes.ContainsAny(bare, " \t\"=") {
			return address{name: phrase(bare, charset)}, true // a name without an address
		}
		if i := bytes.IndexByte(v, '('); i >= 0 { // ann@example.org (Ann)
			a.name = phrase(bytes.Trim(v[i:], "() \t"), charset)
		}
		return a, a.addr != ""
	}
	inner, _, _ := bytes.Cut(v[open+1:], []byte{'>'})
	if i := bytes.LastIndexByte(inner, ':'); i >= 0 && bytes.HasPrefix(bytes.TrimSpace(inner), []byte{'@'}) {
		inner = inner[i+1:] // a route: RFC 5322, section 4.4
	}
	a := address{name: phrase(v[:open], charset), addr: bareAddress(inner)}
	if strings.EqualFold(a.name, a.addr) {
		a.name = ""
	}
	return a, a.name != "" || a.addr != ""
}

// angle is where the address in angle brackets begins, -1 if there is none.
func angle(v []byte) int {
	s := scanner{}
	for i := range v {
		if v[i] == '<' && !s.quoted && s.comments == 0 {
			return i
		}
		s.inside(v, i)
	}
	return bytes.LastIndexByte(v, '<') // a quote that never closes hides nothing
}

// phrase is a name as people see it.
func phrase(v []byte, charset string) string {
	v = bytes.TrimSpace(v)
	if len(v) > 1 && v[0] == '"' {
		v = unquote(v)
	}
	name := textIn(v, charset)
	return strings.Join(strings.Fields(strings.Trim(name, `"' `)), " ")
}

// bareAddress leaves out what no address has.
func bareAddress(v []byte) string {
	s := decodeCharset(bytes.TrimSpace(v), "", "")
	return strings.Map(func(r rune) rune {
		if forbidden(r) || r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '<' || r == '>' {
			return -1
		}
		return r
	}, s)
}

// maxList is how many characters a list of addresses has at most. See
// [MS-ASEMAIL] "To", "From".
const maxList = 32768

// joined writes a list of addresses, as many as there is room for.
func joined(list []address, separator string, limit int) string {
	var b strings.Builder
	n := 0
	for i, a := range list {
		s := a.String()
		if i > 0 {
			s = separator + s
		}
		if n += len([]rune(s)); n > limit {
			break
		}
		b.WriteString(s)
	}
	return b.String()
}
