package account_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// build makes Accounts over one memory backend with the user ann.
func build(t *testing.T, o account.Options) (*account.Accounts, *memory.Backend) {
	t.Helper()
	b := memory.New()
	b.AddUser("ann", "secret")
	o.Backends = append([]account.Named{{Name: "main", Backend: b}}, o.Backends...)
	a, err := account.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestRule(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rule  account.Rule
		login string
		want  account.Identity
		wrong bool
	}{
		{name: "keep a user", login: "ann", want: account.Identity{Name: "ann"}},
		{name: "keep an address", login: "Ann@Example.ORG", want: account.Identity{Name: "Ann@example.org", Address: "Ann@example.org"}},
		{name: "keep drops the Windows domain", login: `OFFICE\ann`, want: account.Identity{Name: "ann"}},
		{name: "a Windows domain with a dot", login: `office.local\ann`, want: account.Identity{Name: "ann"}},
		{name: "the Windows name of this computer", login: `.\ann`, want: account.Identity{Name: "ann"}},
		{name: "an empty Windows domain", login: `\ann`, want: account.Identity{Name: "ann"}},
		{name: "both fields of a phone", login: `OFFICE\ann@example.org`, want: account.Identity{Name: "ann@example.org", Address: "ann@example.org"}},
		{name: "spaces around", login: " ann ", want: account.Identity{Name: "ann"}},
		{name: "strip", rule: account.Rule{User: "strip_domain"}, login: "ann@example.org", want: account.Identity{Name: "ann", Address: "ann@example.org"}},
		{name: "an @ in the user", rule: account.Rule{User: "strip_domain"}, login: "a@b@example.org", want: account.Identity{Name: "a@b", Address: "a@b@example.org"}},
		{name: "template", rule: account.Rule{User: "{user}@example.org"}, login: "ann", want: account.Identity{Name: "ann@example.org", Address: "ann@example.org"}},
		{name: "template with domain, none written", rule: account.Rule{User: "{user}@{domain}", Domain: "Example.org"}, login: "ann", want: account.Identity{Name: "ann@example.org", Address: "ann@example.org"}},
		{name: "template with domain, Windows name", rule: account.Rule{User: "{user}@{domain}", Domain: "example.org"}, login: `OFFICE\ann`, want: account.Identity{Name: "ann@example.org", Address: "ann@example.org"}},
		{name: "an allowed domain", rule: account.Rule{Domains: []string{"example.org"}}, login: "ann@EXAMPLE.org", want: account.Identity{Name: "ann@example.org", Address: "ann@example.org"}},
		{name: "its first label", rule: account.Rule{User: "strip_domain", Domains: []string{"example.org"}}, login: `EXAMPLE\ann`, want: account.Identity{Name: "ann", Address: "ann@example.org"}},
		{name: "a foreign domain", rule: account.Rule{Domains: []string{"example.org"}}, login: "ann@example.net", wrong: true},
		{name: "a foreign Windows domain", rule: account.Rule{Domains: []string{"example.org"}}, login: `OFFICE\ann`, wrong: true},
		{name: "small letters", rule: account.Rule{Lower: true}, login: "ANN", want: account.Identity{Name: "ann"}},
		{name: "composed letters", login: "a\u0308nn", want: account.Identity{Name: "änn"}},
		{name: "address template", rule: account.Rule{Address: "{user}@mail.example.org"}, login: "ann@example.org", want: account.Identity{Name: "ann@example.org", Address: "ann@mail.example.org"}},
		{name: "empty", login: " ", wrong: true},
		{name: "only a domain", login: `OFFICE\`, wrong: true},
		{name: "control characters", login: "ann\x00", wrong: true},
		{name: "too long", login: strings.Repeat("a", account.MaxLogin+1), wrong: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.rule.Apply(tc.login)
			if tc.wrong != errors.Is(err, account.ErrLogin) || got != tc.want {
				t.Errorf("%q became %+v, %v, want %+v", tc.login, got, err, tc.want)
			}
		})
	}
}

func TestBasic(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tc := range []struct {
		name, header, login, password string
		ok                            bool
	}{
		{"plain", "Basic " + encode("ann:secret"), "ann", "secret", true},
		{"UTF-8", "basic " + encode("änn:größe"), "änn", "größe", true},
		{"ISO-8859-1", "Basic " + encode("\xe4nn:gr\xf6\xdfe"), "änn", "größe", true},
		{"a colon in the password", "Basic " + encode("ann:a:b"), "ann", "a:b", true},
		{"without padding", "Basic " + strings.TrimRight(encode("ann:se"), "="), "ann", "se", true},
		{"nothing but a colon in the password", "Basic " + encode("ann::"), "ann", ":", true},
		{"an empty password", "Basic " + encode("ann:"), "ann", "", true},
		{"an empty user", "Basic " + encode(":x"), "", "x", true},
		{"nothing but a colon", "Basic " + encode(":"), "", "", true},
		{"the longest that can be right", "Basic " + encode(strings.Repeat("é", account.MaxLogin/2)+":"+strings.Repeat("é", account.MaxPassword/2)), strings.Repeat("é", account.MaxLogin/2), strings.Repeat("é", account.MaxPassword/2), true},
		{"absurdly long", "Basic " + encode("ann:"+strings.Repeat("x", 1<<20)), "", "", false},
		{"nothing", "Basic ", "", "", false},
		{"a tab", "Basic\t" + encode("ann:x"), "", "", false},
		{"no colon", "Basic " + encode("ann"), "", "", false},
		{"not base64", "Basic ???", "", "", false},
		{"another scheme", "Bearer x", "", "", false},
		{"none", "", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			login, password, ok := account.Basic(tc.header)
			if ok != tc.ok || ok && (login != tc.login || password != tc.password) {
				t.Errorf("%q, %q, %v, want %q, %q, %v", login, password, ok, tc.login, tc.password, tc.ok)
			}
		})
	}
}

// TestVerdictsAreRemembered counts how often the backend is asked: a phone
// with an old password must not make its server lock everybody out.
func TestVerdictsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := build(t, account.Options{})
		defer a.Close()
		asked := 0
		login := func(when, password string, kind backend.Kind, questions int) {
			t.Helper()
			_, err := a.Login(t.Context(), "ann", password)
			if (err == nil) != (kind == backend.Other) || err != nil && backend.KindOf(err) != kind {
				t.Errorf("%s: error = %v, want kind %v", when, err, kind)
			}
			if asked += questions; b.Calls(memory.OpOpen) != asked {
				t.Errorf("%s: the backend was asked %d times, want %d", when, b.Calls(memory.OpOpen), asked)
			}
		}
		login("right", "secret", backend.Other, 1)
		login("right again", "secret", backend.Other, 0)
		login("wrong", "guess", backend.Denied, 1)
		login("wrong again", "guess", backend.Denied, 0)
		time.Sleep(61 * time.Second)
		login("wrong after a minute", "guess", backend.Denied, 1)
		time.Sleep(61 * time.Second)
		login("wrong after another minute: refused for two now", "guess", backend.Denied, 0)
		login("right meanwhile", "secret", backend.Other, 0)
		time.Sleep(4 * time.Minute)
		login("right after five minutes", "secret", backend.Other, 1)
		b.SetPassword("ann", "guess")
		time.Sleep(15 * time.Minute)
		login("the wrong one has become right", "guess", backend.Other, 1)
		login("no password", "", backend.Denied, 0)
	})
}

func TestBackendDownIsNotAWrongPassword(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
	}{
		{"transient", backend.E(backend.Transient, "x", io.ErrUnexpectedEOF)},
		{"anything else", errors.New("boom")},
		{"not found", backend.E(backend.NotFound, "x", nil)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := build(t, account.Options{})
			defer a.Close()
			b.Fail(memory.Failure{Op: memory.OpOpen, Err: tc.err, Times: 1})
			if _, err := a.Login(t.Context(), "ann", "secret"); backend.KindOf(err) != backend.Transient {
				t.Errorf("error = %v, want kind %v", err, backend.Transient)
			}
			if _, err := a.Login(t.Context(), "ann", "secret"); err != nil {
				t.Errorf("error = %v as soon as the backend is back, want none", err)
			}
		})
	}
}

func TestForeignDomainIsRefusedWithoutAsking(t *testing.T) {
	a, b := build(t, account.Options{Rule: account.Rule{Domains: []string{"example.org"}}})
	defer a.Close()
	if _, err := a.Login(t.Context(), "ann@example.net", "secret"); backend.KindOf(err) != backend.Denied {
		t.Errorf("error = %v, want kind %v", err, backend.Denied)
	}
	if n := b.Calls(memory.OpOpen); n != 0 {
		t.Errorf("the backend was asked %d times", n)
	}
}

// slow is a backend that takes a second to answer.
type slow struct {
	backend.Backend
	mu           sync.Mutex
	asked        int
	under, atOne int // being asked, and the most there were at one time
}

func (s *slow) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s.mu.Lock()
	s.asked++
	s.under++
	s.atOne = max(s.atOne, s.under)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.under--
	}()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.Backend.Open(ctx, c)
}

func TestConcurrentLoginsAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		b.AddUser("ann", "secret")
		s := &slow{Backend: b}
		a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: s}}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		gone, hangUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := a.Login(gone, "ann", "secret"); backend.KindOf(err) != backend.Transient {
				t.Errorf("a phone that hung up got %v, want kind %v", err, backend.Transient)
			}
		})
		synctest.Wait()
		for range 20 {
			all.Go(func() {
				if _, err := a.Login(t.Context(), "ann", "secret"); err != nil {
					t.Errorf("error = %v, though only the first phone hung up", err)
				}
			})
		}
		synctest.Wait()
		hangUp()
		all.Wait()
		if s.asked != 1 {
			t.Errorf("the backend was asked %d times, want once for all", s.asked)
		}
	})
}

func TestManyLoginsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		s := &slow{Backend: b}
		a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: s}}})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		var all sync.WaitGroup
		var denied atomic.Int32
		began := time.Now()
		for i := range 1000 {
			all.Go(func() {
				_, err := a.Login(t.Context(), fmt.Sprintf("user%d", i), "guess")
				if backend.KindOf(err) == backend.Denied {
					denied.Add(1)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); s.asked != 1000 || s.atOne != account.MaxVerifying || denied.Load() != 1000 || took != 4*time.Second {
			t.Errorf("%d questions, %d at one time, %d denied after %v", s.asked, s.atOne, denied.Load(), took)
		}
	})
}

func TestDeniedSessionMakesVerdictFall(t *testing.T) {
	a, b := build(t, account.Options{})
	defer a.Close()
	ann, err := a.Login(t.Context(), "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ann.Session(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := backend.As[backend.Watcher](s); !ok {
		t.Error("the session's extras cannot be seen")
	}
	b.SetPassword("ann", "changed")
	b.Fail(memory.Failure{Op: memory.OpChanges, Err: backend.E(backend.Denied, "x", nil), Times: 1})
	if _, err := s.Changes(t.Context(), "contacts", "", func([]backend.Change) error { return nil }); backend.KindOf(err) != backend.Denied {
		t.Fatalf("error = %v, want kind %v", err, backend.Denied)
	}
	if _, err := a.Login(t.Context(), "ann", "secret"); backend.KindOf(err) != backend.Denied {
		t.Errorf("after the backend said no, Login says %v, want kind %v", err, backend.Denied)
	}
}

func TestListKeepsFailuresApart(t *testing.T) {
	other := memory.New()
	other.AddUser("ann", "secret")
	a, _ := build(t, account.Options{Backends: []account.Named{{Name: "other", Backend: other}}})
	defer a.Close()
	ann, err := a.Login(t.Context(), "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := ann.List(t.Context())
	if len(good) != 2 || good[0].Backend != "main" || good[1].Backend != "other" || len(good[0].Collections) == 0 || bad != nil {
		t.Errorf("listings %v, errors %v, want one of each backend", good, bad)
	}
	other.Fail(memory.Failure{Op: memory.OpCollections, Err: backend.E(backend.Transient, "x", nil), Times: 1})
	good, bad = ann.List(t.Context())
	if len(good) != 1 || good[0].Backend != "main" || len(bad) != 1 || backend.KindOf(bad["other"]) != backend.Transient {
		t.Errorf("listings %v, errors %v, want main's listing and other's error", good, bad)
	}
	if _, err := ann.Session(t.Context(), "nobody"); !errors.Is(err, account.ErrNoBackend) {
		t.Errorf("error = %v, want %v", err, account.ErrNoBackend)
	}
}

func TestNew(t *testing.T) {
	b := memory.New()
	for _, tc := range []struct {
		name string
		o    account.Options
	}{
		{"no backend", account.Options{}},
		{"two of one name", account.Options{Backends: []account.Named{{Name: "a", Backend: b}, {Name: "a", Backend: b}}}},
		{"an unknown verifier", account.Options{Backends: []account.Named{{Name: "a", Backend: b}}, Verify: []string{"c"}}},
		{"a verifier named twice", account.Options{Backends: []account.Named{{Name: "a", Backend: b}}, Verify: []string{"a", "a"}}},
		{"a verifier with a rule of its own", account.Options{Backends: []account.Named{{Name: "a", Backend: b}, {Name: "b", Backend: b, Login: "{user}"}}, Verify: []string{"a", "b"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := account.New(tc.o); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	a, _ := build(t, account.Options{})
	defer a.Close()
	ann, err := a.Login(t.Context(), "ann", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, ann); strings.Contains(text, "secret") {
			t.Errorf("%s shows the password: %.200s", format, text)
		}
	}
}

// stub is a backend that makes sessions without being asked, as plugins do.
type stub struct {
	backend.Backend
	made int
}

func (s *stub) Session(c backend.Credentials) backend.Session {
	s.made++
	session, err := s.Backend.Open(context.Background(), c)
	if err != nil {
		panic(err)
	}
	return session
}

func TestSessionIsMadeOnce(t *testing.T) {
	b := memory.New()
	b.AddUser("ann", "secret")
	s := &stub{Backend: b}
	a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: s}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var first backend.Session
	for range 3 {
		ann, err := a.Login(t.Context(), "ann", "secret")
		if err != nil {
			t.Fatal(err)
		}
		session, err := ann.Session(t.Context(), "main")
		if err != nil || first != nil && session != first {
			t.Errorf("session %v, %v, want that of the request before", session, err)
		}
		first = session
	}
	if s.made != 1 {
		t.Errorf("%d sessions were made, want one for all requests", s.made)
	}
}

func FuzzRule(f *testing.F) {
	f.Add("ann@example.org", true)
	f.Add(`DOMAIN\änn@x@y`, false)
	f.Add(`x\ ann @ y`, false)
	f.Add(`.\0`, false)
	f.Add("\u03a5\u0313", true) // two characters, of whose small forms Unicode makes one
	f.Add(strings.Repeat("\u023a", 128), true)
	f.Fuzz(func(t *testing.T, login string, lower bool) {
		r := account.Rule{Lower: lower}
		once, err := r.Apply(login)
		if err != nil {
			if !errors.Is(err, account.ErrLogin) {
				t.Errorf("error = %v, want %v", err, account.ErrLogin)
			}
			return
		}
		twice, err := r.Apply(once.Name)
		if err != nil || twice != once {
			t.Errorf("%q became %+v, and that %+v, %v: one person would have two accounts", login, once, twice, err)
		}
		if strings.ContainsFunc(once.Name, func(c rune) bool { return c < ' ' }) || once.Name == "" {
			t.Errorf("%q became %q", login, once.Name)
		}
	})
}
