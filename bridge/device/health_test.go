package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

func TestHealth(t *testing.T) {
	asked := policy.Policy{Require: true, RefusePartial: true, Document: policy.Document{"device_password_enabled": true}}
	now := time.Now()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		p     device.Phone
		asked policy.Policy
		waits bool
		does  func(*device.Register)
		want  device.Health
		why   string
	}{
		{name: "waiting", waits: true, want: device.HealthWaiting, why: "waits"},
		{name: "syncing", does: func(r *device.Register) { r.Presence.Enter(ann) }, want: device.HealthSyncing, why: "right now"},
		{name: "resting", want: device.HealthResting, why: "seen 20 minutes ago"},
		{name: "one that came and went", does: func(r *device.Register) { r.Presence.Enter(ann)() }, want: device.HealthResting, why: "seen a moment ago"},
		{name: "away", p: device.Phone{LastSeen: now.Add(-80 * time.Hour)}, want: device.HealthAway, why: "not seen for 3 days"},
		{name: "wrong password", does: func(r *device.Register) { r.Presence.Refuse(ann) }, want: device.HealthPassword, why: "does not take its password since 20"},
		{name: "a password that is right again", does: func(r *device.Register) { r.Presence.Refuse(ann); r.Presence.Enter(ann)() }, want: device.HealthResting},
		{name: "blocked", p: device.Phone{Blocked: true, BlockedWhy: "lost"}, waits: true, want: device.HealthBlocked, why: "lost"},
		{name: "to be erased", p: device.Phone{Blocked: true, Wipe: device.Wipe{Order: device.WipeDevice, State: device.WipeSent, By: "jane"}}, want: device.HealthWiping, why: "by jane"},
		{name: "accepted", p: device.Phone{Policy: device.Policy{Accepted: asked.Revision(), Key: 1}}, asked: asked, waits: true, want: device.HealthWaiting},
		{name: "not yet", asked: asked, waits: true, want: device.HealthProvisions, why: "has yet to"},
		{name: "an earlier one", p: device.Phone{Policy: device.Policy{Accepted: "x", Key: 1}}, asked: asked, want: device.HealthProvisions, why: "as it is now"},
		{name: "refused", p: device.Phone{Policy: device.Policy{Status: device.NotApplied, When: noon}}, asked: asked, want: device.HealthPolicy, why: "refused the policy at 2026-11-28 12:00"},
		{name: "applied in part", p: device.Phone{Policy: device.Policy{Status: device.PartlyApplied, When: noon}}, asked: asked, want: device.HealthPolicy, why: "a part"},
		{name: "in a circle", p: device.Phone{Policy: device.Policy{Turns: device.Turns{Loop: device.LoopDeaf, LoopSince: noon}}}, asked: asked, want: device.HealthPolicy, why: string(device.LoopDeaf)},
		{name: "a program without policies", asked: policy.Policy{Require: true, AllowUnprovisionable: true}, waits: true, want: device.HealthWaiting},
	} {
		r := device.New(device.Options{Store: new(devicetest.Memory), Policy: tc.asked})
		if tc.does != nil {
			tc.does(r)
		}
		if tc.p.LastSeen.IsZero() {
			tc.p.LastSeen = now.Add(-20 * time.Minute)
		}
		tc.p.ID = ann
		if h, why := r.Health(tc.p, tc.waits, now); h != tc.want || !strings.Contains(why, tc.why) {
			t.Errorf("%s: %q because %q, want %q because of %q", tc.name, h, why, tc.want, tc.why)
		}
	}
}

// Whoever asks with names that can be no phone's leaves nothing behind.
func TestPresenceOfNobody(t *testing.T) {
	r := device.New(device.Options{Store: new(devicetest.Memory)})
	for name, id := range map[string]device.ID{
		"a DeviceId that is too long": {User: "ann", Device: strings.Repeat("x", device.MaxDeviceID+1)},
		"none":                        {User: "ann"},
		"special characters":          {User: "ann", Device: "a b"},
		"nobody":                      {Device: "P"},
	} {
		r.Presence.Refuse(id)
		leave := r.Presence.Enter(id)
		if does := r.Presence.Of(id); does != (device.Activity{}) {
			t.Errorf("%s: it is remembered as %+v", name, does)
		}
		leave()
	}
}
