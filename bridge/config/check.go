package config

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

func anything(string) *problem { return nil }

func oneOf(words ...string) func(string) *problem {
	return func(s string) *problem {
		if slices.Contains(words, s) {
			return nil
		}
		return &problem{fmt.Sprintf("%.40q", s), "write one of " + strings.Join(words, ", ")}
	}
}

// timeZone checks the name of a zone.
func timeZone(s string) *problem {
	if _, ok := tz.Location(s); ok || s == "" {
		return nil
	}
	return &problem{fmt.Sprintf("%.80q", s), `write a name such as "Europe/Berlin"`}
}

// listenAddress checks where FastCGI is served: what fcgi.Listen takes.
func listenAddress(s string) *problem {
	bad := &problem{fmt.Sprintf("%.80q", s), `write "unix:/run/pushbridge/pushbridge.sock", "tcp:127.0.0.1:9000", "systemd" or "spawn-fcgi"`}
	switch kind, rest, _ := strings.Cut(s, ":"); {
	case s == "", kind == "systemd", s == "spawn-fcgi":
		return nil
	case kind == "unix":
		return socket(s, rest, bad)
	case kind == "tcp" && rest != "" && hostPort(rest) == nil:
		if host, _, _ := net.SplitHostPort(rest); host == "" {
			return &problem{fmt.Sprintf("%.80q without a host", s), `write "tcp:127.0.0.1:9000"; another address only if the web server is elsewhere`}
		}
		return nil
	}
	return bad
}

// adminAddress checks where the control door is.
func adminAddress(s string) *problem {
	bad := &problem{fmt.Sprintf("%.80q", s), `write "unix:/run/pushbridge/admin.sock", or "off" for none`}
	kind, rest, _ := strings.Cut(s, ":")
	switch {
	case s == "", s == "off":
		return nil
	case kind == "unix":
		return socket(s, rest, bad)
	}
	return bad
}

// notifyAddress checks where hooks send word of changes.
func notifyAddress(s string) *problem {
	bad := &problem{fmt.Sprintf("%.80q", s), `write "unixgram:/run/pushbridge/notify.sock?group=radicale", or "off" for none`}
	kind, rest, _ := strings.Cut(s, ":")
	switch {
	case s == "", s == "off":
		return nil
	case kind == "unixgram":
		return socket(s, rest, bad)
	}
	return bad
}

// publicURL checks under which address servers reach this worker. Word of
// changes is pushed over TLS alone.
func publicURL(s string) *problem {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return &problem{fmt.Sprintf("%.80q", s), `write "https://mail.example.org": where servers reach the web server in front of pushbridge`}
	}
	return nil
}

// maxSocket bounds the path of a socket, in bytes: an address has 108 of them
// with the closing zero. See unix(7).
const maxSocket = 107

// socket checks the path and the options behind "unix:".
func socket(s, rest string, bad *problem) *problem {
	path, query, _ := strings.Cut(rest, "?")
	if path == "" || strings.ContainsRune(path, 0) {
		return bad
	}
	if len(path) > maxSocket {
		return &problem{fmt.Sprintf("%.120q, whose path is longer than %d bytes", s, maxSocket), "choose a shorter one"}
	}
	options, err := url.ParseQuery(query)
	if err != nil {
		return bad
	}
	for key, values := range options {
		switch key {
		case "mode":
			if _, err := strconv.ParseUint(values[len(values)-1], 8, 9); err != nil {
				return &problem{fmt.Sprintf("%.120q, whose mode is not octal", s), "write mode=0660"}
			}
		case "group":
		default:
			return &problem{fmt.Sprintf("%.120q with the option %.20q, which is not known", s, key), "known are mode and group"}
		}
	}
	return nil
}

func hostPort(s string) *problem {
	if s == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || strings.ContainsAny(host, "/ \x00") {
		return &problem{fmt.Sprintf("%.80q", s), `write "127.0.0.1:8080", or "" for none`}
	}
	return nil
}

// metricsAddress checks where metrics are served: to whoever can reach it.
func metricsAddress(s string) *problem {
	if s == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err == nil && host == "" {
		return &problem{fmt.Sprintf("%.80q without a host", s), `write "127.0.0.1:9464"; another address only if Prometheus is elsewhere and nobody else reaches it`}
	}
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || strings.ContainsAny(host, "/ \x00") {
		return &problem{fmt.Sprintf("%.80q", s), `write "127.0.0.1:9464", or "" for none`}
	}
	return nil
}

// statePlace checks where the state is kept. The value is not repeated, since
// a database's address holds a password.
func statePlace(s string) *problem {
	const remedy = `write a directory such as "/var/lib/pushbridge"`
	if s == "" || strings.ContainsRune(s, 0) {
		return &problem{"empty", remedy}
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return &problem{fmt.Sprintf("a database server of the sort %.20q, which is not supported", scheme), remedy}
	}
	return nil
}

func loginRule(s string) *problem {
	if s == "keep" || s == "strip_domain" || strings.Contains(s, "{user}") && templated(s) {
		return nil
	}
	return &problem{fmt.Sprintf("%.80q", s), `write "keep", "strip_domain" or a template such as "{user}@example.org"`}
}

func addressTemplate(s string) *problem {
	if s == "" || strings.Contains(s, "{user}") && strings.Contains(s, "@") && templated(s) {
		return nil
	}
	return &problem{fmt.Sprintf("%.80q", s), `write a template such as "{user}@example.org"`}
}

// templated tells whether a template has no other braces than those it may
// have.
func templated(s string) bool {
	s = strings.NewReplacer("{user}", "", "{domain}", "").Replace(s)
	return !strings.ContainsAny(s, "{}\x00\n")
}

func pathPattern(s string) *problem {
	if _, err := path.Match(s, ""); err != nil {
		return &problem{fmt.Sprintf("%.80q", s), `write a name, or a pattern such as "Accounts*"`}
	}
	return nil
}

func domainName(s string) *problem {
	if len(s) > 253 || strings.ContainsAny(s, "@/\\ {}\x00\n") {
		return &problem{fmt.Sprintf("%.80q", s), `write a domain such as "example.org"`}
	}
	return nil
}

// phoneURL checks what phones are told. Plain HTTP is for trials.
func phoneURL(s string) *problem {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return &problem{fmt.Sprintf("%.80q", s), `write "https://mail.example.org/Microsoft-Server-ActiveSync"`}
	}
	return nil
}

// checkVerify looks at which backends check the passwords.
func (l *loader) checkVerify() {
	f := &l.file
	verify := f.Login.Verify
	if len(verify) == 0 && len(f.Backends) > 0 {
		verify = []string{f.Backends[0].Name}
	}
	for i, v := range verify {
		at := slices.IndexFunc(f.Backends, func(b Backend) bool { return b.Name == v })
		switch {
		case at < 0:
			l.complain("login.verify", "name one of the [backend.NAME] tables", "login.verify names the backend %.80q, which does not exist", v)
		case slices.Contains(verify[:i], v):
			l.complain("login.verify", "name each backend once", "login.verify names the backend %.80q twice", v)
		case f.Backends[at].Login != "":
			l.complain("backend."+v+".login_rule", "write the rule into the table [login]; it is for all backends that have none of their own",
				"backend.%s checks the passwords, and has a login_rule of its own", v)
		}
	}
}

// check looks at values that depend on each other, after all were taken.
func (l *loader) check() {
	f := &l.file
	l.bounds("heartbeat_min", "heartbeat_max", &f.Heartbeat.Min, &f.Heartbeat.Max)
	l.bounds("heartbeat_min", "heartbeat_default", &f.Heartbeat.Min, &f.Heartbeat.Default)
	l.bounds("heartbeat_default", "heartbeat_max", &f.Heartbeat.Default, &f.Heartbeat.Max)
	l.bounds("poll_min", "poll_max", &f.PollMin, &f.PollMax)
	if f.PluginsDir != "" && !filepath.IsAbs(f.PluginsDir) {
		l.complain("plugins_dir", "write the whole path from /", "plugins_dir is %.80q", f.PluginsDir)
	}
	if f.Profiles != "" && !filepath.IsAbs(f.Profiles) {
		l.complain("profiles", "write the whole path from /", "profiles is %.80q", f.Profiles)
	}
	l.checkWeb()
	l.checkPolicy()
	l.checkVerify()
	l.checkMail()
	l.directory()
	if f.CertificatesCA != "" && !filepath.IsAbs(f.CertificatesCA) {
		l.complain("certificates.ca_file", "write the whole path from /", "certificates.ca_file is %.80q", f.CertificatesCA)
	}
	if strings.Contains(f.Login.Rule, "{domain}") && f.Login.Domain == "" && len(f.Login.Domains) == 0 {
		l.complain("login.rule", `set login.domain = "example.org", for those who type none`, "login.rule has {domain}, but no domain is known for a login without one")
	}
	for _, h := range f.Hooks {
		if h.Backend != "" && !slices.ContainsFunc(f.Backends, func(b Backend) bool { return b.Name == h.Backend }) {
			l.complain("hook."+h.Name+".backend", "name one of the [backend.NAME] tables", "hook.%s.backend names the backend %.80q, which does not exist", h.Name, h.Backend)
		}
	}
	if len(f.Backends) == 0 && l.at.line("backend") == 0 {
		l.complain("", addBackend, "no backend is configured")
	}
}

// directory looks at the keys that name the books for everybody.
func (l *loader) directory() {
	d := l.file.Directory
	if d == (Directory{}) {
		return
	}
	if !slices.ContainsFunc(l.file.Backends, func(b Backend) bool { return b.Name == d.Backend }) {
		l.complain("directory.backend", "name one of the [backend.NAME] tables", "directory.backend names the backend %.80q, which does not exist", d.Backend)
	}
	if d.Collection == "" {
		l.complain("directory", `set directory.collection to the name of the address book, or "*" for all`, "directory does not say which address book it is")
	}
	if (d.User == "") != (d.Password == "") {
		l.complain("directory", "set directory.user and directory.password_file, or neither", "directory has one of user and password without the other")
	}
}

// bounds makes sure that one length of time is not longer than another. One
// that nobody wrote gives way without a word.
func (l *loader) bounds(low, high string, a, b *time.Duration) {
	switch {
	case *a <= *b:
	case !l.set[low]:
		*a = *b
	case !l.set[high]:
		*b = *a
	default:
		l.complain(low, "lower it, or raise "+high, "%s (%v) is longer than %s (%v)", low, *a, high, *b)
	}
}
