package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// TestRulesForPhones is an administrator who decides who may come in, and what is
// asked of whom.
func TestRulesForPhones(t *testing.T) {
	o := openOffice(t)
	bridgetest.Sync(t, o.phone(eas.V161, "KNOWN1"))
	t.Run("admission", func(t *testing.T) { o.admits(t) })
	t.Run("policies", func(t *testing.T) { o.asks(t) })
	t.Run("files", func(t *testing.T) { o.applies(t) })
	t.Run("recovery", func(t *testing.T) {
		if status, out := o.admin("recovery", "ann", "KNOWN1"); status != exitUsage || !strings.Contains(out, "policy.recovery_keys") {
			t.Errorf("status %d, it prints %s", status, out)
		}
	})
	o.says("device ann FRESH1", "health", "resting: seen", "every folder wakes it", "of 30", "devices.allow")
	o.says("audit verify", "all as written")
}

// admits lets a new phone wait, and lets it in.
func (o *office) admits(t *testing.T) {
	o.says("admission", "Other phones are allowed.", "may have 200 phones")
	o.says("admission default quarantine", "is changed")
	o.says("admission add block --os-below 17.2 --type iPhone --note old", "is changed")
	o.says("admission", "1. block type iPhone, os below 17.2 (old)", "Other phones that come for the first time", "quarantine")
	fresh := o.phone(eas.V161, "FRESH1")
	bridgetest.Sync(t, fresh)
	if n := contactsOf(fresh); n != 0 {
		t.Errorf("in quarantine it holds %d contacts", n)
	}
	o.says("admission queue", "FRESH1", "the default for new phones")
	o.says("devices", "in quarantine", "quarantine")
	o.says("allow ann FRESH1", "may come in")
	bridgetest.Sync(t, fresh)
	if n := contactsOf(fresh); n != cardsOf {
		t.Errorf("let in, it holds %d contacts", n)
	}
	o.says("admission remove 1", "is changed")
	o.says("admission default allow", "is changed")
	if status, out := o.admin("admission", "remove", "7"); status != exitFailure || !strings.Contains(out, "There is no rule 7") {
		t.Errorf("status %d, it prints %s", status, out)
	}
	o.says("people off ann --why lost", "is changed")
	o.says("people", "2 of 200", "off since", "lost")
	var refused *phone.StatusError
	if _, err := fresh.FolderSync(t.Context()); !errors.As(err, &refused) || refused.Status != int(eas.UserDisabledForSync) {
		t.Errorf("switched off, it is answered %v", err)
	}
	o.says("people on ann", "is changed")
	o.says("people max-devices ann 2", "is changed")
	o.says("people ann", "2 of 2")
	o.says("blocklist add STOLEN1 --why stolen", "on the block list")
	o.says("blocklist", "STOLEN1", "stolen")
	o.says("blocklist remove STOLEN1", "off the block list")
	o.says("blocklist", "Nothing is on the list.")
}

// asks makes a policy for a group that holds another one.
func (o *office) asks(t *testing.T) {
	o.says("group create berlin ann bob --description here", "is changed")
	o.says("group create staff", "is changed")
	o.says("group add staff --group berlin", "is changed")
	o.says("group of ann", "berlin", "staff")
	o.says("group list", "ann, bob", "here")
	o.says("policy set strict device_password_enabled=true min_device_password_length=8", "are changed")
	o.says("policy link strict group staff --order 3", "are changed")
	o.says("policy list", "min_device_password_length=8", "group staff", "3")
	o.says("policy result ann KNOWN1", "min_device_password_length", "strict", "group staff", "not yet accepted")
	o.says("policy set short min_device_password_length=4", "are changed")
	o.says("policy link short user ann", "are changed")
	o.says("policy result ann", "8 of strict for group staff")
	o.says("policy block-inheritance user ann", "are changed")
	o.says("policy result ann", "keeps out what wider scopes say", "no effect: device_password_enabled is false")
	o.says("policy block-inheritance user ann --undo", "are changed")
	o.says("policy unlink short user ann", "are changed")
	p := o.phone(eas.V161, "KNOWN1")
	bridgetest.Sync(t, p) // which accepts it
	o.says("devices", "policy: accepted")
	if status, out := o.admin("policy", "set", "strict", "min_device_password_length=99", "allow_camra=no"); status != exitUsage || !strings.Contains(out, "from 1 to 16") || !strings.Contains(out, "is allow_camera meant?") {
		t.Errorf("status %d, it prints %s", status, out)
	}
	if status, out := o.admin("policy", "set", "strict", "allow_camra="); status != exitUsage || !strings.Contains(out, "is allow_camera meant?") {
		t.Errorf("status %d, it prints %s", status, out)
	}
	o.says("policy set strict device_password_history=3", "are changed")
	o.says("policy list", "device_password_history=3", "min_device_password_length=8")
	o.says("policy set strict device_password_history=", "are changed")
	if status, out := o.admin("policy", "link", "strict", "planet"); status != exitUsage || !strings.Contains(out, "everyone") {
		t.Errorf("status %d, it prints %s", status, out)
	}
	if status, out := o.admin("group", "delete", "staff"); status != exitUsage || !strings.Contains(out, "used by policy strict") {
		t.Errorf("status %d, it prints %s", status, out)
	}
	o.says("policy settings", "min_device_password_length", "refuse_partial")
}

// applies makes the policies what a file says, and says first what that would
// change.
func (o *office) applies(t *testing.T) {
	_, before := o.admin("policy", "export")
	file := filepath.Join(t.TempDir(), "policies.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(before)
	o.says("policy apply "+file, "That is so already.")
	write("[policy.\"no cameras\"]\ndescription = \"for \\\"all\\\"\"\nallow_camera = false\napproved_application_list = [\"a\"]\nfor = [\"everyone\"]\n[inheritance]\nblocked = [\"device ann FRESH1\"]\n")
	o.says("policy apply --what-if "+file, "2 phones out of 2", "nothing is asked any more", "KNOWN1", "allow_camera", "no cameras for everyone")
	_, unchanged := o.admin("policy", "export")
	if unchanged != before {
		t.Errorf("a what-if changed the policies to\n%s", unchanged)
	}
	o.says("policy apply "+file, "are changed")
	_, after := o.admin("policy", "export")
	write(after)
	o.says("policy apply "+file, "That is so already.")
	if list := asked[admin.Policies](o, "policy list"); len(list.Policies) != 1 || len(list.Blocks) != 1 || list.Policies[0].Description != `for "all"` {
		t.Errorf("the policies are %+v", list)
	}
	write("[policy.a]\nflying = true\nallow_camera = 7\n[policy.b]\ndevice_password_history = 99\n[[link]]\npolicy = \"c\"\nscope = \"everyone\"\n")
	status, out := o.admin("policy", "apply", file)
	for _, want := range []string{"flying is not known", "allow_camera is 7", "device_password_history is 99", `no policy "c"`, "Nothing was changed"} {
		if status != exitUsage || !strings.Contains(out, want) {
			t.Errorf("status %d, it prints\n%s\nwant %q in it", status, out, want)
		}
	}
	write("[policy.a]\nfor = [\"planet x\"]\n[inheritance]\nblocked = [\"\"]\n")
	if status, out := o.admin("policy", "apply", file); status != exitUsage || strings.Count(out, "write \"everyone\"") != 2 {
		t.Errorf("status %d, it prints\n%s", status, out)
	}
	if status, out := o.admin("policy", "delete", "no cameras"); status != exitOK {
		t.Errorf("status %d, it prints %s", status, out)
	}
	o.says("policy", "Nothing is asked of phones.")
}
