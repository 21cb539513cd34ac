package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// An Edited says what a change altered.
type Edited struct {
	Text    string                `json:"text"`
	Changes []rulebook.Difference `json:"changes"`
}

// noRules is for workers without a rulebook.
var noRules = &Error{Unknown, "This worker keeps no groups, policies and rules."}

// edit changes the rulebook. What is different for phones that wait is told to
// them once it is true.
func (s *Server) edit(ctx context.Context, v *visit, text string, change func(*rulebook.State) error) (Edited, error) {
	if s.Rules == nil {
		return Edited{}, noRules
	}
	list, err := s.Rules.Edit(ctx, change)
	if wrong, ok := errors.AsType[rulebook.Complaints](err); ok {
		return Edited{}, invalid("Nothing was changed:\n%s", wrong.Error())
	}
	if err != nil {
		return Edited{}, err
	}
	if len(list) == 0 {
		return Edited{Text: "That is so already.", Changes: some(list)}, nil
	}
	before, after := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, d := range list {
		if d.Before != nil {
			before[d.Kind+" "+d.Name] = d.Before
		}
		if d.After != nil {
			after[d.Kind+" "+d.Name] = d.After
		}
	}
	v.changed(before, after)
	v.afterwards(s.reload)
	return Edited{text, list}, nil
}

// reload makes what is stored hold, and tells the phones that wait.
func (s *Server) reload(ctx context.Context) {
	before, err := s.Rules.Reload(ctx)
	if err != nil {
		s.Logger.Error("what was changed is stored, but does not hold before the worker is started again", "error", err)
		return
	}
	phones, err := s.Devices.Phones(ctx, "")
	if err != nil {
		s.Logger.Error("phones that wait were not told of a change, and hear of it when their heartbeat ends", "error", err)
		return
	}
	told := rulebook.Tell(before, s.Rules.Present(), phones, s.Waiting)
	s.Logger.Info("the rules for phones changed", "told", told)
}

// state reads what is stored.
func (s *Server) state(ctx context.Context) (*rulebook.State, error) {
	if s.Rules == nil {
		return nil, noRules
	}
	return s.Rules.State(ctx)
}

// A Group is a group with its name.
type Group struct {
	Name string `json:"name"`
	group.Group
}

// A GroupRequest changes a group. Members that are added and are there already, or
// taken out and are not, are no mistake.
type GroupRequest struct {
	Name        string  `json:"name"`
	Create      bool    `json:"create,omitempty"` // it must not be there
	Delete      bool    `json:"delete,omitempty"` // with what is linked to it
	Description *string `json:"description,omitempty"`

	AddUsers     []string `json:"add_users,omitempty"`
	RemoveUsers  []string `json:"remove_users,omitempty"`
	AddGroups    []string `json:"add_groups,omitempty"`
	RemoveGroups []string `json:"remove_groups,omitempty"`
}

func (r GroupRequest) about() string { return "group " + r.Name }

// A Membership is a group that a person belongs to.
type Membership struct {
	Group   string   `json:"group"`
	Through []string `json:"through"` // the groups on the way, from the one that names the person
}

func (s *Server) groups(ctx context.Context, _ *visit, _ Nothing) ([]Group, error) {
	st, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	list := []Group{}
	for _, name := range keys(st.Groups) {
		list = append(list, Group{name, st.Groups[name]})
	}
	return list, nil
}

func (s *Server) memberships(_ context.Context, _ *visit, r UserRequest) ([]Membership, error) {
	if s.Rules == nil {
		return nil, noRules
	}
	if r.User == "" {
		return nil, invalid("say whose groups: ?user=NAME")
	}
	list := []Membership{}
	for _, m := range s.Rules.Present().Groups(r.User) {
		list = append(list, Membership{m.Group, some(m.Through)})
	}
	return list, nil
}

func (s *Server) editGroup(ctx context.Context, v *visit, r GroupRequest) (Edited, error) {
	if r.Name == "" {
		return Edited{}, invalid("say which group: name")
	}
	text := fmt.Sprintf("Group %q is changed; phones that wait are told of what that means for them.", r.Name)
	return s.edit(ctx, v, text, func(st *rulebook.State) error {
		g, known := st.Groups[r.Name]
		switch {
		case r.Create && known:
			return invalid("There is a group %q already.", r.Name)
		case !r.Create && !known:
			return notFound("There is no group %q.", r.Name)
		case r.Delete:
			return deleteGroup(st, r.Name)
		}
		if r.Description != nil {
			g.Description = *r.Description
		}
		g.Users = members(g.Users, r.AddUsers, r.RemoveUsers)
		g.Groups = members(g.Groups, r.AddGroups, r.RemoveGroups)
		st.Groups[r.Name] = g
		return nil
	})
}

// members adds and takes out, and keeps the order of the alphabet.
func members(list, add, remove []string) []string {
	list = slices.Concat(list, add)
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(m string) bool { return slices.Contains(remove, m) })
}

// deleteGroup takes a group out of the others. One that a policy or a rule is for
// stays: what would become of its people is for a person to say.
func deleteGroup(st *rulebook.State, name string) error {
	var uses []string
	for _, l := range st.Links {
		if l.Scope.Kind == "group" && l.Scope.Name == name {
			uses = append(uses, "policy "+l.Policy)
		}
	}
	for i, r := range st.Admission.Rules {
		if r.Group == name {
			uses = append(uses, fmt.Sprintf("rule %d of admission", i+1))
		}
	}
	for _, b := range st.Blocks {
		if b.Kind == "group" && b.Name == name {
			uses = append(uses, "a block of inheritance")
		}
	}
	if len(uses) > 0 {
		return invalid("Group %q is used by %s; take it out there first.", name, strings.Join(uses, ", "))
	}
	delete(st.Groups, name)
	for other, g := range st.Groups {
		g.Groups = slices.DeleteFunc(slices.Clone(g.Groups), func(h string) bool { return h == name })
		st.Groups[other] = g
	}
	return nil
}

// keys are the names of a map in order.
func keys[T any](m map[string]T) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
