package easserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// atOnce carries requests to a handler without a network.
type atOnce struct{ handler http.Handler }

func (a atOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	a.handler.ServeHTTP(w, r)
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

// BenchmarkEdits lets phones of as many people edit one contact each, again and
// again, with the state on the disk: syncs/s is how many Syncs with one Change
// in them are durable and answered in a second. The phones' own work is in it.
func BenchmarkEdits(b *testing.B) {
	for _, phones := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("phones=%d", phones), func(b *testing.B) {
			dir := b.TempDir()
			h := bridgetest.Start(b, bridgetest.Options{Edit: func(o *bridge.Options) { o.Config.State = dir }})
			carried := make([]*phone.Phone, phones)
			for i := range carried {
				carried[i] = newEditor(b, h, fmt.Sprintf("user%d", i))
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for i, p := range carried {
				folder := bridgetest.FolderOf(b, p, "Contacts")
				all.Go(func() {
					for n := i; n < b.N; n += phones {
						edit(b, p, folder, fmt.Sprintf("Edit %d", n))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
		})
	}
}

// newEditor makes a phone that has loaded its contacts.
func newEditor(b *testing.B, h *bridgetest.House, user string) *phone.Phone {
	b.Helper()
	h.Backend.AddUser(user, bridgetest.Password)
	h.Backend.Store(user, "contacts", "card", []byte(bridgetest.Card("card", "Somebody")))
	p := phone.New(&easclient.Client{
		URL: "http://bench", User: user, Password: bridgetest.Password, Version: eas.V141,
		DeviceID: "DEVICE" + user, DeviceType: "bench", HTTP: &http.Client{Transport: atOnce{h.Bridge.Handler()}},
	}, phone.Settings{Classes: []string{"Contacts"}})
	bridgetest.Sync(b, p)
	if n := len(bridgetest.FolderOf(b, p, "Contacts").Items); n != 1 {
		b.Fatalf("%s has %d contacts", user, n)
	}
	return p
}

// edit changes the one contact and synchronizes.
func edit(b *testing.B, p *phone.Phone, folder phone.Folder, name string) {
	for id := range folder.Items {
		if err := p.Change(folder.ServerID, id, eas.Properties{eas.T(tag.ContactsJobTitle, name)}); err != nil {
			b.Error(err)
		}
	}
	if _, err := p.SyncFolders(b.Context(), folder.ServerID); err != nil {
		b.Error(err)
	}
}
