package easserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// strict is a policy that asks for something.
func strict(edit func(*policy.Policy)) func(*bridge.Options) {
	return func(o *bridge.Options) {
		o.Config.Policy.Policy = policy.Policy{Require: true, Document: policy.Document{"device_password_enabled": true, "min_device_password_length": 6, "allow_camera": false}}
		if edit != nil {
			edit(&o.Config.Policy.Policy)
		}
	}
}

// told asserts how a phone is answered: by a status from 14.0 on, by HTTP before.
func (r *raw) told(when string, v eas.Version, status eas.Status, early int) {
	r.t.Helper()
	for _, command := range []eas.Command{eas.CmdFolderSync, eas.CmdSync, eas.CmdGetItemEstimate} {
		got, text := r.ask(command, &eas.FolderSyncRequest{SyncKey: "0"})
		if v < eas.V140 && got != early || v >= eas.V140 && (got != http.StatusOK || !strings.Contains(text, fmt.Sprintf("<Status>%d</Status>", status))) {
			r.t.Errorf("%s: %s is answered HTTP status %d and\n%s\nwant status %d, or HTTP status %d before 14.0", when, command, got, text, status, early)
		}
	}
}

// refusedAs asserts how an error of the client says that the phone was refused.
func refusedAs(t *testing.T, when string, err error, v eas.Version, status eas.Status, early int) {
	t.Helper()
	if v < eas.V140 {
		if got, _ := httpStatus(t, err); got != early {
			t.Errorf("%s: answered %v, want HTTP status %d", when, err, early)
		}
		return
	}
	if se, ok := errors.AsType[*easclient.StatusError](err); !ok || se.Status != int(status) {
		t.Errorf("%s: answered %v, want status %d", when, err, status)
	}
}

// fine asserts that a phone is served.
func (r *raw) fine(when string) {
	r.t.Helper()
	if res, err := r.FolderSync(r.t.Context(), eas.FolderSyncRequest{SyncKey: "0"}); err != nil || res.Status != eas.FolderOK {
		r.t.Errorf("%s: FolderSync is answered %+v, %v", when, res, err)
	}
}

func (h ordering) order(r admin.WipeRequest) {
	h.t.Helper()
	if err := h.post("/v1/wipe", r); err != nil {
		h.t.Fatal(err)
	}
}

// Nothing is asked of phones unless somebody says so, and a phone that wants a
// policy is told that there is none.
func TestNoPolicyIsToldAsNone(t *testing.T) {
	conformance.Shows(t, "PolicyNone")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := &raw{t, h.Client(v, "phone1"), nil}
		got, err := r.Provision(t.Context(), nil)
		if err != nil || got.Policy != nil || got.PolicyKey != 0 {
			t.Errorf("answered %+v, %v, want that there is no policy", got, err)
		}
		if status, text := r.ask(eas.CmdProvision, &eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: policy.Type(v)}}}); status != 200 ||
			!strings.Contains(text, "<Status>2</Status>") || strings.Contains(text, "PolicyKey") || strings.Contains(text, "Data") {
			t.Errorf("HTTP status %d and\n%s", status, text)
		}
		r.fine("without a policy")
		r.PolicyKey = 4711 // of another server behind the same name
		r.fine("with a key of somebody else's")
	})
}

// What a phone is asked, and what becomes of it by what it says.
func TestPoliciesAndTheirAcknowledgements(t *testing.T) {
	conformance.Shows(t, "PolicyApplied", "PolicyPartial", "PolicyRefused", "PolicyElsewhere",
		"DeviceNotFullyProvisionable", "ExternallyManagedDevicesForbidden", "HTTP 403")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		for _, tt := range []struct {
			name   string
			how    eas.PolicyStatus
			edit   func(*policy.Policy)
			status eas.Status // 0 if it is let in
		}{
			{name: "applied", how: eas.PolicyApplied},
			{name: "partly", how: eas.PolicyPartial},
			{name: "partly, which is not enough", how: eas.PolicyPartial, edit: func(p *policy.Policy) { p.RefusePartial = true }, status: eas.DeviceNotFullyProvisionable},
			{name: "refused", how: eas.PolicyRefused, status: eas.DeviceNotFullyProvisionable},
			{name: "managed by others", how: eas.PolicyElsewhere},
			{name: "managed by others, which is not enough", how: eas.PolicyElsewhere, edit: func(p *policy.Policy) { p.RefuseExternal = true }, status: eas.ExternallyManagedDevicesForbidden},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h := bridgetest.Start(t, bridgetest.Options{Edit: strict(tt.edit)})
				r := &raw{t, h.Client(v, "phone1"), nil}
				r.told("before", v, eas.DeviceNotProvisioned, 449)
				got, err := r.ProvisionAs(t.Context(), &eas.DeviceInformation{Model: "Brick"}, tt.how)
				if got.Policy == nil {
					t.Fatalf("there is no policy: %+v, %v", got, err)
				}
				if doc := got.Policy.Doc; v >= eas.V120 && (doc == nil || !*doc.DevicePasswordEnabled || *doc.MinDevicePasswordLength != 6 || v >= eas.V121 && *doc.AllowCamera) ||
					v < eas.V120 && (!strings.Contains(got.Policy.XML, `"4131" value="0"`) || !strings.Contains(got.Policy.XML, `"MinimumPasswordLength" value="6"`)) {
					t.Errorf("the policy is %+v", got.Policy)
				}
				if tt.status == 0 {
					if err != nil || got.PolicyKey == 0 {
						t.Fatalf("answered %+v, %v, want a key", got, err)
					}
					r.fine(tt.name)
					return
				}
				refusedAs(t, tt.name, err, v, tt.status, http.StatusForbidden)
				r.PolicyKey = 0
				r.told("afterwards", v, eas.DeviceNotProvisioned, 449)
			})
		}
	})
}

// A policy that changes ends the waits of phones, which are told to accept it.
func TestPolicyChangesWhileAPhoneWaits(t *testing.T) {
	conformance.Shows(t, "PolicyRefresh")
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{Edit: strict(nil)})
		r := newRaw(t, h, v)
		answered := ping(t, r.phone)
		awaitWaiting(t, h, 1)
		key := r.PolicyKey
		if err := h.Bridge.SetPolicy(t.Context(), policy.Policy{Require: true, Document: policy.Document{"device_password_enabled": true, "min_device_password_length": 8}}); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; got != eas.PingHierarchyChanged {
			t.Errorf("the Ping ended with status %d, want 7, which sends it to FolderSync", got)
		}
		r.told("after the policy changed", v, eas.PolicyRefresh, 449)
		if res, err := r.phone.Ping(t.Context(), 50*time.Minute); err != nil || res.Status != eas.PingHierarchyChanged {
			t.Errorf("a Ping with the old policy is answered %+v, %v, want status 7 at once", res, err)
		}
		bridgetest.Sync(t, r.phone) // accepts it
		if r.PolicyKey == key {
			t.Error("the phone still has the key of the old policy")
		}
		if err := h.Bridge.SetPolicy(t.Context(), policy.Policy{}); err != nil {
			t.Fatal(err)
		}
		r.fine("after the policy was taken back")
	})
}

// The same for a Sync that waits.
func TestPolicyChangesWhileASyncWaits(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: strict(nil)})
	r := newRaw(t, h, eas.V161)
	c := r.collection("Contacts")
	answered := make(chan string, 1)
	go func() {
		_, text := r.ask(eas.CmdSync, &eas.SyncRequest{Collections: []eas.SyncCollection{c}, HeartbeatInterval: ptr(3000)})
		answered <- text
	}()
	awaitWaiting(t, h, 1)
	if err := h.Bridge.SetPolicy(t.Context(), policy.Policy{Require: true, Document: policy.Document{"device_password_enabled": true}}); err != nil {
		t.Fatal(err)
	}
	if text := <-answered; !strings.Contains(text, "<Status>143</Status>") {
		t.Errorf("the Sync ended with\n%s\nwant status 143", text)
	}
}

func awaitWaiting(t *testing.T, h *bridgetest.House, n int) {
	t.Helper()
	for h.Bridge.Waiting() != n {
		select {
		case <-t.Context().Done():
			t.Fatal("nobody waits")
		case <-time.After(time.Millisecond): // the condition decides
		}
	}
}

// The story of a lost phone: it waits, is woken, erases itself or cannot, stays
// out, and comes back when it is allowed.
func TestWipe(t *testing.T) {
	conformance.Shows(t, "WipeResult", "RemoteWipeRequested", "DeviceIsBlockedForThisUser")
	for _, accountOnly := range []bool{false, true} {
		inEachVersion(t, func(t *testing.T, v eas.Version) {
			if accountOnly && v < eas.V161 {
				return
			}
			h := bridgetest.Start(t, bridgetest.Options{Edit: strict(nil)})
			o := ordering{t, h}
			r := newRaw(t, h, v)
			lost := admin.WipeRequest{User: bridgetest.User, Device: "phone1", AccountOnly: accountOnly}

			ended := make(chan error, 1)
			go func() {
				res, err := r.Ping(t.Context(), &eas.PingRequest{HeartbeatInterval: ptr(3000), Folders: []eas.PingFolder{{ID: r.collection("Contacts").CollectionID, Class: "Contacts"}}})
				if err == nil {
					err = &easclient.StatusError{Command: eas.CmdPing, Status: int(res.Status)}
				}
				ended <- err
			}()
			awaitWaiting(t, h, 1)
			o.order(lost)
			refusedAs(t, "the Ping", <-ended, v, eas.RemoteWipeRequested, 449)
			r.told("ordered", v, eas.RemoteWipeRequested, 449)
			o.state("ordered", device.WipePending)

			// It asks, and hears it; also in the middle of provisioning.
			for _, m := range []eas.ProvisionRequest{{}, {Policies: []eas.Policy{{PolicyType: policy.Type(v)}}}, {Policies: []eas.Policy{{PolicyType: policy.Type(v), PolicyKey: "1", Status: 1}}}} {
				res, err := r.ProvisionPhase(t.Context(), m)
				if err != nil || res.Status != eas.ProvisionOK || res.RemoteWipe == accountOnly || res.AccountOnlyRemoteWipe != accountOnly || len(res.Policies) != 0 {
					t.Errorf("%+v is answered %+v, %v, want the order and nothing else", m, res, err)
				}
			}
			o.state("told", device.WipeSent)
			if again, err := r.ConfirmWipe(t.Context(), accountOnly, false); err != nil || !again {
				t.Errorf("that it could not is answered again: %t, %v, want the order once more", again, err)
			}
			o.state("it could not", device.WipeFailed)
			r.told("it could not", v, eas.RemoteWipeRequested, 449)
			if _, err := r.ProvisionPhase(t.Context(), eas.ProvisionRequest{}); err != nil {
				t.Fatal(err)
			}
			for _, when := range []string{"done", "done, and said once more"} {
				if again, err := r.ConfirmWipe(t.Context(), accountOnly, true); err != nil || again {
					t.Errorf("%s: again: %t, %v", when, again, err)
				}
				o.state(when, device.WipeAcknowledged)
			}
			r.told("afterwards", v, eas.DeviceIsBlockedForThisUser, 403)
			if status, text := r.ask(eas.CmdProvision, &eas.ProvisionRequest{Policies: []eas.Policy{{PolicyType: policy.Type(v)}}}); v < eas.V140 && status != 403 || v >= eas.V140 && !strings.Contains(text, "<Status>129</Status>") {
				t.Errorf("a blocked phone that provisions is answered HTTP status %d and\n%s", status, text)
			}

			// It was found, and is set up anew.
			if err := o.post("/v1/allow", admin.AdmissionRequest{User: bridgetest.User, Device: "phone1"}); err != nil {
				t.Fatal(err)
			}
			r.PolicyKey = 0
			r.told("allowed", v, eas.DeviceNotProvisioned, 449)
			bridgetest.Sync(t, h.Phone(v, "phone1", phone.Settings{}))
		})
	}
}

// A phone does by itself what it is told.
func TestPhoneErasesItself(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		o := ordering{t, h}
		h.Store("contacts", "a", bridgetest.Card("a", "A"))
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		o.order(admin.WipeRequest{User: bridgetest.User, Device: "phone1"})
		if _, err := p.Sync(t.Context()); !errors.Is(err, phone.ErrWiped) {
			t.Fatalf("the phone goes on with %v", err)
		}
		if len(p.Folders()) != 0 {
			t.Errorf("the phone still holds %v", p.Folders())
		}
		o.state("done", device.WipeAcknowledged)
		if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 1 {
			t.Errorf("the server holds %d contacts, want the one that there was", n)
		}

		other := h.Phone(v, "phone2", phone.Settings{Unwipeable: true})
		bridgetest.Sync(t, other)
		o.order(admin.WipeRequest{User: bridgetest.User, Device: "phone2"})
		for range device.MaxWipeTries {
			if _, err := other.FolderSync(t.Context()); !errors.Is(err, phone.ErrWiped) {
				t.Fatalf("the phone that cannot erase itself goes on with %v", err)
			}
		}
		(&raw{t, h.Client(v, "phone2"), nil}).told("it cannot", v, eas.DeviceIsBlockedForThisUser, 403)
	})
}

// What an acknowledgement says that nobody asked for changes nothing.
func TestOddAcknowledgementsOfAWipe(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		o := ordering{t, h}
		r := newRaw(t, h, v)
		for name, m := range map[string]eas.ProvisionRequest{
			"not ordered": {RemoteWipe: &eas.WipeResult{Status: 1}}, "no status": {RemoteWipe: &eas.WipeResult{Status: 7}},
			"not ordered for the account": {AccountOnlyRemoteWipe: &eas.WipeResult{Status: 1}},
		} {
			if m.AccountOnlyRemoteWipe != nil && v < eas.V161 {
				continue
			}
			if status, text := r.ask(eas.CmdProvision, &m); status != 200 || !strings.Contains(text, "<Status>2</Status>") {
				t.Errorf("%s: HTTP status %d and\n%s\nwant status 2", name, status, text)
			}
		}
		r.fine("afterwards")
		o.order(admin.WipeRequest{User: bridgetest.User, Device: "phone1"})
		if status, text := r.ask(eas.CmdProvision, &eas.ProvisionRequest{RemoteWipe: &eas.WipeResult{Status: 1}}); status != 200 || !strings.Contains(text, "<Status>2</Status>") {
			t.Errorf("before it was told: HTTP status %d and\n%s\nwant status 2", status, text)
		}
		o.state("before it was told", device.WipePending)
		o.order(admin.WipeRequest{User: bridgetest.User, Device: "phone1", Cancel: true})
		r.fine("cancelled")
		if err := o.post("/v1/wipe", admin.WipeRequest{User: bridgetest.User, Device: "phone1", AccountOnly: true}); (err == nil) != (v >= eas.V161) {
			t.Errorf("erasing the account alone in %s: %v", v, err)
		}
	})
}

// A phone that is blocked while it waits is sent away.
func TestBlockWhileAPhoneWaits(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		o := ordering{t, h}
		r := newRaw(t, h, v)
		ended := make(chan string, 1)
		go func() {
			status, text := r.ask(eas.CmdPing, &eas.PingRequest{HeartbeatInterval: ptr(3000), Folders: []eas.PingFolder{{ID: r.collection("Contacts").CollectionID, Class: "Contacts"}}})
			ended <- fmt.Sprint(status, text)
		}()
		awaitWaiting(t, h, 1)
		if err := o.post("/v1/block", admin.AdmissionRequest{User: bridgetest.User, Device: "phone1"}); err != nil {
			t.Fatal(err)
		}
		if got := <-ended; v < eas.V140 && !strings.HasPrefix(got, "403") || v >= eas.V140 && !strings.Contains(got, "<Status>129</Status>") {
			t.Errorf("the Ping ended with %s", got)
		}
		r.told("afterwards", v, eas.DeviceIsBlockedForThisUser, 403)
	})
}
