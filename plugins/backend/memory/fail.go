package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An Op names a method of the contract.
type Op string

// The methods.
const (
	OpOpen        Op = "Open"
	OpCollections Op = "Collections"
	OpChanges     Op = "Changes"
	OpGet         Op = "Get"
	OpPut         Op = "Put"
	OpDelete      Op = "Delete"
	OpMove        Op = "Move"
	OpWatch       Op = "Watch"
	OpProbe       Op = "Probe"
	OpSchedules   Op = "Schedules"
	OpIdentity    Op = "Identity"
	OpFreeBusy    Op = "FreeBusy"
	OpCreate      Op = "CreateCollection"
	OpUpdate      Op = "UpdateCollection"
	OpRemove      Op = "DeleteCollection"
	OpMessages    Op = "Messages"
	OpPart        Op = "Part"
	OpSetFlags    Op = "SetFlags"
	OpSend        Op = "Send"
	OpSearch      Op = "Search"
	OpVacation    Op = "Vacation"
	OpSetVacation Op = "SetVacation"
)

// A Failure says which calls fail, and how.
type Failure struct {
	Op         Op                   // empty means every method
	Collection backend.CollectionID // empty means every collection
	Err        error                // required

	// Times is how many calls fail; 0 means one, a negative number means
	// every call until Mend.
	Times int

	// Midway makes a Changes, Get or Messages fail after After changes or items
	// were yielded, a Put, Move or Send after it was done, and a Watch that goes on
	// break at the next change. Otherwise the call fails before it did anything.
	Midway bool
	After  int

	// Item, if not empty, makes Get and Messages answer Err for just this item.
	Item backend.ItemID
}

// Fail makes later calls fail. Several failures may wait at a time; the first
// one that fits a call is used.
func (b *Backend) Fail(f Failure) {
	if f.Err == nil {
		panic("memory: a Failure without Err")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = append(b.failures, &f)
}

// Mend forgets all failures.
func (b *Backend) Mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = nil
}

// A hold is one list of collections that is on its way.
type hold struct{ read, sent chan struct{} }

// HoldCollections lets the next Collections wait with the answer that it has: read
// is closed when it has it, and it is given when release is called. What is
// changed in between is not in the answer, as if it were on a slow line.
func (b *Backend) HoldCollections() (read <-chan struct{}, release func()) {
	h := hold{make(chan struct{}), make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = append(b.held, h)
	return h.read, sync.OnceFunc(func() { close(h.sent) })
}

// onItsWay waits where the answer is to be held.
func (b *Backend) onItsWay(ctx context.Context) error {
	b.mu.Lock()
	if len(b.held) == 0 {
		b.mu.Unlock()
		return nil
	}
	h := b.held[0]
	b.held = b.held[1:]
	b.mu.Unlock()
	close(h.read)
	select {
	case <-h.sent:
		return nil
	case <-ctx.Done():
		return backend.E(backend.Transient, "memory: Collections", ctx.Err())
	}
}

// take answers the first failure that fits and counts it down. b.mu is held.
func (b *Backend) take(fits func(*Failure) bool) *Failure {
	for n, f := range b.failures {
		if !fits(f) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				b.failures = slices.Delete(b.failures, n, n+1)
			}
		}
		return f
	}
	return nil
}

func (f *Failure) concerns(op Op, c backend.CollectionID) bool {
	return (f.Op == "" || f.Op == op) && (f.Collection == "" || f.Collection == c)
}

// failing answers the error of a call that fails at once. b.mu is held.
func (b *Backend) failing(op Op, c backend.CollectionID) error {
	f := b.take(func(f *Failure) bool { return f.concerns(op, c) && !f.Midway && f.Item == "" })
	if f == nil {
		return nil
	}
	return f.Err
}

// broken answers the failure of a call that breaks off. b.mu is held.
func (b *Backend) broken(op Op) *Failure {
	return b.take(func(f *Failure) bool { return f.concerns(op, f.Collection) && f.Midway })
}

// breaking is broken for the calls that concern one collection.
func (b *Backend) breaking(op Op, c backend.CollectionID) *Failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.take(func(f *Failure) bool { return f.concerns(op, c) && f.Midway })
}

// done answers the error of a call that fails though it is done. b.mu is held.
func (b *Backend) done(op Op, c backend.CollectionID) error {
	f := b.take(func(f *Failure) bool { return f.concerns(op, c) && f.Midway })
	if f == nil {
		return nil
	}
	return f.Err
}

// unreadable answers the error of just this item. b.mu is held.
func (b *Backend) unreadable(op Op, c backend.CollectionID, id backend.ItemID) error {
	f := b.take(func(f *Failure) bool { return f.concerns(op, c) && f.Item != "" && f.Item == id })
	if f == nil {
		return nil
	}
	return f.Err
}
