package selfservice_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/admin/browsertest"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// browse starts a browser where ann is signed in.
func browse(t *testing.T, h *house) *browsertest.Tab {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	v := browsertest.Open(t, server.URL, func(e *log.Entry) bool { return e.Level == log.LevelError || e.Source == log.SourceSecurity })
	v.Do(network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"X-Test": "ann"}))
	return v
}

// TestPagesInABrowser looks at every page as it is on a small phone and a large screen,
// by day and by night: nothing is cut off, nothing breaks the policy of content, and
// axe-core finds nothing wrong for people who do not see well.
func TestPagesInABrowser(t *testing.T) {
	h := open(t, nil)
	h.down = true
	h.phone("ann", "P", func(p *device.Phone) { p.FriendlyName, p.Model = strings.Repeat("Phone", 40), strings.Repeat("W", 200) })
	h.engine.names[0] = strings.Repeat("Addresses", 30)
	v := browse(t, h)
	for _, path := range []string{"/my/", "/my/phone?device=P&said=renamed", "/my/confirm?do=wipe-full&device=P", "/my/add"} {
		v.Visit(path)
		v.Look(path, "h1")
	}
	// And with a keyboard, in a browser that runs no scripts of pages.
	v.Do(emulation.SetScriptExecutionDisabled(true))
	v.Visit("/my/phone?device=P")
	v.Do(chromedp.SendKeys("#called", "Kitchen\r", chromedp.ByQuery), chromedp.WaitReady(".said", chromedp.ByQuery))
	v.Press(`a[data-do="wipe-account"]`)
	v.Press("main form button")
	v.Do(chromedp.WaitReady(".said", chromedp.ByQuery))
	v.Press(`a[data-do="cancel"]`)
	v.Press("main form button")
	v.Do(chromedp.WaitReady(".said", chromedp.ByQuery))
	if p := h.now("ann"); p.Called != "Kitchen" || p.Wipe.State != device.WipeCancelled || p.Wipe.By != "ann" {
		t.Errorf("the phone is %+v", p)
	}
	v.Calm("without scripts")
	if w := h.as("ann", http.MethodGet, "/my/phone?device=P", nil); !strings.Contains(w.Body.String(), "Kitchen") {
		t.Error("the name is not shown")
	}
}
