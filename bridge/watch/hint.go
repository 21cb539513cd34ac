package watch

import (
	"net/url"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Hint is word from outside that something may have changed: look now. It is
// believed in no other way, so a wrong one costs a question to the backend, and
// one that names too much some more of them.
type Hint struct {
	// Source names who tells, such as "hook". A source that is named tells of
	// every change in Backend, once it works at all; see [Desk]. Empty is for
	// those that may leave something out.
	Source string

	// Backend is its name in the configuration; empty means any.
	Backend string

	// User is the name that the backend knows the person by; empty means
	// everybody.
	User string

	// Path is that of a collection, or of anything below it; empty means all
	// collections. It may be written as the backend's own IDs are, as the path
	// of an href, escaped or not, with or without what comes before it on the
	// server, or as that of a file in the server's storage.
	Path string
}

// maxPath bounds a hint's path, in bytes. Longer ones are cut, which only makes
// them name more.
const maxPath = 4096

// A place is what a Watcher looks after.
type place struct {
	backend, user string   // no backend: all, of the list of all their collections
	segments      []string // of the collection's ID; nil for the list of collections
}

func placeOf(backendName, user string, c backend.CollectionID) place {
	return place{backendName, user, segments(string(c))}
}

// segments takes a path apart. What comes behind '#' in a collection's ID says
// which of its items are meant, and every hint concerns all of them.
func segments(path string) []string {
	if len(path) > maxPath {
		path = path[:maxPath]
	}
	path, _, _ = strings.Cut(path, "#")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// concerns tells whether a hint may be about a place. path is the hint's.
func (p place) concerns(h Hint, path []string) bool {
	if h.Backend != "" && p.backend != "" && h.Backend != p.backend || h.User != "" && h.User != p.user {
		return false
	}
	return len(p.segments) == 0 || len(path) == 0 || touches(p.segments, path)
}

// touches tells whether one path may be that of the collection, of something
// below it, or of something above it. Either may lack what the other begins
// with.
func touches(collection, path []string) bool {
	for from := range collection {
		if tail := collection[from:]; starts(path, tail) || starts(tail, path) {
			return true
		}
	}
	for from := range path {
		if starts(path[from:], collection) {
			return true
		}
	}
	return false
}

// starts tells whether long begins with short.
func starts(long, short []string) bool {
	return len(long) >= len(short) && slices.Equal(long[:len(short)], short)
}
