package davtest_test

import (
	"net/http"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:one\r\nFN:Ann One\r\nN:One;Ann;;;\r\nEND:VCARD\r\n"

func TestServers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		start func(testing.TB, ...davtest.Option) *davtest.Server
	}{
		{"radicale", davtest.Radicale},
		{"xandikos", davtest.Xandikos},
		{"cyrus", func(t testing.TB, _ ...davtest.Option) *davtest.Server { return davtest.Cyrus(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := tc.start(t)
			path := s.AddressBook + "one.vcf"
			if etag := s.Put(path, card); etag == "" {
				t.Error("a stored card has no ETag")
			}
			s.Stop()
			if _, err := s.Do("GET", path, nil); err == nil && tc.name == "radicale" {
				t.Error("a stopped server answers")
			}
			s.Restart()
			if _, ok := s.Get(path); !ok {
				t.Error("a card is gone after a restart")
			}
			s.Delete(path)
			if _, ok := s.Get(path); ok {
				t.Error("a card is there after its deletion")
			}
			mallory := davtest.User{Name: davtest.Ann.Name, Password: "guess"}
			if r, err := s.DoAs(mallory, "PROPFIND", s.AddressBook, nil, "Depth", "0"); err != nil || r.Status != http.StatusUnauthorized {
				t.Errorf("a wrong password: status %d, %v; want 401", r.Status, err)
			}
		})
	}
}
