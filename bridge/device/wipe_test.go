package device_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

// A ward is a register with one phone in it.
type ward struct {
	*device.Register
	t *testing.T
}

func newWard(t *testing.T, o device.Options) ward {
	o.Store = new(devicetest.Memory)
	w := ward{device.New(o), t}
	w.comes("first", nil)
	return w
}

// comes lets the phone send a request.
func (w ward) comes(when string, want error) device.Phone {
	w.t.Helper()
	p, err := w.Admit(w.t.Context(), visit)
	if !errors.Is(err, want) {
		w.t.Errorf("%s: the phone is answered %v, want %v", when, err, want)
	}
	if got := w.Summons(w.t.Context(), ann, visit.Version); !errors.Is(got, want) && !errors.Is(got, device.ErrStale) {
		w.t.Errorf("%s: the phone that would wait is told %v, want %v", when, got, want)
	}
	return p
}

func (w ward) state(when string, want device.WipeState) {
	w.t.Helper()
	p, err := w.Store.Phone(w.t.Context(), ann)
	if err != nil || p.Wipe.State != want {
		w.t.Errorf("%s: the order is %q, %v, want %q", when, p.Wipe.State, err, want)
	}
}

func (w ward) acknowledges(o device.Order, done bool) {
	w.t.Helper()
	if _, err := w.AcknowledgeWipe(w.t.Context(), ann, o, done); err != nil {
		w.t.Fatal(err)
	}
}

func (w ward) orders(o device.Order) {
	w.t.Helper()
	if _, err := w.OrderWipe(w.t.Context(), ann, o, "uid 0", false); err != nil {
		w.t.Fatal(err)
	}
}

func (w ward) told() {
	w.t.Helper()
	if _, err := w.SendWipe(w.t.Context(), ann); err != nil {
		w.t.Fatal(err)
	}
}

// An order is told until the phone says that it is done, and the phone stays out
// until it is allowed.
func TestWipe(t *testing.T) {
	for _, o := range []device.Order{device.WipeDevice, device.WipeAccount} {
		w := newWard(t, device.Options{})
		w.acknowledges(o, true)
		w.comes("an acknowledgement that nobody asked for", nil)
		w.orders(o)
		w.state("ordered", device.WipePending)
		w.acknowledges(o, true)
		w.state("an acknowledgement before it was told", device.WipePending)
		w.comes("ordered", device.ErrWipe)
		w.told()
		w.orders(o)
		w.state("ordered once more", device.WipeSent)
		w.acknowledges(3-o, true)
		w.state("another order is acknowledged", device.WipeSent)
		w.acknowledges(o, false)
		w.state("it could not", device.WipeFailed)
		w.comes("it could not", device.ErrWipe)
		w.told()
		w.acknowledges(o, true)
		w.acknowledges(o, true)
		w.acknowledges(o, false)
		w.state("done", device.WipeAcknowledged)
		if p := w.comes("done", device.ErrBlocked); !strings.Contains(p.BlockedWhy, "erased itself") || p.Wipe.Ended.IsZero() || p.Wipe.By != "uid 0" {
			t.Errorf("it is blocked because %q, %+v", p.BlockedWhy, p.Wipe)
		}
		if _, err := w.CancelWipe(t.Context(), ann); !errors.Is(err, device.ErrNoWipe) {
			t.Errorf("cancelling what is done: %v", err)
		}
		if err := w.Allow(t.Context(), ann, "uid 0"); err != nil {
			t.Fatal(err)
		}
		w.comes("allowed", nil)
		w.state("allowed", device.WipeAcknowledged)
		w.orders(o)
		w.comes("ordered again", device.ErrWipe)
	}
}

func TestWipeThatFails(t *testing.T) {
	w := newWard(t, device.Options{})
	w.orders(device.WipeDevice)
	for range device.MaxWipeTries {
		w.comes("before it says that it cannot", device.ErrWipe)
		w.told()
		w.acknowledges(device.WipeDevice, false)
	}
	if p := w.comes("it cannot", device.ErrBlocked); p.Wipe.Tries != device.MaxWipeTries {
		t.Errorf("the order is %+v", p.Wipe)
	}
}

func TestWipeIsCancelled(t *testing.T) {
	w := newWard(t, device.Options{})
	if _, err := w.CancelWipe(t.Context(), ann); !errors.Is(err, device.ErrNoWipe) {
		t.Errorf("cancelling nothing: %v", err)
	}
	w.orders(device.WipeDevice)
	if _, err := w.CancelWipe(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	w.comes("cancelled", nil)
	if _, err := w.SendWipe(t.Context(), ann); !errors.Is(err, device.ErrNoWipe) {
		t.Errorf("a cancelled order is told: %v", err)
	}
	w.acknowledges(device.WipeDevice, true)
	w.state("never told", device.WipeCancelled)
	w.orders(device.WipeDevice)
	w.told()
	if p, err := w.CancelWipe(t.Context(), ann); err != nil || p.Wipe.Sent.IsZero() {
		t.Fatalf("%+v, %v", p.Wipe, err)
	}
	w.acknowledges(device.WipeDevice, true) // too late
	w.state("told, cancelled, and done all the same", device.WipeAcknowledged)
	w.comes("done all the same", device.ErrBlocked)
}

// An order that came in place of another one between a phone's being held up and
// its being told is the one that it is told.
func TestWipeIsReplaced(t *testing.T) {
	w := newWard(t, device.Options{})
	w.orders(device.WipeDevice)
	w.comes("ordered", device.ErrWipe)
	w.orders(device.WipeAccount)
	if told, err := w.SendWipe(t.Context(), ann); err != nil || told.Order != device.WipeAccount || told.State != device.WipeSent {
		t.Errorf("it is told %+v, %v; want to erase the account alone", told, err)
	}
	old := visit
	old.Version = "14.1"
	if _, err := w.Admit(t.Context(), old); !errors.Is(err, device.ErrBlocked) {
		t.Fatal(err)
	}
	if told, err := w.SendWipe(t.Context(), ann); !errors.Is(err, device.ErrNoWipe) {
		t.Errorf("in a version that cannot it is told %+v, %v", told, err)
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	never := newWard(t, device.Options{NeverFullWipe: true})
	if _, err := never.OrderWipe(t.Context(), ann, device.WipeDevice, "", false); !errors.Is(err, device.ErrNeverFullWipe) {
		t.Errorf("a full wipe where there is never one: %v", err)
	}
	never.orders(device.WipeAccount)
	never.comes("account only", device.ErrWipe)
	if _, err := never.OrderWipe(t.Context(), device.ID{User: "ann", Device: "other"}, device.WipeAccount, "", false); !errors.Is(err, device.ErrUnknown) {
		t.Errorf("an unknown phone: %v", err)
	}
	if err := never.Block(t.Context(), device.ID{User: "ann", Device: "other"}, ""); !errors.Is(err, device.ErrUnknown) {
		t.Errorf("blocking an unknown phone: %v", err)
	}
	// Ordered before the configuration said never.
	w := newWard(t, device.Options{})
	w.orders(device.WipeDevice)
	later := device.New(device.Options{Store: w.Store, NeverFullWipe: true})
	if _, err := later.Admit(t.Context(), visit); !errors.Is(err, device.ErrBlocked) {
		t.Errorf("a full wipe that was ordered before: %v, want that it is kept out and not erased", err)
	}
	old := visit
	old.Version = "14.1"
	if _, err := never.Admit(t.Context(), old); !errors.Is(err, device.ErrBlocked) {
		t.Errorf("a phone that is to erase its account and speaks 14.1 now: %v, want that it is kept out", err)
	}
	if _, err := never.CancelWipe(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if _, err := never.OrderWipe(t.Context(), ann, device.WipeAccount, "", false); !errors.Is(err, device.ErrNoAccountWipe) {
		t.Errorf("account only in 14.1: %v", err)
	}
}

func TestBlock(t *testing.T) {
	w := newWard(t, device.Options{})
	if err := w.Block(t.Context(), ann, "lost\n"); err != nil {
		t.Fatal(err)
	}
	if p := w.comes("blocked", device.ErrBlocked); p.BlockedWhy != "lost" {
		t.Errorf("why: %q", p.BlockedWhy)
	}
	if err := w.Allow(t.Context(), ann, "uid 0"); err != nil {
		t.Fatal(err)
	}
	w.comes("allowed", nil)
}

// A policy that changes is told to those that wait.
func TestStale(t *testing.T) {
	w := newWard(t, device.Options{Policy: policy.Policy{Require: true}})
	if w.Stale(w.comes("before", nil)) {
		t.Error("a phone that never accepted a policy is stale")
	}
	key, err := w.NewTemporaryKey(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Acknowledge(t.Context(), ann, key, device.Applied); err != nil {
		t.Fatal(err)
	}
	if w.Stale(w.comes("accepted", nil)) {
		t.Error("a phone that accepted the policy is stale")
	}
	w.SetPolicy(policy.Policy{Require: true, Document: policy.Document{"allow_camera": false}})
	if !w.Stale(w.comes("changed", nil)) || !errors.Is(w.Summons(t.Context(), ann, "16.1"), device.ErrStale) {
		t.Error("a phone that accepted an earlier policy is not stale")
	}
	w.SetPolicy(policy.Policy{})
	if w.Stale(w.comes("none any more", nil)) {
		t.Error("there is no policy, and the phone is stale")
	}
}

// Who is let in that did not apply the policy as a whole.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		y      policy.Policy
		status int
		want   error
	}{
		{"applied", policy.Policy{}, device.Applied, nil},
		{"partly", policy.Policy{}, device.PartlyApplied, nil},
		{"partly, which is refused", policy.Policy{RefusePartial: true}, device.PartlyApplied, device.ErrNotApplied},
		{"not", policy.Policy{}, device.NotApplied, device.ErrNotApplied},
		{"managed by others", policy.Policy{}, device.ManagedByOthers, nil},
		{"managed by others, which is refused", policy.Policy{RefuseExternal: true}, device.ManagedByOthers, device.ErrExternal},
	} {
		tc.y.Require = true
		w := newWard(t, device.Options{Policy: tc.y})
		key, err := w.NewTemporaryKey(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // an answer may be lost
			final, err := w.Acknowledge(t.Context(), ann, key, tc.status)
			if !errors.Is(err, tc.want) || (final != 0) != (tc.want == nil) {
				t.Errorf("%s: key %d, %v, want %v", tc.name, final, err, tc.want)
			}
		}
	}
	w := newWard(t, device.Options{Policy: policy.Policy{Require: true, AllowUnprovisionable: true}})
	p, zero := w.comes("", nil), uint32(0)
	if none, some := w.NeedsProvision(p, nil), w.NeedsProvision(p, &zero); none != device.NoNeed || some != device.Provision {
		t.Errorf("without a key %d, with key 0 %d", none, some)
	}
}

// The circles that phones go in, and how they end.
func TestLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began []device.Loop
		w := newWard(t, device.Options{Policy: policy.Policy{Require: true}, Looping: func(p device.Phone) { began = append(began, p.Policy.Turns.Loop) }})
		zero := uint32(0)
		need := func(when string, want device.Need) {
			t.Helper()
			if got := w.NeedsProvision(w.comes(when, nil), &zero); got != want {
				t.Errorf("%s: need %d, want %d", when, got, want)
			}
		}
		tell := func(n int) {
			t.Helper()
			for range n {
				if err := w.Told(t.Context(), ann); err != nil {
					t.Fatal(err)
				}
			}
		}
		provision := func(status, n int) {
			t.Helper()
			for range n {
				key, err := w.NewTemporaryKey(t.Context(), ann)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Acknowledge(t.Context(), ann, key, status); err != nil && !errors.Is(err, device.ErrNotApplied) {
					t.Fatal(err)
				}
			}
		}
		expect := func(when string, loops ...device.Loop) {
			t.Helper()
			if len(began) != len(loops) || len(loops) > 0 && began[0] != loops[0] {
				t.Errorf("%s: reported %q, want %q", when, began, loops)
			}
			began = nil
		}

		tell(device.MaxTold)
		need("told often", device.Provision)
		expect("told often")
		tell(2)
		need("told too often", device.NotProvisionable)
		expect("told too often", device.LoopDeaf)
		time.Sleep(device.LoopPause)
		need("after a pause", device.Provision)
		tell(device.MaxTold + 1)
		need("told too often again", device.NotProvisionable)
		expect("told too often again", device.LoopDeaf)
		provision(device.NotApplied, 1)
		need("it asks for the policy after all, and refuses", device.Provision)

		provision(device.NotApplied, device.MaxRefuses)
		need("it refuses time and again", device.NotApplying)
		expect("it refuses time and again", device.LoopRefuses)
		provision(device.Applied, 1)
		need("it accepts after all", device.Provision)

		time.Sleep(device.LoopWindow)
		provision(device.Applied, device.MaxAccepts)
		need("it accepts often", device.Provision)
		provision(device.Applied, 1)
		need("it accepts time and again, and sends no key", device.NoNeed)
		expect("it accepts time and again", device.LoopKeyless)
		time.Sleep(2 * device.LoopPause)
		need("much later", device.NoNeed)
		w.SetPolicy(policy.Policy{Require: true, Document: policy.Document{"allow_camera": false}})
		need("a new policy has to be accepted all the same", device.Refresh-1)

		time.Sleep(device.LoopWindow)
		for range device.MaxAsks {
			if _, err := w.NewTemporaryKey(t.Context(), ann); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := w.NewTemporaryKey(t.Context(), ann); !errors.Is(err, device.ErrLoop) {
				t.Errorf("it asks for the policy without end: %v, want %v", err, device.ErrLoop)
			}
		}
		time.Sleep(device.LoopWindow)
		if _, err := w.NewTemporaryKey(t.Context(), ann); err != nil {
			t.Errorf("after a while: %v", err)
		}
	})
}

func TestRecoveryPassword(t *testing.T) {
	box, err := recovery.Read(strings.NewReader(strings.Repeat("0f", 32)))
	if err != nil {
		t.Fatal(err)
	}
	asks := policy.Policy{Require: true, Document: policy.Document{"device_password_enabled": true, "password_recovery_enabled": true}}
	w := newWard(t, device.Options{Policy: asks, Box: box})
	p := w.comes("", nil)
	if _, _, err := w.RecoveryPassword(t.Context(), ann); !errors.Is(err, device.ErrNoPassword) {
		t.Errorf("before: %v", err)
	}
	if err := w.KeepPassword(t.Context(), p, "Sesame"); err != nil {
		t.Fatal(err)
	}
	if got, when, err := w.RecoveryPassword(t.Context(), ann); got != "Sesame" || when.IsZero() || err != nil {
		t.Errorf("%q, %v, %v", got, when, err)
	}
	for name, o := range map[string]device.Options{"no key": {Policy: asks}, "nobody asked": {Policy: policy.Policy{Require: true}, Box: box}, "no policy": {Box: box}} {
		if err := newWard(t, o).KeepPassword(t.Context(), p, "Sesame"); !errors.Is(err, device.ErrNoRecovery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.KeepPassword(t.Context(), p, ""); !errors.Is(err, recovery.ErrInvalid) {
		t.Errorf("an empty one: %v", err)
	}
}

// Where two people have to want it, the first one's word alone does nothing.
func TestTwoPersons(t *testing.T) {
	w := newWard(t, device.Options{TwoPersons: true})
	if _, err := w.ConfirmWipe(t.Context(), ann, "bob"); !errors.Is(err, device.ErrNoWipe) {
		t.Errorf("confirming nothing: %v", err)
	}
	w.orders(device.WipeDevice)
	w.orders(device.WipeDevice)
	w.state("the first one's word", device.WipeRequested)
	w.comes("the first one's word", nil)
	if _, err := w.SendWipe(t.Context(), ann); !errors.Is(err, device.ErrNoWipe) {
		t.Errorf("it is told before it is confirmed: %v", err)
	}
	w.acknowledges(device.WipeDevice, true)
	w.state("acknowledged by nobody's wish", device.WipeRequested)
	if _, err := w.ConfirmWipe(t.Context(), ann, "uid 0"); !errors.Is(err, device.ErrSamePerson) {
		t.Errorf("the first one confirms it: %v", err)
	}
	if _, err := w.CancelWipe(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	w.state("taken back", device.WipeCancelled)
	w.orders(device.WipeDevice)
	p, err := w.ConfirmWipe(t.Context(), ann, "bob")
	if err != nil || p.Wipe.By != "uid 0" || p.Wipe.Second != "bob" {
		t.Errorf("confirmed it is %+v, %v", p.Wipe, err)
	}
	w.state("confirmed", device.WipePending)
	w.comes("confirmed", device.ErrWipe)

	// The first one's word does not end an order that needs no second one.
	w = newWard(t, device.Options{TwoPersons: true})
	w.orders(device.WipeAccount)
	if _, err := w.OrderWipe(t.Context(), ann, device.WipeDevice, "uid 0", false); !errors.Is(err, device.ErrOtherWipe) {
		t.Errorf("everything where the account is to be erased: %v", err)
	}
	w.state("everything where the account is to be erased", device.WipePending)
	w.comes("everything where the account is to be erased", device.ErrWipe)

	// An account alone, or an owner's own phone, is nobody else's business.
	for _, o := range []struct {
		order device.Order
		alone bool
	}{{device.WipeAccount, false}, {device.WipeDevice, true}} {
		w := newWard(t, device.Options{TwoPersons: true})
		if _, err := w.OrderWipe(t.Context(), ann, o.order, "ann", o.alone); err != nil {
			t.Fatal(err)
		}
		w.state("one suffices", device.WipePending)
	}
}

// An order that a phone does not come for is over some time, and keeps it out.
func TestWipeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, device.Options{WipeExpires: 48 * time.Hour})
		w.orders(device.WipeDevice)
		time.Sleep(47 * time.Hour)
		if _, done, err := w.ExpireWipe(t.Context(), ann); err != nil || done {
			t.Errorf("before its time it is over: %t, %v", done, err)
		}
		time.Sleep(time.Hour)
		if p := w.comes("too late", device.ErrBlocked); !strings.Contains(p.BlockedWhy, "did not come") {
			t.Errorf("it is kept out because %q", p.BlockedWhy)
		}
		w.state("too late", device.WipeExpired)
		if err := w.Allow(t.Context(), ann, "jane"); err != nil {
			t.Fatal(err)
		}
		w.comes("allowed", nil)
		// One that is over and was not ended yet is not given again by itself.
		w.orders(device.WipeDevice)
		time.Sleep(49 * time.Hour)
		w.orders(device.WipeDevice)
		w.comes("ordered anew", device.ErrWipe)
		if _, err := w.CancelWipe(t.Context(), ann); err != nil {
			t.Fatal(err)
		}
		// What it heard of does not end: it may do it any time.
		w.orders(device.WipeDevice)
		w.told()
		time.Sleep(1000 * time.Hour)
		if _, done, err := w.ExpireWipe(t.Context(), ann); err != nil || done {
			t.Errorf("one that was sent is over: %t, %v", done, err)
		}
		w.comes("sent long ago", device.ErrWipe)
	})
}
