package problem

import (
	"cmp"
	"maps"
	"slices"
)

// A change is what is to become of the register.
type change struct {
	was    map[Object]Problem // of the one person that it concerns
	save   map[Object]Problem
	forget map[Object]bool
}

func newChange(was map[Object]Problem) *change {
	return &change{was: was, save: make(map[Object]Problem), forget: make(map[Object]bool)}
}

// drop forgets an object that is known.
func (c *change) drop(o Object) {
	delete(c.save, o)
	if _, known := c.was[o]; known {
		c.forget[o] = true
	}
}

// bound keeps the register within its limits: what was seen longest ago goes
// first, of the same person and then of everybody.
func (r *Register) bound(c *change) {
	will := maps.Clone(c.was)
	if will == nil {
		will = make(map[Object]Problem)
	}
	maps.Copy(will, c.save)
	for o := range c.forget {
		delete(will, o)
	}
	for _, p := range oldest(will, len(will)-MaxPerUser) {
		c.drop(p.Object)
		delete(will, p.Object)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	excess := r.count - len(c.was) + len(will) - MaxAll
	if excess <= 0 {
		return
	}
	all := will
	for _, of := range r.users {
		for o, p := range of {
			if _, mine := c.was[o]; !mine {
				all[o] = p
			}
		}
	}
	for _, p := range oldest(all, excess) {
		if _, mine := c.save[p.Object]; mine {
			c.drop(p.Object)
		} else {
			c.forget[p.Object] = true
		}
	}
}

// oldest answers the n problems that were seen longest ago.
func oldest(all map[Object]Problem, n int) []Problem {
	if n <= 0 {
		return nil
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b Problem) int {
		return cmp.Or(a.LastSeen.Compare(b.LastSeen), cmp.Compare(a.User, b.User), cmp.Compare(a.Backend, b.Backend),
			cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.ID, b.ID))
	})
	return list[:n]
}
