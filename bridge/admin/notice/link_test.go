package notice_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// arrival is a house with a phone that waits, and the link that was mailed.
func arrival(t *testing.T) (h *house, link string) {
	t.Helper()
	h = open(t, nil)
	end := h.run()
	h.arrive("ann", "PHONE1")
	synctest.Wait()
	end()
	return h, linkIn(t, h.mails()[1].text)
}

// TestLink decides once, and only where somebody said so.
func TestLink(t *testing.T) {
	for decision, want := range map[string]string{"allow": "in", "block": "blocked"} {
		t.Run(decision, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, link := arrival(t)
				for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
					status, page, header := h.call(method, link, decision)
					if status != http.StatusOK || h.standing("ann", "PHONE1") != "waits" {
						t.Fatalf("%s is answered %d, and the phone %s", method, status, h.standing("ann", "PHONE1"))
					}
					if !strings.Contains(page, `<form method="post"`) || !strings.Contains(page, "PHONE1") || strings.Contains(page, "<script") {
						t.Errorf("the page is %s", page)
					}
					for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
						if header.Get(name) != want {
							t.Errorf("%s is %q, want %q", name, header.Get(name), want)
						}
					}
				}
				if status, _, _ := h.call(http.MethodPost, link, "burn"); status != http.StatusBadRequest || h.standing("ann", "PHONE1") != "waits" {
					t.Errorf("another decision is answered %d", status)
				}
				status, page, _ := h.call(http.MethodPost, link, decision)
				if status != http.StatusOK || h.standing("ann", "PHONE1") != want {
					t.Fatalf("the decision is answered %d, and the phone %s\n%s", status, h.standing("ann", "PHONE1"), page)
				}
				last := h.audit.Records[len(h.audit.Records)-1]
				if last.Actor != "link mailed to post@example.org" || last.Address != "192.0.2.7" || last.Object != "phone PHONE1 of ann" {
					t.Errorf("the audit says %+v", last)
				}
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if status, page, _ := h.call(method, link, "allow"); status != http.StatusGone || strings.Contains(page, "PHONE1") {
						t.Errorf("the second time %s is answered %d\n%s", method, status, page)
					}
				}
				if got := h.standing("ann", "PHONE1"); got != want {
					t.Errorf("the phone %s afterwards", got)
				}
			})
		})
	}
}

// TestLinkOfNoUse has links that are none, or not any more.
func TestLinkOfNoUse(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, h *house, link string) string{
		"none":    func(*testing.T, *house, string) string { return "" },
		"no link": func(*testing.T, *house, string) string { return "a.b" },
		"huge":    func(_ *testing.T, _ *house, link string) string { return link + strings.Repeat("A", 10_000) },
		"cut":     func(_ *testing.T, _ *house, link string) string { return link[:len(link)-4] },
		"unsigned": func(_ *testing.T, _ *house, link string) string {
			body, _, _ := strings.Cut(link, ".")
			return body + "."
		},
		"too old":   func(_ *testing.T, _ *house, link string) string { time.Sleep(7 * day); return link },
		"forgotten": func(t *testing.T, h *house, link string) string { forget(t, h); return link },
		"came again": func(t *testing.T, h *house, link string) string {
			forget(t, h)
			time.Sleep(time.Hour)
			h.arrive("ann", "PHONE1")
			return link
		},
		"decided": func(t *testing.T, h *house, link string) string {
			if _, err := admin.OpBlock.Do(t.Context(), h.server, boss, admin.PhoneRequest{User: "ann", Device: "PHONE1"}); err != nil {
				t.Fatal(err)
			}
			return link
		},
		"mailed to somebody who decides no more": func(t *testing.T, h *house, link string) string {
			o := h.Options
			o.Administrators = []string{"other@example.org"}
			restarted, err := newAgain(t, o)
			if err != nil {
				t.Fatal(err)
			}
			h.Notices = restarted
			return link
		},
		"of another server": func(t *testing.T, _ *house, _ string) string { _, link := arrival(t); return link },
		"for another phone": func(_ *testing.T, _ *house, link string) string {
			body, sum, _ := strings.Cut(link, ".")
			text, _ := base64.RawURLEncoding.DecodeString(body)
			return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(text), "PHONE1", "PHONE2", 1))) + "." + sum
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, link := arrival(t)
				h.arrive("ann", "PHONE2")
				link = spoil(t, h, link)
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if status, page, _ := h.call(method, link, "allow"); status != http.StatusGone || strings.Contains(page, "PHONE") {
						t.Errorf("%s is answered %d\n%s", method, status, page)
					}
				}
				for _, id := range []string{"PHONE1", "PHONE2"} {
					if h.standing("ann", id) == "in" {
						t.Errorf("%s is let in", id)
					}
				}
			})
		})
	}
}

func forget(t *testing.T, h *house) {
	t.Helper()
	if _, err := admin.OpForget.Do(t.Context(), h.server, boss, admin.PhoneRequest{User: "ann", Device: "PHONE1"}); err != nil {
		t.Fatal(err)
	}
}

// TestLinkAtOnce is used by many at a time.
func TestLinkAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, link := arrival(t)
		var good atomic.Int32
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if status, _, _ := h.call(http.MethodPost, link, []string{"allow", "block"}[i%2]); status == http.StatusOK {
					good.Add(1)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 {
			t.Errorf("%d of them decided", good.Load())
		}
	})
}

// TestLinkOfTwoWorkers is used at the same moment where two workers have one state, as
// while one takes over from the other.
func TestLinkOfTwoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, link := arrival(t)
		o := h.Options
		other, err := newAgain(t, o)
		if err != nil {
			t.Fatal(err)
		}
		between, shared := true, o.Transact
		o.Transact = func(ctx context.Context, work func(context.Context) error) error {
			if between { // the link was looked at, and is good
				between = false
				first := h.Notices
				h.Notices = other
				defer func() { h.Notices = first }()
				if status, page, _ := h.call(http.MethodPost, link, "block"); status != http.StatusOK {
					t.Errorf("the faster one is answered %d\n%s", status, page)
				}
			}
			return shared(ctx, work)
		}
		if h.Notices, err = newAgain(t, o); err != nil {
			t.Fatal(err)
		}
		if status, page, _ := h.call(http.MethodPost, link, "allow"); status != http.StatusGone || h.standing("ann", "PHONE1") != "blocked" {
			t.Errorf("the slower one is answered %d, and the phone %s\n%s", status, h.standing("ann", "PHONE1"), page)
		}
	})
}

// TestLinkFails can be used again where nothing came of it.
func TestLinkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, link := arrival(t)
		order := admin.WipeRequest{User: "ann", Device: "PHONE1"}
		if _, err := admin.OpWipe.Do(t.Context(), h.server, boss, order); err != nil {
			t.Fatal(err)
		}
		if status, page, _ := h.call(http.MethodPost, link, "allow"); status != http.StatusBadRequest || !strings.Contains(page, "is to be erased") {
			t.Errorf("a phone that is to be erased is let in: %d\n%s", status, page)
		}
		order.Cancel = true
		if _, err := admin.OpWipe.Do(t.Context(), h.server, boss, order); err != nil {
			t.Fatal(err)
		}
		if status, page, _ := h.call(http.MethodPost, link, "allow"); status != http.StatusOK {
			t.Errorf("afterwards it is answered %d\n%s", status, page)
		}
	})
}

// TestLinkMarkup has a phone choose names that are markup.
func TestLinkMarkup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, link := arrival(t)
		const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
		if err := h.phones.Describe(t.Context(), device.ID{User: "ann", Device: "PHONE1"}, device.Information{FriendlyName: evil, Model: evil}); err != nil {
			t.Fatal(err)
		}
		_, page, _ := h.call(http.MethodGet, link, "")
		if strings.Contains(page, "<script") || strings.Contains(page, "<img") || !strings.Contains(page, "&lt;script&gt;") {
			t.Errorf("the page is %s", page)
		}
		if status, _, _ := h.call(http.MethodPut, link, "allow"); status != http.StatusMethodNotAllowed {
			t.Errorf("PUT is answered %d", status)
		}
	})
}

// TestLinkKey has the key survive a restart.
func TestLinkKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, link := arrival(t)
		again := open(t, nil)
		if status, _, _ := again.call(http.MethodGet, link, ""); status != http.StatusGone {
			t.Errorf("another server takes it: %d", status)
		}
		o := h.Options
		o.Store = h.keeps
		restarted, err := newAgain(t, o)
		if err != nil {
			t.Fatal(err)
		}
		h.Notices = restarted
		if status, _, _ := h.call(http.MethodGet, link, ""); status != http.StatusOK {
			t.Errorf("after a restart it is answered %d", status)
		}
		if err := h.keeps.SaveDocument(t.Context(), "link-key", "1", []byte(`"c2hvcnQ="`)); err != nil {
			t.Fatal(err)
		}
		if _, err := newAgain(t, o); err == nil {
			t.Error("a key that is none is taken")
		}
	})
}
