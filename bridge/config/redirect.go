package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/account"
)

// maxRedirects bounds the patterns that each login is compared with.
const maxRedirects = 1000

// redirects takes over the table [redirect], in the file's order: the first
// pattern that fits decides.
func (l *loader) redirects(value any) {
	table, ok := value.(map[string]any)
	if !ok {
		l.unknown("redirect", value)
		return
	}
	const example = `write "*@old.example.org" = "https://mail.old.example.org", or an address such as "{user}@example.net"`
	patterns := make([]string, 0, len(table))
	for p := range table {
		patterns = append(patterns, p)
	}
	slices.SortFunc(patterns, func(a, b string) int {
		return cmp.Or(cmp.Compare(l.at.line("redirect."+a), l.at.line("redirect."+b)), cmp.Compare(a, b))
	})
	if len(patterns) > maxRedirects {
		l.complain("redirect", "write fewer, with *", "there are more than %d patterns", maxRedirects)
		return
	}
	for _, p := range patterns {
		path := "redirect." + p
		to, ok := table[p].(string)
		switch {
		case !ok:
			l.complain(path, example, "%s is %s", path, describe(table[p]))
			continue
		case p == "" || len(p) > account.MaxLogin || strings.ContainsAny(p, " \\\x00\n"):
			l.complain(path, example, "%.80q cannot be a pattern of logins", p)
			continue
		case !elsewhere(to):
			l.complain(path, example, "%s is %.80q", path, to)
			continue
		}
		l.file.Redirects = append(l.file.Redirects, account.Redirect{Pattern: strings.ToLower(p), To: to})
	}
}

// elsewhere tells whether a text is the URL of a server or an address.
func elsewhere(s string) bool {
	if strings.Contains(s, "://") {
		return phoneURL(s) == nil
	}
	user, domain, ok := strings.Cut(s, "@")
	return ok && user != "" && domain != "" && domainName(domain) == nil && !strings.ContainsAny(strings.ReplaceAll(user, "{user}", ""), "{} \x00\n<>")
}
