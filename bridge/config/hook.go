package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// leastSecret is the least length of a hook's secret, in bytes: whoever guesses
// it makes the worker ask the backends again and again.
const leastSecret = 16

// hooks takes over the [hook.NAME] tables.
func (l *loader) hooks(value any) {
	tables, ok := value.(map[string]any)
	if !ok {
		l.unknown("hook", value)
		return
	}
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(l.at.line("hook."+a), l.at.line("hook."+b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		path := "hook." + name
		t, ok := tables[name].(map[string]any)
		switch {
		case !ok:
			l.complain(path, "write [hook.NAME] and the settings below it", "%s is %s instead of a table", path, describe(tables[name]))
			continue
		case !validName(name):
			l.complain(path, fmt.Sprintf("use 1 to %d small letters, digits, '-' and '_'", maxName), "%.80q cannot be the name of a hook", name)
		}
		l.hook(name, path, t)
	}
}

// hook takes over one table.
func (l *loader) hook(name, path string, t map[string]any) {
	h := Hook{Name: name, At: fmt.Sprintf("%s:%d", l.name, l.at.line(path))}
	secretAt := path
	for key, value := range t {
		at := path + "." + key
		switch key {
		case "kind":
			h.Kind = l.word(at, value, HookKinds...)
		case "backend":
			h.Backend = l.word(at, value)
		case "secret":
			h.Secret, secretAt = l.word(at, value), at
		case "secret_file":
			secretAt = at
			if _, twice := t["secret"]; twice {
				l.complain(at, "remove one of them", "%s and %s.secret are both set", at, path)
				continue
			}
			h.Secret, _ = l.read(at, value)
		default:
			l.complain(at, "known are backend, kind, secret, secret_file", "%q is not known", at)
		}
	}
	if _, there := t["kind"]; !there {
		l.complain(path, "add kind = "+quoted(HookKinds), "%s does not say what kind it is", path)
	}
	if len(h.Secret) < leastSecret {
		l.complain(secretAt, fmt.Sprintf("write secret = \"...\" with at least %d characters, such as what \"openssl rand -hex 32\" prints", leastSecret),
			"the secret of %s is missing or too short", path)
	}
	l.file.Hooks = append(l.file.Hooks, h)
}

// word takes a text that is not empty and, if words are named, one of them.
func (l *loader) word(path string, value any, words ...string) string {
	s, ok := value.(string)
	switch {
	case !ok || s == "":
		l.complain(path, "write it in quotes", "%s is %s", path, describe(value))
	case len(words) > 0 && !slices.Contains(words, s):
		l.complain(path, "write "+quoted(words), "%s is %.40q", path, s)
	default:
		return s
	}
	return ""
}

func quoted(words []string) string { return `"` + strings.Join(words, `" or "`) + `"` }
