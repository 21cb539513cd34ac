package bridge

// LoseState closes the store under a bridge that serves.
func (b *Bridge) LoseState() error { return b.store.Close() }
