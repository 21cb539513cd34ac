// Package browsertest has tests look at pages in Debian's chromium, and axe-core judge them.
package browsertest

import (
	"context"
	_ "embed" // of axe-core
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience bounds a wait for the browser. On a machine that is busy a page takes
// seconds.
const Patience = 60 * time.Second

// Launch starts a browser that ends with the test, and answers the context of its
// first tab. Without chromium the test is skipped.
func Launch(t testing.TB) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal("chromium is missing: apt-get install chromium")
		}
		t.Skip("chromium is not installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.WSURLReadTimeout(Patience),
		chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("ending the browser:", err)
		}
		cancel()
		stop()
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal("chromium does not start:", err)
	}
	return ctx
}

// axe is axe-core 4.14.1 as its authors published it, under the Mozilla Public License
// 2.0, which lies beside it.
//
//go:embed axe-core-4.14.1.min.js
var axe string

// Accessibility finds what is wrong with a page for people who do not see it, or not
// well, or have no mouse, and says each in a text. It looks at some of axe-core's
// rules, or at all if none are named.
func Accessibility(found *[]string, rules ...string) chromedp.Action {
	options := map[string]any{"resultTypes": []string{"violations"}, "preload": false}
	if len(rules) > 0 {
		options["runOnly"] = rules
	}
	return chromedp.ActionFunc(func(ctx context.Context) error {
		how, err := json.Marshal(options)
		if err != nil {
			return err
		}
		var answer string
		err = chromedp.Tasks{chromedp.Evaluate(axe+";0", nil), chromedp.Evaluate(
			`axe.run(document, `+string(how)+`).then(r => JSON.stringify(r.violations.map(v => v.id + " (" + v.impact + "): " + v.help + "\n" + v.nodes.map(n => n.html.slice(0, 200) + " " + n.failureSummary.slice(0, 200)).join("\n"))))`,
			&answer, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })}.Do(ctx)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(answer), found); err != nil {
			return fmt.Errorf("browsertest: axe-core answers %q: %w", answer, err)
		}
		return nil
	})
}
