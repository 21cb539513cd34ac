package bridge

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// Phones that do not come any more are forgotten, and orders to erase them end, by
// the rules of the configuration. None of it is silent, and nobody who is kept out
// comes in again because of it.
func TestCollect(t *testing.T) {
	const day = 24 * time.Hour
	file := config.Default()
	file.State, file.ForgetAfter, file.Policy.WipeExpires = Memory, 30*day, 2*day
	b, err := New(t.Context(), Options{Config: file, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Backends: []account.Named{{Name: "memory", Backend: memory.New()}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	now := time.Now()
	long, lately := now.Add(-40*day), now.Add(-20*day)
	pending := device.Wipe{Order: device.WipeDevice, State: device.WipePending, By: "jane", Ordered: long}
	over := pending
	over.Expires = now.Add(-time.Minute)
	for _, tc := range []struct {
		device string
		p      device.Phone
		gone   bool
		wipe   device.WipeState
	}{
		{device: "gone", p: device.Phone{LastSeen: long}, gone: true},
		{device: "here", p: device.Phone{LastSeen: lately}},
		{device: "blocked", p: device.Phone{LastSeen: long, Blocked: true}},
		{device: "pending", p: device.Phone{LastSeen: long, Wipe: pending}, wipe: device.WipePending},
		{device: "over", p: device.Phone{LastSeen: long, Wipe: over}, wipe: device.WipeExpired},
	} {
		id := device.ID{User: "ann", Device: tc.device}
		if _, err := b.devices.Store.Update(t.Context(), id, func(p *device.Phone, _ bool) error { *p = tc.p; return nil }); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := b.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		p, err := b.devices.Store.Phone(t.Context(), id)
		if gone := errors.Is(err, device.ErrUnknown); gone != tc.gone || !gone && p.Wipe.State != tc.wipe || tc.wipe == device.WipeExpired && !p.Blocked {
			t.Errorf("%s: it is %+v, %v", tc.device, p, err)
		}
	}
	// One that comes before anybody looked is kept out, and that is written down, too.
	late := device.Visit{ID: device.ID{User: "ann", Device: "late"}, Version: "16.1"}
	if _, err := b.devices.Store.Update(t.Context(), late.ID, func(p *device.Phone, _ bool) error { p.Wipe = over; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p, err := b.devices.Admit(t.Context(), late); !errors.Is(err, device.ErrBlocked) || p.Wipe.State != device.WipeExpired {
			t.Errorf("one that comes late is %+v, %v", p, err)
		}
	}
	list, err := admin.OpAudit.Do(t.Context(), b.door, admin.Actor{Name: "x", Roles: admin.AllRoles}, admin.AuditRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range list {
		words = append(words, r.Action+" "+string(r.Outcome)+" "+r.Object)
		if r.Actor != "pushbridge" || !strings.HasPrefix(r.Address, "rule: ") {
			t.Errorf("the audit says of %s that it was %s, %s", r.Action, r.Actor, r.Address)
		}
	}
	want := "wipe.expire done phone late of ann; wipe.expire done phone over of ann; devices.forget done phone gone of ann; devices.forget begun phone gone of ann"
	if got := strings.Join(words, "; "); got != want {
		t.Errorf("the audit says\n%s\nwant\n%s", got, want)
	}
}
