package gate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/gate/oidc"
)

const oidcCookie = "__Host-pushbridge-oidc"

// An issuer is an identity provider, where everybody is signed in already.
type issuer struct {
	*httptest.Server
	t         *testing.T
	key       *ecdsa.PrivateKey
	claims    map[string]any
	edit      func(claims map[string]any) // what it says instead
	sign      *ecdsa.PrivateKey           // nil means key
	down      bool
	plain     bool       // it says what it says without a signature
	asked     url.Values // by the browser
	exchanged int
}

func newIssuer(t *testing.T) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, claims: map[string]any{"sub": "4711", "email": "jane@example.org", "email_verified": true, "groups": []string{"it", "all"}}}
	mux := http.NewServeMux()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(v) }
	}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}))
	mux.HandleFunc("/keys", answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}}))
	mux.HandleFunc("/token", i.token)
	return i
}

// token exchanges a code once, if who asks has what fits the challenge. See RFC
// 7636, section 4.6.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	i.exchanged++
	if i.exchanged > 1 || i.asked.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.asked.Get("code_challenge") || r.FormValue("code") != "good" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"iss": i.URL, "aud": "pushbridge", "nonce": i.asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	for k, v := range i.claims {
		claims[k] = v
	}
	if i.edit != nil {
		i.edit(claims)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.signed(claims)})
}

func (i *issuer) signed(claims map[string]any) string {
	text, err := json.Marshal(claims)
	if err != nil {
		i.t.Error(err)
	}
	if i.plain {
		b64 := base64.RawURLEncoding
		return b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b64.EncodeToString(text) + "."
	}
	key := i.key
	if i.sign != nil {
		key = i.sign
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	object, err := s.Sign(text)
	if err != nil {
		i.t.Fatal(err)
	}
	compact, err := object.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return compact
}

// outside is a house whose administrators come from an issuer.
func outside(t *testing.T) (*house, *issuer) {
	i := newIssuer(t)
	return open(t, func(o *gate.Options) {
		o.Provider = oidc.New(oidc.Options{Issuer: i.URL, ClientID: "pushbridge", ClientSecret: "s", Redirect: "https://" + host + gate.CallbackPath,
			Roles: map[string][]string{"it": {"device-administrator", "helpdesk"}, "boss": {"server-administrator"}}})
	}), i
}

// leave goes to the issuer, and answers with which state.
func (b *browser) leave(i *issuer, next string) (state string) {
	b.h.t.Helper()
	a := b.send("GET", gate.OutsidePath+"?next="+url.QueryEscape(next), "", "")
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), i.URL+"/authorize?") {
		b.h.t.Fatalf("a browser is sent to %s, %s", a.Status, to)
	}
	i.asked = to.Query()
	if i.asked.Get("redirect_uri") != "https://"+host+gate.CallbackPath || i.asked.Get("response_type") != "code" || !strings.Contains(i.asked.Get("scope"), "openid") || i.asked.Get("nonce") == "" {
		b.h.t.Errorf("the issuer is asked %v", i.asked)
	}
	return i.asked.Get("state")
}

// back comes back from the issuer, which is another site.
func (b *browser) back(state, code string) *http.Response {
	b.header.Set("Sec-Fetch-Site", "cross-site")
	defer b.header.Del("Sec-Fetch-Site")
	return b.send("GET", gate.CallbackPath+"?"+url.Values{"state": {state}, "code": {code}}.Encode(), "", "")
}

func TestFromOutside(t *testing.T) {
	h, i := outside(t)
	b := h.browser()
	if page := text(t, b.send("GET", "/admin/signin?next=%2Fadmin%2Fx", "", "")); !strings.Contains(page, `href="/admin/oidc/start?next=%2Fadmin%2Fx"`) {
		t.Errorf("the page does not lead there: %s", page)
	}
	state := b.leave(i, "/admin/device?user=ann")
	a := b.back(state, "good")
	if said := text(t, a); a.StatusCode != http.StatusOK || !strings.Contains(said, `content="0; url=/admin/device?user=ann"`) {
		t.Fatalf("coming back is answered %s: %s", a.Status, said)
	}
	if _, kept := b.cookies[oidcCookie]; kept {
		t.Error("the ticket is kept")
	}
	who, err := h.whoIs(h.Administrators(), adminCookie, b.cookies[adminCookie])
	if err != nil || who.Name != "oidc:jane@example.org" || who.Administrator != "" || len(who.Roles) != 2 || who.Is("server-administrator") {
		t.Errorf("it is %+v, %v", who, err)
	}
	r := h.audit.Records[len(h.audit.Records)-1]
	if r.Action != "signin" || r.Actor != "oidc:jane@example.org" || r.Outcome != "done" {
		t.Errorf("the audit says %+v", r)
	}
	if a := b.send("GET", "/admin/api/v1/account", "", ""); a.StatusCode != http.StatusBadRequest {
		t.Errorf("their account, which is elsewhere, is answered %s", a.Status)
	}
	// The same once more, as from the history of the browser.
	if a := b.back(state, "good"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the same again is answered %s", a.Status)
	}
}

// Sessions from outside are over where no provider is asked any more.
func TestNobodyVouchesAnyMore(t *testing.T) {
	h, i := outside(t)
	b := h.browser()
	if a := b.back(b.leave(i, ""), "good"); a.StatusCode != http.StatusOK {
		t.Fatalf("coming back is answered %s", a.Status)
	}
	without := gate.New(gate.Options{Server: h.server, Roster: h.roster, URL: &url.URL{Scheme: "https", Host: host}})
	if who, err := h.whoIs(without.Administrators(), adminCookie, b.cookies[adminCookie]); !errors.Is(err, gate.ErrStranger) {
		t.Errorf("it is %+v, %v", who, err)
	}
}

// Who leaves while the provider is looked for keeps nobody else from it.
func TestWhoLeavesSaysNothingOfTheProvider(t *testing.T) {
	i := newIssuer(t)
	p := oidc.New(oidc.Options{Issuer: i.URL, ClientID: "pushbridge", Redirect: "https://" + host + gate.CallbackPath, Roles: map[string][]string{"it": {"helpdesk"}}})
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, _, err := p.Begin(gone, ""); err == nil {
		t.Error("who left is sent there")
	}
	if _, _, err := p.Begin(t.Context(), ""); err != nil {
		t.Errorf("who comes next is told %v", err)
	}
}

// TestNotFromOutside is what forges, thieves and mistakes get.
func TestNotFromOutside(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := func(claim string, v any) func(*issuer, *browser) {
		return func(i *issuer, _ *browser) { i.edit = func(c map[string]any) { c[claim] = v } }
	}
	for _, tc := range []struct {
		what    string
		do      func(*issuer, *browser)
		state   string // appended
		code    string
		want    int
		asked   bool // the issuer is asked for what the code stands for
		refused string
	}{
		{what: "another state", state: "x", want: http.StatusForbidden},
		{what: "another browser", do: func(_ *issuer, b *browser) { delete(b.cookies, oidcCookie) }, want: http.StatusForbidden},
		{what: "a ticket that is none", do: func(_ *issuer, b *browser) { b.cookies[oidcCookie] = "x" }, want: http.StatusForbidden},
		{what: "an old ticket", do: func(_ *issuer, b *browser) {
			ticket, err := oidc.ParseTicket(b.cookies[oidcCookie])
			if err != nil {
				t.Fatal(err)
			}
			ticket.Until = time.Now().Add(-time.Second)
			b.cookies[oidcCookie] = ticket.String()
		}, want: http.StatusForbidden},
		{what: "another code", code: "bad", want: http.StatusForbidden, asked: true},
		{what: "another verifier", do: func(_ *issuer, b *browser) {
			ticket, err := oidc.ParseTicket(b.cookies[oidcCookie])
			if err != nil {
				t.Fatal(err)
			}
			ticket.Verifier = strings.Repeat("a", 43)
			b.cookies[oidcCookie] = ticket.String()
		}, want: http.StatusForbidden, asked: true},
		{what: "another nonce", do: set("nonce", "x"), want: http.StatusForbidden, asked: true},
		{what: "somebody else's token", do: set("aud", "nextcloud"), want: http.StatusForbidden, asked: true},
		{what: "another issuer's token", do: set("iss", "https://evil.example"), want: http.StatusForbidden, asked: true},
		{what: "a token that is over", do: set("exp", time.Now().Add(-time.Hour).Unix()), want: http.StatusForbidden, asked: true},
		{what: "another key", do: func(i *issuer, _ *browser) { i.sign = other }, want: http.StatusForbidden, asked: true},
		{what: "no signature", do: func(i *issuer, _ *browser) { i.plain = true }, want: http.StatusForbidden, asked: true},
		{what: "no group", do: set("groups", nil), want: http.StatusForbidden, asked: true, refused: "oidc:jane@example.org"},
		{what: "other groups", do: set("groups", []string{"IT", "it ", "all"}), want: http.StatusForbidden, asked: true, refused: "oidc:jane@example.org"},
		{what: "groups that are none", do: set("groups", map[string]any{"it": true}), want: http.StatusForbidden, asked: true, refused: "oidc:jane@example.org"},
		{what: "an issuer that is down", do: func(i *issuer, _ *browser) { i.down = true }, want: http.StatusBadGateway},
	} {
		t.Run(tc.what, func(t *testing.T) {
			h, i := outside(t)
			b := h.browser()
			state, code := b.leave(i, "/admin/x"), "good"
			if tc.do != nil {
				tc.do(i, b)
			}
			if tc.code != "" {
				code = tc.code
			}
			a := b.back(state+tc.state, code)
			if _, in := b.cookies[adminCookie]; a.StatusCode != tc.want || in || (i.exchanged > 0) != tc.asked {
				t.Errorf("it is answered %s; in: %t; the issuer was asked %d times\n%s", a.Status, in, i.exchanged, text(t, a))
			}
			n := len(h.audit.Records)
			if tc.refused != "" && (n != 1 || h.audit.Records[0].Actor != tc.refused || h.audit.Records[0].Outcome != "denied") {
				t.Errorf("the audit says %+v", h.audit.Records)
			}
		})
	}
}

// A group alone, and names that are no good, or that nobody has verified.
func TestClaims(t *testing.T) {
	for _, tc := range []struct {
		what   string
		claims map[string]any
		want   string
	}{
		{"one group alone", map[string]any{"sub": "1", "email": "a@b", "email_verified": true, "groups": "boss"}, "oidc:a@b"},
		{"an address that nobody has verified", map[string]any{"sub": "1", "email": "a@b", "groups": "boss"}, "oidc:1"},
		{"a name with a line break", map[string]any{"sub": "1\n2", "email": "a\n@b", "email_verified": true, "groups": "boss"}, "oidc:12"},
		{"a name that is too long", map[string]any{"sub": "1", "email": strings.Repeat("a", 300), "email_verified": "true", "groups": "boss"}, "oidc:1"},
	} {
		h, i := outside(t)
		i.claims = tc.claims
		b := h.browser()
		if a := b.back(b.leave(i, ""), "good"); a.StatusCode != http.StatusOK {
			t.Errorf("%s is answered %s", tc.what, a.Status)
			continue
		}
		if who, err := h.whoIs(h.Administrators(), adminCookie, b.cookies[adminCookie]); err != nil || who.Name != tc.want {
			t.Errorf("%s is %+v, %v", tc.what, who, err)
		}
	}
}

// An issuer that is down keeps nobody from the password, and is asked again when it
// is back.
func TestIssuerAway(t *testing.T) {
	h, i := outside(t)
	i.down = true
	if a := h.browser().send("GET", gate.OutsidePath, "", ""); a.StatusCode != http.StatusBadGateway {
		t.Errorf("who wants to go there is answered %s", a.Status)
	}
	h.in("/admin/", "read-only", "correct horse battery")
}
