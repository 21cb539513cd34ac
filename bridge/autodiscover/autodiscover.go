// Package autodiscover tells a phone that knows only a mail address where the server is.
//
// See [MS-OXDISCO] for how a phone finds the page, and [MS-ASCMD]
// "Autodiscover" for what it says.
package autodiscover

import (
	"context"
	"net/http"
)

// A Person is whom a login belongs to.
type Person struct {
	Name    string // the display name; empty means that it is left out
	Address string // the mail address; empty means the one that was asked for
}

// Options tell New what to build with. The zero value is fine.
type Options struct {
	// URL is where phones find the server, such as
	// "https://mail.example.org/Microsoft-Server-ActiveSync". Empty means the
	// host that the request named, over HTTPS.
	URL string

	// Login verifies Basic credentials. An error of kind Denied is answered
	// with 401, every other one with 503. Nil means that nobody is asked to
	// log in, and that the answer names nobody.
	Login func(ctx context.Context, login, password string) (Person, error)
}

// New answers /autodiscover/autodiscover.xml, /autodiscover/autodiscover.json
// and /autodiscover/autodiscover.json/v1.0/ADDRESS, in any case of letters.
func New(o Options) http.Handler {
	h := &handler{o}
	return http.HandlerFunc(h.serve)
}

type handler struct{ Options }

func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	http.NotFound(w, r)
}
