// Package oidc has an identity provider say who an administrator is, by OpenID Connect.
//
// It is the authorization code flow of OpenID Connect Core 1.0, section 3.1, with a
// state, a nonce and PKCE (RFC 7636): whoever steals a code, or plants one in
// somebody's browser, gets nowhere with it. What has to be kept until the browser
// comes back is in a cookie of it; the worker keeps nothing.
package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// exchangeTime bounds what the provider takes to answer, in all.
	exchangeTime = 15 * time.Second

	// pause is how long a provider that was not reached is not asked again, so that
	// those who want to sign in do not stand in line for nothing.
	pause = 5 * time.Second

	// maxAnswer bounds an answer of the provider, in bytes. The groups of somebody
	// in a large company fit.
	maxAnswer = 1 << 20

	// Patience is how long somebody may take to sign in at the provider.
	Patience = 10 * time.Minute

	// maxName bounds a name, in bytes, and maxTicket a Ticket as text.
	maxName   = 200
	maxTicket = 4096
)

// Options tell New what to build with. Issuer, ClientID, Redirect and Roles are
// required.
type Options struct {
	Issuer       string
	ClientID     string
	ClientSecret string   // empty for a public client
	Redirect     string   // where the browser comes back to
	Scopes       []string // beside "openid"
	NameClaim    string   // what somebody is called; empty means "email", where it is verified
	GroupsClaim  string   // empty means "groups"

	// Roles are what the members of a group may.
	Roles map[string][]string

	Transport http.RoundTripper // nil means http.DefaultTransport
}

// A Provider is an identity provider.
type Provider struct {
	options Options
	client  *http.Client

	mu     sync.Mutex
	found  *oidc.Provider // nil until it was reached
	failed time.Time      // when it was not, last
	why    error
}

// New makes a Provider. It is asked when somebody first wants to sign in.
func New(o Options) *Provider {
	if o.Issuer == "" || o.ClientID == "" || o.Redirect == "" || len(o.Roles) == 0 {
		panic("oidc: Issuer, ClientID, Redirect and Roles are required")
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.GroupsClaim == "" {
		o.GroupsClaim = "groups"
	}
	return &Provider{options: o, client: &http.Client{Transport: bounded{o.Transport}, Timeout: exchangeTime}}
}

// String hides the secret.
func (p *Provider) String() string { return "oidc.Provider " + p.options.Issuer }

// GoString hides it from %#v, too.
func (p *Provider) GoString() string { return p.String() }

// bounded reads no more of an answer than there may be.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.next.RoundTrip(r)
	if err == nil {
		a.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(a.Body, maxAnswer), a.Body}
	}
	return a, err
}

// What the methods of a Provider fail with.
var (
	// ErrAway: the provider cannot be reached, or answers what it should not.
	ErrAway = errors.New("oidc: the identity provider does not answer as it should")

	// ErrForged: what the browser brought does not belong to what it was sent with.
	ErrForged = errors.New("oidc: the answer of the identity provider is not for this browser, or not any more")

	// ErrNobody: the provider says who it is, and that is nobody who may come in.
	ErrNobody = errors.New("oidc: none of the groups has a role here")
)

// A Ticket is what a browser keeps while it is at the provider.
type Ticket struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // RFC 7636, section 4.1
	Next     string    `json:"x"` // where to go afterwards
	Until    time.Time `json:"u"`
}

// String is the ticket as a cookie has it.
func (t Ticket) String() string {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts and times always do
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// ParseTicket reads a ticket.
func ParseTicket(text string) (t Ticket, err error) {
	if len(text) > maxTicket {
		return t, ErrForged
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil || t.State == "" || t.Nonce == "" || t.Verifier == "" {
		return Ticket{}, ErrForged
	}
	return t, nil
}

// Begin answers where to send a browser, and with which ticket.
func (p *Provider) Begin(ctx context.Context, next string) (address string, t Ticket, err error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", t, err
	}
	t = Ticket{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(), Next: next, Until: time.Now().Add(Patience)}
	return p.config(found).AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), t, nil
}

// A Person is who the provider says that somebody is.
type Person struct {
	Name  string
	Roles []string // one at least, unless it is ErrNobody
}

// End finds out who came back with a state and a code, and the ticket that Begin
// made.
func (p *Provider) End(ctx context.Context, t Ticket, state, code string) (Person, error) {
	if time.Now().After(t.Until) || state == "" || code == "" || subtle.ConstantTimeCompare([]byte(state), []byte(t.State)) != 1 {
		return Person{}, ErrForged
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	found, err := p.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.config(found).Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == "invalid_grant" {
		return Person{}, fmt.Errorf("%w: %w", ErrForged, err) // RFC 6749, section 5.2
	}
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Person{}, fmt.Errorf("%w: it sends no id_token", ErrAway)
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.options.ClientID}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1 {
		return Person{}, fmt.Errorf("%w: the nonce is another one", ErrForged)
	}
	return p.person(id)
}

// provider finds the provider's addresses. See OpenID Connect Discovery 1.0,
// section 4.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if time.Since(p.failed) < pause {
		return nil, p.why
	}
	limited, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	found, err := oidc.NewProvider(oidc.ClientContext(limited, p.client), p.options.Issuer)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrAway, err)
		if ctx.Err() == nil { // else who asked left, which says nothing of the provider
			p.failed, p.why = time.Now(), err
		}
		return nil, err
	}
	p.found = found
	return found, nil
}

func (p *Provider) config(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: p.options.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.options.Scopes...),
	}
}

// person reads the claims.
func (p *Provider) person(id *oidc.IDToken) (Person, error) {
	claims := map[string]json.RawMessage{}
	if err := id.Claims(&claims); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	who := Person{Name: p.name(claims, id.Subject)}
	for _, g := range groups(claims[p.options.GroupsClaim]) {
		who.Roles = append(who.Roles, p.options.Roles[g]...)
	}
	slices.Sort(who.Roles)
	who.Roles = slices.Compact(who.Roles)
	if len(who.Roles) == 0 {
		return who, ErrNobody
	}
	return who, nil
}

// name is what somebody is called in the audit. The subject is what nobody can
// choose: a name that is no good does not go without it.
func (p *Provider) name(claims map[string]json.RawMessage, subject string) string {
	claim := p.options.NameClaim
	if claim == "" {
		claim = "email"
		var verified any
		_ = json.Unmarshal(claims["email_verified"], &verified)
		if verified != true && verified != "true" {
			return clean(subject)
		}
	}
	var name string
	if json.Unmarshal(claims[claim], &name) != nil || name == "" || name != clean(name) {
		return clean(subject)
	}
	return name
}

// clean leaves what can be printed, as far as there is room.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxName {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// groups reads the claim with them: a list, or one alone.
func groups(claim json.RawMessage) []string {
	var list []string
	if json.Unmarshal(claim, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(claim, &one) == nil {
		return []string{one}
	}
	return nil
}
