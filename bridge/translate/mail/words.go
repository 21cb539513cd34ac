package mail

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
)

// text reads the value of a header field that is text, in whatever way it is
// written: RFC 2047, UTF-8 (RFC 6532), or raw bytes of some charset.
func text(v []byte) string { return textIn(v, "") }

// textIn is text where raw bytes may be in the charset of the message.
func textIn(v []byte, charset string) string {
	v = unfold(v)
	if !bytes.Contains(v, []byte("=?")) {
		return clean(decodeCharset(v, "", charset))
	}
	var out strings.Builder
	for len(v) > 0 {
		at := bytes.Index(v, []byte("=?"))
		if at < 0 {
			out.WriteString(decodeCharset(v, "", charset))
			break
		}
		out.WriteString(decodeCharset(v[:at], "", charset))
		word, n := wordAt(v[at:])
		if n == 0 {
			out.WriteString("=?")
			v = v[at+2:]
			continue
		}
		v = v[at+n:]
		// What people write in two words is often one character in the middle of
		// which a program cut.
		for {
			gap := len(v) - len(bytes.TrimLeft(v, " \t"))
			next, n := wordAt(v[gap:])
			if n == 0 || !strings.EqualFold(next.charset, word.charset) {
				if n > 0 {
					v = v[gap:] // blanks between words do not count: RFC 2047, section 6.2
				}
				break
			}
			word.data = append(word.data, next.data...)
			v = v[gap+n:]
		}
		out.WriteString(decodeCharset(word.data, word.charset, charset))
	}
	return clean(out.String())
}

// A word is an encoded word of RFC 2047, decoded as far as its bytes.
type word struct {
	charset string
	data    []byte
}

// maxWord bounds an encoded word. RFC 2047, section 2, allows 75; programs
// write whole subjects in one.
const maxWord = 8 << 10

// wordAt reads the word that begins here, and how long it is; 0 if none does.
func wordAt(v []byte) (word, int) {
	if len(v) < 8 || v[0] != '=' || v[1] != '?' {
		return word{}, 0
	}
	v = v[:min(len(v), maxWord)]
	charset, rest, ok := bytes.Cut(v[2:], []byte{'?'})
	if !ok || len(charset) == 0 || len(charset) > 60 || bytes.ContainsAny(charset, " \t=") || len(rest) < 2 || rest[1] != '?' {
		return word{}, 0
	}
	encoding, data := rest[0], rest[2:]
	end := bytes.Index(data, []byte("?="))
	if end < 0 {
		return word{}, 0
	}
	total := 2 + len(charset) + 1 + 2 + end + 2
	name, _, _ := strings.Cut(string(charset), "*") // a language may follow: RFC 2231, section 5
	switch encoding {
	case 'B', 'b':
		return word{name, base64Word(data[:end])}, total
	case 'Q', 'q':
		return word{name, quotedWord(data[:end])}, total
	}
	return word{}, 0
}

func base64Word(data []byte) []byte {
	var kept []byte
	for _, c := range data {
		if isBase64(c) {
			kept = append(kept, c)
		}
	}
	if len(kept)%4 == 1 {
		kept = kept[:len(kept)-1]
	}
	out, err := base64.RawStdEncoding.DecodeString(string(kept))
	if err != nil {
		return data // it says something, if nothing good
	}
	return out
}

func quotedWord(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		switch {
		case data[i] == '_':
			out = append(out, ' ')
		case data[i] == '=' && i+2 < len(data):
			n, err := strconv.ParseUint(string(data[i+1:i+3]), 16, 8)
			if err != nil {
				out = append(out, '=')
				continue
			}
			out = append(out, byte(n))
			i += 2
		default:
			out = append(out, data[i])
		}
	}
	return out
}
