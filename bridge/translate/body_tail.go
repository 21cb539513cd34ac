package translate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// withTail gives an edit of the beginning of a text the rest of that text,
// unless the edit shows that the phone had fetched all of it; then full is
// true. It answers false where it cannot be told what the rest is.
func withTail(edited, shown, all string) (joined string, full, ok bool) {
	at, ok := behind(all, shown)
	if !ok {
		return "", false, false
	}
	tail := all[at:]
	end, before := trimEnd(tail), trimEnd(shown)
	// So many bytes in common are no accident, unless the beginning has them,
	// too: lines of dashes.
	known := min(max(12, commonSuffix(before, end)+1), len(end))
	sign := end[len(end)-known:]
	atEnd := strings.HasSuffix(trimEnd(edited), sign) && !strings.HasSuffix(before, sign)
	if atEnd || commonPrefix(edited, all) >= at+known {
		return edited, true, true
	}
	return edited + tail, false, true
}

// behind is where in a text its beginning ends, blanks apart, for HTML has not
// all of them. It answers false if shown is not its beginning.
func behind(all, shown string) (at int, ok bool) {
	for _, r := range shown {
		if unicode.IsSpace(r) {
			continue
		}
		for {
			a, n := utf8.DecodeRuneInString(all[at:])
			if n == 0 {
				return 0, false
			}
			at += n
			if a == r {
				break
			}
			if !unicode.IsSpace(a) {
				return 0, false
			}
		}
	}
	return at, true
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
