package roster_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// twoFactors has codes be asked of somebody, and answers the secret of their app.
// The code of the present time is used.
func (l *list) twoFactors(name string) string {
	l.t.Helper()
	secret, url, err := l.BeginFactor(l.t.Context(), name, "test")
	if err != nil || !strings.HasPrefix(url, "otpauth://totp/test:"+name+"?") {
		l.t.Fatalf("%s, %v", url, err)
	}
	if err := l.ConfirmFactor(l.t.Context(), name, codeOf(l.t, secret, 0), at(1)); err != nil {
		l.t.Fatal(err)
	}
	return secret
}

// codeOf is the code that an app shows after so many steps.
func codeOf(t *testing.T, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t)
		secret := l.twoFactors("jane")
		for _, tc := range []struct {
			what  string
			sleep time.Duration
			code  func() string
			in    bool
		}{
			{"the code that was used to begin with", 0, func() string { return codeOf(t, secret, 0) }, false},
			{"none", time.Minute, func() string { return "" }, false},
			{"the present one", 0, func() string { return codeOf(t, secret, 0) }, true},
			{"the same once more", 0, func() string { return codeOf(t, secret, 0) }, false},
			{"the one before, which is older", 0, func() string { return codeOf(t, secret, -1) }, false},
			{"the next one, of a clock that is fast", 0, func() string { return codeOf(t, secret, 1) }, true},
			{"one of a clock that is slow, with a space", 3 * time.Minute, func() string { c := codeOf(t, secret, -1); return c[:3] + " " + c[3:] }, true},
			{"one that is too old", 3 * time.Minute, func() string { return codeOf(t, secret, -2) }, false},
			{"one too early", 0, func() string { return codeOf(t, secret, 2) }, false},
			{"a part of it", 0, func() string { return codeOf(t, secret, 0)[:5] }, false},
		} {
			time.Sleep(tc.sleep)
			_, err := l.SignIn(t.Context(), "jane", password, tc.code(), at(1))
			if tc.in && err != nil || !tc.in && !errors.Is(err, roster.ErrWrong) {
				t.Errorf("%s: %v", tc.what, err)
			}
		}
		if err := l.DropFactor(t.Context(), "jane"); err != nil {
			t.Fatal(err)
		}
		l.in("")
	})
}

// Of several who bring the same code at the same moment one gets in.
func TestCodeOnceAtATime(t *testing.T) {
	l := newList(t)
	secret := l.twoFactors("jane")
	next := codeOf(t, secret, 1)
	var all sync.WaitGroup
	in := make(chan string, 8)
	for i := range cap(in) {
		all.Go(func() {
			if s, err := l.SignIn(t.Context(), "jane", password, next, at(i)); err == nil {
				in <- s
			}
		})
	}
	all.Wait()
	if len(in) != 1 {
		t.Errorf("%d got in with one code", len(in))
	}
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t)
		for _, tc := range []struct {
			what, says string
			token      roster.Token
			life       time.Duration
		}{
			{"a role that jane does not have", "does not have the role server-administrator", roster.Token{Owner: "jane", Name: "a", Roles: []string{"helpdesk", "server-administrator"}}, 0},
			{"no role", "one role", roster.Token{Owner: "jane", Name: "a"}, 0},
			{"no name", "has a name", roster.Token{Owner: "jane", Roles: []string{"helpdesk"}}, 0},
			{"a name with a line break", "has a name", roster.Token{Owner: "jane", Name: "a\nb", Roles: []string{"helpdesk"}}, 0},
			{"for ever", "at most 366 days", roster.Token{Owner: "jane", Name: "a", Roles: []string{"helpdesk"}}, 1000 * 24 * time.Hour},
			{"somebody who is not there", "unknown", roster.Token{Owner: "nobody", Name: "a", Roles: []string{"helpdesk"}}, 0},
		} {
			if _, _, err := l.NewToken(t.Context(), tc.token, tc.life); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v, want %q", tc.what, err, tc.says)
			}
		}
		made, shown, err := l.NewToken(t.Context(), roster.Token{Owner: "jane", Name: "backup", Roles: []string{"device-administrator", "helpdesk"}}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		may := func(what, token, want string) {
			t.Helper()
			who, err := l.Token(t.Context(), token)
			if want == "" && !errors.Is(err, roster.ErrEnded) || want != "" && (err != nil || strings.Join(who.Roles, ",") != want || who.Token != "backup") {
				t.Errorf("%s: %+v, %v; want %q", what, who, err, want)
			}
		}
		may("at first", shown, "device-administrator,helpdesk")
		may("forged", shown[:len(shown)-2]+"AA", "")
		may("with the number alone", roster.TokenPrefix+made.ID+"_", "")
		may("with its hash", roster.TokenPrefix+made.ID+"_"+made.Hash, "")
		may("without its beginning", strings.TrimPrefix(shown, roster.TokenPrefix), "")
		may("too long", shown+strings.Repeat("A", 1000), "")
		l.edit("jane", func(a *roster.Administrator) { a.Roles = []string{"helpdesk", "read-only"} })
		may("after jane lost a role", shown, "helpdesk")
		l.edit("jane", func(a *roster.Administrator) { a.Disabled = true })
		may("while jane is switched off", shown, "")
		l.edit("jane", func(a *roster.Administrator) { a.Disabled = false })
		may("after that", shown, "helpdesk")
		if _, err := l.Revoke(t.Context(), "joe", made.ID); !errors.Is(err, roster.ErrUnknown) {
			t.Errorf("somebody else revokes it: %v", err)
		}
		time.Sleep(time.Hour + time.Second)
		may("when it is over", shown, "")
		made, shown, err = l.NewToken(t.Context(), roster.Token{Owner: "jane", Name: "backup", Roles: []string{"helpdesk"}}, 0)
		if err != nil {
			t.Fatalf("another one of the name of one that is over: %v", err)
		}
		if _, err := l.Revoke(t.Context(), "jane", made.ID); err != nil {
			t.Fatal(err)
		}
		may("after it was revoked", shown, "")
	})
}
