package gate

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// call answers a call of the API: of a program with a token, or of a page in a
// browser.
func (m *Realm) call(w http.ResponseWriter, r *http.Request) {
	a, err := m.caller(r)
	switch {
	case errors.Is(err, ErrStranger):
		w.Header().Set("WWW-Authenticate", `Bearer realm="pushbridge"`)
		admin.Fail(w, &admin.Error{Kind: admin.Stranger, Text: "Nobody is signed in, or the token is not valid, or not any more. Sign in at " + m.prefix + "signin, or show a token: Authorization: Bearer TOKEN."})
		return
	case err != nil:
		m.gate.options.Logger.ErrorContext(r.Context(), "who calls is not known", "error", err)
		admin.Fail(w, &admin.Error{Kind: admin.Internal, Text: "The worker could not find out who calls; its log has the particulars."})
		return
	}
	if r.Method != http.MethodGet {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			// A form of another site cannot say this.
			admin.Fail(w, &admin.Error{Kind: admin.Invalid, Text: fmt.Sprintf("A call has Content-Type: application/json, and not %.80q.", r.Header.Get("Content-Type"))})
			return
		}
	}
	inner := r.WithContext(r.Context())
	u := *r.URL
	u.Path, u.RawPath = strings.TrimPrefix(r.URL.Path, m.prefix+"api"), ""
	inner.URL = &u
	m.gate.options.Server.Answer(w, inner, a)
}

// caller is who calls. A token counts before a session.
func (m *Realm) caller(r *http.Request) (admin.Actor, error) {
	header, shown := r.Header["Authorization"]
	if !shown {
		return m.Actor(r)
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || m.prefix != AdminPrefix {
		return admin.Actor{}, ErrStranger
	}
	who, err := m.gate.options.Roster.Token(r.Context(), strings.TrimSpace(token))
	if errors.Is(err, roster.ErrEnded) {
		return admin.Actor{}, ErrStranger
	}
	if err != nil {
		return admin.Actor{}, err
	}
	return actor(who, r), nil
}
