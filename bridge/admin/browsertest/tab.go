package browsertest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// A Tab is a page of a browser of its own that somebody looks at. Whatever goes wrong
// ends the test.
type Tab struct {
	testing.TB
	ctx context.Context
	at  string

	mu    sync.Mutex
	wrong []string
}

// Open starts a browser for the pages of a server. Which entries of the browser's log
// are mistakes of pages, complains tells.
func Open(t testing.TB, server string, complains func(*log.Entry) bool) *Tab {
	t.Helper()
	v := &Tab{TB: t, ctx: Launch(t), at: server}
	chromedp.ListenTarget(v.ctx, func(e any) {
		if e, ok := e.(*log.EventEntryAdded); ok && complains(e.Entry) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.wrong = append(v.wrong, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	})
	v.Do(log.Enable())
	return v
}

// Do does something within Patience.
func (v *Tab) Do(actions ...chromedp.Action) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.Fatal(err)
	}
}

// Visit goes to a page of the server.
func (v *Tab) Visit(path string) {
	v.Helper()
	v.Do(chromedp.Navigate(v.at + path))
}

// Press presses a button or a link, and waits for the page that it leads to.
func (v *Tab) Press(selector string) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, Patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible)); err != nil {
		v.Fatalf("pressing %s: %v", selector, err)
	}
}

// Look looks at the page as it is on a small phone and a large screen, by day and by
// night: nothing is cut off, axe-core finds nothing wrong, and the browser complained of
// nothing since the last look. The page has to have an element: else it is another one.
func (v *Tab) Look(name, element string) {
	v.Helper()
	v.Do(chromedp.WaitVisible(element, chromedp.ByQuery))
	for _, mode := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {360, "dark"}, {1280, "light"}} {
		var rules, wrong []string
		if mode.width != 360 || mode.scheme != "light" { // what a page means is the same everywhere
			rules = []string{"color-contrast", "link-in-text-block", "target-size"}
		}
		var over bool
		v.Do(emulation.SetDeviceMetricsOverride(mode.width, 900, 1, mode.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode.scheme}}),
			chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &over), Accessibility(&wrong, rules...))
		for _, text := range wrong {
			v.Errorf("%s, %d %s: %s", name, mode.width, mode.scheme, text)
		}
		if over {
			v.Errorf("%s, %d %s: the page is wider than the window", name, mode.width, mode.scheme)
		}
	}
	v.Calm(name)
}

// Calm fails if the browser complained of anything, such as a violation of the policy of
// content.
func (v *Tab) Calm(name string) {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range v.wrong {
		v.Errorf("%s: the browser says: %s", name, text)
	}
	v.wrong = nil
}
