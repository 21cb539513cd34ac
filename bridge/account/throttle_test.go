package account_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// caller is a phone with a name of its own at an address.
func caller(device, address string) account.Caller {
	c := account.Caller{Device: device}
	if address != "" {
		c.Address = netip.MustParseAddr(address)
	}
	return c
}

// guess tries n different wrong passwords.
func guess(ctx context.Context, a *account.Accounts, user, prefix string, n int, from account.Caller) (err error) {
	for i := range n {
		_, err = a.LoginFrom(ctx, user, fmt.Sprint(prefix, i), from)
	}
	return err
}

// outcome says what became of a login, and when to come back.
func outcome(err error) string {
	switch {
	case err == nil:
		return "in"
	case errors.Is(err, account.ErrThrottled):
		return "later " + backend.RetryAfter(err).Round(time.Second).String()
	}
	return backend.KindOf(err).String()
}

func TestThrottle(t *testing.T) {
	limits := account.Limits{User: 5, Device: 5, Address: 10, Window: 10 * time.Minute}
	home := caller("phone", "192.0.2.1")
	type attempt struct {
		name           string
		user, password string
		from           account.Caller
		want           string
	}
	for _, tc := range []struct {
		name   string
		before func(ctx context.Context, a *account.Accounts)
		then   []attempt
	}{
		{
			"somebody guesses at one user from everywhere",
			func(ctx context.Context, a *account.Accounts) {
				for i := range 5 {
					guess(ctx, a, "ann", fmt.Sprint(i, "-"), 1, caller(fmt.Sprint("d", i), fmt.Sprintf("198.51.100.%d", i)))
				}
			},
			[]attempt{
				{"one more is told when to come back", "ann", "guess", caller("e", "203.0.113.1"), "later 2m0s"},
				{"what is known to be wrong stays wrong", "ann", "0-0", home, "access denied"},
				{"another user is not concerned", "bob", "secret", home, "in"},
				{"a right password that nobody has seen waits, too", "ann", "secret", home, "later 2m0s"},
			},
		},
		{
			"a phone with an old password",
			func(ctx context.Context, a *account.Accounts) {
				a.LoginFrom(ctx, "ann", "secret", caller("tablet", "192.0.2.1"))
				for range 1000 {
					a.LoginFrom(ctx, "ann", "old", home)
				}
			},
			[]attempt{
				{"is denied", "ann", "old", home, "access denied"},
				{"does not lock out its owner's other phone", "ann", "secret", caller("tablet", "192.0.2.1"), "in"},
				{"nor a third one", "ann", "secret", caller("laptop", "192.0.2.1"), "in"},
				{"nor itself, once it has the right one", "ann", "secret", home, "in"},
			},
		},
		{
			"somebody guesses at a user who is known",
			func(ctx context.Context, a *account.Accounts) {
				a.LoginFrom(ctx, "ann", "secret", home)
				guess(ctx, a, "ann", "x", 20, caller("evil", "203.0.113.1"))
				time.Sleep(account.DefaultPositive + time.Second)
				guess(ctx, a, "ann", "y", 20, caller("evil", "203.0.113.1"))
			},
			[]attempt{{"whose phone gets in, though its verdict ran out", "ann", "secret", home, "in"}},
		},
		{
			"one device tries many users",
			func(ctx context.Context, a *account.Accounts) {
				for i := range 5 {
					guess(ctx, a, fmt.Sprint("user", i), "x", 1, caller("evil", fmt.Sprintf("198.51.100.%d", i)))
				}
			},
			[]attempt{
				{"and has to wait", "ann", "x", caller("evil", "203.0.113.1"), "later 2m0s"},
				{"others do not", "ann", "secret", home, "in"},
			},
		},
		{
			"one address tries many users",
			func(ctx context.Context, a *account.Accounts) {
				for i := range 10 {
					guess(ctx, a, fmt.Sprint("user", i), "x", 1, caller(fmt.Sprint("d", i), "203.0.113.1"))
				}
			},
			[]attempt{
				{"and has to wait", "ann", "x", caller("d11", "203.0.113.1"), "later 1m0s"},
				{"its neighbour does not", "ann", "secret", caller("d11", "203.0.113.2"), "in"},
			},
		},
		{
			"one subscriber has many IPv6 addresses",
			func(ctx context.Context, a *account.Accounts) {
				for i := range 10 {
					guess(ctx, a, fmt.Sprint("user", i), "x", 1, caller(fmt.Sprint("d", i), fmt.Sprintf("2001:db8:0:1:%x::1", i)))
				}
			},
			[]attempt{
				{"and has to wait", "ann", "x", caller("d11", "2001:db8:0:1::99"), "later 1m0s"},
				{"the next subscriber does not", "ann", "secret", caller("d11", "2001:db8:0:2::1"), "in"},
			},
		},
		{
			"everybody comes from this computer, by a proxy that does not say more",
			func(ctx context.Context, a *account.Accounts) {
				for i := range 30 {
					guess(ctx, a, fmt.Sprint("user", i), "x", 1, caller(fmt.Sprint("d", i), "127.0.0.1"))
				}
			},
			[]attempt{{"nobody is locked out for that", "ann", "secret", caller("d", "127.0.0.1"), "in"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := build(t, account.Options{Throttle: limits})
				defer a.Close()
				b.AddUser("bob", "secret")
				tc.before(t.Context(), a)
				for _, at := range tc.then {
					_, err := a.LoginFrom(t.Context(), at.user, at.password, at.from)
					if got := outcome(err); got != at.want {
						t.Errorf("%s: %s (%v), want %s", at.name, got, err, at.want)
					}
				}
			})
		})
	}
}

// TestThrottleOpensAgain waits as long as it was told to.
func TestThrottleOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{Throttle: account.Limits{User: 2, Window: 10 * time.Minute}})
		defer a.Close()
		asked := b.Calls(memory.OpOpen)
		err := guess(t.Context(), a, "ann", "x", 10, account.Caller{})
		if got := b.Calls(memory.OpOpen) - asked; got != 2 {
			t.Errorf("the backend saw %d guesses, want 2", got)
		}
		wait := backend.RetryAfter(err)
		time.Sleep(wait - time.Second)
		if _, err := a.Login(t.Context(), "ann", "secret"); !errors.Is(err, account.ErrThrottled) || backend.KindOf(err) != backend.Transient {
			t.Errorf("before its time: %v, want %v of kind %v", err, account.ErrThrottled, backend.Transient)
		}
		time.Sleep(time.Second)
		for range 3 { // a right password uses nothing up
			if _, err := a.Login(t.Context(), "ann", "secret"); err != nil {
				t.Errorf("at its time: %v", err)
			}
			time.Sleep(account.DefaultPositive)
		}
		time.Sleep(10 * time.Minute)
		if _, err := a.Login(t.Context(), "bob", "x"); backend.KindOf(err) != backend.Denied {
			t.Errorf("a window later: %v, want kind %v", err, backend.Denied)
		}
	})
}

// TestThrottleSpends nothing where the backend did not say no.
func TestThrottleSpendsNothingOnFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{Throttle: account.Limits{User: 1}})
		defer a.Close()
		for i := range 10 {
			b.Fail(memory.Failure{Op: memory.OpOpen, Err: backend.E(backend.Transient, "x", nil), Times: 1})
			if _, err := a.Login(t.Context(), "ann", "secret"); backend.KindOf(err) != backend.Transient || errors.Is(err, account.ErrThrottled) {
				t.Fatalf("login %d at a backend that is down: %v", i, err)
			}
		}
		if _, err := a.Login(t.Context(), "ann", "secret"); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
}

// TestThrottleAfterARestart lets an office with right passwords, all behind one
// address, come back at once, and then somebody guess from there.
func TestThrottleAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		slowly := &slow{Backend: b}
		for i := range 100 {
			b.AddUser(fmt.Sprint("user", i), "secret")
		}
		a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: slowly}}, Throttle: account.Limits{Address: 30}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if _, err := a.LoginFrom(t.Context(), fmt.Sprint("user", i), "secret", caller(fmt.Sprint("phone", i), "192.0.2.1")); err != nil {
					t.Errorf("user %d with the right password: %v", i, err)
				}
			})
		}
		all.Wait()
		asked := slowly.asked
		for i := range 100 {
			a.LoginFrom(t.Context(), fmt.Sprint("nobody", i), "guess", caller(fmt.Sprint("thief", i), "192.0.2.1"))
		}
		if n := slowly.asked - asked; n < 30 || n > 36 { // some come back while the hundred take their time
			t.Errorf("the backend was asked for %d guesses, want some 30", n)
		}
	})
}

func TestThrottleCanBeSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := build(t, account.Options{Throttle: account.Limits{User: -1, Device: -1, Address: -1}})
		defer a.Close()
		if err := guess(t.Context(), a, "ann", "x", 200, caller("phone", "192.0.2.1")); backend.KindOf(err) != backend.Denied {
			t.Errorf("the 200th guess: %v, want kind %v", err, backend.Denied)
		}
	})
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	if got, most := account.Flood(account.ThrottleSize+500), account.ThrottleSize; got != [3]int{most, most, most} {
		t.Errorf("%v buckets, want %d of each sort", got, most)
	}
}

func TestClientAddress(t *testing.T) {
	for _, tc := range []struct{ name, remote, address, network string }{
		{"IPv4", "192.0.2.1:5000", "192.0.2.1", "192.0.2.1/32"},
		{"without a port", "192.0.2.1", "192.0.2.1", "192.0.2.1/32"},
		{"IPv6", "[2001:db8::1]:5000", "2001:db8::1", "2001:db8::/64"},
		{"IPv6 without a port", "2001:db8::1", "2001:db8::1", "2001:db8::/64"},
		{"IPv6 in brackets", "[2001:db8::1]", "2001:db8::1", "2001:db8::/64"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:5000", "192.0.2.1", "192.0.2.1/32"},
		{"a zone", "[fe80::1%eth0]:5000", "fe80::1", "fe80::/64"},
		{"this computer", "127.0.0.1:5000", "127.0.0.1", ""},
		{"this computer, IPv6", "[::1]:5000", "::1", ""},
		{"nowhere", "0.0.0.0:5000", "0.0.0.0", ""},
		{"a Unix socket", "unix:", "", ""},
		{"another way to say so", "@", "", ""},
		{"nothing", "", "", ""},
		{"a name", "phone.example.org:5000", "", ""},
		{"a list", "192.0.2.1, 192.0.2.2", "", ""},
		{"too long", strings.Repeat("1", 200), "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := account.ClientAddress(tc.remote)
			address, network := "", ""
			if a.IsValid() {
				address = a.String()
			}
			if n, ok := account.Network(a); ok {
				network = n.String()
			}
			if address != tc.address || network != tc.network {
				t.Errorf("%q is %q in %q, want %q in %q", tc.remote, address, network, tc.address, tc.network)
			}
		})
	}
}

// FuzzClientAddress tries that every address is read back as it was written,
// and that what is read belongs to nobody but who has it.
func FuzzClientAddress(f *testing.F) {
	for _, s := range []string{"192.0.2.1:80", "[2001:db8::1%x]:80", "::ffff:1.2.3.4", "[]", "[::1", "1.2.3.4, 5.6.7.8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, remote string) {
		a := account.ClientAddress(remote)
		if !a.IsValid() {
			return
		}
		if a.Zone() != "" || a.Is4In6() {
			t.Errorf("%q is %v: one place would be several", remote, a)
		}
		for _, again := range []string{a.String(), netip.AddrPortFrom(a, 443).String()} {
			if account.ClientAddress(again) != a {
				t.Errorf("%q is %v, which is %v", remote, a, account.ClientAddress(again))
			}
		}
		if n, ok := account.Network(a); ok && (!n.Contains(a) || a.Is6() && n.Bits() != 64) {
			t.Errorf("%v is in %v", a, n)
		}
	})
}
