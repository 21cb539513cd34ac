package easserver

import "sync"

// turns puts the lists of collections that were asked for at the same time for
// one person in the order in which they were asked for. A list that was asked
// for before another one which is already taken over says less than is known:
// were it taken over, too, a folder that was made meanwhile would be gone until
// the next list.
//
// A person has an entry only while lists are on their way.
type turns struct {
	mu  sync.Mutex
	all map[string]*turn
}

type turn struct {
	begun int // lists that were asked for and are not given back yet; under turns.mu

	mu     sync.Mutex // held while a list is taken over
	taken  int        // the number of the last complete list that was taken over
	number int        // of the last list that was asked for; under turns.mu
}

// A ticket is one list's place in the order.
type ticket struct {
	turns  *turns
	user   string
	turn   *turn
	number int
}

// begin is called before the lists are asked for, and end when all is done.
func (t *turns) begin(user string) ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = make(map[string]*turn)
	}
	own := t.all[user]
	if own == nil {
		own = new(turn)
		t.all[user] = own
	}
	own.begun++
	own.number++
	return ticket{turns: t, user: user, turn: own, number: own.number}
}

func (t ticket) end() {
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	if t.turn.begun--; t.turn.begun == 0 {
		delete(t.turns.all, t.user)
	}
}

// take lets one list after the other be taken over, and none that is outdated. A
// complete list outdates all that were asked for earlier; one from which a
// backend is missing does not.
func (t ticket) take(do func() (complete bool, err error)) error {
	t.turn.mu.Lock()
	defer t.turn.mu.Unlock()
	if t.number < t.turn.taken {
		return nil
	}
	complete, err := do()
	if err == nil && complete {
		t.turn.taken = t.number
	}
	return err
}
