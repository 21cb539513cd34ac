package console

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// phoneFields say which phone.
var phoneFields = []string{"user", "device"}

func phoneRequest(f url.Values) any {
	return admin.PhoneRequest{User: f.Get("user"), Device: f.Get("device")}
}

// phoneOrder is an order about a phone. means says what happens to it.
func phoneOrder(op *admin.Operation, link, title, button string, means func(admin.Device) []string, do func(context.Context, *Console, *ask, url.Values) (string, error)) order {
	return order{op: op, link: link, title: title, button: button, fields: phoneFields, request: phoneRequest, do: do,
		about: func(ctx context.Context, c *Console, a *ask, f url.Values) ([]fact, []string, error) {
			d, err := c.phone(ctx, a, f.Get("user"), f.Get("device"))
			if err != nil {
				return nil, nil, err
			}
			return []fact{{"Phone", phoneName(d)}, {"Owner", d.User}, {"DeviceId", d.Device}, {"Now", healthOf(d.Health).Word + ": " + d.Why}, {"Last seen", moment(d.LastSeen)}}, means(d), nil
		},
		back: func(c *Console, f url.Values) string {
			return c.at("device", "user", f.Get("user"), "device", f.Get("device"))
		}}
}

// phone finds a phone.
func (c *Console) phone(ctx context.Context, a *ask, user, id string) (admin.Device, error) {
	list, err := admin.OpDevices.Do(ctx, c.Server, a.actor, admin.UserRequest{User: user})
	if err != nil {
		return admin.Device{}, err
	}
	for _, d := range list {
		if d.User == user && d.Device == id {
			return d, nil
		}
	}
	return admin.Device{}, &admin.Error{Kind: admin.NotFound, Text: fmt.Sprintf("%q has no phone %q.", user, id)}
}

// phoneName is what a phone is called, as far as it says anything.
func phoneName(d admin.Device) string {
	for _, name := range []string{d.Called, d.Name, d.Model, d.Type} {
		if name != "" {
			return name
		}
	}
	return d.Device
}

// done is an operation on a phone that answers a sentence.
func done(op admin.Op[admin.PhoneRequest, admin.Done]) func(context.Context, *Console, *ask, url.Values) (string, error) {
	return func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
		d, err := op.Do(ctx, c.Server, a.actor, admin.PhoneRequest{User: f.Get("user"), Device: f.Get("device")})
		return d.Text, err
	}
}

// wiping is an order to erase, or to take that back.
func wiping(accountOnly, cancel bool) func(context.Context, *Console, *ask, url.Values) (string, error) {
	return func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
		d, err := admin.OpWipe.Do(ctx, c.Server, a.actor, admin.WipeRequest{User: f.Get("user"), Device: f.Get("device"), AccountOnly: accountOnly, Cancel: cancel})
		return d.Text, err
	}
}

// phoneOrders are those about a phone.
func phoneOrders() map[string]order {
	return map[string]order{
		"block": phoneOrder(admin.OpBlock.Operation, "Block", "Block this phone?", "Block", func(admin.Device) []string {
			return []string{"The phone gets nothing more from this server, at once. Its other accounts are not touched.",
				"What is on it stays on it: contacts, calendars and mails that it has can still be read there. To take them away, erase it.",
				"It stays blocked until somebody allows it."}
		}, done(admin.OpBlock)),
		"allow": phoneOrder(admin.OpAllow.Operation, "Let in", "Let this phone in?", "Let in", meansAllow, done(admin.OpAllow)),
		"wipe-account": phoneOrder(admin.OpWipe.Operation, "Erase the account", "Erase this account on the phone?", "Erase the account", func(admin.Device) []string {
			return []string{"The phone is told to remove this account, with the contacts, calendars, tasks, notes and mails that it has of it. Everything else on the phone stays.",
				"Nothing is deleted on the server. A phone that is switched off is told when it comes next.",
				"Afterwards the phone is blocked until somebody allows it. The order can be taken back as long as the phone has not carried it out."}
		}, wiping(true, false)),
		"wipe-full": dangerous(phoneOrder(admin.OpWipe.Operation, "Erase the whole phone", "Erase the whole phone?", "Erase the whole phone", func(admin.Device) []string {
			return []string{"The phone is told to reset itself. Everything on it is lost: photographs, messages, programs and the accounts of others, the owner's private things included.",
				"What is only on the phone cannot be brought back. Nothing is deleted on the server.",
				"A phone that is switched off is told when it comes next. Afterwards it is blocked until somebody allows it."}
		}, wiping(false, false))),
		"wipe-confirm": dangerous(phoneOrder(admin.OpConfirmWipe.Operation, "Confirm the order to erase", "Confirm that this phone is erased?", "Confirm", meansConfirm, done(admin.OpConfirmWipe))),
		"wipe-cancel": phoneOrder(admin.OpWipe.Operation, "Take the order to erase back", "Take the order to erase back?", "Take it back", func(d admin.Device) []string {
			means := []string{"The phone is not told to erase itself any more, and may come in again as far as the rules and blocks allow it."}
			if d.Wipe != nil && d.Wipe.Sent != nil {
				means = append(means, "It was told already, "+since(d.Wipe.Sent)+": it may have begun, and that cannot be stopped.")
			}
			return means
		}, wiping(false, true)),
		"forget": phoneOrder(admin.OpForget.Operation, "Remove from the list", "Remove this phone from the list?", "Remove", func(admin.Device) []string {
			return []string{"Everything that is known of the phone is dropped: its history, what it was told, and what was decided for it alone, an approval or a block included.",
				"Nothing is deleted on the phone. Should it come again, it begins anew, and the rules of admission decide about it as about a new one."}
		}, done(admin.OpForget)),
		"resync": phoneOrder(admin.OpResync.Operation, "Load everything anew", "Have the phone load everything anew?", "Load anew", func(admin.Device) []string {
			return []string{"At its next request the phone drops what it has of this account and loads all folders again.",
				"That helps when phone and server disagree. It takes minutes, and data; what was changed on the phone and not yet sent may be lost."}
		}, func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
			d, err := admin.OpResync.Do(ctx, c.Server, a.actor, admin.ResyncRequest{User: f.Get("user"), Device: f.Get("device")})
			return d.Text, err
		}),
		"trace": tracing(),
		"recover": phoneOrder(admin.OpRecover.Operation, "Show the recovery password", "Show the recovery password?", "Show it", func(admin.Device) []string {
			return []string{"With this password the phone's owner unlocks the phone and sets a new one. Give it to nobody else: whoever has it and the phone gets in.",
				"It is shown once, now. That you were told it stands in the audit and on the phone's page, where its owner sees it."}
		}, recovering),
	}
}

// dangerous has somebody say that they know what it means.
func dangerous(o order) order { o.danger = true; return o }

func meansAllow(d admin.Device) []string {
	means := []string{"The phone is served from now on: it gets its owner's contacts, calendars, tasks, notes and mails, as far as the policies for it are accepted."}
	if d.Quarantine != "" {
		means = append(means, "It waits because of: "+d.Quarantine+".")
	}
	if d.Blocked != "" {
		means = append(means, "It is kept out because of: "+d.Blocked+". What holds for all phones of its owner, or for its DeviceId, is not lifted by this.")
	}
	return append(means, "What a phone says of itself is not proved. Ask the owner whether this phone is theirs.")
}

func meansConfirm(d admin.Device) []string {
	if d.Wipe == nil {
		return nil
	}
	what := "reset itself. Everything on it is lost, the owner's private things included, and cannot be brought back"
	if d.Wipe.AccountOnly {
		what = "remove this account with everything that it has of it"
	}
	return []string{fmt.Sprintf("%s ordered this %s, and two people have to want it. With your word the phone is told to %s.", d.Wipe.By, since(d.Wipe.Ordered), what)}
}

// maxMinutes bounds a recording that is begun on a page.
const maxMinutes = int(trace.MaxTime / time.Minute)

// tracing begins to record a phone.
func tracing() order {
	o := phoneOrder(admin.OpTrace.Operation, "Record", "Record what this phone and the server say?", "Record", func(admin.Device) []string {
		return []string{"Requests and answers of this phone are written down in full for a while, and shown on the next page. Passwords are left out.",
			"Without the box below, what people wrote is left out, too. The recording ends a minute after that page is left, and is kept nowhere."}
	}, func(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
		minutes, err := strconv.Atoi(f.Get("minutes"))
		if err != nil || minutes < 1 || minutes > maxMinutes {
			return "", &admin.Error{Kind: admin.Invalid, Text: fmt.Sprintf("A recording takes from 1 to %d minutes.", maxMinutes)}
		}
		_, err = admin.OpTrace.Do(ctx, c.Server, a.actor, admin.TraceRequest{User: f.Get("user"), Device: f.Get("device"), Seconds: 60 * minutes, Content: f.Get("content") == "yes"})
		return "Recording.", err
	})
	o.part = "trace"
	o.request = func(f url.Values) any { return admin.TraceRequest{User: f.Get("user"), Device: f.Get("device")} }
	o.back = func(c *Console, f url.Values) string {
		return c.at("trace", "user", f.Get("user"), "device", f.Get("device"))
	}
	return o
}

// recovering shows a recovery password on a page of its own.
func recovering(ctx context.Context, c *Console, a *ask, f url.Values) (string, error) {
	r, err := admin.OpRecover.Do(ctx, c.Server, a.actor, admin.PhoneRequest{User: f.Get("user"), Device: f.Get("device")})
	if err != nil {
		return "", err
	}
	c.show(a, 200, "recovered", view{Title: "Recovery password", Here: "devices", Data: r})
	return "", nil
}
