package account_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// TestPasswordsLeave is about what a verdict remembers: a hash, and not the
// password, which leaves seconds after the last request.
func TestPasswordsLeave(t *testing.T) {
	for _, tc := range []struct {
		name        string
		set, linger time.Duration
	}{{"after the usual time", 0, account.Linger}, {"after another", 3 * time.Second, 3 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) { passwordsLeave(t, tc.set, tc.linger) })
	}
}

func passwordsLeave(t *testing.T, set, linger time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{Linger: set})
		defer a.Close()
		login := func() *account.Account {
			t.Helper()
			acct, err := a.Login(t.Context(), "ann", "secret")
			if err != nil {
				t.Fatal(err)
			}
			return acct
		}
		first := login()
		time.Sleep(linger / 2)
		if login() != first {
			t.Error("the next request has another account, with sessions of its own")
		}
		time.Sleep(linger - time.Second)
		if n := account.Passwords(a); n != 1 {
			t.Errorf("%d passwords are kept for the next request, want one", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := account.Passwords(a); n != 0 {
			t.Errorf("%d passwords are kept when nobody came, want none", n)
		}
		if login() == first || b.Calls(memory.OpOpen) != 1 {
			t.Errorf("the verdict went with the password: the backend was asked %d times", b.Calls(memory.OpOpen))
		}
		if _, err := first.Session(t.Context(), "main"); err != nil {
			t.Errorf("who still waits cannot be polled for: %v", err)
		}
	})
}

// asking is a backend that notes from where it is asked.
type asking struct {
	backend.Backend
	from []netip.Addr
}

func (s *asking) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s.from = append(s.from, c.Address)
	return s.Backend.Open(ctx, c)
}

func TestBackendsHearWhereAPhoneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		m.AddUser("ann", "secret")
		s := &asking{Backend: m}
		a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: s}}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
			acct, err := a.LoginFrom(t.Context(), "ann", "secret", caller("phone", address))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := acct.Session(t.Context(), "main"); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(s.from); got != "[192.0.2.1 192.0.2.1 2001:db8::1]" {
			t.Errorf("the backend was asked from %s, want the verification and a session for each place", got)
		}
	})
}

// nothingNew is a yield for listings that nobody reads.
func nothingNew([]backend.Change) error { return nil }

// TestFirstDenialStopsEverything has several pollers with one password, which
// the backend then refuses once.
func TestFirstDenialStopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{})
		defer a.Close()
		phone, err := a.LoginFrom(t.Context(), "ann", "secret", caller("phone", "192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		tablet, err := a.LoginFrom(t.Context(), "ann", "secret", caller("tablet", "192.0.2.2"))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		a.WhenRefused(func(name string) {
			if name == tablet.Name() {
				ended <- tablet.Refused()
			}
		})
		polls, err := tablet.Session(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		mine, err := phone.Session(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		b.SetPassword("ann", "changed")
		denied := backend.E(backend.Denied, "x", errors.New("wrong"))
		b.Fail(memory.Failure{Op: memory.OpChanges, Err: denied, Times: 1})
		if _, err := mine.Changes(t.Context(), "contacts", "", nothingNew); backend.KindOf(err) != backend.Denied {
			t.Fatalf("error = %v, want kind %v", err, backend.Denied)
		}
		synctest.Wait()
		if len(ended) == 0 {
			t.Error("what goes on for the other phone did not end")
		} else if err := <-ended; backend.KindOf(err) != backend.Denied {
			t.Errorf("what goes on for the other phone ended with %v, want kind %v", err, backend.Denied)
		}
		before := b.Calls(memory.OpChanges) + b.Calls(memory.OpCollections) + b.Calls(memory.OpProbe)
		if _, err := polls.Changes(t.Context(), "contacts", "", nothingNew); backend.KindOf(err) != backend.Denied {
			t.Errorf("a poll afterwards: %v, want kind %v", err, backend.Denied)
		}
		if _, err := polls.Collections(t.Context()); backend.KindOf(err) != backend.Denied {
			t.Errorf("a list afterwards: %v, want kind %v", err, backend.Denied)
		}
		if prober, ok := backend.As[backend.Prober](polls); ok {
			if _, err := prober.Probe(t.Context(), nil); backend.KindOf(err) != backend.Denied {
				t.Errorf("a probe afterwards: %v, want kind %v", err, backend.Denied)
			}
		}
		if n := b.Calls(memory.OpChanges) + b.Calls(memory.OpCollections) + b.Calls(memory.OpProbe); n != before {
			t.Errorf("the backend was asked %d times after it had said no", n-before)
		}
		if _, err := a.Login(t.Context(), "ann", "secret"); backend.KindOf(err) != backend.Denied {
			t.Errorf("the next request: %v, want kind %v", err, backend.Denied)
		}
		if _, err := a.Login(t.Context(), "ann", "changed"); err != nil {
			t.Errorf("with the new password: %v", err)
		}
	})
}

// TestMistakenDenial is about a server that says 401 for one collection while
// the password is right: phones go on, and nobody goes in circles.
func TestMistakenDenial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{})
		defer a.Close()
		endings := 0
		a.WhenRefused(func(string) { endings++ })
		for range 5 {
			acct, err := a.Login(t.Context(), "ann", "secret")
			if err != nil {
				t.Fatal(err)
			}
			s, err := acct.Session(t.Context(), "main")
			if err != nil {
				t.Fatal(err)
			}
			b.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.E(backend.Denied, "x", nil), Times: 1})
			s.Changes(t.Context(), "contacts", "", nothingNew)
			synctest.Wait()
			time.Sleep(time.Minute)
		}
		if endings != 1 {
			t.Errorf("everything was ended %d times in a row, want once", endings)
		}
	})
}

// TestOtherBackendDenies is about a backend that does not verify passwords and
// has another one: it is not asked at every request.
func TestOtherBackendDenies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := memory.New()
		other.AddUser("ann", "another")
		a, _ := build(t, account.Options{Backends: []account.Named{{Name: "other", Backend: other}}})
		defer a.Close()
		for range 10 {
			acct, err := a.Login(t.Context(), "ann", "secret")
			if err != nil {
				t.Fatal(err)
			}
			if _, bad := acct.List(t.Context()); backend.KindOf(bad["other"]) != backend.Denied {
				t.Errorf("the other backend: %v, want kind %v", bad["other"], backend.Denied)
			}
			time.Sleep(time.Second)
		}
		if n := other.Calls(memory.OpOpen); n != 1 {
			t.Errorf("the other backend was asked %d times, want once", n)
		}
	})
}

func TestNothingShowsThePassword(t *testing.T) {
	const canary = "canary-7f3a"
	a, b := build(t, account.Options{})
	defer a.Close()
	b.AddUser("zoe", canary)
	acct, err := a.Login(t.Context(), "zoe", canary)
	if err != nil {
		t.Fatal(err)
	}
	session, err := acct.Session(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	_, wrong := a.Login(t.Context(), "ann", canary)
	for name, thing := range map[string]any{
		"Account": acct, "Accounts": a, "Session": session, "error": wrong,
		"Credentials": backend.Credentials{User: "zoe", Password: canary},
		"in a struct": struct{ C backend.Credentials }{backend.Credentials{User: "zoe", Password: canary}},
		"in a map":    map[string]any{"c": &backend.Credentials{User: "zoe", Password: canary}},
	} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "thing", thing)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "thing", thing)
		texts := []string{log.String()}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts = append(texts, fmt.Sprintf(format, thing))
		}
		if doc, err := json.Marshal(thing); err == nil {
			texts = append(texts, string(doc))
		}
		for _, text := range texts {
			if strings.Contains(text, canary) {
				t.Errorf("%s shows the password: %.300s", name, text)
			}
		}
	}
}

// FuzzBasic tries that what clients encode is what is read, in UTF-8 and in
// ISO-8859-1, and that whatever is read is text.
func FuzzBasic(f *testing.F) {
	f.Add("ann", "secret", "Basic YW5uOnNlY3JldA==")
	f.Add("änn", ":", "basic ???")
	f.Add("", "", "Bearer x")
	f.Fuzz(func(t *testing.T, user, password, header string) {
		if login, pass, ok := account.Basic(header); ok && (!utf8.ValidString(login) || !utf8.ValidString(pass) || strings.Contains(login, ":")) {
			t.Errorf("%q is read as %q and %q", header, login, pass)
		}
		if len(user) > account.MaxLogin || len(password) > account.MaxPassword || strings.Contains(user, ":") || !utf8.ValidString(user) || !utf8.ValidString(password) {
			return
		}
		login, pass, ok := account.Basic("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
		if !ok || login != user || pass != password {
			t.Errorf("%q and %q are read as %q, %q, %v", user, password, login, pass, ok)
		}
	})
}
