package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
)

func TestPush(t *testing.T) {
	for _, tc := range []struct {
		name  string
		asks  []admin.PushRequest // one after the other
		text  string
		fails admin.Kind
	}{
		{name: "nothing said", text: "every folder wakes it"},
		{name: "a kind and a number", asks: []admin.PushRequest{{SetFolders: true, Kinds: []string{"events"}, Folders: []int64{1}}},
			text: "only events, folder 1 wake it"},
		{name: "none", asks: []admin.PushRequest{{SetFolders: true}}, text: "nothing wakes it"},
		{name: "quiet hours stay when folders are set", asks: []admin.PushRequest{
			{SetQuiet: true, Quiet: "22:00-07:00", Zone: "Europe/Berlin"}, {SetFolders: true, Kinds: []string{"tasks"}}},
			text: "only tasks wake it; nothing does from 22:00 to 07:00 (Europe/Berlin)"},
		{name: "other hours in the same zone", asks: []admin.PushRequest{
			{SetQuiet: true, Quiet: "22:00-07:00", Zone: "Europe/Berlin"}, {SetQuiet: true, Quiet: "23:00-06:00"}},
			text: "every folder wakes it; nothing does from 23:00 to 06:00 (Europe/Berlin)"},
		{name: "the same hours in another zone", asks: []admin.PushRequest{
			{SetQuiet: true, Quiet: "22:00-07:00"}, {Zone: "Asia/Tokyo"}},
			text: "every folder wakes it; nothing does from 22:00 to 07:00 (Asia/Tokyo)"},
		{name: "all as it was", asks: []admin.PushRequest{
			{SetQuiet: true, Quiet: "22:00-07:00", SetFolders: true}, {SetQuiet: true, SetFolders: true, All: true}},
			text: "every folder wakes it"},
		{name: "no such kind", asks: []admin.PushRequest{{SetFolders: true, Kinds: []string{"meetings"}}}, fails: admin.Invalid},
		{name: "no such folder", asks: []admin.PushRequest{{SetFolders: true, Folders: []int64{9}}}, fails: admin.NotFound},
		{name: "no such hours", asks: []admin.PushRequest{{SetQuiet: true, Quiet: "at night"}}, fails: admin.Invalid},
		{name: "no such zone", asks: []admin.PushRequest{{SetQuiet: true, Quiet: "22:00-07:00", Zone: "Mars"}}, fails: admin.Invalid},
		{name: "a zone for nothing", asks: []admin.PushRequest{{Zone: "Asia/Tokyo"}}, fails: admin.Invalid},
		{name: "all and some", asks: []admin.PushRequest{{SetFolders: true, All: true, Kinds: []string{"events"}}}, fails: admin.Invalid},
		{name: "no such phone", asks: []admin.PushRequest{{Device: "B", SetFolders: true}}, fails: admin.NotFound},
		{name: "nobody's phone", asks: []admin.PushRequest{{User: "-", SetFolders: true}}, fails: admin.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openDoor(t)
			var err error
			for _, r := range tc.asks {
				if r.User == "" {
					r.User = "ann"
				}
				if r.Device == "" {
					r.Device = "A"
				}
				_, err = d.SetPush(t.Context(), r)
			}
			if failed, _ := errors.AsType[*admin.Error](err); (err == nil) != (tc.fails == "") || failed != nil && failed.Kind != tc.fails {
				t.Fatalf("error = %v, want kind %q", err, tc.fails)
			}
			p, err := d.Push(t.Context(), "ann", "A")
			if want := tc.text; err != nil || tc.fails == "" && p.Text != want {
				t.Errorf("it says %q (%v), want %q", p.Text, err, want)
			}
			if tc.fails != "" && p.Text != "every folder wakes it" {
				t.Errorf("after a refusal it says %q", p.Text)
			}
			if orders := strings.Join(d.engine.orders, ", "); tc.fails == "" && strings.Count(orders, "again ann A") != len(tc.asks) {
				t.Errorf("orders are %q, want that the phone comes again by the new rules", orders)
			}
		})
	}
}

func TestHeartbeat(t *testing.T) {
	d := openDoor(t)
	var n device.Networks
	n, _ = n.Alive("192.0.0.0/16", 28*time.Minute, noon)
	for range device.Losses {
		n = n.Dead("192.0.0.0/16", 33*time.Minute, time.Now())
	}
	if err := device.SetNetworks(t.Context(), d.devices, device.ID{User: "ann", Device: "A"}, n); err != nil {
		t.Fatal(err)
	}
	h, err := d.Heartbeat(t.Context(), "ann", "A")
	if err != nil || len(h.Networks) != 1 || h.Max != 3540 || h.Min != 60 {
		t.Fatalf("it says %+v, %v", h, err)
	}
	if w := h.Networks[0]; w.Cap != 1680 || !strings.Contains(w.Because, "3 waits in a row") || w.Until.Before(time.Now()) {
		t.Errorf("the network is %+v, want a cap of 1680 s and why", w)
	}
	if _, err := d.Heartbeat(t.Context(), "ann", "B"); err == nil {
		t.Error("an unknown phone has a heartbeat")
	}
}
