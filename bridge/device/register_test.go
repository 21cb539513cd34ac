package device_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
)

var (
	ann   = device.ID{User: "ann", Device: "ABC123"}
	visit = device.Visit{ID: ann, Type: "iPhone", UserAgent: "Apple-iPhone/1", Version: "16.1"}
)

func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := device.New(device.Options{Store: new(devicetest.Memory)})
		start := time.Now()
		admit := func(when string, v device.Visit, seen time.Duration) {
			t.Helper()
			p, err := r.Admit(t.Context(), v)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if p.ID != v.ID || p.Type != v.Type || p.UserAgent != v.UserAgent || p.Version != "16.1" ||
				!p.FirstSeen.Equal(start) || p.LastSeen.Sub(start) != seen {
				t.Errorf("%s: %+v, want last seen after %v", when, p, seen)
			}
		}
		admit("first", visit, 0)
		time.Sleep(time.Minute)
		admit("soon again: nothing worth a write", visit, 0)
		options := visit
		options.Version = ""
		admit("OPTIONS says no version", options, 0)
		time.Sleep(device.SeenStep)
		admit("later", visit, time.Minute+device.SeenStep)
		updated := visit
		updated.UserAgent = "Apple-iPhone/2"
		time.Sleep(time.Second)
		admit("a new system", updated, time.Minute+time.Second+device.SeenStep)
	})
}

func TestAdmitRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		device string
		set    func(*device.Phone)
		want   error
	}{
		{name: "no DeviceId", device: "", want: device.ErrInvalidID},
		{name: "a long DeviceId", device: strings.Repeat("a", device.MaxDeviceID+1), want: device.ErrInvalidID},
		{name: "a path", device: "../x", want: device.ErrInvalidID},
		{name: "blocked", device: "a", set: func(p *device.Phone) { p.Blocked = true }, want: device.ErrBlocked},
		{name: "to be erased, though blocked", device: "a", set: func(p *device.Phone) {
			p.Blocked, p.Wipe = true, device.Wipe{Order: device.WipeDevice, State: device.WipePending}
		}, want: device.ErrWipe},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := new(devicetest.Memory)
			r := device.New(device.Options{Store: store})
			v := visit
			v.Device = tc.device
			if tc.set != nil {
				if _, err := store.Update(t.Context(), v.ID, func(p *device.Phone, _ bool) error { tc.set(p); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.Admit(t.Context(), v); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestTooManyPhones(t *testing.T) {
	r := device.New(device.Options{Store: new(devicetest.Memory)})
	for i := range device.MaxPhones {
		v := visit
		v.Device = fmt.Sprintf("phone%d", i)
		if _, err := r.Admit(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Admit(t.Context(), visit); !errors.Is(err, device.ErrTooMany) {
		t.Errorf("error = %v, want %v", err, device.ErrTooMany)
	}
	v := visit
	v.Device = "phone0"
	if _, err := r.Admit(t.Context(), v); err != nil {
		t.Errorf("a phone that is known gets %v", err)
	}
}

func TestWhatPhonesSayIsBounded(t *testing.T) {
	r := device.New(device.Options{Store: new(devicetest.Memory)})
	v := visit
	v.UserAgent = "a\nb\x00" + strings.Repeat("ä", device.MaxText)
	p, err := r.Admit(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.UserAgent) > device.MaxText || !strings.HasPrefix(p.UserAgent, "abä") || strings.ContainsRune(p.UserAgent, '\ufffd') {
		t.Errorf("user agent = %q", p.UserAgent)
	}
	again, err := r.Admit(t.Context(), v)
	if err != nil || again != p {
		t.Errorf("the same visit again gives %+v, %v, want no change", again, err)
	}
	if err := r.Describe(t.Context(), ann, device.Information{Model: "one", IMEI: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Describe(t.Context(), ann, device.Information{Model: "two"}); err != nil {
		t.Fatal(err)
	}
	if p, err = r.Admit(t.Context(), v); err != nil || p.Model != "two" || p.IMEI != "1" {
		t.Errorf("information = %+v, %v, want the newer model and the older IMEI", p.Information, err)
	}
	if err := r.Remember(t.Context(), ann, "ping", make([]byte, device.MaxValue+1)); err == nil {
		t.Error("a value without end was remembered")
	}
}

// TestProvisioning walks a phone through both phases. See [MS-ASPROV]
// "Phase 1 ... Phase 2".
func TestProvisioning(t *testing.T) {
	store := new(devicetest.Memory)
	r := device.New(device.Options{Store: store, Policy: policy.Policy{Require: true}})
	need := func(when string, r *device.Register, key uint32, want device.Need) {
		t.Helper()
		p, err := r.Admit(t.Context(), visit)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.NeedsProvision(p, &key); got != want {
			t.Errorf("%s: need = %d, want %d", when, got, want)
		}
	}
	need("before", r, 0, device.Provision)
	need("with another server's key", r, 4711, device.Provision)
	temporary, err := r.NewTemporaryKey(t.Context(), ann)
	if err != nil || temporary == 0 {
		t.Fatalf("temporary key = %d, %v", temporary, err)
	}
	need("with the temporary key", r, temporary, device.Provision)
	if _, err := r.Acknowledge(t.Context(), ann, temporary+1, device.Applied); !errors.Is(err, device.ErrPolicyKey) {
		t.Errorf("another key was acknowledged: %v", err)
	}
	final, err := r.Acknowledge(t.Context(), ann, temporary, device.Applied)
	if err != nil || final == 0 || final == temporary {
		t.Fatalf("final key = %d, %v", final, err)
	}
	again, err := r.Acknowledge(t.Context(), ann, temporary, device.Applied)
	if err != nil || again != final {
		t.Errorf("the same acknowledgement again gets %d, %v, want %d\nA phone whose answer was lost would provision for ever.", again, err, final)
	}
	need("with the final key", r, final, device.NoNeed)
	need("with the temporary key afterwards", r, temporary, device.BadKey)
	need("without a key", r, 0, device.Provision)

	newer := device.New(device.Options{Store: store, Policy: policy.Policy{Require: true, Document: policy.Document{"allow_camera": false}}})
	need("after the policy changed", newer, final, device.Refresh)
	temporary, err = newer.NewTemporaryKey(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	need("the old key until the new policy is accepted", newer, final, device.Refresh)
	if key, err := newer.Acknowledge(t.Context(), ann, temporary, device.NotApplied); !errors.Is(err, device.ErrNotApplied) || key != 0 {
		t.Errorf("a phone that does not apply the policy gets the key %d, %v, want none", key, err)
	}
	need("after refusing", newer, final, device.Provision)
	if key, err := newer.Acknowledge(t.Context(), ann, temporary, device.PartlyApplied); err != nil || key == 0 {
		t.Errorf("a phone that applies a part of the policy gets %d, %v, want a key", key, err)
	}

	lax := device.New(device.Options{Store: store})
	need("where nobody insists", lax, 4711, device.NoNeed)
	if temporary, err = lax.NewTemporaryKey(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if key, err := lax.Acknowledge(t.Context(), ann, temporary, device.PartlyApplied); err != nil || key == 0 {
		t.Errorf("where nobody insists, a phone that applied a part gets %d, %v, want a key", key, err)
	}
}

func TestAcknowledgeWithoutPhase1(t *testing.T) {
	r := device.New(device.Options{Store: new(devicetest.Memory), Policy: policy.Policy{Require: true}})
	for _, key := range []uint32{0, 1} {
		if _, err := r.Acknowledge(t.Context(), ann, key, device.Applied); !errors.Is(err, device.ErrPolicyKey) {
			t.Errorf("key %d: error = %v, want %v", key, err, device.ErrPolicyKey)
		}
	}
}
