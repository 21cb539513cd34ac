package console

import (
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// A devicePage is all that is known of a phone.
type devicePage struct {
	admin.DevicePage
	row
	Name   string
	Orders []offered
	Values []decided
	Audit  bool // who looks may see all of it
	NoWipe string
}

// A decided setting is one of the policy that results for a phone.
type decided struct {
	rsop.Decided
	Means string
}

func (c *Console) device(a *ask) error {
	q := a.URL.Query()
	d, err := admin.OpDevice.Do(a.Context(), c.Server, a.actor, admin.PhoneRequest{User: q.Get("user"), Device: q.Get("device")})
	if err != nil {
		return err
	}
	p := devicePage{DevicePage: d, row: rowOf(d.Device), Name: phoneName(d.Device), Audit: a.may(admin.OpAudit.Operation, admin.AuditRequest{})}
	p.Orders = c.offer(a, c.sensible(d.Device), "user", d.Device.User, "device", d.Device.Device)
	if d.Policy != nil {
		p.Values = explained(d.Policy.Values)
	}
	c.show(a, 200, "device", view{Title: p.Name, Here: "devices", Data: p})
	return nil
}

// sensible are the orders that make sense for a phone as it is.
func (c *Console) sensible(d admin.Device) (names []string) {
	var w device.Wipe
	if d.Wipe != nil {
		w = device.Wipe{State: device.WipeState(d.Wipe.State), Tries: d.Wipe.Tries}
	}
	inForce, requested := w.InForce(), w.State == device.WipeRequested
	if requested {
		names = append(names, "wipe-confirm")
	}
	if inForce || requested {
		names = append(names, "wipe-cancel")
	}
	if !inForce && (d.Blocked != "" || d.Quarantine != "") {
		names = append(names, "allow")
	}
	if d.Blocked == "" {
		names = append(names, "block")
	}
	if !inForce {
		if d.Version == accountWipes {
			names = append(names, "wipe-account")
		}
		if c.Server.Security.FullWipes() {
			names = append(names, "wipe-full")
		}
	}
	names = append(names, "resync", "trace", "recover")
	if !inForce && !requested {
		names = append(names, "forget")
	}
	return names
}

// accountWipes is the version of the protocol in which one account can be erased.
const accountWipes = "16.1"

// outcomes are the words of the audit, as the pages have them.
func outcomeTone(o audit.Outcome) string {
	switch o {
	case audit.Done:
		return "good"
	case audit.Begun:
		return "look"
	}
	return "bad"
}
