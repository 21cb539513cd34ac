package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// typing runs "pushbridge admin" with somebody who types.
func (o *office) typing(line string, args ...string) (string, error) {
	o.t.Helper()
	var out bridgetest.Log
	root := newRoot()
	root.SetArgs(append([]string{"admin", "--config", o.config}, args...))
	root.SetIn(strings.NewReader(line))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(o.t.Context())
	return out.String(), err
}

// blocked sends a phone away, and lets it in again.
func (o *office) blocked() {
	p := o.phone(eas.V161, "PHONEA5")
	bridgetest.Sync(o.t, p)
	o.says("policy", "Nothing is asked of phones.")
	o.says("block ann PHONEA5", "is blocked")
	var refused *phone.StatusError
	if _, err := p.FolderSync(o.t.Context()); !errors.As(err, &refused) || refused.Status != int(eas.DeviceIsBlockedForThisUser) {
		o.t.Errorf("the blocked phone is answered %v", err)
	}
	o.says("devices", "blocked: blocked by")
	o.says("allow ann PHONEA5", "may come in")
	bridgetest.Sync(o.t, p)
}

// lost has a phone erase itself: first nobody confirms it, then it is taken back,
// then it is done.
func (o *office) lost() {
	const id = "PHONEA6"
	p := o.phone(eas.V161, id)
	bridgetest.Sync(o.t, p)
	for _, typed := range []string{"", "\n", "yes\n", id + "x\n"} {
		if out, err := o.typing(typed, "wipe", "ann", id); !errors.Is(err, errNotConfirmed) || !strings.Contains(out, "EVERYTHING") {
			o.t.Errorf("%q was typed: %v\n%s", typed, err, out)
		}
	}
	if out, err := o.typing(id+"\n", "wipe", "ann", id); err != nil || !strings.Contains(out, "when it comes next") {
		o.t.Errorf("it was confirmed: %v\n%s", err, out)
	}
	o.says("devices", "order to erase: pending")
	if status, out := o.admin("allow", "ann", id); status != exitUsage || !strings.Contains(out, "wipe --cancel") {
		o.t.Errorf("a phone that is to be erased is allowed: %d %s", status, out)
	}
	o.says("wipe ann "+id+" --cancel", "never heard of it")
	bridgetest.Sync(o.t, p)
	o.says("devices", "order to erase: cancelled")

	status := o.ending(p, id, func() {
		if out, err := o.typing(id+"\n", "wipe", "ann", id, "--account-only"); err != nil || !strings.Contains(out, "at once") || !strings.Contains(out, "This account") {
			o.t.Errorf("%v\n%s", err, out)
		}
	})
	if status != int(eas.RemoteWipeRequested) {
		o.t.Errorf("the wait ended with status %d, want 140", status)
	}
	if _, err := p.FolderSync(o.t.Context()); !errors.Is(err, phone.ErrWiped) || len(p.Folders()) != 0 {
		o.t.Errorf("the phone goes on with %v, and holds %d folders", err, len(p.Folders()))
	}
	o.says("devices", "order to erase this account: acknowledged", "blocked: it erased itself")
	for _, d := range asked[[]admin.Device](o, "devices") {
		if d.Device == id && (d.Wipe == nil || !d.Wipe.AccountOnly || d.Wipe.State != "acknowledged" || d.Wipe.Sent == nil || d.Wipe.Ended == nil || d.Blocked == "") {
			o.t.Errorf("as JSON it is %+v", d)
		}
	}
	o.says("allow ann "+id, "may come in")
	bridgetest.Sync(o.t, p)
	if n := contactsOf(p); n == 0 {
		o.t.Error("the phone that was set up anew holds nothing")
	}
}

// ending is waiting for a Ping that ends with a status above 100.
func (o *office) ending(p *phone.Phone, device string, meanwhile func()) int {
	o.t.Helper()
	return int(o.waiting(p, device, meanwhile))
}

func TestPrintPolicy(t *testing.T) {
	for _, tc := range []struct {
		name string
		p    admin.Policy
		want []string
	}{
		{"none", admin.Policy{Rules: []string{"no whole phone is ever erased"}}, []string{"Nothing is asked of phones.\n", "no whole phone is ever erased.\n"}},
		{"an empty one", admin.Policy{Required: true}, []string{"asks nothing of them"}},
		{"one with settings", admin.Policy{Required: true, Settings: []admin.Asked{{Name: "allow_camera", Value: false, Means: "the camera works"}}}, []string{"allow_camera", "false", "the camera works"}},
	} {
		var b strings.Builder
		printPolicy(&b, tc.p)
		for _, want := range tc.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: it prints\n%s\nwant %q in it", tc.name, b.String(), want)
			}
		}
	}
}
