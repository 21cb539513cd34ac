package selfservice

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// An order is something that is done after a page has said what it means.
type order struct {
	title, button string
	danger        bool // somebody has to say that they know
	means         []string
	to            string // the page that it leads to

	// offered tells whether there is a point in it now, and whether the server lets
	// owners do it.
	offered func(*Pages, *ask, admin.Device) bool

	// do does it, and answers the word of what was said.
	do func(context.Context, *Pages, *ask, string) (string, error)
}

// An offer is a button of a page.
type offer struct {
	Name, Button string
	Danger       bool
}

// orderNames are in the order of the buttons, the harmless ones first.
var orderNames = []string{"resync", "cancel", "forget", "block", "wipe-account", "wipe-full"}

var orders = map[string]order{
	"resync": {
		title: "Have the phone load everything anew?", button: "Load everything anew", to: "phone",
		means: []string{"At its next request the phone drops what it has of this account, and loads all folders again. That helps when phone and server disagree.",
			"It takes minutes, and data. What was changed on the phone and not yet sent may be lost."},
		offered: func(_ *Pages, a *ask, d admin.Device) bool {
			return d.Blocked == "" && d.Quarantine == "" && !unended(d.Wipe) && a.may(admin.OpResync.Operation, admin.ResyncRequest{User: a.user, Device: d.Device})
		},
		do: func(ctx context.Context, p *Pages, a *ask, id string) (string, error) {
			_, err := admin.OpResync.Do(ctx, p.Server, a.actor, admin.ResyncRequest{User: a.user, Device: id})
			return "resync", err
		},
	},
	"cancel": {
		title: "Take the order to erase back?", button: "Do not erase it after all", to: "phone",
		means:   []string{"The phone is not told to erase anything any more. If it was told already, it may have begun, and that cannot be stopped."},
		offered: func(_ *Pages, a *ask, d admin.Device) bool { return unended(d.Wipe) && d.Wipe.By == a.actor.Name },
		do:      wiping(admin.WipeRequest{Cancel: true}, "cancel"),
	},
	"forget": {
		title: "Remove this phone from the list?", button: "Remove it from the list",
		means: []string{"Everything that the server knows of the phone is dropped. Nothing is deleted on the phone, nor on the server.",
			"This is for a phone that you do not use any more. Should it come again, it appears again. For a lost phone, erase your account on it instead."},
		offered: func(_ *Pages, a *ask, d admin.Device) bool {
			return d.Blocked == "" && !unended(d.Wipe) && a.may(admin.OpForget.Operation, a.phone(d.Device))
		},
		do: func(ctx context.Context, p *Pages, a *ask, id string) (string, error) {
			_, err := admin.OpForget.Do(ctx, p.Server, a.actor, a.phone(id))
			return "forget", err
		},
	},
	"block": {
		title: "Keep this phone out?", button: "Keep it out", to: "phone",
		means: []string{"The phone gets nothing more from this server, at once. What is on it stays on it.",
			"Only an administrator can let it in again."},
		offered: func(_ *Pages, a *ask, d admin.Device) bool {
			return d.Blocked == "" && !unended(d.Wipe) && a.may(admin.OpBlock.Operation, a.phone(d.Device))
		},
		do: func(ctx context.Context, p *Pages, a *ask, id string) (string, error) {
			_, err := admin.OpBlock.Do(ctx, p.Server, a.actor, a.phone(id))
			return "block", err
		},
	},
	"wipe-account": {
		title: "Remove your account from this phone?", button: "It is lost: remove my account from it", to: "phone",
		means: []string{"The phone is told to remove this account, with the contacts, calendars, tasks, notes and mails that it has of it. Everything else on the phone stays.",
			"Nothing is deleted on the server. A phone that is switched off is told when it comes next.",
			"Afterwards the phone is kept out until an administrator lets it in. As long as it has not done it, you can take the order back here."},
		offered: func(_ *Pages, a *ask, d admin.Device) bool {
			v, err := eas.ParseVersion(d.Version)
			return err == nil && v >= eas.V161 && mayErase(a, d, true)
		},
		do: wiping(admin.WipeRequest{AccountOnly: true}, "wipe-account"),
	},
	"wipe-full": {
		title: "Erase the whole phone?", button: "It is lost: erase everything on it", danger: true, to: "phone",
		means: []string{"The phone is told to reset itself. Everything on it is lost: photographs, messages, programs, and all other accounts.",
			"What is only on the phone cannot be brought back. Nothing is deleted on the server.",
			"A phone that is switched off is told when it comes next. Afterwards it is kept out until an administrator lets it in."},
		offered: func(p *Pages, a *ask, d admin.Device) bool {
			return p.Server.OwnersWipe && p.Server.Security.FullWipes() && mayErase(a, d, false)
		},
		do: wiping(admin.WipeRequest{}, "wipe-full"),
	},
}

// inForce tells whether a phone is to be erased.
func inForce(w *admin.Wipe) bool {
	return w != nil && device.Wipe{State: device.WipeState(w.State), Tries: w.Tries}.InForce()
}

// unended tells whether there is an order to erase that could be taken back.
func unended(w *admin.Wipe) bool {
	return inForce(w) || w != nil && w.State == string(device.WipeRequested)
}

// mayErase tells whether an order to erase a phone could be given now.
func mayErase(a *ask, d admin.Device, accountOnly bool) bool {
	return !unended(d.Wipe) && a.may(admin.OpWipe.Operation, admin.WipeRequest{User: a.user, Device: d.Device, AccountOnly: accountOnly})
}

// wiping is an order to erase, or to take that back.
func wiping(r admin.WipeRequest, word string) func(context.Context, *Pages, *ask, string) (string, error) {
	return func(ctx context.Context, p *Pages, a *ask, id string) (string, error) {
		_, err := admin.OpWipe.Do(ctx, p.Server, a.actor, admin.WipeRequest{User: a.user, Device: id, AccountOnly: r.AccountOnly, Cancel: r.Cancel})
		return word, err
	}
}

// device is a phone of the owner's.
func (p *Pages) device(a *ask, id string) (admin.Device, error) {
	list, err := admin.OpDevices.Do(a.Context(), p.Server, a.actor, admin.UserRequest{User: a.user})
	if err != nil {
		return admin.Device{}, err
	}
	for _, d := range list {
		if d.Device == id {
			return d, nil
		}
	}
	return admin.Device{}, &admin.Error{Kind: admin.NotFound, Text: "You have no such phone here."}
}

// offers are the buttons of what can be done about a phone.
func (p *Pages) offers(a *ask, d admin.Device) (list []offer) {
	for _, name := range orderNames {
		if o := orders[name]; o.offered(p, a, d) {
			list = append(list, offer{name, o.button, o.danger})
		}
	}
	return list
}

// wanted is the order that somebody wants to give, and the phone that it is about.
func (p *Pages) wanted(a *ask, name, id string) (o order, d admin.Device, err error) {
	o, known := orders[name]
	if !known {
		return o, d, &admin.Error{Kind: admin.NotFound, Text: "There is no such order."}
	}
	if d, err = p.device(a, id); err != nil {
		return o, d, err
	}
	if !o.offered(p, a, d) {
		return o, d, &admin.Error{Kind: admin.Refused, Text: "This cannot be done with this phone, or not by you, or not any more. Ask an administrator."}
	}
	return o, d, nil
}

// A confirmation says what an order means.
type confirmation struct {
	Name, Title, Button string
	Danger              bool
	Means               []string
	Phone               admin.Device
}

func (p *Pages) confirm(a *ask) error {
	name := a.URL.Query().Get("do")
	o, d, err := p.wanted(a, name, a.URL.Query().Get("device"))
	if err != nil {
		return err
	}
	p.show(a, 200, "confirm", view{Title: o.title, Data: confirmation{name, o.title, o.button, o.danger, o.means, d}})
	return nil
}

func (p *Pages) carryOut(a *ask) error {
	id := a.PostForm.Get("device")
	o, _, err := p.wanted(a, a.PostForm.Get("do"), id)
	if err != nil {
		return err
	}
	if o.danger && a.PostForm.Get("sure") != "yes" {
		return &admin.Error{Kind: admin.Invalid, Text: "Nothing was done: the box that says that you know what it means was not ticked."}
	}
	word, err := o.do(a.Context(), p, a, id)
	if err != nil {
		return err
	}
	if o.to == "" {
		return p.goTo(a, "", "said", word)
	}
	return p.goTo(a, o.to, "device", id, "said", word)
}
