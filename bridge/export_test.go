package bridge

import "github.com/pushbridge/pushbridge/bridge/admin/roster"

// LoseState closes the store under a bridge that serves.
func (b *Bridge) LoseState() error { return b.store.Close() }

// Roster is who may sign in.
func (b *Bridge) Roster() *roster.Roster { return b.roster }
