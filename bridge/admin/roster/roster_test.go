package roster_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
)

const password = rostertest.Password

// A list is a Roster with what is behind it.
type list struct {
	*roster.Roster
	t     *testing.T
	store *rostertest.Memory
	audit *audittest.Memory
}

// newList has jane, who is device administrator and helpdesk, and joe, who has no
// password.
func newList(t *testing.T) *list {
	t.Helper()
	l := &list{t: t, store: new(rostertest.Memory), audit: new(audittest.Memory)}
	var one sync.Mutex
	l.Roster = roster.New(roster.Options{Store: l.store, Cost: rostertest.Cheap, Audit: audit.New(l.audit),
		Transact: func(ctx context.Context, work func(context.Context) error) error {
			one.Lock()
			defer one.Unlock()
			return work(ctx)
		}})
	rostertest.Add(t, l.Roster, "jane", "device-administrator", "helpdesk")
	l.edit("joe", func(a *roster.Administrator) { a.Roles = []string{"helpdesk"} })
	return l
}

func (l *list) edit(name string, edit func(*roster.Administrator)) {
	l.t.Helper()
	if _, err := l.Edit(l.t.Context(), name, func(a *roster.Administrator, _ bool) error { edit(a); return nil }); err != nil {
		l.t.Fatal(err)
	}
}

// at is a caller in a network of their own.
func at(n int) roster.Caller {
	return roster.Caller{Address: netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), Agent: "a browser"}
}

func (l *list) in(code string) string {
	l.t.Helper()
	secret, err := l.SignIn(l.t.Context(), "jane", password, code, at(1))
	if err != nil {
		l.t.Fatal(err)
	}
	return secret
}

// is fails unless a session is somebody's, or nobody's if name is empty.
func (l *list) is(secret, name, when string) {
	l.t.Helper()
	who, err := l.Session(l.t.Context(), secret)
	if name == "" && !errors.Is(err, roster.ErrEnded) || name != "" && (err != nil || who.Administrator != name) {
		l.t.Errorf("%s the session is %+v, %v; want %q", when, who, err, name)
	}
}

// Whoever tries to sign in learns nothing from how long it takes: the same is
// computed once, whatever is wrong.
func TestSameWork(t *testing.T) {
	l := newList(t)
	rostertest.Add(t, l.Roster, "off", "helpdesk")
	l.edit("off", func(a *roster.Administrator) { a.Disabled = true })
	l.twoFactors("jane")
	times, costs := roster.CountWork(t)
	for i, tc := range []struct{ what, name, password, code string }{
		{"nobody's name", "nobody", password, ""},
		{"a wrong password", "jane", "wrong", ""},
		{"a right password without the code", "jane", password, ""},
		{"a right password with a wrong code", "jane", password, "000000"},
		{"somebody without a password", "joe", "", ""},
		{"somebody who is switched off", "off", password, ""},
		{"a name that is none", strings.Repeat("'", 300), password, ""},
		{"a password that is too long", "jane", strings.Repeat("x", 5000), ""},
	} {
		before, entries := times.Load(), len(l.audit.Records)
		if _, err := l.SignIn(t.Context(), tc.name, tc.password, tc.code, at(i)); !errors.Is(err, roster.ErrWrong) {
			t.Errorf("%s: %v", tc.what, err)
		}
		if n := times.Load() - before; n != 1 {
			t.Errorf("%s: computed %d times", tc.what, n)
		}
		if n := len(l.audit.Records) - entries; n != 1 || l.audit.Records[entries].Outcome != audit.Denied {
			t.Errorf("%s stands %d times in the audit", tc.what, n)
		}
	}
	if len(*costs) != 1 {
		t.Errorf("computed with the costs %v", *costs)
	}
}

// What is typed into the field for the name may be a password.
func TestAuditKeepsNoUnknownName(t *testing.T) {
	l := newList(t)
	secret := l.in("")
	for name, want := range map[string]string{"hunter22": "nobody", "JANE ": "jane"} {
		if _, err := l.SignIn(t.Context(), name, "wrong", "", at(7)); !errors.Is(err, roster.ErrWrong) {
			t.Fatal(err)
		}
		r := l.audit.Records[len(l.audit.Records)-1]
		if r.Actor != want || r.Action != "signin" || r.Address != "198.51.0.7" || strings.Contains(fmt.Sprintf("%+v", r), "hunter22") {
			t.Errorf("%s stands there as %+v", name, r)
		}
	}
	if err := l.SignOut(t.Context(), secret, at(1)); err != nil {
		t.Fatal(err)
	}
	l.is(secret, "", "after signing out")
	var said []string
	for _, r := range l.audit.Records {
		said = append(said, r.Action+" "+string(r.Outcome))
	}
	if got, want := strings.Join(said, ", "), "signin done, signin denied, signin denied, signout done"; got != want {
		t.Errorf("the audit says %s, want %s", got, want)
	}
}

// Nobody comes in of whom the audit does not know.
func TestNobodyInWithoutAudit(t *testing.T) {
	l := newList(t)
	l.audit.Broken = errors.New("the disk is full")
	if secret, err := l.SignIn(t.Context(), "jane", password, "", at(1)); err == nil {
		t.Errorf("jane is in: %q", secret)
	}
}

func TestGuessing(t *testing.T) {
	for _, tc := range []struct {
		what  string
		name  func(int) string
		from  func(int) roster.Caller
		after int
	}{
		{"one name from everywhere", func(int) string { return "jane" }, at, 20},
		{"a name that nobody has", func(int) string { return "nobody" }, at, 20},
		{"many names from one place", func(i int) string { return fmt.Sprint("n", i) }, func(int) roster.Caller { return at(1) }, 10},
		{"many names from one subscriber's addresses", func(i int) string { return fmt.Sprint("n", i) }, func(i int) roster.Caller {
			return roster.Caller{Address: netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i))}
		}, 10},
	} {
		t.Run(tc.what, func(t *testing.T) {
			times, _ := roster.CountWork(t)
			synctest.Test(t, func(t *testing.T) {
				l := newList(t)
				began := times.Load()
				for i := range 50 {
					_, err := l.SignIn(t.Context(), tc.name(i), "guess", "", tc.from(i))
					throttled, slow := errors.AsType[roster.Throttled](err)
					if slow != (i >= tc.after) || slow && (throttled.Wait <= 0 || throttled.Wait > time.Minute+time.Second) {
						t.Fatalf("guess %d ends with %v", i+1, err)
					}
				}
				if n := times.Load() - began; n != int64(tc.after) {
					t.Errorf("50 guesses cost %d hashes, want %d", n, tc.after)
				}
				// One that is right does not pass either, or it would be told apart.
				if _, err := l.SignIn(t.Context(), "jane", password, "", tc.from(51)); tc.name(0) == "jane" && err == nil {
					t.Error("jane is let in behind the guesses")
				}
				time.Sleep(roster.Limits.Window)
				if _, err := l.SignIn(t.Context(), "jane", password, "", tc.from(52)); err != nil {
					t.Errorf("jane, a window later: %v", err)
				}
			})
		})
	}
}

// Guessing from one place keeps nobody out who is elsewhere.
func TestGuessingKeepsNobodyOut(t *testing.T) {
	l := newList(t)
	for range 50 {
		_, _ = l.SignIn(t.Context(), "jane", "guess", "", at(1))
	}
	if _, err := l.SignIn(t.Context(), "jane", password, "", at(2)); err != nil {
		t.Errorf("jane, who is elsewhere, is told %v", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	for _, tc := range []struct {
		what string
		do   func(*list, string)
	}{
		{"being switched off", func(l *list, _ string) { l.edit("jane", func(a *roster.Administrator) { a.Disabled = true }) }},
		{"other roles", func(l *list, _ string) {
			l.edit("jane", func(a *roster.Administrator) { a.Roles = []string{"helpdesk"} })
		}},
		{"another password", func(l *list, _ string) {
			if err := l.SetPassword(l.t.Context(), "jane", "another long password"); err != nil {
				l.t.Fatal(err)
			}
		}},
		{"being taken off the list", func(l *list, _ string) {
			if err := l.Remove(l.t.Context(), "jane", func(roster.Administrator) error { return nil }); err != nil {
				l.t.Fatal(err)
			}
		}},
		{"signing out", func(l *list, s string) {
			if err := l.SignOut(l.t.Context(), s, at(1)); err != nil {
				l.t.Fatal(err)
			}
		}},
		{"not being used", func(*list, string) { time.Sleep(roster.DefaultIdle + time.Second) }},
		{"its time", func(l *list, s string) {
			for range int(roster.DefaultLongest / (10 * time.Minute)) {
				l.is(s, "jane", "while it is used,")
				time.Sleep(10 * time.Minute)
			}
			time.Sleep(time.Second)
		}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newList(t)
				s := l.in("")
				l.is(s, "jane", "before")
				tc.do(l, s)
				l.is(s, "", "after "+tc.what)
			})
		})
	}
}

func TestEndOwner(t *testing.T) {
	l := newList(t)
	l.in("")
	var secrets []string
	for _, user := range []string{"ann", "ann", "bob"} {
		s, err := l.Admit(t.Context(), roster.Session{User: user}, at(1))
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	for user, want := range map[string]int{"ann": 2, "joe": 0, "": 0} {
		before := len(l.audit.Records)
		if n, err := l.EndOwner(t.Context(), user, "because"); n != want || err != nil || len(l.audit.Records)-before != min(want, 1) {
			t.Errorf("of %q %d are ended, %v", user, n, err)
		}
	}
	l.is(secrets[0], "", "ann's")
	l.is(secrets[1], "", "ann's second")
	if who, err := l.Session(t.Context(), secrets[2]); err != nil || who.User != "bob" {
		t.Errorf("bob is %+v, %v", who, err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t)
		var all []string
		for range roster.MaxSessions + 3 {
			all = append(all, l.in(""))
			time.Sleep(time.Second)
		}
		for i, s := range all {
			name := "jane"
			if i < 3 {
				name = ""
			}
			l.is(s, name, fmt.Sprintf("number %d:", i+1))
		}
		time.Sleep(roster.DefaultLongest)
		l.in("")
		if docs, err := l.store.Documents(t.Context(), "session"); err != nil || len(docs) != 1 {
			t.Errorf("%d sessions are kept, %v; want those that are over to be gone", len(docs), err)
		}
	})
}

// Secrets of sessions and tokens, and passwords, are nowhere in the store.
func TestSecretsAreHashed(t *testing.T) {
	l := newList(t)
	session := l.in("")
	_, token, err := l.NewToken(t.Context(), roster.Token{Owner: "jane", Name: "x", Roles: []string{"helpdesk"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(session) != 43 {
		t.Errorf("a session's secret is %q, want 256 bits", session)
	}
	parts := strings.Split(token, "_")
	for _, kind := range []string{"administrator", "session", "token"} {
		docs, err := l.store.Documents(t.Context(), kind)
		if err != nil || len(docs) == 0 {
			t.Fatalf("%d of kind %s, %v", len(docs), kind, err)
		}
		for name, record := range docs {
			for _, secret := range []string{session, strings.SplitN(token, "_", 3)[2], password} {
				if strings.Contains(name+string(record), secret) {
					t.Errorf("%s %s has a secret: %s", kind, name, record)
				}
			}
		}
	}
	if parts[0]+"_" != roster.TokenPrefix {
		t.Errorf("a token begins with %q", parts[0])
	}
}

// A state that cannot be written says nothing about codes, and nobody is kept out for
// it.
func TestCodesThatCouldNotBeLookedAt(t *testing.T) {
	broken := errors.New("the disk is full")
	r := roster.New(roster.Options{Store: new(rostertest.Memory), Cost: rostertest.Cheap, Transact: func(context.Context, func(context.Context) error) error { return broken }})
	for i := range 2 * roster.Limits.User {
		if err := r.ConfirmFactor(t.Context(), "jane", "123456", at(i)); !errors.Is(err, broken) {
			t.Fatalf("the %d. time it is %v", i, err)
		}
	}
}

func TestNames(t *testing.T) {
	l := newList(t)
	for _, name := range []string{"", "Jane", " jane", "jane doe", "-x", "a/b", "jané", strings.Repeat("x", 65), "a\x00"} {
		if _, err := l.Edit(t.Context(), name, func(*roster.Administrator, bool) error { return nil }); err == nil {
			t.Errorf("%.70q is a name", name)
		}
	}
	all, err := l.Administrators(t.Context())
	if names := slices.Collect(func(yield func(string) bool) {
		for _, a := range all {
			if !yield(a.Name) {
				return
			}
		}
	}); err != nil || !slices.Equal(names, []string{"jane", "joe"}) {
		t.Errorf("there are %q, %v", names, err)
	}
}
