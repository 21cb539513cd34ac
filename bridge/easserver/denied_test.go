package easserver_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// inside brings requests to a handler of the same bubble.
type inside struct{ http.Handler }

func (h inside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RequestURI = r.URL.RequestURI()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// A server refuses the password for one collection more than once, though it is
// right. Phones that wait for it are neither left alone for the rest of their
// heartbeats nor sent round and round.
func TestACollectionWhosePasswordIsRefusedIsWatchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		m.AddUser(bridgetest.User, bridgetest.Password)
		file := config.Default()
		file.State = t.TempDir()
		b, err := bridge.New(t.Context(), bridge.Options{
			Config: file, Logger: slog.New(slog.NewTextHandler(new(bridgetest.Log), nil)),
			Backends: []account.Named{{Name: "memory", Backend: m}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		p := phone.New(&easclient.Client{
			URL: "http://bridge.example", User: bridgetest.User, Password: bridgetest.Password, Version: eas.V141,
			DeviceID: "phone1", DeviceType: "test", HTTP: &http.Client{Transport: inside{b.Handler()}},
		}, phone.Settings{})
		bridgetest.Sync(t, p)
		ping := func() (eas.PingStatus, time.Duration) {
			t.Helper()
			begin := time.Now()
			r, err := p.Ping(t.Context(), 50*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return r.Status, time.Since(begin)
		}
		denied := backend.Errorf(backend.Denied, "test", "401 in place of 403")
		for _, op := range []memory.Op{memory.OpProbe, memory.OpChanges} {
			m.Fail(memory.Failure{Op: op, Collection: "contacts", Err: denied, Times: -1})
		}
		quick := 0
		for long := 0; long < 3 && quick < 10; {
			switch status, after := ping(); {
			case status == eas.PingExpired && after < time.Minute && long == 0:
				quick++
			case status == eas.PingExpired && after > 9*time.Minute && after < 11*time.Minute:
				long++
			default:
				t.Fatalf("told %d after %v, want to come again after a while", status, after)
			}
		}
		// The watch functions of the first Ping end one after the other, and each
		// may have the phone come again.
		if quick == 0 || quick == 10 {
			t.Errorf("the phone was asked %d times to come again at once, want once for each topic at most", quick)
		}
		time.AfterFunc(time.Minute, func() {
			m.Mend()
			m.Store(bridgetest.User, "contacts", "c", []byte(bridgetest.Card("c", "New")))
		})
		first, _ := ping()
		if second, after := ping(); first != eas.PingExpired || second != eas.PingChanges || after > 10*time.Minute {
			t.Errorf("when it works again: told %d, then %d after %v; want to come again and then the change", first, second, after)
		}
	})
}
