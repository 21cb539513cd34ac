package account_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

func TestRedirects(t *testing.T) {
	rs := account.Redirects{
		{Pattern: "bob", To: "https://b"}, {Pattern: "x*y*z@*", To: "https://xyz"}, {Pattern: "*@old.example.org", To: "{user}@example.net"},
		{Pattern: "*@*.old.example.org", To: "https://sub"}, {Pattern: "*.", To: "https://dot"},
	}
	for login, want := range map[string]string{
		"bob": "https://b", " Bob ": "https://b", "bobby": "", "bob@example.org": "", "ann@OLD.example.org": "ann@example.net",
		"OLD.EXAMPLE.ORG\\Ann": "ann@example.net", "ann@a.old.example.org": "https://sub", "ann@xold.example.org": "", "xyz@a": "https://xyz",
		"xayaz@a": "https://xyz", "xzy@a": "", "": "", "a\x00b": "", "dot.": "https://dot", strings.Repeat("a", 1000): "",
	} {
		if got := rs.For(login); got != want {
			t.Errorf("%.40q is at %q, want %q", login, got, want)
		}
	}
	if got := account.Redirects(nil).For("bob"); got != "" {
		t.Errorf("without rules: %q", got)
	}
}

// knowing writes down whom it was asked for.
type knowing struct {
	backend.Backend
	users *[]string
}

func (k knowing) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	*k.users = append(*k.users, c.User)
	return k.Backend.Open(ctx, c)
}

// A backend with a rule of its own is told another name, and the account is the
// same.
func TestRuleOfABackend(t *testing.T) {
	m := memory.New()
	for _, u := range []string{"ann", "ann@example.org", "ann@example.net", "EX-ann"} {
		m.AddUser(u, "secret")
	}
	var users []string
	k := knowing{m, &users}
	a, err := account.New(account.Options{
		Rule:     account.Rule{User: "strip_domain"},
		Backends: []account.Named{{Name: "main", Backend: k}, {Name: "keeps", Backend: k, Login: "keep"}, {Name: "template", Backend: k, Login: "EX-{user}"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, login := range []string{"ann@example.org", "ann@example.net"} {
		acct, err := a.Login(t.Context(), login, "secret")
		if err != nil || acct.Name() != "ann" {
			t.Fatalf("%s is %v, %v", login, acct, err)
		}
		for _, b := range []string{"main", "keeps", "template"} {
			if _, err := acct.Session(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{"ann", "ann", "ann@example.org", "EX-ann", "ann", "ann", "ann@example.net", "EX-ann"}
	if !slices.Equal(users, want) {
		t.Errorf("the backends were asked for %q, want %q", users, want)
	}
	if _, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: m, Login: "keep"}}}); err == nil {
		t.Error("the backend that verifies passwords has a rule of its own: two people could have one account")
	}
}
