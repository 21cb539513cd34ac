package mailpart

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Leaf is a leaf part as far as Plan needs to know it.
type Leaf struct {
	Type       string // "text/plain"
	Attachment bool
	Size       int64 // how many bytes it has
}

// Plan says how many bytes of each leaf part there shall be in a message of
// limit bytes of leaf parts: calendars first, of which a part is of no use,
// then a fair share of each text that is to be read, then whatever fits.
func Plan(leaves []Leaf, limit int64) []int64 {
	kept := make([]int64, len(leaves))
	whole := func(wanted func(Leaf) bool) {
		for n, l := range leaves {
			if wanted(l) && kept[n] == 0 && l.Size <= limit {
				kept[n] = l.Size
				limit -= l.Size
			}
		}
	}
	whole(func(l Leaf) bool { return !l.Attachment && l.Type == "text/calendar" })
	var texts []int
	for n, l := range leaves {
		if isText(l) {
			texts = append(texts, n)
		}
	}
	slices.SortStableFunc(texts, func(a, b int) int { return int(min(1, max(-1, leaves[a].Size-leaves[b].Size))) })
	for n, k := range texts { // the small ones leave something to the large ones
		kept[k] = min(leaves[k].Size, limit/int64(len(texts)-n))
		limit -= kept[k]
	}
	whole(func(l Leaf) bool { return !isText(l) })
	return kept
}

func isText(l Leaf) bool {
	return !l.Attachment && strings.HasPrefix(l.Type, "text/") && l.Type != "text/calendar"
}

// Cut answers the beginning of a text part that is to have no more than so many
// bytes. It ends with a line, unless that would be half as much or less.
func Cut(body []byte, kept int64) []byte {
	if int64(len(body)) <= kept {
		return body
	}
	body = body[:kept]
	if eol := bytes.LastIndexByte(body, '\n'); eol >= len(body)/2 {
		return body[:eol+1]
	}
	return body
}

// Hollow answers a message of which the leaf parts have limit bytes, and what
// was left out. A limit of 0 answers nothing.
func Hollow(message []byte, limit int) ([]byte, []backend.LeftPart) {
	if limit <= 0 {
		return nil, nil
	}
	if len(message) <= limit {
		return message, nil
	}
	parts := Parse(message).Leaves()
	leaves := make([]Leaf, len(parts))
	for n, p := range parts {
		leaves[n] = Leaf{Type: p.Type, Attachment: p.Attachment, Size: int64(p.End - p.Body)}
	}
	var out []byte
	var left []backend.LeftPart
	at := 0
	for n, kept := range Plan(leaves, int64(limit)) {
		p := parts[n]
		if kept == leaves[n].Size {
			continue
		}
		body := Cut(message[p.Body:p.End], kept)
		out = append(append(out, message[at:p.Body]...), body...)
		at = p.End
		left = append(left, backend.LeftPart{Path: p.Path, Encoded: leaves[n].Size, Kept: int64(len(body))})
	}
	return append(out, message[at:]...), left
}
