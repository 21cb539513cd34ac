package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// webURL checks where browsers reach the administration. Passwords are typed
// there, so that it is TLS or this very computer.
func webURL(s string) *problem {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return &problem{fmt.Sprintf("%.80q", s), `write "https://mail.example.org": where browsers reach the web server in front of pushbridge`}
	case strings.Trim(u.Path, "/") != "":
		return &problem{fmt.Sprintf("%.80q, which has a path", s), fmt.Sprintf(`write "%s://%s": the pages are at /admin/ and /my/`, u.Scheme, u.Host)}
	case u.Scheme == "http" && !admin.IsLoopback(u.Hostname()):
		return &problem{fmt.Sprintf("%.80q, where passwords could be read on the way", s), fmt.Sprintf(`write "https://%s"; without TLS only "http://127.0.0.1:8080", for trials`, u.Host)}
	}
	return nil
}

// issuerURL checks which identity provider is meant. What it is called there has to
// be the same to the letter. See OpenID Connect Discovery 1.0, section 4.3.
func issuerURL(s string) *problem {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !admin.IsLoopback(u.Hostname())) || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return &problem{fmt.Sprintf("%.80q", s), `write "https://login.example.org/realms/company", as the identity provider calls itself at /.well-known/openid-configuration`}
	}
	return nil
}

const groupRolesExample = `["it: server-administrator, device-administrator", "support: helpdesk"]`

// groupRoles checks which roles a group has.
func groupRoles(s string) *problem {
	if _, _, err := ParseGroupRoles(s); err != nil {
		return &problem{"a list with " + fmt.Sprintf("%.80q, of which ", s) + strings.TrimPrefix(err.Error(), "config: "), "write groups and their roles: " + groupRolesExample}
	}
	return nil
}

// checkWeb looks at the keys of the identity provider, which belong together.
func (l *loader) checkWeb() {
	f := &l.file.Web
	l.bounds("web.session_idle", "web.session_longest", &f.Idle, &f.Longest)
	o := f.OIDC
	if o.Issuer == "" && o.ClientID == "" && o.Secret == "" && len(o.Roles) == 0 {
		return
	}
	for _, k := range []struct {
		key, remedy string
		missing     bool
	}{
		{"issuer", `set it to what the identity provider calls itself, such as "https://login.example.org/realms/company"`, o.Issuer == ""},
		{"client_id", "set it to what the identity provider calls pushbridge", o.ClientID == ""},
		{"roles", "say what groups may: roles = " + groupRolesExample, len(o.Roles) == 0},
	} {
		if k.missing && !l.complained("web.oidc."+k.key) {
			l.complain("web.oidc", k.remedy, "web.oidc has no %s", k.key)
		}
	}
	if f.URL == "" && !l.complained("web.url") {
		l.complain("web.oidc", `set web.url = "https://mail.example.org", where browsers come back to`, "web.oidc is of no use without web.url")
	}
}

// complained tells whether something was said of a key already.
func (l *loader) complained(key string) bool {
	for _, c := range l.complaints {
		if strings.HasPrefix(c.Wrong, key+" is ") {
			return true
		}
	}
	return false
}
