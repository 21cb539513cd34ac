package device_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
)

func TestQuietHours(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct{ name, hours, zone, now, until string }{
		{"before", "22:00-07:00", "Europe/Berlin", "2026-01-10T20:59:59Z", ""},
		{"from the first second", "22:00-07:00", "Europe/Berlin", "2026-01-10T21:00:00Z", "2026-01-11T06:00:00Z"},
		{"after midnight", "22:00-07:00", "Europe/Berlin", "2026-01-11T00:30:00Z", "2026-01-11T06:00:00Z"},
		{"to the last second", "22:00-07:00", "Europe/Berlin", "2026-01-11T05:59:59Z", "2026-01-11T06:00:00Z"},
		{"after", "22:00-07:00", "Europe/Berlin", "2026-01-11T06:00:00Z", ""},
		{"within a day", "12:00-13:30", "", "2026-01-11T12:10:00Z", "2026-01-11T13:30:00Z"},
		{"within a day, after", "12:00-13:30", "", "2026-01-11T13:30:00Z", ""},
		{"until midnight", "22:00-00:00", "", "2026-01-11T22:10:00Z", "2026-01-12T00:00:00Z"},
		{"the night that lacks an hour", "22:00-07:00", "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"},
		{"the night that has one more", "22:00-07:00", "Europe/Berlin", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		{"across the sea", "22:00-07:00", "America/New_York", "2026-01-11T04:00:00Z", "2026-01-11T12:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, err := device.ParseQuiet(tc.hours, tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			until, quiet := q.Until(at(tc.now))
			if quiet != (tc.until != "") || quiet && !until.Equal(at(tc.until)) {
				t.Errorf("at %s quiet until %v (%v), want %s", tc.now, until, quiet, tc.until)
			}
		})
	}
	for _, bad := range []struct{ hours, zone string }{
		{"", ""}, {"22:00", ""}, {"22:00-", ""}, {"22:00-22:00", ""}, {"24:00-07:00", ""}, {"10pm-7am", ""}, {"22:00-07:00", "Mars/Olympus"}, {"22:00-07:00", "Local"},
	} {
		if q, err := device.ParseQuiet(bad.hours, bad.zone); err == nil {
			t.Errorf("%q in %q is taken for %+v", bad.hours, bad.zone, q)
		}
	}
}

func TestPush(t *testing.T) {
	quiet, err := device.ParseQuiet("22:00-07:00", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		push   device.Push
		events bool // a folder of events with number 7 wakes it
		text   string
		bad    bool
	}{
		{name: "nothing said", events: true, text: "every folder wakes it"},
		{name: "a kind", push: device.Push{Only: true, Kinds: []string{"events"}}, events: true, text: "only events wake it"},
		{name: "another kind", push: device.Push{Only: true, Kinds: []string{"tasks"}}, text: "only tasks wake it"},
		{name: "a number", push: device.Push{Only: true, Folders: []int64{7}}, events: true, text: "only folder 7 wake it"},
		{name: "none", push: device.Push{Only: true}, text: "nothing wakes it"},
		{name: "quiet hours", push: device.Push{Quiet: quiet}, events: true, text: "every folder wakes it; nothing does from 22:00 to 07:00 (Europe/Berlin)"},
		{name: "folders for nothing", push: device.Push{Kinds: []string{"tasks"}}, events: true, text: "every folder wakes it", bad: true},
		{name: "too many", push: device.Push{Only: true, Folders: make([]int64, device.MaxPushFolders+1)}, text: "only folder 0", bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.push.Wakes(7, "events"); got != tc.events {
				t.Errorf("Wakes = %v, want %v", got, tc.events)
			}
			if got := tc.push.String(); !strings.HasPrefix(got, tc.text) {
				t.Errorf("it says %q, want %q", got, tc.text)
			}
			m, id := new(devicetest.Memory), device.ID{User: "ann", Device: "A"}
			if err := device.SetPush(t.Context(), m, id, tc.push); (err != nil) != tc.bad {
				t.Fatalf("storing it: %v", err)
			}
			back, err := device.PushOf(t.Context(), m, id)
			if err != nil || !tc.bad && back.String() != tc.push.String() {
				t.Errorf("stored and read it says %q (%v), want %q", back, err, tc.push)
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	bounds := device.Bounds{Min: time.Minute, Default: 8 * time.Minute, Max: 59 * time.Minute}
	m := time.Minute
	for _, tc := range []struct {
		name        string
		lived, dead []time.Duration // first these, then those
		again       []time.Duration // and then these live
		later       time.Duration
		want        time.Duration
	}{
		{name: "nothing known"},
		{name: "two losses", lived: []time.Duration{28 * m}, dead: []time.Duration{33 * m, 33 * m}},
		{name: "three losses", lived: []time.Duration{23 * m, 28 * m}, dead: []time.Duration{33 * m, 33 * m, 33 * m}, want: 28 * m},
		{name: "the length is tried once more, and lives", lived: []time.Duration{28 * m}, dead: []time.Duration{33 * m, 33 * m, 33 * m}, again: []time.Duration{34 * m}},
		{name: "a shorter one lives", lived: []time.Duration{28 * m}, dead: []time.Duration{33 * m, 33 * m, 33 * m}, again: []time.Duration{30 * m}, want: 30 * m},
		{name: "nothing ever lived", dead: []time.Duration{33 * m, 33 * m, 33 * m}, want: 8 * m},
		{name: "not even the default", dead: []time.Duration{8 * m, 8 * m, 8 * m}, want: 6 * m},
		{name: "not even the least", dead: []time.Duration{m, m, m}, want: m},
		{name: "what lived once no longer does", lived: []time.Duration{28 * m}, dead: []time.Duration{4 * m, 4 * m, 4 * m}, want: 3 * m},
		{name: "a week later", lived: []time.Duration{28 * m}, dead: []time.Duration{33 * m, 33 * m, 33 * m}, later: device.Believed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var n device.Networks
			for _, d := range tc.lived {
				n, _ = n.Alive("x", d, now)
			}
			for _, d := range tc.dead {
				n = n.Dead("x", d, now)
			}
			for _, d := range tc.again {
				n, _ = n.Alive("x", d, now)
			}
			if got, why := n.Of("x").Cap(bounds, now.Add(tc.later)); got != tc.want || (got > 0) != (why != "") {
				t.Errorf("cap %v (%q), want %v", got, why, tc.want)
			}
		})
	}
	var n device.Networks
	for i := range 3 * device.MaxNetworks {
		n = n.Dead(string(rune('a'+i)), m, now)
	}
	if len(n) != device.MaxNetworks || n[0].Net != string(rune('a'+3*device.MaxNetworks-1)) {
		t.Errorf("%d networks are kept, the newest is %q", len(n), n[0].Net)
	}
	if again, news := n.Alive("zz", m, now); !news || again[0].Lived != 60 {
		t.Error("a first wait that lived is no news")
	} else if _, news := again.Alive("zz", m+29*time.Second, now); news {
		t.Error("a wait that lived a little longer is worth a write")
	}
	for addr, want := range map[string]string{"192.0.2.7": "192.0.0.0/16", "::ffff:192.0.2.7": "192.0.0.0/16", "2001:db8:1::7": "2001:db8::/32"} {
		if got := device.NetworkOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("the network of %s is %q, want %q", addr, got, want)
		}
	}
	if got := device.NetworkOf(netip.Addr{}); got != "" {
		t.Errorf("the network of no address is %q", got)
	}
}
