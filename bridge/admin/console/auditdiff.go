package console

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/audit"
)

// mostDifferences bounds what is shown of one entry. The export has the rest.
const mostDifferences = 100

// A difference is a value that an entry of the audit says was changed.
type difference struct{ Name, Before, After string }

// An auditEntry is an entry, and what is different after it.
type auditEntry struct {
	audit.Record
	Changes []difference
	More    int // differences that are not shown
}

// entryOf works out what is different.
func entryOf(r audit.Record) auditEntry {
	before, after := map[string]string{}, map[string]string{}
	flatten(before, "", r.Before)
	flatten(after, "", r.After)
	e := auditEntry{Record: r}
	for _, name := range slices.Sorted(keysOf(before, after)) {
		if before[name] == after[name] {
			continue
		}
		if len(e.Changes) == mostDifferences {
			e.More++
			continue
		}
		e.Changes = append(e.Changes, difference{name, before[name], after[name]})
	}
	return e
}

// keysOf are the names in either.
func keysOf(maps ...map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, m := range maps {
			for name := range m {
				if !seen[name] && !yield(name) {
					return
				}
				seen[name] = true
			}
		}
	}
}

// neverTime is the time that stands for none.
const neverTime = `"0001-01-01T00:00:00Z"`

// flatten puts the values of a JSON text under the names that lead to them. What asks
// for nothing is left out.
func flatten(to map[string]string, name string, text json.RawMessage) {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0, string(text) == neverTime, string(text) == "null", string(text) == `""`, string(text) == "{}", string(text) == "[]":
		return
	case text[0] == '{':
		var fields map[string]json.RawMessage
		if json.Unmarshal(text, &fields) == nil {
			for key, value := range fields {
				flatten(to, strings.TrimPrefix(name+", "+key, ", "), value)
			}
			return
		}
	case text[0] == '"':
		var s string
		if json.Unmarshal(text, &s) == nil {
			to[name] = s
			return
		}
	}
	to[name] = string(text)
}
