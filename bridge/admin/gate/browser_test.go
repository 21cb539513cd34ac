package gate_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/admin/browsertest"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
)

// A tab is a page of a browser that somebody looks at.
type tab struct {
	*testing.T
	*house
	ctx context.Context
	at  string // where the gate is

	mu    sync.Mutex
	wrong []string // what broke the policy of content
}

// browse starts a browser in front of a gate with pages for everybody.
func browse(t *testing.T) *tab {
	t.Helper()
	ctx := browsertest.Launch(t)
	server := httptest.NewUnstartedServer(nil)
	h := open(t, func(o *gate.Options) { o.URL = &url.URL{Scheme: "http", Host: server.Listener.Addr().String()} })
	server.Config.Handler = h
	server.Start()
	t.Cleanup(server.Close)
	v := &tab{T: t, house: h, ctx: ctx, at: server.URL}
	chromedp.ListenTarget(ctx, func(e any) {
		if e, ok := e.(*log.EventEntryAdded); ok && e.Entry.Source == log.SourceSecurity {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.wrong = append(v.wrong, fmt.Sprintf("%s (%s)", e.Entry.Text, e.Entry.URL))
		}
	})
	v.do(log.Enable())
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
	v.do(chromedp.Navigate(v.at + path))
}

// fill types into the fields of a form, and presses its button.
func (v *tab) fill(form string, fields ...string) {
	v.Helper()
	for i := 0; i < len(fields); i += 2 {
		v.do(chromedp.SetValue(form+" "+fields[i], fields[i+1], chromedp.ByQuery))
	}
	ctx, cancel := context.WithTimeout(v.ctx, browsertest.Patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(form+" button", chromedp.ByQuery, chromedp.NodeVisible)); err != nil {
		v.Fatalf("sending %s: %v", form, err)
	}
}

// look looks at the page as it is on a small phone and a large screen, by day and by
// night. It has to have an element: else it is another page.
func (v *tab) look(name, element string) {
	v.Helper()
	v.do(chromedp.WaitVisible(element, chromedp.ByQuery))
	for _, mode := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {360, "dark"}, {1280, "light"}} {
		var rules, wrong []string
		if mode.width != 360 || mode.scheme != "light" { // what a page means is the same everywhere
			rules = []string{"color-contrast", "link-in-text-block", "target-size"}
		}
		var over bool
		v.do(emulation.SetDeviceMetricsOverride(mode.width, 900, 1, mode.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode.scheme}}),
			chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over), browsertest.Accessibility(&wrong, rules...))
		for _, text := range wrong {
			v.Errorf("%s, %d %s: %s", name, mode.width, mode.scheme, text)
		}
		if over {
			v.Errorf("%s, %d %s: the page is wider than the window", name, mode.width, mode.scheme)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range v.wrong {
		v.Errorf("%s: the browser says: %s", name, text)
	}
	v.wrong = nil
}

// TestPagesInABrowser signs in, sets up a second factor and makes a token: nothing is cut
// off, nothing breaks the policy of content, and axe-core finds nothing wrong for people
// who do not see well.
func TestPagesInABrowser(t *testing.T) {
	v := browse(t)
	elsewhere := roster.Caller{Agent: strings.Repeat("W", 200)}
	if _, err := v.roster.SignIn(t.Context(), "device-administrator", rostertest.Password, "", elsewhere); err != nil {
		t.Fatal(err)
	}
	v.visit("/my/signin")
	v.look("signing in as a phone's owner", "#password")
	v.visit("/admin/account")
	v.look("signing in", "#code")
	v.fill("form", "#name", strings.Repeat("W", 200), "#password", "not the password")
	v.look("a wrong password", "#wrong")
	v.fill("form", "#name", "device-administrator", "#password", rostertest.Password)
	open := chromedp.Evaluate(`document.querySelector("details").open = true`, nil)
	v.do(chromedp.WaitVisible("#old", chromedp.ByQuery), open)
	v.look("the account", `form[action$="/sessions/end"] button`)
	v.fill(`form[action$="/tokens"]`, "#token", strings.Repeat("W", 80), "#maker", rostertest.Password)
	v.look("a mistake", ".wrong")
	v.do(open, chromedp.Click(`input[name="role"]`, chromedp.ByQuery))
	v.fill(`form[action$="/tokens"]`, "#token", strings.Repeat("W", 80), "#maker", rostertest.Password)
	v.look("a token", ".done code")
	v.fill(`form[action$="/factor"]`, "#beginner", rostertest.Password)
	v.look("a second factor", "#code")
	v.visit("/admin/")
	v.look("nothing but the gate", "main")
}
