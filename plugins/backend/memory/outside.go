package memory

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// SetCollection adds a collection to a person, or changes what is said of it
// and keeps its items. Those who watch it are told.
func (b *Backend) SetCollection(user string, c backend.Collection) {
	if c.ID == "" || c.Kind.MediaType() == "" {
		panic(fmt.Sprintf("memory: collection %q of kind %q", c.ID, c.Kind))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.person(user)
	if old := p.collections[c.ID]; old != nil {
		old.Collection = c
	} else {
		p.collections[c.ID] = &collection{Collection: c, epoch: b.nextEpoch(), items: make(map[backend.ItemID]*item)}
		p.order = append(p.order, c.ID)
	}
	b.changed(user, c.ID)
}

// RemoveCollection removes a collection with its items.
func (b *Backend) RemoveCollection(user string, id backend.CollectionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.person(user)
	delete(p.collections, id)
	p.order = slices.DeleteFunc(p.order, func(o backend.CollectionID) bool { return o == id })
	b.changed(user, id)
}

// Schedule makes the store one that would itself tell people of meetings. It
// tells nobody; it only says that it does.
func (b *Backend) Schedule(yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = yes
}

// Store writes an item from outside, whether it is there or not, and answers
// its revision. Read-only collections are no hindrance.
func (b *Backend) Store(user string, c backend.CollectionID, id backend.ItemID, body []byte) backend.Revision {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.put(user, b.collection(user, c), id, body)
}

// Remove removes an item from outside and tells whether it was there.
func (b *Backend) Remove(user string, c backend.CollectionID, id backend.ItemID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	col := b.collection(user, c)
	if col.present(id) == nil {
		return false
	}
	b.remove(user, col, id)
	return true
}

// Items answers a copy of the bodies that a collection holds.
func (b *Backend) Items(user string, c backend.CollectionID) map[backend.ItemID][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	bodies := make(map[backend.ItemID][]byte)
	for id, it := range b.collection(user, c).items {
		if !it.removed {
			bodies[id] = bytes.Clone(it.body)
		}
	}
	return bodies
}

// Expire forgets a collection's history: every cursor given so far is kind
// Expired from now on.
func (b *Backend) Expire(user string, c backend.CollectionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	col := b.collection(user, c)
	col.epoch = b.nextEpoch()
	for id, it := range col.items {
		if it.removed {
			delete(col.items, id)
		}
	}
	col.log = slices.DeleteFunc(col.log, func(e entry) bool { return !col.current(e) })
}

func (b *Backend) collection(user string, id backend.CollectionID) *collection {
	c := b.person(user).collections[id]
	if c == nil {
		panic(fmt.Sprintf("memory: user %q has no collection %q", user, id))
	}
	return c
}

// Calls answers how many calls of a method there were, failed ones included.
func (b *Backend) Calls(op Op) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[op]
}

// Watching answers how many calls of Watch are going on.
func (b *Backend) Watching() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.watchers)
}
