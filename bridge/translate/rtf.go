package translate

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Rich text travels compressed, as base64. We read both of its forms and write
// the one that is stored as it is. See [MS-ASAIRS] "Type (Body)" and
// [MS-OXRTFCP] "RTF Compression Format".
const (
	rtfHeader       = 16
	rtfCompressed   = 0x75465A4C // LZFu
	rtfUncompressed = 0x414C454D // MELA
	rtfDictionary   = 4096       // bytes, a ring
)

// rtfInitial fills the dictionary before anything is read. See [MS-OXRTFCP]
// "Dictionary".
const rtfInitial = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` +
	"\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

const (
	rtfStart    = `{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}}\f0\fs20 `
	rtfEnd      = "}"
	rtfOverhead = rtfHeader + len(rtfStart) + len(rtfEnd)
)

// encodeRTF writes a text as rich text, "" for none.
func encodeRTF(text string) string {
	if text == "" {
		return ""
	}
	body := TextToRTF(text)
	b := make([]byte, rtfHeader, rtfHeader+len(body))
	binary.LittleEndian.PutUint32(b[0:], uint32(len(body)+rtfHeader-4))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[8:], rtfUncompressed)
	return base64.StdEncoding.EncodeToString(append(b, body...))
}

// decodeRTF reads the words of compressed rich text. The error is ErrInvalid.
func decodeRTF(data string) (string, error) {
	if strings.TrimSpace(data) == "" {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(data))
	if err != nil {
		return "", fmt.Errorf("%w: rich text that is not base64", ErrInvalid)
	}
	rtf, err := decompressRTF(b)
	if err != nil {
		return "", err
	}
	return RTFToText(string(rtf)), nil
}

// decompressRTF undoes the compression; the result is at most MaxBody long.
func decompressRTF(b []byte) ([]byte, error) {
	if len(b) < rtfHeader {
		return nil, fmt.Errorf("%w: rich text without a header", ErrInvalid)
	}
	size, kind := int64(binary.LittleEndian.Uint32(b[4:])), binary.LittleEndian.Uint32(b[8:])
	b = b[rtfHeader:]
	switch {
	case size > MaxBody:
		return nil, fmt.Errorf("%w: rich text of %d bytes, the limit is %d", ErrInvalid, size, MaxBody)
	case kind == rtfUncompressed:
		return b[:min(size, int64(len(b)))], nil
	case kind != rtfCompressed:
		return nil, fmt.Errorf("%w: rich text compressed in an unknown way", ErrInvalid)
	}
	var ring [rtfDictionary]byte
	at := copy(ring[:], rtfInitial)
	out := make([]byte, 0, min(size, int64(16*len(b))))
	put := func(c byte) {
		ring[at%rtfDictionary] = c
		at++
		out = append(out, c)
	}
	for len(b) > 0 {
		control := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(b) > 0; bit++ {
			if control>>bit&1 == 0 {
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out, nil
			}
			from, length := int(b[0])<<4|int(b[1])>>4, int(b[1]&0xF)+2
			b = b[2:]
			if from == at%rtfDictionary {
				return out, nil // the mark of the end
			}
			for i := range length {
				put(ring[(from+i)%rtfDictionary])
			}
			if len(out) > MaxBody {
				return nil, fmt.Errorf("%w: rich text that unfolds beyond %d bytes", ErrInvalid, MaxBody)
			}
		}
	}
	return out, nil
}

// TextToRTF writes a plain text as rich text. See the Rich Text Format
// specification 1.9.1, "Unicode RTF".
func TextToRTF(text string) string {
	var b strings.Builder
	b.Grow(rtfOverhead + len(text))
	b.WriteString(rtfStart)
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("\\par\r\n")
		case r == '\t':
			b.WriteString("\\tab ")
		case r == '\\' || r == '{' || r == '}':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7F:
			b.WriteByte(byte(r))
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				b.WriteString(`\u` + strconv.Itoa(int(int16(unit))) + "?")
			}
		}
	}
	b.WriteString(rtfEnd)
	return b.String()
}

// rtfLength is the most that TextToRTF makes of a character.
func rtfLength(r rune) int {
	switch {
	case r == '\n', r == '\t':
		return len("\\par\r\n")
	case r >= ' ' && r < 0x7F:
		return 2
	}
	return 2 * len(`\u-32768?`)
}

// RTFToText reads the words of a rich text.
func RTFToText(rtf string) string {
	r := rtfReader{s: rtf, now: rtfState{skip: 1}}
	for r.at < len(r.s) {
		r.step()
	}
	return strings.TrimRight(clean(r.b.String()), " \n")
}

// maxRTFDepth is how deep groups nest whose state is kept; what is deeper
// shares the state of the last.
const maxRTFDepth = 256

// An rtfState is what a group's end takes back.
type rtfState struct {
	hidden bool // a destination whose content is not shown
	skip   int  // \uc: so many characters after \u are for old readers
}

type rtfReader struct {
	s     string
	at    int
	b     strings.Builder
	now   rtfState
	outer []rtfState
	deep  int  // groups beyond maxRTFDepth
	high  rune // the first half of a surrogate pair
	drop  int  // characters that still are for old readers
	fresh bool // at the start of a group, where \* may stand
}

// step reads a character, a control word or a group's edge.
func (r *rtfReader) step() {
	c := r.s[r.at]
	r.at++
	fresh := r.fresh
	r.fresh = false
	switch c {
	case '{':
		if len(r.outer) < maxRTFDepth {
			r.outer = append(r.outer, r.now)
		} else {
			r.deep++
		}
		r.fresh, r.drop = true, 0
	case '}':
		if r.drop = 0; r.deep > 0 {
			r.deep--
		} else if n := len(r.outer); n > 0 {
			r.now, r.outer = r.outer[n-1], r.outer[:n-1]
		}
	case '\r', '\n':
	case '\\':
		r.control(fresh)
	default:
		r.char(charmap.Windows1252.DecodeByte(c))
	}
}

// char writes a character, unless it is hidden or for old readers.
func (r *rtfReader) char(c rune) {
	if r.drop > 0 {
		r.drop--
		return
	}
	if !r.now.hidden {
		r.b.WriteRune(c)
	}
}

// rtfHidden are destinations that hold no words.
var rtfHidden = map[string]bool{"fonttbl": true, "colortbl": true, "stylesheet": true, "info": true, "pict": true,
	"header": true, "footer": true, "object": true, "listtable": true, "listoverridetable": true}

// rtfWords are control words that stand for characters.
var rtfWords = map[string]rune{"par": '\n', "line": '\n', "sect": '\n', "page": '\n', "row": '\n', "tab": '\t', "cell": '\t',
	"lquote": '‘', "rquote": '’', "ldblquote": '“', "rdblquote": '”', "bullet": '•', "endash": '–', "emdash": '—'}

// control reads what follows a backslash.
func (r *rtfReader) control(fresh bool) {
	if r.at >= len(r.s) {
		return
	}
	c := r.s[r.at]
	if !isLetter(c) {
		r.at++
		switch c {
		case '\'':
			if n, err := strconv.ParseUint(r.s[r.at:min(r.at+2, len(r.s))], 16, 8); err == nil {
				r.char(charmap.Windows1252.DecodeByte(byte(n)))
				r.at += 2
			}
		case '\\', '{', '}':
			r.char(rune(c))
		case '~':
			r.char(' ')
		case '_':
			r.char('-')
		case '\r', '\n':
			r.char('\n')
		case '*':
			r.now.hidden = r.now.hidden || fresh
		}
		return
	}
	start := r.at
	for r.at < len(r.s) && isLetter(r.s[r.at]) {
		r.at++
	}
	word := r.s[start:r.at]
	start = r.at
	for r.at < len(r.s) && (r.s[r.at] >= '0' && r.s[r.at] <= '9' || r.at == start && r.s[r.at] == '-') {
		r.at++
	}
	number, err := strconv.Atoi(r.s[start:r.at])
	if r.at < len(r.s) && r.s[r.at] == ' ' {
		r.at++
	}
	switch glyph, known := rtfWords[word]; {
	case known:
		r.char(glyph)
	case rtfHidden[word]:
		r.now.hidden = true
	case word == "uc" && err == nil:
		r.now.skip = min(max(number, 0), 16)
	case word == "u" && err == nil:
		r.unicode(rune(uint16(number)))
	case word == "bin" && err == nil && number > 0:
		r.at = min(r.at+number, len(r.s))
	}
}

// unicode writes a UTF-16 unit: two of them make a character outside of the
// first plane.
func (r *rtfReader) unicode(unit rune) {
	drop := r.now.skip
	switch {
	case utf16.IsSurrogate(unit) && r.high == 0:
		r.high = unit
	default:
		if r.high != 0 {
			unit, r.high = utf16.DecodeRune(r.high, unit), 0
		}
		if unit != 0 && utf8.ValidRune(unit) {
			r.drop = 0
			r.char(unit)
		}
	}
	r.drop = drop
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
