package mail

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// maxUU bounds how many uuencoded files are looked for in a text, and how often
// in vain.
const maxUU = 100

// A block is a uuencoded file inside of a text, as programs sent files before
// MIME.
type block struct {
	name       string
	start, end int // of its lines in the text
}

// uuBlocks finds the files in a text: from a line such as "begin 644 a.txt" to
// the line "end". A file without an end is text.
func uuBlocks(text []byte) []block {
	var list []block
	for at, tried := 0, 0; tried < maxUU; tried++ {
		start := indexLine(text, at, "begin ")
		if start < 0 {
			break
		}
		first := lineEnd(text, start)
		at = first
		if !isBegin(text[start:first]) {
			continue
		}
		name := bytes.SplitN(text[start:first], []byte{' '}, 3)[2]
		end := indexLine(text, first, "end")
		for end >= 0 && strings.TrimSpace(string(text[end:lineEnd(text, end)])) != "end" {
			end = indexLine(text, lineEnd(text, end), "end")
		}
		if end < 0 || !looksUU(text[first:end]) {
			continue
		}
		at = lineEnd(text, end)
		list = append(list, block{name: strings.TrimSpace(decodeCharset(name, "", "")), start: start, end: at})
	}
	return list
}

// looksUU tells encoded lines from sentences between a begin and an end.
func looksUU(lines []byte) bool {
	for len(lines) > 0 {
		var l []byte
		if l, lines, _ = bytes.Cut(lines, []byte{'\n'}); len(l) > 0 && (l[0] < ' ' || l[0] > '`') {
			return len(bytes.TrimSpace(l)) == 0
		}
	}
	return true
}

// indexLine is where a line begins with some word, from a place on.
func indexLine(text []byte, at int, word string) int {
	for at < len(text) {
		if bytes.HasPrefix(text[at:], []byte(word)) && (at == 0 || text[at-1] == '\n') {
			return at
		}
		i := bytes.Index(text[at:], []byte("\n"+word))
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return -1
}

// uuPath is the number of a file in the text of a part. IMAP knows none: the
// part is asked for.
func uuPath(path string, n int) string { return path + ".u" + strconv.Itoa(n) }

// cutUUPath is the inverse of uuPath.
func cutUUPath(path string) (of string, n int, ok bool) {
	at := strings.LastIndex(path, ".u")
	if at < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(path[at+2:])
	return path[:at], n, err == nil && n > 0 && n <= maxUU
}

// uuText is the text in which files are looked for: nobody encodes them twice.
func (p *part) uuText() []byte {
	if !identity(p.encoding) && p.encoding != "quoted-printable" || !bytes.Contains(p.body, []byte("begin ")) {
		return nil
	}
	text, _ := p.decoded(maxText)
	return text
}

// uuFiles are the files in the text of a part, and the text without them.
func (p *part) uuFiles(text []byte) (rest []byte, files []*part) {
	if p.left != nil || p.encoding == "base64" || !bytes.Contains(text, []byte("begin ")) {
		return text, nil
	}
	at := 0
	for i, b := range uuBlocks(text) {
		rest = append(rest, text[at:b.start]...)
		at = b.end
		files = append(files, &part{path: uuPath(p.path, i+1), mediaType: "application/octet-stream", filename: b.name, encoding: "x-uuencode", body: text[b.start:b.end], within: p})
	}
	return append(rest, text[at:]...), files
}

// uuFile reads the n-th file of a part's text while that comes.
func uuFile(r io.Reader, n int) io.Reader { return &uuReader{lines: newLines(r), skip: n - 1} }
