package imap_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

func TestSettings(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		give backend.Settings
		want string
	}{
		{"nothing", nil, "url must be set"},
		{"another scheme", backend.Settings{"url": "https://x"}, `url begins with "https", want imap://, imaps:// or imap+plain://`},
		{"no scheme", backend.Settings{"url": "mail.example.org:993"}, "url "},
		{"a password", backend.Settings{"url": "imaps://ann:geheim@mail.example.org"}, `url is "...@mail.example.org"`},
		{"a path", backend.Settings{"url": "imaps://mail.example.org/INBOX"}, "url is"},
		{"sieves", backend.Settings{"url": "imaps://x", "sieve": "sieves://x"}, "sieve begins with sieves://, which there is not"},
		{"two at once", backend.Settings{"url": "imaps://x", "smtp": "x", "smtp_login": "maybe"}, `smtp_login is "maybe", want "person" or "none"; smtp is "x"`},
		{"no certificates", backend.Settings{"url": "imaps://x", "ca_file": notPEM}, "has no certificates in PEM form"},
		{"nothing of something", backend.Settings{"url": "imaps://x", "connections": -1}, "more than nothing"},
		{"a typing error", backend.Settings{"url": "imaps://x", "smpt": "y"}, `smpt is not known; did you mean "smtp"?`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := openError(test.give)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v, want %q in one line", err, test.want)
			}
		})
	}
	if _, err := openError(backend.Settings{"url": "imaps://[::1]:1993", "smtp": "smtp+plain://localhost"}); err != nil {
		t.Error(err)
	}
}
