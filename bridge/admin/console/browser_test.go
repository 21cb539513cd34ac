package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/browsertest"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
)

// A browser is a process for all tests of this package.
type browser struct{ context.Context }

// launch starts the browser.
func launch(t *testing.T) browser {
	t.Helper()
	return browser{browsertest.Launch(t)}
}

// A tab is a page of the browser that somebody looks at.
type tab struct {
	*testing.T
	ctx  context.Context
	at   string // the server
	mode mode

	mu    sync.Mutex
	wrong []string // what the browser complained of
}

// A mode is how somebody looks.
type mode struct {
	name   string
	width  int64
	scheme string
}

var (
	wideLight  = mode{"1280 light", 1280, "light"}
	wideDark   = mode{"1280 dark", 1280, "dark"}
	smallLight = mode{"360 light", 360, "light"}
	smallDark  = mode{"360 dark", 360, "dark"}
)

// open opens a tab in which nobody is signed in. There is one at a time.
func (b browser) open(t *testing.T, server string, m mode) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b)
	t.Cleanup(cancel)
	v := &tab{T: t, ctx: ctx, at: server, mode: m}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Source == log.SourceNetwork && !strings.Contains(e.Entry.URL, "/assets/") {
				return // pages may be refused, which is for the stories to judge
			}
			if e.Entry.Level == log.LevelError || e.Entry.Source == log.SourceSecurity {
				v.complain(fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
			}
		case *runtime.EventExceptionThrown:
			v.complain(e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				v.complain(fmt.Sprintf("console.error: %s", e.Args[0].Value))
			}
		}
	})
	if err := chromedp.Run(ctx); err != nil { // without a limit, which would end the tab, too
		t.Fatal(err)
	}
	v.do(log.Enable(), network.ClearBrowserCookies(), emulation.SetDeviceMetricsOverride(m.width, 900, 1, m.width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: m.scheme}}))
	return v
}

func (v *tab) complain(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wrong = append(v.wrong, text)
}

// calm fails if the browser complained of anything, such as a violation of the policy
// of content.
func (v *tab) calm() {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range v.wrong {
		v.Errorf("%s: the browser says: %s", v.mode.name, text)
	}
	v.wrong = nil
}

// do does something within the patience of browsertest.
func (v *tab) do(actions ...chromedp.Action) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var where string
		chromedp.Run(v.ctx, chromedp.Location(&where))
		v.Fatalf("%s, at %s: %v", v.mode.name, where, err)
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
		v.Fatalf("%s: pressing %s: %v", v.mode.name, selector, err)
	}
	v.do(chromedp.WaitReady("h1", chromedp.ByQuery))
}

// shows waits until an expression of the page is true.
func (v *tab) shows(expression string) {
	v.Helper()
	v.do(chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0)))
}

// says waits until an element has a text.
func (v *tab) says(selector, text string) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	is := fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '')", selector)
	if err := chromedp.Run(ctx, chromedp.Poll(is+fmt.Sprintf(".includes(%q)", text), nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0))); err != nil {
		var got string
		chromedp.Run(v.ctx, chromedp.Evaluate(is, &got))
		v.Fatalf("%s: %s says %q, want %q: %v", v.mode.name, selector, got, text, err)
	}
}

// shot keeps a picture of the page for whoever wants to look, and has named a directory.
func (v *tab) shot(name string) {
	dir := os.Getenv("PUSHBRIDGE_SCREENSHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	v.do(chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name+" "+v.mode.name, " ", "-")+".png"), picture, 0o644); err != nil {
		v.Fatal(err)
	}
}

// serve serves a house behind the gate where administrators sign in.
func serve(t *testing.T, h *house) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	at := &url.URL{Scheme: "http", Host: server.Listener.Addr().String()}
	h.roster = roster.New(roster.Options{Store: h.db.Documents(), Transact: h.db.Transact, Audit: audit.New(h.db.Audit()), Cost: rostertest.Cheap})
	g := gate.New(gate.Options{Server: h.admin, Roster: h.roster, URL: at, Logger: slog.New(slog.DiscardHandler)})
	h.Console = console.New(console.Options{Server: h.admin, Gate: g.Administrators(), SignOut: gate.AdminPrefix + "signout", Latency: h.latency, Logger: slog.New(slog.DiscardHandler)})
	g.Administrators().Pages(h.Console)
	h.Hurry()
	server.Config.Handler = g
	server.Start()
	t.Cleanup(func() {
		h.End()
		server.Close()
	})
	return server.URL
}

// signIn goes to a page, and signs in on the way as jane, who has these roles.
func (v *tab) signIn(h *house, path string, roles ...admin.Role) {
	v.Helper()
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	rostertest.Add(v, h.roster, "jane", names...)
	v.do(chromedp.Navigate(v.at+path), chromedp.WaitVisible("#name", chromedp.ByQuery),
		chromedp.SendKeys("#name", "jane", chromedp.ByQuery), chromedp.SendKeys("#password", rostertest.Password, chromedp.ByQuery))
	v.press("form button")
}

// accessible fails for what axe-core finds wrong with the page for people who do not
// see it, or not well, or have no mouse.
//
// What a page means is looked at in one mode; in the others only what is different
// there.
func (v *tab) accessible(name string) {
	v.Helper()
	var rules []string
	if v.mode != wideLight {
		rules = []string{"color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable", "label", "button-name", "link-name"}
	}
	var found []string
	v.do(browsertest.Accessibility(&found, rules...))
	for _, text := range found {
		v.Errorf("%s, %s: %s", v.mode.name, name, text)
	}
}

// fits fails if the page has to be moved sideways.
func (v *tab) fits(name string) {
	v.Helper()
	var over string
	v.do(chromedp.Evaluate(`(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w) return "";
		return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1).map(e => e.outerHTML.slice(0, 120)).slice(0, 4).join("\n") || "wide" })()`, &over))
	if over != "" {
		v.Errorf("%s, %s: the page is wider than the window:\n%s", v.mode.name, name, over)
	}
}
