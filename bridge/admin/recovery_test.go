package admin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// A recovery password is shown to whom may see it, and that it was stands in the
// audit and at the phone. A key can be changed, and one that is lost loses nothing
// else.
func TestRecovery(t *testing.T) {
	first, second := strings.Repeat("01", 32), strings.Repeat("02", 32)
	register := func(d desk, keys string) *device.Register {
		t.Helper()
		box, err := recovery.Read(strings.NewReader(keys))
		if err != nil {
			t.Fatal(err)
		}
		return device.New(device.Options{Store: d.store, Box: box, Policy: policy.Policy{Require: true,
			Document: policy.Document{"device_password_enabled": true, "password_recovery_enabled": true}}})
	}
	d := newDesk(t, nil)
	me := admin.PhoneRequest{User: "ann", Device: "P"}
	fails := func(when string, kind admin.Kind, says string) {
		t.Helper()
		_, err := admin.OpRecover.Do(t.Context(), d.Server, boss, me)
		if e, ok := errors.AsType[*admin.Error](err); !ok || e.Kind != kind || !strings.Contains(e.Text, says) {
			t.Errorf("%s: %v, want kind %s and %q", when, err, kind, says)
		}
	}
	shows := func(when string) {
		t.Helper()
		r, err := admin.OpRecover.Do(t.Context(), d.Server, boss, me)
		if err != nil || r.Password != "1234567890" || r.HandedIn.IsZero() {
			t.Errorf("%s: it shows %+v, %v", when, r, err)
		}
	}
	fails("no file of keys", admin.Invalid, "policy.recovery_keys")
	keeper := register(d, first)
	d.Security = keeper
	fails("nothing handed in", admin.NotFound, "handed no recovery password in")
	p, err := d.store.Phone(t.Context(), device.ID{User: "ann", Device: "P"})
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.KeepPassword(t.Context(), p, "1234567890"); err != nil {
		t.Fatal(err)
	}
	shows("handed in")
	last := d.audit.Records[len(d.audit.Records)-1]
	if last.Action != "recovery.reveal" || last.Outcome != "done" || last.Object != "phone P of ann" || strings.Contains(string(last.After), "1234567890") {
		t.Errorf("the audit says %+v, after %s", last, last.After)
	}
	list, err := admin.OpDevices.Do(t.Context(), d.Server, boss, admin.UserRequest{User: "ann"})
	if err != nil || list[0].Revealed == nil || list[0].Revealed.By != "jane" {
		t.Errorf("the phone is %+v, %v", list, err)
	}
	secure := admin.Actor{Name: "sec", Roles: []admin.Role{admin.SecurityAdministrator}}
	d.Security = register(d, second+"\n"+first)
	shows("with a new key in front")
	if k, err := admin.OpRekey.Do(t.Context(), d.Server, secure, admin.Nothing{}); err != nil || k.Done != 1 || k.Unreadable != 0 {
		t.Errorf("rekeying: %+v, %v", k, err)
	}
	d.Security = register(d, second)
	shows("without the old key")
	d.Security = register(d, first)
	fails("the key is lost", admin.Invalid, "Put that key back")
	if k, err := admin.OpRekey.Do(t.Context(), d.Server, secure, admin.Nothing{}); err != nil || k.Unreadable != 1 || k.Done != 0 {
		t.Errorf("rekeying what cannot be read: %+v, %v", k, err)
	}
	d.Security = register(d, second)
	shows("the key was found")
}

// TestRekeyFactors has a new key hold for second factors, too: the old one can be taken
// out of the file.
func TestRekeyFactors(t *testing.T) {
	first, second := strings.Repeat("01", 32), strings.Repeat("02", 32)
	store := new(rostertest.Memory)
	under := func(keys string) (*recovery.Box, *roster.Roster) {
		t.Helper()
		box, err := recovery.Read(strings.NewReader(keys))
		if err != nil {
			t.Fatal(err)
		}
		return box, roster.New(roster.Options{Store: store, Cost: rostertest.Cheap, Seal: box})
	}
	_, before := under(first)
	rostertest.Add(t, before, "jane", "helpdesk")
	if _, _, err := before.BeginFactor(t.Context(), "jane", "test"); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, nil)
	box, now := under(second + "\n" + first)
	d.Security, d.Roster = device.New(device.Options{Store: d.store, Box: box}), now
	secure := admin.Actor{Name: "sec", Roles: []admin.Role{admin.SecurityAdministrator}}
	k, err := admin.OpRekey.Do(t.Context(), d.Server, secure, admin.Nothing{})
	if err != nil || k.Done != 1 || k.Unreadable != 0 || !strings.Contains(k.Text, "0 recovery passwords and 1 secrets of second factors") {
		t.Errorf("rekeying: %+v, %v", k, err)
	}
	_, after := under(second)
	if done, unreadable, err := after.RekeyFactors(t.Context()); err != nil || done != 1 || unreadable != 0 {
		t.Errorf("with the new key alone %d can be read, %d not, %v", done, unreadable, err)
	}
}
