package console

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// An order is something that can be done by a button, which leads to a page that
// says what it means.
type order struct {
	op     *admin.Operation
	link   string // to the page that asks
	title  string // what it asks: "Block this phone?"
	button string // what is pressed there
	danger bool   // it cannot be undone: somebody has to say that they know
	fields []string
	part   string // of the page, with fields of its own

	// request is what the operation is asked, for who may.
	request func(url.Values) any

	// about is whom it concerns, with names and values for people, and means what
	// happens in sentences.
	about func(context.Context, *Console, *ask, url.Values) (facts []fact, means []string, err error)

	// do does it, and says what it led to.
	do func(context.Context, *Console, *ask, url.Values) (string, error)

	// back is where it leads.
	back func(*Console, url.Values) string
}

// A fact is a name and a value.
type fact struct{ Name, Value string }

// An offered order is a button of a page.
type offered struct {
	Name, Link, Op string
	Danger         bool
	URL            string
}

// offer makes the buttons of those orders that who asks may give. What they concern
// is in pairs of names and values.
func (c *Console) offer(a *ask, names []string, query ...any) (list []offered) {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Set(query[i].(string), query[i+1].(string))
	}
	for _, name := range names {
		o := orders[name]
		if a.may(o.op, o.request(values)) {
			list = append(list, offered{name, o.link, o.op.Name, o.danger, c.at("confirm", append([]any{"do", name}, query...)...)})
		}
	}
	return list
}

// orders are what can be done by a button.
var orders = map[string]order{}

func init() {
	for _, some := range []func() map[string]order{phoneOrders, queueOrders, peopleOrders, problemOrders} {
		maps.Copy(orders, some())
	}
}

// A confirmation is the page that says what an order means.
type confirmation struct {
	Name, Title, Button, Part, Op string
	Danger                        bool
	Facts                         []fact
	Means                         []string
	Hidden                        []fact
	Back                          string
}

// orderOf finds the order that somebody wants to give, if they may.
func (c *Console) orderOf(a *ask, f url.Values) (order, error) {
	o, known := orders[f.Get("do")]
	if !known {
		return o, &admin.Error{Kind: admin.NotFound, Text: "There is no such order."}
	}
	if !a.may(o.op, o.request(f)) {
		return o, &admin.Error{Kind: admin.Refused, Text: refusal(a.actor, o.op)}
	}
	return o, nil
}

// refusal says who may.
func refusal(a admin.Actor, op *admin.Operation) string {
	roles := make([]string, 0, len(op.Roles))
	for _, r := range op.Roles {
		if r != admin.SelfService {
			roles = append(roles, string(r))
		}
	}
	return a.Name + " may not do this: it is for the roles " + strings.Join(roles, ", ") + "."
}

// confirm asks whether somebody means it.
func (c *Console) confirm(a *ask) error {
	f := a.URL.Query()
	o, err := c.orderOf(a, f)
	if err != nil {
		return err
	}
	p := confirmation{Name: f.Get("do"), Title: o.title, Button: o.button, Part: o.part, Op: o.op.Name, Danger: o.danger, Back: o.back(c, f)}
	if p.Facts, p.Means, err = o.about(a.Context(), c, a, f); err != nil {
		return err
	}
	for _, name := range o.fields {
		p.Hidden = append(p.Hidden, fact{name, f.Get(name)})
	}
	c.show(a, 200, "confirm", view{Here: nowhere, Title: o.title, Data: p})
	return nil
}

// carryOut does what was confirmed.
func (c *Console) carryOut(a *ask) error {
	o, known := orders[a.PostForm.Get("do")]
	if !known {
		return &admin.Error{Kind: admin.NotFound, Text: "There is no such order."}
	}
	if o.danger && a.PostForm.Get("sure") != "yes" {
		return &admin.Error{Kind: admin.Invalid, Text: "Nothing was done: the box that says that you know what it means was not ticked."}
	}
	said, err := o.do(a.Context(), c, a, a.PostForm)
	c.again()
	if err != nil || said == "" {
		return err // or there is a page of its own
	}
	c.goTo(a, cmp.Or(o.back(c, a.PostForm), c.Prefix), said)
	return nil
}
