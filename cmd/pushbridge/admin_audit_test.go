package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// TestAudit is an administrator who does something, and another one who looks
// into the audit.
func TestAudit(t *testing.T) {
	o := openOffice(t)
	o.says("audit list", "Nothing was done yet.")
	o.says("audit verify", "0 entries")
	bridgetest.Sync(t, o.phone(eas.V161, "PHONEA1"))
	o.says("block ann PHONEA1", "is blocked")
	o.says("allow ann PHONEA1", "may come in")
	if status, out := o.admin("allow", "ann", "NOBODY"); status != exitFailure {
		t.Errorf("status %d: %s", status, out)
	}
	o.says("audit list", "devices.block", "phone PHONEA1 of ann", "done", `failed: "ann" has no phone`, "uid")
	list := asked[[]audit.Record](o, "audit list --most 2")
	if len(list) != 2 || list[0].Number != 3 || list[0].Outcome != audit.Failed || list[1].Address != "socket" {
		t.Errorf("the newest two are %+v", list)
	}
	_, out := o.admin("audit", "verify")
	_, anchor, _ := strings.Cut(strings.TrimSpace(out), "anchor: ")
	o.says("audit verify --anchor "+anchor, "3 entries, all as written.")

	file := filepath.Join(t.TempDir(), "audit.json")
	o.says("audit export -o " + file)
	o.says("audit verify --file "+file+" --anchor "+anchor, "3 entries, all as written.")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("PHONEA1"), []byte("PHONEA2"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out := o.admin("audit", "verify", "--file", file); status != exitFailure || !strings.Contains(out, "entry 1") {
		t.Errorf("one that was changed: status %d, it prints %s", status, out)
	}
	if status, _ := o.admin("audit", "verify", "--anchor", "3:abc"); status != exitUsage {
		t.Errorf("an anchor that is none: status %d", status)
	}
}
