// Package storetest is the suite that every database passes.
package storetest

import (
	"context"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// Stores are the views of one database.
type Stores struct {
	Sync   syncengine.Store
	Phones device.Store

	Problems problem.Store
	Pushes   davpush.Store
	Letters  outbox.Store

	Audit     audit.Store
	Documents Documents
	Transact  func(context.Context, func(context.Context) error) error
}

// Run runs the suite. open answers an empty database each time it is called.
func Run(t *testing.T, open func(*testing.T) Stores) {
	t.Run("Phones", func(t *testing.T) {
		devicetest.Run(t, func(t *testing.T) device.Store { return open(t).Phones })
	})
	t.Run("Problems", func(t *testing.T) { problems(t, open(t).Problems) })
	t.Run("Letters", func(t *testing.T) { s := open(t); letters(t, s.Letters, s.Phones) })
	t.Run("Pushes", func(t *testing.T) { pushes(t, open(t).Pushes) })
	t.Run("Audit", func(t *testing.T) { audited(t, open(t)) })
	t.Run("Documents", func(t *testing.T) { documents(t, open(t)) })
	t.Run("Transact", func(t *testing.T) { transact(t, open(t)) })
	t.Run("Sync", func(t *testing.T) {
		for _, tc := range []struct {
			name string
			test func(*testing.T, syncengine.Store)
		}{
			{"Folders", folders},
			{"FolderOfSomebodyElse", strangers},
			{"FailedUpdate", failedUpdate},
			{"UpdatesInARow", updatesInARow},
			{"UpdatesTogether", updatesTogether},
			{"Mirror", mirror},
			{"ItemsNamed", itemsNamed},
			{"ItemsAfter", itemsAfter},
			{"ItemsEnding", itemsEnding},
			{"ItemsDone", itemsDone},
			{"ItemsUnknown", itemsUnknown},
			{"Facts", facts},
			{"ItemsDue", itemsDue},
			{"Numbers", numbers},
			{"RemoveItems", removeItems},
			{"PurgeItems", purgeItems},
			{"Holds", holds},
			{"Partnership", partnership},
			{"Standing", standing},
			{"Standings", standings},
			{"Foremost", foremost},
			{"Answers", answers},
			{"ForgottenPhone", forgottenPhone},
			{"Shown", shown},
			{"Tries", tries},
			{"ForgottenShown", forgottenShown},
			{"Moves", moves},
		} {
			t.Run(tc.name, func(t *testing.T) { tc.test(t, open(t).Sync) })
		}
	})
}
