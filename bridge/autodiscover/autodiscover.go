// Package autodiscover tells a phone that knows only a mail address where the server is.
//
// See [MS-OXDISCO] for how a phone finds the page, and [MS-ASCMD]
// "Autodiscover" (revision 24) for what it says.
package autodiscover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A Person is whom a login belongs to.
type Person struct {
	Name    string // the display name; empty means that it is left out
	Address string // the mail address; empty means the one that was asked for
}

// Options tell New what to build with. The zero value is fine.
type Options struct {
	// URL is where phones find the server, such as
	// "https://mail.example.org/Microsoft-Server-ActiveSync"; without a path,
	// that of ActiveSync is added. Empty means the host that the request
	// named, over HTTPS.
	URL string

	// Login verifies Basic credentials. An error of kind Denied is answered
	// with 401, every other one with 503. Nil means that nobody is asked to
	// log in, and that the answer names nobody but who was asked for.
	Login func(ctx context.Context, login, password string) (Person, error)

	// Elsewhere answers where somebody's server is, by the login or, where nobody
	// is asked to log in, by the address: a URL, or another address to ask with.
	// Empty means here. Nil means that everybody is here.
	Elsewhere func(login string) string

	// Note is told of what a phone was not told: a login that could not be
	// verified, or a request that could not be read. Nil means that nobody is.
	Note func(*http.Request, error)
}

const (
	// Path is where ActiveSync is served. See [MS-ASHTTP] "Request-Line".
	Path = "/Microsoft-Server-ActiveSync"

	// MaxRequest bounds a request's body, in bytes. It holds an address and
	// the name of a schema.
	MaxRequest = 64 << 10

	// retryAfter is how many seconds a phone is to wait when its login cannot
	// be verified, and nobody said how long that takes.
	retryAfter = 30
)

// New answers /autodiscover/autodiscover.xml, /autodiscover/autodiscover.json
// and /autodiscover/autodiscover.json/v1.0/ADDRESS, in any case of letters.
// The XML form asks people to log in, if it can; the JSON form, which phones
// ask before they have a password, says nothing that depends on the address.
func New(o Options) http.Handler { return &handler{o} }

type handler struct{ Options }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/"))
	switch {
	case strings.HasSuffix(path, "/autodiscover.xml"):
		h.xml(w, r)
	case strings.HasSuffix(path, "/autodiscover.json"), strings.Contains(path, "/autodiscover.json/"):
		h.json(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (h *handler) note(r *http.Request, err error) {
	if h.Note != nil {
		h.Note(r, err)
	}
}

// xml answers the mobilesync schema.
func (h *handler) xml(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "POST")
		http.Error(w, "send a POST", http.StatusMethodNotAllowed)
		return
	}
	elsewhere := h.elsewhere(r)
	var who Person
	if elsewhere == "" { // else only the other server knows the password
		var ok bool
		if who, ok = h.login(w, r); !ok {
			return
		}
	}
	asked, err := readRequest(http.MaxBytesReader(w, r.Body, MaxRequest))
	if err != nil {
		h.note(r, err)
		writeError(w, invalidRequest, "Invalid Request")
		return
	}
	if !strings.EqualFold(asked.schema, mobilesync) {
		writeError(w, noProvider, "Provider is not available")
		return
	}
	if h.Login == nil && h.Elsewhere != nil {
		elsewhere = h.Elsewhere(asked.address)
	}
	if elsewhere != "" && !strings.Contains(elsewhere, "://") {
		writeRedirect(w, asked.address, elsewhere)
		return
	}
	server := h.url(r)
	if elsewhere != "" {
		server = Server(elsewhere)
	}
	if server == "" {
		h.note(r, errors.New("autodiscover: the request names no host, and autodiscover.url is not set"))
		writeError(w, invalidRequest, "Invalid Request")
		return
	}
	if who.Address == "" {
		who.Address = asked.address
	}
	writeServer(w, who, server)
}

// elsewhere is where the server of the person is who sends credentials, or
// nothing.
func (h *handler) elsewhere(r *http.Request) string {
	name, _, ok := account.Basic(r.Header.Get("Authorization"))
	if !ok || h.Elsewhere == nil || h.Login == nil {
		return ""
	}
	return h.Elsewhere(name)
}

// login asks for credentials, where it can, and answers whose they are. If it
// answers false, the request is answered.
func (h *handler) login(w http.ResponseWriter, r *http.Request) (Person, bool) {
	if h.Login == nil {
		return Person{}, true
	}
	name, password, ok := account.Basic(r.Header.Get("Authorization"))
	if ok {
		who, err := h.Login(r.Context(), name, password)
		switch {
		case err == nil:
			return who, true
		case backend.KindOf(err) != backend.Denied:
			h.note(r, fmt.Errorf("autodiscover: %w", err))
			w.Header().Set("Retry-After", strconv.Itoa(cmp.Or(int(math.Ceil(backend.RetryAfter(err).Seconds())), retryAfter)))
			http.Error(w, "the login cannot be verified at the moment", http.StatusServiceUnavailable)
			return Person{}, false
		}
		h.note(r, fmt.Errorf("autodiscover: %w", err))
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="pushbridge", charset="UTF-8"`)
	http.Error(w, "log in", http.StatusUnauthorized)
	return Person{}, false
}

// url is what phones are told, or nothing if that is not known.
func (h *handler) url(r *http.Request) string {
	if h.URL != "" {
		return Server(h.URL)
	}
	host := host(r)
	if host == "" {
		return ""
	}
	return "https://" + host + Path
}

// Server completes the URL of a server that has no path.
func Server(s string) string {
	u, err := url.Parse(s)
	if err == nil && (u.Path == "" || u.Path == "/") {
		u.Path = Path
		return u.String()
	}
	return s
}

// host is the host that a request names, if it is one.
func host(r *http.Request) string {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		name, port = strings.Trim(r.Host, "[]"), ""
	}
	for _, c := range []byte(name + port) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(".-:_", c) < 0 {
			return ""
		}
	}
	_, notPort := strconv.ParseUint(cmp.Or(port, "0"), 10, 16)
	switch {
	case name == "" || len(name) > 253, notPort != nil, strings.Contains(name, ":") && net.ParseIP(name) == nil:
		return ""
	case port != "":
		return net.JoinHostPort(name, port)
	case strings.Contains(name, ":"):
		return "[" + name + "]"
	}
	return name
}

// json answers the newer form: which protocol is served where.
func (h *handler) json(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET")
		http.Error(w, "send a GET", http.StatusMethodNotAllowed)
		return
	}
	protocol := ""
	for name, values := range r.URL.Query() {
		if strings.EqualFold(name, "Protocol") && len(values) > 0 {
			protocol = values[0]
		}
	}
	type found struct{ Protocol, Url string }
	type failed struct{ ErrorCode, ErrorMessage string }
	server := h.url(r)
	switch {
	case server == "":
		writeJSON(w, http.StatusBadRequest, failed{"InvalidRequest", "The request names no host."})
	case protocol == "":
		writeJSON(w, http.StatusBadRequest, failed{"MandatoryParameterMissing", "A valid value must be provided for the query parameter 'Protocol'."})
	case strings.EqualFold(protocol, "ActiveSync"):
		writeJSON(w, http.StatusOK, found{"ActiveSync", server})
	case strings.EqualFold(protocol, "AutodiscoverV1"):
		base, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(server, "https://"), "http://"), "/")
		scheme, _, _ := strings.Cut(server, "://")
		writeJSON(w, http.StatusOK, found{"AutodiscoverV1", scheme + "://" + base + "/autodiscover/autodiscover.xml"})
	default:
		writeJSON(w, http.StatusBadRequest, failed{"InvalidProtocol", "The given protocol is not supported; supported are 'ActiveSync' and 'AutodiscoverV1'."})
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // who hung up does not need it
}

// now is the time of day as error answers give it.
func now() string { return time.Now().UTC().Format("15:04:05.0000000") }
