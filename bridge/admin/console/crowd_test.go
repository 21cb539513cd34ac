package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
)

// crowd is a house with very many phones, all of them of one person if user is not
// empty: in the database, or in memory, which takes them sooner.
func crowd(t testing.TB, n int, user string, memory bool) *house {
	h := build(t, func(_ *house, o *admin.Options, d *device.Options) {
		if memory {
			store := new(devicetest.Memory)
			o.Devices, d.Store = store, store
		}
	})
	for i := range n {
		owner := user
		if owner == "" {
			owner = fmt.Sprintf("person%05d", i/2)
		}
		id := fmt.Sprintf("DEVICE%06d", i)
		h.phone(t, owner, id, func(p *device.Phone) { p.FriendlyName = fmt.Sprintf("Phone %d", i) })
		if i%2 == 0 {
			h.engine.wait(owner, id)
		}
	}
	return h
}

// TestManyPhones: a page of the list has its bound, however many there are, and all
// pages together have each phone once.
func TestManyPhones(t *testing.T) {
	const all = 10_000
	h := crowd(t, all, "ann", true)
	seen := map[string]bool{}
	for page := 1; page <= all/50; page += 66 {
		w := h.get(t, fmt.Sprintf("/admin/devices?page=%d", page), admin.ReadOnly)
		rows := strings.Count(w.Body.String(), "<tr>") - 1
		if w.Code != http.StatusOK || rows != 50 || w.Body.Len() > 100<<10 {
			t.Fatalf("page %d is answered %d with %d rows in %d bytes", page, w.Code, rows, w.Body.Len())
		}
		for n := range parsed(t, w.Body.String()).Descendants() {
			if href := attribute(n, "href"); strings.HasPrefix(href, "/admin/device?") {
				if seen[href] {
					t.Errorf("%s is on two pages", href)
				}
				seen[href] = true
			}
		}
	}
	for _, tc := range []struct{ query, says string }{
		{"q=phone+9999", "1 of 10000 phones"},
		{"q=DEVICE00999", "10 of 10000 phones"},
		{"q=nothing+of+that", "No phone fits"},
		{"health=waiting", "5000 of 10000 phones, 1 to 50 below"},
		{"health=waiting&page=100", "4951 to 5000 below"},
		{"health=waiting&page=99999", "4951 to 5000 below"},
		{"page=-7", "1 to 50 below"},
		{"sort=health&page=200", "9951 to 10000 below"},
		{"user=bob", "No phone fits"},
	} {
		if w := h.get(t, "/admin/devices?"+tc.query, admin.ReadOnly); !strings.Contains(w.Body.String(), tc.says) {
			t.Errorf("%s does not say %q", tc.query, tc.says)
		}
	}
	for _, path := range []string{"person?user=ann", "device?user=ann&device=DEVICE000001", "", "people"} {
		if w := h.get(t, "/admin/"+path, admin.ReadOnly); w.Code != http.StatusOK || w.Body.Len() > 100<<10 {
			t.Errorf("%q is answered %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// BenchmarkDevices makes the first page of the list of 10,000 phones, each time with
// a look at the database.
func BenchmarkDevices(b *testing.B) {
	benchmark(b, "/admin/devices", true)
}

// BenchmarkDevicesSeen makes it while somebody else looked a moment ago.
func BenchmarkDevicesSeen(b *testing.B) {
	benchmark(b, "/admin/devices", false)
}

// BenchmarkOverview makes the overview with 10,000 phones.
func BenchmarkOverview(b *testing.B) { benchmark(b, "/admin/", true) }

func benchmark(b *testing.B, path string, anew bool) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	h := crowd(b, n, "", false)
	b.ReportAllocs()
	for b.Loop() {
		if anew {
			h.Again()
		}
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.AddCookie(&http.Cookie{Name: "test_roles", Value: string(admin.ReadOnly)})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("the answer is %d", w.Code)
		}
	}
}
