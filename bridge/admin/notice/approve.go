package notice

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
)

// maxForm bounds a form, in bytes: a link and a word.
const maxForm = 3 * maxLink

//go:embed pages/*.html
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"theirs": theirs, "line": line, "minute": minute}).ParseFS(files, "pages/*.html"))

// contentPolicy keeps a page from running or loading what does not come from here.
const contentPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A shown is what the page shows.
type shown struct {
	Title, Said string
	Link        string        // to be decided about; empty if there is nothing to decide
	Phone       *admin.Device // nil if it is not shown
}

// ServeHTTP answers whoever opened a link. Opening it decides nothing: programs that
// look at mails do, too.
func (n *Notices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer") // the address has the link
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Security-Policy", contentPolicy)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		n.ask(w, r, r.URL.Query().Get("link"))
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			n.show(w, r, http.StatusBadRequest, shown{Title: "That was no form of this page", Said: "Nothing was done."})
			return
		}
		n.decide(w, r, r.PostForm.Get("link"), r.PostForm.Get("decision"))
	default:
		h.Set("Allow", "GET, HEAD, POST")
		n.show(w, r, http.StatusMethodNotAllowed, shown{Title: "That is not possible", Said: "Nothing was done."})
	}
}

// ask shows the phone, and what can be decided.
func (n *Notices) ask(w http.ResponseWriter, r *http.Request, link string) {
	p, err := n.read(r.Context(), link)
	if err != nil {
		n.fail(w, r, err)
		return
	}
	d, err := n.phone(r.Context(), n.actor(r, p), p)
	if err != nil {
		n.fail(w, r, err)
		return
	}
	n.show(w, r, http.StatusOK, shown{Title: "Let this phone in?", Link: link, Phone: &d})
}

// actor is whoever has a link, and may do what device support may.
func (n *Notices) actor(r *http.Request, p permit) admin.Actor {
	a := admin.Actor{Name: "link mailed to " + p.To, Roles: []admin.Role{admin.DeviceSupport}}
	if from := account.ClientAddress(r.RemoteAddr); from.IsValid() {
		a.Address = from.String()
	}
	return a
}

// phone is the phone that a link is about, if it still waits.
func (n *Notices) phone(ctx context.Context, a admin.Actor, p permit) (d admin.Device, err error) {
	list, err := admin.OpDevices.Do(ctx, n.Server, a, admin.UserRequest{User: p.User})
	if err != nil {
		return d, err
	}
	for _, d := range list {
		if d.Device == p.Device && d.FirstSeen.Unix() == p.Came && d.Quarantine != "" {
			return d, nil
		}
	}
	return d, errLink
}

// decide lets the phone in, or keeps it out.
func (n *Notices) decide(w http.ResponseWriter, r *http.Request, link, decision string) {
	op := map[string]admin.Op[admin.PhoneRequest, admin.Done]{"allow": admin.OpAllow, "block": admin.OpBlock}[decision]
	if op.Operation == nil {
		n.show(w, r, http.StatusBadRequest, shown{Title: "That was no form of this page", Said: "Nothing was done."})
		return
	}
	ctx := context.WithoutCancel(r.Context())
	p, err := n.read(ctx, link)
	if err != nil {
		n.fail(w, r, err)
		return
	}
	a := n.actor(r, p)
	if _, err := n.phone(ctx, a, p); err != nil {
		n.fail(w, r, err)
		return
	}
	if err := n.use(ctx, p); err != nil {
		n.fail(w, r, err)
		return
	}
	done, err := op.Do(ctx, n.Server, a, admin.PhoneRequest{User: p.User, Device: p.Device})
	if err != nil {
		n.fail(w, r, errors.Join(err, n.unuse(ctx, p)))
		return
	}
	n.show(w, r, http.StatusOK, shown{Title: "Done", Said: done.Text})
}

// fail says that a link is of no use, or that something went wrong.
func (n *Notices) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errLink) {
		n.show(w, r, http.StatusGone, shown{Title: "This link is of no use",
			Said: "It is not whole, is too old, or was used; or the phone does not wait any more, because somebody decided already."})
		return
	}
	if failed, ok := errors.AsType[*admin.Error](err); ok && failed.Kind != admin.Internal {
		n.show(w, r, failed.Status(), shown{Title: "That is not possible", Said: failed.Text})
		return
	}
	n.Logger.ErrorContext(r.Context(), "a link to decide about a phone could not be followed", "error", err)
	n.show(w, r, http.StatusInternalServerError, shown{Title: "Something went wrong", Said: "The worker could not do it; its log has the particulars. The link can be used again."})
}

func (n *Notices) show(w http.ResponseWriter, r *http.Request, status int, s shown) {
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, "approve.html", s); err != nil {
		n.Logger.ErrorContext(r.Context(), "a page cannot be written", "error", err)
		http.Error(w, "The worker made a mistake; its log has the particulars.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text.Bytes()) // who hangs up has no use for an error
}
