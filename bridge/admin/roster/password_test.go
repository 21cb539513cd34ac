package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

func TestNewPasswords(t *testing.T) {
	for _, tc := range []struct {
		password string
		ok       bool
	}{
		{"correct horse battery", true}, {"elf Wörter ü", true}, {"short", false}, {"", false}, {strings.Repeat("x", 2000), false},
		{"jane.doe jane.doe", false}, {"\xff\xfe twelve bytes", false},
	} {
		if err := roster.CheckPassword("jane.doe", tc.password); (err == nil) != tc.ok {
			t.Errorf("%.30q: %v", tc.password, err)
		}
	}
}

// A password that was hashed at another cost is hashed anew when it is next used.
func TestRehash(t *testing.T) {
	l := newList(t)
	dear := roster.New(roster.Options{Store: l.store, Cost: roster.Cost{Memory: 16, Time: 2, Threads: 1}})
	for range 2 {
		if _, err := dear.SignIn(t.Context(), "jane", password, "", at(1)); err != nil {
			t.Fatal(err)
		}
	}
	a, err := dear.Administrator(t.Context(), "jane")
	if c, err2 := roster.Parse(a.Password); err != nil || err2 != nil || c.Memory != 16 || c.Time != 2 {
		t.Errorf("it is %s; %v, %v", a.Password, err, err2)
	}
	if s := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Contains(s, "argon2id") {
		t.Errorf("an administrator prints as %s", s)
	}
}

// TestChangedWhileHashedAnew has a password change while the old one, which was right a
// moment ago, is hashed at another cost: it is not good any more. And two who sign in
// at that moment both get in.
func TestChangedWhileHashedAnew(t *testing.T) {
	for what, tc := range map[string]struct {
		meanwhile func(*testing.T, *roster.Roster) error
		want      error
	}{
		"the password is changed": {func(t *testing.T, r *roster.Roster) error {
			return r.SetPassword(t.Context(), "jane", "another one, for others")
		}, roster.ErrWrong},
		"they are taken off the list": {func(t *testing.T, r *roster.Roster) error {
			return r.Remove(t.Context(), "jane", func(roster.Administrator) error { return nil })
		}, roster.ErrWrong},
		"they sign in twice": {func(t *testing.T, r *roster.Roster) error {
			_, err := r.SignIn(t.Context(), "jane", password, "", at(2))
			return err
		}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			l := newList(t)
			dear := roster.New(roster.Options{Store: l.store, Cost: roster.Cost{Memory: 16, Time: 2, Threads: 1}})
			roster.WhenComputed(t, func(times int64) {
				if times == 2 { // the first one is what was kept
					if err := tc.meanwhile(t, dear); err != nil {
						t.Error(err)
					}
				}
			})
			secret, err := dear.SignIn(t.Context(), "jane", password, "", at(1))
			if !errors.Is(err, tc.want) || (secret == "") != (tc.want != nil) {
				t.Errorf("the session is %q, %v", secret, err)
			}
		})
	}
}

// TestHashOfReference takes a hash of the reference implementation's test.c, version
// 0x13, argon2id, 256 KiB.
func TestHashOfReference(t *testing.T) {
	const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for password, want := range map[string]bool{"password": true, "differentpassword": false} {
		if got, err := roster.Matches(password, hash); got != want || err != nil {
			t.Errorf("%s: %t, %v", password, got, err)
		}
	}
}

// FuzzHash: a record that was spoilt is an error, or of a cost that this computer can
// bear.
func FuzzHash(f *testing.F) {
	for _, s := range []string{"", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
		"$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q", "$argon2id$v=19$m=8,t=0,p=0$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := roster.Parse(s)
		if err == nil && (c.Memory > roster.MaxMemory || c.Time > roster.MaxTime || c.Time == 0 || c.Threads == 0) {
			t.Errorf("%q costs %+v", s, c)
		}
	})
}
