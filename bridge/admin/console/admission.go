package console

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

// A queued phone waits for somebody who lets it in.
type queued struct {
	row
	Orders []offered
}

// An admissionPage says who may come in.
type admissionPage struct {
	Queue   pageOf[queued]
	Rules   []numbered
	Default rulebook.Action
	All     bool // the default is for phones that came before, too
	Max     int
	Most    int // that Max may be
	Groups  []admin.Group
	Listed  []listed
	Edit    bool
	List    bool // DeviceIds
	Actions []rulebook.Action
}

// A numbered rule is one in its place.
type numbered struct {
	N int
	rulebook.Rule
	Orders []offered
}

// A listed DeviceId is refused.
type listed struct {
	admin.Listed
	Orders []offered
}

// Fits is which phones a rule is about, in words.
func (n numbered) Fits() string {
	r := n.Rule
	r.Action, r.Note = "", ""
	return strings.TrimSpace(r.String())
}

func (c *Console) admission(a *ask) error {
	ctx := a.Context()
	queue, err := admin.OpQueue.Do(ctx, c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	rules, err := admin.OpAdmission.Do(ctx, c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	list, err := admin.OpBlockList.Do(ctx, c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return err
	}
	p := admissionPage{Default: rules.Default, All: rules.Everybody, Max: rules.MaxDevices, Most: device.MaxPhones, Actions: rulebook.Actions,
		Edit: a.may(admin.OpSetAdmission.Operation, admin.AdmissionChange{}), List: a.may(admin.OpSetListed.Operation, admin.ListRequest{})}
	if p.Default == "" {
		p.Default = rulebook.Allow
	}
	if p.Groups, err = admin.OpGroups.Do(ctx, c.Server, a.actor, admin.Nothing{}); err != nil {
		return err
	}
	some := paged(queue, len(queue), a.URL.Query())
	p.Queue = pageOf[queued]{Found: some.Found, All: some.All, Page: some.Page, Pages: some.Pages}
	for _, d := range some.Rows {
		p.Queue.Rows = append(p.Queue.Rows, queued{rowOf(d), c.offer(a, []string{"approve", "refuse"}, "user", d.User, "device", d.Device)})
	}
	for i, r := range rules.Rules {
		p.Rules = append(p.Rules, numbered{i + 1, r, c.offer(a, []string{"rule-remove"}, "n", strconv.Itoa(i+1), "is", r.String())})
	}
	for _, l := range list {
		p.Listed = append(p.Listed, listed{l, c.offer(a, []string{"unlist"}, "device", l.Device)})
	}
	c.show(a, 200, "admission", view{Title: "Admission", Here: "admission", Data: p})
	return nil
}

// setAdmission changes what the form is about.
func (c *Console) setAdmission(a *ask) error {
	f, change := a.PostForm, admin.AdmissionChange{}
	switch f.Get("do") {
	case "default":
		action := rulebook.Action(f.Get("default"))
		change.Default, change.Everybody = &action, f.Get("everybody") == "yes"
	case "max":
		most, err := number(f.Get("max"))
		if err != nil {
			return err
		}
		change.MaxDevices = &most
	case "rule":
		at, err := number(f.Get("at"))
		if err != nil {
			return err
		}
		change.At = at
		change.Insert = &rulebook.Rule{Action: rulebook.Action(f.Get("action"))}
		for key, to := range map[string]*string{"user": &change.Insert.User, "group": &change.Insert.Group, "device": &change.Insert.Device, "type": &change.Insert.Type,
			"agent": &change.Insert.Agent, "os": &change.Insert.OS, "below": &change.Insert.OSBelow, "note": &change.Insert.Note} {
			*to = strings.TrimSpace(f.Get(key))
		}
	default:
		return &admin.Error{Kind: admin.Invalid, Text: "The form does not say what it is about."}
	}
	e, err := admin.OpSetAdmission.Do(a.Context(), c.Server, a.actor, change)
	return c.edited(a, "admission", e, err)
}

// setListed puts a DeviceId on the block list.
func (c *Console) setListed(a *ask) error {
	e, err := admin.OpSetListed.Do(a.Context(), c.Server, a.actor, admin.ListRequest{Device: strings.TrimSpace(a.PostForm.Get("device")), Why: strings.TrimSpace(a.PostForm.Get("why"))})
	return c.edited(a, "admission", e, err)
}

// edited leads to the page of what was changed.
func (c *Console) edited(a *ask, page string, e admin.Edited, err error) error {
	if err != nil {
		return err
	}
	c.again()
	c.goTo(a, c.at(page), e.Text)
	return nil
}

// queueOrders are those about who may come in.
func queueOrders() map[string]order {
	toQueue := func(c *Console, _ url.Values) string { return c.at("admission") }
	approve, refuse := phoneOrders()["allow"], phoneOrders()["block"]
	approve.title, approve.back = "Let this phone in?", toQueue
	refuse.link, refuse.title, refuse.button, refuse.back = "Refuse", "Refuse this phone?", "Refuse", toQueue
	return map[string]order{"approve": approve, "refuse": refuse,
		"rule-remove": {op: admin.OpSetAdmission.Operation, link: "Remove", title: "Remove this rule?", button: "Remove", fields: []string{"n", "is"}, back: toQueue,
			request: func(url.Values) any { return admin.AdmissionChange{} },
			about: func(_ context.Context, _ *Console, _ *ask, f url.Values) ([]fact, []string, error) {
				return []fact{{"Rule", f.Get("is")}}, []string{"The rules behind it, and then the default, decide about the phones that it fitted. Phones that wait are told of what that means for them."}, nil
			},
			do: removeRule},
		"unlist": {op: admin.OpSetListed.Operation, link: "Take it off", title: "Take this DeviceId off the block list?", button: "Take it off", fields: []string{"device"}, back: toQueue,
			request: func(f url.Values) any { return admin.ListRequest{Device: f.Get("device")} },
			about: func(_ context.Context, _ *Console, _ *ask, f url.Values) ([]fact, []string, error) {
				return []fact{{"DeviceId", f.Get("device")}}, []string{"Phones with this DeviceId may ask again, whoever uses them; the rules of admission decide about them as about others."}, nil
			},
			do: func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
				e, err := admin.OpSetListed.Do(ctx, c.Server, a.actor, admin.ListRequest{Device: f.Get("device"), Remove: true})
				return e.Text, err
			}}}
}

// removeRule removes a rule, unless another one stands in its place by now.
func removeRule(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
	n, err := number(f.Get("n"))
	if err != nil {
		return "", err
	}
	now, err := admin.OpAdmission.Do(ctx, c.Server, a.actor, admin.Nothing{})
	if err != nil {
		return "", err
	}
	if n < 1 || n > len(now.Rules) || now.Rules[n-1].String() != f.Get("is") {
		if i := slices.IndexFunc(now.Rules, func(r rulebook.Rule) bool { return r.String() == f.Get("is") }); i >= 0 {
			return "", &admin.Error{Kind: admin.Invalid, Text: fmt.Sprintf("Nothing was removed: the rules were changed meanwhile, and this one is number %d now.", i+1)}
		}
		return "", &admin.Error{Kind: admin.NotFound, Text: "There is no such rule any more."}
	}
	e, err := admin.OpSetAdmission.Do(ctx, c.Server, a.actor, admin.AdmissionChange{Remove: n})
	return e.Text, err
}
