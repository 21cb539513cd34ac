package gate

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// maxForm bounds a form, in bytes: a name, a password, a code, and where to go,
// each of them three times as long for its escapes.
const maxForm = 16 << 10

//go:embed pages
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// words are what the pages of a realm say.
type words struct{ Title, Login, Hint string }

var (
	forAdministrators = words{Title: "Administration", Login: "Name"}
	forOwners         = words{Title: "My phones", Login: "Login", Hint: "What you type into your phone."}
)

// A signInPage is what the page shows.
type signInPage struct {
	words
	Action, Style string
	Code          bool   // there is a field for one
	Outside       string // where another one says who somebody is; empty if none does
	Next, Name    string
	Wrong         string // what went wrong; empty if nothing
}

func (m *Realm) page(next, name, wrong string) signInPage {
	outside := ""
	if m.prefix == AdminPrefix && m.gate.options.Provider != nil {
		outside = OutsidePath + "?" + url.Values{"next": {next}}.Encode()
	}
	return signInPage{words: m.words, Outside: outside, Action: m.prefix + "signin", Style: m.prefix + "signin.css", Code: m.prefix == AdminPrefix, Next: next, Name: name, Wrong: wrong}
}

func (m *Realm) showSignIn(w http.ResponseWriter, r *http.Request) {
	m.gate.render(w, r, http.StatusOK, "signin.html", m.page(m.next(r.URL.Query().Get("next")), "", ""))
}

// render writes a page.
func (g *Gate) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name, data); err != nil {
		g.options.Logger.ErrorContext(r.Context(), "a page cannot be written", "page", name, "error", err)
		http.Error(w, "The worker made a mistake; its log has the particulars.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text.Bytes()) // who hangs up has no use for an error
}

// style is the look of the gate's pages.
func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "pages/signin.css")
}

// caller is where a request comes from. Its RemoteAddr is what the web server says,
// or the peer of the connection, and never what the browser says.
func caller(r *http.Request) roster.Caller {
	return roster.Caller{Address: account.ClientAddress(r.RemoteAddr), Agent: r.UserAgent()}
}

// signIn takes the form.
func (m *Realm) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		m.gate.render(w, r, http.StatusBadRequest, "signin.html", m.page(m.prefix, "", "That was no sign-in form, or it was too large."))
		return
	}
	next, name := m.next(r.PostForm.Get("next")), r.PostForm.Get("name")
	from := caller(r)
	secret, err := m.verify(r, r.PostForm, from)
	if err != nil {
		m.notIn(w, r, m.page(next, fmt.Sprintf("%.200s", name), ""), err)
		return
	}
	m.enter(w, r, secret)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// enter gives a browser its session, and ends the one that it had.
func (m *Realm) enter(w http.ResponseWriter, r *http.Request, secret string) {
	for _, old := range r.CookiesNamed(m.cookie) {
		if err := m.gate.options.Roster.SignOut(r.Context(), old.Value, caller(r)); err != nil {
			m.gate.options.Logger.ErrorContext(r.Context(), "the session that a browser had before could not be ended", "error", err)
		}
	}
	http.SetCookie(w, m.biscuit(secret, 0))
}

// biscuit is the cookie of a session. It lasts as long as the browser.
func (m *Realm) biscuit(value string, age int) *http.Cookie {
	return &http.Cookie{Name: m.cookie, Value: value, Path: "/", MaxAge: age, Secure: m.gate.secure(), HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// notIn says why somebody did not get in.
func (m *Realm) notIn(w http.ResponseWriter, r *http.Request, p signInPage, err error) {
	status := http.StatusForbidden
	wait := time.Duration(0)
	throttled, slow := errors.AsType[roster.Throttled](err)
	failed, _ := errors.AsType[*backend.Error](err)
	switch {
	case slow:
		wait = throttled.Wait
	case errors.Is(err, account.ErrThrottled) && failed != nil:
		wait, slow = failed.RetryAfter, true
	}
	switch {
	case slow:
		status, p.Wrong = http.StatusTooManyRequests, "Too many wrong passwords. Wait "+inWords(wait)+", and try again."
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	case errors.Is(err, roster.ErrWrong):
		p.Wrong = "That is not right: the " + m.what() + ". Look for capital letters."
	case errors.Is(err, roster.ErrSealed):
		m.gate.options.Logger.ErrorContext(r.Context(), "an administrator could not sign in, whose second factor is encrypted with a key that is not there: put it back into the file of policy.recovery_keys, or drop the factor", "error", err)
		status, p.Wrong = http.StatusServiceUnavailable, "No code can be verified just now, since a key is missing. Have another administrator drop your second factor, or put the key back."
	case errors.Is(err, roster.ErrBusy), failed != nil && failed.Kind == backend.Transient:
		status, p.Wrong = http.StatusServiceUnavailable, "The server cannot look at the password just now. Try again in a minute."
	default:
		m.gate.options.Logger.ErrorContext(r.Context(), "somebody could not sign in", "error", err)
		status, p.Wrong = http.StatusInternalServerError, "The worker could not do it; its log has the particulars."
	}
	m.gate.options.Logger.InfoContext(r.Context(), "not signed in", "at", m.prefix, "from", caller(r).Address.String(), "http", status)
	m.gate.render(w, r, status, "signin.html", p)
}

// what may be wrong.
func (m *Realm) what() string {
	if m.prefix == AdminPrefix {
		return "name, the password or the code"
	}
	return "login or the password"
}

// inWords says how long, for people.
func inWords(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d seconds", int(math.Ceil(d.Seconds())))
	}
	return fmt.Sprintf("%d minutes", int(math.Ceil(d.Minutes())))
}

// administrator begins a session of an administrator.
func (g *Gate) administrator(r *http.Request, form url.Values, from roster.Caller) (string, error) {
	return g.options.Roster.SignIn(r.Context(), form.Get("name"), form.Get("password"), form.Get("code"), from)
}

// owner begins a session of a phone's owner, whose password the backend takes.
func (g *Gate) owner(r *http.Request, form url.Values, from roster.Caller) (secret string, err error) {
	ctx, login := r.Context(), form.Get("name")
	err = g.options.Roster.Try("owner "+roster.Name(login), from, func() error {
		user, err := g.options.Login(ctx, login, form.Get("password"), from.Address)
		if backend.KindOf(err) == backend.Denied {
			return errors.Join(roster.ErrWrong, g.options.Roster.Refused(ctx, "nobody", "", "the login or the password of a phone's owner is wrong", from))
		}
		if err == nil {
			secret, err = g.options.Roster.Admit(ctx, roster.Session{User: user}, from)
		}
		return err
	})
	return secret, err
}

// signOut ends the session of a browser.
func (m *Realm) signOut(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.CookiesNamed(m.cookie) {
		if err := m.gate.options.Roster.SignOut(r.Context(), c.Value, caller(r)); err != nil {
			m.gate.options.Logger.ErrorContext(r.Context(), "somebody could not sign out", "error", err)
			http.Error(w, "The worker could not do it; its log has the particulars.", http.StatusInternalServerError)
			return
		}
	}
	http.SetCookie(w, m.biscuit("", -1))
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, m.prefix+"signin", http.StatusSeeOther)
}

// noPages stands in for the pages while there are none.
func (m *Realm) noPages(w http.ResponseWriter, r *http.Request) {
	a, err := m.Actor(r)
	switch {
	case errors.Is(err, ErrStranger):
		m.SignIn(w, r)
	case err != nil:
		m.gate.options.Logger.ErrorContext(r.Context(), "who is signed in is not known", "error", err)
		http.Error(w, "The worker could not do it; its log has the particulars.", http.StatusInternalServerError)
	case r.URL.Path != m.prefix:
		http.NotFound(w, r)
	default:
		m.gate.render(w, r, http.StatusOK, "in.html", struct {
			words
			Style, SignOut, Name string
			Roles                []admin.Role
		}{m.words, m.prefix + "signin.css", m.prefix + "signout", a.Name, a.Roles})
	}
}
