package gate

import (
	"errors"
	"net/http"

	"github.com/pushbridge/pushbridge/bridge/admin/gate/oidc"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// OutsidePath leads to the identity provider, and CallbackPath is where browsers
// come back from it. The provider is to be told of the latter.
const (
	OutsidePath  = AdminPrefix + "oidc/start"
	CallbackPath = AdminPrefix + "oidc/callback"
)

// outsidePrefix begins the names of administrators who are not in the list, in which
// no name has a colon.
const outsidePrefix = "oidc:"

// leave sends a browser to the identity provider.
func (g *Gate) leave(w http.ResponseWriter, r *http.Request) {
	m := g.Administrators()
	next := m.next(r.URL.Query().Get("next"))
	address, ticket, err := g.options.Provider.Begin(r.Context(), next)
	if err != nil {
		m.notFromOutside(w, r, m.page(next, "", ""), err)
		return
	}
	http.SetCookie(w, g.ticket(ticket.String(), int(oidc.Patience.Seconds())))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// ticket is the cookie that a browser has with it when it comes back. That is from
// another site, for which cookies that are Strict do not go along.
func (g *Gate) ticket(value string, age int) *http.Cookie {
	return &http.Cookie{Name: g.cookie("oidc"), Value: value, Path: "/", MaxAge: age, Secure: g.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// comeBack lets somebody in of whom the provider says who it is.
func (g *Gate) comeBack(w http.ResponseWriter, r *http.Request) {
	m := g.Administrators()
	http.SetCookie(w, g.ticket("", -1)) // it is good for one try
	from, page := caller(r), m.page(m.prefix, "", "")
	var secret string
	var who oidc.Person
	err := g.options.Roster.Try("", from, func() (err error) { // counts addresses alone
		cookies := r.CookiesNamed(g.cookie("oidc"))
		if len(cookies) != 1 {
			return errors.Join(roster.ErrWrong, oidc.ErrForged)
		}
		ticket, err := oidc.ParseTicket(cookies[0].Value)
		if err == nil {
			page = m.page(m.next(ticket.Next), "", "")
			who, err = g.options.Provider.End(r.Context(), ticket, r.URL.Query().Get("state"), r.URL.Query().Get("code"))
		}
		switch {
		case errors.Is(err, oidc.ErrNobody):
			return errors.Join(err, g.options.Roster.Refused(r.Context(), outsidePrefix+who.Name, "", "none of the groups has a role here", from))
		case errors.Is(err, oidc.ErrForged):
			return errors.Join(roster.ErrWrong, err)
		case err != nil:
			return err
		}
		secret, err = g.options.Roster.Admit(r.Context(), roster.Session{Administrator: outsidePrefix + who.Name, Outside: who.Roles}, from)
		return err
	})
	if err != nil {
		m.notFromOutside(w, r, page, err)
		return
	}
	m.enter(w, r, secret)
	// A redirect would still be the other site's, so that the new cookie did not go
	// along with it.
	g.render(w, r, http.StatusOK, "back.html", struct {
		words
		Style, Next, Name string
	}{m.words, page.Style, page.Next, who.Name})
}

// notFromOutside says why somebody did not get in.
func (m *Realm) notFromOutside(w http.ResponseWriter, r *http.Request, p signInPage, err error) {
	status := http.StatusForbidden
	switch {
	case errors.Is(err, oidc.ErrAway):
		status, p.Wrong = http.StatusBadGateway, "Your organization's sign-in does not answer as it should. Try again in a minute."
	case errors.Is(err, oidc.ErrNobody):
		p.Wrong = "You are known, and none of your groups may do anything here."
	case errors.Is(err, oidc.ErrForged):
		p.Wrong = "That took too long, or was for another browser. Try again."
	default:
		m.notIn(w, r, p, err)
		return
	}
	m.gate.options.Logger.WarnContext(r.Context(), "not signed in from outside", "from", caller(r).Address.String(), "error", err)
	m.gate.render(w, r, status, "signin.html", p)
}
