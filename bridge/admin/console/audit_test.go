package console_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
	"github.com/pushbridge/pushbridge/bridge/device"
)

// entries writes so many into the audit of a house.
func entries(t *testing.T, h *house, n int) {
	t.Helper()
	for i := range n {
		e := audit.Entry{Actor: "jane", Action: "wipe", Object: fmt.Sprintf("phone P%d of ann", i+1), Outcome: audit.Done}
		if i%100 == 0 {
			e.Actor, e.Outcome, e.Detail = "carl", audit.Denied, "carl may not do this"
		}
		if _, err := h.audit.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// All pages of a filter together have each entry that fits once, the newest first.
func TestAuditFilter(t *testing.T) {
	h := build(t, func(_ *house, o *admin.Options, _ *device.Options) { o.Audit = audit.New(new(audittest.Memory)) })
	const all = 6_000 // more than are looked at for one page
	entries(t, h, all)
	for _, tc := range []struct {
		name, query string
		want        int
	}{
		{"one of each hundred", "q=CARL", 60},
		{"by outcome", "outcome=denied", 60},
		{"one that is old", "q=phone+p1+of", 1},
		{"none", "q=nobody", 0},
		{"both", "q=jane&outcome=denied", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found, next := 0, "/admin/audit?"+tc.query
			for pages := 0; next != ""; pages++ {
				if pages > 5 {
					t.Fatal("the pages have no end")
				}
				w := h.get(t, next, admin.ReadOnly)
				if w.Code != http.StatusOK {
					t.Fatalf("%s is answered %d", next, w.Code)
				}
				found += strings.Count(w.Body.String(), `class="entry"`)
				next = ""
				for n := range parsed(t, w.Body.String()).Descendants() {
					if attribute(n, "rel") == "next" {
						next = attribute(n, "href")
					}
				}
			}
			if found != tc.want {
				t.Errorf("%d are found, want %d", found, tc.want)
			}
		})
	}
}

// The export is the whole audit, and one that was tampered with is found out.
func TestAuditExportAndChain(t *testing.T) {
	h := build(t, func(_ *house, o *admin.Options, _ *device.Options) { o.Audit = audit.New(new(audittest.Memory)) })
	const all = 1_200
	entries(t, h, all)
	w := h.get(t, "/admin/audit/export", admin.SecurityAdministrator)
	verifier := audit.NewVerifier()
	for lines := bufio.NewScanner(w.Body); lines.Scan(); {
		var r audit.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		verifier.Take(r)
	}
	if f := verifier.Finding; !f.Sound || f.Entries != all || w.Header().Get("Content-Disposition") == "" {
		t.Errorf("the export is %+v with %v", f, w.Header())
	}
	last := verifier.Last
	for _, tc := range []struct{ name, query, says string }{
		{"as it is", "", "The chain is whole: 1200 entries"},
		{"with a link that was noted", fmt.Sprintf("?number=%d&hash=%s", last.Number, last.Hash), "It has the link that was noted"},
		{"with a link of another chain", fmt.Sprintf("?number=%d&hash=%s", last.Number-1, last.Hash), "The chain is broken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if w := h.get(t, "/admin/audit/verify"+tc.query, admin.SecurityAdministrator); !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("it does not say %q: %s", tc.says, w.Body)
			}
		})
	}
}

// What an entry says was before and is after is shown where it is different.
func TestAuditDifferences(t *testing.T) {
	h := build(t, nil)
	h.policy(t, "base", map[string]any{"allow_camera": true, "min_device_password_length": 6})
	h.policy(t, "base", map[string]any{"allow_camera": true, "min_device_password_length": 8})
	body := h.get(t, "/admin/audit", admin.ReadOnly).Body.String()
	first, _, _ := strings.Cut(body[strings.Index(body, "<tbody>"):], "</tbody>")
	if !strings.Contains(first, "policy base, values, min_device_password_length") || !strings.Contains(first, ">6<") || !strings.Contains(first, ">8<") || strings.Contains(first, "allow_camera") {
		t.Errorf("the newest entry is shown as %s", first)
	}
}
