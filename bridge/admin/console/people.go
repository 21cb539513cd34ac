package console

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// A pageOf is a part of a list, with what leads to the others.
type pageOf[T any] struct {
	Rows        []T
	Found, All  int
	Page, Pages int
	Text        string // that was searched for
}

// paged takes a page out of a list.
func paged[T any](list []T, all int, q url.Values) pageOf[T] {
	s := searchOf(q)
	p := pageOf[T]{Found: len(list), All: all, Text: s.Text, Pages: max((len(list)+perPage-1)/perPage, 1)}
	p.Page = min(s.Page, p.Pages)
	first := (p.Page - 1) * perPage
	p.Rows = list[first:min(first+perPage, len(list))]
	return p
}

func (c *Console) people(a *ask) error {
	list, err := admin.OpPeople.Do(a.Context(), c.Server, a.actor, admin.UserRequest{})
	if err != nil {
		return err
	}
	groups, err := admin.OpGroups.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	all, text := len(list), strings.ToLower(searchOf(a.URL.Query()).Text)
	list = slices.DeleteFunc(list, func(p admin.Person) bool { return text != "" && !strings.Contains(strings.ToLower(p.User), text) })
	c.show(a, 200, "people", view{Title: "People", Here: "people", Data: struct {
		pageOf[admin.Person]
		Groups []admin.Group
		Edit   bool
	}{paged(list, all, a.URL.Query()), groups, a.may(admin.OpGroupEdit.Operation, admin.GroupRequest{})}})
	return nil
}

// A personPage is somebody with their phones.
type personPage struct {
	admin.Person
	Known  bool
	Devs   []row // the first of them
	Orders []offered
	Groups []admin.Membership
	Edit   bool // how many phones there may be
}

func (c *Console) person(a *ask) error {
	user := a.URL.Query().Get("user")
	request := admin.UserRequest{User: user}
	list, err := admin.OpPeople.Do(a.Context(), c.Server, a.actor, request)
	if err != nil {
		return err
	}
	p := personPage{Person: admin.Person{User: user}, Edit: a.may(admin.OpSetPerson.Operation, admin.PersonRequest{User: user})}
	if len(list) > 0 {
		p.Person, p.Known = list[0], true
	}
	devices, err := admin.OpDevices.Do(a.Context(), c.Server, a.actor, request)
	if err != nil {
		return err
	}
	for _, d := range devices[:min(len(devices), perPage)] {
		p.Devs = append(p.Devs, rowOf(d))
	}
	if p.Groups, err = admin.OpMemberships.Do(a.Context(), c.Server, a.actor, request); err != nil {
		return err
	}
	name := "person-off"
	if p.Off {
		name = "person-on"
	}
	p.Orders = c.offer(a, []string{name}, "user", user)
	c.show(a, 200, "person", view{Title: user, Here: "people", Data: p})
	return nil
}

// setPerson says how many phones somebody may have.
func (c *Console) setPerson(a *ask) error {
	most, err := number(a.PostForm.Get("max"))
	if err != nil {
		return err
	}
	user := a.PostForm.Get("user")
	e, err := admin.OpSetPerson.Do(a.Context(), c.Server, a.actor, admin.PersonRequest{User: user, MaxDevices: &most})
	if err != nil {
		return err
	}
	c.again()
	c.goTo(a, c.at("person", "user", user), e.Text)
	return nil
}

// number reads one; empty is 0.
func number(text string) (int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, &admin.Error{Kind: admin.Invalid, Text: fmt.Sprintf("%.40q is no number.", text)}
	}
	return n, nil
}

// personOrder switches mobile access of a person off or on.
func personOrder(off bool, link, title, button string, means ...string) order {
	return order{op: admin.OpSetPerson.Operation, link: link, title: title, button: button, fields: []string{"user"},
		request: func(f url.Values) any { return admin.PersonRequest{User: f.Get("user")} },
		about: func(_ context.Context, _ *Console, _ *ask, f url.Values) ([]fact, []string, error) {
			return []fact{{"Person", f.Get("user")}}, means, nil
		},
		do: func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
			e, err := admin.OpSetPerson.Do(ctx, c.Server, a.actor, admin.PersonRequest{User: f.Get("user"), Off: &off, Why: f.Get("why")})
			return e.Text, err
		},
		back: func(c *Console, f url.Values) string { return c.at("person", "user", f.Get("user")) }}
}

// A groupPage is a group with whom it has.
type groupPage struct {
	admin.Group
	Others []string // groups that could belong to it
	Edit   bool
	Orders []offered
}

func (c *Console) group(a *ask) error {
	name := a.URL.Query().Get("name")
	groups, err := admin.OpGroups.Do(a.Context(), c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	p := groupPage{Edit: a.may(admin.OpGroupEdit.Operation, admin.GroupRequest{Name: name})}
	found := false
	for _, g := range groups {
		if g.Name == name {
			p.Group, found = g, true
		} else {
			p.Others = append(p.Others, g.Name)
		}
	}
	if !found {
		return &admin.Error{Kind: admin.NotFound, Text: fmt.Sprintf("There is no group %q.", name)}
	}
	p.Others = slices.DeleteFunc(p.Others, func(o string) bool { return slices.Contains(p.Group.Groups, o) })
	p.Orders = c.offer(a, []string{"group-delete"}, "name", name)
	c.show(a, 200, "group", view{Title: "Group " + name, Here: "people", Data: p})
	return nil
}

// editGroup makes or changes a group: whatever the form has.
func (c *Console) editGroup(a *ask) error {
	f := a.PostForm
	r := admin.GroupRequest{Name: strings.TrimSpace(f.Get("name")), Create: f.Get("create") == "yes"}
	if f.Has("description") {
		d := strings.TrimSpace(f.Get("description"))
		r.Description = &d
	}
	some := func(key string) []string {
		if text := strings.TrimSpace(f.Get(key)); text != "" {
			return []string{text}
		}
		return nil
	}
	r.AddUsers, r.RemoveUsers = some("add-user"), some("remove-user")
	r.AddGroups, r.RemoveGroups = some("add-group"), some("remove-group")
	e, err := admin.OpGroupEdit.Do(a.Context(), c.Server, a.actor, r)
	if err != nil {
		return err
	}
	c.again()
	c.goTo(a, c.at("group", "name", r.Name), e.Text)
	return nil
}

// peopleOrders are those about people and groups.
func peopleOrders() map[string]order {
	return map[string]order{
		"person-off": withPart("why", personOrder(true, "Switch mobile access off", "Switch mobile access off?", "Switch off",
			"None of this person's phones is served any more, those included that come later. They are told at once.",
			"What is on the phones stays on them, and nothing else of the account changes: mail and calendars work elsewhere as before.")),
		"person-on": personOrder(false, "Switch mobile access on", "Switch mobile access on?", "Switch on",
			"This person's phones are served again, each as far as the rules of admission and blocks allow it."),
		"group-delete": order{op: admin.OpGroupEdit.Operation, link: "Delete the group", title: "Delete this group?", button: "Delete", fields: []string{"name"},
			request: func(f url.Values) any { return admin.GroupRequest{Name: f.Get("name")} },
			about: func(_ context.Context, _ *Console, _ *ask, f url.Values) ([]fact, []string, error) {
				return []fact{{"Group", f.Get("name")}}, []string{"The group is gone, also as a member of other groups. Its people stay.",
					"A group that a policy or a rule of admission is for cannot be deleted before it is taken out there."}, nil
			},
			do: func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
				e, err := admin.OpGroupEdit.Do(ctx, c.Server, a.actor, admin.GroupRequest{Name: f.Get("name"), Delete: true})
				if err != nil {
					return "", err
				}
				return fmt.Sprintf("Group %q is deleted. %s", f.Get("name"), e.Text), nil
			},
			back: func(c *Console, _ url.Values) string { return c.at("people") }},
	}
}

// withPart gives the page of an order fields of its own.
func withPart(part string, o order) order { o.part = part; return o }
