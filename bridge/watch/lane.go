package watch

import (
	"container/heap"
	"time"
)

const (
	// DefaultShare is the part of a core that polling may take of a backend.
	DefaultShare = 0.25

	// mostLooks bounds the looks at one backend at a time.
	mostLooks = 8

	// mostCharge bounds what one look is charged: a backend that hangs costs no
	// processor time.
	mostCharge = 30 * time.Second
)

// A lane is where looks wait for one backend's time.
type lane struct {
	urgent []*Watching   // somebody told of a change
	broad  []*Watching   // somebody told of a change that concerns many, or it is the first look; single changes go first
	polls  []*Watching   // wait for free, too
	free   time.Duration // when polling may go on
	looks  int           // goroutines
}

func (d *Desk) lane(e *Watching) *lane {
	l := d.lanes[e.group.key.backend]
	if l == nil {
		l = new(lane)
		d.lanes[e.group.key.backend] = l
	}
	return l
}

// arm sets the timer for what comes next. d.mu is held.
func (d *Desk) arm() {
	next := time.Duration(-1)
	if len(d.queue) > 0 {
		next = d.queue[0].due
	}
	for _, l := range d.lanes {
		if len(l.polls) > 0 && l.looks < mostLooks && (next < 0 || l.free < next) {
			next = l.free
		}
	}
	if next < 0 || d.closed {
		return
	}
	wait := max(0, next-d.now())
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.tick)
		return
	}
	d.timer.Reset(wait)
}

// tick moves what is due into the lanes, and has it looked at.
func (d *Desk) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	now := d.now()
	for len(d.queue) > 0 && d.queue[0].due <= now {
		e := heap.Pop(&d.queue).(*Watching)
		e.waiting = true
		l := d.lane(e)
		switch {
		case e.told && e.broad:
			l.broad = append(l.broad, e)
		case e.told:
			l.urgent = append(l.urgent, e)
		default:
			l.polls = append(l.polls, e)
		}
	}
	for _, l := range d.lanes {
		for l.looks < mostLooks {
			batch := d.next(l)
			if batch == nil {
				break
			}
			l.looks++
			d.running.Go(func() { d.work(l, batch) })
		}
	}
	d.arm()
}

// work looks at what there is, one batch after the other.
func (d *Desk) work(l *lane, batch []*Watching) {
	for batch != nil {
		took := d.lookAt(batch)
		d.mu.Lock()
		share := d.Share
		if share <= 0 {
			share = DefaultShare
		}
		l.free = max(l.free, d.now()) + time.Duration(float64(min(took, mostCharge))/share)
		if batch = d.next(l); batch == nil {
			l.looks--
			d.arm()
		}
		d.mu.Unlock()
	}
}

// next takes what one call can ask about out of a lane. d.mu is held.
func (d *Desk) next(l *lane) []*Watching {
	if d.closed {
		return nil
	}
	e := take(&l.urgent)
	if e == nil {
		e = take(&l.broad)
	}
	if e == nil && l.free <= d.now() {
		e = take(&l.polls)
	}
	if e == nil {
		return nil
	}
	e.busy = true
	batch := []*Watching{e}
	if e.told || e.prober() == nil {
		return batch
	}
	for _, o := range e.group.members {
		if o != e && !o.busy && !o.told && o.prober() != nil && o.due <= d.now()+o.pace/2 {
			d.unschedule(o)
			o.busy = true
			batch = append(batch, o)
		}
	}
	return batch
}

// take takes the first out of a line that still waits in one.
func take(line *[]*Watching) *Watching {
	for len(*line) > 0 {
		e := (*line)[0]
		(*line)[0] = nil
		*line = (*line)[1:]
		if len(*line) == 0 {
			*line = nil
		}
		if e.waiting && !e.gone && !e.busy {
			e.waiting = false
			return e
		}
	}
	return nil
}
