package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// secrets are the settings of backends that may stand in a file of their own,
// named by the same key with _file behind it. Other keys that end so belong to
// the plugin.
var secrets = []string{"password", "secret", "token", "key"}

// maxName bounds a backend's name, in bytes: it is part of the state's keys.
const maxName = 64

// addBackend is the remedy where there is none.
const addBackend = "add a table: [backend.calendar] with plugin = \"caldav\" and url = \"https://...\""

// backends takes over the [backend.NAME] tables, in the file's order.
func (l *loader) backends(value any) {
	tables, ok := value.(map[string]any)
	if !ok {
		l.unknown("backend", value)
		return
	}
	if len(tables) == 0 {
		l.complain("backend", addBackend, "no backend is configured")
	}
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(l.at.line("backend."+a), l.at.line("backend."+b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		path := "backend." + name
		t, ok := tables[name].(map[string]any)
		switch {
		case !ok:
			l.complain(path, "write [backend.NAME] and the settings below it", "%s is %s instead of a table", path, describe(tables[name]))
			continue
		case !validName(name):
			l.complain(path, fmt.Sprintf("use 1 to %d small letters, digits, '-' and '_'", maxName), "%.80q cannot be the name of a backend", name)
		}
		l.backend(name, path, t)
	}
}

func (l *loader) backend(name, path string, t map[string]any) {
	b := Backend{Name: name, Settings: backend.Settings{}, At: fmt.Sprintf("%s:%d", l.name, l.at.line(path))}
	for key, value := range t {
		if key == "plugin" {
			var ok bool
			if b.Plugin, ok = value.(string); !ok || b.Plugin == "" || strings.ContainsAny(b.Plugin, "/\x00") {
				l.complain(path+".plugin", `write its name in quotes: "caldav", "carddav", "localdir"`, "%s.plugin is %s", path, describe(value))
				b.Plugin = ""
			}
			continue
		}
		if key == "login_rule" {
			l.backendRule(&b, path+"."+key, value)
			continue
		}
		plain, ok := strings.CutSuffix(key, "_file")
		if !ok || !slices.Contains(secrets, plain) {
			b.Settings[key] = value
			continue
		}
		if _, twice := t[plain]; twice {
			l.complain(path+"."+key, "remove one of them", "%s.%s and %s.%s are both set", path, key, path, plain)
			continue
		}
		if text, ok := l.read(path+"."+key, value); ok {
			b.Settings[plain] = text
		}
	}
	if _, there := t["plugin"]; !there {
		l.complain(path, `add plugin = "caldav", "carddav", "localdir" or the name of a plugin of your own`, "%s does not say which plugin serves it", path)
	}
	l.file.Backends = append(l.file.Backends, b)
}

// backendRule takes over what one backend is told of logins.
func (l *loader) backendRule(b *Backend, path string, value any) {
	rule, ok := value.(string)
	if !ok {
		l.complain(path, "write it in quotes", "%s is %s instead of a text", path, describe(value))
		return
	}
	if p := loginRule(rule); p != nil {
		l.complain(path, p.remedy, "%s is %s", path, p.wrong)
		return
	}
	b.Login = rule
}

func validName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// environment takes over values from PUSHBRIDGE_ variables. One that is not
// known is left alone, for others use the prefix too.
func (l *loader) environment(variables []string) {
	for _, v := range slices.Sorted(slices.Values(variables)) {
		name, value, _ := strings.Cut(v, "=")
		rest, ok := strings.CutPrefix(name, "PUSHBRIDGE_")
		if !ok {
			continue
		}
		if after, ok := strings.CutPrefix(rest, "BACKEND_"); ok {
			l.backendVariable(after, value)
			continue
		}
		for path := range keys {
			if rest != strings.ToUpper(strings.ReplaceAll(path, ".", "_")) {
				continue
			}
			if p := l.take(path, value); p != nil {
				l.note(Complaint{File: "environment variable " + name, Wrong: path + " is " + p.wrong, Remedy: p.remedy})
			}
		}
	}
}

// backendVariable takes over CALENDAR_PASSWORD and the like. The longest name
// of a backend that fits is meant.
func (l *loader) backendVariable(rest, value string) {
	var to *Backend
	var setting string
	for i := range l.file.Backends {
		b := &l.file.Backends[i]
		upper := strings.ToUpper(strings.ReplaceAll(b.Name, "-", "_")) + "_"
		if after, ok := strings.CutPrefix(rest, upper); ok && after != "" && (to == nil || len(b.Name) > len(to.Name)) {
			to, setting = b, strings.ToLower(after)
		}
	}
	if to != nil && setting != "plugin" {
		to.Settings[setting] = value
	}
}
