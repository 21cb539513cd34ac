package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

// decoder undoes a transfer encoding. It never fails because of what it reads:
// characters that do not belong are left out, and an encoding that nobody knows
// changes nothing. See RFC 2045, section 6.
func decoder(encoding string, r io.Reader) io.Reader {
	switch encoding {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &base64Filter{r: r})
	case "quoted-printable":
		return &quotedReader{r: r}
	}
	if uuencoded(encoding) {
		return &uuReader{lines: newLines(r)}
	}
	return r
}

func uuencoded(encoding string) bool {
	switch encoding {
	case "x-uuencode", "uuencode", "x-uue", "uue":
		return true
	}
	return false
}

// decoded is at most so many bytes of a part's content, and whether that is all
// of what is here.
func (p *part) decoded(limit int) (data []byte, all bool) {
	if identity(p.encoding) {
		return p.body[:min(len(p.body), limit)], len(p.body) <= limit
	}
	var b bytes.Buffer
	b.Grow(int(min(p.decodedSize()+64, int64(limit)+bytes.MinRead)))
	n, err := io.Copy(&b, io.LimitReader(decoder(p.encoding, bytes.NewReader(p.body)), int64(limit)+1))
	if n > int64(limit) {
		return b.Bytes()[:limit], false
	}
	return b.Bytes(), err == nil
}

// A base64Filter passes on what belongs to base64, and makes the end whole.
type base64Filter struct {
	r       io.Reader
	n       int // characters passed on, modulo 4
	padding int // characters still due at the end
	ended   bool
}

func (f *base64Filter) Read(b []byte) (int, error) {
	for !f.ended {
		n, err := f.r.Read(b)
		kept := b[:0]
		for _, c := range b[:n] {
			if isBase64(c) {
				kept = append(kept, c)
			}
		}
		f.n = (f.n + len(kept)) % 4
		if err == io.EOF {
			f.ended = true
			f.padding = (4 - f.n) % 4
		} else if err != nil {
			return len(kept), err
		}
		if len(kept) > 0 {
			return len(kept), nil
		}
	}
	if f.padding == 0 {
		return 0, io.EOF
	}
	fill := byte('=')
	if f.padding == 3 {
		fill = 'A' // a character too few or too many: whatever it says
	}
	if len(b) == 0 {
		return 0, nil
	}
	b[0] = fill
	f.padding--
	return 1, nil
}

// A quotedReader undoes quoted-printable line by line; what is wrong in it
// stands for itself. See RFC 2045, section 6.7.
type quotedReader struct {
	r     io.Reader
	lines *lines
	out   []byte
}

func (q *quotedReader) Read(b []byte) (int, error) {
	if q.lines == nil {
		q.lines = newLines(q.r)
	}
	for len(q.out) == 0 {
		line, err := q.lines.next()
		if len(line) == 0 && err != nil {
			return 0, err
		}
		q.out = unquoted(q.out[:0], line)
	}
	n := copy(b, q.out)
	q.out = q.out[n:]
	return n, nil
}

// unquoted undoes a line of quoted-printable.
func unquoted(out, line []byte) []byte {
	text := bytes.TrimRight(line, "\r\n")
	lineBreak := line[len(text):]
	if len(lineBreak) > 0 {
		text = bytes.TrimRight(text, " \t") // padding of the way: rule 3
	}
	if n := len(text); n > 0 && text[n-1] == '=' {
		text, lineBreak = text[:n-1], nil
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '=' && i+2 < len(text) {
			high, low := nibble(text[i+1]), nibble(text[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, c)
	}
	return append(out, lineBreak...)
}

func nibble(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// A uuReader undoes the encoding of uuencode between its begin and end lines.
type uuReader struct {
	lines *lines
	skip  int // so many files come first
	begun bool
	out   []byte
}

func (u *uuReader) Read(b []byte) (int, error) {
	for len(u.out) == 0 {
		line, err := u.lines.next()
		if len(line) == 0 && err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case !u.begun:
			u.begun = isBegin(line)
		case string(line) == "end" && u.skip == 0:
			return 0, io.EOF
		case string(line) == "end":
			u.skip--
			u.begun = false
		case u.skip > 0:
		default:
			u.out = uuLine(u.out[:0], line)
		}
	}
	n := copy(b, u.out)
	u.out = u.out[n:]
	return n, nil
}

// isBegin knows the line in front of a file, such as "begin 644 a.txt".
func isBegin(line []byte) bool {
	words := strings.SplitN(strings.TrimRight(string(line), "\r\n"), " ", 3)
	return len(words) == 3 && words[0] == "begin" && (len(words[1]) == 3 || len(words[1]) == 4) && strings.Trim(words[1], "01234567") == ""
}

// uuLine decodes a line: its length, and four characters for three bytes.
func uuLine(out, line []byte) []byte {
	if len(line) == 0 {
		return out
	}
	six := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 0x3F
		}
		return 0
	}
	n := int(six(0))
	begin := len(out)
	for i := 1; len(out)-begin < n; i += 4 {
		a, b, c, d := six(i), six(i+1), six(i+2), six(i+3)
		out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	return out[:begin+n]
}

// lines reads lines of whatever length, in pieces of at most maxLine.
type lines struct {
	r    io.Reader
	buf  []byte
	at   int
	last error
}

const maxLine = 64 << 10

func newLines(r io.Reader) *lines { return &lines{r: r, buf: make([]byte, 0, 4096)} }

// next is a line with its break, or the beginning of a very long one. It is
// valid until the next call. The error is io.EOF or the reader's.
func (l *lines) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.at:], '\n'); i >= 0 {
			line := l.buf[l.at : l.at+i+1]
			l.at += i + 1
			return line, nil
		}
		if rest := l.buf[l.at:]; len(rest) >= maxLine || l.last != nil {
			l.at = len(l.buf)
			return rest, l.last
		}
		l.buf = l.buf[:copy(l.buf, l.buf[l.at:])]
		l.at = 0
		if len(l.buf) == cap(l.buf) {
			l.buf = append(l.buf, make([]byte, len(l.buf)+1)...)[:len(l.buf)]
		}
		n, err := l.r.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		l.last = err
	}
}
