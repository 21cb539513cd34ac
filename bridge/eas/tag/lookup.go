package tag

import (
	"fmt"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// Namespace names a code page, or answers "".
func Namespace(page uint8) string { return namespaces[page] }

// Local is an element's name without its code page, or "" for a tag that no
// specification knows.
func Local(t wbxml.Tag) string { return names[t] }

// Name writes a tag as "AirSync:SyncKey", or by its numbers if no
// specification knows it.
func Name(t wbxml.Tag) string {
	if local, ok := names[t]; ok {
		return namespaces[t.Page()] + ":" + local
	}
	return fmt.Sprintf("unknown:%02X-%02X", t.Page(), t.Token())
}

var byName = sync.OnceValue(func() map[string]wbxml.Tag {
	m := make(map[string]wbxml.Tag, len(names))
	for t := range names {
		m[Name(t)] = t
	}
	return m
})

// Lookup finds the tag of a name such as "AirSync:SyncKey".
func Lookup(name string) (wbxml.Tag, bool) {
	t, ok := byName()[name]
	return t, ok
}
