package gate_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/pushbridge/pushbridge/bridge/admin/browsertest"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
)

// A tab is a page of a browser in front of a gate with pages for everybody.
type tab struct {
	*browsertest.Tab
	*house
}

// browse starts the browser.
func browse(t *testing.T) *tab {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h := open(t, func(o *gate.Options) { o.URL = &url.URL{Scheme: "http", Host: server.Listener.Addr().String()} })
	server.Config.Handler = h
	server.Start()
	t.Cleanup(server.Close)
	return &tab{browsertest.Open(t, server.URL, func(e *log.Entry) bool { return e.Source == log.SourceSecurity }), h}
}

// fill types into the fields of a form, and presses its button.
func (v *tab) fill(form string, fields ...string) {
	v.Helper()
	for i := 0; i < len(fields); i += 2 {
		v.Do(chromedp.SetValue(form+" "+fields[i], fields[i+1], chromedp.ByQuery))
	}
	v.Press(form + " button")
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
	v.Visit("/my/signin")
	v.Look("signing in as a phone's owner", "#password")
	v.Visit("/admin/account")
	v.Look("signing in", "#code")
	v.fill("form", "#name", strings.Repeat("W", 200), "#password", "not the password")
	v.Look("a wrong password", "#wrong")
	v.fill("form", "#name", "device-administrator", "#password", rostertest.Password)
	open := chromedp.Evaluate(`document.querySelector("details").open = true`, nil)
	v.Do(chromedp.WaitVisible("#old", chromedp.ByQuery), open)
	v.Look("the account", `form[action$="/sessions/end"] button`)
	v.fill(`form[action$="/tokens"]`, "#token", strings.Repeat("W", 80), "#maker", rostertest.Password)
	v.Look("a mistake", ".wrong")
	v.Do(open, chromedp.Click(`input[name="role"]`, chromedp.ByQuery))
	v.fill(`form[action$="/tokens"]`, "#token", strings.Repeat("W", 80), "#maker", rostertest.Password)
	v.Look("a token", ".done code")
	v.fill(`form[action$="/factor"]`, "#beginner", rostertest.Password)
	v.Look("a second factor", "#code")
	v.Visit("/admin/")
	v.Look("nothing but the gate", "main")
}
