package bridge_test

import (
	"slices"
	"testing"
)

// TestNothingIsFetched keeps the rooms that read people's items away from the
// network: an address in a card, of a photo for example, is never visited. Mail
// has its dates read by net/mail, which brings package net along; it must not
// use that itself, nor anything that asks other computers.
func TestNothingIsFetched(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, room := range []string{"bridge/translate", "bridge/syncengine"} {
			reaches := slices.Contains(p.Deps, "net")
			if slices.Contains(p.Deps, "net/mail") {
				reaches = slices.Contains(p.Imports, "net") || slices.Contains(p.Deps, "net/http") || slices.Contains(p.Deps, "crypto/tls")
			}
			if inRoom(p.ImportPath, room) && reaches {
				t.Errorf("%s reaches package net", p.ImportPath)
			}
		}
	}
}
