package bridge

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/selfservice"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// newRoster builds who may sign in. There is one without the web, too: the first
// administrator is made at the control door.
func (b *Bridge) newRoster(box *recovery.Box) *roster.Roster {
	o := roster.Options{
		Store: b.store.Documents(), Transact: b.store.Transact, Audit: audit.New(b.store.Audit()),
		Idle: b.config.Web.Idle, Longest: b.config.Web.Longest,
	}
	if box != nil {
		o.Seal = box
	}
	return roster.New(o)
}

// newGate builds where people sign in; nil if the configuration names no place.
func (b *Bridge) newGate() (*gate.Gate, error) {
	if b.config.Web.URL == "" {
		return nil, nil
	}
	u, err := url.Parse(b.config.Web.URL)
	if err != nil {
		return nil, faulty("web.url: %w", err)
	}
	o := gate.Options{Server: b.door, Roster: b.roster, URL: u, Logger: b.logger}
	if b.config.Web.Owners {
		o.Login = b.owner
		b.accounts.WhenRefused(b.ownerRefused)
	}
	if c := b.config.Web.OIDC; c.Issuer != "" {
		if o.Provider, err = newProvider(c, u); err != nil {
			return nil, err
		}
	}
	g := gate.New(o)
	b.console = console.New(console.Options{
		Server: b.door, Gate: g.Administrators(), SignOut: gate.AdminPrefix + "signout", Account: gate.AccountPath, Latency: &b.latency, Logger: b.logger,
	})
	g.Administrators().Pages(b.console)
	if owners := g.Owners(); owners != nil {
		owners.Pages(selfservice.New(selfservice.Options{Server: b.door, Gate: owners, Prefix: owners.Prefix(), URL: b.config.Web.URL, Host: b.phonesHost(), AddressOf: b.accounts.AddressOf, Logger: b.logger}))
	}
	return g, nil
}

// phonesHost is the name of the server that people type into a phone, if it is not
// that of the pages.
func (b *Bridge) phonesHost() string {
	u, err := url.Parse(b.config.AutodiscoverURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// ownerTime bounds how long the end of sessions may take.
const ownerTime = 10 * time.Second

// ownerRefused ends what somebody signed in to with a password that a backend takes
// no more: whoever changes theirs because others know it wants these out.
func (b *Bridge) ownerRefused(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), ownerTime)
	defer cancel()
	if _, err := b.roster.EndOwner(ctx, name, "a backend takes the password no more"); err != nil {
		b.logger.Error("sessions of a phone's owner could not be ended, whose password a backend takes no more", "user", name, "error", err)
	}
}

// owner verifies what a phone's owner types, as if it came from a phone.
func (b *Bridge) owner(ctx context.Context, login, password string, from netip.Addr) (string, error) {
	a, err := b.accounts.LoginFrom(ctx, login, password, account.Caller{Address: from})
	if err != nil {
		return "", err
	}
	return a.Name(), nil
}

// ofGate tells whether a path is the gate's.
func ofGate(path string) bool {
	for _, prefix := range []string{gate.AdminPrefix, gate.OwnPrefix} {
		if strings.HasPrefix(path+"/", prefix) {
			return true
		}
	}
	return false
}
