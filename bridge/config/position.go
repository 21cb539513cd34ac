package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// positions tells on which line a dotted path was first written.
type positions map[string]int

// line is the line of a path, or of the nearest table around it, or 0.
func (p positions) line(path string) int {
	for path != "" {
		if n := p[path]; n != 0 {
			return n
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return 0
}

// locate finds the line of every key of a document that was read without
// error.
func locate(data []byte) positions {
	var newlines []int
	for i, c := range data {
		if c == '\n' {
			newlines = append(newlines, i)
		}
	}
	found := make(positions)
	note := func(path string, offset uint32) {
		if _, ok := found[path]; !ok {
			n, _ := slices.BinarySearch(newlines, int(offset))
			found[path] = n + 1
		}
	}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = walk("", e.Key(), note)
		case unstable.KeyValue:
			inline(table, e, note)
		}
	}
	return found
}

// inline notes a key and the keys of the inline table that it may hold.
func inline(prefix string, e *unstable.Node, note func(string, uint32)) {
	path := walk(prefix, e.Key(), note)
	if v := e.Value(); v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			inline(path, it.Node(), note)
		}
	}
}

// walk notes every step of a dotted key and answers the whole path.
func walk(path string, key unstable.Iterator, note func(string, uint32)) string {
	for key.Next() {
		if path != "" {
			path += "."
		}
		path += string(key.Node().Data)
		note(path, key.Node().Raw.Offset)
	}
	return path
}

// nearest is the known key that a person most likely meant, or nothing. A key
// that stands in the wrong table is found by its last part.
func nearest(path string) string {
	best, distance := "", 1+max(1, len(path)/4)
	last := path[strings.LastIndexByte(path, '.')+1:]
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if d := edits(path, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return best
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if k == last || strings.HasSuffix(k, "."+last) {
			return k
		}
	}
	if edits(path, "backend") < 3 || strings.HasPrefix(path, "backends") {
		return "backend"
	}
	return ""
}

// maxKey bounds the keys that are compared, for the comparison takes time with
// the product of their lengths.
const maxKey = 80

// edits counts the letters to insert, remove or replace to make b of a.
func edits(a, b string) int {
	if len(a) > maxKey {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
