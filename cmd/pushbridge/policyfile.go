package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// The keys of a policy in a file that are no settings.
const (
	keyDescription = "description"
	keyFor         = "for"
)

// A policyToml is a file of policies.
type policyToml struct {
	Policy map[string]map[string]any `toml:"policy"`
	Link   []struct {
		Policy   string `toml:"policy"`
		Scope    string `toml:"scope"`
		Order    int    `toml:"order"`
		Enforced bool   `toml:"enforced"`
	} `toml:"link"`
	Inheritance struct {
		Blocked []string `toml:"blocked"`
	} `toml:"inheritance"`
}

// parsePolicyFile reads a file of policies, and says everything that is wrong with
// its form at once. What the settings say is for the worker to check.
func parsePolicyFile(text []byte) (admin.PolicyEdit, error) {
	var file policyToml
	d := toml.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			return admin.PolicyEdit{}, errors.New(strict.String())
		}
		return admin.PolicyEdit{}, err
	}
	e, errs := admin.PolicyEdit{Policies: map[string]*admin.PolicyText{}}, []error(nil)
	link := func(policy, scope string, order int, enforced bool) {
		s, err := parseScopeText(scope)
		if err != nil {
			errs = append(errs, fmt.Errorf("policy %q is for %.80q; write %s", policy, scope, scopeWords))
			return
		}
		e.Links = append(e.Links, rsop.Link{Policy: policy, Scope: s, Order: order, Enforced: enforced})
	}
	for _, name := range slices.Sorted(maps.Keys(file.Policy)) {
		p := &admin.PolicyText{Settings: map[string]any{}}
		for key, v := range file.Policy[name] {
			switch key {
			case keyDescription:
				text, ok := v.(string)
				if !ok {
					errs = append(errs, fmt.Errorf("the description of policy %q is no text", name))
				}
				p.Description = text
			case keyFor:
				list, _ := v.([]any)
				if list == nil {
					errs = append(errs, fmt.Errorf("for of policy %q is no list; write [\"everyone\"]", name))
				}
				for _, s := range list {
					link(name, fmt.Sprint(s), 0, false)
				}
			default:
				p.Settings[key] = v
			}
		}
		e.Policies[name] = p
	}
	for _, l := range file.Link {
		link(l.Policy, l.Scope, l.Order, l.Enforced)
	}
	for _, b := range file.Inheritance.Blocked {
		s, err := parseScopeText(b)
		if err != nil {
			errs = append(errs, fmt.Errorf("%.80q cannot block inheritance; write %s", b, scopeWords))
			continue
		}
		e.Blocks = append(e.Blocks, s)
	}
	return e, errors.Join(errs...)
}

// policyFile writes policies as parsePolicyFile reads them.
func policyFile(p admin.Policies) string {
	var b strings.Builder
	for _, y := range p.Policies {
		fmt.Fprintf(&b, "[policy.%s]\n", tomlText(y.Name))
		if y.Description != "" {
			fmt.Fprintf(&b, "%s = %s\n", keyDescription, tomlText(y.Description))
		}
		for _, name := range rsop.Names {
			if v, ok := y.Settings[name]; ok {
				fmt.Fprintf(&b, "%s = %s\n", name, tomlValue(v))
			}
		}
		b.WriteString("\n")
	}
	for _, l := range p.Links {
		fmt.Fprintf(&b, "[[link]]\npolicy = %s\nscope = %s\n", tomlText(l.Policy), tomlText(l.Scope.String()))
		if l.Order != 0 {
			fmt.Fprintf(&b, "order = %d\n", l.Order)
		}
		if l.Enforced {
			b.WriteString("enforced = true\n")
		}
		b.WriteString("\n")
	}
	if len(p.Blocks) > 0 {
		var list []string
		for _, s := range p.Blocks {
			list = append(list, tomlText(s.String()))
		}
		fmt.Fprintf(&b, "[inheritance]\nblocked = [%s]\n", strings.Join(list, ", "))
	}
	return b.String()
}

// tomlText quotes a text. What cannot be printed is written by its number: TOML
// allows no control characters, and a terminal would obey them. See TOML 1.0,
// "String".
func tomlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\\' || r == '"':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tomlValue writes what JSON brought.
func tomlValue(v any) string {
	switch v := v.(type) {
	case string:
		return tomlText(v)
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			list[i] = tomlValue(e)
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprint(v)
}
