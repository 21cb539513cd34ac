package roster_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
)

var (
	oldKey = strings.Repeat("0f", 32)
	newKey = strings.Repeat("a5", 32)
)

// under is the list where the file has these keys; with none there is no file.
func (l *list) under(keys ...string) *list {
	l.t.Helper()
	o := roster.Options{Store: l.store, Cost: rostertest.Cheap, Audit: audit.New(l.audit)}
	if len(keys) > 0 {
		box, err := recovery.Read(strings.NewReader(strings.Join(keys, "\n")))
		if err != nil {
			l.t.Fatal(err)
		}
		o.Seal = box
	}
	return &list{Roster: roster.New(o), t: l.t, store: l.store, audit: l.audit}
}

// kept is what the state has of somebody.
func (l *list) kept(name string) string {
	l.t.Helper()
	record, err := l.store.Document(l.t.Context(), "administrator", name)
	if err != nil || record == nil {
		l.t.Fatalf("%s, %v", record, err)
	}
	return string(record)
}

// TestSealedFactors begins a second factor with some keys, and has somebody sign in
// with others.
func TestSealedFactors(t *testing.T) {
	for what, tc := range map[string]struct {
		began, now []string
		want       error
		after      []string // keys that are enough then
	}{
		"with the key":                           {[]string{oldKey}, []string{oldKey}, nil, []string{oldKey}},
		"after a new key was put in front":       {[]string{oldKey}, []string{newKey, oldKey}, nil, []string{newKey}},
		"a secret from before there was a key":   {nil, []string{newKey}, nil, []string{newKey}},
		"without any key":                        {nil, nil, nil, nil},
		"the key is lost":                        {[]string{oldKey}, []string{newKey}, roster.ErrSealed, nil},
		"the file is lost, or not read any more": {[]string{oldKey}, nil, roster.ErrSealed, nil},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newList(t)
				secret := l.under(tc.began...).twoFactors("jane")
				if plain := strings.Contains(l.kept("jane"), secret); plain != (tc.began == nil) {
					t.Errorf("it is kept as %s", l.kept("jane"))
				}
				time.Sleep(time.Minute)
				now, code := l.under(tc.now...), codeOf(t, secret, 0)
				if _, err := now.SignIn(t.Context(), "jane", password, code, at(1)); !errors.Is(err, tc.want) {
					t.Fatalf("signing in: %v", err)
				}
				if tc.want != nil {
					now.withoutKey()
					return
				}
				if plain := strings.Contains(l.kept("jane"), secret); plain != (tc.now == nil) {
					t.Errorf("after it was used it is kept as %s", l.kept("jane"))
				}
				after := l.under(tc.after...)
				if _, err := after.SignIn(t.Context(), "jane", password, code, at(1)); !errors.Is(err, roster.ErrWrong) {
					t.Errorf("the same code once more: %v", err)
				}
				after.in(codeOf(t, secret, 1))
			})
		})
	}
}

// withoutKey is what jane meets whose secret nobody can read.
func (l *list) withoutKey() {
	l.t.Helper()
	for _, wrong := range []string{"", "123456"} {
		if _, err := l.SignIn(l.t.Context(), "jane", password, wrong, at(1)); !errors.Is(err, roster.ErrSealed) {
			l.t.Errorf("with the code %q: %v", wrong, err)
		}
	}
	if _, err := l.SignIn(l.t.Context(), "jane", "not the password", "", at(1)); !errors.Is(err, roster.ErrWrong) {
		l.t.Errorf("who does not know the password is told %v", err)
	}
	if last := l.audit.Records[len(l.audit.Records)-2]; !strings.Contains(last.Detail, "the key of the second factor") || last.Outcome != audit.Failed {
		l.t.Errorf("the audit says %+v", last)
	}
	if err := l.DropFactor(l.t.Context(), "jane"); err != nil {
		l.t.Fatal(err)
	}
	l.in("")
}

// A secret that was sealed for one is nobody else's.
func TestSealIsBoundToTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t).under(oldKey)
		rostertest.Add(t, l.Roster, "eve", "helpdesk")
		secret := l.twoFactors("eve")
		eve, err := l.Administrator(t.Context(), "eve")
		if err != nil {
			t.Fatal(err)
		}
		l.edit("jane", func(a *roster.Administrator) { a.Factor = eve.Factor })
		time.Sleep(time.Minute)
		if _, err := l.SignIn(t.Context(), "jane", password, codeOf(t, secret, 0), at(1)); !errors.Is(err, roster.ErrSealed) {
			t.Errorf("with the secret of eve: %v", err)
		}
	})
}

// TestRekeyFactors makes an old key needless.
func TestRekeyFactors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t)
		rostertest.Add(t, l.Roster, "eve", "helpdesk")
		rostertest.Add(t, l.Roster, "max", "helpdesk")
		secret := l.under(oldKey).twoFactors("jane")
		l.under(strings.Repeat("77", 32)).twoFactors("eve")
		l.twoFactors("max")
		done, unreadable, err := l.under(newKey, oldKey).RekeyFactors(t.Context())
		if err != nil || done != 2 || unreadable != 1 {
			t.Errorf("%d are done, %d cannot be read, %v", done, unreadable, err)
		}
		time.Sleep(time.Minute)
		l.under(newKey).in(codeOf(t, secret, 0))
		if done, unreadable, err := l.RekeyFactors(t.Context()); err != nil || done+unreadable != 0 {
			t.Errorf("without a key %d are done, %d cannot be read, %v", done, unreadable, err)
		}
	})
}
