package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// TestDoctor lets the doctor look at a worker behind nginx from both sides.
func TestDoctor(t *testing.T) {
	g := openGate(t)
	n := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: "unix:" + g.fastCGI})
	ask := func(password string, args ...string) (int, string) {
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, log bridgetest.Log
		status := run(t.Context(), append([]string{"doctor", "--user", "ann", "--password-file", file}, args...), &out, &log)
		if strings.Contains(out.String()+log.String(), password) {
			t.Errorf("the password stands in\n%s%s", &out, &log)
		}
		return status, out.String()
	}
	says := func(text string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("the doctor says\n%s\nwant %q in it", text, w)
			}
		}
	}
	status, text := ask("secret", "--url", n.URL, "--wait", "100ms")
	says(text, "login          ok", "waiting        ok", "items          ok      30")
	if status != exitOK {
		t.Errorf("with nothing wrong the exit status is %d", status)
	}
	status, text = ask("another word", "--url", n.URL, "--wait", "100ms")
	says(text, "login          FAILED", "-> use the ones of your contacts and calendars")
	if status != exitFailure {
		t.Errorf("with a wrong password the exit status is %d, want %d", status, exitFailure)
	}
	status, text = ask("secret", "--config", g.config)
	says(text, "may open "+g.fastCGI, "descriptors", "[backend.files] (localdir) answers; says by itself when something changes", "1 of contacts", "\"pushbridge notify\" reaches the worker through")
	if status != exitOK {
		t.Errorf("with nothing wrong on the server the exit status is %d:\n%s", status, text)
	}
	_, text = ask("secret", "--url", n.URL, "--wait", "100ms", "--json")
	var answer struct {
		OK       bool
		Findings doctor.Report
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || !answer.OK || len(answer.Findings) == 0 {
		t.Errorf("--json prints\n%s\n%v", text, err)
	}
}
