package gate

// Next is where to go after signing in.
func (m *Realm) Next(asked string) string { return m.next(asked) }
