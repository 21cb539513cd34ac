package imapconn

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Mailbox names are in modified UTF-7. See RFC 3501, section 5.1.3.
var base64utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// EncodeName writes a name as servers want it.
func EncodeName(name string) string {
	var b strings.Builder
	for len(name) > 0 {
		n := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '&' })
		if n < 0 {
			n = len(name)
		}
		b.WriteString(name[:n])
		name = name[n:]
		if strings.HasPrefix(name, "&") {
			b.WriteString("&-")
			name = name[1:]
			continue
		}
		n = strings.IndexFunc(name, func(r rune) bool { return r >= ' ' && r <= '~' })
		if n < 0 {
			n = len(name)
		}
		if n == 0 {
			continue
		}
		units := utf16.Encode([]rune(name[:n]))
		data := make([]byte, 0, 2*len(units))
		for _, u := range units {
			data = append(data, byte(u>>8), byte(u))
		}
		b.WriteString("&" + base64utf7.EncodeToString(data) + "-")
		name = name[n:]
	}
	return b.String()
}

// DecodeName is the inverse of EncodeName. A name that is not in modified UTF-7
// is taken as it is; some servers send UTF-8.
func DecodeName(wire string) string {
	var b strings.Builder
	for rest := wire; rest != ""; {
		plain, after, found := strings.Cut(rest, "&")
		b.WriteString(plain)
		if !found {
			break
		}
		code, after, found := strings.Cut(after, "-")
		if !found {
			return strings.ToValidUTF8(wire, "\uFFFD")
		}
		rest = after
		if code == "" {
			b.WriteByte('&')
			continue
		}
		data, err := base64utf7.DecodeString(code)
		if err != nil || len(data)%2 != 0 {
			return strings.ToValidUTF8(wire, "\uFFFD")
		}
		units := make([]uint16, len(data)/2)
		for n := range units {
			units[n] = uint16(data[2*n])<<8 | uint16(data[2*n+1])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	if !utf8.ValidString(b.String()) {
		return strings.ToValidUTF8(wire, "\uFFFD")
	}
	return b.String()
}
