// Package selfservice is the web pages of phones' owners: what their phones do, why one does not work, and the harmless part of what can be done about it.
//
// A page asks and orders through the operations of package admin alone, as the
// [admin.Actor] that a [page.Gate] answers, who may touch what is theirs; what is not
// allowed is not offered. The name of the owner comes from there and never from a
// request. Pages work without scripts, and load nothing from elsewhere.
package selfservice

import (
	"cmp"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/page"
)

const (
	// DefaultPrefix is where the pages are, unless [Options] say otherwise.
	DefaultPrefix = "/my/"

	// maxForm bounds the body of a form, in bytes: a number for each of a thousand
	// folders is a fraction of it.
	maxForm = 64 << 10

	// policyOfContent keeps a page from running or loading anything that does not come
	// from here, whatever somebody gets into it.
	policyOfContent = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// Options tell New what to build with. Server and Gate are required.
type Options struct {
	Server *admin.Server
	Gate   page.Gate

	// Prefix is the path that everything is below, with a slash at both ends.
	// Empty means DefaultPrefix.
	Prefix string

	// URL is where browsers reach this server, "https://mail.example.org". Empty
	// means that no picture leads there.
	URL string

	// Host is the name of the server that people type into a phone. Empty means that
	// of URL.
	Host string

	// AddressOf is the mail address of an account, or empty. Nil means that none is
	// known.
	AddressOf func(user string) string

	Logger *slog.Logger // nil means slog.Default
}

// Pages are an http.Handler for everything below the prefix.
type Pages struct {
	Options
	handler   http.Handler
	templates map[string]*template.Template
}

// New builds Pages.
func New(o Options) *Pages {
	if o.Server == nil || o.Gate == nil {
		panic("selfservice: Server and Gate are required")
	}
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	o.URL = strings.TrimSuffix(o.URL, "/")
	if u, err := url.Parse(o.URL); err == nil {
		o.Host = cmp.Or(o.Host, u.Host)
	}
	if o.AddressOf == nil {
		o.AddressOf = func(string) string { return "" }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &Pages{Options: o}
	p.templates = page.Parse(pageFiles, p.functions(), "pages/layout.html")
	p.handler = p.routes()
	return p
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// places are what can be asked for, below the prefix.
var places = map[string]func(*Pages, *ask) error{
	"GET /{$}":      (*Pages).phones,
	"GET /phone":    (*Pages).phone,
	"GET /add":      (*Pages).add,
	"GET /add.svg":  (*Pages).picture,
	"GET /confirm":  (*Pages).confirm,
	"POST /confirm": (*Pages).carryOut,
	"POST /rename":  (*Pages).rename,
	"POST /folders": (*Pages).chooseFolders,
	"POST /push":    (*Pages).setPush,
}

// routes joins the pages and what keeps them.
func (p *Pages) routes() http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string) string { return strings.Replace(pattern, " /", " "+p.Prefix, 1) }
	for pattern, serve := range places {
		mux.Handle(at(pattern), p.page(serve))
	}
	mux.HandleFunc(at("GET /my.css"), asset("text/css; charset=utf-8", styleFile))
	mux.HandleFunc(at("GET /icon.svg"), asset("image/svg+xml", iconFile))
	mux.Handle(p.Prefix, p.page(func(*Pages, *ask) error {
		return &admin.Error{Kind: admin.NotFound, Text: "There is no such page."}
	}))
	return page.Guarded(policyOfContent, mux)
}

// An ask is one request of an owner who is signed in.
type ask struct {
	w http.ResponseWriter
	*http.Request
	actor admin.Actor
	user  string
}

// phone is the request about a phone of the owner's.
func (a *ask) phone(device string) admin.PhoneRequest {
	return admin.PhoneRequest{User: a.user, Device: device}
}

// may tells whether the owner may do an operation with a request.
func (a *ask) may(o *admin.Operation, request any) bool { return o.Allows(a.actor, request) }

// page lets those in who are signed in as owners, and shows what went wrong.
func (p *Pages) page(serve func(*Pages, *ask) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := p.Gate.Actor(r)
		a := &ask{w, r, actor, actor.User}
		if err != nil && !page.IsStranger(err) { // it is not known who it is
			p.fail(a, err)
			return
		}
		if err != nil || actor.User == "" || !actor.Is(admin.SelfService) {
			p.turnAway(w, r)
			return
		}
		if err := page.ReadForm(w, r, maxForm); err != nil {
			p.fail(a, err)
			return
		}
		if err := serve(p, a); err != nil {
			p.fail(a, err)
		}
	})
}

// turnAway sends somebody to where one signs in.
func (p *Pages) turnAway(w http.ResponseWriter, r *http.Request) {
	to := p.Prefix + "signin"
	if r.Method == http.MethodGet && r.URL.Path != p.Prefix {
		to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// fail shows an error as a page. What only an administrator can mend is told to
// them, in the log.
func (p *Pages) fail(a *ask, err error) {
	failed, ok := errors.AsType[*admin.Error](err)
	if !ok || failed.Kind == admin.Internal {
		if a.Context().Err() != nil {
			return // nobody reads it
		}
		p.Logger.ErrorContext(a.Context(), "a page could not be made", "path", a.URL.Path, "user", a.user, "error", err)
		failed = &admin.Error{Kind: admin.Internal, Text: "The server could not do it just now, and an administrator can see why. Try again in a while. Nothing on your phones is lost."}
	}
	titles := map[admin.Kind]string{admin.Refused: "That is not for you to do", admin.NotFound: "Not found", admin.Invalid: "That is not possible"}
	p.show(a, failed.Status(), "error", view{Title: cmp.Or(titles[failed.Kind], "Something went wrong"), Data: failed.Text})
}

// at is the URL of a page, with pairs of names and values as its query.
func (p *Pages) at(name string, query ...any) string { return page.URL(p.Prefix+name, query...) }

// goTo leads to another page, which says what was done by one of the words of said.
func (p *Pages) goTo(a *ask, name string, query ...any) error {
	http.Redirect(a.w, a.Request, p.at(name, query...), http.StatusSeeOther)
	return nil
}
