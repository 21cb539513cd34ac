package account_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// BenchmarkRemembered is what every request of a phone pays: a login that is
// remembered, and its session.
func BenchmarkRemembered(b *testing.B) {
	m := memory.New()
	m.AddUser("ann", "secret")
	a, err := account.New(account.Options{Backends: []account.Named{{Name: "main", Backend: m}}})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	from := caller("phone", "192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		acct, err := a.LoginFrom(b.Context(), "ann", "secret", from)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := acct.Session(b.Context(), "main"); err != nil {
			b.Fatal(err)
		}
	}
}
