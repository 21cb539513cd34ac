package selfservice

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/page"
	"github.com/pushbridge/pushbridge/bridge/device"
)

//go:embed pages/*.html
var pageFiles embed.FS

// The look of the pages, and their icon.
var (
	//go:embed assets/my.css
	styleFile []byte

	//go:embed assets/icon.svg
	iconFile []byte
)

// maxShown bounds how much of a text is shown that a phone or a server chose, in
// characters.
const maxShown = 120

// A view is what a page is made of.
type view struct {
	Title string
	Data  any

	User, Said string
}

// said are the sentences that a page begins with, after what was done.
var said = map[string]string{
	"renamed":      "The phone has its new name.",
	"folders":      "The folders are chosen. A phone that waits is told at once.",
	"push":         "What may wake the phone is changed.",
	"resync":       "The phone loads everything anew when it comes next.",
	"block":        "The phone gets nothing more. An administrator can let it in again.",
	"wipe-account": "The phone is told to remove your account when it comes next.",
	"wipe-full":    "The phone is told to erase itself when it comes next.",
	"cancel":       "The order to erase is taken back.",
	"forget":       "The phone is removed from the list.",
}

// functions are what pages can do.
func (p *Pages) functions() template.FuncMap {
	return template.FuncMap{
		"at": p.at, "cut": cut, "clean": page.Clean, "moment": moment, "since": since, "health": healthOf, "kind": kindOf, "phoneName": nameOf,
	}
}

// show answers with a page.
func (p *Pages) show(a *ask, status int, name string, v view) {
	v.User = a.user
	if a.Method == http.MethodGet {
		v.Said = said[a.URL.Query().Get("said")]
	}
	var text bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&text, "layout", v); err != nil {
		p.Logger.ErrorContext(a.Context(), "a page cannot be written", "page", name, "error", err)
		http.Error(a.w, "This page could not be made; the server's log says why.", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	text.WriteTo(a.w) // who hangs up has no use for an error
}

// asset answers a file that anybody may have.
func asset(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(content)
	}
}

// cut is page.Clean, and not long.
func cut(text string) string { return page.Cut(text, maxShown) }

// moment is a time as people of all zones read it.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// since is how long ago something was.
func since(t time.Time) string {
	passed := time.Since(t)
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{24 * time.Hour, "a day ago", "days ago"}, {time.Hour, "an hour ago", "hours ago"}, {time.Minute, "a minute ago", "minutes ago"}} {
		switch n := int(passed / u.of); {
		case n == 1:
			return u.one
		case n > 1:
			return itoa(n) + " " + u.many
		}
	}
	return "just now"
}

// A health is a phone's as its owner reads it.
type health struct{ Word, Tone, Remedy string }

// healthWords say each health to an owner, and what they can do.
var healthWords = map[device.Health]health{
	device.HealthWiping:     {"to be erased", "bad", "It is told so when it comes next."},
	device.HealthOff:        {"switched off for you", "bad", "An administrator switched mobile access off for your account. Ask one."},
	device.HealthBlocked:    {"kept out", "bad", "Only an administrator can let it in. Ask one."},
	device.HealthQuarantine: {"waits to be let in", "look", "An administrator has to let it in, and knows of it. Ask one if it takes long."},
	device.HealthPassword:   {"wrong password", "bad", "Type your password into the phone again: the one that you signed in here with."},
	device.HealthPolicy:     {"refuses the rules", "bad", "The phone has to accept the rules of this server. Look for a question on its screen; else remove the account from it and add it again."},
	device.HealthProvisions: {"has to accept the rules", "look", "Look for a question on the phone's screen, about a password or about rights of the server, and agree."},
	device.HealthAway:       {"not here lately", "look", "Is it switched on, and does it have a network? Open its mail or calendar: it should come at once."},
	device.HealthWaiting:    {"works", "good", ""},
	device.HealthSyncing:    {"works", "good", ""},
	device.HealthResting:    {"works", "good", ""},
}

func healthOf(word string) health {
	if h, known := healthWords[device.Health(word)]; known {
		return h
	}
	return health{word, "look", ""}
}

// kindOf says the kind of a folder to people.
func kindOf(kind string) string {
	for _, k := range kinds {
		if k.Kind == kind {
			return k.Words
		}
	}
	return kind
}
