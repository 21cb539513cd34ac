package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Events say who may tell the worker that something changed, as the configuration
// has it.
type Events struct {
	Notify string // the socket for notices of storage hooks; "" if there is none
	Hooks  []Hook
	Push   string // where servers with WebDAV-Push reach the worker; "" if none is asked to push

	// StorageUsers are users that storage hooks run as; those that do not exist
	// here are passed over. Nil means radicale.
	StorageUsers []string
}

// A Hook is a webhook that is configured.
type Hook struct {
	Name    string
	Kind    string
	Backend string // what it speaks of; "" means any
}

// The paths of word of changes.
const (
	hookPath = "/hooks/"
	pushPath = "/hooks/push/"
)

// paths are where servers say that something changed.
func (e Events) paths() (list []string) {
	for _, h := range e.Hooks {
		list = append(list, hookPath+h.Name)
	}
	if e.Push != "" {
		list = append(list, pushPath)
	}
	return list
}

// events lists who may tell of changes, and looks at the socket for notices.
func (n *notes) events(o Inspection, list []Backend) {
	const step = "events"
	for _, h := range o.Events.Hooks {
		of := "any backend"
		if h.Backend != "" {
			of = "[backend." + h.Backend + "]"
		}
		n.ok(step, "[hook.%s] (%s) may tell at %s%s of changes in %s", h.Name, h.Kind, hookPath, h.Name, of)
	}
	if p := o.Events.Push; p != "" {
		n.ok(step, "servers with WebDAV-Push are asked to push to %s%s", p, pushPath)
	}
	if o.Events.Notify == "" {
		return
	}
	asked := false // a backend that can only be asked
	for _, b := range list {
		asked = asked || b.Problem == "" && !b.tells()
	}
	n.notifySocket(o.Events, asked)
}

// tells is whether a backend says by itself when something changes.
func (b Backend) tells() bool {
	for _, a := range b.Abilities {
		if a == "watch" {
			return true
		}
	}
	return false
}

// forwards says whether a server is told where phones are, and whether it should
// be. Whether it believes that cannot be seen from here: it says the same to all.
func (n *notes) forwards(name string, b Backend) {
	const step = "backend"
	switch {
	case b.Forwards:
		n.ok(step, "%s is told in X-Forwarded-For where each phone is; it believes that only if this computer is among its trusted proxies", name)
	case b.Brakes:
		n.advise(step, "forward-address", name+" is a Nextcloud by its url, which slows down everybody at an address after wrong passwords, and takes all phones for this computer",
			"forward_address = true in both backends, and in Nextcloud's config.php this computer's address among trusted_proxies")
	}
}

// reached finds out whether word of changes gets through to pushbridge. Without a
// secret it is refused there.
func (v *visit) reached(ctx context.Context) bool {
	const step = "events"
	for _, path := range v.Events.paths() {
		u := url.URL{Scheme: v.target.Scheme, Host: v.target.Host, Path: path}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader("{}"))
		if err != nil {
			return true
		}
		r.Header.Set("User-Agent", v.client.UserAgent)
		a := v.answered(r)
		if a.err != nil || a.html() || a.status == http.StatusNotFound || a.status >= http.StatusInternalServerError {
			said := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
			if a.err != nil {
				said = a.err.Error()
			}
			v.advise(step, "hooks-unreachable", fmt.Sprintf("word of changes at %s does not reach pushbridge (%s): phones hear of them later", path, said),
				"include nginx.conf.example as it is: its third location is the one for "+hookPath+"; or is this another worker than the one that the configuration is of?")
			continue
		}
		v.ok(step, "word of changes reaches pushbridge at %s", path)
	}
	return true
}
