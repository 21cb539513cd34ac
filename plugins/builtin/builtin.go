// Package builtin lists the adapters that come with pushbridge.
package builtin

import (
	"context"
	"maps"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/caldav"
	"github.com/pushbridge/pushbridge/plugins/carddav"
	"github.com/pushbridge/pushbridge/plugins/imap"
	"github.com/pushbridge/pushbridge/plugins/localdir"
)

// An Open makes a backend of its settings. The error says in words for an
// administrator what is wrong with them.
type Open func(ctx context.Context, s backend.Settings) (backend.Backend, error)

var adapters = map[string]Open{
	"caldav":   caldav.Open,
	"carddav":  carddav.Open,
	"imap":     imap.Open,
	"localdir": localdir.Open,
	"memory":   memory.Open,
}

// Lookup finds an adapter by the name that a configuration gives it.
func Lookup(name string) (Open, bool) {
	open, ok := adapters[name]
	return open, ok
}

// Names lists the adapters.
func Names() []string { return slices.Sorted(maps.Keys(adapters)) }
