package console

import "time"

// Again has the next who looks see the database.
func (c *Console) Again() { c.again() }

// Hurry has those who look see what is new a moment later.
func (c *Console) Hurry() { c.age = 100 * time.Millisecond }
