// Package console is the administrators' web pages: every phone, person, policy and rule, and what can be done about each.
//
// A page asks and orders through the operations of package admin alone, as the
// [admin.Actor] that a [page.Gate] answers; so whatever is shown was allowed, whatever
// is changed stands in the audit, and what a role may not do is not offered. Pages
// work without scripts; with them, numbers and the health of phones follow by
// server-sent events. Nothing is loaded from elsewhere, and no script or style
// stands in a page.
package console

import (
	"cmp"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/page"
	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
)

// DefaultPrefix is where the console is, unless [Options] say otherwise.
const DefaultPrefix = "/admin/"

// maxForm bounds the body of a form, in bytes: a policy with all of its lists is a
// fraction of it.
const maxForm = 1 << 20

// policyOfContent keeps a page from running or loading anything that does not come
// from here, whatever somebody gets into it.
const policyOfContent = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Options tell New what to build with. Server and Gate are required.
type Options struct {
	Server *admin.Server
	Gate   page.Gate

	// Prefix is the path that everything is below, with a slash at both ends.
	// Empty means DefaultPrefix.
	Prefix string

	// SignIn is the path where people sign in, SignOut one that a form is posted to
	// by who wants to leave, and Account the page of one's own password. Empty means
	// signin below Prefix for the first, and none for the others.
	SignIn, SignOut, Account string

	// Latency is how quickly phones were woken. Nil means that nobody counts.
	Latency *latency.Hour

	Logger *slog.Logger // nil means slog.Default
}

// A Console is the pages. It is an http.Handler, for everything below its prefix.
type Console struct {
	Options
	handler   http.Handler
	templates map[string]*template.Template
	sights    sights
	age       time.Duration // sightAge, unless a test has less patience

	ending   chan struct{} // closed by End
	end      func()
	watchers chan struct{} // a place for each stream
}

// New builds a Console.
func New(o Options) *Console {
	if o.Server == nil || o.Gate == nil {
		panic("console: Server and Gate are required")
	}
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	if !strings.HasPrefix(o.Prefix, "/") || !strings.HasSuffix(o.Prefix, "/") {
		panic("console: the prefix has no slash at both ends")
	}
	o.SignIn = cmp.Or(o.SignIn, o.Prefix+"signin")
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c := &Console{Options: o, age: sightAge, ending: make(chan struct{}), watchers: make(chan struct{}, maxWatchers)}
	c.end = sync.OnceFunc(func() { close(c.ending) })
	c.templates = page.Parse(pageFiles, c.functions(), "pages/layout.html", "pages/parts.html")
	c.handler = c.routes()
	return c
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// End ends the streams of those who watch, who come again a moment later. What is
// asked afterwards is answered all the same.
func (c *Console) End() { c.end() }

// pages are what can be asked for, below the prefix.
var pages = map[string]func(*Console, *ask) error{
	"GET /{$}":      (*Console).overview,
	"GET /devices":  (*Console).devices,
	"GET /device":   (*Console).device,
	"GET /confirm":  (*Console).confirm,
	"POST /confirm": (*Console).carryOut,
	"GET /events":   (*Console).events,
	"GET /backends": (*Console).backends,
	"GET /trace":    (*Console).trace,
	"POST /trace":   (*Console).traced,

	"GET /admission":  (*Console).admission,
	"POST /admission": (*Console).setAdmission,
	"POST /blocklist": (*Console).setListed,

	"GET /people":  (*Console).people,
	"GET /person":  (*Console).person,
	"POST /person": (*Console).setPerson,
	"GET /group":   (*Console).group,
	"POST /group":  (*Console).editGroup,

	"GET /policies":        (*Console).policies,
	"GET /policy":          (*Console).policy,
	"POST /policy/preview": (*Console).preview,
	"POST /policy/save":    (*Console).savePolicies,
	"GET /policy/what-if":  (*Console).whatIf,

	"GET /problems":     (*Console).problems,
	"GET /audit":        (*Console).audit,
	"GET /audit/verify": (*Console).verify,
	"GET /audit/export": (*Console).export,
	"GET /gateways":     (*Console).gateways,
}

// routes joins the pages and what keeps them.
func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string) string { return strings.Replace(pattern, " /", " "+c.Prefix, 1) }
	for pattern, serve := range pages {
		mux.Handle(at(pattern), c.page(serve))
	}
	mux.HandleFunc(at("GET /assets/{name}"), asset)
	mux.Handle(c.Prefix, c.page(func(_ *Console, a *ask) error {
		return &admin.Error{Kind: admin.NotFound, Text: "There is no such page."}
	}))
	return page.Guarded(policyOfContent, mux)
}

// An ask is one request of somebody who is signed in.
type ask struct {
	w http.ResponseWriter
	*http.Request
	actor admin.Actor
}

// may tells whether who asks may do an operation with a request.
func (a *ask) may(o *admin.Operation, request any) bool { return o.Allows(a.actor, request) }

// page lets those in who are signed in, and shows what went wrong.
func (c *Console) page(serve func(*Console, *ask) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := c.Gate.Actor(r)
		a := &ask{w, r, actor}
		if page.IsStranger(err) {
			c.turnAway(w, r)
			return
		}
		if err != nil { // it is not known who it is
			c.fail(a, err)
			return
		}
		if !a.may(admin.OpDevices.Operation, admin.UserRequest{}) { // such as a phone's owner, who has pages of their own
			c.fail(a, &admin.Error{Kind: admin.Refused, Text: "These pages are for administrators."})
			return
		}
		if err := page.ReadForm(w, r, maxForm); err != nil {
			c.fail(a, err)
			return
		}
		if err := serve(c, a); err != nil {
			c.fail(a, err)
		}
	})
}

// turnAway sends somebody to where one signs in. A part of a page that is asked for
// by a script is not answered with another page.
func (c *Console) turnAway(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") != "" || r.URL.Path == c.Prefix+"events" {
		http.Error(w, "Sign in first.", http.StatusUnauthorized)
		return
	}
	next := c.Prefix
	if r.Method == http.MethodGet {
		next = r.URL.RequestURI()
	}
	http.Redirect(w, r, c.SignIn+"?next="+url.QueryEscape(next), http.StatusSeeOther)
}

// fail shows an error as a page.
func (c *Console) fail(a *ask, err error) {
	failed, ok := errors.AsType[*admin.Error](err)
	if !ok {
		c.Logger.Error("a page could not be made", "path", a.URL.Path, "error", err)
		failed = &admin.Error{Kind: admin.Internal, Text: "This page could not be made; the worker's log says why."}
	}
	if a.Context().Err() != nil {
		return // nobody reads it
	}
	titles := map[admin.Kind]string{admin.Refused: "Not for your role", admin.NotFound: "Not found", admin.Invalid: "That is not possible"}
	c.show(a, failed.Status(), "error", view{Here: nowhere, Title: cmp.Or(titles[failed.Kind], "Something went wrong"), Data: failed.Text})
}
