package console

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// A policiesPage is all policies and whom they are for.
type policiesPage struct {
	admin.Policies
	Groups []admin.Group
	Asked  admin.Policy // of phones of whom nothing else is asked
	Edit   bool
}

// For are the links of a policy.
func (p policiesPage) For(name string) (list []rsop.Link) {
	for _, l := range p.Links {
		if l.Policy == name {
			list = append(list, l)
		}
	}
	return list
}

func (c *Console) policies(a *ask) error {
	p, err := c.allPolicies(a)
	if err != nil {
		return err
	}
	c.show(a, 200, "policies", view{Title: "Policies", Here: "policies", Data: p})
	return nil
}

func (c *Console) allPolicies(a *ask) (p policiesPage, err error) {
	p.Edit = a.may(admin.OpPolicyEdit.Operation, admin.PolicyEdit{})
	if p.Policies, err = admin.OpPolicies.Do(a.Context(), c.Server, a.actor, admin.Nothing{}); err != nil {
		return p, err
	}
	if p.Asked, err = admin.OpPolicy.Do(a.Context(), c.Server, a.actor, admin.Nothing{}); err != nil {
		return p, err
	}
	p.Groups, err = admin.OpGroups.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	return p, err
}

// A field is a setting in a form.
type field struct {
	policy.Setting
	Said bool   // the policy says something about it
	Text string // what
}

// IsSwitch, IsNumber and IsList tell what the form needs.
func (f field) IsSwitch() bool { return f.Kind == policy.Switch }
func (f field) IsNumber() bool { return f.Kind == policy.Number }
func (f field) IsList() bool   { return f.Kind == policy.List }

// A policyPage is one policy.
type policyPage struct {
	policiesPage
	Name        string
	Description string
	Said        []field // what it says
	Other       []field // and what it does not
	Wrong       string  // what is wrong with what the form has
}

// policyOf finds a policy.
func (c *Console) policyOf(a *ask, name string) (p policyPage, settings map[string]any, err error) {
	p.Name = name
	if p.policiesPage, err = c.allPolicies(a); err != nil {
		return p, nil, err
	}
	for _, n := range p.Policies.Policies {
		if n.Name == name {
			p.Description = n.Description
			return p, n.Settings, nil
		}
	}
	return p, nil, &admin.Error{Kind: admin.NotFound, Text: fmt.Sprintf("There is no policy %q. That of the configuration file is changed there.", name)}
}

// lay puts settings into fields.
func (p *policyPage) lay(text func(policy.Setting) (string, bool)) {
	for _, name := range rsop.Names {
		setting, _ := rsop.Find(name)
		f := field{Setting: setting}
		if f.Text, f.Said = text(setting); f.Said {
			p.Said = append(p.Said, f)
		} else {
			p.Other = append(p.Other, f)
		}
	}
}

func (c *Console) policy(a *ask) error {
	p, settings, err := c.policyOf(a, a.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	p.lay(func(s policy.Setting) (string, bool) { v, said := settings[s.Name]; return written(v), said })
	c.show(a, 200, "policy", view{Title: "Policy " + p.Name, Here: "policies", Data: p})
	return nil
}

// written is a value as a form has it.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, "\n")
	case []any:
		lines := make([]string, len(v))
		for i, line := range v {
			lines[i] = fmt.Sprint(line)
		}
		return strings.Join(lines, "\n")
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprint(v)
}

// read is what a form says of a setting; nil for nothing.
func read(s policy.Setting, text string) (any, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	if s.Kind == policy.List {
		lines := []any{}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		return lines, nil
	}
	var v any = text
	if s.Kind == policy.Number {
		n, err := number(text)
		if err != nil {
			return nil, err
		}
		v = n
	}
	if taken, wrong := s.Take(v); wrong == nil {
		v = taken
	}
	return v, nil // what is wrong is said of all of it at once
}

// changesOf are the settings that a form changed. It has what they were when the page
// was made, so that nothing is undone that somebody else changed meanwhile.
func changesOf(f url.Values) (map[string]any, error) {
	changed := map[string]any{}
	for _, name := range rsop.Names {
		if !f.Has("set." + name) {
			continue
		}
		setting, _ := rsop.Find(name)
		if unify(f.Get("set."+name)) == unify(f.Get("was."+name)) {
			continue
		}
		v, err := read(setting, f.Get("set."+name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		changed[name] = v
	}
	return changed, nil
}

// unify takes away what browsers do to the ends of lines.
func unify(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
