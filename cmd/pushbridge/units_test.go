package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// TestUnits prints the units as an administrator does, and has systemd read
// them.
func TestUnits(t *testing.T) {
	systemd := fcgitest.Need(t, "systemd-analyze")
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"service", "socket"} {
		var printed bytes.Buffer
		if status := run(t.Context(), []string{"serve", "--print-" + name}, &printed, io.Discard); status != exitOK {
			t.Fatalf("--print-%s ends with status %d", name, status)
		}
		// systemd looks for the program, and nobody has the user here.
		unit := strings.NewReplacer("/usr/local/bin/pushbridge", self, "User=pushbridge", "User=root").Replace(printed.String())
		if err := os.WriteFile(filepath.Join(dir, "pushbridge."+name), []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"service", "socket"} {
		cmd := exec.Command(systemd, "verify", "--recursive-errors=no", "--man=no", filepath.Join(dir, "pushbridge."+name))
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("pushbridge."+name+":")) {
			t.Errorf("systemd says of pushbridge.%s: %v\n%s", name, err, out)
		}
	}
}
