package selfservice_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/admin/browsertest"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// A tab is a page of a browser that ann looks at.
type tab struct {
	*testing.T
	ctx context.Context
	at  string // the server

	mu    sync.Mutex
	wrong []string // what the browser complained of
}

// browse starts a browser where ann is signed in.
func browse(t *testing.T, h *house) *tab {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx := browsertest.Launch(t)
	v := &tab{T: t, ctx: ctx, at: server.URL}
	chromedp.ListenTarget(ctx, func(e any) {
		if e, ok := e.(*log.EventEntryAdded); ok && (e.Entry.Level == log.LevelError || e.Entry.Source == log.SourceSecurity) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.wrong = append(v.wrong, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	})
	v.do(log.Enable(), network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"X-Test": "ann"}))
	return v
}

// do does something within the patience of browsertest.
func (v *tab) do(actions ...chromedp.Action) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.Fatal(err)
	}
}

// visit goes to a page.
func (v *tab) visit(path string) {
	v.Helper()
	v.do(chromedp.Navigate(v.at+path), chromedp.WaitReady("h1", chromedp.ByQuery))
}

// press presses a button or a link, and waits for the page that it leads to.
func (v *tab) press(selector string) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible)); err != nil {
		v.Fatalf("pressing %s: %v", selector, err)
	}
	v.do(chromedp.WaitReady("h1", chromedp.ByQuery))
}

// calm fails if the browser complained of anything, such as a violation of the policy
// of content.
func (v *tab) calm(name string) {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range v.wrong {
		v.Errorf("%s: the browser says: %s", name, text)
	}
	v.wrong = nil
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
	for _, mode := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {360, "dark"}, {1280, "light"}} {
		v.do(emulation.SetDeviceMetricsOverride(mode.width, 900, 1, mode.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode.scheme}}))
		for _, path := range []string{"/my/", "/my/phone?device=P&said=renamed", "/my/confirm?do=wipe-full&device=P", "/my/add"} {
			name := fmt.Sprintf("%s, %d %s", path, mode.width, mode.scheme)
			v.visit(path)
			var over bool
			var wrong, rules []string
			if mode.width != 360 || mode.scheme != "light" { // what a page means is the same everywhere
				rules = []string{"color-contrast", "link-in-text-block", "target-size"}
			}
			v.do(chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over), browsertest.Accessibility(&wrong, rules...))
			for _, text := range wrong {
				t.Errorf("%s: %s", name, text)
			}
			if over {
				t.Errorf("%s: the page is wider than the window", name)
			}
			v.calm(name)
		}
	}
	// And with a keyboard, in a browser that runs no scripts of pages.
	v.do(emulation.SetScriptExecutionDisabled(true))
	v.visit("/my/phone?device=P")
	v.do(chromedp.SendKeys("#called", "Kitchen\r", chromedp.ByQuery), chromedp.WaitReady(".said", chromedp.ByQuery))
	v.press(`a[data-do="wipe-account"]`)
	v.press("main form button")
	v.do(chromedp.WaitReady(".said", chromedp.ByQuery))
	v.press(`a[data-do="cancel"]`)
	v.press("main form button")
	v.do(chromedp.WaitReady(".said", chromedp.ByQuery))
	if p := h.now("ann"); p.Called != "Kitchen" || p.Wipe.State != device.WipeCancelled || p.Wipe.By != "ann" {
		t.Errorf("the phone is %+v", p)
	}
	v.calm("without scripts")
	if w := h.as("ann", http.MethodGet, "/my/phone?device=P", nil); !strings.Contains(w.Body.String(), "Kitchen") {
		t.Error("the name is not shown")
	}
}
