package main

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// TestComplete asks as a shell does whose person pressed the tabulator.
func TestComplete(t *testing.T) {
	o := openOffice(t)
	bridgetest.Sync(t, o.phone(eas.V141, "ABC123"))
	for line, want := range map[string]string{
		"admin st":                                 "status\tSay how the worker and its backends are\n",
		"admin --config CONFIG folders ":           "ann\n",
		"admin --config CONFIG folders ann ":       "ABC123\ttest\n",
		"admin --config CONFIG folders ann A ":     "",
		"admin --config CONFIG push nobody ":       "",
		"admin --config CONFIG brake release ":     "ann\n",
		"admin --config CONFIG brake release ann ": "",
		"admin --socket /nonexistent wipe ":        "",
	} {
		// The last argument is the one to be completed.
		words := strings.Split(strings.ReplaceAll(line, "CONFIG", o.config), " ")
		var out, complaints bridgetest.Log
		if status := run(t.Context(), append([]string{"__complete"}, words...), &out, &complaints); status != exitOK {
			t.Errorf("%s: status %d: %s", line, status, complaints.String())
		}
		got, _, _ := strings.Cut(out.String(), ":")
		if got != want {
			t.Errorf("%s<TAB> offers %q, want %q", line, got, want)
		}
	}
	for name, want := range map[string]bool{"ann": true, "ann@example.org": true, "Ännchen": true, "": false, "-rf": false, "$(id)": false, "a b": false, "a\x1b": false, "a;b": false} {
		if typeable(name) != want {
			t.Errorf("%q can be typed: %t, want %t", name, !want, want)
		}
	}
}
