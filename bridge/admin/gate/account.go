package gate

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rsc.io/qr"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// AccountPath is where administrators see and change how they sign in themselves.
const AccountPath = AdminPrefix + "account"

// accountPolicy allows the picture with the secret of a second factor, too, which
// comes within the page since it is nowhere else.
var accountPolicy = strings.Replace(Policy, "img-src 'self'", "img-src data:", 1)

// An accountPage is what the page shows.
type accountPage struct {
	words
	Home, At, Style, SignOut string
	admin.Account
	Roles []string // that a token can have
	Done  string   // what was done
	Wrong string   // what could not be

	Secret  string          // of a second factor that waits for its first code
	URL     template.URL    // the same for an app on this computer
	Picture template.URL    // the same for a camera
	Token   *admin.NewToken // shown this once
}

// A change is something that a form of the page has done, which may show more.
type change func(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error

// changes are the forms, by what follows AccountPath.
var changes = map[string]change{
	"/password":       changePassword,
	"/factor":         beginFactor,
	"/factor/confirm": confirmFactor,
	"/factor/drop":    dropFactor,
	"/tokens":         newToken,
	"/tokens/revoke":  revokeToken,
	"/sessions/end":   endSessions,
}

func (g *Gate) routeAccount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+AccountPath, g.account)
	for path, c := range changes {
		mux.HandleFunc("POST "+AccountPath+path, func(w http.ResponseWriter, r *http.Request) { g.change(w, r, c) })
	}
}

// account shows the page.
func (g *Gate) account(w http.ResponseWriter, r *http.Request) {
	if a, in := g.in(w, r); in {
		g.showAccount(w, r, a, &accountPage{}, nil)
	}
}

// in is who is signed in; who is not is sent to do so.
func (g *Gate) in(w http.ResponseWriter, r *http.Request) (a admin.Actor, in bool) {
	m := g.Administrators()
	a, err := m.Actor(r)
	switch {
	case errors.Is(err, ErrStranger):
		m.SignIn(w, r)
	case err != nil:
		g.options.Logger.ErrorContext(r.Context(), "who is signed in is not known", "error", err)
		http.Error(w, "The worker could not do it; its log has the particulars.", http.StatusInternalServerError)
	}
	return a, err == nil
}

// change does what a form says, and shows the page with what came of it.
func (g *Gate) change(w http.ResponseWriter, r *http.Request, do change) {
	a, in := g.in(w, r)
	if !in {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p := new(accountPage)
	err := r.ParseForm()
	if err != nil {
		err = &admin.Error{Kind: admin.Invalid, Text: "That was no form of this page, or it was too large."}
	} else {
		err = do(g, r, a, r.PostForm, p)
	}
	if _, err := g.Administrators().Actor(r); errors.Is(err, ErrStranger) {
		g.Administrators().SignIn(w, r) // what was done ended this session, too
		return
	}
	g.showAccount(w, r, a, p, err)
}

// showAccount shows the page, and what was wrong with what was wanted before.
func (g *Gate) showAccount(w http.ResponseWriter, r *http.Request, a admin.Actor, p *accountPage, wrong error) {
	status := http.StatusOK
	said := func(err error) {
		if e, ok := errors.AsType[*admin.Error](err); ok {
			status, p.Wrong = e.Status(), e.Text
		}
	}
	said(wrong)
	var err error
	if p.Account, err = admin.OpAccount.Do(r.Context(), g.options.Server, a, admin.Nothing{}); err != nil {
		said(err)
		p.Name = a.Name
	}
	m := g.Administrators()
	p.words, p.Home, p.At, p.Style, p.SignOut = m.words, m.prefix, AccountPath, m.prefix+"signin.css", m.prefix+"signout"
	p.Roles = p.Account.Roles
	w.Header().Set("Content-Security-Policy", accountPolicy)
	g.render(w, r, status, "account.html", p)
}

func changePassword(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	if form.Get("new") != form.Get("again") {
		return &admin.Error{Kind: admin.Invalid, Text: "The new passwords are two different ones."}
	}
	done, err := admin.OpChangePassword.Do(r.Context(), g.options.Server, a, admin.ChangeRequest{Password: form.Get("password"), New: form.Get("new")})
	p.Done = done.Text
	return err
}

func beginFactor(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	made, err := admin.OpBeginFactor.Do(r.Context(), g.options.Server, a, admin.ProofRequest{Password: form.Get("password")})
	if err != nil {
		return err
	}
	code, err := qr.Encode(made.URL, qr.M)
	if err != nil {
		return &admin.Error{Kind: admin.Internal, Text: "The picture cannot be drawn: " + err.Error()}
	}
	p.Secret = spaced(made.Secret)
	p.URL = template.URL(made.URL) // of our own making
	p.Picture = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()))
	return nil
}

// spaced is a secret as people type it.
func spaced(s string) string {
	return strings.Join(slices.Collect(func(yield func(string) bool) {
		for part := range slices.Chunk([]byte(s), 4) {
			if !yield(string(part)) {
				return
			}
		}
	}), " ")
}

func confirmFactor(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	done, err := admin.OpConfirmFactor.Do(r.Context(), g.options.Server, a, admin.CodeRequest{Code: strings.ReplaceAll(form.Get("code"), " ", "")})
	p.Done = done.Text
	return err
}

func dropFactor(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	done, err := admin.OpDropOwnFactor.Do(r.Context(), g.options.Server, a, admin.ProofRequest{Password: form.Get("password")})
	p.Done = done.Text
	return err
}

func newToken(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	days, err := strconv.Atoi(form.Get("days"))
	if err != nil {
		return &admin.Error{Kind: admin.Invalid, Text: "Say for how many days the token is to be valid."}
	}
	made, err := admin.OpNewToken.Do(r.Context(), g.options.Server, a,
		admin.NewTokenRequest{Name: form.Get("name"), Roles: form["role"], Days: days, Password: form.Get("password")})
	if err == nil {
		p.Token = &made
	}
	return err
}

func revokeToken(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	done, err := admin.OpRevokeOwnToken.Do(r.Context(), g.options.Server, a, admin.RevokeRequest{ID: form.Get("id")})
	p.Done = done.Text
	return err
}

func endSessions(g *Gate, r *http.Request, a admin.Actor, form url.Values, p *accountPage) error {
	done, err := admin.OpEndOwnSessions.Do(r.Context(), g.options.Server, a, admin.NumberRequest{Number: form.Get("number")})
	p.Done = done.Text
	return err
}
