package console

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
)

// auditScan bounds how many entries a filter looks at for one page.
const auditScan = 5000

// An auditPage is a part of the audit, the newest first.
type auditPage struct {
	Text, Outcome string
	Entries       []auditEntry
	Older         int64 // the number that older ones are before; 0 if there are none
	Looked        int   // at so many entries
	Outcomes      []audit.Outcome
}

func (c *Console) audit(a *ask) error {
	q := a.URL.Query()
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	p := auditPage{Text: strings.TrimSpace(q.Get("q")), Outcome: q.Get("outcome"), Outcomes: []audit.Outcome{audit.Done, audit.Begun, audit.Failed, audit.Denied}}
	if err := c.scan(a, &p, before); err != nil {
		return err
	}
	c.show(a, 200, "audit", view{Title: "Audit", Here: "audit", Data: p})
	return nil
}

// scan looks for entries until a page is full.
func (c *Console) scan(a *ask, p *auditPage, before int64) error {
	text := strings.ToLower(p.Text)
	for p.Looked < auditScan {
		some, err := admin.OpAudit.Do(a.Context(), c.Server, a.actor, admin.AuditRequest{Before: before, Most: admin.MostEntries})
		if err != nil {
			return err
		}
		for _, r := range some {
			p.Looked++
			before = r.Number
			if (p.Outcome == "" || string(r.Outcome) == p.Outcome) && says(r, text) {
				if p.Entries = append(p.Entries, entryOf(r)); len(p.Entries) == perPage {
					break
				}
			}
		}
		p.Older = before
		if before <= 1 || len(some) < admin.MostEntries && len(p.Entries) < perPage {
			p.Older = 0
			return nil
		}
		if len(p.Entries) == perPage {
			return nil
		}
	}
	return nil
}

// says tells whether an entry has a text, which is in small letters.
func says(r audit.Record, text string) bool {
	if text == "" {
		return true
	}
	for _, field := range []string{r.Actor, r.Action, r.Object, r.Address, r.Detail} {
		if strings.Contains(strings.ToLower(field), text) {
			return true
		}
	}
	return false
}

// verify says whether the chain is whole.
func (c *Console) verify(a *ask) error {
	q := a.URL.Query()
	r := admin.AnchorRequest{Hash: strings.TrimSpace(q.Get("hash"))}
	if r.Hash != "" {
		n, err := strconv.ParseInt(q.Get("number"), 10, 64)
		if err != nil {
			return &admin.Error{Kind: admin.Invalid, Text: "Of a link that was noted both are needed, its number and its hash."}
		}
		r.Number = n
	}
	f, err := admin.OpAuditVerify.Do(a.Context(), c.Server, a.actor, r)
	if err != nil {
		return err
	}
	c.show(a, 200, "verify", view{Title: "The chain of the audit", Here: "audit", Data: struct {
		audit.Finding
		Anchor admin.AnchorRequest
	}{f, r}})
	return nil
}

// export answers all entries in order, one in each line, as "pushbridge admin audit"
// reads them.
func (c *Console) export(a *ask) error {
	var after int64
	e := json.NewEncoder(a.w)
	for {
		some, err := admin.OpAuditExport.Do(a.Context(), c.Server, a.actor, admin.ExportRequest{After: after})
		if err != nil && after == 0 {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler) // what has come so far is not all, and must not look so
		}
		if after == 0 {
			h := a.w.Header()
			h.Set("Content-Type", "application/x-ndjson")
			h.Set("Content-Disposition", `attachment; filename="pushbridge-audit.ndjson"`)
		}
		for _, r := range some {
			if err := e.Encode(r); err != nil {
				return nil // nobody reads any more
			}
			after = r.Number
		}
		if len(some) < admin.MostEntries {
			return nil
		}
	}
}
