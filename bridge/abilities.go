package bridge

import (
	"context"
	"fmt"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Abilities says how each backend is and what it can do; with credentials also
// what that person has there. It changes nothing.
func (b *Bridge) Abilities(ctx context.Context, who backend.Credentials) []doctor.Backend {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	list := make([]doctor.Backend, len(b.backends))
	for i, s := range b.states(ctx) {
		list[i] = doctor.Backend{Name: s.Name, Plugin: s.Plugin}
		list[i].Forwards, list[i].Brakes = b.forwards(s.Name)
		if !s.Well {
			list[i].Problem = s.Detail
			continue
		}
		list[i].Open = s.Detail != ""
		for _, e := range backend.Declared(b.backends[i].Backend) {
			list[i].Abilities = append(list[i].Abilities, string(e))
		}
		if who.User != "" {
			list[i].Shows = shows(ctx, b.backends[i], who)
		}
	}
	return list
}

// shows counts a person's collections by what they hold.
func shows(ctx context.Context, n account.Named, who backend.Credentials) string {
	session, err := n.Backend.Open(ctx, who)
	if err != nil {
		return "nothing: " + err.Error()
	}
	defer session.Close()
	collections, err := session.Collections(ctx)
	if err != nil {
		return "nothing: " + err.Error()
	}
	counts := map[backend.CollectionKind]int{}
	for _, c := range collections {
		counts[c.Kind]++
	}
	var parts []string
	for _, k := range []backend.CollectionKind{backend.Contacts, backend.Events, backend.Tasks, backend.Notes, backend.Mail} {
		if counts[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s", counts[k], k))
		}
	}
	if parts == nil {
		return "no collections: the phone stays empty"
	}
	return strings.Join(parts, ", ")
}

// forwards tells whether a backend's server is told where phones are, and whether
// it is a Nextcloud, which has the paths of its WebDAV below remote.php.
func (b *Bridge) forwards(name string) (told, brakes bool) {
	for _, c := range b.config.Backends {
		if c.Name == name {
			told, _ = c.Settings["forward_address"].(bool)
			url, _ := c.Settings["url"].(string)
			return told, strings.Contains(url, "/remote.php")
		}
	}
	return false, false
}
