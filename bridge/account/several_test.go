package account_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// both makes Accounts over a calendar and a mail server which both vouch for
// people: ann is at both, cal at the calendar and max at the mail server only.
func both(t *testing.T) (a *account.Accounts, calendar, mail *memory.Backend) {
	t.Helper()
	calendar, mail = memory.New(), memory.New()
	calendar.AddUser("ann", "secret")
	calendar.AddUser("cal", "secret")
	mail.AddUser("ann", "secret")
	mail.AddUser("max", "secret")
	a, err := account.New(account.Options{
		Backends: []account.Named{{Name: "calendar", Backend: calendar}, {Name: "mail", Backend: mail}},
		Verify:   []string{"calendar", "mail"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, calendar, mail
}

// listed logs in and answers of which backends there are listings, and what the
// others said.
func listed(t *testing.T, a *account.Accounts, user string) (names string, bad map[string]error) {
	t.Helper()
	acct, err := a.Login(t.Context(), user, "secret")
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	good, bad := acct.List(t.Context())
	for _, l := range good {
		names += l.Backend + " "
	}
	if err := acct.Refused(); err != nil {
		t.Errorf("the password of %s is taken for refused: %v", user, err)
	}
	return names, bad
}

// An account may have mail only, a calendar only, or both.
func TestAccountsAtSomeBackendsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, calendar, mail := both(t)
		defer a.Close()
		for _, tt := range []struct{ user, good, absent string }{
			{"ann", "calendar mail ", ""}, {"cal", "calendar ", "mail"}, {"max", "mail ", "calendar"},
		} {
			for range 2 {
				names, bad := listed(t, a, tt.user)
				if names != tt.good {
					t.Errorf("%s has something at %q, want %q", tt.user, names, tt.good)
				}
				if tt.absent != "" && (!errors.Is(bad[tt.absent], account.ErrNotThere) || backend.KindOf(bad[tt.absent]) != backend.Transient) {
					t.Errorf("%s: %v, want that there is no account at %s", tt.user, bad, tt.absent)
				}
			}
		}
		before := calendar.Calls(memory.OpOpen) + mail.Calls(memory.OpOpen)
		for range 24 { // each hour of a day
			time.Sleep(time.Hour)
			listed(t, a, "cal")
		}
		if n := calendar.Calls(memory.OpOpen) + mail.Calls(memory.OpOpen) - before; n > 24*2+8 {
			t.Errorf("in a day the two were asked %d times; somebody without an account is asked about too often", n)
		}
		mail.AddUser("cal", "secret")
		time.Sleep(5 * time.Hour)
		if names, _ := listed(t, a, "cal"); names != "calendar mail " {
			t.Errorf("with an account that is new cal has something at %q", names)
		}
	})
}

// One that is down keeps nobody from the other.
func TestOneOfTwoIsDown(t *testing.T) {
	for _, tt := range []struct{ name, down, up string }{{"calendar", "calendar", "mail "}, {"mail", "mail", "calendar "}} {
		t.Run(tt.name, func(t *testing.T) {
			a, calendar, mail := both(t)
			defer a.Close()
			b := map[string]*memory.Backend{"calendar": calendar, "mail": mail}[tt.down]
			for _, op := range []memory.Op{memory.OpOpen, memory.OpCollections} {
				b.Fail(memory.Failure{Op: op, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
			}
			names, bad := listed(t, a, "ann")
			if names != tt.up || errors.Is(bad[tt.down], account.ErrNotThere) || backend.KindOf(bad[tt.down]) != backend.Transient {
				t.Errorf("ann has something at %q, and %v", names, bad)
			}
			if _, err := a.Login(t.Context(), "ann", "guess"); backend.KindOf(err) != backend.Transient {
				t.Errorf("a wrong password: %v, want that nobody knows", err)
			}
			b.Mend()
			if _, err := a.Login(t.Context(), "ann", "guess"); backend.KindOf(err) != backend.Denied {
				t.Errorf("a wrong password when both answer: %v, want kind %v", err, backend.Denied)
			}
		})
	}
}

// hanging is a backend that does not answer before the context ends.
type hanging struct{ backend.Backend }

func (hanging) Open(ctx context.Context, _ backend.Credentials) (backend.Session, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// One that hangs keeps people waiting for a few seconds.
func TestOneOfTwoHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mail := memory.New()
		mail.AddUser("ann", "secret")
		a, err := account.New(account.Options{Verify: []string{"calendar", "mail"},
			Backends: []account.Named{{Name: "calendar", Backend: hanging{}}, {Name: "mail", Backend: mail}}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		begin := time.Now()
		if _, err := a.Login(t.Context(), "ann", "secret"); err != nil || time.Since(begin) > 6*time.Second {
			t.Errorf("%v after %v, want a login within seconds", err, time.Since(begin))
		}
	})
}

// Whose password was changed at who vouched for it has to log in anew; a backend
// that did not vouch cannot end that.
func TestPasswordChangedAtOneOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, calendar, mail := both(t)
		defer a.Close()
		listed(t, a, "ann")
		mail.SetPassword("ann", "other")
		time.Sleep(account.Linger + time.Second)
		if names, bad := listed(t, a, "ann"); names != "calendar " || !errors.Is(bad["mail"], account.ErrNotThere) {
			t.Errorf("changed at the mail server: %q, %v", names, bad)
		}
		calendar.SetPassword("ann", "other")
		time.Sleep(10 * time.Minute)
		if _, err := a.Login(t.Context(), "ann", "secret"); backend.KindOf(err) != backend.Denied {
			t.Errorf("changed at both: %v, want kind %v", err, backend.Denied)
		}
	})
}

// Guesses are counted also while one of two cannot be asked.
func TestGuessesWhileOneOfTwoIsDown(t *testing.T) {
	calendar, mail := memory.New(), memory.New()
	calendar.AddUser("ann", "secret")
	mail.Fail(memory.Failure{Op: memory.OpOpen, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
	a, err := account.New(account.Options{Verify: []string{"calendar", "mail"}, Throttle: account.Limits{User: 3},
		Backends: []account.Named{{Name: "calendar", Backend: calendar}, {Name: "mail", Backend: mail}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, guess := range []string{"a", "b", "c", "d", "e"} {
		_, err = a.Login(t.Context(), "ann", guess)
	}
	if !errors.Is(err, account.ErrThrottled) || calendar.Calls(memory.OpOpen) != 3 {
		t.Errorf("the fifth guess: %v, and the calendar was asked %d times; want it throttled after three", err, calendar.Calls(memory.OpOpen))
	}
}

// Who has an account at the second of two only is not a stranger whom the first has
// to refuse each time: that looks like an attack there.
func TestSecondVouches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, calendar, mail := both(t)
		defer a.Close()
		for range 24 * 6 { // a phone that comes every ten minutes of a day
			if names, _ := listed(t, a, "max"); names != "mail " {
				t.Fatalf("max has something at %q", names)
			}
			time.Sleep(10 * time.Minute)
		}
		if n := calendar.Calls(memory.OpOpen); n > 12 {
			t.Errorf("in a day the calendar refused the password %d times; want a few times only", n)
		}
		before := calendar.Calls(memory.OpOpen)
		mail.Fail(memory.Failure{Op: memory.OpOpen, Err: backend.Errorf(backend.Transient, "test", "down"), Times: -1})
		for range 60 { // it tries every minute
			time.Sleep(time.Minute)
			if _, err := a.Login(t.Context(), "max", "secret"); err != nil && backend.KindOf(err) != backend.Transient {
				t.Fatalf("while the mail server is down: %v", err)
			}
		}
		if n := calendar.Calls(memory.OpOpen) - before; n > 2 {
			t.Errorf("while the mail server is down, the calendar refused the password %d times", n)
		}
		mail.Mend()
		mail.SetPassword("max", "other")
		calendar.AddUser("max", "secret")
		if _, err := a.Login(t.Context(), "max", "secret"); err != nil {
			t.Errorf("with an account at the calendar that is new: %v", err)
		}
	})
}
