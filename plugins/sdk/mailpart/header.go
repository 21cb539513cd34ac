package mailpart

import (
	"bytes"
	"strings"
)

// field answers the unfolded value of the first header field of a name.
func field(header []byte, name string) string {
	for at := 0; at < len(header); {
		end := at
		for { // to the end of the folded line
			eol := bytes.IndexByte(header[end:], '\n')
			if eol < 0 {
				end = len(header)
				break
			}
			end += eol + 1
			if end == len(header) || header[end] != ' ' && header[end] != '\t' {
				break
			}
		}
		line := header[at:end]
		at = end
		colon := bytes.IndexByte(line, ':')
		if colon < 0 || !strings.EqualFold(strings.TrimRight(string(line[:colon]), " \t"), name) {
			continue
		}
		return strings.TrimSpace(unfold.Replace(string(line[colon+1:])))
	}
	return ""
}

// unfold removes line ends. See RFC 5322, section 2.2.3.
var unfold = strings.NewReplacer("\r", "", "\n", "")

// parameter answers a parameter of a structured field such as Content-Type,
// also where other parts of the field are broken. See RFC 2045, section 5.1.
func parameter(value, name string) string {
	_, rest, _ := strings.Cut(value, ";")
	for rest != "" {
		var key, val string
		key, val, rest = nextParameter(rest)
		if strings.EqualFold(key, name) {
			return val
		}
	}
	return ""
}

// nextParameter takes one parameter off a list.
func nextParameter(list string) (key, value, rest string) {
	eq := strings.IndexAny(list, "=;")
	if eq < 0 {
		return "", "", ""
	}
	if list[eq] == ';' {
		return "", "", list[eq+1:]
	}
	key, list = strings.TrimSpace(list[:eq]), strings.TrimLeft(list[eq+1:], " \t")
	if !strings.HasPrefix(list, `"`) {
		value, rest, _ = strings.Cut(list, ";")
		return key, strings.TrimSpace(value), rest
	}
	var b strings.Builder
	for n := 1; n < len(list); n++ {
		switch c := list[n]; {
		case c == '\\' && n+1 < len(list):
			n++
			b.WriteByte(list[n])
		case c == '"':
			_, rest, _ = strings.Cut(list[n+1:], ";")
			return key, b.String(), rest
		default:
			b.WriteByte(c)
		}
	}
	return key, b.String(), ""
}
