package account

import (
	"strings"
)

// A Redirect says that some people's server is elsewhere.
type Redirect struct {
	// Pattern is a login in small letters, in which * means any text:
	// "*@old.example.org". A login DOMAIN\user is compared as user@domain, too.
	Pattern string

	// To is where they are: the URL of a server, or an address for Autodiscover,
	// in which {user} is the part of the login before the @.
	To string
}

// Redirects are asked in their order. They are asked before anybody knows
// whether the password is right, since only the other server does; all that a
// stranger learns is that a pattern fits.
type Redirects []Redirect

// For answers where somebody's server is: a URL, or an address; empty if it is
// here.
func (rs Redirects) For(login string) string {
	if len(rs) == 0 {
		return ""
	}
	user, domain, _, err := split(login)
	if err != nil {
		return ""
	}
	name := lower(user)
	if domain != "" {
		name += "@" + domain
	}
	for _, r := range rs {
		if fits(r.Pattern, name) {
			return strings.ReplaceAll(r.To, "{user}", lower(user))
		}
	}
	return ""
}

// fits tells whether a pattern with * describes a text.
func fits(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, p := range parts[1:last] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[last])
}
