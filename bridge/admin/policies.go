package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// MostPhones bounds how many phones a what-if names; it counts all of them.
const MostPhones = 1000

// Policies are all policies, and whom they are for.
type Policies struct {
	Policies []NamedPolicy `json:"policies"`
	Links    []rsop.Link   `json:"links"`
	Blocks   []rsop.Scope  `json:"blocks"` // that inherit nothing that is not enforced
}

// A NamedPolicy is a policy with its name.
type NamedPolicy struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Settings    map[string]any `json:"settings"`
}

// A PolicyText is what a policy is to be.
type PolicyText struct {
	Description string         `json:"description,omitempty"`
	Settings    map[string]any `json:"settings"`

	// Keep has what the text does not mention stay; a setting that is null is taken
	// out. So whoever changes one setting undoes nothing that somebody else changes
	// at the same moment.
	Keep bool `json:"keep,omitempty"`
}

// over puts the text over a policy.
func (t PolicyText) over(p rulebook.Policy) rulebook.Policy {
	if !t.Keep {
		return rulebook.Policy{Description: t.Description, Values: t.Settings}
	}
	values := maps.Clone(p.Values)
	if values == nil {
		values = rsop.Values{}
	}
	for name, v := range t.Settings {
		if _, known := rsop.Find(name); known && v == nil {
			delete(values, name)
			continue
		}
		values[name] = v // if it is not known, that is said of it
	}
	return rulebook.Policy{Description: cmp.Or(t.Description, p.Description), Values: values}
}

// A PolicyEdit changes policies and whom they are for, all of it or nothing.
type PolicyEdit struct {
	// Replace drops all policies, links and blocks that the edit does not name.
	Replace bool `json:"replace,omitempty"`

	Policies map[string]*PolicyText `json:"policies,omitempty"` // null deletes one, with its links
	Links    []rsop.Link            `json:"links,omitempty"`    // new, or in place of the one of the same policy and scope
	Unlinks  []rsop.Link            `json:"unlinks,omitempty"`  // their policies and scopes count
	Blocks   []rsop.Scope           `json:"blocks,omitempty"`
	Unblocks []rsop.Scope           `json:"unblocks,omitempty"`
}

func (PolicyEdit) about() string { return "policies" }

// apply puts the edit over what there is.
func (e PolicyEdit) apply(st *rulebook.State) error {
	if e.Replace {
		st.Policies, st.Links, st.Blocks = map[string]rulebook.Policy{}, nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(e.Policies)) {
		p := e.Policies[name]
		_, known := st.Policies[name]
		switch {
		case p != nil:
			st.Policies[name] = p.over(st.Policies[name])
		case !known:
			return notFound("There is no policy %q.", name)
		default:
			delete(st.Policies, name)
			st.Links = slices.DeleteFunc(st.Links, func(l rsop.Link) bool { return l.Policy == name })
		}
	}
	for _, l := range e.Unlinks {
		i := st.Link(l.Policy, l.Scope)
		if i < 0 {
			return notFound("Policy %q is not for %s.", l.Policy, l.Scope)
		}
		st.Links = slices.Delete(st.Links, i, i+1)
	}
	for _, l := range e.Links {
		if i := st.Link(l.Policy, l.Scope); i >= 0 {
			st.Links[i] = l
		} else {
			st.Links = append(st.Links, l)
		}
	}
	for _, b := range e.Unblocks {
		i := slices.Index(st.Blocks, b)
		if i < 0 {
			return notFound("%s does not block inheritance.", b)
		}
		st.Blocks = slices.Delete(st.Blocks, i, i+1)
	}
	for _, b := range e.Blocks {
		if !slices.Contains(st.Blocks, b) {
			st.Blocks = append(st.Blocks, b)
		}
	}
	return nil
}

// A WhatIfRequest asks what a change would mean. Without an edit it asks what
// something else would mean for one phone: it need not be known.
type WhatIfRequest struct {
	Edit PolicyEdit `json:"edit"`

	// User and Device restrict the question to phones of a person, or one.
	User   string `json:"user,omitempty"`
	Device string `json:"device,omitempty"`
}

// A WhatIf says for which phones something would change.
type WhatIf struct {
	Phones int           `json:"phones"` // for so many
	Of     int           `json:"of"`     // of so many that were looked at
	First  []PhoneChange `json:"first"`  // at most MostPhones of them
}

// A PhoneChange is what would change for a phone.
type PhoneChange struct {
	User     string          `json:"user"`
	Device   string          `json:"device"`
	Requires bool            `json:"requires"` // it would have to accept a policy
	Settings []SettingChange `json:"settings"`
}

// A SettingChange is what would change of one setting. Values are absent where
// nothing is asked.
type SettingChange struct {
	Name   string     `json:"name"`
	Before any        `json:"before,omitempty"`
	After  any        `json:"after,omitempty"`
	From   *rsop.Link `json:"from,omitempty"` // what decides then
}

// A PolicyResult is the resulting set of policy of a phone.
type PolicyResult struct {
	User       string           `json:"user"`
	Device     string           `json:"device,omitempty"`
	Required   bool             `json:"required"`
	Revision   string           `json:"revision,omitempty"`
	Standing   string           `json:"standing,omitempty"` // how the phone stands with it, if it is known
	Groups     []Membership     `json:"groups"`
	Values     []rsop.Decided   `json:"values"`
	Candidates []rsop.Candidate `json:"candidates"` // what is for this phone, the strongest first
}

func (s *Server) policies(ctx context.Context, _ *visit, _ Nothing) (Policies, error) {
	st, err := s.state(ctx)
	if err != nil {
		return Policies{}, err
	}
	p := Policies{Policies: []NamedPolicy{}, Links: some(st.Links), Blocks: some(st.Blocks)}
	for _, name := range keys(st.Policies) {
		settings := map[string]any(st.Policies[name].Values)
		if settings == nil {
			settings = map[string]any{}
		}
		p.Policies = append(p.Policies, NamedPolicy{name, st.Policies[name].Description, settings})
	}
	return p, nil
}

func (s *Server) editPolicies(ctx context.Context, v *visit, r PolicyEdit) (Edited, error) {
	return s.edit(ctx, v, "The policies are changed; phones that wait are told of what is new for them.", r.apply)
}

func (s *Server) whatIf(ctx context.Context, _ *visit, r WhatIfRequest) (w WhatIf, err error) {
	if s.Rules == nil {
		return w, noRules
	}
	after, err := s.Rules.WhatIf(ctx, r.Edit.apply)
	if wrong, ok := errors.AsType[rulebook.Complaints](err); ok {
		return w, invalid("This cannot be done:\n%s", wrong.Error())
	}
	if err != nil {
		return w, err
	}
	phones, err := s.Devices.Phones(ctx, r.User)
	if err != nil {
		return w, err
	}
	if r.Device != "" {
		phones = []device.Phone{{ID: device.ID{User: r.User, Device: r.Device}}}
	}
	before := s.Rules.Present()
	affected := rulebook.Affected(before, after, phones)
	w.Phones, w.Of, w.First = len(affected), len(phones), []PhoneChange{}
	for _, p := range affected[:min(len(affected), MostPhones)] {
		w.First = append(w.First, phoneChange(p.ID, before, after))
	}
	return w, nil
}

func phoneChange(id device.ID, before, after *rulebook.Ready) PhoneChange {
	c := PhoneChange{User: id.User, Device: id.Device, Settings: []SettingChange{}}
	was, is := before.Explain(id), after.Explain(id)
	c.Requires = is.Policy.Require
	value := func(r rsop.Result, name string) (any, *rsop.Link) {
		for _, d := range r.Values {
			if d.Name == name && r.Policy.Require {
				return d.Value, &d.From
			}
		}
		return nil, nil
	}
	for _, name := range rsop.Names {
		a, _ := value(was, name)
		b, from := value(is, name)
		if !reflect.DeepEqual(a, b) {
			c.Settings = append(c.Settings, SettingChange{name, a, b, from})
		}
	}
	return c
}

func (s *Server) policyResult(ctx context.Context, _ *visit, r PhoneRequest) (p PolicyResult, err error) {
	switch {
	case s.Rules == nil:
		return p, noRules
	case r.User == "":
		return p, invalid("say whose phone: user, and device if one is meant")
	}
	id := device.ID{User: r.User, Device: r.Device}
	ready := s.Rules.Present()
	x := ready.Explain(id)
	p = PolicyResult{User: r.User, Device: r.Device, Required: x.Policy.Require, Revision: x.Policy.Revision(), Values: x.Values, Candidates: x.Candidates, Groups: []Membership{}}
	for _, m := range ready.Groups(r.User) {
		p.Groups = append(p.Groups, Membership{m.Group, some(m.Through)})
	}
	phone, err := s.Devices.Phone(ctx, id)
	switch {
	case errors.Is(err, device.ErrUnknown):
		return p, nil
	case err != nil:
		return p, err
	}
	p.Standing = cmp.Or(s.standing(phone), "nothing is asked of it")
	return p, nil
}

func (r WhatIfRequest) whose() (string, string, int64) { return r.User, r.Device, 0 }

// String says an edit in a few words, for the log.
func (e PolicyEdit) String() string {
	return fmt.Sprintf("%d policies, %d links, %d unlinks, %d blocks", len(e.Policies), len(e.Links), len(e.Unlinks), len(e.Blocks)+len(e.Unblocks))
}
