package bridge_test

import (
	"slices"
	"testing"
)

// TestNothingIsFetched keeps the rooms that read people's items away from the
// network: an address in a card, of a photo for example, is never visited.
func TestNothingIsFetched(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, room := range []string{"bridge/translate", "bridge/syncengine"} {
			if inRoom(p.ImportPath, room) && slices.Contains(p.Deps, "net") {
				t.Errorf("%s reaches package net", p.ImportPath)
			}
		}
	}
}
