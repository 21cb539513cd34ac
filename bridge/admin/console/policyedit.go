package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// A previewPage says what a change of policies would mean, before it is made.
type previewPage struct {
	Title   string
	Changes []change
	Words   []string // what changes beside settings
	WhatIf  admin.WhatIf
	Edit    string // the change, for the form that makes it
	Back    string
}

// A change of a setting.
type change struct {
	Name, Means   string
	Before, After any // nil for nothing
}

// preview shows what a form would change.
func (c *Console) preview(a *ask) error {
	if !a.may(admin.OpPolicyEdit.Operation, admin.PolicyEdit{}) {
		return &admin.Error{Kind: admin.Refused, Text: refusal(a.actor, admin.OpPolicyEdit.Operation)}
	}
	f := a.PostForm
	name := strings.TrimSpace(f.Get("name"))
	p := previewPage{Title: "Change policy " + name + "?", Back: c.at("policy", "name", name)}
	var edit admin.PolicyEdit
	var err error
	switch f.Get("do") {
	case "settings":
		return c.previewSettings(a, name)
	case "create":
		edit.Policies = map[string]*admin.PolicyText{name: {Description: strings.TrimSpace(f.Get("description")), Settings: map[string]any{}}}
		p.Title, p.Back = "Make policy "+name+"?", c.at("policies")
		p.Words = []string{"The policy is made. It says nothing yet, and is for nobody."}
		if err := c.fresh(a, name); err != nil {
			return err
		}
	case "delete":
		edit.Policies = map[string]*admin.PolicyText{name: nil}
		p.Title = "Delete policy " + name + "?"
		p.Words = []string{"The policy is deleted, and is for nobody any more."}
	case "link", "unlink":
		p.Words, err = linking(f, name, &edit)
	case "inherit", "uninherit":
		p.Back = c.at("policies")
		p.Title = "Change what is inherited?"
		p.Words, err = inheriting(f, &edit)
	default:
		err = &admin.Error{Kind: admin.Invalid, Text: "The form does not say what it is about."}
	}
	if err != nil {
		return err
	}
	return c.showPreview(a, p, edit)
}

// fresh fails if there is such a policy already.
func (c *Console) fresh(a *ask, name string) error {
	if name == "" {
		return &admin.Error{Kind: admin.Invalid, Text: "A policy needs a name."}
	}
	_, _, err := c.policyOf(a, name)
	if err == nil {
		return &admin.Error{Kind: admin.Invalid, Text: fmt.Sprintf("There is a policy %q already.", name)}
	}
	if e, ok := errors.AsType[*admin.Error](err); ok && e.Kind == admin.NotFound {
		return nil
	}
	return err
}

// scopeOf is the scope that a form names.
func scopeOf(f url.Values) (rsop.Scope, error) {
	s := rsop.Scope{Kind: rsop.Kind(f.Get("kind"))}
	switch s.Kind {
	case rsop.Everyone:
	case rsop.Group:
		s.Name = strings.TrimSpace(f.Get("group"))
	case rsop.User:
		s.Name = strings.TrimSpace(f.Get("user"))
	case rsop.Device:
		s.Name, s.Device = strings.TrimSpace(f.Get("user")), strings.TrimSpace(f.Get("device"))
	default:
		return s, &admin.Error{Kind: admin.Invalid, Text: "Say whom it is for."}
	}
	return s, nil
}

// linking is the change that makes a policy be for somebody, or no longer.
func linking(f url.Values, name string, edit *admin.PolicyEdit) ([]string, error) {
	scope, err := scopeOf(f)
	if err != nil {
		return nil, err
	}
	order, err := number(f.Get("order"))
	if err != nil {
		return nil, err
	}
	l := rsop.Link{Policy: name, Scope: scope, Order: order, Enforced: f.Get("enforced") == "yes"}
	if f.Get("do") == "unlink" {
		edit.Unlinks = []rsop.Link{l}
		return []string{"The policy is no longer for " + scope.String() + "."}, nil
	}
	edit.Links = []rsop.Link{l}
	words := []string{"The policy is for " + scope.String() + "."}
	if l.Enforced {
		words = append(words, "It is enforced: no narrower scope can change what it says.")
	}
	return words, nil
}

// inheriting is the change that has a scope inherit nothing, or inherit again.
func inheriting(f url.Values, edit *admin.PolicyEdit) ([]string, error) {
	scope, err := scopeOf(f)
	if err != nil {
		return nil, err
	}
	if f.Get("do") == "uninherit" {
		edit.Unblocks = []rsop.Scope{scope}
		return []string{scope.String() + " inherits what wider scopes say."}, nil
	}
	edit.Blocks = []rsop.Scope{scope}
	return []string{scope.String() + " inherits nothing of wider scopes that is not enforced."}, nil
}

// previewSettings shows what a form would change of the settings of a policy. If it
// cannot be, the form is shown again with what is wrong.
func (c *Console) previewSettings(a *ask, name string) error {
	f := a.PostForm
	p, settings, err := c.policyOf(a, name)
	if err != nil {
		return err
	}
	changed, err := changesOf(f)
	text := &admin.PolicyText{Keep: true, Settings: changed}
	preview := previewPage{Title: "Change policy " + name + "?", Back: c.at("policy", "name", name)}
	if d := strings.TrimSpace(f.Get("description")); d != p.Description && d != "" {
		text.Description = d
		preview.Words = []string{"The description is: " + d}
	}
	for _, s := range rsop.Names {
		if after, ok := changed[s]; ok {
			setting, _ := rsop.Find(s)
			preview.Changes = append(preview.Changes, change{s, setting.Does, settings[s], after})
		}
	}
	if err == nil && len(preview.Changes)+len(preview.Words) == 0 {
		c.goTo(a, preview.Back, "Nothing was changed in the form.")
		return nil
	}
	if err == nil {
		err = c.showPreview(a, preview, admin.PolicyEdit{Policies: map[string]*admin.PolicyText{name: text}})
	}
	if err == nil {
		return nil
	}
	p.Wrong = err.Error()
	p.lay(func(s policy.Setting) (string, bool) {
		_, said := settings[s.Name]
		return f.Get("set." + s.Name), said || f.Get("set."+s.Name) != ""
	})
	c.show(a, 400, "policy", view{Title: "Policy " + name, Here: "policies", Data: p})
	return nil
}

// showPreview asks what a change means for phones, and shows it.
func (c *Console) showPreview(a *ask, p previewPage, edit admin.PolicyEdit) error {
	var err error
	if p.WhatIf, err = admin.OpPolicyWhatIf.Do(a.Context(), c.Server, a.actor, admin.WhatIfRequest{Edit: edit}); err != nil {
		return err
	}
	text, err := json.Marshal(edit)
	if err != nil {
		return err
	}
	p.Edit = string(text)
	p.WhatIf.First = p.WhatIf.First[:min(len(p.WhatIf.First), perPage)]
	c.show(a, 200, "preview", view{Title: p.Title, Here: "policies", Data: p})
	return nil
}

// savePolicies makes a change that was shown.
func (c *Console) savePolicies(a *ask) error {
	var edit admin.PolicyEdit
	if err := json.Unmarshal([]byte(a.PostForm.Get("edit")), &edit); err != nil {
		return &admin.Error{Kind: admin.Invalid, Text: "The form has no change that can be read."}
	}
	e, err := admin.OpPolicyEdit.Do(a.Context(), c.Server, a.actor, edit)
	page := c.at("policies")
	for name, text := range edit.Policies {
		if text != nil {
			page = c.at("policy", "name", name)
		}
	}
	for _, l := range append(edit.Links, edit.Unlinks...) {
		page = c.at("policy", "name", l.Policy)
	}
	if err != nil {
		return err
	}
	c.again()
	c.goTo(a, page, e.Text)
	return nil
}

// A whatIfPage says what is asked of a phone, or would be.
type whatIfPage struct {
	User, Device string
	Policy       string // that would be for
	Kind         string // this sort of scopes
	Enforced     bool
	Policies     []admin.NamedPolicy
	Result       *admin.PolicyResult
	Values       []decided
	Would        *admin.WhatIf
}

// whatIf answers what is asked of a phone, which need not be known, and what would be
// if a policy were for it.
func (c *Console) whatIf(a *ask) error {
	q := a.URL.Query()
	p := whatIfPage{User: strings.TrimSpace(q.Get("user")), Device: strings.TrimSpace(q.Get("device")), Policy: q.Get("policy"), Kind: q.Get("kind"), Enforced: q.Get("enforced") == "yes"}
	all, err := admin.OpPolicies.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	p.Policies = all.Policies
	if p.User != "" {
		result, err := admin.OpPolicyResult.Do(a.Context(), c.Server, a.actor, admin.PhoneRequest{User: p.User, Device: p.Device})
		if err != nil {
			return err
		}
		p.Result, p.Values = &result, explained(result.Values)
	}
	if p.User != "" && p.Policy != "" {
		scope := rsop.Scope{Kind: rsop.Kind(p.Kind)}
		if scope.Kind != rsop.Everyone {
			scope.Name = p.User
		}
		if scope.Kind == rsop.Device {
			scope.Device = p.Device
		}
		edit := admin.PolicyEdit{Links: []rsop.Link{{Policy: p.Policy, Scope: scope, Enforced: p.Enforced}}}
		would, err := admin.OpPolicyWhatIf.Do(a.Context(), c.Server, a.actor, admin.WhatIfRequest{Edit: edit, User: p.User, Device: p.Device})
		if err != nil {
			return err
		}
		p.Would = &would
	}
	c.show(a, 200, "whatif", view{Title: "What is asked of a phone", Here: "policies", Data: p})
	return nil
}

// explained says what settings mean.
func explained(values []rsop.Decided) (list []decided) {
	for _, v := range values {
		setting, _ := rsop.Find(v.Name)
		list = append(list, decided{v, setting.Does})
	}
	return list
}
