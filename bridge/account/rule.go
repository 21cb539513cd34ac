package account

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// A Rule makes one name of the many ways to write a login: user, user@domain,
// DOMAIN\user. The zero value keeps what people type.
type Rule struct {
	// User is what the backends are told: "keep" (or empty) what was typed,
	// without DOMAIN\; "strip_domain" the part before the @; or a template with
	// {user} and {domain}, such as "{user}@example.org".
	User string

	// Domains are those that people may write behind the @ or before the
	// backslash, where the first label of a domain is enough. Empty means that
	// any may be written. A login without a domain is always accepted.
	Domains []string

	// Domain is the one that is meant where none is written. It completes
	// {domain} and the mail address. Empty means the first of Domains.
	Domain string

	// Lower makes capital letters in logins small, for backends that do not
	// tell them apart. Without it "Ann" and "ann" are two accounts.
	Lower bool

	// Address is a template of the mail address with {user} and {domain}. Empty
	// means user@domain if a domain is known.
	Address string
}

// MaxLogin bounds a login, in bytes; mail addresses end at 254.
const MaxLogin = 256

// ErrLogin means that a login cannot be anybody's.
var ErrLogin = errors.New("account: not a login")

// A Identity is what the rule makes of a login.
type Identity struct {
	Name    string // for the backends, and the state's key
	Address string // mail address, or empty
}

// Apply makes an identity of a login, or answers ErrLogin.
func (r Rule) Apply(login string) (Identity, error) {
	user, domain, slash, err := split(login)
	if err != nil {
		return Identity{}, err
	}
	if r.Lower {
		user = lower(user)
	}
	if len(user) > MaxLogin || domain != "" && len(user+"@"+domain) > MaxLogin { // some small letters are longer than their capitals
		return Identity{}, fmt.Errorf("%w: longer than %d bytes", ErrLogin, MaxLogin)
	}
	full, ok := r.domain(domain)
	if !ok {
		return Identity{}, fmt.Errorf("%w: its domain is not one of ours", ErrLogin)
	}
	known := full
	if slash && len(r.Domains) == 0 {
		known = r.fallback() // a Windows domain that nobody named is no mail domain, with a dot in it or not
	}
	var id Identity
	switch r.User {
	case "", "keep":
		id.Name = user
		if domain != "" && !slash {
			id.Name = user + "@" + full
		}
	case "strip_domain":
		id.Name = user
	default:
		id.Name = fill(r.User, user, known)
	}
	switch {
	case r.Address != "":
		id.Address = fill(r.Address, user, known)
	case known != "":
		id.Address = user + "@" + known
	case strings.Contains(id.Name, "@"):
		id.Address = id.Name
	}
	return id, nil
}

// split takes a login apart. The domain of DOMAIN\user@domain is the one
// behind the @, for phones put both fields of their form together.
func split(login string) (user, domain string, slash bool, err error) {
	s := norm.NFC.String(strings.TrimSpace(login))
	if len(s) > MaxLogin {
		return "", "", false, fmt.Errorf("%w: longer than %d bytes", ErrLogin, MaxLogin)
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == '\ufffd' {
			return "", "", false, fmt.Errorf("%w: it has control characters", ErrLogin)
		}
	}
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		domain, s, slash = s[:i], s[i+1:], true
	}
	user = s
	if i := strings.LastIndexByte(s, '@'); i > 0 && i < len(s)-1 {
		user, domain, slash = s[:i], s[i+1:], false
	}
	user, domain = strings.TrimSpace(user), strings.TrimSpace(domain)
	if user == "" {
		return "", "", false, fmt.Errorf("%w: it is empty", ErrLogin)
	}
	return user, lower(domain), slash, nil
}

// lower makes capital letters small. Some small ones have a form with their
// accent in one where the capital has none, so that the result is normalised anew.
func lower(s string) string { return norm.NFC.String(strings.ToLower(s)) }

// domain completes a domain, and tells whether people may write it.
func (r Rule) domain(written string) (string, bool) {
	if written == "" {
		return r.fallback(), true
	}
	for _, d := range r.Domains {
		d = lower(d)
		first, _, _ := strings.Cut(d, ".")
		if written == d || written == first {
			return d, true
		}
	}
	return written, len(r.Domains) == 0
}

// fallback is the domain that is meant where none is written.
func (r Rule) fallback() string {
	if r.Domain == "" && len(r.Domains) > 0 {
		return lower(r.Domains[0])
	}
	return lower(r.Domain)
}

func fill(template, user, domain string) string {
	return strings.NewReplacer("{user}", user, "{domain}", domain).Replace(template)
}
