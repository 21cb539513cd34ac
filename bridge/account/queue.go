package account

import (
	"container/list"
	"net/netip"
)

// A queue is the questions that wait for their turn, in lanes: one for all that
// come from a network, and one for a person whose network is not known or whose
// password was right today. The lanes take turns, so that who asks a thousand
// things holds up nobody but themselves.
//
// It counts the requests that wait, not the questions, since they are what waiting
// costs. A lane has no more of them than would fit beside it. So one that takes
// whatever it is given leaves half of the queue to others, ten leave an eleventh,
// and somebody who comes for the first time finds a place.
//
// It has no lock of its own: Accounts.mu is held.
type queue struct {
	most    int // requests
	waiting int
	lanes   map[lane]*line
	turns   list.List // of *line, those with questions, the next one first
}

// A lane is whom questions belong to. One of its fields is set.
type lane struct {
	network netip.Prefix
	person  string
}

// A line is the questions of a lane.
type line struct {
	lane      lane
	waiting   int       // requests
	questions list.List // of *question, the oldest first
	turn      *list.Element
}

// A ticket is a question's place in the queue.
type ticket struct {
	line *line
	at   *list.Element
}

func newQueue(most int) queue { return queue{most: most, lanes: make(map[lane]*line)} }

// laneOf is the lane of somebody who logs in. trusted says that the password was
// right today: then the network does not matter, at which others may be guessing.
func laneOf(person string, from Caller, trusted bool) lane {
	if at, ok := network(from.Address); ok && !trusted {
		return lane{network: at}
	}
	return lane{person: person}
}

// admits tells whether there is a place for one more request in a lane.
func (w *queue) admits(in lane) bool {
	has := 0
	if l := w.lanes[in]; l != nil {
		has = l.waiting
	}
	return has < w.most-w.waiting
}

// add puts a question with its first request at the end of a lane that admits it.
func (w *queue) add(q *question, in lane) {
	l := w.lanes[in]
	if l == nil {
		l = &line{lane: in}
		l.turn = w.turns.PushBack(l)
		w.lanes[in] = l
	}
	q.ticket = ticket{l, l.questions.PushBack(q)}
	w.count(l, 1)
}

// join adds a request to a question that waits, whose lane admits it.
func (w *queue) join(q *question) { w.count(q.ticket.line, 1) }

// leave takes a request away that is no caller of its question any more, and the
// question out of the queue if it was the last one.
func (w *queue) leave(q *question) (last bool) {
	w.count(q.ticket.line, -1)
	if q.callers > 0 {
		return false
	}
	w.remove(q)
	return true
}

// next takes the question out of the queue whose turn it is; nil if none waits.
func (w *queue) next() *question {
	first := w.turns.Front()
	if first == nil {
		return nil
	}
	l := first.Value.(*line)
	q := l.questions.Front().Value.(*question)
	w.turns.MoveToBack(first)
	w.count(l, -q.callers)
	w.remove(q)
	return q
}

func (w *queue) remove(q *question) {
	l := q.ticket.line
	l.questions.Remove(q.ticket.at)
	q.ticket = ticket{}
	if l.questions.Len() == 0 {
		w.turns.Remove(l.turn)
		delete(w.lanes, l.lane)
	}
}

func (w *queue) count(l *line, by int) {
	l.waiting += by
	w.waiting += by
}
