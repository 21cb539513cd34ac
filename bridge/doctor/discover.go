package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// autodiscover asks where phones ask that know nothing but a mail address. What
// is missing there is no failure: people can type the server's name.
func (v *visit) autodiscover(ctx context.Context) bool {
	const step = "autodiscover"
	email := v.Email
	if email == "" && strings.Contains(v.User, "@") {
		email = v.User
	}
	host, addr := v.address()
	about := email
	if about == "" {
		about = v.User + "@" + host
	}
	if a, err := v.client.Autodiscover(ctx, about); err != nil || a.URL == "" {
		v.advise(step, "autodiscover-here", fmt.Sprintf("%s does not say where phones are to go", host), "include nginx.conf.example as it is: its second location is the one for /autodiscover/")
	} else {
		v.ok(step, "%s sends phones to %s", host, a.URL)
	}
	_, domain, ok := strings.Cut(email, "@")
	if !ok {
		v.advise(step, "autodiscover-email", "the mail address is not known, so that its domain cannot be tried", "say --email NAME@DOMAIN")
		return true
	}
	_, port, _ := net.SplitHostPort(addr)
	for _, at := range []string{"autodiscover." + domain, domain} {
		if v.discovered(ctx, at, port, email) {
			v.ok(step, "phones that are told only %s find the way by %s", email, at)
			return true
		}
	}
	records := fmt.Sprintf("in the DNS:   autodiscover.%s. CNAME %s.\n", domain, host) +
		fmt.Sprintf("and, which fewer clients ask for:   _autodiscover._tcp.%s. SRV 0 0 443 %s.\n", domain, host) +
		"and this name in server_name and in the certificate"
	if _, list, err := v.Resolver.LookupSRV(ctx, "autodiscover", "tcp", domain); err == nil && len(list) > 0 {
		v.advise(step, "autodiscover-srv", fmt.Sprintf("only the SRV record of %s leads to %s; many phones do not ask for it", domain, strings.TrimSuffix(list[0].Target, ".")), records)
		return true
	}
	v.advise(step, "autodiscover-missing", fmt.Sprintf("neither autodiscover.%s nor %s answers: people have to type the server's name", domain, domain), records)
	return true
}

// discovered asks a host about an address. The password goes to verified
// servers alone.
func (v *visit) discovered(ctx context.Context, host, port, email string) bool {
	if _, err := v.Resolver.LookupHost(ctx, host); err != nil {
		return false
	}
	u := url.URL{Scheme: v.target.Scheme, Host: host}
	if port != "443" && port != "80" {
		u.Host = net.JoinHostPort(host, port) // a trial's
	}
	c := &easclient.Client{URL: u.String(), User: v.User, Password: v.Password, UserAgent: v.client.UserAgent, HTTP: v.http}
	a, err := c.Autodiscover(ctx, email)
	return err == nil && a.URL != ""
}
