package selfservice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/device"
)

// patience bounds a wait for the browser. On a machine that is busy a page takes
// seconds.
const patience = 60 * time.Second

// A tab is a page of a browser that ann looks at.
type tab struct {
	*testing.T
	ctx context.Context
	at  string // the server

	mu    sync.Mutex
	wrong []string // what the browser complained of
}

// browse starts Debian's chromium, where ann is signed in. Without it the test is
// skipped.
func browse(t *testing.T, h *house) *tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("chromium is missing: apt-get install chromium")
		}
		t.Skip("chromium is not installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("ending the browser:", err)
		}
		cancel()
		stop()
	})
	v := &tab{T: t, ctx: ctx, at: server.URL}
	chromedp.ListenTarget(ctx, func(e any) {
		if e, ok := e.(*log.EventEntryAdded); ok && (e.Entry.Level == log.LevelError || e.Entry.Source == log.SourceSecurity) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.wrong = append(v.wrong, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal("chromium does not start:", err)
	}
	v.do(log.Enable(), network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"X-Test": "ann"}))
	return v
}

// do does something within patience.
func (v *tab) do(actions ...chromedp.Action) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
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
	ctx, cancel := context.WithTimeout(v.ctx, patience)
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
	axe, err := os.ReadFile("../console/testdata/axe-core-4.14.1.min.js")
	if err != nil {
		t.Fatal(err)
	}
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
			var found string
			rules := ""
			if mode.width != 360 || mode.scheme != "light" { // what a page means is the same everywhere
				rules = `, runOnly: ["color-contrast", "link-in-text-block", "target-size"]`
			}
			v.do(chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over), chromedp.Evaluate(string(axe)+";0", nil),
				chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"], preload: false`+rules+`}).then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html.slice(0, 200)).join(" "))))`,
					&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			var wrong []string
			if err := json.Unmarshal([]byte(found), &wrong); err != nil {
				t.Fatalf("%s: axe-core answers %q: %v", name, found, err)
			}
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
