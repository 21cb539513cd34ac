// Package gate lets people and programs in to the administration over the web.
//
// Administrators sign in at /admin/signin, owners of phones at /my/signin with
// what they type into their phone, and programs show a token. Who is in is an
// [admin.Actor]; what they may is for package admin to say. The pages that they
// see are other rooms', which ask a [Realm] who it is that asks.
package gate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/gate/oidc"
	"github.com/pushbridge/pushbridge/bridge/admin/openapi"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// The places that the gate answers at, and everything below them.
const (
	AdminPrefix = "/admin/"
	OwnPrefix   = "/my/"
)

// ErrStranger means that nobody is signed in: see Realm.SignIn.
var ErrStranger error = &admin.Error{Kind: admin.Stranger, Text: "Nobody is signed in."}

// Options tell New what to build with. Server, Roster and URL are required.
type Options struct {
	Server *admin.Server
	Roster *roster.Roster

	// URL is where browsers reach the gate: "https://mail.example.org". Without
	// TLS, which is for trials, cookies are not kept from other programs on that
	// computer.
	URL *url.URL

	// Login verifies what a phone's owner types, and answers the name of the
	// account. Its errors are those of package account. Nil means that owners
	// cannot sign in.
	Login func(ctx context.Context, login, password string, from netip.Addr) (user string, err error)

	// Provider says who administrators are that are not in the list. Nil means that
	// there are none.
	Provider *oidc.Provider

	Logger *slog.Logger // nil means slog.Default
}

// A Gate is an http.Handler for everything below AdminPrefix and OwnPrefix.
type Gate struct {
	options Options
	realms  []*Realm
	handler http.Handler
}

// A Realm is one of the two sorts of people who sign in.
type Realm struct {
	gate   *Gate
	prefix string // AdminPrefix or OwnPrefix
	cookie string
	pages  http.Handler // nil while there are none
	verify func(r *http.Request, form url.Values, from roster.Caller) (secret string, err error)
	words  words
}

// New builds a Gate.
func New(o Options) *Gate {
	if o.Server == nil || o.Roster == nil || o.URL == nil {
		panic("gate: Server, Roster and URL are required")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	g := &Gate{options: o}
	g.realms = append(g.realms, &Realm{gate: g, prefix: AdminPrefix, cookie: g.cookie("admin"), verify: g.administrator, words: forAdministrators})
	if o.Login != nil {
		g.realms = append(g.realms, &Realm{gate: g, prefix: OwnPrefix, cookie: g.cookie("my"), verify: g.owner, words: forOwners})
	}
	description, err := openapi.Document(admin.Operations)
	if err != nil {
		panic(err) // the operations are this program's own
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AdminPrefix+"api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(description))
	})
	for _, m := range g.realms {
		m.route(mux)
	}
	g.routeAccount(mux)
	if o.Provider != nil {
		mux.HandleFunc("GET "+OutsidePath, g.leave)
		mux.HandleFunc("GET "+CallbackPath, g.comeBack)
	}
	g.handler = g.guarded(mux)
	return g
}

// ServeHTTP implements http.Handler.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// Administrators is where administrators sign in.
func (g *Gate) Administrators() *Realm { return g.realms[0] }

// Owners is where the owners of phones sign in; nil if they cannot.
func (g *Gate) Owners() *Realm {
	if len(g.realms) < 2 {
		return nil
	}
	return g.realms[1]
}

// Pages has everything below the realm's prefix that the gate does not answer
// itself be answered by h, whether somebody is signed in or not. It is called
// before the gate serves.
func (m *Realm) Pages(h http.Handler) { m.pages = h }

// Prefix is where the realm's pages are.
func (m *Realm) Prefix() string { return m.prefix }

// cookie is the name of a cookie. With the prefix browsers take it from this very
// host over TLS alone, and not from one beside it. See RFC 6265bis, "The
// "__Host-" Prefix".
func (g *Gate) cookie(name string) string {
	if g.secure() {
		return "__Host-pushbridge-" + name
	}
	return "pushbridge-" + name
}

func (g *Gate) secure() bool { return g.options.URL.Scheme == "https" }

// route enters what the gate answers itself.
func (m *Realm) route(mux *http.ServeMux) {
	mux.HandleFunc("GET "+m.prefix+"signin", m.showSignIn)
	mux.HandleFunc("POST "+m.prefix+"signin", m.signIn)
	mux.HandleFunc("POST "+m.prefix+"signout", m.signOut)
	mux.HandleFunc("GET "+m.prefix+"signin.css", style)
	mux.HandleFunc(m.prefix+"api/v1/", m.call)
	mux.HandleFunc(m.prefix, func(w http.ResponseWriter, r *http.Request) {
		if m.pages == nil {
			m.noPages(w, r)
			return
		}
		m.pages.ServeHTTP(w, r)
	})
}

// guarded is what is the same for every request.
func (g *Gate) guarded(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		admin.Fail(w, &admin.Error{Kind: admin.Refused, Text: "The request comes from another site."})
	}))
	same := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Content-Security-Policy", Policy)
		if !g.here(r.Host) {
			// Another name for this server may be one that somebody else makes up for
			// it, so that their page and this one are the same site to a browser.
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		same.ServeHTTP(w, r)
	})
}

// Policy is the Content-Security-Policy of the gate's own pages. Others set their
// own in its place.
const Policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// here tells whether a Host header names this gate. The port may be another one,
// as where a tunnel begins.
func (g *Gate) here(host string) bool {
	u := url.URL{Host: host}
	return strings.EqualFold(u.Hostname(), g.options.URL.Hostname())
}

// Actor is who asks, by the session of a browser. The error is ErrStranger if
// nobody is signed in.
func (m *Realm) Actor(r *http.Request) (admin.Actor, error) {
	var secret string
	for _, c := range r.CookiesNamed(m.cookie) {
		if secret != "" {
			return admin.Actor{}, ErrStranger // one of them is somebody else's
		}
		secret = c.Value
	}
	if secret == "" {
		return admin.Actor{}, ErrStranger
	}
	who, err := m.gate.options.Roster.Session(r.Context(), secret)
	if err != nil {
		return admin.Actor{}, stranger(err)
	}
	if who.Outside && m.gate.options.Provider == nil {
		return admin.Actor{}, ErrStranger // the one who vouched for them is not asked any more
	}
	if (who.User != "") != (m.prefix == OwnPrefix) {
		return admin.Actor{}, ErrStranger
	}
	return actor(who, r), nil
}

// stranger is ErrStranger for a session that is over.
func stranger(err error) error {
	if errors.Is(err, roster.ErrEnded) {
		return ErrStranger
	}
	return err
}

// actor is who somebody is to the administration.
func actor(who roster.Identity, r *http.Request) admin.Actor {
	a := admin.Actor{Name: who.Administrator, Administrator: who.Administrator, Token: who.Token, Session: who.Session}
	if from := account.ClientAddress(r.RemoteAddr); from.IsValid() {
		a.Address = from.String()
	}
	switch {
	case who.User != "":
		a.Name, a.User, a.Roles = who.User, who.User, []admin.Role{admin.SelfService}
		return a
	case who.Outside:
		a.Administrator = ""
	case who.Token != "":
		a.Name = "token " + who.Token + " of " + who.Administrator
	}
	for _, role := range who.Roles {
		if known, err := admin.ParseRole(role); err == nil && known != admin.SelfService {
			a.Roles = append(a.Roles, known)
		}
	}
	return a
}

// SignIn sends a browser to where people sign in, and from there back to what it
// asked for.
func (m *Realm) SignIn(w http.ResponseWriter, r *http.Request) {
	to := m.prefix + "signin"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if next := m.next(r.URL.RequestURI()); next != m.prefix {
			to += "?" + url.Values{"next": {next}}.Encode()
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// next is where to go after signing in: what was asked for, if it is a page of this
// realm, or its first page.
func (m *Realm) next(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || len(asked) > maxNext || strings.ContainsFunc(asked, odd) {
		return m.prefix
	}
	clean := path.Clean(u.Path)
	rest, in := strings.CutPrefix(clean+"/", m.prefix)
	if !in || strings.Contains(u.Path, "//") || strings.HasPrefix(rest, "sign") || strings.HasPrefix(rest, "api/") || strings.HasPrefix(rest, "oidc/") {
		return m.prefix
	}
	safe := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	return safe.String()
}

// maxNext bounds where to go, in bytes.
const maxNext = 2000

// odd are characters that browsers may take for others.
func odd(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }
